"""How often each rule fires, on round trips and on text that people wrote.

``python -m eval.rules --corpora ../shared/corpora --split dev --language en`` prints a Markdown
table. A rule that does not beat chance here shows nothing to people. Whole texts are few: rules of
text scope are counted on ``train`` too when ``dev`` is asked for; they learn no more from it than
which words are common.

``--languages all``, or ``--languages de,ja``, sets one row per language instead, machine text beside
people's: round trips beside their originals where the split has any, else single-hop translations
beside a professional's of the same sentences. That takes 500 sentences of each.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import sys
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.heuristics import HEURISTICS, Heuristic
from detector.report import Sentence

Text = tuple[str, ...]
"""Consecutive sentences."""

COLUMNS: Final = ("round trip", "original", "native", "informal", "chat", "human translation")
HUMAN: Final = ("original", "native", "human translation")
PAIR: Final = ("people", "machine")
"""The columns of a language's row."""
TEXT_SENTENCES: Final = 10
MIN_TEXT_SENTENCES: Final = 5
_PLACE: Final = ("year", "docid", "line")
MIN_FIRINGS = 20
"""With fewer firings in all an interval that holds 1 decides nothing; the operating points ask as much."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many texts or sentences a rule fired on.

    Attributes:
        fired: Those with evidence.
        of: All that were read.
    """

    fired: int
    of: int

    @property
    def per_thousand(self) -> float:
        """Fired, per 1,000; nan where nothing was read."""
        return 1000 * self.fired / self.of if self.of else math.nan


@dataclass(frozen=True, slots=True)
class Result:
    """What one rule does on each column.

    Attributes:
        rule: The rule's id.
        scope: ``"sentence"`` or ``"text"``: what its rates count.
        rates: Rate by column; a column without data is missing.
        examples: Firings by column, each with the found words in brackets.
    """

    rule: str
    scope: str
    rates: Mapping[str, Rate]
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def ratio(self) -> tuple[float, float, float]:
        """Likelihood ratio of round trips to what people wrote or translated, with its 95 % interval.

        Half a firing is added to either side of the ratio, so that a rule that never fires on
        people's text has one. The interval is exact: of two Poisson rates given their sum
        (Przyborowski and Wilenski 1940). Round trips of one original count as independent.
        """
        machine, human = self._counted()
        if not machine.of or not human.of:
            return math.nan, math.nan, math.nan
        ratio = (machine.fired + 0.5) / machine.of / ((human.fired + 0.5) / human.of)
        low, high = share_interval(machine.fired, machine.fired + human.fired)
        return ratio, _odds(low) * human.of / machine.of, _odds(high) * human.of / machine.of

    @property
    def beats_chance(self) -> bool | None:
        """Whether the interval lies above 1; None where it holds 1 but too few firings made it wide."""
        machine, human = self._counted()
        if not machine.of or not human.of:
            return None
        if self.ratio[1] > 1:
            return True
        return None if machine.fired + human.fired < MIN_FIRINGS else False

    def to_dict(self) -> dict[str, Any]:
        """Give the figures as plain values, rates per 1,000."""
        ratio, low, high = (None if math.isnan(value) else round(value, 3) for value in self.ratio)
        return {
            "scope": self.scope,
            **{column: round(rate.per_thousand, 3) for column, rate in self.rates.items()},
            "fired": {column: rate.fired for column, rate in self.rates.items()},
            "of": {column: rate.of for column, rate in self.rates.items()},
            "ratio": ratio,
            "interval": [low, high],
            "beats_chance": self.beats_chance,
        }

    def _counted(self) -> tuple[Rate, Rate]:
        human = [self.rates[column] for column in HUMAN if column in self.rates]
        pooled = Rate(sum(rate.fired for rate in human), sum(rate.of for rate in human))
        return self.rates.get("round trip", Rate(0, 0)), pooled


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else math.inf


def share_interval(hits: int, of: int, *, tail: float = 0.025) -> tuple[float, float]:
    """Give the exact interval of a binomial share, by bisection (Clopper and Pearson 1934)."""

    def chance(share: float, k: int) -> float:
        ways = math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1)
        return math.exp(ways + k * math.log(share) + (of - k) * math.log1p(-share))

    def above(share: float, least: int) -> float:
        return sum(chance(share, k) for k in range(least, of + 1))

    def solve(least: int, wanted: float) -> float:
        low, high = 0.0, 1.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (middle, high) if above(middle, least) < wanted else (low, middle)
        return low

    return solve(hits, tail) if hits else 0.0, solve(hits + 1, 1 - tail) if hits < of else 1.0


