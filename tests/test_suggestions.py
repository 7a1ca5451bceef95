"""Suggestions held against originals: what stood there, what counts as right, what is counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from detector.heuristics import Heuristic
from detector.report import Evidence
from eval.suggestions import (
    ALL,
    Offer,
    Trip,
    author_wording,
    drawn,
    main,
    offers,
    results,
    shown_rules,
    trips,
)

pytest_plugins = ["tests.corpora_fixture"]


@pytest.mark.parametrize(
    ("original", "roundtrip", "marked", "wording"),
    [
        ("He sent lethal aid.", "He sent assisted dying.", "assisted dying", "lethal aid"),
        ("The fee for boats rose.", "The fee For boats rose.", "For", "for"),
        ("Ms Orn saw Filip Tanner.", "Ms Orn saw Philip Tanner.", "Philip", "Filip"),
        ("Old boats sank there.", "Ancient ships went under there.", "ships", None),  # inside a longer change
        ("\U0001f600 Xi left.", "\U0001f600 Ji left.", "Ji", "Xi"),
    ],
)
def test_the_authors_wording_is_what_stood_in_that_place(
    original: str, roundtrip: str, marked: str, wording: str | None
) -> None:
    start = roundtrip.index(marked)
    assert author_wording(original, roundtrip, start, start + len(marked)) == wording


ORIGINALS = ("Kim Kardashian came.", "Kim Kardashian spoke.", "Kim Kardashian left.")
BACK = ("Kim Kardashian came.", "Kim Kardashian spoke.", "Kim Cardashian left.")


def test_a_suggestion_in_a_later_sentence_is_held_against_its_own_original() -> None:
    (right,) = offers([Trip("a", ORIGINALS, BACK)], shown_rules())
    assert (right.rule, right.equal, right.any_equal, right.placed) == ("names.drift", True, True, True)
    wrong_originals = (*ORIGINALS[:2], "Kim Cardashian left.")
    (wrong,) = offers([Trip("a", wrong_originals, BACK)], shown_rules())
    assert (wrong.equal, wrong.placed) == (False, True)
    assert list(offers([Trip("a", ORIGINALS, ORIGINALS)], shown_rules())) == []


def test_capitals_count_where_the_evidence_is_about_them() -> None:
    def rule(kind: str) -> Heuristic:
        made = Evidence(4, 9, kind, 0.9, "made.up", "It.", ("boats", "Boats"), 0.5)  # type: ignore[arg-type]
        return Heuristic("made.up", made.kind, "sentence", "It.", lambda sentences, language: [made])

    trip = Trip("a", ("The Boats left.",), ("The boats left.",))
    (casing,) = offers([trip], [rule("casing")])
    (term,) = offers([trip], [rule("term")])
    assert (casing.equal, casing.any_equal, term.equal) == (False, True, True)


def test_rates_are_per_thousand_sentences_and_shares_of_what_is_offered() -> None:
    found = [
        Offer(article, "names.drift", 0.4, equal, equal, True, "")
        for article, equal in (("a", True), ("b", False), ("b", False), ("c", True))
    ]
    figures = results(found, 2000, Counter({"names.known": 3}), 1000)
    assert list(figures) == [ALL, "names.drift", "names.known"]
    assert figures[ALL].offered.value == figures["names.drift"].offered.value == 2.0
    assert (figures[ALL].equal.value, figures[ALL].native.value) == (0.5, 3.0)
    low, high = figures[ALL].equal.interval or (1.0, 0.0)
    assert 0 <= low < 0.5 < high <= 1
    assert figures["names.known"].equal.value is None


def test_round_trips_of_one_article_are_read_in_order_and_drawn_within_the_limit(corpora: Path) -> None:
    texts = trips(corpora, "dev")
    assert {len(text.roundtrip) for text in texts} == {12}
    assert texts[0].originals[0].startswith("The mayor of")
    some = drawn(texts, 30)
    assert sum(len(text.roundtrip) for text in some) == 24
    assert some == drawn(texts, 30)


def test_the_table_is_printed_or_the_missing_corpora_named(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--corpora", str(corpora), "--json", str(tmp_path / "figures.json")]) == 0
    assert capsys.readouterr().out.startswith("| found by | offered per 1,000 sentences")
    assert (tmp_path / "figures.json").read_text("utf-8").startswith("{")
    assert main(["--corpora", str(tmp_path)]) == 2
    assert "no corpora" in capsys.readouterr().err
