"""Our own texts with one swapped term: each is what it says it is, and is counted as it should be."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from detector import Detector
from detector.report import Evidence
from detector.segment import segment
from eval.swaps import SWAPS, Pointed, Swap, measure, read

SETS = read(SWAPS)


@pytest.mark.parametrize("swap", SETS, ids=[f"{s.topic}-{s.right}" for s in SETS])
def test_a_swap_changes_one_term_of_its_twin(swap: Swap) -> None:
    assert swap.text[swap.start : swap.end] == swap.wrong != swap.right
    assert swap.text[: swap.start] + swap.right + swap.text[swap.end :] == swap.clean
    assert 5 <= len(segment(swap.clean, "en")) <= 9


def test_every_swap_is_another_and_half_are_held_out() -> None:
    assert len(SETS) >= 80
    assert len({s.wrong.lower() for s in SETS}) == len(SETS)
    assert 2 * sum(s.held_out for s in SETS) >= len(SETS)


def test_only_evidence_on_the_swapped_term_counts_as_found() -> None:
    marks = {"a bad word": [(2, 5, "x"), (6, 10, "y")], "a good word": [(7, 11, "y")]}

    def analyze(text: str, *, language: str) -> SimpleNamespace:
        found = [Evidence(start, end, "term", 0.5, by, "") for start, end, by in marks[text]]
        return SimpleNamespace(evidence=found[1:], sentences=[SimpleNamespace(evidence=found[:1])])

    swap = Swap("none", False, "a bad word", 2, 5, "bad", "good", "a good word")
    detector = cast("Detector", SimpleNamespace(analyze=analyze))
    assert measure([swap], detector) == {
        "any": Pointed(1, 1, 1),
        "x": Pointed(1, 0, 0),
        "y": Pointed(0, 1, 1),
    }
