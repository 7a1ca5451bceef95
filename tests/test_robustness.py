from __future__ import annotations

import dataclasses
import doctest
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import eval.robustness
from detector import Detector
from detector.fuse import Fusion, SentenceLogits, Vector
from eval.figures import Scored, Section
from eval.robustness import (
    AS_WRITTEN,
    CHANGES,
    ascii_marks,
    double_spaces,
    halves,
    join,
    robustness,
    slip,
    split,
)
from training.examine import runs

SENTENCES = {
    "en": "The council of the old harbour town “voted” on Monday – again – for a smaller budget.",
    "zh": "白沙镇的议会星期一同意在冬天之前修好旧港口的大桥和附近的道路，并且增加预算。",
    "ar": "وافق مجلس المدينة القديمة يوم الاثنين على إصلاح جسر الميناء قبل فصل الشتاء المقبل.",
    "emoji": "The ferry 🚢 left the harbour of the old town at dawn, said the crew 👩‍✈️ on the quay today.",
}


def test_examples_in_docstrings_run() -> None:
    assert doctest.testmod(eval.robustness).failed == 0


@pytest.mark.parametrize("text", SENTENCES.values(), ids=SENTENCES)
def test_a_slip_swaps_two_neighbours_inside_a_word(text: str) -> None:
    slipped = slip(text)
    moved = [i for i, (a, b) in enumerate(zip(text, slipped, strict=True)) if a != b]
    assert len(moved) == 2
    i = moved[0]
    assert moved[1] == i + 1
    assert slipped[i : i + 2] == text[i + 1] + text[i]
    assert all(c.isalpha() for c in text[i - 1 : i + 3])  # neither the first letter nor the last
    assert slip(text) == slipped


@pytest.mark.parametrize("text", ["", "We saw it on 5 May.", "1,000 km", "noon", "Aaaaa!"])
def test_a_text_without_two_letters_to_swap_stays(text: str) -> None:
    assert slip(text) == text


@pytest.mark.parametrize("text", SENTENCES.values(), ids=SENTENCES)
def test_halves_rebuild_the_sentence(text: str) -> None:
    first, second = halves(text)
    assert (" " if " " in text else "").join([first, second]) == text
    assert abs(len(first) - len(second)) < 12


@pytest.mark.parametrize("text", ["", "The mayor spoke.", "Nobody knew why the old mill had burned."])
def test_a_short_sentence_stays_whole(text: str) -> None:
    assert halves(text) == (text,)


@pytest.mark.parametrize("text", ["", "one", "two words", *SENTENCES.values()])
def test_spaces_are_doubled_and_nothing_else(text: str) -> None:
    assert " ".join(double_spaces(text).split()) == text
    assert len(double_spaces(text)) == len(text) + text.count(" ") // 3


def test_plain_marks_leave_letters_alone() -> None:
    assert ascii_marks("«Été» — l’an 5…") == '"Été" - l\'an 5...'
    assert ascii_marks(SENTENCES["zh"]) == SENTENCES["zh"]


def frame(articles: Sequence[str], lines: int = 20, text: str = SENTENCES["en"]) -> pd.DataFrame:
    rows = [
        {"text": text, "cluster": f"{a}{k}", "article": a, "document": a, "line": k, "damage": k / lines}
        for a in articles
        for k in range(lines)
    ]
    return pd.DataFrame(rows).assign(is_original=False)


def test_neighbours_of_one_article_are_joined_once() -> None:
    sentences = frame(["a", "b", ""], lines=5)
    sentences["text"] = [f"{row.article}{row.line}" for row in sentences.itertuples()]
    joined = join(sentences)
    # the fifth of each article has no neighbour left; what stands in no article has none at all
    assert joined["text"].tolist() == ["a0 a1", "a2 a3", "b0 b1", "b2 b3"]
    assert joined["damage"].tolist() == [0.2, 0.6, 0.2, 0.6]
    assert join(sentences[:0]).empty


@pytest.mark.parametrize(("change", "ten"), CHANGES.values(), ids=CHANGES)
def test_texts_of_ten_sentences_can_still_be_built(change: eval.robustness.Change, ten: int) -> None:
    changed = change(frame(["a", "b"]))
    texts = list(runs(changed, ["article"], ten))
    assert len(texts) == 4
    assert not np.isnan(changed["damage"]).any()


def silent(sentences: pd.DataFrame, fused: Vector) -> Scored:
    nothing = SentenceLogits(0.0, 0.0, np.zeros(1, dtype=np.float32), ())
    return Scored(sentences.assign(fused=fused), (nothing,) * len(sentences))


