from __future__ import annotations

import json
import logging
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detector.backends.onnx import OnnxBackend
from detector.fuse import SENTENCE_FEATURES, TEXT_FEATURES, Fusion
from detector.heuristics import HEURISTICS
from tests import made_up
from training import examine, fusion
from training.examine import runs
from training.fusion import fit_logistic

pytest_plugins = ["tests.corpora_fixture"]

RNG = np.random.default_rng(4)
X = RNG.normal(size=(4000, 3)) * [1.0, 10.0, 0.1] + [0.0, 5.0, 0.0]
TRUTH = np.array([1.5, -0.2, 0.0])
GOLD = 1 / (1 + np.exp(-((X - [0.0, 5.0, 0.0]) @ TRUTH - 1.0)))
EVEN = np.ones(len(X))
FREE = [False, False, False]


def test_a_known_direction_is_recovered_from_soft_labels_on_the_scale_of_each_feature() -> None:
    found = fit_logistic(("a", "b", "c"), X, GOLD, EVEN, positive=FREE)
    np.testing.assert_allclose(found.weights, TRUTH, atol=0.05)
    assert found.bias == pytest.approx(-1.0, abs=0.1)
    np.testing.assert_allclose(found.means, X.mean(0))


def test_soft_and_hard_labels_agree() -> None:
    hard = (RNG.random(len(GOLD)) < GOLD).astype(np.float64)
    soft, drawn = (fit_logistic(("a", "b", "c"), X, gold, EVEN, positive=FREE) for gold in (GOLD, hard))
    np.testing.assert_allclose(soft.weights[:2], drawn.weights[:2], rtol=0.2)


def test_a_feature_that_must_not_speak_for_a_sentence_is_dropped() -> None:
    found = fit_logistic(("a", "b", "c"), X, GOLD, EVEN, positive=[True, True, False])
    assert found.weights[0] > 0.5
    assert found.weights[1] == 0.0


def test_a_feature_that_never_varies_has_no_weight() -> None:
    x = np.column_stack([X[:, :2], np.full(len(X), 3.0)])
    found = fit_logistic(("a", "b", "c"), x, GOLD, EVEN, positive=FREE)
    assert found.weights[2] == 0.0
    assert found.weights[0] > 1.0


def test_without_any_feature_the_base_rate_is_left() -> None:
    found = fit_logistic(("a", "b", "c"), np.ones((100, 3)), np.full(100, 0.2), np.ones(100), positive=FREE)
    assert found.weights == (0.0, 0.0, 0.0)
    assert found.bias == pytest.approx(math.log(0.25))


def test_a_row_counts_by_its_weight() -> None:
    x, gold = np.array([[0.0], [1.0], [1.0]]), np.array([0.0, 1.0, 0.0])
    weights = (np.array([50.0, w, 50.0]) for w in (90.0, 10.0))
    more, less = (fit_logistic(("a",), x, gold, w, positive=[False]).weights[0] for w in weights)
    assert more > less


@pytest.mark.parametrize(("count", "fpr"), [(2000, 0.01), (2000, 0.05), (400, 0.05)])
def test_the_share_of_human_scores_at_or_above_a_threshold_is_its_rate(count: int, fpr: float) -> None:
    scores = RNG.random(count)
    threshold = fusion._threshold(scores, fpr, np.ones(count))
    assert threshold is not None
    assert np.mean(scores >= threshold) == pytest.approx(fpr)


def test_every_length_of_text_counts_alike_in_a_threshold() -> None:
    sizes = np.repeat([1, 20], [4000, 100])
    scores = np.where(sizes == 1, RNG.random(4100) / 2, 0.5 + RNG.random(4100) / 2)
    threshold = fusion._threshold(scores, 0.05, fusion._even(sizes))
    assert threshold is not None
    assert np.mean(scores[sizes == 20] >= threshold) == pytest.approx(0.1)  # a tenth of half the weight


def test_equal_scores_never_raise_more_alarms_than_asked() -> None:
    scores = np.repeat([0.1, 0.9], [1900, 100])
    threshold = fusion._threshold(scores, 0.01, np.ones(2000))
    assert threshold is not None
    assert np.mean(scores >= threshold) == 0.0


@pytest.mark.parametrize(("count", "fpr"), [(1999, 0.01), (0, 0.05), (19_999, 0.001)])
def test_fewer_than_twenty_false_alarms_set_no_threshold(count: int, fpr: float) -> None:
    assert fusion._threshold(RNG.random(count), fpr, np.ones(count)) is None


