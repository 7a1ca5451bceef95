from __future__ import annotations

import doctest
import json
import math
import random
import time

import pytest

from detector import Comparison, Detector, matching
from detector.matching import match

SENTENCES = (
    "The council of Aldermouth voted on Tuesday to rebuild the old lighthouse.",
    "Mayor Brenna Quill said the work would cost four million crowns.",
    "Fishermen had asked for a new lamp since the storm of last winter.",
    "Two trawlers ran aground that night, and a deckhand lost his hand.",
    "The harbour office will close the northern pier until spring.",
    "Visitors can still reach the museum by the footbridge.",
    "Critics called the plan a monument to vanity.",
    "A decision about the ferry is expected in September.",
)
ROUNDTRIP = (
    "The Aldermouth council voted Tuesday for the reconstruction of the old lighthouse.",
    "Mayor Brenna Quill said the works would cost four million crowns.",
    "The fishermen requested a new lamp from the storm of last winter.",
    "Two trawlers stranded that night, and a sailor lost his hand.",
    "The port office will close the northern dock until the spring.",
    "The visitors can still arrive at the museum by the footbridge.",
    "The critics called the plan a monument to the vanity.",
    "A decision on the ferry is awaited in September.",
)
GERMAN = (
    "Der Stadtrat von Aldermünde beschloss am Dienstag den Wiederaufbau des Leuchtturms.",
    "Bürgermeisterin Brenna Quill rechnet mit Kosten von vier Millionen Kronen.",
    "Die Fischer wünschten sich seit dem Sturm eine neue Lampe.",
)


def links(comparison: Comparison) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(p.sentences, p.original_sentences) for p in comparison.pairs]


def told(text: str, original: str, language: str | None = "en") -> list[tuple[str, str, str, str]]:
    """Each change as its operation, its kind, and the words on both sides."""
    found = Detector.compare(text, original, language=language)
    return [
        (c.operation, c.kind, text[c.start : c.end], original[c.original_start : c.original_end])
        for c in found.changes
    ]


def test_every_round_trip_finds_its_original_in_any_order() -> None:
    order = list(range(len(SENTENCES)))
    random.Random(3).shuffle(order)
    found = Detector.compare(" ".join(ROUNDTRIP[k] for k in order), " ".join(SENTENCES))
    assert links(found) == [((i,), (k,)) for i, k in enumerate(order)]
    assert found.added == found.dropped == ()


def test_dropped_and_added_sentences_are_named() -> None:
    advert = "Subscribe to our newsletter for more stories like this one."
    text = "\n\n".join([ROUNDTRIP[0], advert, *ROUNDTRIP[3:6]])
    found = Detector.compare(text, " ".join(SENTENCES))
    assert [text[found.sentences[i].start : found.sentences[i].end] for i in found.added] == [advert]
    assert found.dropped == (1, 2, 6, 7)
    assert links(found) == [((0,), (0,)), ((2,), (3,)), ((3,), (4,)), ((4,), (5,))]


def test_sentences_that_were_merged_stand_beside_both() -> None:
    text = f"{ROUNDTRIP[0]} {ROUNDTRIP[1][:-1]}; {ROUNDTRIP[2]} {ROUNDTRIP[3]}"
    assert links(Detector.compare(text, " ".join(SENTENCES[:4]))) == [
        ((0,), (0,)),
        ((1,), (1, 2)),
        ((2,), (3,)),
    ]


def test_a_sentence_that_was_split_stands_beside_both_halves() -> None:
    text = f"{ROUNDTRIP[2]} Two trawlers stranded that night. And a sailor lost his hand. {ROUNDTRIP[4]}"
    assert links(Detector.compare(text, " ".join(SENTENCES[2:5]))) == [
        ((0,), (0,)),
        ((1, 2), (1,)),
        ((3,), (2,)),
    ]


def test_halves_that_were_torn_apart_find_each_other() -> None:
    text = f"Two trawlers ran aground that night. {ROUNDTRIP[0]} {ROUNDTRIP[4]} A deckhand lost his hand."
    found = Detector.compare(text, " ".join(SENTENCES))
    assert ((0, 3), (3,)) in links(found)


