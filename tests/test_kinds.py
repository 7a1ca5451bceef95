"""Kinds of damage: told from what a word replaced, and learnt from what a detector can see."""

from __future__ import annotations

import dataclasses
import doctest
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detector.alignment import align, words
from detector.kinds import BUCKETS, CLASSES, FILE, Kinds, buckets, kind_of_span
from detector.report import Kind
from training import kinds
from training.kinds import fit, word_kinds

TOLD: list[tuple[str, str, str, str, str, dict[str, Kind]]] = [
    ("a term", "He sent lethal aid.", "He sent assisted dying.", "en", "de",
     {"assisted": "term", "dying": "term"}),
    ("an ending", "She opens the bridge.", "She opened the bridge.", "en", "de", {"opened": "agreement"}),
    ("a verb without a common stem", "The roads were shut.", "The roads was shut.", "en", "de",
     {"was": "agreement"}),
    ("an article", "He saw a bridge.", "He saw the bridge.", "en", "ru", {"the": "agreement"}),
    ("a capital", "The old Bridge of Orsk.", "The old bridge of Orsk.", "en", "de", {"bridge": "casing"}),
    ("a capital that begins a sentence", "Today the mill burned.", "The mill burned today.", "en", "de",
     {"today": "syntax"}),
    ("a capital after a quote", "He said the mill burned.", "He said: “The mill burned.”", "en", "de",
     {":": "punctuation", "“": "punctuation", "”": "punctuation"}),
    ("digits", "In 1998 it burned.", "In 1989 it burned.", "en", "de", {"1989": "number"}),
    ("a number spelt out", "It took 14 days.", "It took fourteen days.", "en", "de", {"fourteen": "number"}),
    ("a name", "They met Antony there.", "They met Anthony there.", "en", "ru", {"Anthony": "name"}),
    ("a name in place of no name", "They met him there.", "They met Antony there.", "en", "ru",
     {"Antony": "term"}),
    ("a function word", "They waited for rain.", "They waited on rain.", "en", "de", {"on": "syntax"}),
    ("a short form", "They did not wait.", "They didn't wait.", "en", "de", {"didn't": "syntax"}),
    ("order", "The council voted late on Monday.", "The council on Monday voted late.", "en", "de",
     {"on": "syntax", "Monday": "syntax"}),
    ("said twice", "She said on Monday it closed.", "She said on Monday on Monday it closed.", "en", "de",
     {"on": "repetition", "Monday": "repetition"}),
    ("said twice by the author", "It was very very cold.", "It was very very cold.", "en", "de", {}),
    ("another script", "The minister left.", "The министр left.", "en", "ru", {"министр": "untranslated"}),
    ("a word of the pivot", "The houses near Orsk.", "The häuser near Orsk.", "en", "de",
     {"häuser": "term"}),  # too rare in the pivot's table to tell
    ("a common word of the pivot", "The road was also closed.", "The road was auch closed.", "en", "de",
     {"auch": "untranslated"}),
    ("a comma", "The mill burned and fell.", "The mill burned, and fell.", "en", "de", {",": "punctuation"}),
    ("a German ending", "Die Häuser der Stadt.", "Die Häusern der Stadt.", "de", "en",
     {"Häusern": "agreement"}),
    ("a German noun is no name", "Das Rathaus brennt.", "Das Haus brennt.", "de", "en", {"Haus": "term"}),
    ("a Czech ending", "Viděl starý most.", "Viděl starý mostu.", "cs", "en", {"mostu": "agreement"}),
    ("Chinese", "市长昨天开放了新桥。", "市长昨天打开了新桥。", "zh", "en", {"打": "term"}),
    ("Arabic", "افتتح رئيس المدينة الجسر.", "افتتح عمدة المدينة الجسر.", "ar", "en", {"عمدة": "term"}),
    ("beside an emoji", "😀 The old mill.", "😀 The ancient mill.", "en", "de", {"ancient": "term"}),
    ("nothing", "The mill burned.", "The mill burned.", "en", "de", {}),
    ("no text", "", "", "en", "de", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("original", "roundtrip", "language", "pivot", "expected"),
    [c[1:] for c in TOLD],
    ids=[c[0] for c in TOLD],
)
def test_what_a_word_replaced_tells_its_kind(
    original: str, roundtrip: str, language: str, pivot: str, expected: dict[str, Kind]
) -> None:
    told = word_kinds(original, roundtrip, language, pivot)
    forms = [w.text for w in align(original, roundtrip, language).roundtrip]
    assert {form: kind for form, kind in zip(forms, told, strict=True) if kind} == expected


def test_examples_in_docstrings_hold() -> None:
    assert doctest.testmod(kinds).failed == 0


@pytest.fixture(scope="module")
def learnt() -> Kinds:
    """Give kinds learnt from sentences in which one word is always replaced, and one preposition."""
    places = ["Orsk", "Tolm", "Brenn", "Hask", "Quill", "Vesper", "Marrow", "Dunmoor"]
    pairs = [
        (f"The mayor of {a} waited for {b} today.", f"The burgomaster of {a} waited on {b} today.")
        for a in places
        for b in places
    ]
    rows = [{"original": o, "roundtrip": r, "pivot": "de"} for o, r in pairs]
    return fit(pd.DataFrame(rows), "en")


def test_kinds_are_learnt(learnt: Kinds) -> None:
    found = words("The burgomaster of Ilvane waited on Ilsa today.")
    probability = learnt.probabilities(found)
    assert probability.shape == (len(found), len(CLASSES))
    assert probability.sum(1) == pytest.approx(np.ones(len(found)))
    said = {w.text: CLASSES[k] for w, k in zip(found, probability.argmax(1), strict=True)}
    assert said["burgomaster"] == "term"
    assert said["on"] == "syntax"
    assert said["The"] is said["today"] is None
    assert kind_of_span(found[5:6], probability[5:6]) == "syntax"
    assert kind_of_span(found[1:2], probability[1:2]) == "term"


def test_what_came_back_whole_teaches_nothing_else(learnt: Kinds) -> None:
    sound = words("The mayor of Ilvane waited for Ilsa today.")
    assert (learnt.probabilities(sound)[:, 0] > 0.5).all()


@pytest.mark.parametrize("text", ["", "...", "😀", "\ud800 x", "a" * 100_000, "שלום עולם", "大桥"])
@pytest.mark.parametrize("language", ["en", "zh", "xx"])
def test_any_text_has_kinds(text: str, language: str) -> None:
    found = words(text)
    of_words = list(buckets(found, language))
    assert len(of_words) == len(found)
    assert all(0 <= b < BUCKETS for one in of_words for b in one)
    even = Kinds(language, np.zeros((BUCKETS, len(CLASSES)), dtype=np.int8), 1.0, np.zeros(len(CLASSES)))
    assert even.probabilities(found).shape == (len(found), len(CLASSES))


def write(folder: Path, learnt: Kinds) -> None:
    arrays = {"en": learnt.weights, "en.scale": np.array([learnt.scale, *learnt.bias])}
    np.savez_compressed(folder / FILE, allow_pickle=False, **arrays)


def test_kinds_are_stored_by_language(learnt: Kinds, tmp_path: Path) -> None:
    assert Kinds.load(tmp_path, "en") is None
    write(tmp_path, learnt)
    assert Kinds.load(tmp_path, "de") is None
    again = Kinds.load(tmp_path, "en")
    assert again is not None
    found = words("The burgomaster waited.")
    assert again.probabilities(found).tolist() == learnt.probabilities(found).tolist()


@pytest.mark.parametrize("damage", ["cut", "shape", "scale", "text"])
def test_a_broken_file_is_named(learnt: Kinds, tmp_path: Path, damage: str) -> None:
    path = tmp_path / FILE
    write(tmp_path, learnt)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif damage == "shape":
        write(tmp_path, dataclasses.replace(learnt, weights=learnt.weights[:9]))
    elif damage == "scale":
        write(tmp_path, dataclasses.replace(learnt, scale=np.nan))
    else:
        path.write_text("no archive")
    with pytest.raises(ValueError, match=FILE):
        Kinds.load(tmp_path, "en")
