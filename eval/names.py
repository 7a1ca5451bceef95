"""How well the rules for names find what they should, and how often they fire on honest text.

``python -m eval.names --corpora ../shared/corpora --split test`` prints three Markdown tables:

- our own texts (``tests/data/names.jsonl``): those looked at while the rules were made, and for
  ``test`` those held out;
- names that a round trip damaged (``labels/name_damage``): each text is the article as it was
  written with that one sentence replaced by its round trip, where the right name stands
  elsewhere in the article too;
- native news by language, where the script has capitals: articles where they are known, else
  runs of 20 consecutive sentences.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.heuristics import HEURISTICS, Heuristic
from detector.heuristics.lexicon import lexicon, words
from detector.heuristics.names import spellings
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


def repairs(text: Text, language: str, found: Iterable[Evidence], wrong: str, right: str) -> bool:
    """Tell whether some evidence points at ``wrong`` and names the spelling that makes it ``right``.

    That is its first suggestion or, where it makes none, the spelling that it says stands elsewhere.

    Example:
        >>> e = Evidence(0, 2, "name", 0.8, "names.known", "One name.", ("Xi",))
        >>> repairs(("Ji Weimin left.",), "en", [e], "Ji Weimin", "Xi Weimin")
        True
    """
    whole = "\n".join(text)
    elsewhere = spellings(sentences(text), language)
    for e in found:
        first = max(0, e.start - len(wrong))
        before, damaged, after = (
            whole[first : e.start],
            whole[e.start : e.end],
            whole[e.end : e.end + len(wrong)],
        )
        other = e.suggestions[0] if e.suggestions else elsewhere.get(damaged, "")
        if wrong in before + damaged + after and right in before + other + after:
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
    return repairs(case.text, case.language, found, case.wrong or "", case.right or "")


def articles(corpora: Path, split: str) -> dict[str, list[Text]]:
    """Read native news of at least five sentences as whole texts, by language with capitals.

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
    tables = {language: lexicon(language) for language in sorted(found)}
    return {language: found[language] for language, table in tables.items() if table and table.cased}


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


def markdown(
    cases: Mapping[str, Mapping[str, Rate]], damaged: Rate, native: Mapping[str, Sequence[Rate]]
) -> str:
    """Lay the figures out as three Markdown tables; shares in %, with exact 95 % intervals."""
    lines = ["| our own texts | drifts found | honest texts wrongly marked |", "| --- | ---: | ---: |"]
    lines += [f"| {part} | {_share(row['found'])} | {_share(row['false'])} |" for part, row in cases.items()]
    lines += [
        "",
        "| articles with one damaged name | found |",
        "| --- | ---: |",
        f"| en | {_share(damaged)} |",
    ]
    rules = " | ".join(rule.id for rule in RULES)
    lines += ["", f"| native news | texts with either | {rules} |", "| --- |" + " ---: |" * (len(RULES) + 1)]
    pooled = [
        Rate(sum(rate.fired for rate in column), sum(rate.of for rate in column))
        for column in zip(*native.values(), strict=True)
    ]
    lines += [
        f"| {language} | {' | '.join(map(_share, rates))} |"
        for language, rates in {**native, "all": pooled}.items()
    ]
    return "\n".join(lines)


def _share(rate: Rate) -> str:
    if not rate.of:
        return "-"
    low, high = (100 * end for end in share_interval(rate.fired, rate.of))
    return f"{rate.fired} of {rate.of}: {rate.per_thousand / 10:.1f} ({low:.1f}-{high:.1f})"


def measure_native(texts: Sequence[Text], language: str) -> tuple[list[Rate], list[str]]:
    """Count native texts in which a rule for names fires: any of them, then each.

    Returns:
        The rates, and what was found, each name once a text, to be read.
    """
    fired = Counter[str]()
    shown = []
    for text in texts:
        found = evidence(text, language)
        fired.update({e.found_by for e in found} | ({"any"} if found else set()))
        whole = "\n".join(text)
        once = {whole[e.start : e.end]: e for e in reversed(found)}
        shown += [f"{e.found_by} {marked(whole, e.start, e.end, e.suggestions)}" for e in once.values()]
    return [Rate(fired[name], len(texts)) for name in ("any", *(rule.id for rule in RULES))], shown


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; exit code 0, or 2 where the corpora are not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"), help="corpora folder")
    parser.add_argument("--split", choices=("train", "dev", "test"), default="dev")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--examples", action="store_true", help="print what fires on native news")
    options = parser.parse_args(arguments)
    every = read_cases()
    parts = {"looked at": False} | ({"held out": True} if options.split == "test" else {})
    try:
        damaged = damaged_articles(options.corpora, options.split)
        texts = articles(options.corpora, options.split)
    except FileNotFoundError as error:
        print(f"no corpora: {error}", file=sys.stderr)
        return 2
    cases = {name: measure_cases([c for c in every if c.held_out is part]) for name, part in parts.items()}
    hits = sum(repairs(text, "en", evidence(text, "en"), wrong, right) for text, wrong, right in damaged)
    repaired = Rate(hits, len(damaged))
    native = {language: measure_native(some, language) for language, some in texts.items()}
    print(markdown(cases, repaired, {language: rates for language, (rates, _) in native.items()}))
    if options.examples:
        print("\n".join(f"{language} {line}" for language, (_, lines) in native.items() for line in lines))
    if options.json:
        figures = {
            "cases": {part: {name: _pair(rate) for name, rate in row.items()} for part, row in cases.items()},
            "damaged names": _pair(repaired),
            "native": {language: [_pair(rate) for rate in rates] for language, (rates, _) in native.items()},
        }
        options.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0


def _pair(rate: Rate) -> list[int]:
    return [rate.fired, rate.of]


if __name__ == "__main__":
    raise SystemExit(main())