def table(*rows: tuple[object, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["docid", "line"])


LINES = [
    ("one text", table(("a", 1), ("a", 2), ("a", 3), ("a", 4)), [[0, 1], [2, 3]]),
    ("in any order", table(("a", 2), ("a", 4), ("a", 1), ("a", 3)), [[2, 0], [3, 1]]),
    ("a gap of one line", table(("a", 1), ("a", 3), ("a", 4), ("a", 6)), [[0, 1], [2, 3]]),
    ("a gap of two lines", table(("a", 1), ("a", 4), ("a", 5)), [[1, 2]]),
    ("two texts", table(("a", 1), ("b", 2), ("b", 3), ("a", 2)), [[0, 3], [1, 2]]),
    ("no docid", table((None, 1), (None, 2), ("b", 3)), [[0, 1]]),
    ("a line twice", table(("a", 1), ("a", 1), ("a", 2)), [[1, 2]]),
    ("too few", table(("a", 1)), []),
    ("nothing", table(), []),
]


@pytest.mark.parametrize(("frame", "expected"), [c[1:] for c in LINES], ids=[c[0] for c in LINES])
def test_texts_are_built_of_consecutive_lines(frame: pd.DataFrame, expected: list[list[int]]) -> None:
    found = [run.tolist() for run in runs(frame, ("docid",), 2)]
    assert sorted(found) == sorted(expected)


def test_a_text_never_mixes_two_pivots_or_years(corpora: Path) -> None:
    frame = pd.DataFrame(made_up.roundtrip_rows()).assign(year=np.nan)
    by = ("year", "docid", "pivot", "engine")
    found = list(runs(frame, by, 5))
    assert len(found) == 2 * 9 * 3
    assert all(frame.iloc[run].groupby(list(by), dropna=False).ngroups == 1 for run in found)
    assert len({i for run in found for i in run.tolist()}) == 5 * len(found)


def test_examining_nothing_gives_no_rows(tiny_checkpoint: Path, tiny_model: Path) -> None:
    found = examine.examine([], "en", tiny_model, OnnxBackend(tiny_model))
    assert len(found) == 0
    assert found.features.shape == (0, len(SENTENCE_FEATURES))


def test_examining_one_by_one_gives_the_same_rows(tiny_model: Path) -> None:
    texts = ["The old bridge was closed.", "The minister He and her deputy arrived on Monday.", "No."]
    backend = OnnxBackend(tiny_model)
    whole = examine.examine(texts, "en", tiny_model, backend)
    alone = [examine.examine([t], "en", tiny_model, backend).features[0] for t in texts]
    np.testing.assert_array_equal(whole.features, np.stack(alone))
    assert [len(e) for e in whole.evidence][1] >= 1


@pytest.fixture(scope="module")
def fitted(corpora: Path, gold: Path, tiny_model: Path) -> Fusion:
    return fusion.fit(corpora, gold, "en", tiny_model, OnnxBackend(tiny_model), ("syntax.doubled_subject",))


def test_a_fitted_fusion_has_the_features_of_the_detector(fitted: Fusion, tmp_path: Path) -> None:
    assert fitted.sentence.features == SENTENCE_FEATURES
    assert fitted.text.features == TEXT_FEATURES
    assert set(fitted.operating_points) == {"fpr_5e-2", "fpr_1e-2", "fpr_1e-3"}
    kinds = len(("native", "human_translation", "informal_ewt", "chat", "news_abc"))
    assert fitted.operating_points["fpr_1e-2"].sentences == kinds * 3 * len(made_up.PAIRS)
    assert "strictest of native news, translations, informal" in fitted.operating_points["fpr_1e-2"].data
    assert fitted.shown_rules == ("syntax.doubled_subject",)
    fitted.save(tmp_path)
    assert Fusion.load(tmp_path) == fitted


def test_the_strictest_kind_of_text_sets_the_threshold() -> None:
    assert fusion._strictest([0.4, None, 0.7]) == 0.7
    assert fusion._strictest([None, 0.7]) is None  # native text must be there, and enough of it


def test_no_rule_speaks_for_a_sentence(fitted: Fusion) -> None:
    rules = {h.id for h in HEURISTICS}
    heads = zip(fitted.sentence.features, fitted.sentence.weights, strict=True)
    assert all(weight >= 0 for name, weight in heads if name in rules)


def test_a_threshold_that_dev_is_too_small_for_is_null(fitted: Fusion) -> None:
    assert all(point.sentence is None and point.text is None for point in fitted.operating_points.values())


def test_a_pivot_head_that_guesses_is_never_shown(fitted: Fusion) -> None:
    assert fitted.pivot_threshold > 1


def test_missing_tables_of_peoples_text_are_left_out(
    corpora: Path, gold: Path, tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made_up.write(tmp_path, "human/native", made_up.human_rows("{}, as the paper wrote."))
    with caplog.at_level(logging.WARNING):
        found = fusion.fit(tmp_path, gold, "en", tiny_model, OnnxBackend(tiny_model), ())
    assert "human_translation" in caplog.text
    assert "chat, informal_ewt, news_abc" in caplog.text
    assert any(found.sentence.weights)


def test_dev_without_round_trips_or_native_text_is_an_error(
    corpora: Path, gold: Path, tiny_model: Path, tmp_path: Path
) -> None:
    backend = OnnxBackend(tiny_model)
    pd.read_parquet(gold / "en-dev.parquet").iloc[:0].to_parquet(tmp_path / "en-dev.parquet")
    with pytest.raises(ValueError, match="dev holds no round trips"):
        fusion.fit(corpora, tmp_path, "en", tiny_model, backend, ())
    with pytest.raises(FileNotFoundError, match="human/native"):
        fusion.fit(tmp_path, gold, "en", tiny_model, backend, ())


def test_rules_that_dev_shows_no_better_than_chance_are_hidden(tmp_path: Path) -> None:
    figures = tmp_path / "rules.json"
    every = fusion.shown_rules(None)
    verdicts = {"syntax.doubled_subject": {"beats_chance": False}, every[0]: {"beats_chance": None}}
    figures.write_text(json.dumps(verdicts), encoding="utf-8")
    assert every == tuple(h.id for h in HEURISTICS)
    assert set(every) - set(fusion.shown_rules(figures)) == {"syntax.doubled_subject"}


def test_help_says_what_it_does(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["fusion", "--help"])
    with pytest.raises(SystemExit, match="0"):
        fusion.main()
    assert "--gold" in capsys.readouterr().out