def test_an_original_ten_times_as_long_is_searched() -> None:
    draw = random.Random(1)
    names = ["Holm", "Arden", "Pell", "Marsh", "Torrance"]
    filler = [f"{draw.choice(names)} paid {n} crowns for the {n + 7}th boat of the fleet." for n in range(80)]
    original = " ".join([*filler[:40], *SENTENCES, *filler[40:]])
    found = Detector.compare(" ".join(ROUNDTRIP), original)
    assert links(found) == [((i,), (40 + i,)) for i in range(8)]
    assert found.reused < 0.1
    other_way = Detector.compare(original, " ".join(ROUNDTRIP))
    assert links(other_way) == [((40 + i,), (i,)) for i in range(8)]
    assert other_way.reused > 0.6


def test_unrelated_texts_share_nothing() -> None:
    found = Detector.compare(" ".join(SENTENCES[:3]), " ".join(SENTENCES[5:]))
    assert found.pairs == ()
    assert found.reused == 0.0
    assert (found.added, found.dropped) == ((0, 1, 2), (0, 1, 2))


@pytest.mark.parametrize(
    ("language", "text", "original", "expected"),
    [
        ("de", [GERMAN[2], "Quill, die Bürgermeisterin, rechnet mit vier Millionen."], GERMAN, [2, 1]),
        (
            "ru",
            ["Мэр заявила, что мост обойдётся в четыре миллиона.", "Рыбаки просили новую лампу."],
            ["Рыбаки давно просили о новой лампе.", "Мэр сказала, что мост будет стоить четыре миллиона."],
            [1, 0],
        ),
        (
            "zh",
            ["渔民要求更换一盏新灯。", "市长表示，重建灯塔将花费四百万。"],
            ["市长说重建旧灯塔要花四百万。", "渔民早就想要一盏新灯。"],
            [1, 0],
        ),
        (
            "ar",
            ["طلب الصيادون مصباحا جديدا.", "أعلنت رئيسة البلدية أن الجسر سيكلف أربعة ملايين."],
            ["قالت رئيسة البلدية إن الجسر سيكلف أربعة ملايين.", "كان الصيادون يطلبون مصباحا جديدا."],
            [1, 0],
        ),
    ],
)
def test_other_languages_and_scripts_are_paired(
    language: str, text: list[str], original: list[str], expected: list[int]
) -> None:
    groups = match(text, original, language)
    assert [(g.sentences, g.originals) for g in groups] == [((i,), (j,)) for i, j in enumerate(expected)]


CHANGES = [
    (
        "a term",
        "They sent assisted dying.",
        "They sent lethal aid.",
        "substitution",
        "term",
        "assisted dying",
    ),
    ("a name", "We met Ji in June.", "We met Xi in June.", "substitution", "name", "Ji"),
    ("a capital", "A Sharply higher price.", "A sharply higher price.", "substitution", "casing", "Sharply"),
    ("a number", "It cost 1,200 crowns.", "It cost 1,300 crowns.", "substitution", "number", "1,200"),
    ("an ending", "She opens bridges.", "She opened bridges.", "substitution", "agreement", "opens"),
    ("an article", "They saw a bridge.", "They saw the bridge.", "substitution", "agreement", "a"),
    ("a mark", "It fell; nobody wept.", "It fell, nobody wept.", "substitution", "punctuation", ";"),
    ("quotes", "It is “old” now.", 'It is "old" now.', "substitution", "punctuation", "“"),
    ("a function word", "He sat in the roof.", "He sat on the roof.", "substitution", "syntax", "in"),
    (
        "another script",
        "The мост fell down.",
        "The bridge fell down.",
        "substitution",
        "untranslated",
        "мост",
    ),
    ("twice", "It fell on Monday on Monday.", "It fell on Monday.", "insertion", "repetition", "on Monday"),
    ("put in", "The ancient mill burned.", "The mill burned.", "insertion", "term", "ancient"),
    ("left out", "The mill burned.", "The ancient mill burned.", "deletion", "term", ""),
    ("moved", "Yesterday the mill burned.", "The mill burned yesterday.", "move", "syntax", "Yesterday"),
    ("behind emoji", "🙂🙂 The dock fell.", "🙂🙂 The pier fell.", "substitution", "term", "dock"),
]


