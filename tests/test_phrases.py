"""Mined phrases: what the miner keeps, what the rule shows, and how it is measured."""

from __future__ import annotations

import gzip
import json
import math
import time
from pathlib import Path

import pandas as pd
import pytest

from detector.alignment import align, words
from detector.heuristics import phrases as rule
from detector.heuristics.phrases import Phrase, find, parse, runs, table
from detector.report import Evidence, Sentence
from eval.phrases import against_originals, against_readers
from eval.phrases import main as evaluate
from tests import made_up
from training import phrases as miner
from training.phrases import Bar, Pair, grams, log_odds, mine, rows, science, stood

TABLE = parse(
    "in the framework of\t8\t3\t4\t90\tas part of\t5\twithin\t2\n"
    "the framework\t9\t3\t4\t85\n"
    "colossal information\tscience\t0\t0\t70\tbig data\t0\n"
)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "table", {"en": TABLE, "en-GB": TABLE}.get)


def shown(text: str, language: str | None = "en") -> list[Evidence]:
    return find([Sentence(text, 0, len(text))], language)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("The bridge was built in the framework of a town plan.", ["in the framework of"]),
        ("In The Framework Of the plan it was built.", ["In The Framework Of"]),
        ("\U0001f600 He left the framework standing.", ["the framework"]),
        ("It grew in the framework, of course.", ["the framework"]),
        ("They keep colossal information on the mill.", ["colossal information"]),
        ("She called it “the framework” twice (in the framework of a joke).", []),
        ("A framework of the old kind stood in the yard.", []),
        ("In the framework-of-things sense it is new.", ["the framework"]),
        ("", []),
        ("12 345", []),
        ("\ud800 the framework", ["the framework"]),
        ("الجسر the framework آمن", ["the framework"]),
    ],
)
def test_phrases_are_found_whole_and_longest_first(text: str, wanted: list[str]) -> None:
    assert [text[e.start : e.end] for e in shown(text)] == wanted


@pytest.mark.usefixtures("tiny")
def test_suggestions_are_the_mined_wordings_and_messages_say_how_sure() -> None:
    (long,) = shown("In the framework of the plan it was built.")
    assert long.suggestions == ("As part of", "Within")
    assert long.message.startswith("Likely “as part of”: it stood there in 5 of the 8")
    (short,) = shown("He left the framework standing.")
    assert short.suggestions == ()
    assert "9 machine translations" in short.message
    (listed,) = shown("They keep colossal information there.")
    assert listed.suggestions == ("big data",)
    assert "disguise of “big data”" in listed.message
    assert 0 < listed.score < long.score < 1


@pytest.mark.usefixtures("tiny")
def test_languages_without_a_table_abstain() -> None:
    text = "It was built in the framework of a plan."
    assert shown(text, "en-GB")
    assert shown(text, None) == shown(text, "xx") == []


@pytest.mark.usefixtures("tiny")
def test_one_long_line_takes_linear_time() -> None:
    text = "in the framework of " * 20_000
    start = time.perf_counter()
    assert len(shown(text)) == 20_000
    assert time.perf_counter() - start < 10


def test_shipped_tables_can_be_read() -> None:
    for file in miner.ASSETS.glob("*.tsv.gz"):
        known = table(file.name.split(".")[0])
        assert known is not None
        assert known.phrases
        assert rows(known.phrases).encode() == gzip.decompress(file.read_bytes())
    assert table(None) is table("xx") is None


def test_runs_stop_at_numbers_and_marks() -> None:
    found = words("One two, 3 four-five")
    assert [[w.text for w in found[a:b]] for a, b in runs(found)] == [["One", "two"], ["four"], ["five"]]
    assert [p for _, _, p in grams(words("A b, c"))] == ["a", "a b", "b", "c"]


@pytest.mark.parametrize(
    ("person", "machine", "phrase", "wanted"),
    [
        (
            "It grew as part of a plan.",
            "It grew in the framework of a plan.",
            "in the framework of",
            "as part of",
        ),
        ("It grew within a plan.", "It grew in the framework of a plan.", "in the framework of", "within"),
        ("It grew within a plan.", "It grew in the framework of a plan.", "the framework", None),
        ("Sadly it grew.", "Unfortunately it grew.", "unfortunately", "Sadly"),
        ("It grew.", "It grew really.", "really", None),
        ("It grew fast", "It grew quickly", "quickly", "fast"),
    ],
)
def test_what_stood_in_a_phrases_place_is_a_whole_stretch(
    person: str, machine: str, phrase: str, wanted: str | None
) -> None:
    alignment = align(person, machine, "en")
    i, j = next((i, j) for i, j, p in grams(words(machine)) if p == phrase)
    span = stood(alignment.original, alignment.links, i, j)
    assert (person[slice(*span)] if span else None) == wanted


def test_log_odds_grow_with_the_difference_and_their_error_shrinks_with_counts() -> None:
    few, sure_few = log_odds(8, 100_000, 1, 100_000, rate=4e-5, prior=1000)
    many, sure_many = log_odds(80, 100_000, 10, 100_000, rate=4e-4, prior=1000)
    assert few > 0
    assert math.isclose(few, many, rel_tol=0.01)
    assert sure_many < sure_few
    assert log_odds(5, 1000, 5, 1000, rate=0.005, prior=100)[0] == pytest.approx(0)


