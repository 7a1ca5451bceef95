from __future__ import annotations

import doctest
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eval.baselines
import eval.calibration
import eval.curves
import eval.figures
import eval.run
import eval.samples
import eval.texts
import eval.words
from detector import Detector
from detector.backends.onnx import OnnxBackend
from detector.fuse import Fusion, SentenceLogits
from detector.spans import Span, WordScore
from eval import alarms, samples, sentences, tables, top_spans
from eval.calibration import calibrated, calibration, claims
from eval.curves import curves
from eval.figures import Figure, Scored, cuts, separate
from eval.samples import Familiar, Sizes, build_texts, choose_roundtrips, mix, originals_of
from eval.sentences import BASELINES
from eval.texts import mixed, translation
from eval.words import MARKS, character_gold, confusion, kind_inside, known_kinds, tokens
from training.damage import add_readings
from training.examples import changed_spans
from training.readings import Reading, pair_id

WORDING = {
    "en": "On day {k} the council of {place} agreed to repair the old harbour bridge before winter.",
    "zh": "第{k}天，{place}镇的议会同意在冬天之前修好旧港口的大桥和附近的道路。",
    "ar": "في اليوم {k} وافق مجلس مدينة {place} على إصلاح جسر الميناء القديم قبل الشتاء.",
}
PLACES = {"en": "Ellerby", "zh": "白沙", "ar": "الوردة"}
WORSE = {
    "en": [("agreed", "was agree"), ("repair", "cure"), ("harbour bridge", "port deck"), ("winter", "cold")],
    "zh": [("同意", "赞成了"), ("修好", "治疗"), ("大桥", "甲板"), ("冬天", "寒冷")],
    "ar": [("وافق", "قبل"), ("إصلاح", "علاج"), ("جسر", "سطح"), ("الشتاء", "البرد")],
}
PAIRS = {
    "train": [("de", "google"), ("fr", "nllb")],
    "dev": [("de", "google"), ("fr", "nllb"), ("sl", "argos")],
    "test": [("de", "google"), ("fr", "nllb"), ("de", "microsoft"), ("tr", "google"), ("sl", "nllb")],
}


def sentence(language: str, split: str, k: int) -> str:
    return WORDING[language].format(k=10_000 * list(PAIRS).index(split) + k, place=PLACES[language])


def spoilt(language: str, text: str, times: int) -> str:
    for right, wrong in WORSE[language][:times]:
        text = text.replace(right, wrong)
    return text


def gold(language: str, split: str, *, documents: int = 4, lines: int = 24, flores: int = 8) -> pd.DataFrame:
    """Round trips of invented news and of an invented FLORES; English ones were read, most of them.

    The more words are wrong, the worse they were judged, and the first wrong word was marked.
    """
    rows = []
    readings = {}
    for k in range(documents * lines + flores):
        news = k < documents * lines
        original = sentence(language, split, k)
        for n, (pivot, engine) in enumerate(PAIRS[split]):
            times = 1 + (k + n) % len(WORSE[language])
            roundtrip = spoilt(language, original, times)
            if language == "en" and k % 5:
                start = roundtrip.index(WORSE[language][0][1])
                marks = ((start, start + len(WORSE[language][0][1])),) if 1 < times < 4 else ()
                of_pair = Reading(times - 1, 2 if times == 1 and k % 2 else times // 2, marks, k % 7 > 0)
                readings[pair_id(original, roundtrip)] = of_pair
            rows.append(
                {
                    "original_id": f"{split}{k}",
                    "pivot": pivot,
                    "engine": engine,
                    "origin": "newstest" if news else "flores",
                    "year": 2018 if news else 2019,
                    "docid": f"paper.{k // lines}" if news else None,
                    "line": k,
                    "original": original,
                    "roundtrip": roundtrip,
                    "changed": 0.1 * times,
                }
            )
    return add_readings(pd.DataFrame(rows), readings)


def human(language: str, split: str, table: str) -> pd.DataFrame:
    shift = 500 * (1 + eval.samples.HUMAN.index(table))
    lines = 400 if table == "native" else 80
    texts = [sentence(language, split, shift + k) for k in range(lines)]
    if table == "native":  # two of them are originals of round trips too
        texts[:2] = [sentence(language, split, k) for k in range(2)]
    return pd.DataFrame(
        {
            "lang": language,
            "text": texts,
            "text_id": [f"{table}{split}{k}" for k in range(lines)],
            "split": split,
            "line": range(lines),
            "year": 2023,
            "docid": None,
            "origlang": language,
        }
    )


def edits(language: str) -> pd.DataFrame:
    """Machine translation of two source languages in which the last token is always BAD."""
    rows = []
    for source in ("et", "ne"):
        for k in range(20):
            text = spoilt(language, sentence(language, "test", 4000 + k), k % 4)
            tags = ["OK"] * len(text.split())
            tags[-1] = "BAD"
            rows.append(
                {
                    "pair": f"{source}-{language}",
                    "source_split": "test",
                    "idx": k,
                    "mt": text,
                    "word_tags": " ".join(tags),
                    "hter": 0.1 * (k % 4),
                }
            )
    return pd.DataFrame(rows)


def marks(language: str) -> pd.DataFrame:
    rows = []
    for k in range(30):
        text = spoilt(language, sentence(language, "test", 5000 + k), 1)
        wrong = WORSE[language][0][1]
        rows.append(
            {
                "pair": f"xx-{language}",
                "system": "engine",
                "doc": f"talk{k % 10}",
                "seg_id": k,
                "rater": "r1",
                "category": "Accuracy/Mistranslation" if k % 3 else "No-error",
                "severity": "Major" if k % 3 else "No-error",
                "target": text.replace(wrong, f"<v>{wrong}</v>") if k % 3 else text,
                "target_clean": text,
            }
        )
    return pd.DataFrame(rows)


def write_folders(folder: Path, language: str) -> tuple[Path, Path]:
    """Write a corpora folder and its gold; others than English lack readings, labels and informal text."""
    corpora, golds = folder / "corpora", folder / "gold"
    (corpora / "human").mkdir(parents=True)
    golds.mkdir()
    for split in PAIRS:
        gold(language, split).to_parquet(golds / f"{language}-{split}.parquet")
    for table in eval.samples.HUMAN if language == "en" else ("native", "human_translation"):
        some = pd.concat([human(language, split, table) for split in PAIRS])
        some.to_parquet(corpora / "human" / f"{table}.parquet")
    if language == "en":
        (corpora / "labels").mkdir()
        edits(language).to_parquet(corpora / "labels" / "mlqe_word_tags.parquet")
        marks(language).to_parquet(corpora / "labels" / "mqm_spans.parquet")
    return corpora, golds


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Path]]:
    made = {language: write_folders(tmp_path_factory.mktemp(language), language) for language in WORDING}
    return lambda language: made[language]