def score_capitals(sentences: pd.DataFrame) -> Scored:
    """Take every text in capitals for damaged, and the second half of each article more than the first."""
    loud = np.array([5.0 if t.isupper() else -5.0 for t in sentences["text"]])
    return silent(sentences, loud + sentences["damage"].to_numpy() * (sentences["kind"] == "trip"))


def mean_texts(sentences: pd.DataFrame, most: int, lengths: Sequence[int]) -> pd.DataFrame:
    found = [run for length in lengths for run in runs(sentences, ["article"], length)][:most]
    fused = sentences["fused"].to_numpy()
    return sentences.iloc[[run[0] for run in found]].assign(
        size=[len(run) for run in found], fused=[float(fused[run].mean()) for run in found]
    )


@pytest.fixture
def fusion(tiny_model: Path) -> Fusion:
    return Fusion.load(tiny_model)


def measured(fusion: Fusion, most: int = 1000) -> Section:
    trips = score_capitals(frame(["a", "b"]).assign(kind="trip"))
    humans = {k: score_capitals(frame(["c", "d"]).assign(kind=k)) for k in ("originals", "native", "chat")}
    return robustness(trips, humans, score_capitals, mean_texts, fusion, most=most, resamples=5)


def test_figures_are_taken_before_and_after_every_change(fusion: Fusion) -> None:
    section = measured(fusion)
    for name in (AS_WRITTEN, *CHANGES):
        # whatever the change does to all alike, what is most damaged stays above people's text
        assert section[f"an error or worse, {name}"]["AUC"].value == 1.0
        assert section[f"texts of 10, {name}"]["AUC"].n == 4
        for kind in ("originals", "native", "chat"):
            row = section[f"{kind}, {name}"]
            expected = 1.0 if name == "upper-cased" else 0.0
            assert {figure.value for figure in row.values()} == {expected}
            assert list(row) == [
                "sentences fpr_5e-2", "texts of 10 fpr_5e-2", "sentences fpr_1e-2", "texts of 10 fpr_1e-2",
            ]  # fmt: skip
    assert section[f"native, {AS_WRITTEN}"]["sentences fpr_1e-2"].n == 40
    assert section["native, joined with the neighbour"]["sentences fpr_1e-2"].n == 20
    assert section["native, split in the middle"]["sentences fpr_1e-2"].n == 80
    # people's text stands together by kind
    kinds = [row.split(",")[0] for row in section if not row.startswith(("an error", "texts of 10"))]
    assert kinds == sorted(kinds)


def test_errors_are_those_of_the_text_as_written(fusion: Fusion) -> None:
    section = measured(fusion)
    # the second half of each article; two of them make one sentence, or four halves
    assert section[f"an error or worse, {AS_WRITTEN}"]["AUC"].n == 20
    assert section["an error or worse, joined with the neighbour"]["AUC"].n == 10
    assert section["an error or worse, split in the middle"]["AUC"].n == 40


def test_a_sample_takes_whole_articles(fusion: Fusion) -> None:
    row = measured(fusion, most=15)[f"native, {AS_WRITTEN}"]
    assert row["sentences fpr_1e-2"].n == 20


def test_a_point_without_a_threshold_has_no_figure(fusion: Fusion) -> None:
    points = dict(fusion.operating_points)
    points["fpr_1e-2"] = dataclasses.replace(points["fpr_1e-2"], text=None)
    row = measured(dataclasses.replace(fusion, operating_points=points))["native, lower-cased"]
    assert list(row) == ["sentences fpr_5e-2", "texts of 10 fpr_5e-2", "sentences fpr_1e-2"]


def test_nothing_is_measured_where_there_is_no_article(fusion: Fusion) -> None:
    alone = score_capitals(frame([""]).assign(kind="trip"))
    assert (
        robustness(alone, {"originals": alone}, score_capitals, mean_texts, fusion, most=9, resamples=0) == {}
    )


def test_spaces_around_a_sentence_change_nothing(tiny_detector: Detector) -> None:
    text = "The old harbour bridge closed after heavy rain on Monday."
    plain, spaced = tiny_detector.score([text, f"  {text}\n"], language="en")
    assert plain == spaced


def test_split_halves_follow_each_other() -> None:
    sentences = frame(["a"], lines=2)
    cut = split(sentences)
    assert cut["line"].tolist() == [0.0, 0.5, 1.0, 1.5]
    assert " ".join(cut["text"]) == " ".join(sentences["text"])
