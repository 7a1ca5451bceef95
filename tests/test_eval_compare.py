from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from detector import Detector
from eval.compare import (
    EDITS,
    Unit,
    articles,
    lay,
    main,
    merge,
    reused,
    sentence_links,
    split,
    substitutions,
)

pytest_plugins = ["tests.corpora_fixture"]

ORIGINALS = (
    "The council voted on Tuesday, and the mayor wept.",
    "Two trawlers ran aground that night.",
    "The harbour office will close the pier until spring.",
    "Critics called the plan a monument to vanity.",
)
STRANGERS = ("Farmers near Brenn expect a poor harvest.", "The last train leaves at nine.")


def units(texts: tuple[str, ...], line: int | None = None) -> list[Unit]:
    return [Unit.of(text, i if line is None else line) for i, text in enumerate(texts)]


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize("seed", range(5))
def test_known_parts_stand_where_they_are_said_to(name: str, seed: int) -> None:
    edited = EDITS[name](units(ORIGINALS), units(STRANGERS, -1), np.random.default_rng(seed))
    laid = lay(ORIGINALS, edited, " ")
    for (start, end), parts in laid.trips:
        words = " ".join(laid.text[a:b] for a, b in parts)
        # editing changes capitals and marks, never letters
        kept = [c for c in words.casefold() if c.isalnum()]
        assert kept == [c for c in laid.original[start:end].casefold() if c.isalnum()]
    units_there = {laid.text[a:b] for a, b in laid.units}
    assert units_there == {unit.text for unit in edited}


def test_merging_and_splitting_keep_the_length() -> None:
    for seed in range(9):
        rng = np.random.default_rng(seed)
        for edit in (merge, split):
            edited = edit(units(ORIGINALS), [], rng)
            assert len(" ".join(u.text for u in edited)) == len(" ".join(ORIGINALS))


def test_a_perfect_comparison_gets_full_marks_and_a_wrong_one_does_not() -> None:
    back = (*ORIGINALS[:2], "The port office will close the dock until spring.", ORIGINALS[3])
    laid = lay(ORIGINALS, units(back), " ")
    found = Detector.compare(laid.text, laid.original, language="en")
    for count in (sentence_links(laid, found), substitutions(laid, found, "en")):
        assert count.both == count.found == count.gold > 0
    assert found.reused == pytest.approx(reused(laid, "en"))
    wrong = lay(ORIGINALS, [Unit.of(text, 3 - i) for i, text in enumerate(back)], " ")
    assert sentence_links(wrong, found).both == 0


def test_articles_are_whole_and_in_order(corpora: Path) -> None:
    found = list(articles(corpora, "en", "train", 3))
    assert len(found) == 3
    assert all(list(frame["line"]) == sorted(frame["line"]) for frame in found)
    assert len({frame["docid"][0] for frame in found}) == 3


def test_the_tables_are_printed_and_written(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figures.json"
    assert main(["--corpora", str(corpora), "--articles", "2", "--json", str(out)]) == 0
    assert "| shuffled |" in capsys.readouterr().out
    rows = json.loads(out.read_text())["en"]
    assert set(rows) == set(EDITS)
    assert 0 < rows["as it came back"]["sentences: F1"]["value"] <= 1


def test_time_and_memory_are_those_of_the_command(corpora: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--corpora", str(corpora), "--split", "train", "--size", "40"]) == 0
    assert capsys.readouterr().out.startswith("en: 40 x 40 sentences: ")


def test_missing_corpora_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--corpora", str(tmp_path)]) == 2
    assert "no corpora" in capsys.readouterr().err