def pair(unit: int, person: str, machine: str, engine: str, article: str | None = None) -> Pair:
    alignment = align(person, machine, "en")
    return Pair(
        str(unit), article or f"a{unit}", "de", engine, person, machine, alignment.links, alignment.changed
    )


TOWNS = ("Tolm", "Orsk", "Brenn", "Quill", "Vesper", "Marrow", "Hask", "Ilvane")
LOW = Bar(odds=1.5, z=0.5, prior=50)
PEOPLE = [f"The mayor of {town} paid for the bridge as part of a plan." for town in TOWNS] * 9


def trips(article: str | None = None, machine: str = "in the framework of") -> list[Pair]:
    persons = [
        f"The mill of {town} was {('built', 'moved')[k % 2]} as part of {('a', 'the')[k // 4]} plan."
        for k, town in enumerate(TOWNS)
    ]
    return [
        pair(k, person, person.replace("as part of", machine), engine, article)
        for k, person in enumerate(persons)
        for engine in ("acme", "zenith")
    ]


def test_a_phrase_of_many_articles_is_mined_with_its_wording() -> None:
    mined = mine(trips(), PEOPLE, PEOPLE, "en", LOW)
    found = mined["in the framework of"]
    assert (found.stood, found.engines, found.pivots) == (8, 2, 1)
    assert found.wordings == (("as part of", 8),)
    assert found.score > 0.5
    assert "framework" not in mined  # it never stands outside the longer phrase
    assert parse(rows(mined)).phrases.keys() == mined.keys()


def test_the_phrases_of_one_article_are_its_topic() -> None:
    assert mine(trips(article="one"), PEOPLE, PEOPLE, "en", LOW) == {}


def test_what_people_write_or_translators_write_is_no_damage() -> None:
    same = [f"They met in the framework of talks in {town}." for town in TOWNS] * 9
    assert "in the framework of" not in mine(trips(), same, PEOPLE, "en", LOW)
    assert "in the framework of" not in mine(trips(), PEOPLE, same, "en", LOW)


def test_names_and_other_spellings_are_left_out() -> None:
    named = mine(trips(machine="under Lord Framework and"), PEOPLE, PEOPLE, "en", LOW)
    assert not any("framework" in phrase for phrase in named)
    spelt = [
        pair(k, f"In {t} the old harbour opened.", f"In {t} the old harbor opened.", e)
        for k, t in enumerate(TOWNS)
        for e in ("acme", "zenith")
    ]
    assert mine(spelt, PEOPLE, PEOPLE, "en", LOW) == {}


def test_the_scientific_list_loses_its_ordinary_english(tmp_path: Path) -> None:
    listed = [
        ("colossal information", "big data", "", False),
        ("cloud platform", "the cloud", "", False),
        ("selection tree", "decision tree", 'AND "decision tree"', False),
        ("profound learning", "deep learning (?)", "", False),
        ("blunder", "error", "", False),
    ]
    names = ("tortured", "correct", "requires", "bad_correct")
    made_up.write(tmp_path, "labels/tortured_phrases", [dict(zip(names, row, strict=True)) for row in listed])
    known = science(tmp_path, ["The town bought a cloud platform."])
    assert known == {"colossal information": Phrase(0, 0, 0, 0.7, (("big data", 0),))}


@pytest.mark.usefixtures("tiny")
def test_figures_count_what_was_changed_and_what_the_author_wrote() -> None:
    lines: list[str] = []
    pairs = [
        ("It grew as part of a plan.", "It grew in the framework of a plan."),
        ("It grew under a plan.", "It grew in the framework of a plan."),
        ("He left the framework.", "He left the framework."),
        ("Nobody came.", "No one came."),
    ]
    firings = against_originals(pairs, "en", examples=lines)
    assert (firings.sentences, firings.found, firings.changed) == (4, 3, 2)
    assert (firings.offered, firings.first_equal, firings.any_equal) == (2, 1, 1)
    assert len(lines) == 3
    read = pd.DataFrame({"roundtrip": ["It grew in the framework of it.", "He left the framework."]})
    read["marks"] = [[15, 24], []]
    marked = against_readers(read, "en")
    assert (marked.found, marked.marked, marked.words, marked.words_marked) == (2, 1, 11, 1)


def test_the_command_prints_a_row_for_each_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def german(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        return [{**row, "lang": "de"} for row in rows]

    made_up.write(tmp_path, "roundtrip/de", german(made_up.roundtrip_rows()))
    made_up.write(tmp_path, "human/native", german(made_up.human_rows("{}!")))
    made_up.write(tmp_path, "human/human_translation", german(made_up.human_rows("{}?")))
    file = tmp_path / "figures.json"
    arguments = ["--corpora", str(tmp_path), "--gold", str(tmp_path), "--languages", "de"]
    assert evaluate([*arguments, "--json", str(file)]) == 0
    assert capsys.readouterr().out.count("\n| de |") == 2
    assert json.loads(file.read_text())["round_trips"]["de"]["sentences"] > 0
    assert evaluate(["--corpora", str(tmp_path / "none"), "--languages", "de"]) == 2
