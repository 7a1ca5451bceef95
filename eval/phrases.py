"""How often mined phrases are shown, how often rightly, and how often their suggestion is the author's.

``python -m eval.phrases --corpora ../shared/corpora --split dev --languages en,de``
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from detector import Detector
from detector.alignment import align, fold_form, words
from detector.heuristics import HEURISTICS, phrases
from detector.report import Evidence, Sentence
from training.corpora import roundtrips
from training.examples import marked_words
from training.phrases import LANGUAGES, stood

from .rules import COLUMNS, Text, measure, read, sample

RULE = next(rule for rule in HEURISTICS if rule.id == phrases.ID)
PER_ORIGINAL = {"newstest": 8, "flores": 8}
"""Round trips of one original that are read."""


@dataclass(frozen=True, slots=True)
class Firings:
    """What was found in round trips, held against their originals.

    Attributes:
        sentences: Round trips read.
        found: Phrases found in them.
        science: Those of ``found`` that are of the scientific list.
        changed: Those that hold a word without a counterpart in the original.
        offered: Those with a suggestion.
        first_equal: Those whose first suggestion is the original's wording in that place.
        any_equal: Those with a suggestion that is.
    """

    sentences: int
    found: int
    science: int
    changed: int
    offered: int
    first_equal: int
    any_equal: int


@dataclass(frozen=True, slots=True)
class Marked:
    """What was found in round trips that somebody read.

    Attributes:
        sentences: Round trips read by people who say where the errors are.
        found: Phrases found in them.
        marked: Those that hold a word in an error.
        words: All their words.
        words_marked: Those in an error: what chance would find.
    """

    sentences: int
    found: int
    marked: int
    words: int
    words_marked: int


def find(text: str, language: str) -> list[Evidence]:
    """Give what the rule finds in one sentence."""
    return RULE.find([Sentence(text, 0, len(text))], language)


def is_science(text: str, evidence: Evidence, language: str) -> bool:
    """Tell whether a found phrase is of the scientific list."""
    known = phrases.table(language)
    key = " ".join(fold_form(word.text) for word in words(text[evidence.start : evidence.end]))
    return known is not None and not known.phrases[key].stood


def against_originals(pairs: Iterable[tuple[str, str]], language: str, *, examples: list[str]) -> Firings:
    """Hold what is found in round trips against their originals.

    Args:
        pairs: Original and round trip.
        language: ISO 639 code.
        examples: Gets a line for each phrase found.
    """
    sentences = found = science = changed = offered = first = anywhere = 0
    for original, roundtrip in pairs:
        sentences += 1
        if not (evidence := find(roundtrip, language)):
            continue
        alignment = align(original, roundtrip, language)
        for e in evidence:
            inside = [k for k, w in enumerate(alignment.roundtrip) if e.start <= w.start < e.end]
            i, j = inside[0], inside[-1] + 1
            span = stood(alignment.original, alignment.links, i, j)
            wording = _folded(original[slice(*span)]) if span else None
            suggested = [_folded(s) for s in e.suggestions]
            found += 1
            science += is_science(roundtrip, e, language)
            changed += any(alignment.changed[i:j])
            offered += bool(suggested)
            first += wording in suggested[:1]
            anywhere += wording in suggested
            marked = f"{roundtrip[: e.start]}[[{roundtrip[e.start : e.end]}]]{roundtrip[e.end :]}"
            examples.append(f"{marked} -> {' | '.join(e.suggestions)} (original: {original})")
    return Firings(sentences, found, science, changed, offered, first, anywhere)


def _folded(text: str) -> str:
    return " ".join(fold_form(word.text) for word in words(text))


def against_readers(gold: pd.DataFrame, language: str) -> Marked:
    """Hold what is found in round trips against what readers marked in them (columns roundtrip, marks)."""
    sentences = found = marked = total = wrong = 0
    for text, marks in zip(gold["roundtrip"], gold["marks"], strict=True):
        said = marked_words(text, marks) or ()
        sentences += 1
        total += len(said)
        wrong += sum(bad > 0 for _, _, bad in said)
        for e in find(text, language):
            found += 1
            marked += any(bad > 0 for start, _, bad in said if e.start <= start < e.end)
    return Marked(sentences, found, marked, total, wrong)


def shown(texts: Iterable[Text]) -> dict[str, float]:
    """Count the evidence that is shown on texts, all finders together, per 1,000 sentences, by finder."""
    detector = Detector.from_pretrained()
    counts: dict[str, int] = {}
    sentences = 0
    for text in texts:
        report = detector.analyze("\n".join(text))
        sentences += len(text)
        for e in (*report.evidence, *(e for s in report.sentences for e in s.evidence)):
            counts[e.found_by] = counts.get(e.found_by, 0) + 1
    return {"all": 1000 * sum(counts.values()) / sentences} | {
        finder: 1000 * n / sentences for finder, n in sorted(counts.items())
    }


def _share(hits: int, of: int) -> str:
    return f"{hits / of:.1%} ({hits:,}/{of:,})" if of else "-"


def markdown(
    results: Mapping[str, Mapping[str, float]], trips: Mapping[str, Firings], read_: Mapping[str, Marked]
) -> str:
    """Lay the figures out as Markdown tables, a row for each language."""
    lines = [
        "Sentences in which a phrase is found, per 1,000:",
        "",
        "| language | " + " | ".join(COLUMNS) + " |",
        "| --- |" + " ---: |" * len(COLUMNS),
    ]
    for language, rates in results.items():
        cells = [f"{rates[c]:.2f}" if c in rates and not math.isnan(rates[c]) else "-" for c in COLUMNS]
        lines.append(f"| {language} | {' | '.join(cells)} |")
    lines += [
        "",
        "| language | round trips | found | of the scientific list | really changed | marked by readers "
        "| of any words | offered | first is the original | any is the original |",
        "| --- |" + " ---: |" * 9,
    ]
    for language, f in trips.items():
        m = read_.get(language)
        cells = [
            f"{f.sentences:,}", f"{f.found:,}", _share(f.science, f.found), _share(f.changed, f.found),
            _share(m.marked, m.found) if m else "-", _share(m.words_marked, m.words) if m else "-",
            _share(f.offered, f.found), _share(f.first_equal, f.offered), _share(f.any_equal, f.offered),
        ]  # fmt: skip
        lines.append(f"| {language} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; exit code 0, or 2 where the corpora are not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"), help="corpora folder")
    parser.add_argument("--gold", type=Path, default=Path("runs/gold"), help="folder of `training.damage`")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--languages", default=",".join(LANGUAGES), help="ISO 639 codes, with commas between")
    parser.add_argument("--limit", type=int, default=20_000, help="sentences per column")
    parser.add_argument(
        "--shown", type=int, default=0, help="native English sentences the whole detector reads"
    )
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--examples", type=int, default=0, help="firings to print per language and column")
    options = parser.parse_args(arguments)
    results: dict[str, dict[str, float]] = {}
    trips: dict[str, Firings] = {}
    marked: dict[str, Marked] = {}
    together: dict[str, float] = {}
    try:
        for language in options.languages.split(","):
            columns = {
                column: sample(texts, options.limit, seed=0)
                for column, texts in read(options.corpora, (options.split,), language).items()
            }
            counted = measure(RULE, columns, language, examples=options.examples)
            results[language] = {column: rate.per_thousand for column, rate in counted.rates.items()}
            frame = roundtrips(options.corpora, language, options.split, per_original=PER_ORIGINAL)
            lines: list[str] = []
            pairs = zip(frame["original"], frame["roundtrip"], strict=True)
            trips[language] = against_originals(pairs, language, examples=lines)
            gold = options.gold / f"{language}-{options.split}.parquet"
            if gold.is_file():
                located = pd.read_parquet(gold, columns=["roundtrip", "marks"]).dropna(subset=["marks"])
                marked[language] = against_readers(located, language)
            if options.examples:
                some = random.Random(0).sample(lines, min(options.examples, len(lines)))
                print(f"\n{language}, round trips", *some, sep="\n  ", file=sys.stderr)
                for column, texts in counted.examples.items():
                    print(f"\n{language}, {column}", *texts, sep="\n  ", file=sys.stderr)
            if options.shown and language == "en":
                together = shown(sample(columns["native"], options.shown, seed=1))
    except FileNotFoundError as error:
        print(f"no corpora: {error}", file=sys.stderr)
        return 2
    print(markdown(results, trips, marked))
    if together:
        print("\nShown on native English news, per 1,000 sentences:", json.dumps(together, indent=1))
    if options.json:
        figures = {
            "per_thousand": results,
            "round_trips": {k: asdict(v) for k, v in trips.items()},
            "readers": {k: asdict(v) for k, v in marked.items()},
            "shown": together,
        }
        options.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
