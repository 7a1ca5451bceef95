"""How well `detector.compare` finds its way from a whole text back to its original.

``python -m eval.compare --corpora ../shared/corpora --languages en,de,ru,zh --split test`` lays whole
articles beside their round trips, as they came back and after an editor's work on them (sentences
shuffled, merged, split, dropped, added), and prints a Markdown table. Which sentences belong together
is known; what changed within them is what `detector.alignment.align` says of the known pairs. So the
figures tell what is lost by having to find the pairs in whole texts, not whether a change is well
aligned.

``--size 2000`` measures time and memory of the command on texts of so many sentences instead.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from detector import Change, Comparison, Detector, Sentence
from detector.alignment import Alignment, words
from detector.compare import align_sentences, kept_words
from training.corpora import SEED, named, read

from .figures import Figure, Row, Section, Statistic, take
from .metrics import Floats
from .tables import number

RESAMPLES = 200
MIN_SENTENCES, MAX_SENTENCES = 5, 100
"""Of an article; what stands under one docid without being one article is longer."""
ARTICLES = 100
"""Of one language, each in one of its round trips, drawn by article."""
TOUCHED = 0.3
"""Share of sentences that each kind of editing touches."""
_PARAGRAPH = 4  # sentences
_STOPPED = re.compile(r"[.!?…。！？][\"'”’»“』」)]*$")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a unit, and what it was.

    Attributes:
        start: First character in the unit.
        end: One past the last.
        line: Line of the article that it stands for, or -1 where it is from elsewhere.
        order: Its place among the parts of that line.
    """

    start: int
    end: int
    line: int
    order: int = 0


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence of an edited text, with the parts it holds."""

    text: str
    parts: tuple[Part, ...]

    @classmethod
    def of(cls, text: str, line: int, order: int = 0) -> Unit:
        """Make a unit of one part."""
        return cls(text, (Part(0, len(text), line, order),))


Units = list[Unit]
Edit = Callable[[Units, Units, np.random.Generator], Units]
"""Takes an article's sentences and a stranger's."""


def shuffle(units: Units, strangers: Units, rng: np.random.Generator) -> Units:
    """Put the sentences in any order."""
    return [units[k] for k in rng.permutation(len(units))]


def drop(units: Units, strangers: Units, rng: np.random.Generator) -> Units:
    """Leave some out."""
    return [unit for unit in units if rng.random() >= TOUCHED]


def add(units: Units, strangers: Units, rng: np.random.Generator) -> Units:
    """Put sentences of another article between them."""
    edited: Units = []
    waiting = iter(strangers)
    for unit in units:
        edited.append(unit)
        if rng.random() < TOUCHED and (stranger := next(waiting, None)):
            edited.append(stranger)
    return edited


def merge(units: Units, strangers: Units, rng: np.random.Generator) -> Units:
    """Join some with the next by a semicolon; every other character stays in its place."""
    edited: Units = []
    for unit in units:
        last = edited[-1] if edited else None
        if last and len(last.parts) == 1 and last.text[-1] in ".。" and rng.random() < TOUCHED:
            edited[-1] = _joined(last, unit)
        else:
            edited.append(unit)
    return edited


def _joined(one: Unit, other: Unit) -> Unit:
    wide = one.text[-1] == "。"
    head = one.text[:-1] + ("；" if wide else "; ")
    tail = other.text if wide else other.text[0].lower()[:1] + other.text[1:]
    moved = [replace(p, start=p.start + len(head), end=p.end + len(head)) for p in other.parts]
    return Unit(head + tail, (*one.parts, *moved))


def split(units: Units, strangers: Units, rng: np.random.Generator) -> Units:
    """Make two sentences of some that have a comma in their middle half."""
    return [part for unit in units for part in (_halves(unit) if rng.random() < TOUCHED else [unit])]


def _halves(unit: Unit) -> Units:
    size = len(unit.text)
    for comma, stop in ((", ", ". "), ("，", "。")):
        at = unit.text.find(comma, size // 4, 3 * size // 4)
        if at >= 0 and len(unit.parts) == 1:
            rest = unit.text[at + len(comma) :]
            halves = (unit.text[:at] + stop.strip(), rest[:1].upper()[:1] + rest[1:])
            return [Unit.of(half, unit.parts[0].line, order) for order, half in enumerate(halves)]
    return [unit]


def everything(units: Units, strangers: Units, rng: np.random.Generator) -> Units:
    """Drop, split, merge, add and shuffle."""
    for edit in (drop, split, merge, add, shuffle):
        units = edit(units, strangers, rng)
    return units


def nothing(units: Units, strangers: Units, rng: np.random.Generator) -> Units:
    """Leave the round trip as it came back."""
    return units


EDITS: dict[str, Edit] = {
    "as it came back": nothing,
    "shuffled": shuffle,
    "merged": merge,
    "split": split,
    "dropped": drop,
    "added": add,
    "all of these": everything,
}


Span = tuple[int, int]
"""First character and one past the last."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A text and its original whose true pairs are known.

    Attributes:
        text: The edited round trip.
        original: The original.
        units: Every sentence of the text.
        lines: Every sentence of the original.
        links: Which unit holds something of which line.
        trips: For each line that is left what it became, in the order it came back in.
    """

    text: str
    original: str
    units: tuple[Span, ...]
    lines: tuple[Span, ...]
    links: frozenset[tuple[Span, Span]]
    trips: tuple[tuple[Span, tuple[Span, ...]], ...]


def lay(originals: Sequence[str], units: Units, glue: str) -> Laid:
    """Write a text and its original in paragraphs, keeping where everything stands."""
    original, lines = _written(originals, glue)
    text, places = _written([unit.text for unit in units], glue)
    links = set()
    trips: defaultdict[int, list[tuple[int, Span]]] = defaultdict(list)
    for unit, place in zip(units, places, strict=True):
        for part in unit.parts:
            if part.line >= 0:
                links.add((place, lines[part.line]))
                trips[part.line].append((part.order, (place[0] + part.start, place[0] + part.end)))
    became = ((lines[line], tuple(span for _, span in sorted(parts))) for line, parts in trips.items())
    return Laid(text, original, tuple(places), tuple(lines), frozenset(links), tuple(became))


def _written(sentences: Sequence[str], glue: str) -> tuple[str, list[Span]]:
    parts: list[str] = []
    places = []
    offset = 0
    for k, sentence in enumerate(sentences):
        # a headline has no stop: without a paragraph of its own it would be one sentence with the next
        ends = k % _PARAGRAPH == 0 or not _STOPPED.search(sentences[k - 1])
        space = "" if not k else "\n\n" if ends else glue
        parts += [space, sentence]
        offset += len(space)
        places.append((offset, offset + len(sentence)))
        offset += len(sentence)
    return "".join(parts), places


@dataclass(frozen=True, slots=True)
class Count:
    """What was found, what there was to find, and what is both."""

    both: int
    found: int
    gold: int


def sentence_links(laid: Laid, comparison: Comparison) -> Count:
    """Count pairs of known sentences: those in one group against those that belong together."""
    found = set()
    for pair in comparison.pairs:
        here = _covered(laid.units, [comparison.sentences[i] for i in pair.sentences])
        there = _covered(laid.lines, [comparison.original_sentences[j] for j in pair.original_sentences])
        found |= {(one, other) for one in here for other in there}
    return Count(len(found & laid.links), len(found), len(laid.links))


def _covered(spans: Sequence[Span], sentences: Sequence[Sentence]) -> set[Span]:
    """Give the spans that hold at least half of one of the sentences, or are half held by one."""
    return {
        span
        for span in spans
        for s in sentences
        if 2 * (min(span[1], s.end) - max(span[0], s.start)) >= min(span[1] - span[0], s.end - s.start)
    }


def substitutions(laid: Laid, comparison: Comparison, language: str) -> Count:
    """Count substitutions of words with equal ends on both sides and of one kind, against the known pairs'.

    Capitals and marks do not count: editing sentences changes them too.
    """
    gold = {c for _, changes in _aligned(laid, language) for c in changes if _replaces_words(c)}
    found = {c for c in comparison.changes if _replaces_words(c)}
    return Count(len(found & gold), len(found), len(gold))


def _replaces_words(change: Change) -> bool:
    return change.operation == "substitution" and change.kind not in ("casing", "punctuation")


def reused(laid: Laid, language: str) -> float:
    """Give the share of the original's words that stand in the text, by the known pairs."""
    kept = {word.start for alignment, _ in _aligned(laid, language) for word in kept_words(alignment)}
    return len(kept) / sum(not word.is_punctuation for word in words(laid.original))