def sentences(text: Text) -> list[Sentence]:
    """Set lines one below the other and give each with its offsets."""
    found, start = [], 0
    for line in text:
        found.append(Sentence(line, start, start + len(line)))
        start += len(line) + 1
    return found


def read(corpora: Path, splits: Sequence[str], language: str) -> dict[str, list[Text]]:
    """Read every column of a language as texts of ten consecutive sentences, by column.

    Native text that is also an original stands in one column only. Missing tables are missing
    columns.

    Raises:
        FileNotFoundError: If ``corpora`` has no ``human/native.parquet``.
    """
    human = corpora / "human"
    news = ["text", "origlang", "year", "docid", "line"]
    columns = {
        "native": _texts(_rows(human / "native.parquet", splits, language, news), "text", *news[1:4]),
        "human translation": _texts(
            _rows(human / "human_translation.parquet", splits, language, news), "text", *news[1:4]
        ),
    }
    if language == "en":
        informal = _rows(human / "informal_ewt.parquet", splits, language, ["text", "sent_id"])
        columns["informal"] = _texts(
            [{**row, "doc": row["sent_id"].rpartition("-")[0]} for row in informal], "text", "doc"
        )
        columns["chat"] = _texts(
            _rows(human / "chat.parquet", splits, language, ["text", "src"]), "text", "src"
        )
    trips = corpora / "roundtrip" / f"{language}.parquet"
    if trips.exists():
        names = [
            "original_id",
            "pivot",
            "engine",
            "year",
            "docid",
            "line",
            "identical",
            "original",
            "roundtrip",
        ]
        rows = _rows(trips, splits, language, names)
        originals = {row["original_id"]: row for row in rows}
        columns["original"] = _texts(originals.values(), "original", "year", "docid")
        known = {row["original"] for row in rows}
        columns["native"] = [text for text in columns["native"] if known.isdisjoint(text)]
        changed = [row for row in rows if not row["identical"]]
        columns["round trip"] = _texts(changed, "roundtrip", "year", "docid", "pivot", "engine")
    return {column: texts for column, texts in columns.items() if texts}


@dataclass(frozen=True, slots=True)
class LanguageResults:
    """What every rule does on the text of one language.

    Attributes:
        language: ISO 639 code.
        source: ``"roundtrip"``, round trips beside their originals, or ``"single_hop"``,
            machine translations beside a person's.
        results: One result per rule, in the order of ``HEURISTICS``; its columns are ``PAIR``.
    """

    language: str
    source: str
    results: Sequence[Result]

    def to_dict(self) -> dict[str, Any]:
        """Give the figures as plain values, rates per 1,000 sentences or texts."""
        rules = {
            result.rule: {
                "scope": result.scope,
                **{name: _rounded(rate.per_thousand) for name, rate in result.rates.items()},
                "fired": {name: rate.fired for name, rate in result.rates.items()},
                "of": {name: rate.of for name, rate in result.rates.items()},
            }
            for result in self.results
        }
        return {"source": self.source, "rules": rules}


def _rounded(rate: float) -> float | None:
    return None if math.isnan(rate) else round(rate, 3)


def languages(corpora: Path) -> list[str]:
    """Give the codes of all languages with machine text, in alphabetical order.

    Raises:
        FileNotFoundError: If ``corpora`` has no table of them.
    """
    found = {
        file.stem for folder in ("roundtrip", "single_hop") for file in corpora.glob(f"{folder}/*.parquet")
    }
    if not found:
        raise FileNotFoundError(f"{corpora}: no roundtrip or single_hop")
    return sorted(found)


def read_pair(corpora: Path, splits: Sequence[str], language: str) -> tuple[str, dict[str, list[Text]]]:
    """Read what machines made of a language and what people wrote, as texts of ten sentences.

    Machine text that equals its person's is left out.

    Returns:
        The source, ``"roundtrip"`` where the splits hold round trips, else ``"single_hop"``; and
        the texts by column of ``PAIR``.

    Raises:
        FileNotFoundError: If no table of the language is there.
    """
    sources = (
        ("roundtrip", "original_id", "original", "roundtrip", ("pivot", "engine")),
        ("single_hop", "human_id", "human", "machine", ("source_lang", "engine")),
    )
    paths = {source[0]: corpora / source[0] / f"{language}.parquet" for source in sources}
    if not any(path.exists() for path in paths.values()):
        raise FileNotFoundError(f"no table of {language} in {corpora}")
    for source, identity, person, machine, made_by in sources:
        if not paths[source].exists():
            continue
        rows = _rows(paths[source], splits, language, [identity, person, machine, *made_by, *_PLACE])
        if rows:
            people = {row[identity]: row for row in rows}.values()
            changed = [row for row in rows if row[person] != row[machine]]
            return source, {
                "people": _texts(people, person, "year", "docid"),
                "machine": _texts(changed, machine, "year", "docid", *made_by),
            }
    return "single_hop", {name: [] for name in PAIR}