@pytest.fixture(scope="session")
def results(folders: Callable[[str], tuple[Path, Path]], tiny_model: Path) -> dict[str, Any]:
    corpora, golds = folders("en")
    return eval.run.measure(corpora, golds, tiny_model, "en", "test", quick=True)


def test_examples_in_docstrings_run() -> None:
    for module in (eval.baselines, eval.figures, eval.run, eval.samples, eval.words):
        assert doctest.testmod(module).failed == 0


# samples


@pytest.mark.parametrize(
    ("engine", "pivot", "cell"),
    [
        ("google", "de", "seen"),
        ("microsoft", "de", "unseen engine"),
        ("google", "tr", "unseen pivot"),
        ("microsoft", "tr", "both unseen"),
        ("argos", "tr", "unseen, tried on dev"),
        ("google", "sl", "unseen, tried on dev"),
    ],
)
def test_what_train_and_dev_show_decides_the_cell(engine: str, pivot: str, cell: str) -> None:
    assert Familiar.of(gold("en", "train"), gold("en", "dev")).cell(engine, pivot) == cell


def chosen(sizes: Sizes = Sizes(seen_pairs=1, other_pairs=1)) -> pd.DataFrame:  # noqa: B008
    return choose_roundtrips(gold("en", "test"), Familiar.of(gold("en", "train"), gold("en", "dev")), sizes)


def test_documents_keep_whole_combinations_of_every_cell() -> None:
    rows = chosen()
    news = rows[rows["origin"] == "newstest"]
    for _, of_document in news.groupby("document"):
        combinations = of_document.groupby(["cell", "pivot", "engine"]).size()
        assert set(combinations) == {24}
        assert list(combinations.index.get_level_values("cell")) == [
            "seen", "unseen engine", "unseen pivot", "unseen, tried on dev",
        ]  # fmt: skip
    assert len(rows) - len(news) == 8 * len(PAIRS["test"])
    pd.testing.assert_frame_equal(rows, chosen())


def test_a_sample_takes_whole_documents() -> None:
    rows = chosen(Sizes(seen_pairs=1, other_pairs=1, documents=2, flores=3))
    news = rows["origin"] == "newstest"
    assert rows.loc[news, "document"].nunique() == 2
    assert set(rows.loc[news].groupby("document").size()) == {4 * 24}
    assert rows.loc[~news, "original_id"].nunique() == 3


def test_originals_stand_once_each_with_lines_of_one_pivot() -> None:
    rows = chosen()
    rows.loc[rows["pivot"] == "tr", "line"] += 500  # another pivot counts its lines in another file
    originals = originals_of(rows)
    assert sorted(originals["original_id"]) == sorted(set(rows["original_id"]))
    for _, of_article in originals[originals["article"] != ""].groupby("article"):
        assert sorted(of_article["line"] - of_article["line"].min()) == list(range(24))
    assert (originals["article"] == "").sum() == 8  # FLORES
    # what readers said of a round trip is not true of its original
    assert not {"damage", "visible", "meaning", "marks", "even"} & set(originals)


def test_all_that_was_read_is_judged_and_marks_become_words() -> None:
    some = gold("en", "test")
    judged = samples.judged(some)
    assert len(judged) == some["damage"].notna().sum()
    assert len(judged) > judged["even"].sum() > 0
    unlocated = judged["visible"] == 3  # here no severe one has marks
    assert (judged["spans"].isna() == unlocated).all()
    for row in judged[~unlocated].itertuples():
        marked = " ".join(row.text[start:end] for start, end, is_marked in row.spans if is_marked)
        assert marked == ("was agree" if row.visible else "")
    assert judged["line"].tolist() != sorted(judged["line"])
    pd.testing.assert_frame_equal(judged, samples.judged(some))


