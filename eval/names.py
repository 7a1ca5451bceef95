"""How well the rules for names find what they should, and how often they fire on honest text.

``python -m eval.names --corpora ../shared/corpora --split test`` prints three Markdown tables:

- our own texts (``tests/data/names.jsonl``), by part: those looked at while the rules were made,
  and those held out;
- names that a round trip damaged (``labels/name_damage``): each text is the article as it was
  written with that one sentence replaced by its round trip, where the right name stands
  elsewhere in the article too;
- native news by language: articles where they are known, else runs of 20 consecutive sentences.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.heuristics import HEURISTICS, Heuristic
from detector.heuristics.lexicon import words
from detector.report import Evidence

from .rules import Rate, Text, marked, sentences, share_interval

CASES: Final = Path(__file__).parents[1] / "tests" / "data" / "names.jsonl"
RULES: Final = tuple(rule for rule in HEURISTICS if rule.id.startswith("names."))
RUN_SENTENCES: Final = 20
MIN_SENTENCES: Final = 5
MIN_SIMILARITY: Final = 0.6
"""Mined pairs less alike than this are other words, not other spellings."""


@dataclass(frozen=True, slots=True)
class Case:
    """A text of our own.

    Attributes:
        language: BCP 47 tag.
        case: What it tries, in a word or two.
        held_out: Whether it was kept aside while the rules were made.
        text: Its sentences.
        wrong: The name that must be found, or None where nothing may be.
        right: What must be suggested for it.
    """

    language: str
    case: str
    held_out: bool
    text: Text
    wrong: str | None
    right: str | None


def read_cases(path: Path = CASES) -> list[Case]:
    """Read our own texts, one JSON object a line."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [Case(**{**row, "text": tuple(row["text"].split("\n"))}) for row in rows]


def evidence(text: Text, language: str, rules: Sequence[Heuristic] = RULES) -> list[Evidence]:
    """Give what the rules for names find in a text."""
    return [e for rule in rules for e in rule.find(sentences(text), language)]


def repairs(text: Text, found: Iterable[Evidence], wrong: str, right: str) -> bool:
    """Tell whether some evidence, with its first suggestion put in, turns ``wrong`` into ``right``.

    Example:
        >>> e = Evidence(0, 2, "name", 0.8, "names.drift", "One name.", ("Xi",))
        >>> repairs(("Ji Weimin left.",), [e], "Ji Weimin", "Xi Weimin")
        True
    """
    whole = "\n".join(text)
    for e in found:
        first = max(0, e.start - len(wrong))
        before, damaged, after = (
            whole[first : e.start],
            whole[e.start : e.end],
            whole[e.end : e.end + len(wrong)],
        )
        if wrong in before + damaged + after and right in before + "".join(e.suggestions[:1]) + after:
            return True
    return False


def measure_cases(cases: Sequence[Case]) -> dict[str, Rate]:
    """Count drifts found with the right suggestion, and honest texts in which a rule fires."""
    drifts = [case for case in cases if case.wrong is not None]
    honest = [case for case in cases if case.wrong is None]
    return {
        "found": Rate(sum(_found(case) for case in drifts), len(drifts)),
        "false": Rate(sum(bool(evidence(case.text, case.language)) for case in honest), len(honest)),
    }


def _found(case: Case) -> bool:
    found = evidence(case.text, case.language)
    return repairs(case.text, found, case.wrong or "", case.right or "")


def articles(corpora: Path, split: str) -> dict[str, list[Text]]:
    """Read native news of at least five sentences as whole texts, by language.

    Raises:
        FileNotFoundError: If ``corpora`` has no ``human/native.parquet``.
    """
    names = ["lang", "origlang", "year", "docid", "text", "line"]
    table = pq.read_table(corpora / "human" / "native.parquet", columns=[*names, "split"])
    rows = table.filter(pc.equal(table["split"], split)).select(names).to_pylist()
    groups: defaultdict[tuple[Any, ...], list[tuple[int, str]]] = defaultdict(list)
    for row in rows:
        key = tuple(row[name] for name in names[:4])
        groups[key].append((row["line"], row["text"]))
    found: defaultdict[str, list[Text]] = defaultdict(list)
    for (language, _, _, docid), lines in groups.items():
        whole = tuple(text for _, text in sorted(lines))
        size = RUN_SENTENCES if docid is None else len(whole)
        parts = (whole[i : i + size] for i in range(0, len(whole), size))
        found[language] += [part for part in parts if len(part) >= MIN_SENTENCES]
    return dict(sorted(found.items()))


def damaged_articles(corpora: Path, split: str) -> list[tuple[Text, str, str]]:
    """Give English articles in which one name is damaged in one sentence: text, wrong, right.

    Raises:
        FileNotFoundError: If ``corpora`` lacks ``labels/name_damage.parquet`` or the English round trips.
    """
    labels = pq.read_table(corpora / "labels" / "name_damage.parquet")
    labels = labels.filter(
        pc.and_(pc.equal(labels["split"], split), pc.greater_equal(labels["sim"], MIN_SIMILARITY))
    )
    columns = ["year", "docid", "line", "original"]
    trips = pq.read_table(corpora / "roundtrip" / "en.parquet", columns=columns)
    known: defaultdict[tuple[int, str], dict[int, str]] = defaultdict(dict)
    for row in trips.to_pylist():
        if row["docid"] is not None:
            known[row["year"], row["docid"]][row["line"]] = row["original"]
    found: dict[tuple[Text, str, str], None] = {}
    for label in labels.to_pylist():
        lines = [text for _, text in sorted(known[label["year"], label["docid"]].items())]
        right, wrong = label["name_original"], label["name_roundtrip"]
        rest = [text for text in lines if text != label["original"]]
        if label["original"] in lines and any(right == word[0] for text in rest for word in words(text)):
            text = tuple(label["roundtrip"] if text == label["original"] else text for text in lines)
            found[text, wrong, right] = None
    return list(found)
