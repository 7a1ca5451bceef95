from __future__ import annotations

import dataclasses
import json
import logging
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from detector.backends.onnx import OnnxBackend
from detector.fuse import SENTENCE_FEATURES, TEXT_FEATURES, Fusion
from detector.heuristics import HEURISTICS
from tests import made_up
from training import examine, fusion
from training.corpora import set_apart
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
    return fit_one(corpora, gold, tiny_model, "syntax.doubled_subject")


def fit_one(corpora: Path, gold: Path, model: Path, *rules: str) -> Fusion:
    material = fusion.gather(corpora, gold, "en", model, OnnxBackend(model), fusion.FULL)
    return fusion.fit([material], model, rules)


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
        found = fit_one(tmp_path, gold, tiny_model)
    for table in ("human_translation", "chat", "informal_ewt", "news_abc"):
        assert table in caplog.text
    assert any(found.sentence.weights)


def test_dev_without_round_trips_or_native_text_is_an_error(
    corpora: Path, gold: Path, tiny_model: Path, tmp_path: Path
) -> None:
    pd.read_parquet(gold / "en-dev.parquet").iloc[:0].to_parquet(tmp_path / "en-dev.parquet")
    with pytest.raises(ValueError, match="dev holds no round trips"):
        fit_one(corpora, tmp_path, tiny_model)
    with pytest.raises(FileNotFoundError, match="human/native"):
        fit_one(tmp_path, gold, tiny_model)


def test_every_language_has_the_same_say_however_much_was_read() -> None:
    few, many = np.ones(10), np.full(90, 2.0)
    joined = fusion._same_say([few, many])
    assert joined[:10].sum() == pytest.approx(joined[10:].sum())
    assert joined.sum() == pytest.approx(few.sum() + many.sum())
    np.testing.assert_array_equal(fusion._same_say([many]), many)


def test_a_language_of_few_data_stays_near_the_others() -> None:
    logits, gold, weight = np.zeros(40), np.r_[np.ones(30), np.zeros(10)], np.ones(40)
    few, many = (fusion._shift(logits, gold, weight, count) for count in (4, 4000))
    assert 0 < few < many
    assert many == pytest.approx(np.log(3), abs=0.01)  # three in four are damaged


def test_a_language_with_enough_text_sets_its_own_threshold() -> None:
    large, small = (norm.ppf((np.arange(n) + 0.5) / n) for n in (4000, 400))
    small = small - 3
    said = {
        "de": {"native": (large, np.ones(4000))},
        "af": {"translations": (small, np.ones(400))},
        "xx": {"native": (small[:20], np.ones(20))},
    }
    scripts = {"de": "LATIN", "af": "LATIN", "xx": "LATIN"}
    found = fusion._thresholds(said, scripts, 0.01)
    own, how = found["de"]
    assert own is not None
    assert np.mean(1 / (1 + np.exp(-large)) >= own) == pytest.approx(0.01, abs=1e-9)
    assert how == "by 4000 of native"
    borrowed, how = found["af"]
    assert borrowed is not None
    assert "Latin script" in how
    # seen from its own level, as far out as the large language is from its own
    assert np.mean(1 / (1 + np.exp(-small)) >= borrowed) == pytest.approx(0.01, abs=0.003)
    assert found["xx"] == (None, "too few to tell")


def test_the_strictest_kind_decides_in_a_language_too() -> None:
    level = np.linspace(-2, 2, 4000)
    said = {"de": {"native": (level, np.ones(4000)), "translations": (level + 1, np.ones(4000))}}
    threshold, how = fusion._thresholds(said, {"de": "LATIN"}, 0.01)["de"]
    assert how == "by 4000 of translations"
    assert threshold == pytest.approx(1 / (1 + np.exp(-2.96)), abs=0.001)