def test_texts_are_consecutive_lines_of_one_article_and_share_none() -> None:
    rows = chosen()
    nothing = np.zeros(len(rows))
    texts, x, found = build_texts(rows, nothing, nothing, nothing, "en", most=1000)
    assert len(texts) == len(x) == len(found)
    for length in (2, 5, 10, 20):
        of_length = [t for t in texts if len(t) == length]
        assert len(of_length) == 4 * 4 * (24 // length)  # documents, cells, texts of each
        assert len(set(np.concatenate(of_length))) == length * len(of_length)
        for text in of_length:
            assert rows["article"].iloc[text].nunique() == 1
            assert set(np.diff(rows["line"].iloc[text])) == {1}
    capped, _, _ = build_texts(rows, nothing, nothing, nothing, "en", most=3, lengths=(5,))
    assert len(capped) == 3


@pytest.mark.parametrize(
    ("length", "share", "expected"), [(10, 0.1, {1}), (10, 0.25, {2, 3}), (20, 0.5, {10})]
)
def test_texts_laundered_in_part_keep_the_authors_other_sentences(
    length: int, share: float, expected: set[int]
) -> None:
    rows = chosen()
    originals = originals_of(rows)
    for k, frame in enumerate((rows, originals)):
        for column in ("provenance", "fused", "encoder", "rule_scores", "ngram_provenance"):
            frame[column] = 1.0 - k
        frame["evidence"] = [("roundtrip",) if k == 0 else ()] * len(frame)
    before = rows.copy()
    partly = mix(rows, originals, length, share)
    pd.testing.assert_frame_equal(rows, before)
    nothing = np.zeros(len(rows))
    whole, _, _ = build_texts(rows, nothing, nothing, nothing, "en", most=1000, lengths=(length,))
    assert len(whole) == 4 * 4 * (24 // length)
    assert {int(partly["fused"].iloc[text].sum()) for text in whole} == expected
    laundered = partly["fused"] == 1.0
    assert (partly["text"] == partly["roundtrip"].where(laundered, partly["original"])).all()
    assert (partly["evidence"].map(bool) == laundered).all()


# figures


def test_cuts_take_every_round_trip_once_of_each_kind() -> None:
    rows = chosen().assign(words=[k % 40 for k in range(len(chosen()))])
    parts = {part.name: part for part in cuts(rows)}
    for names in (
        ("news", "FLORES"),
        ("news, seen", "news, unseen engine", "news, unseen pivot", "news, unseen, tried on dev", "FLORES"),
        ("seen", "unseen engine", "unseen pivot", "unseen, tried on dev"),
        ("engine google", "engine microsoft", "engine nllb"),
        ("pivot de", "pivot fr", "pivot sl", "pivot tr"),
        ("under 8 words", "8 to 15 words", "16 to 30 words", "over 30 words"),
        ("10 to 25 % of words changed", "25 % of words changed or more"),
    ):
        assert sum(len(parts[name].frame) for name in names) == len(rows)
    assert "no word changed" not in parts
    # sentences of one length stand against sentences of that length
    people = pd.DataFrame({"words": [7, 8, 15, 16]})
    assert parts["8 to 15 words"].like(people)["words"].tolist() == [8, 15]
    assert len(parts["engine google"].like(people)) == 4


def test_a_rate_that_the_negative_rows_cannot_show_has_no_figure() -> None:
    positive = scored([1.0] * 4, [0.5, 1.5, 98.5, 200.0]).frame
    row = separate(positive, scored([0.0] * 100, [float(k) for k in range(100)]).frame, "fused", resamples=10)
    assert row["TPR at 5 %"].value == 0.5
    assert row["TPR at 1 %"].value == 0.5
    assert row["TPR at 0.1 %"] == Figure(None, 4, 100)
    assert row["AUC"].value == pytest.approx((1 + 2 + 99 + 100) / 400)
    assert row["AUC"].interval is not None
    nobody = separate(positive, positive[:0], "fused", resamples=10)
    assert nobody["AUC"] == Figure(None, 4, 0)


def scored(damage: list[float], fused: list[float], **columns: Any) -> Scored:
    """Sentences, all of them evenly read: visible 0 to 3 as their damage is below .2, .5, .9 or not."""
    n = len(damage)
    frame = pd.DataFrame(
        {
            "damage": damage,
            "visible": np.digitize(damage, [0.2, 0.5, 0.9]),
            "meaning": 0,
            "even": True,
            "original": "It was.",
            "roundtrip": [f"It {k} has been." for k in range(n)],
            **dict.fromkeys(BASELINES.values(), np.zeros(n)),
            "fused": fused,
            "model": fused,
            "rules": [-f for f in fused],
            "ngram_damage": np.zeros(n),
            "provenance": fused,
            "ngram_provenance": np.zeros(n),
            "length": np.ones(n),
            "words": 12,
            "chance": np.zeros(n),
            "cluster": [f"c{k}" for k in range(n)],
            "document": [f"d{k // 2}" for k in range(n)],
            "original_id": [f"o{k}" for k in range(n)],
            "evidence": [()] * n,
            "is_original": False,
            "year": 2018,
            **columns,
        }
    )
    return Scored(frame, (SentenceLogits(0.0, 0.0, np.zeros(1, dtype=np.float32), ()),) * n)


@pytest.fixture
def fusion(tiny_model: Path) -> Fusion:
    return Fusion.load(tiny_model)


def test_damage_is_told_from_each_kind_of_people_apart(fusion: Fusion) -> None:
    damage = [k / 20 for k in range(20)]
    trips = scored(damage, [10 * d for d in damage])
    trips.frame["original_id"] = [f"o{k % 4}" for k in range(20)]
    humans = {
        "originals": scored([0.0] * 4, [-1.0] * 4),
        "native": scored([0.0] * 4, [99.0, 99.0, -1.0, -1.0], is_original=[True, True, False, False]),
        "human_translation": scored([0.0] * 4, [9.2] * 4),
    }
    section = sentences.damage(trips, humans, fusion, 10)
    assert section["10 % most damaged, against originals"]["AUC"] == Figure(1.0, 2, 4, (1.0, 1.0))
    assert section["10 % most damaged, against its own originals"]["pair accuracy"].value == 1.0
    assert section["an error or worse (2, 3), against human text"]["AUC"].n == 10
    assert section["slight (1), against human text"]["AUC"].n == 6
    assert section["10 % most damaged, against originals"]["AUC rules alone"].value == 0.0
    # what is an original too was left out of native
    assert section["10 % most damaged, against native"]["AUC"].value == 1.0
    # of .90 and .95 only one scores above 9.2; people together: 6 clean, 4 translated
    assert section["10 % most damaged, against human translation"]["AUC"].value == 0.5
    assert section["10 % most damaged, against human text"]["AUC"].value == pytest.approx(0.8)
    assert section["nothing marked (0), against human text"]["AUC"].n == 4
    # logits from 0 on are probabilities of .5 and more; a point without a threshold has no figure
    flagged = section["nothing marked (0), flagged at the stored point"]
    assert {k: f.value for k, f in flagged.items()} == {"fpr_5e-2": 1.0, "fpr_1e-2": 1.0}


def test_damage_is_told_from_mere_translation_and_what_is_flagged_is_counted(fusion: Fusion) -> None:
    # visible 0, 0, 1, 2, 3; two are flagged at the 1 % point, whose threshold is a logit of 0
    trips = scored([0.0, 0.15, 0.2, 0.8, 1.0], [-1.0, -3.0, 1.0, -2.0, 2.0])
    trips.frame["meaning"] = [0, 2, 0, 1, 2]
    section = sentences.damage(trips, {"originals": scored([0.0] * 5, [-9.0] * 5)}, fusion, 10)
    apart = section["an error or worse (2, 3), against nothing marked (0)"]["AUC"]
    assert (apart.value, apart.n, apart.against) == (0.75, 2, 2)
    every = section["what readers marked in all round trips"]
    assert {name: f.value for name, f in every.items()} == {
        "an error or worse (2, 3)": 0.4, "slight (1)": 0.2, "nothing marked (0)": 0.4,
    }  # fmt: skip
    flagged = section["what readers marked where flagged at fpr_1e-2"]
    assert [(f.value, f.n) for f in flagged.values()] == [(0.5, 2), (0.5, 2), (0.0, 2)]
    assert flagged["slight (1)"].interval is not None
    unseen = section["of errors (visible 2, 3 or meaning 2), in meaning alone"]
    assert [f.value for f in unseen.values()] == [pytest.approx(1 / 3)] * 2
    assert [f.n for f in unseen.values()] == [3, 3]


def test_the_worst_tenth_goes_by_what_is_seen_then_by_meaning_then_by_chance_alone() -> None:
    frame = scored([1.0, 1.0, 0.8, 1.0, 1.0, *[0.0] * 24], [0.0] * 29).frame
    worst = sentences.BANDS[sentences.WORST].within
    severe = [0, 1, 3, 4]
    for least in severe:
        frame["meaning"] = [0 if k == least else 1 if k in severe else 2 for k in range(29)]
        assert np.flatnonzero(worst(frame)).tolist() == [k for k in severe if k != least]
    frame["visible"] = 2
    frame["meaning"] = 1
    tied = set(frame["roundtrip"][worst(frame)])
    assert len(tied) == 3
    # which of them does not hang on their order
    assert set(frame[::-1]["roundtrip"][worst(frame[::-1])]) == tied


def test_only_what_was_read_and_drawn_evenly_counts_as_damage(fusion: Fusion) -> None:
    columns = {"origin": "flores", "cell": "seen", "pivot": "de", "engine": "google", "changed": 0.2}
    trips = scored([0.0, 0.8, 1.0, 1.0, np.nan], [-1.0, 1.0, 2.0, -9.0, -9.0], **columns)
    trips.frame["even"] = [True, True, True, False, False]
    trips.frame.loc[4, ["visible", "meaning"]] = np.nan
    alone = Scored(trips.frame[:3], trips.logits[:3])
    humans = {"originals": scored([0.0] * 5, [0.0] * 5, **columns)}
    nobody = Scored(trips.frame.assign(even=False), trips.logits)
    assert sentences.damage(trips, humans, fusion, 10) == sentences.damage(alone, humans, fusion, 10)
    assert sentences.damage(nobody, humans, fusion, 10) == {}
    assert sentences.damage_cuts(trips, humans, 10) == sentences.damage_cuts(alone, humans, 10)
    assert sentences.damage_cuts(nobody, humans, 10) == {}
    assert sentences.ranks(trips, None, None, 10) == sentences.ranks(alone, None, None, 10)
    assert sentences.ranks(nobody, None, None, 10) == {}
    texts = {"originals": scored([0.0], [0.0], size=10).frame}
    laundered = scored([0.5], [1.0], size=[10]).frame
    rows = [calibration(some, humans, laundered, texts, 10) for some in (trips, alone, nobody)]
    of_sentences = [{k: v for k, v in row.items() if "provenance" not in k} for row in rows]
    assert of_sentences[0] == of_sentences[1]
    assert rows[2]["sentence score against gold damage"]["Brier"] == Figure(None, 0, 0)
    assert rows[2]["text score"] == rows[0]["text score"]
    # provenance needs no reader
    assert rows[2]["provenance of a sentence, not shown"]["Brier"].n == 5
    drawn = [curves(some, humans, laundered, texts) for some in (trips, alone, nobody)]
    assert drawn[0]["roc"] == drawn[1]["roc"]
    assert drawn[0]["grid"]["damage"] == drawn[1]["grid"]["damage"]
    assert drawn[0]["grid"]["damage"][0]["n"] == 2
    assert drawn[2]["reliability"]["sentence"] == drawn[2]["grid"]["damage"] == drawn[2]["changed"] == []


def test_rank_correlation_is_averaged_over_source_languages(fusion: Fusion) -> None:
    trips = scored([0.1, 0.2, 0.8], [1.0, 2.0, 3.0], origin="newstest")
    # perfect in one language, reversed in the other; pooled it would be far above 0
    hter, pair = [0.1, 0.2, 0.3, 0.7, 0.8, 0.9], ["et-en"] * 3 + ["ne-en"] * 3
    edited = scored([0.0] * 6, [1.0, 2.0, 3.0, 12.0, 11.0, 10.0], hter=hter, pair=pair)
    section = sentences.ranks(trips, edited, None, 10)
    assert section["readers' grades of round trips"]["fused"].value == pytest.approx(1.0)
    assert section["HTER, ne-en"]["fused"].value == pytest.approx(-1.0)
    assert section["HTER, mean over source languages"]["fused"].value == pytest.approx(0.0)
    assert section["HTER, et-en"]["n-grams"].value is None  # a score that never varies


def test_provenance_pairs_each_round_trip_with_its_own_original() -> None:
    originals = scored([0.0, 0.0], [0.0, 5.0], original_id=["a", "b"])
    trips = scored(
        [0.1] * 4, [1.0, 6.0, 4.0, 7.0],
        original_id=["a", "b", "b", "b"], cell=["seen", "seen", "seen", "unseen engine"], origin="flores",
        pivot="de", engine="google", changed=0.2,
    )  # fmt: skip
    section = sentences.provenance(trips, {"originals": originals}, 10)
    assert section["FLORES, seen"]["pair accuracy"].value == pytest.approx(2 / 3)
    assert section["FLORES, seen"]["AUC"].value == pytest.approx(4 / 6)
    assert (section["FLORES, seen"]["AUC"].n, section["FLORES, seen"]["AUC"].against) == (3, 2)
    # only the originals of the cell's own round trips stand against it
    assert section["FLORES, unseen engine"]["AUC"].against == 1
    assert "FLORES, both unseen" not in section


@pytest.mark.parametrize(
    ("text", "words", "spans", "auc", "right"),
    [
        ("He sent assisted dying.", [(0, 2, 0.1), (3, 7, 0.2), (8, 16, 0.9), (17, 22, 0.8), (22, 23, 0.99)],
         ((0, 2, False), (3, 7, False), (8, 16, True), (17, 22, True)), 1.0, 1.0),
        ("他送来安乐死。", [(0, 1, 0.9), (1, 3, 0.2), (3, 6, 0.1)],
         ((0, 1, False), (1, 3, False), (3, 6, True)), 0.0, 0.0),
        ("أرسل الموت الرحيم", [(0, 4, 0.1), (5, 10, 0.9), (11, 17, 0.1)],
         ((0, 4, False), (5, 10, True)), 1.0, 1.0),
    ],
)  # fmt: skip
def test_words_are_compared_where_gold_is_known(
    text: str,
    words: list[tuple[int, int, float]],
    spans: tuple[tuple[int, int, bool], ...],
    auc: float,
    right: float,
    fusion: Fusion,
) -> None:
    said = SentenceLogits(0.0, 0.0, np.zeros(1, dtype=np.float32), tuple(WordScore(*w) for w in words))
    frame = scored([0.9], [9.0], text=text).frame
    frame["spans"] = [spans]
    section = tokens({"x": Scored(frame, (said,))}, fusion, fusion.finder(None), 10)
    assert section["x"]["word AUC"].value == auc
    assert section["x"]["top span right"] == Figure(right, 1)
    assert section["x"]["F0.5 characters"].value == section["x"]["F1 characters"].value == right
    assert section["x"]["F1 words"].value == right
    assert section["x"]["MCC words"].value == pytest.approx({1.0: 1.0, 0.0: -(5**-0.5)}[right])  # characters
    assert section["x"] == section["x, flagged"]
    assert section["x, how many are flagged"]["sentences"].value == 1.0


def test_sentences_that_are_not_flagged_count_only_where_all_do(fusion: Fusion) -> None:
    frame = scored([0.9], [-9.0], text="Bad words").frame
    frame["spans"] = [((0, 3, True), (4, 9, False))]
    words = (WordScore(0, 3, 0.9), WordScore(4, 9, 0.1))
    said = SentenceLogits(0.0, 0.0, np.zeros(1, dtype=np.float32), words)
    section = tokens({"x": Scored(frame, (said,))}, fusion, fusion.finder(None), 10)
    values = {name: f.value for name, f in section["x"].items()}
    assert values.pop("F0.5 of marking all") == pytest.approx(3.75 / 8.75)
    assert values.pop("words of those sentences") == 0.5
    assert set(values.values()) == {1.0}
    assert {f.value for f in section["x, flagged"].values()} == {None}


def test_characters_are_counted_by_how_many_there_are(fusion: Fusion) -> None:
    frame = scored([0.9], [9.0], text="Dreadful bad words").frame
    frame["spans"] = [((0, 8, True), (9, 12, True), (13, 18, False))]
    words = (WordScore(0, 8, 0.9), WordScore(9, 12, 0.1), WordScore(13, 18, 0.1))
    said = SentenceLogits(0.0, 0.0, np.zeros(1, dtype=np.float32), words)
    row = tokens({"x": Scored(frame, (said,))}, fusion, fusion.finder(None), 10)["x"]
    assert row["F1 words"].value == pytest.approx(2 / 3)
    assert row["F1 characters"].value == pytest.approx(16 / 19)
    assert row["F1 characters"].n == 16


def test_a_span_is_right_that_touches_a_readers_mark(fusion: Fusion) -> None:
    frame = scored([0.9, 0.9], [9.0, 9.0], text="A dreadful bad words").frame
    frame["spans"] = [((0, 1, False), (2, 10, False), (11, 14, marked), (15, 20, False)) for marked in (1, 0)]
    words = tuple(WordScore(*w) for w in ((0, 1, 0.1), (2, 10, 0.9), (11, 14, 0.9), (15, 20, 0.1)))
    said = SentenceLogits(0.0, 0.0, np.zeros(1, dtype=np.float32), words)
    some = Scored(frame, (said, said))
    section = tokens({MARKS: some, "x": some}, fusion, fusion.finder(None), 10)
    # most of the span is sound; in the second sentence nothing is marked
    assert section[MARKS]["top span right"].value == 0.5
    assert section["x"]["top span right"].value == 0.0
    assert section[MARKS]["F1 words"] == section["x"]["F1 words"]


def test_gold_of_characters_leaves_gaps_unknown() -> None:
    assert character_gold(3, ((1, 2, True),)).tolist() == [-1, 1, -1, -1]


def test_false_alarms_are_counted_by_kind_and_year(fusion: Fusion) -> None:
    shown = [("names.drift",), (), (), ()]
    native = scored([0.0] * 4, [-5.0, -0.5, 5.0, -5.0], year=[2023, 2023, 2024, 2024], evidence=shown)
    of_texts = scored([0.0] * 3, [-5.0, 5.0, 5.0], size=[5, 10, 5], year=[2023, 2023, 2024]).frame
    section = alarms.false_alarms({"native": native}, {"native": of_texts}, fusion, 10)
    assert section["native: sentences"]["fpr_5e-2"].value == 0.5  # sigmoid(-.5) is .38, the threshold .3
    assert section["native: sentences"]["fpr_5e-2, times nominal"].value == pytest.approx(10.0)
    assert section["native: sentences"]["fpr_1e-2"].value == 0.25
    assert section["native 2023: sentences"]["fpr_1e-2"].value == 0.0
    assert section["native 2024: sentences"]["fpr_1e-2"].value == 0.5
    assert section["native: texts"]["fpr_1e-2"].value == pytest.approx(2 / 3)
    assert section["native 2023: texts of 10"]["fpr_1e-2"] == Figure(1.0, 1)  # one article has no interval
    assert section["native 2024: texts of 10"]["fpr_1e-2"] == Figure(None, 0)
    assert section["native 2024: texts of 10"]["fpr_1e-2, times nominal"] == Figure(None, 0)
    assert section["native: sentences"]["any evidence"].value == 0.25
    assert not any("fpr_1e-3" in column for column in section["native: sentences"])


def test_evidence_is_counted_for_each_rule_and_kind() -> None:
    shown = [("names.drift", "model", "model"), ("model",), (), ()]
    kinds = {"native": scored([0.0] * 4, [0.0] * 4, evidence=shown), "news_abc": scored([0.0], [0.0])}
    section = alarms.evidence(kinds, ("names.drift", "number.odd"), 10)
    assert {rule: row["native"].value for rule, row in section.items()} == {
        "model": 750.0, "names.drift": 250.0, "number.odd": 0.0,
    }  # fmt: skip
    assert section["model"]["news abc"] == Figure(0.0, 1)
    of_texts = {"native": scored([0.0] * 4, [0.0] * 4, evidence=shown, size=[10, 10, 10, 5]).frame}
    section = alarms.evidence_in_texts(of_texts, ("names.drift",), 10)
    assert section["model"]["native"].value == pytest.approx(2 / 3)  # twice in one text counts once
    assert section["names.drift"]["native"].value == pytest.approx(1 / 3)


def test_calibration_weighs_machine_and_people_alike() -> None:
    trips = scored([1.0] * 10, [0.0] * 10)
    humans = {"originals": scored([0.0] * 2, [0.0] * 2)}
    texts = {"originals": scored([0.0], [-700.0], size=[1]).frame}
    laundered = scored([0.5], [700.0], size=[1]).frame
    for scores in (trips, *humans.values()):
        scores.frame["changed"], scores.frame["pivot"], scores.frame["engine"] = 0.2, "de", "google"
        scores.frame["cell"], scores.frame["origin"] = "seen", "flores"
    section = calibration(trips, humans, laundered, texts, 10)
    row = section["sentence score against gold damage"]
    assert row["calibration error"].value == pytest.approx(0.0)
    assert row["mean gold"].value == pytest.approx(0.5)
    assert section["the same, round trips only"]["calibration error"].value == pytest.approx(0.5)
    assert section["sentence score, engine google"]["calibration error"].value == pytest.approx(0.0)
    assert section["text score"]["Brier"].value == pytest.approx(0.0)


def test_half_of_the_weight_is_people_of_every_frame_alike() -> None:
    said = claims(
        [scored([0.5] * 3, [0.0] * 3).frame],
        [scored([0.0], [1.0]).frame, scored([0.0] * 4, [2.0] * 4).frame],
        "fused",
        gold="damage",
    )
    assert said.weight.tolist() == pytest.approx([1 / 3] * 3 + [1 / 2] + [1 / 8] * 4)
    assert said.gold.tolist() == [0.5] * 3 + [0.0] * 5
    row = calibrated(said, 10)
    assert (row["Brier"].n, row["Brier"].against) == (3, 5)
    assert row["mean gold"].value == pytest.approx(0.25)


def test_translations_stand_against_native_text_of_their_own_years() -> None:
    humans = {
        "native": scored([0.0] * 4, [0.0, 1.0, 9.0, 9.0], year=[2018, 2018, 2024, 2024]),
        "human_translation": scored([0.0] * 3, [2.0, 2.0, -9.0], year=[2018, 2018, 2017]),
    }
    of_texts = {kind: some.frame.assign(size=10) for kind, some in humans.items()}
    section = translation(humans, of_texts, 10)
    assert section["sentence score"]["AUC"].value == 1.0
    assert (section["sentence score"]["AUC"].n, section["sentence score"]["AUC"].against) == (2, 2)
    assert section["score of texts of 10"]["AUC"].value == 1.0
    assert section["sentence score, 2018"] == section["sentence score"]
    assert "sentence score, 2024" not in section
    assert section["score of texts of 20"]["AUC"].value is None
    assert translation({"native": humans["native"]}, of_texts, 10) == {}


def test_laundered_texts_stand_against_honest_ones_of_their_length_and_against_each_kind() -> None:
    laundered = scored([1.0] * 3, [1.0, 3.0, 9.0], size=[10, 10, 5], origin="newstest", cell="seen").frame
    human = {
        "originals": scored([0.0] * 2, [0.0, 2.0], size=10).frame,
        "native": scored([0.0] * 2, [99.0, -1.0], size=10, is_original=[True, False]).frame,
        "human_translation": scored([0.0], [2.0], size=10).frame,
    }
    for frame in (laundered, *human.values()):
        frame["ngram"] = 0.0
    row = eval.texts.texts(laundered, human, 10)["news: 10"]
    assert row["AUC"].value == pytest.approx(5 / 6)
    assert (row["AUC"].n, row["AUC"].against) == (2, 3)
    apart = [row[f"AUC, {kind}"].value for kind in ("originals", "native", "human translation")]
    assert apart == [0.75, 1.0, 0.5]
    assert row["AUC n-grams"].value == 0.5


def test_partly_laundered_texts_stand_against_honest_ones_of_their_length() -> None:
    partly = scored([0.5] * 2, [1.0, 3.0], size=10, origin="newstest", cell="seen").frame
    human = {
        "originals": scored([0.0] * 3, [0.0, 2.0, 99.0], size=[10, 10, 20]).frame,
        "native": scored([0.0] * 2, [2.0, 99.0], size=10, is_original=[False, True]).frame,
    }
    section = mixed({(10, 0.25): partly}, human, 10)
    assert section["news: 10, 25 %"]["AUC"].value == pytest.approx(4 / 6)
    assert section["news: 10, 25 %"]["AUC"].against == 3
    assert section["news, seen: 10, 25 %"] == section["news: 10, 25 %"]


def test_curves_are_plain_numbers_that_plots_can_read() -> None:
    damage = [k / 200 for k in range(200)]
    trips = scored(damage, damage, changed=damage, pivot=["de", "fr"] * 100, engine="google")
    humans = {"originals": scored([0.0] * 200, [0.5] * 200)}
    laundered = scored([1.0] * 20, [1.0] * 20, size=10).frame
    honest = {"originals": scored([0.0] * 20, [0.0] * 20, size=10).frame}
    drawn = json.loads(json.dumps(curves(trips, humans, laundered, honest), allow_nan=False))
    roc = drawn["roc"]["damage"]
    assert (roc["n"], roc["against"], roc["fpr"][0], roc["fpr"][-1]) == (20, 200, 0.0001, 1.0)
    assert (drawn["grid"]["damage"][0]["n"], drawn["grid"]["damage"][0]["auc"]) == (50, 0.99)
    # 200 people cannot show a rate below 1 in 200; the 10 % most damaged score above all of them
    assert {t for f, t in zip(roc["fpr"], roc["tpr"], strict=True) if f < 0.005} == {None}
    assert {t for f, t in zip(roc["fpr"], roc["tpr"], strict=True) if f >= 0.005} == {1.0}
    assert drawn["roc"]["texts of 20"]["n"] == 0
    bins = drawn["reliability"]["sentence"]
    assert sum(b["n"] for b in bins) == 400
    assert sum(b["share"] for b in bins) == pytest.approx(1.0)
    assert bins[0] == {"score": None, "gold": None, "share": 0.0, "n": 0}
    assert [(c["pivot"], c["engine"], c["n"]) for c in drawn["grid"]["provenance"]] == [
        ("de", "google", 100), ("fr", "google", 100),
    ]  # fmt: skip
    assert [t["tpr"] for t in drawn["changed"]] == pytest.approx([0.0] * 5 + [0.95] + [1.0] * 4)
    assert [t["n"] for t in drawn["changed"]] == [20] * 10


# baselines


def test_ngrams_learn_words_and_nothing_of_case_or_punctuation() -> None:
    texts = [spoilt("en", sentence("en", "train", k), 4 * (k % 2)) for k in range(60)]
    machine = np.array([float(k % 2) for k in range(60)])
    model = eval.baselines.NgramModel(buckets=2**12).fit(texts, machine, np.ones(60))
    bad, good = "They cure the port deck before cold.", "They repair the old harbour bridge before winter."
    logits = model.logits([bad, good, bad.upper().replace(".", "!")])
    assert logits[0] > 0 > logits[1]
    assert logits[2] == logits[0]
    again = eval.baselines.NgramModel(buckets=2**12).fit(texts, machine, np.ones(60))
    np.testing.assert_array_equal(again.logits([bad, good]), logits[:2])


@pytest.mark.parametrize(
    ("text", "words"), [("It's 1,000 km.", 4), ("旧港口。", 4), ("جسر الميناء", 2), ("", 0)]
)
def test_length_counts_words_and_marks_in_every_script(text: str, words: int) -> None:
    assert eval.baselines.lengths([text]).tolist() == [words]


# the whole run


def test_evidence_is_what_the_detector_shows(tiny_model: Path, tiny_detector: Detector) -> None:
    texts = [
        "The minister He and her deputy arrived on Monday.",
        "They announced a Sharply higher budget For the schools on on Monday on Monday.",
        *(spoilt("en", sentence("en", "test", k), 3) for k in range(20)),
    ]
    fusion = Fusion.load(tiny_model)
    heads = eval.baselines.Heads(fusion.sentence, fusion.text)
    ngrams = eval.baselines.NgramModel(buckets=2**8).fit(texts, np.array([1.0, 0.0] * 11), np.ones(22))
    judge = eval.run.Judge(tiny_model, OnnxBackend(tiny_model), fusion, "en", heads, heads, ngrams, ngrams)
    shown = judge.score(pd.DataFrame({"text": texts})).frame["evidence"]
    for text, found in zip(texts, shown, strict=True):
        report = tiny_detector.analyze(text, language="en")
        assert sorted(found) == sorted(e.found_by for s in report.sentences for e in s.evidence)
    assert {"model", "syntax.doubled_subject"} <= {f for found in shown for f in found}


def test_a_run_takes_every_figure_the_targets_need(results: dict[str, Any]) -> None:
    assert set(results["figures"]) == set(tables.TITLES)
    figures = results["figures"]["damage"]
    for target in tables.TARGETS:
        # the invented corpora have no such cell, and too few texts for such a rate; noise flags nothing
        if "both unseen" in target.row or (target.section, target.column) == ("texts", "TPR at 1 %"):
            continue
        if target.row == "what readers marked where flagged at fpr_1e-2":
            assert figures[target.row][target.column]["n"] == 0
            continue
        figure = results["figures"][target.section][target.row][target.column]
        assert figure["value"] is not None, target.name
        assert "interval" in figure, target.name


def test_a_run_knows_its_splits(results: dict[str, Any]) -> None:
    alarms = results["figures"]["false_alarms"]
    drawn = results["curves"]["grid"]["provenance"]
    assert {(cell["pivot"], cell["engine"]) for cell in drawn} == set(PAIRS["test"])
    assert alarms["native: sentences"]["fpr_1e-2"]["n"] == 400
    assert results["seen"] == ["de", "fr", "google", "nllb"]
    assert results["tried_on_dev"] == ["argos", "sl"]
    # two native sentences are originals: 4 documents of 24 lines, 8 of FLORES, 398 native, 80 translated
    damage = results["figures"]["damage"]["10 % most damaged, against human text"]
    assert damage["AUC"]["against"] == 4 * 24 + 8 + 398 + 80
    assert results["figures"]["ranks"]["MQM penalty"]["fused"]["n"] == 6  # a fifth of ten documents
    assert damage["AUC n-grams"]["value"] > 0.9
    assert set(results["bands"]) == set(sentences.BANDS)


def test_a_run_takes_damage_from_even_readings_and_words_from_all_of_them(results: dict[str, Any]) -> None:
    test = gold("en", "test")
    rows = choose_roundtrips(test, Familiar.of(gold("en", "train"), gold("en", "dev")), samples.QUICK)
    figures = results["figures"]
    assert (
        figures["damage"]["what readers marked in all round trips"]["slight (1)"]["n"] == rows["even"].sum()
    )
    assert figures["calibration"]["the same, round trips only"]["Brier"]["n"] == rows["even"].sum()
    assert figures["provenance"]["news"]["AUC"]["n"] == (rows["origin"] == "newstest").sum()
    located = test["marks"].notna()
    assert figures["tokens"]["readers' marks, how many are flagged"]["sentences"]["n"] == located.sum()
    # "was agree": two words of each that is marked
    assert figures["tokens"]["readers' marks"]["word AUC"]["n"] == 2 * (located & (test["visible"] > 0)).sum()


def test_results_hold_no_sentence_and_stay_small(results: dict[str, Any], tmp_path: Path) -> None:
    data, page = eval.run.write(results, tmp_path / "new" / "results")
    assert len(list(data.parent.glob("*.svg"))) >= 3
    text = data.read_text(encoding="utf-8")
    signature = results["signature"]
    assert data.name == f"{signature['version']}-{signature['model']}-en-test-quick.json"
    assert data.stat().st_size < 200_000
    assert json.loads(text) == json.loads(json.dumps(results))
    for wording in (text, page.read_text(encoding="utf-8")):
        assert "council" not in wording
        assert "harbour" not in wording
    assert "## False alarms" in page.read_text(encoding="utf-8")
    assert "| human/native.parquet |" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["zh", "ar"])
def test_another_language_without_labels_is_measured_on_what_there_is(
    language: str,
    folders: Callable[[str], tuple[Path, Path]],
    tiny_model: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    corpora, golds = folders(language)
    with caplog.at_level(logging.WARNING):
        results = eval.run.measure(corpora, golds, tiny_model, language, "test", quick=True)
    kinds = {row.partition(":")[0] for row in results["figures"]["false_alarms"]}
    assert kinds == {"originals", "native", "native 2023", "human translation"}
    assert list(results["figures"]["tokens"])[:2] == ["aligned round trips", "aligned round trips, flagged"]
    assert not any("people" in row or "readers" in row for row in results["figures"]["tokens"])
    # nor did anybody read them
    assert f"nobody read a round trip of test in {language!r}" in caplog.text
    assert (
        results["figures"]["damage"] == results["figures"]["damage_cuts"] == results["figures"]["ranks"] == {}
    )
    assert results["figures"]["calibration"]["sentence score against gold damage"]["Brier"]["value"] is None
    assert results["figures"]["texts"]["news 2018: 10"]["AUC"]["value"] is not None
    assert "no data" in tables.headline(results)


def test_dev_never_looks_at_the_marked_test_part(
    folders: Callable[[str], tuple[Path, Path]], tiny_model: Path
) -> None:
    corpora, golds = folders("en")
    results = eval.run.measure(corpora, golds, tiny_model, "en", "dev", quick=True)
    assert "MQM penalty" not in results["figures"]["ranks"]
    assert not any("people" in row for row in results["figures"]["tokens"])  # the invented edits are all test


# command and pages

PAGE = "# Card\n\n<!-- figures -->\nsuperseded\n<!-- /figures -->\n\nThe end.\n"


def test_command_writes_results_and_pages_and_prints_sentences_only_to_the_terminal(
    folders: Callable[[str], tuple[Path, Path]],
    tiny_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    results: dict[str, Any],
) -> None:
    corpora, golds = folders("en")
    card = tmp_path / "card.md"
    card.write_text(PAGE, encoding="utf-8")
    arguments = ["--corpora", corpora, "--gold", golds, "--model", tiny_model, "--output", tmp_path / "out"]
    eval.run.main([*map(str, arguments), "--quick", "--read", "2", "--model-card", str(card)])
    printed = capsys.readouterr().out
    (data,) = (tmp_path / "out").glob("*.json")
    assert str(data) in printed
    # a second run gives equal figures
    assert json.loads(data.read_text(encoding="utf-8")) == json.loads(json.dumps(results))
    assert "missed at 0.500" in printed
    assert "port deck" in printed
    assert "{was} {agree}" in printed
    assert "visible 2, meaning 1" in printed
    written = card.read_text(encoding="utf-8")
    assert written.startswith("# Card\n\n<!-- figures -->\nSplit `test`")
    assert written.endswith("<!-- /figures -->\n\nThe end.\n")
    assert "superseded" not in written
    assert "harbour" not in written

    # the same figures, from the file, without a model or corpora
    again = tmp_path / "again.md"
    again.write_text(PAGE, encoding="utf-8")
    eval.run.main(["--results", str(data), "--model-card", str(again)])
    assert again.read_text(encoding="utf-8") == written


def test_missing_gold_is_named(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        eval.run.main(["--gold", str(tmp_path), "--model", str(tiny_model), "--output", str(tmp_path)])
    assert stopped.value.code == 2
    assert "en-train.parquet is not there" in capsys.readouterr().err


def test_model_without_fused_heads_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    (folder / "fusion.json").unlink()
    with pytest.raises(ValueError, match=r"fusion\.json"):
        eval.run.measure(tmp_path, tmp_path, folder, "en", "test")


@pytest.mark.parametrize(
    ("page", "name"),
    [("no marks", "none"), ("<!-- /figures -->\n<!-- figures -->", "turned round"), (PAGE + PAGE, "twice")],
)
def test_pages_without_exactly_one_place_are_left_alone(
    page: str, name: str, results: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.md"
    path.write_text(page, encoding="utf-8")
    with pytest.raises(ValueError, match=path.name):
        tables.insert_figures(path, results)
    assert path.read_text(encoding="utf-8") == page


@pytest.mark.parametrize(
    ("value", "at_least", "verdict"),
    [
        (0.85, True, "| met |"),
        (0.8499, True, "| missed |"),
        (0.8501, False, "| missed |"),
        (None, True, "| no data |"),
    ],
)
def test_table_says_met_missed_or_no_data(
    value: float | None,
    at_least: bool,
    verdict: str,
    results: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tables.Target("it", "damage", "row", "column", 0.85, at_least)
    monkeypatch.setattr(tables, "TARGETS", (target,))
    cell = {"value": value, "n": 1200, "against": 3400, "interval": [0.8, 0.9]}
    lines = tables.headline({**results, "figures": {"damage": {"row": {"column": cell}}}}).splitlines()
    assert lines[-1].endswith(verdict)
    assert "| 1,200 / 3,400 |" in lines[-1]
    assert ("(.800 to .900)" in lines[-1]) is (value is not None)


def test_the_kinds_of_spans_are_held_against_what_was_replaced(fusion: Fusion) -> None:
    original, text = "He sent lethal aid on Monday.", "He sent assisted dying in Monday."
    frame = scored([0.9], [9.0], text=text).frame
    frame["spans"] = [changed_spans(original, text, "en")]
    frame["kinds"] = [known_kinds(original, text, "en", "de")]
    starts = {word: text.index(word) for word in ("He", "assisted", "dying", "in", "Monday")}
    score = {"He": 0.9, "assisted": 0.9, "dying": 0.9, "in": 0.1, "Monday": 0.9}
    words = tuple(WordScore(at, at + len(word), score[word]) for word, at in starts.items())
    some = Scored(frame, (SentenceLogits(0.0, 0.0, np.zeros(1, dtype=np.float32), words),))
    row = tokens({"x": some}, fusion, fusion.finder(None), 10)["x"]
    # three spans, and only one of them holds what anything happened to
    assert row["kind right"] == row["commonest kind"] == Figure(1.0, 1)
    assert confusion(some, fusion.finder(None)) == {"term": {"term": Figure(1.0, 1)}}


def test_a_span_has_the_kind_of_most_of_its_characters() -> None:
    told = known_kinds("He sent aid on Monday.", "He sent succour of Monday.", "en", "de")
    assert kind_inside(told, Span(0, 26, "name", 1.0)) == "term"
    assert kind_inside(told, Span(16, 26, "name", 1.0)) == "syntax"
    assert kind_inside(told, Span(0, 7, "name", 1.0)) is None


SHEET = "0\nO a\nR [b]\nK term\n1\nO c\nR [d]\nK syntax\n"


def test_answers_to_a_sheet_are_counted() -> None:
    said = top_spans.count(SHEET, "0\tdamage\n\n1\tharmless\tagreement\n")
    assert said == {"damage": 0.5, "changed": 0.0, "harmless": 0.5, "kind right": 0.5}


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ("0\tdamage\n", "no answer for items 1"),
        ("0\tdamage\n0\tdamage\n", "line 2"),
        ("0\tbad\n", "line 1"),
        ("7\tdamage\n", "line 1"),
        ("damage\n", "line 1"),
    ],
)
def test_wrong_answers_to_a_sheet_name_their_line(answers: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        top_spans.count(SHEET, answers)