def _aligned(laid: Laid, language: str) -> Iterator[tuple[Alignment, list[Change]]]:
    for line, parts in laid.trips:
        some = [_sentence(laid.text, part) for part in parts]
        yield align_sentences(some, [_sentence(laid.original, line)], language)


def _sentence(text: str, span: Span) -> Sentence:
    return Sentence(text[slice(*span)], *span)


def articles(corpora: Path, language: str, split: str, most: int) -> Iterator[pd.DataFrame]:
    """Give whole articles, each in one of its round trips, drawn by article."""
    columns = ("docid", "line", "pivot", "engine", "original", "roundtrip", "origin", "year")
    frame = read(corpora, f"roundtrip/{language}", columns, split=split).dropna(subset=["docid"])
    rng = np.random.default_rng(SEED)
    found = [group for _, group in frame.groupby(["origin", "year", "docid"], sort=True)]
    for k in rng.permutation(len(found)):
        trips = [trip for _, trip in found[k].groupby(["pivot", "engine"], sort=True)]
        trip = trips[int(rng.integers(len(trips)))].drop_duplicates("line").sort_values("line")
        if MIN_SENTENCES <= len(trip) <= MAX_SENTENCES and most:
            most -= 1
            yield trip.reset_index(drop=True)


def measure(corpora: Path, language: str, split_name: str, most: int) -> Section:
    """Take every figure of one language, a row for each kind of editing."""
    trips = list(articles(corpora, language, split_name, most))
    glue = "" if language in ("zh", "ja") else " "
    section: Section = {}
    for name, edit in EDITS.items():
        rng = np.random.default_rng(SEED)
        counts: dict[str, list[Count]] = {"sentences": [], "substitutions": []}
        errors = []
        for k, trip in enumerate(trips):
            units = [Unit.of(t, i) for i, t in enumerate(trip["roundtrip"])]
            strangers = [Unit.of(t, -1) for t in trips[k - 1]["roundtrip"]]
            laid = lay(list(trip["original"]), edit(units, strangers, rng), glue)
            comparison = Detector.compare(laid.text, laid.original, language=language)
            counts["sentences"].append(sentence_links(laid, comparison))
            counts["substitutions"].append(substitutions(laid, comparison, language))
            errors.append(abs(comparison.reused - reused(laid, language)))
        section[name] = {**_row(counts), "reused, mean error": Figure(float(np.mean(errors)), len(errors))}
    return section