@pytest.fixture
def of_two(
    corpora: Path, gold: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Fusion:
    """Fit English beside the same sentences as a language of its own, that has single hops only."""
    folder = tmp_path
    monkeypatch.setattr(fusion, "_auc_of_tens", lambda *_: 1.0)
    for path in gold.glob("en-*.parquet"):
        shutil.copyfile(path, folder / path.name)
    shutil.copyfile(gold / "en-dev.parquet", folder / "xx-hops-dev.parquet")
    backend = OnnxBackend(tiny_model)
    materials = [
        fusion.gather(corpora, folder, tag, tiny_model, backend, fusion.SOME) for tag in ("en", "xx")
    ]
    return fusion.fit(materials, tiny_model, ())


def test_a_language_without_round_trips_claims_machine_translation_only(of_two: Fusion) -> None:
    claims = {tag: own.claim for tag, own in of_two.languages.items()}
    assert claims == {"en": "round_trip", "xx": "machine_translation"}
    for tag, own in of_two.languages.items():
        assert set(own.operating_points) == set(fusion.POINTS)
        assert own.operating_points["fpr_1e-2"].data.startswith(f"dev in {tag!r}, ")


@pytest.mark.parametrize("auc", [0.69, math.nan])
def test_a_language_told_apart_no_better_than_chance_is_not_judged(
    auc: float, corpora: Path, gold: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = OnnxBackend(tiny_model)
    english = fusion.gather(corpora, gold, "en", tiny_model, backend, fusion.SOME)
    found = iter([0.71, auc])
    monkeypatch.setattr(fusion, "_auc_of_tens", lambda *_: next(found))
    two = [english, dataclasses.replace(english, language="xx")]
    assert set(fusion.fit(two, tiny_model, ()).languages) == {"en"}


def test_pairs_of_dev_are_cut_by_whole_documents(gold: Path, tmp_path: Path) -> None:
    every = pd.read_parquet(gold / "en-dev.parquet")
    every.loc[every.index[30:], "damage"] = np.nan
    every.to_parquet(tmp_path / "en-dev.parquet")
    assert len(fusion.pairs_of_dev(tmp_path, "en", None)) == len(every)
    some = fusion.pairs_of_dev(tmp_path, "en", 60)
    by = ["origin", "year", "docid", "pivot", "engine"]
    count = some[some["damage"].isna()].groupby(by, dropna=False).size()
    assert 0 < count.sum() <= 60
    whole = every[every["damage"].isna()].groupby(by, dropna=False).size()
    assert (count == whole[count.index]).all()
    assert some["damage"].notna().sum() == every["damage"].notna().sum() > 0


def test_hops_join_where_round_trips_are_few_and_their_originals_are_translations(
    corpora: Path, gold: Path, tiny_model: Path, tmp_path: Path
) -> None:
    for name in ("train", "dev"):
        shutil.copyfile(gold / f"en-{name}.parquet", tmp_path / f"en-{name}.parquet")
    roundtrips = pd.read_parquet(gold / "en-dev.parquet")
    hops = roundtrips.assign(original=roundtrips["original"] + " Indeed.", original_id="hop")
    hops.to_parquet(tmp_path / "en-hops-dev.parquet")
    both = fusion.pairs_of_dev(tmp_path, "en", 9000)
    assert both["hop"].sum() == len(hops)
    assert not fusion.pairs_of_dev(tmp_path, "en", None)["hop"].any()
    material = fusion.gather(corpora, tmp_path, "en", tiny_model, OnnxBackend(tiny_model), fusion.SOME)
    frame = material.originals.frame
    said = [(np.zeros(len(frame)), np.ones(len(frame)))]
    for share, author in ((0.0, "native"), (0.4, "native"), (1.0, "translations")):
        marked = dataclasses.replace(material.originals, frame=frame.assign(hop=share))
        alone = dataclasses.replace(material, originals=marked, native=None, translated=[], informal=[])
        assert set(fusion._by_author(alone, said)) == {author}


def test_without_translations_those_of_single_hops_stand_in(
    corpora: Path, gold: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fusion, "_FEWEST_PAIRS", 1)
    for name in ("train", "dev"):
        shutil.copyfile(gold / f"en-{name}.parquet", tmp_path / f"en-{name}.parquet")
    roundtrips = pd.read_parquet(gold / "en-dev.parquet").head(3)
    translated = [f"{text} Indeed." for text in roundtrips["original"]]
    roundtrips.assign(original=translated, original_id=["a", "b", "c"]).to_parquet(
        tmp_path / "en-hops-dev.parquet"
    )
    human_table = fusion.human_table

    def without_translations(*args: Any) -> fusion.Table:
        table = human_table(*args)
        return dataclasses.replace(table, frame=table.frame.head(0)) if "human_translation" in args else table

    monkeypatch.setattr(fusion, "human_table", without_translations)
    monkeypatch.setattr(fusion, "_auc_of_tens", lambda *_: 1.0)
    material = fusion.gather(corpora, tmp_path, "en", tiny_model, OnnxBackend(tiny_model), fusion.SOME)
    assert set(fusion.fit([material, material], tiny_model, ()).languages) == {"en"}
    (table,) = material.translated
    assert set(table.frame["text"]) == set(translated)
    assert not set(material.originals.frame["text"]) & set(translated)


def test_without_translations_of_dev_some_of_train_stand_in(
    without_dev: Path, gold: Path, tiny_model: Path
) -> None:
    material = fusion.gather(without_dev, gold, "en", tiny_model, OnnxBackend(tiny_model), fusion.FULL)
    (table,) = material.translated
    assert set(table.frame["text"]) == set(set_apart(without_dev, "en")["text"])
    with_ngrams = [dataclasses.replace(s, ngrams=4.0) for s in table.examined.logits]
    foreign = dataclasses.replace(
        material,
        translated=[
            dataclasses.replace(
                table, examined=dataclasses.replace(table.examined, logits=tuple(with_ngrams))
            )
        ],
    )
    head = fusion._provenance_of(foreign)
    assert head is not None
    assert head.weights[1] == 0.0  # what only translators have speaks for no machine


def test_rules_that_dev_shows_no_better_than_chance_are_hidden(tmp_path: Path) -> None:
    figures = tmp_path / "rules.json"
    every = fusion.shown_rules(None)
    verdicts = {"syntax.doubled_subject": {"beats_chance": False}, every[0]: {"beats_chance": None}}
    figures.write_text(json.dumps(verdicts), encoding="utf-8")
    assert every == tuple(h.id for h in HEURISTICS if h.counts)
    assert set(every) - set(fusion.shown_rules(figures)) == {"syntax.doubled_subject"}


def test_help_says_what_it_does(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["fusion", "--help"])
    with pytest.raises(SystemExit, match="0"):
        fusion.main()
    assert "--gold" in capsys.readouterr().out
