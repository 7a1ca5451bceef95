from __future__ import annotations

import doctest

import pytest

from detector import alignment
from detector.alignment import align, words


def chosen(a: alignment.Alignment, flags: tuple[bool, ...]) -> list[str]:
    return [w.text for w, flag in zip(a.roundtrip, flags, strict=True) if flag]


CHANGED = [
    ("a term replaced", "He sent lethal aid.", "He sent assisted dying.", "en", ["assisted", "dying"]),
    ("nothing", "The mill burned.", "The mill burned.", "en", []),
    ("an addition", "The mill burned.", "The old mill burned.", "en", ["old"]),
    ("a number", "In 1998, 14 died.", "In 1989, 14 died.", "en", ["1989"]),
    ("case alone", "The Mill burned.", "the mill Burned.", "en", []),
    ("an ending", "She opens bridges.", "She opened bridges.", "en", ["opened"]),
    ("beside an emoji", "😀 The old mill.", "😀 The ancient mill.", "en", ["ancient"]),
    ("half a German compound", "Das Rathaus brennt.", "Das Stadthaus brennt.", "de", ["Stadthaus"]),
    ("a German ending", "Die Häuser der Stadt.", "Die Häusern der Stadt.", "de", ["Häusern"]),
    ("one Chinese character", "市长昨天开放了新桥。", "市长昨天打开了新桥。", "zh", ["打"]),
    ("an Arabic word", "افتتح رئيس المدينة الجسر.", "افتتح عمدة المدينة الجسر.", "ar", ["عمدة"]),
    ("a Hindi word with vowel signs", "पुल सोमवार को खुला।", "पुल मंगलवार को खुला।", "hi", ["मंगलवार"]),
    ("a language without stemmer", "Bróin dhearga.", "Bróin dhubha.", "ga", ["dhubha"]),
    ("everything", "", "New words.", "en", ["New", "words", "."]),
    ("nothing came back", "Old words.", "", "en", []),
]


@pytest.mark.parametrize(("original", "roundtrip", "language", "expected"), [c[1:] for c in CHANGED])
def test_changed_words_are_found(original: str, roundtrip: str, language: str, expected: list[str]) -> None:
    found = align(original, roundtrip, language)
    assert chosen(found, found.changed) == expected


@pytest.mark.parametrize(
    ("original", "roundtrip"),
    [
        ("“Yes”, she said.", '"Yes", she said.'),
        ("„Yes‟ – it’s done", "„Yes‟ - it's done"),
        ("«Yes» — no", "“Yes” – no"),
    ],
)
def test_styles_of_quotes_and_dashes_do_not_count(original: str, roundtrip: str) -> None:
    assert not any(align(original, roundtrip, "en").changed)


def test_links_point_at_equal_words_and_lost_ones_are_named() -> None:
    found = align("The mayor quietly opened the new bridge.", "The mayor opened a new bridge.", "en")
    linked = [w.text for w, i in zip(found.roundtrip, found.links, strict=True) if i >= 0]
    assert linked == ["The", "mayor", "opened", "new", "bridge", "."]
    assert linked == [found.original[i].text for i in found.links if i >= 0]
    assert [found.original[i].text for i in found.lost] == ["quietly", "the"]


def test_no_word_of_the_original_is_linked_twice() -> None:
    found = align("the bridge and the river", "the river the bridge the river bridge", "en")
    links = [i for i in found.links if i >= 0]
    assert len(links) == len(set(links))


def test_a_moved_word_is_linked_and_called_moved() -> None:
    found = align("The mayor opened the bridge yesterday.", "Yesterday the mayor opened the bridge.", "en")
    assert chosen(found, found.moved) == ["Yesterday"]
    assert not any(found.changed)


def test_a_function_word_that_moved_alone_is_a_change() -> None:
    found = align("He went to the old mill.", "The he went to old mill.", "en")
    assert chosen(found, found.changed) == ["The"]
    assert not any(found.moved)


def test_a_moved_number_is_linked_however_short() -> None:
    found = align("Two cows and 14 goats fled", "14 Two cows and goats fled", "en")
    assert chosen(found, found.moved) == ["14"]


def test_an_inflected_word_is_linked_and_called_inflected() -> None:
    found = align("The council votes on budgets.", "The council voted on budget.", "en")
    assert chosen(found, found.inflected) == ["voted", "budget"]
    assert all(i >= 0 for i in found.links)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's 1,000 km.", ["It's", "1,000", "km", "."]),
        ("新桥abc 3", ["新", "桥", "abc", "3"]),
        ("हिन्दी में।", ["हिन्दी", "में", "।"]),
        ("اللُّغَة العربية", ["اللُّغَة", "العربية"]),
        ("cafe\u0301 noir", ["cafe\u0301", "noir"]),
        ("สะพาน", list("สะพาน")),
        ("😀!", ["😀", "!"]),
        ("", []),
    ],
)
def test_words_keep_their_marks_and_their_place(text: str, expected: list[str]) -> None:
    found = words(text)
    assert [w.text for w in found] == expected
    assert [text[w.start : w.end] for w in found] == expected


def test_a_stem_depends_on_its_word_alone() -> None:
    said = ["والمدارس", "يكتبون", "استخدامات", "كتابنا", "فسيكتبونها", "المعلمون"] * 20
    alone = {w: alignment._stem.__wrapped__(w, "ar") for w in said}
    assert [alignment._stem.__wrapped__(w, "ar") for w in reversed(said)] == [
        alone[w] for w in reversed(said)
    ]


def test_documentation_examples_hold() -> None:
    assert doctest.testmod(alignment).failed == 0
    assert doctest.testmod(alignment).attempted >= 2