def _row(counts: dict[str, list[Count]]) -> Row:
    row: Row = {}
    for what, some in counts.items():
        both, found, gold = (np.array(x, dtype=float) for x in zip(*map(_triple, some), strict=True))
        statistics: dict[str, Statistic] = {
            f"{what}: precision": partial(_ratio, both, found),
            f"{what}: recall": partial(_ratio, both, gold),
            f"{what}: F1": partial(_f1, both, found, gold),
        }
        of = int(gold.sum())
        row |= take(statistics, len(some), np.arange(len(some)), n=of, resamples=RESAMPLES)
    return row


def _triple(count: Count) -> tuple[int, int, int]:
    return count.both, count.found, count.gold


def _ratio(part: Floats, whole: Floats, times: Floats) -> float:
    if not (times @ whole):
        raise ValueError("nothing to divide by")
    return float(times @ part / (times @ whole))


def _f1(both: Floats, found: Floats, gold: Floats, times: Floats) -> float:
    return _ratio(2 * both, found + gold, times)


def table(section: Section) -> Iterator[str]:
    """Give the lines of a Markdown table; in brackets n of each kind of figure."""
    columns = list(next(iter(section.values())))
    yield "| | " + " | ".join(columns) + " |"
    yield "| --- |" + " ---: |" * len(columns)
    for name, row in section.items():
        cells = [f"{_shown(row[column])} ({row[column].n:,})" for column in columns]
        yield f"| {name} | " + " | ".join(cells) + " |"


def _shown(figure: Figure) -> str:
    return "-" if figure.value is None else number(figure.value, False)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one comparison by the command took.

    Attributes:
        sentences: Of each text.
        seconds: Of one core, the start of Python included.
        megabytes: Most memory the process held.
    """

    sentences: int
    seconds: float
    megabytes: float


def cost(corpora: Path, language: str, split_name: str, size: int) -> Cost:
    """Compare ``size`` sentences of round trips, shuffled, with their originals, and measure the process."""
    columns = ("original_id", "original", "roundtrip")
    frame = read(corpora, f"roundtrip/{language}", columns, split=split_name).drop_duplicates("original_id")
    frame = frame.sample(frac=1, random_state=SEED).head(size)
    units = [Unit.of(text, k) for k, text in enumerate(frame["roundtrip"])]
    laid = lay(list(frame["original"]), shuffle(units, [], np.random.default_rng(SEED)), " ")
    with TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("text.txt", "original.txt")]
        for path, text in zip(paths, (laid.text, laid.original), strict=True):
            path.write_text(text, "utf-8")
        command = [sys.executable, "-m", "detector", "compare", "--json", *map(str, paths)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(len(frame), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; exit code 0, or 2 where the corpora are not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"), help="corpora folder")
    parser.add_argument("--split", choices=("train", "dev", "test"), default="dev")
    parser.add_argument("--languages", default="en", help="codes with commas, or `all`")
    parser.add_argument("--articles", type=int, default=ARTICLES, help="at most so many of each language")
    parser.add_argument("--size", type=int, help="measure time and memory on so many sentences instead")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args(arguments)
    languages = named(options.languages, options.corpora)
    results: dict[str, object] = {}
    try:
        for language in languages:
            if options.size:
                took = cost(options.corpora, language, options.split, options.size)
                results[language] = asdict(took)
                used = f"{took.seconds:.1f} s of one core, {took.megabytes:,.0f} MB at most"
                print(f"{language}: {took.sentences:,} x {took.sentences:,} sentences: {used}")
                continue
            section = measure(options.corpora, language, options.split, options.articles)
            results[language] = {
                row: {c: asdict(f) for c, f in cells.items()} for row, cells in section.items()
            }
            print(f"\n### {language}, {options.split}\n", *table(section), sep="\n")
    except FileNotFoundError as error:
        print(f"no corpora: {error}", file=sys.stderr)
        return 2
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