def _rows(path: Path, splits: Sequence[str], language: str, names: list[str]) -> list[dict[str, Any]]:
    table = pq.read_table(path, columns=[*names, "lang", "split"])
    table = table.filter(
        pc.and_(pc.is_in(table["split"], pa.array(splits)), pc.equal(table["lang"], language))
    )
    rows: list[dict[str, Any]] = table.select(names).to_pylist()
    return rows


def _texts(rows: Iterable[Mapping[str, Any]], column: str, *keys: str) -> list[Text]:
    groups: defaultdict[Hashable, list[tuple[int, str]]] = defaultdict(list)
    for position, row in enumerate(rows):
        line = row.get("line")
        groups[tuple(row[key] for key in keys)].append((position if line is None else int(line), row[column]))
    return [
        tuple(line for _, line in group[i : i + TEXT_SENTENCES])
        for group in (sorted(group) for group in groups.values())
        for i in range(0, len(group), TEXT_SENTENCES)
    ]


def sample(texts: Sequence[Text], limit: int, *, seed: int) -> list[Text]:
    """Draw texts of at most ``limit`` sentences together, the same ones for the same seed."""
    drawn: list[Text] = []
    size = 0
    for text in random.Random(seed).sample(texts, len(texts)):
        if size + len(text) <= limit:
            drawn.append(text)
            size += len(text)
    return drawn


def measure(
    rule: Heuristic, columns: Mapping[str, Sequence[Text]], language: str, *, examples: int = 0
) -> Result:
    """Count the sentences, or for a rule of text scope the texts, in which ``rule`` fires."""
    rates: dict[str, Rate] = {}
    shown: defaultdict[str, list[str]] = defaultdict(list)
    for column in (name for name in (*COLUMNS, *PAIR) if name in columns):
        units = list(_units(columns[column], rule.scope))
        fired = 0
        for unit in units:
            found = rule.find(unit, language)
            fired += bool(found)
            if found and len(shown[column]) < examples:
                whole = "\n".join(sentence.text for sentence in unit)
                base = unit[0].start
                shown[column] += [
                    marked(whole, e.start - base, e.end - base, e.suggestions) for e in found[:2]
                ]
        rates[column] = Rate(fired, len(units))
    return Result(rule.id, rule.scope, rates, shown)


def _units(texts: Sequence[Text], scope: str) -> Iterator[list[Sentence]]:
    for text in texts:
        if scope == "sentence":
            yield from ([sentence] for sentence in sentences(text))
        elif len(text) >= MIN_TEXT_SENTENCES:
            yield sentences(text)


def marked(whole: str, start: int, end: int, suggestions: Sequence[str]) -> str:
    """Give a span of ``whole`` in brackets, with what stands about it and the first suggestion."""
    shown = f"{whole[max(0, start - 90) : start]}[[{whole[start:end]}]]{whole[end : end + 60]}"
    return re.sub(r"\s+", " ", shown) + (f" -> {suggestions[0]}" if suggestions else "")


def markdown(results: Sequence[Result]) -> str:
    """Lay the results out as a Markdown table; rates per 1,000 sentences, or per 100 texts."""
    lines = [
        "| rule | " + " | ".join(COLUMNS) + " | ratio (95 %) | beats chance |",
        "| --- |" + " ---: |" * (len(COLUMNS) + 1) + " --- |",
    ]
    for result in results:
        per = 1.0 if result.scope == "sentence" else 0.1
        cells = [
            f"{per * result.rates[column].per_thousand:.2f}" if column in result.rates else "-"
            for column in COLUMNS
        ]
        ratio, low, high = result.ratio
        verdict = {True: "yes", False: "no", None: "undecided"}[result.beats_chance]
        name = result.rule if result.scope == "sentence" else f"{result.rule} (per 100 texts)"
        span = "-" if math.isnan(ratio) else f"{ratio:.2f} ({low:.2f}-{high:.2f})"
        lines.append(f"| {name} | {' | '.join(cells)} | {span} | {verdict} |")
    return "\n".join(lines)