@pytest.mark.parametrize(("text", "original", "operation", "kind", "words"), [c[1:] for c in CHANGES])
def test_a_change_is_found_and_typed(text: str, original: str, operation: str, kind: str, words: str) -> None:
    assert [c[:3] for c in told(text, original)][:1] == [(operation, kind, words)]


@pytest.mark.parametrize(
    ("text", "original", "language", "new", "old"),
    [
        ("市长昨天打开了新桥。", "市长昨天开放了新桥。", "zh", "打", "放"),
        ("افتتح عمدة المدينة الجسر.", "افتتح رئيس المدينة الجسر.", "ar", "عمدة", "رئيس"),
        ("पुल मंगलवार को खुला।", "पुल सोमवार को खुला।", "hi", "मंगलवार", "सोमवार"),
    ],
)
def test_offsets_hold_in_every_script(text: str, original: str, language: str, new: str, old: str) -> None:
    found = told(text, original, language)
    assert new in [c[2] for c in found]
    assert old in [c[3] for c in found]


@pytest.mark.parametrize(
    ("text", "original"),
    [
        ("Yesterday the mill burned down.", "yesterday the mill burned down."),
        ("The mill burned. Nobody was hurt.", "The mill burned. Nobody was hurt."),
    ],
)
def test_a_capital_owed_to_the_place_needs_two_places(text: str, original: str) -> None:
    assert all(kind == "casing" for _, kind, _, _ in told(text, original))


def test_the_capital_of_a_word_that_moved_to_the_front_is_no_change_of_its_own() -> None:
    found = told("Yesterday the mill burned.", "The mill burned yesterday.")
    assert {kind for _, kind, _, _ in found} == {"syntax"}


def test_german_nouns_are_no_names_but_respelt_names_are() -> None:
    assert told("Das Stadthaus brennt.", "Das Rathaus brennt.", "de")[0][1] == "term"
    assert told("Gestern sprach Anthony laut.", "Gestern sprach Antony laut.", "de")[0][1] == "name"


def test_no_change_crosses_from_one_sentence_into_another() -> None:
    text = "The old mill, by the river, has wholly gone. Burned yesterday it did."
    original = "The mill burned yesterday."
    found = Detector.compare(text, original, language="en")
    ends = [(found.sentences[i].start, found.sentences[i].end) for p in found.pairs for i in p.sentences]
    assert found.changes
    assert all(any(start <= c.start and c.end <= end for start, end in ends) for c in found.changes)


def test_reused_counts_words_of_the_same_form() -> None:
    # Of ten words "lethal" and "aid" are replaced, "votes" is bent, and "on" is too short to have moved.
    text = "On Monday the council voted to send assisted dying abroad."
    found = Detector.compare(text, "The council votes to send lethal aid abroad on Monday.", language="en")
    assert found.reused == pytest.approx(6 / 10)


def test_a_text_is_wholly_reused_in_itself() -> None:
    text = " ".join(SENTENCES)
    found = Detector.compare(text, text)
    assert found.reused == 1.0
    assert found.changes == ()
    assert all(pair.similarity == 1.0 for pair in found.pairs)


@pytest.mark.parametrize("original", ["", " \n ", "!!! ...", "The mill burned."])
@pytest.mark.parametrize("text", ["", " \n ", "!!! ...", "🙂"])
def test_nothing_to_compare_is_no_error(text: str, original: str) -> None:
    found = Detector.compare(text, original)
    assert math.isnan(found.reused) or found.reused == 0.0
    assert json.loads(found.to_json())["text"] == text


def test_lone_surrogates_are_said_and_survive() -> None:
    found = Detector.compare("Bad \ud83d half of a mill.", "Bad half of a mill.")
    assert "1 character is not valid Unicode" in found.notes[0]
    assert "\\ud83d" in found.to_json()
    found.to_json().encode("utf-8")


def test_texts_in_different_languages_are_refused_unless_the_caller_knows_better() -> None:
    german, english = " ".join([*GERMAN, *GERMAN[::-1]]), " ".join(SENTENCES)
    with pytest.raises(ValueError, match=r"different languages \(de and en\)"):
        Detector.compare(german, english)
    assert Detector.compare(german, english, language="de").language == "de"


