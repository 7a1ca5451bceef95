"""What the detector promises its users, on a tiny model with random weights and rules that speak."""

from __future__ import annotations

import dataclasses
import doctest
import json
import math
import pickle
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import detector.detect
from detector import Detector, Report
from detector.fuse import SENTENCE_FEATURES, TEXT_FEATURES, Fusion, Logistic, OperatingPoint
from detector.kinds import BUCKETS, CLASSES
from detector.language import differs, identifier_name
from detector.report import Verdict
from detector.segment import segmenter_name
from detector.spans import SPAN_FEATURES, WORD_FEATURES, Span, SpanFinder, SpanHeads

DAMAGED = "The minister He and her deputy arrived in the capital on Monday after two days of talks."
SOUND = (
    "The council voted on Monday for a new bridge over the old river, after a long debate about its price."
)
ARABIC = "عاد الوزير إلى العاصمة يوم الاثنين بعد محادثات طويلة مع النواب حول الميزانية الجديدة للمدارس."
CHINESE = "部长周一与议员就新预算进行了长时间会谈后返回首都。城市议会批准了新的桥梁，但没有说明价格。"
SPANISH = (
    "El ayuntamiento se reunió el lunes para hablar del nuevo puente sobre el río, y casi todos los dueños "
    "de barcos se quedaron en casa porque nadie quería pagar el precio del billete."
)
TEXTS = {
    "english": f"{SOUND} {DAMAGED}",
    "heading and list": f"# Bridge closed\n\n{SOUND}\n\n- {DAMAGED}\n- no\n",
    "emoji": f"👩‍🚀😀 {DAMAGED} 🇫🇮 {SOUND}",
    "no stops": "the council talked and nobody in the harbour knew why the bridge had closed so early",
    "capitals": SOUND.upper(),
    "arabic": f"{ARABIC} {ARABIC}",
    "chinese": CHINESE,
    "mixed": f"{SOUND} {SPANISH} {SOUND} {SPANISH}",
    "one place in another language": f"{DAMAGED} {SOUND * 4}\n{CHINESE}\n{SOUND * 4}",
    "right-to-left marks": f"\u202b{SOUND}\u202c \u200f{DAMAGED}",
    "combining": "The cafe\u0301 on the harbour was closed for two days after the rain, said the council.",
    "lone surrogate": f"{SOUND} \ud800 {DAMAGED}",
    "pair as two code points": f"\ud83d\ude00 {DAMAGED}",
    "nul": f"\x00{SOUND}\x00 {DAMAGED}\x00",
    "one word": "Rain.",
    "only emoji": "😀😀 👩‍🚀",
    "only digits": "12 345,67",
    "binary": bytes(range(256)).decode("latin-1") * 3,
    "blank": " \n\t\u00a0\u3000 ",
    "empty": "",
}


