"""How often a term swapped as a translator swaps it is pointed at, and how often its clean twin.

`python -m eval.swaps` reads our own texts, ``tests/data/swaps.jsonl``: in each, one term has the
sense that another language confuses with its own. Half of them are held out: rules and thresholds
are chosen without them.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector import Detector
from detector.report import Evidence, Report

SWAPS = Path("tests/data/swaps.jsonl")


@dataclass(frozen=True, slots=True)
class Swap:
    """A text with one swapped term, and its twin.

    Attributes:
        topic: What the text is about, in a word.
        held_out: Whether it is only measured on.
        text: With the swapped term at ``text[start:end]``.
        start: First character of the swapped term.
        end: One past its last.
        wrong: The swapped term.
        right: What it replaced.
        clean: The text before the swap.
    """

    topic: str
    held_out: bool
    text: str
    start: int
    end: int
    wrong: str
    right: str
    clean: str


@dataclass(frozen=True, slots=True)
class Pointed:
    """How many texts one finder points at.

    Attributes:
        swaps: Texts in which it marks the swapped term.
        elsewhere: Texts in which it marks another place.
        twins: Clean twins in which it marks any place.
    """

    swaps: int
    elsewhere: int
    twins: int


def read(path: Path = SWAPS) -> list[Swap]:
    """Read the set, in the order of its lines."""
    return [Swap(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def measure(swaps: Sequence[Swap], detector: Detector) -> dict[str, Pointed]:
    """Count what each finder points at, by its name in ``Evidence.found_by``; "any" is all of them."""
    at, elsewhere, twins = Counter[str](), Counter[str](), Counter[str]()
    for swap in swaps:
        found = list(_evidence(detector.analyze(swap.text, language="en")))
        at.update(_finders(e for e in found if e.start < swap.end and e.end > swap.start))
        elsewhere.update(_finders(e for e in found if e.start >= swap.end or e.end <= swap.start))
        twins.update(_finders(_evidence(detector.analyze(swap.clean, language="en"))))
    names = sorted({"any", *at, *elsewhere, *twins})
    return {name: Pointed(at[name], elsewhere[name], twins[name]) for name in names}


def _evidence(report: Report) -> Iterator[Evidence]:
    yield from report.evidence
    for sentence in report.sentences:
        yield from sentence.evidence


def _finders(evidence: Iterator[Evidence]) -> set[str]:
    names = {e.found_by for e in evidence}
    return names | {"any"} if names else names


def main(arguments: list[str] | None = None) -> int:
    """Print a table for each half; exit code 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", help="model folder or hub id; the embedded one")
    parser.add_argument("--held-out", action="store_true", help="measure the held-out half too")
    options = parser.parse_args(arguments)
    detector = Detector.from_pretrained(options.model) if options.model else Detector.from_pretrained()
    print("| half | found by | texts | swap pointed at | another place | twin pointed at |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for held_out in (False, True)[: 1 + options.held_out]:
        half = [swap for swap in read() if swap.held_out is held_out]
        for name, n in measure(half, detector).items():
            label = "held out" if held_out else "development"
            print(f"| {label} | {name} | {len(half)} | {n.swaps} | {n.elsewhere} | {n.twins} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