def test_a_short_text_proves_no_language() -> None:
    assert Detector.compare("Der Rat tagt heute.", " ".join(SENTENCES)).pairs == ()


@pytest.mark.parametrize(("text", "original"), [(None, "a"), ("a", b"a"), (["a"], "a")])
def test_what_is_not_text_is_refused(text: str, original: str) -> None:
    with pytest.raises(TypeError, match="must be a str"):
        Detector.compare(text, original)


def test_a_wrong_tag_is_refused() -> None:
    with pytest.raises(ValueError, match="BCP 47"):
        Detector.compare("a", "b", language="english language")


def test_json_holds_everything_and_rebuilds_it() -> None:
    text, original = " ".join(ROUNDTRIP), " ".join(SENTENCES)
    found = Detector.compare(text, original)
    data = json.loads(found.to_json())
    assert Comparison.from_dict(data) == found
    change = data["pairs"][0]["changes"][0]
    assert change["words"] == text[change["start"] : change["end"]]
    assert change["original_words"] == original[change["original_start"] : change["original_end"]]
    assert data["signature"].startswith("compare-1|detector:")


def test_slices_rebuild_both_sides_and_no_sentence_is_in_two_pairs() -> None:
    draw = random.Random(5)
    for _ in range(30):
        some = draw.sample([*ROUNDTRIP, *SENTENCES, *GERMAN], 8)
        others = draw.sample([*SENTENCES, *GERMAN], 6)
        text, original = "\n".join(some), " ".join(others)
        found = Detector.compare(text, original, language="en")
        for side, held, rest, whole in (
            (found.sentences, [i for p in found.pairs for i in p.sentences], found.added, text),
            (
                found.original_sentences,
                [j for p in found.pairs for j in p.original_sentences],
                found.dropped,
                original,
            ),
        ):
            assert sorted([*held, *rest]) == list(range(len(side)))
            assert all(s.text == whole[s.start : s.end] for s in side)


def test_a_long_sentence_is_compared_in_pieces_that_fall_alike() -> None:
    draw = random.Random(2)
    spoken = ["".join(draw.choices("abdeilmnorstu", k=draw.randint(3, 9))) for _ in range(3000)]
    changed = ["so", "then", *(w if draw.random() > 0.05 else "other" for w in spoken)]
    found = Detector.compare(" ".join(changed), " ".join(spoken), language="en")
    assert found.reused > 0.85
    assert "in pieces" in found.notes[-1]
    assert len(found.pairs) > 20
    assert " ".join(s.text for s in found.sentences) == found.text


@pytest.mark.parametrize(
    ("text", "original", "pairs"),
    [
        ("The mill burned down. " * 2000, "The mill burned down. " * 2000, 2000),
        ("The mill burned down. " * 2000, "The old mill burned. " * 2000, 2000),
        (
            " ".join(f"Boat {n} was sold on Monday." for n in range(2000)),
            " ".join(f"Boat {n} has been sold Monday." for n in reversed(range(2000))),
            2000,
        ),
        ("a" * 1_000_000, "a " * 100_000, 0),
        ("." * 100_000, "!" * 100_000, 0),
        ("a b " * 10_000, "b c " * 10_000, 100),
    ],
    ids=["equal", "nearly equal", "numbered", "one line", "marks", "alike"],
)
def test_pathological_texts_end_in_seconds(text: str, original: str, pairs: int) -> None:
    start = time.process_time()
    found = Detector.compare(text, original, language="en")
    assert time.process_time() - start < 10
    assert len(found.pairs) == pairs


def test_numbered_sentences_find_their_own_number() -> None:
    text = " ".join(f"Boat {n} was sold on Monday." for n in range(300))
    original = " ".join(f"Boat {n} has been sold Monday." for n in reversed(range(300)))
    assert links(Detector.compare(text, original, language="en")) == [((n,), (299 - n,)) for n in range(300)]


def test_the_same_texts_always_give_the_same_comparison() -> None:
    text, original = " ".join(reversed(ROUNDTRIP)), " ".join(SENTENCES)
    assert Detector.compare(text, original) == Detector.compare(text, original)


def test_documentation_examples_hold() -> None:
    found = doctest.testmod(matching)
    assert found.attempted >= 3
    assert found.failed == 0