ALWAYS = {"fpr_1e-2": OperatingPoint(0.0, 0.0, 0.01, 1000, 500, "made up")}
NO_TEXTS = {"fpr_1e-2": OperatingPoint(0.5, None, 0.01, 1000, 5, "made up")}
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """Give a copy of the tiny model to change."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


@pytest.fixture(scope="session")
def torch_detector(tiny_model: Path) -> Detector:
    return Detector.from_pretrained(tiny_model, backend="torch")


def refit(folder: Path, **changes: Any) -> Path:
    """Change the fused heads of a model folder."""
    dataclasses.replace(Fusion.load(folder), **changes).save(folder)
    return folder


def without_nan(value: Any) -> Any:
    return json.loads(json.dumps(value), parse_constant=str)


def found(report: Report) -> list[tuple[str, str]]:
    """Give (found_by, damaged text) of all evidence."""
    every = [e for s in report.sentences for e in s.evidence] + list(report.evidence)
    return [(e.found_by, report.text[e.start : e.end]) for e in every]


def check(report: Report, text: str) -> None:
    """Check everything that holds for every report."""
    assert report.text == text
    at = 0
    for s in report.sentences:
        assert not text[at : s.start].strip()
        assert s.text == text[s.start : s.end]
        assert s.text == s.text.strip() != ""
        at = s.end
        assert math.isnan(s.score) == (s.verdict not in ("flagged", "clean"))
        assert math.isnan(s.score) == (not s.contributions)
        assert list(s.evidence) == sorted(s.evidence, key=lambda e: (e.start, e.end))
        for e in s.evidence:
            assert s.start <= e.start < e.end <= s.end
        if not math.isnan(s.score):
            assert tuple(s.contributions) == ("bias", *SENTENCE_FEATURES)
            assert s.score == pytest.approx(1 / (1 + math.exp(-sum(s.contributions.values()))))
            assert (s.verdict == "flagged") == (s.score >= report.signature.threshold)
    assert not text[at:].strip()
    for e in report.evidence:
        assert 0 <= e.start < e.end <= len(text)
    judged = any(s.contributions for s in report.sentences)
    assert math.isnan(report.score) == (report.verdict not in ("flagged", "clean")) == (not judged)
    if judged:
        assert tuple(report.contributions) == ("bias", *TEXT_FEATURES)
        assert report.score == pytest.approx(1 / (1 + math.exp(-sum(report.contributions.values()))))
    else:
        assert report.contributions == {}
        assert report.pivot is None
    assert Report.from_dict(report.to_dict()).to_dict() == report.to_dict()
    report.to_json().encode("utf-8")
    if not PAIR.search(text):  # every JSON reader makes one character of them
        assert Report.from_dict(json.loads(report.to_json())).to_json() == report.to_json()


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("language", [None, "en", "zh"])
def test_every_report_is_whole(tiny_detector: Detector, name: str, language: str | None) -> None:
    report = tiny_detector.analyze(TEXTS[name], language=language)
    check(report, TEXTS[name])
    assert tiny_detector.analyze(TEXTS[name], language=language).to_json() == report.to_json()


PARTS = st.sampled_from([SOUND, DAMAGED, CHINESE, "\n\n", "\n- ", "He ", "\ud800", "😀"]) | st.text(
    max_size=9
)


@settings(max_examples=60, deadline=None)
@given(st.lists(PARTS).map(" ".join))
@example("")
def test_any_text_gives_a_whole_report(tiny_detector: Detector, text: str) -> None:
    check(tiny_detector.analyze(text), text)
    check(tiny_detector.analyze(text, language="en"), text)


def test_doctests_hold(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector.detect, "DEFAULT_MODEL", tiny_model)
    result = doctest.testmod(detector.detect)
    assert (result.failed, result.attempted > 3) == (0, True)


# --- one by one, together, again -----------------------------------------------------------------


def test_batch_equals_one_by_one_exactly(tiny_detector: Detector) -> None:
    sentences = [s for t in TEXTS.values() for s in t.splitlines()] * 3
    together = tiny_detector.score(sentences, language="en")
    alone = np.concatenate([tiny_detector.score([s], language="en") for s in sentences])
    assert together.dtype == np.float32
    assert together.shape == (len(sentences),)
    assert np.array_equal(together, alone, equal_nan=True)
    known = together[~np.isnan(together)]
    assert 0 < len(known) < len(sentences)
    assert known.min() >= 0
    assert known.max() <= 1


def test_annotate_and_analyze_agree_exactly(tiny_detector: Detector) -> None:
    texts = list(TEXTS.values())
    columns = tiny_detector.annotate({"body": texts, "text": [None] * len(texts)}, field="body")
    reports = [tiny_detector.analyze(t) for t in texts]
    assert list(columns) == ["score", "verdict", "language", "pivot", "sentences"]
    assert {len(c) for c in columns.values()} == {len(texts)}
    for name in ("score", "verdict", "language", "pivot"):
        assert without_nan(columns[name]) == without_nan([getattr(r, name) for r in reports])
    for row, report in zip(columns["sentences"], reports, strict=True):
        assert without_nan(row) == without_nan(
            [
                {
                    "start": s.start,
                    "end": s.end,
                    "score": s.score,
                    "verdict": s.verdict,
                    "kinds": ",".join(dict.fromkeys(e.kind for e in s.evidence)),
                }
                for s in report.sentences
            ]
        )


def test_a_sentence_scores_alone_what_it_scores_in_a_text(tiny_detector: Detector) -> None:
    report = tiny_detector.analyze(f"{SOUND} {DAMAGED}", language="en")
    scores = tiny_detector.score([SOUND, DAMAGED], language="en")
    assert [np.float32(s.score) for s in report.sentences] == list(scores)


def test_torch_batch_equals_one_by_one(torch_detector: Detector) -> None:
    sentences = [SOUND, DAMAGED, SOUND * 4, "no", TEXTS["combining"]]
    together = torch_detector.score(sentences, language="en")
    alone = np.concatenate([torch_detector.score([s], language="en") for s in sentences])
    assert np.allclose(together, alone, atol=1e-4, equal_nan=True)


def test_backends_give_the_same_scores(tiny_detector: Detector, torch_detector: Detector) -> None:
    sentences = [SOUND, DAMAGED, SOUND * 4, "no", TEXTS["combining"]]
    ours, theirs = (d.score(sentences, language="en") for d in (tiny_detector, torch_detector))
    assert np.allclose(ours, theirs, atol=0.02, equal_nan=True)


def test_threads_agree(tiny_detector: Detector) -> None:
    texts = list(TEXTS.values()) * 2
    expected = [tiny_detector.analyze(t).to_json() for t in texts]
    results: list[list[str]] = []

    def work() -> None:
        results.append([tiny_detector.analyze(t).to_json() for t in texts])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 3


def test_a_detector_travels_to_another_process(tiny_detector: Detector) -> None:
    again: Detector = pickle.loads(pickle.dumps(tiny_detector))
    assert again.analyze(TEXTS["english"]) == tiny_detector.analyze(TEXTS["english"])


# --- abstention and language ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "language", "verdict"),
    [
        ("arabic", "ar", "unsupported_language"),
        ("chinese", "zh", "unsupported_language"),
        ("mixed", None, "mixed_language"),
        ("one word", None, "too_short"),
        ("only emoji", None, "too_short"),
        ("only digits", None, "too_short"),
        ("blank", None, "too_short"),
        ("empty", None, "too_short"),
    ],
)
def test_what_cannot_be_judged_is_abstained_from(
    tiny_detector: Detector, name: str, language: str | None, verdict: Verdict
) -> None:
    report = tiny_detector.analyze(TEXTS[name])
    assert (report.verdict, report.language) == (verdict, language)
    assert math.isnan(report.score)
    assert json.loads(report.to_json())["score"] is None
    assert {s.verdict for s in report.sentences} <= {verdict}


def test_empty_text_gives_an_empty_report(tiny_detector: Detector) -> None:
    report = tiny_detector.analyze("")
    assert (report.sentences, report.evidence, report.notes) == ((), (), ())


def test_rules_still_speak_where_the_model_does_not(tiny_detector: Detector) -> None:
    report = tiny_detector.analyze(f"{CHINESE}部长在城市里вчера没有说明新的桥梁的价格是多少，记者也没有问。")
    assert report.verdict == "unsupported_language"
    assert ("untranslated.script", "вчера") in found(report)


def test_a_language_that_is_given_counts(tiny_detector: Detector) -> None:
    short = "The council voted."
    assert tiny_detector.analyze(short).verdict == "too_short"
    told = tiny_detector.analyze(short, language="en-GB")
    assert told.language == "en"
    assert told.verdict in ("flagged", "clean")
    assert tiny_detector.analyze(SOUND, language="fi").verdict == "unsupported_language"
    assert math.isnan(tiny_detector.score([SOUND], language="fi")[0])


def test_a_text_in_another_language_than_told_is_not_judged(tiny_detector: Detector) -> None:
    report = tiny_detector.analyze(CHINESE, language="en")
    assert report.verdict == "mixed_language"
    assert report.notes == ("2 places are in another language than the text and not judged.",)


def test_a_sentence_in_another_language_is_passed_over(tiny_detector: Detector) -> None:
    report = tiny_detector.analyze(TEXTS["one place in another language"])
    assert report.verdict in ("flagged", "clean")
    assert [s.verdict for s in report.sentences if s.text.startswith(("部", "城"))] == ["mixed_language"] * 2
    assert report.notes == ("2 places are in another language than the text and not judged.",)


def test_a_short_sentence_is_not_judged(tiny_detector: Detector) -> None:
    report = tiny_detector.analyze(f"{SOUND} Why? {SOUND}")
    assert [s.verdict == "too_short" for s in report.sentences] == [False, True, False]
    assert math.isnan(tiny_detector.score(["Why?"], language="en")[0])


def test_what_could_not_be_read_is_said(tiny_detector: Detector) -> None:
    assert tiny_detector.analyze(TEXTS["lone surrogate"]).notes == (
        "1 character is not valid Unicode and could not be read.",
    )
    assert tiny_detector.analyze(TEXTS["english"]).notes == ()


def test_short_sentences_are_read_in_the_language_of_the_list(tiny_detector: Detector) -> None:
    short = "The bridge is closed."
    assert math.isnan(tiny_detector.score([short])[0])
    scores = tiny_detector.score([short, SOUND, DAMAGED, CHINESE])
    assert np.isnan(scores).tolist() == [False, False, False, True]
    assert scores[0] == tiny_detector.score([short], language="en")[0]
    assert np.isnan(tiny_detector.score([short, CHINESE, CHINESE, CHINESE])).all()


def test_a_long_sentence_names_its_own_language(tiny_detector: Detector) -> None:
    scores = tiny_detector.score([SPANISH, SOUND, SOUND, SOUND])
    assert np.isnan(scores).tolist() == [True, False, False, False]


def test_no_sentences_give_no_scores(tiny_detector: Detector) -> None:
    assert tiny_detector.score([]).shape == (0,)


def test_langdetect_is_asked_at_most_once_a_sentence(
    tiny_detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(sentence: Any, language: str) -> bool:
        asked.append(sentence.text)
        return differs(sentence, language)

    monkeypatch.setattr(detector.detect, "differs", counted)
    text = f"{SOUND} {CHINESE}\n{DAMAGED} Why?"
    tiny_detector.analyze(text, language="en")
    assert sorted(asked) == sorted([SOUND, DAMAGED, *CHINESE.replace("。", "。\n").split()])
    asked.clear()
    tiny_detector.score([SOUND, DAMAGED, SPANISH])  # each names its own language
    assert asked == []


# --- wrong arguments -----------------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, 7, b"bytes", ["a list"]])
def test_only_a_str_is_a_text(tiny_detector: Detector, text: Any) -> None:
    with pytest.raises(TypeError, match=rf"text must be a str, got {type(text).__name__}"):
        tiny_detector.analyze(text)


@pytest.mark.parametrize("call", ["score", "annotate", "calibrate"])
def test_what_is_not_a_text_in_a_list_is_named(tiny_detector: Detector, call: str) -> None:
    def run(values: Any) -> object:
        method = getattr(tiny_detector, call)
        return method({"text": values} if call == "annotate" else values)

    with pytest.raises(TypeError, match=r" 1 must be a str, got NoneType"):
        run([SOUND, None])
    with pytest.raises(TypeError, match="got one str"):
        run(SOUND)


def test_a_generator_of_sentences_is_read_once(tiny_detector: Detector) -> None:
    sentences: Any = (s for s in [SOUND, DAMAGED])
    assert np.array_equal(tiny_detector.score(sentences), tiny_detector.score([SOUND, DAMAGED]))


def test_a_missing_column_is_named(tiny_detector: Detector) -> None:
    with pytest.raises(KeyError, match="body"):
        tiny_detector.annotate({"text": [SOUND]}, field="body")


@pytest.mark.parametrize("tag", ["english", "", "e", "12", "und", "en us"])
@pytest.mark.parametrize("text", [SOUND, ""])
def test_a_nonsense_tag_is_refused(tiny_detector: Detector, tag: str, text: str) -> None:
    with pytest.raises(ValueError, match="BCP 47"):
        tiny_detector.analyze(text, language=tag)
    with pytest.raises(ValueError, match="BCP 47"):
        tiny_detector.score([text] if text else [], language=tag)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "tensorflow"}, '"onnx" or "torch", got \'tensorflow\''),
        ({"device": "cuda"}, 'use backend="torch"'),
        ({"operating_point": "fpr_1e-9"}, "'fpr_1e-9'; this model has fpr_5e-2, fpr_1e-2"),
        ({"operating_point": "fpr_1e-3"}, "'fpr_1e-3'"),  # the tiny model has no threshold for it
        ({"disabled_rules": ["casing.sideways"]}, "casing.sideways; the rules are .*casing.inside"),
    ],
)
def test_unknown_settings_are_refused(tiny_model: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Detector.from_pretrained(tiny_model, **arguments)


# --- evidence ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language", "rule", "damage"),
    [
        (DAMAGED, "en", "syntax.doubled_subject", "He"),
        (f"👩‍🚀😀🇫🇮 {DAMAGED}", "en", "syntax.doubled_subject", "He"),
        (f"{SOUND}\r\n\r\n\t{DAMAGED}", "en", "syntax.doubled_subject", "He"),
        (f"\u200f\ud83d\ude00 {DAMAGED}", "en", "syntax.doubled_subject", "He"),
        (f"The cafe\u0301 closed. {DAMAGED}", "en", "syntax.doubled_subject", "He"),
        ("عاد الوزير إلى العاصمة вчера بعد محادثات طويلة.", "ar", "untranslated.script", "вчера"),
        ("😀 部长вчера返回了首都，没有回答任何问题。", "zh", "untranslated.script", "вчера"),
    ],
)
def test_offsets_point_at_the_damage(
    tiny_detector: Detector, text: str, language: str, rule: str, damage: str
) -> None:
    assert (rule, damage) in found(tiny_detector.analyze(text, language=language))


def test_spans_keep_damage_at_sentence_end(folder: Path) -> None:
    loud = Detector.from_pretrained(
        refit(folder, token_threshold=0.0, operating_points=ALWAYS, shown_rules=())
    )
    text = f"😀 {SOUND} The council voted for two new bridges"
    report = loud.analyze(text, language="en")
    ends = [s.evidence[-1].end for s in report.sentences]
    assert [text[:e][-7:] for e in ends] == ["s price", "bridges"]


def test_a_long_sentence_is_read_to_its_last_word(folder: Path) -> None:
    loud = Detector.from_pretrained(
        refit(folder, token_threshold=0.0, operating_points=ALWAYS, shown_rules=())
    )
    text = "The council voted " + "and the old bridge closed again " * 60 + "on Monday."
    (sentence,) = loud.analyze(text, language="en").sentences
    marked = sorted((e.start, e.end) for e in sentence.evidence)
    words = [word for start, end in marked for word in text[start:end].split()]
    # the surest place may be cut back to its surest words, the others hold all that is left
    assert (len(text.split()) - len(words), marked[-1][1]) in [(k, len(text) - 1) for k in range(4)]
    assert max(len(text[start:end].split()) for start, end in marked) == 4
    assert sentence.contributions["length"] == 0.0  # the tiny head gives length no weight


def test_the_model_says_nothing_where_a_rule_has_spoken(
    tiny_detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spans(finder: SpanFinder, sentence: str, words: object) -> list[Span]:
        starts = [(part, sentence.index(part)) for part in ("minister", "He and", "talks")]
        return [Span(start, start + len(part), "term", 0.9) for part, start in starts]

    monkeypatch.setattr(SpanFinder, "find", spans)
    report = tiny_detector.analyze(f"{SOUND} {DAMAGED}", language="en")
    assert report.sentences[1].verdict == "flagged"
    by_rules = [text for rule, text in found(report) if rule != "model"]
    assert set(by_rules) == {"He"}
    assert [text for rule, text in found(report) if rule == "model"] == ["minister", "talks"]


def test_a_name_that_drifts_is_shown_by_the_text(tiny_detector: Detector) -> None:
    text = (
        "President Xi spoke to the council on Monday. The visit of Xi was the first in ten years. "
        "On Tuesday Xi left the city. Reporters asked Ji about the new bridge, and Ji did not answer them."
    )
    report = tiny_detector.analyze(text)
    assert ("names.drift", "Ji") in found(report)
    assert {e.found_by for e in report.evidence} == {"names.drift"}
    assert report.contributions["names.drift"] > 0


def test_a_disabled_rule_is_silent_and_signed(tiny_model: Path, tiny_detector: Detector) -> None:
    quiet = Detector.from_pretrained(tiny_model, disabled_rules=["syntax.doubled_subject", "casing.inside"])
    report = quiet.analyze(DAMAGED, language="en")
    assert {rule for rule, _ in found(report)} <= {"model"}
    assert report.signature.disabled_rules == ("casing.inside", "syntax.doubled_subject")
    assert report.sentences[0].contributions["syntax.doubled_subject"] == 0
    assert quiet.score([DAMAGED])[0] < tiny_detector.score([DAMAGED])[0]


def test_a_rule_that_is_not_shown_still_counts(folder: Path, tiny_detector: Detector) -> None:
    quiet = Detector.from_pretrained(refit(folder, shown_rules=("casing.inside",)))
    ours, theirs = (d.analyze(DAMAGED, language="en") for d in (quiet, tiny_detector))
    assert "syntax.doubled_subject" not in dict(found(ours))
    assert ours.sentences[0].contributions == theirs.sentences[0].contributions


def test_a_pivot_is_named_only_for_a_flagged_text(folder: Path, tiny_detector: Detector) -> None:
    assert tiny_detector.analyze(DAMAGED, language="en").pivot in ("slavic", "romance")
    unsure = Detector.from_pretrained(refit(folder, pivot_threshold=1.1))
    assert unsure.analyze(DAMAGED, language="en").pivot is None
    clean = Detector.from_pretrained(refit(folder, pivot_threshold=0.0, operating_points=NO_TEXTS))
    report = clean.analyze(DAMAGED, language="en")
    assert (report.verdict, report.pivot) == ("clean", None)
    check(report, DAMAGED)


# --- models in folders ---------------------------------------------------------------------------


def test_the_signature_says_what_made_the_scores(tiny_detector: Detector, torch_detector: Detector) -> None:
    ours, theirs = (d.analyze(SOUND).signature for d in (tiny_detector, torch_detector))
    assert ours.backend == "onnx"
    assert ours.features == SENTENCE_FEATURES + TEXT_FEATURES
    assert (ours.operating_point, ours.threshold, ours.text_threshold) == ("fpr_1e-2", 0.5, 0.6)
    assert ours.segmenter == segmenter_name("en")
    assert ours.language_identifier == identifier_name()
    assert ours.version == detector.__version__
    assert len(ours.model) == 12
    assert int(ours.model, 16) >= 0
    assert theirs.backend == "torch"
    assert theirs.model != ours.model
    assert tiny_detector.analyze("").signature.segmenter == segmenter_name(None)


def test_operating_points_move_verdicts_not_scores(tiny_model: Path, tiny_detector: Detector) -> None:
    loose = Detector.from_pretrained(tiny_model, operating_point="fpr_5e-2")
    assert loose.operating_points == ("fpr_5e-2", "fpr_1e-2")
    assert loose.languages == ("en",)
    ours, theirs = loose.analyze(DAMAGED), tiny_detector.analyze(DAMAGED)
    assert (ours.signature.threshold, ours.signature.text_threshold) == (0.3, 0.4)
    assert (ours.score, ours.sentences[0].score) == (theirs.score, theirs.sentences[0].score)


def test_without_an_operating_point_nothing_is_flagged(folder: Path, tiny_detector: Detector) -> None:
    refit(folder, operating_points={})
    with pytest.raises(ValueError, match="operating_point=None"):
        Detector.from_pretrained(folder)
    free = Detector.from_pretrained(folder, operating_point=None)
    report = free.analyze(TEXTS["english"])
    check(report, TEXTS["english"])
    assert report.verdict == "clean"
    assert {s.verdict for s in report.sentences} == {"clean"}
    assert report.signature.operating_point == "none"
    assert report.score == tiny_detector.analyze(TEXTS["english"]).score
    assert free.calibrate(own_texts(60), fpr=0.2, language="en").operating_points == ("own",)


def test_save_and_load_give_equal_reports(tiny_detector: Detector, tmp_path: Path) -> None:
    tiny_detector.save_pretrained(tmp_path / "new" / "folder")
    again = Detector.from_pretrained(str(tmp_path / "new" / "folder"))
    for text in TEXTS.values():
        assert again.analyze(text).to_json() == tiny_detector.analyze(text).to_json()


def test_save_leaves_out_what_training_left(folder: Path, tmp_path: Path) -> None:
    (folder / "checkpoint.pt").write_bytes(b"optimizer")
    (folder / "README.md").write_text("card", encoding="utf-8")
    Detector.from_pretrained(folder).save_pretrained(tmp_path / "out")
    kept = {p.name for p in (tmp_path / "out").iterdir()}
    assert kept == {p.name for p in folder.iterdir()} - {"checkpoint.pt"}
    assert Detector.from_pretrained(tmp_path / "out", backend="torch").languages == ("en",)


def test_save_into_its_own_folder_changes_nothing(folder: Path) -> None:
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    Detector.from_pretrained(folder).save_pretrained(folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def spoil_json(name: str, **values: Any) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        data = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps({**data, **values}), encoding="utf-8")

    return spoil


def add_vocabulary(folder: Path) -> None:
    data = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    data["model"]["vocab"]["bridges"] = len(data["model"]["vocab"])
    (folder / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "no model.onnx": (lambda f: (f / "model.onnx").unlink(), r"model\.onnx: cannot be loaded"),
    "no heads.json": (lambda f: (f / "heads.json").unlink(), r"heads\.json"),
    "no tokenizer.json": (lambda f: (f / "tokenizer.json").unlink(), r"tokenizer\.json"),
    "no fusion.json": (lambda f: (f / "fusion.json").unlink(), r"fusion\.json"),
    "garbage model.onnx": (lambda f: (f / "model.onnx").write_bytes(b"garbage" * 99), r"model\.onnx"),
    "another number of pivots": (spoil_json("heads.json", pivots=["a"]), r"model\.onnx.*heads\.json.*\(1,\)"),
    "longer windows than it reads": (spoil_json("heads.json", max_tokens=65), r"model\.onnx.*65 pieces"),
    "more words than it knows": (add_vocabulary, r"model\.onnx.*tokenizer\.json"),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT)
def test_a_folder_that_is_not_whole_is_refused(
    folder: Path, case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil, message = SPOILT[case]
    spoil(folder)
    with pytest.raises(ValueError, match=rf"(?s){message}"):
        Detector.from_pretrained(folder)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("longer windows than it reads", r"model\.safetensors.*65 pieces"),
        ("more words than it knows", r"model\.safetensors.*tokenizer\.json"),
    ],
)
def test_torch_refuses_it_too(folder: Path, case: str, message: str) -> None:
    SPOILT[case][0](folder)
    with pytest.raises(ValueError, match=rf"(?s){message}"):
        Detector.from_pretrained(folder, backend="torch")


def test_weights_that_are_not_numbers_are_refused(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["sentence.bias"][0] = math.nan
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ValueError, match=r"model\.safetensors: gives logits that are not finite"):
        Detector.from_pretrained(folder, backend="torch")


@pytest.mark.parametrize("model", ["/no/such/folder", "./nothing", "nothing", Path("no/folder"), "../a/b"])
def test_a_missing_folder_is_named(model: str | Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"{model}: no such model folder"):
        Detector.from_pretrained(model)


def test_a_missing_default_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector.detect, "DEFAULT_MODEL", tmp_path / "default")
    with pytest.raises(FileNotFoundError, match="default"):
        Detector.from_pretrained()


def test_a_hub_id_is_fetched(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda model: str(tiny_model))
    assert Detector.from_pretrained("org/model").languages == ("en",)


def test_a_hub_that_cannot_be_reached_is_a_missing_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(model: str) -> str:
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(FileNotFoundError, match=r"org/model: no such folder; .*no network"):
        Detector.from_pretrained("org/model")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(FileNotFoundError, match=r"org/model: no such folder; .*install huggingface_hub"):
        Detector.from_pretrained("org/model")


# --- one's own operating point -------------------------------------------------------------------


def own_texts(n: int) -> list[str]:
    """Give ``n`` texts of two different sentences each."""
    who = "council minister deputy president harbour school".split()
    what = "bridge budget letter road vote price".split()
    when = "Monday Tuesday Friday Sunday".split()
    lines = [f"The {a} talked about the new {b} on {c}." for a in who for b in what for c in when]
    return [f"{lines[2 * i % len(lines)]} {lines[(2 * i + 1) % len(lines)]}" for i in range(n)]


def test_calibrate_keeps_the_rate_of_false_alarms(tiny_detector: Detector, tmp_path: Path) -> None:
    texts = own_texts(60)
    own = tiny_detector.calibrate(texts, fpr=0.2, language="en")
    reports = [own.analyze(t, language="en") for t in texts]
    flags = [s.verdict == "flagged" for r in reports for s in r.sentences]
    assert 0.1 < np.mean(flags) <= 0.2
    signature = reports[0].signature
    assert signature.operating_point == "own"
    assert signature.text_threshold == 0.6  # 60 texts are too few to set one
    assert signature.model != tiny_detector.analyze("").signature.model
    own.save_pretrained(tmp_path)
    again = Detector.from_pretrained(tmp_path, operating_point="own")
    assert again.analyze(texts[0], language="en") == reports[0]
    assert tiny_detector.operating_points == ("fpr_5e-2", "fpr_1e-2")


def test_calibrate_sets_the_text_threshold_where_texts_are_enough(tiny_detector: Detector) -> None:
    texts = own_texts(60)
    own = tiny_detector.calibrate(texts, fpr=0.4, language="en")
    flags = [own.analyze(t, language="en").verdict == "flagged" for t in texts]
    assert 0.2 < np.mean(flags) <= 0.4


def test_calibrate_keeps_a_missing_text_threshold_missing(folder: Path, tmp_path: Path) -> None:
    model = Detector.from_pretrained(refit(folder, operating_points=NO_TEXTS))
    own = model.calibrate(own_texts(60), fpr=0.2, language="en")
    assert own.analyze(DAMAGED).verdict == "clean"
    own.save_pretrained(tmp_path / "own")
    assert Fusion.load(tmp_path / "own").operating_points["own"].text is None


@pytest.mark.parametrize("fpr", [0.0, 1.0, -0.1, math.nan])
def test_calibrate_refuses_a_rate_that_is_none(tiny_detector: Detector, fpr: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        tiny_detector.calibrate([SOUND], fpr=fpr)


def test_calibrate_refuses_too_few_sentences(tiny_detector: Detector) -> None:
    with pytest.raises(ValueError, match=r"4 judged sentences are too few .* takes 2000"):
        tiny_detector.calibrate([*own_texts(2), CHINESE, ""], language="en")


# --- data sets and imports -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 100])
def test_map_writes_one_schema_whatever_a_batch_holds(tiny_detector: Detector, size: int) -> None:
    texts = ["", " ", CHINESE, "no", TEXTS["english"], TEXTS["mixed"], ""]
    table = datasets.Dataset.from_dict({"text": texts})
    done = table.map(tiny_detector.annotate, batched=True, batch_size=size, writer_batch_size=size)
    place = {"start": "int64", "end": "int64", "score": "float64", "verdict": "string", "kinds": "string"}
    flat = {
        "text": "string",
        "score": "float64",
        "verdict": "string",
        "language": "string",
        "pivot": "string",
    }
    assert done.features == datasets.Features(
        {
            **{name: datasets.Value(kind) for name, kind in flat.items()},
            "sentences": datasets.List({name: datasets.Value(kind) for name, kind in place.items()}),
        }
    )
    expected = tiny_detector.annotate({"text": texts})
    assert without_nan(done[:]) == without_nan({"text": texts, **expected})


def test_map_hashes_the_detector(tiny_model: Path, tiny_detector: Detector) -> None:
    hashed = datasets.fingerprint.Hasher.hash
    assert hashed(tiny_detector.annotate) == hashed(Detector.from_pretrained(tiny_model).annotate)
    other = Detector.from_pretrained(tiny_model, operating_point="fpr_5e-2")
    assert hashed(tiny_detector.annotate) != hashed(other.annotate)


def test_import_is_light() -> None:
    code = (
        "import sys, time\n"
        "start = time.process_time()\n"
        "import detector\n"
        "seconds = time.process_time() - start\n"
        "heavy = 'torch transformers sklearn nltk onnxruntime tokenizers langdetect pandas'.split()\n"
        "print(seconds, [name for name in heavy if name in sys.modules])"
    )
    outputs = [subprocess.check_output([sys.executable, "-c", code], text=True) for _ in range(3)]
    times, loaded = zip(*(output.strip().split(" ", 1) for output in outputs), strict=True)
    assert set(loaded) == {"[]"}
    assert min(map(float, times)) < 0.5


def test_learnt_kinds_and_heads_make_the_spans(folder: Path) -> None:
    """What lies beside the model is used: a bucket of weight for one kind, and heads that show every word."""
    weights = np.zeros((BUCKETS, len(CLASSES)), dtype=np.int8)
    bias = [9.0 if kind == "agreement" else 0.0 for kind in CLASSES]
    word = Logistic(WORD_FEATURES, (0.0, 0.0), (0.0, 0.0), 2.0)
    score = Logistic(SPAN_FEATURES, (0.0,) * 4, (0.0,) * 4, -1.0)
    bare = Detector.from_pretrained(folder).analyze("", language="en").signature.model
    refit(folder, operating_points=ALWAYS, shown_rules=(), spans=SpanHeads(word, score, 0.5, 2))
    without = Detector.from_pretrained(folder).analyze("", language="en").signature.model
    arrays: dict[str, Any] = {"en": weights, "en.scale": np.array([1.0, *bias])}
    np.savez_compressed(folder / "kinds.npz", allow_pickle=False, **arrays)
    loud = Detector.from_pretrained(folder)
    text = f"😀 {SOUND}"
    (sentence,) = loud.analyze(text, language="en").sentences
    found = [e for e in sentence.evidence if e.found_by == "model"]
    assert {e.kind for e in found} == {"agreement"}
    assert {len(text[e.start : e.end].split()) for e in found} <= {1, 2}
    assert " ".join(text[e.start : e.end] for e in found) == SOUND.rstrip(".").replace(",", "")
    assert found[0].score == pytest.approx(1 / (1 + math.e))
    assert len({bare, without, loud.analyze("", language="en").signature.model}) == 3
    loud.save_pretrained(folder / "copy")
    again = Detector.from_pretrained(folder / "copy").analyze(text, language="en")
    assert again.sentences == loud.analyze(text, language="en").sentences
