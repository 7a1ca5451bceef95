"""How often the rules suggest a wording, and how often it is what the author had written there.

``python -m eval.suggestions --corpora ../shared/corpora --split dev`` reads English round trips as
texts of consecutive sentences, whole articles where they are known, and holds each suggestion that a
report would offer against the words of the original in that place. The same rules read native news,
where every suggestion is one too many. No encoder is asked: its spans suggest nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from detector.alignment import align, fold_form, words
from detector.detect import DEFAULT_MODEL
from detector.fuse import Fusion
from detector.heuristics import HEURISTICS, Heuristic
from detector.report import Evidence
from training.corpora import read
from training.phrases import stood

from .figures import Figure
from .metrics import Floats, bootstrap_intervals
from .names import RUN_SENTENCES, articles
from .rules import Text, sample, sentences, share_interval

LANGUAGE: Final = "en"
ALL: Final = "all"
_COLUMNS: Final = ("origin", "year", "docid", "line", "pivot", "engine", "original", "roundtrip")


@dataclass(frozen=True, slots=True)
class Trip:
    """A text that came back, beside what its author wrote.

    Attributes:
        article: What a bootstrap draws together: the text's original.
        originals: Its sentences as they were written.
        roundtrip: The same sentences as they came back.
    """

    article: str
    originals: Text
    roundtrip: Text


@dataclass(frozen=True, slots=True)
class Offer:
    """A suggestion, held against the original.

    Attributes:
        article: What a bootstrap draws together.
        rule: Who offers it.
        sureness: How often the rule says its suggestion is right, from 0.0 to 1.0, or nan.
        equal: Whether the first suggestion is the author's wording in that place. Capitals count where
            they are what the evidence is about.
        any_equal: Whether some suggestion is.
        placed: Whether it can be told which words of the original stood there.
        line: What was found, for a person to read.
    """

    article: str
    rule: str
    sureness: float
    equal: bool
    any_equal: bool
    placed: bool
    line: str


@dataclass(frozen=True, slots=True)
class Result:
    """What the suggestions of one rule, or of all together, are worth.

    Attributes:
        offered: Per 1,000 sentences of round trips.
        equal: Share of the first suggestions that are the author's wording.
        any_equal: Share of offers that hold it.
        placed: Share of those whose place in the original is known.
        sureness: How often the rule says its suggestion is right, on average over those where it does.
        native: Per 1,000 sentences of native news.
    """

    offered: Figure
    equal: Figure
    any_equal: Figure
    placed: Figure
    sureness: Figure
    native: Figure


def shown_rules() -> tuple[Heuristic, ...]:
    """Give the rules whose evidence the embedded English model shows, in order."""
    shown = Fusion.load(DEFAULT_MODEL).shown_rules
    return tuple(rule for rule in HEURISTICS if rule.id in shown or not rule.counts)


def trips(corpora: Path, split: str) -> list[Trip]:
    """Read round trips as texts: articles where they are known, else runs of 20 lines.

    Raises:
        FileNotFoundError: If ``corpora`` has no English round trips.
    """
    frame = read(corpora, f"roundtrip/{LANGUAGE}", _COLUMNS, split=split).sort_values("line", kind="stable")
    run = "run " + (frame["line"] // RUN_SENTENCES).astype(str)
    frame["article"] = (
        frame["origin"] + " " + frame["year"].astype(str) + " " + frame["docid"].fillna(run).astype(str)
    )
    return [
        Trip(str(article), tuple(text["original"]), tuple(text["roundtrip"]))
        for (article, _, _), text in frame.groupby(["article", "pivot", "engine"], sort=True)
    ]


def drawn(texts: Sequence[Trip], limit: int) -> list[Trip]:
    """Draw texts of at most ``limit`` sentences together, the same ones each time."""
    found = {text.roundtrip: text for text in texts}
    return [found[text] for text in sample(list(found), limit, seed=0)]


def suggested(text: Text, rules: Sequence[Heuristic]) -> list[Evidence]:
    """Give what the rules find in a text and know another wording for."""
    cut = sentences(text)
    return [e for rule in rules for e in rule.find(cut, LANGUAGE) if e.suggestions]


def offers(texts: Iterable[Trip], rules: Sequence[Heuristic]) -> Iterator[Offer]:
    """Hold every suggestion in round trips against the original."""
    for text in texts:
        by_start = {s.start: i for i, s in enumerate(sentences(text.roundtrip))}
        for e in suggested(text.roundtrip, rules):
            start = max(s for s in by_start if s <= e.start)
            yield _offer(text, by_start[start], start, e)


def _offer(text: Trip, i: int, offset: int, e: Evidence) -> Offer:
    original, roundtrip = text.originals[i], text.roundtrip[i]
    start, end = e.start - offset, e.end - offset
    wording = author_wording(original, roundtrip, start, end)
    form = str if e.kind == "casing" else _folded
    right = [wording is not None and form(s) == form(wording) for s in e.suggestions]
    sureness = math.nan if e.suggestion_score is None else e.suggestion_score
    marked = f"{roundtrip[:start]}[[{roundtrip[start:end]}]]{roundtrip[end:]}"
    line = f"{e.found_by} {marked} -> {' | '.join(e.suggestions)} (original: {original})"
    return Offer(text.article, e.found_by, sureness, right[0], any(right), wording is not None, line)


def author_wording(original: str, roundtrip: str, start: int, end: int) -> str | None:
    """Give the words of an original that stood where a round trip has ``start:end``, or None.

    Example:
        >>> author_wording("He sent lethal aid.", "He sent assisted dying.", 8, 22)
        'lethal aid'
    """
    alignment = align(original, roundtrip, LANGUAGE)
    inside = [k for k, w in enumerate(alignment.roundtrip) if w.start < end and start < w.end]
    span = stood(alignment.original, alignment.links, inside[0], inside[-1] + 1) if inside else None
    return None if span is None else original[slice(*span)]


def _folded(text: str) -> str:
    return " ".join(fold_form(word.text) for word in words(text))


def results(found: Sequence[Offer], read_: int, native: Counter[str], native_read: int) -> dict[str, Result]:
    """Sum offers up, by rule and for all together, the commonest rule first.

    Args:
        found: In round trips.
        read_: Sentences of them.
        native: Offers in native news by rule.
        native_read: Sentences of it.
    """
    by_rule: defaultdict[str, list[Offer]] = defaultdict(list)
    for offer in found:
        by_rule[offer.rule].append(offer)
        by_rule[ALL].append(offer)
    honest = Counter({**native, ALL: native.total()})
    ranked = sorted(by_rule.keys() | honest.keys(), key=lambda rule: (-len(by_rule[rule]), rule != ALL, rule))
    return {
        rule: _result(by_rule[rule], read_, Figure(_rate(honest[rule], native_read), native_read))
        for rule in ranked
    }


def _result(some: Sequence[Offer], read_: int, native: Figure) -> Result:
    return Result(
        offered=Figure(_rate(len(some), read_), read_),
        equal=_share(some, [o.equal for o in some]),
        any_equal=_share(some, [o.any_equal for o in some]),
        placed=_share(some, [o.placed for o in some]),
        sureness=_mean([o.sureness for o in some if not math.isnan(o.sureness)]),
        native=native,
    )


def _rate(hits: int, of: int) -> float | None:
    return 1000 * hits / of if of else None


def _mean(values: Sequence[float]) -> Figure:
    return Figure(sum(values) / len(values) if values else None, len(values))


def _share(some: Sequence[Offer], values: Sequence[bool]) -> Figure:
    """Give a share of offers, with an interval over articles; an exact one where they do not vary."""
    if not some:
        return Figure(None, 0)
    numbers = np.array(values, dtype=np.float64)
    articles_ = np.array([offer.article for offer in some])

    def mean(times: Floats) -> float:
        return float(np.average(numbers, weights=times))

    several = len(np.unique(articles_)) > 1 and 0 < numbers.mean() < 1
    interval = (
        bootstrap_intervals([mean], articles_)[0]
        if several
        else share_interval(round(numbers.sum()), len(numbers))
    )
    return Figure(float(numbers.mean()), len(some), interval=interval)


def markdown(found: Mapping[str, Result]) -> str:
    """Lay the figures out as a Markdown table; shares in %, with 95 % intervals."""
    lines = [
        "| found by | offered per 1,000 sentences | place known | the first is the original's | one is "
        "| sureness said | offered per 1,000 of native news |",
        "| --- |" + " ---: |" * 6,
    ]
    for rule, r in found.items():
        cells = [_plain(r.offered), _percent(r.placed), _percent(r.equal), _percent(r.any_equal)]
        cells += ["-" if r.sureness.value is None else f"{r.sureness.value:.2f}", _plain(r.native)]
        lines.append(f"| {rule} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _plain(figure: Figure) -> str:
    return "-" if figure.value is None else f"{figure.value:.2f}"


def _percent(figure: Figure) -> str:
    if figure.value is None:
        return "-"
    low, high = (100 * end for end in figure.interval or (0.0, 1.0))
    return f"{100 * figure.value:.1f} % ({low:.1f} to {high:.1f}; n = {figure.n:,})"


def main(arguments: list[str] | None = None) -> int:
    """Print the table; exit code 0, or 2 where the corpora are not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"), help="corpora folder")
    parser.add_argument("--split", choices=("train", "dev", "test"), default="dev")
    parser.add_argument("--limit", type=int, default=60_000, help="sentences of round trips that are read")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--examples", action="store_true", help="print what is offered")
    options = parser.parse_args(arguments)
    rules = shown_rules()
    try:
        texts = drawn(trips(options.corpora, options.split), options.limit)
        native = articles(options.corpora, options.split).get(LANGUAGE, [])
    except FileNotFoundError as error:
        print(f"no corpora: {error}", file=sys.stderr)
        return 2
    found = list(offers(texts, rules))
    honest = Counter(e.found_by for text in native for e in suggested(text, rules))
    figures = results(found, sum(len(t.roundtrip) for t in texts), honest, sum(len(text) for text in native))
    print(markdown(figures))
    if options.examples:
        print("\n".join(f"{'=' if offer.equal else ' '} {offer.line}" for offer in found))
    if options.json:
        rows = {rule: asdict(result) for rule, result in figures.items()}
        options.json.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