def markdown_by_language(measured: Sequence[LanguageResults]) -> str:
    """Lay languages out as a Markdown table, "people / machine" in each cell.

    Rates are per 1,000 sentences, of rules of text scope per 100 texts; "-" stands where neither
    side fired.
    """
    rules = [f"{rule.id} (per 100 texts)" if rule.scope == "text" else rule.id for rule in HEURISTICS]
    lines = [
        f"| language | machine text | sentences | texts | {' | '.join(rules)} |",
        "| --- | --- |" + " ---: |" * (len(rules) + 2),
    ]
    for row in measured:
        read = {
            result.scope: " / ".join(f"{result.rates[name].of:,}" for name in PAIR) for result in row.results
        }
        cells = [_pair_cell(result) for result in row.results]
        source = row.source.replace("_", " ")
        lines.append(
            f"| {row.language} | {source} | {read['sentence']} | {read['text']} | {' | '.join(cells)} |"
        )
    return "\n".join(lines)


def _pair_cell(result: Result) -> str:
    if not any(rate.fired for rate in result.rates.values()):
        return "-"
    per = 1.0 if result.scope == "sentence" else 0.1
    return " / ".join(f"{per * result.rates[name].per_thousand:.1f}" for name in PAIR)


def main(arguments: list[str] | None = None) -> int:
    """Print the table; exit code 0, or 2 where the corpora are not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"), help="corpora folder")
    parser.add_argument("--split", choices=("train", "dev", "test"), default="dev")
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--language", default="en", help="ISO 639-1 code")
    asked.add_argument("--languages", help="all, or codes with commas: a row for each")
    parser.add_argument("--limit", type=int, help="sentences per column; 20,000, with --languages 500")
    parser.add_argument(
        "--text-limit", type=int, help="sentences per column, for whole texts; 60,000, with --languages 1,000"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--examples", type=int, default=0, help="firings to print per rule and column")
    options = parser.parse_args(arguments)
    by_language = options.languages is not None
    limits = {
        "sentence": options.limit or (500 if by_language else 20_000),
        "text": options.text_limit or (1_000 if by_language else 60_000),
    }
    splits = {
        "sentence": (options.split,),
        "text": ("train", "dev") if options.split == "dev" else (options.split,),
    }
    try:
        table = (_by_language if by_language else _by_column)(options, splits, limits)
    except FileNotFoundError as error:
        print(f"no corpora: {error}", file=sys.stderr)
        return 2
    if options.json:
        options.json.write_text(json.dumps(table, indent=2) + "\n", "utf-8")
    return 0


def _by_column(
    options: argparse.Namespace, splits: Mapping[str, Sequence[str]], limits: Mapping[str, int]
) -> dict[str, Any]:
    drawn = {
        scope: {
            column: sample(texts, limit, seed=options.seed)
            for column, texts in read(options.corpora, splits[scope], options.language).items()
        }
        for scope, limit in limits.items()
    }
    results = [
        measure(rule, drawn[rule.scope], options.language, examples=options.examples) for rule in HEURISTICS
    ]
    print(markdown(results))
    _print_examples(results)
    return {result.rule: result.to_dict() for result in results}


def _by_language(
    options: argparse.Namespace, splits: Mapping[str, Sequence[str]], limits: Mapping[str, int]
) -> dict[str, Any]:
    codes = languages(options.corpora) if options.languages == "all" else options.languages.split(",")
    measured = []
    for language in codes:
        source, whole = read_pair(options.corpora, splits["sentence"], language)
        columns = {"sentence": whole, "text": whole}
        if splits["text"] != splits["sentence"]:
            columns["text"] = read_pair(options.corpora, splits["text"], language)[1]
        drawn = {
            scope: {
                column: sample(texts, limits[scope], seed=options.seed) for column, texts in found.items()
            }
            for scope, found in columns.items()
        }
        results = [
            measure(rule, drawn[rule.scope], language, examples=options.examples) for rule in HEURISTICS
        ]
        measured.append(LanguageResults(language, source, results))
        _print_examples(results, language)
    print(markdown_by_language(measured))
    return {row.language: row.to_dict() for row in measured}


def _print_examples(results: Sequence[Result], *of: str) -> None:
    for result in results:
        for column, lines in result.examples.items():
            print("\n" + ", ".join((*of, result.rule, column)), *lines, sep="\n  ", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
