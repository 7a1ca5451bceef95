"""Phrases that machine translation writes where people write something else.

The tables in ``assets/phrases`` are made by ``training/phrases.py``: from a list of such phrases in
scientific papers and, where asked for, from round trips aligned with their originals. They hold
phrases, what stood in their place, and counts; no sentence.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from ..alignment import Word, fold_form
from ..alignment import words as cut
from ..report import Evidence, Kind, Sentence
from .lexicon import capitalise, primary
from .quotes import quoted_spans, within

ID: Final = "phrases.known"
KIND: Final[Kind] = "term"

MAX_WORDS = 5
SCIENCE: Final = "science"
"""Mark of an entry of the scientific list, in place of its count."""

_MAX_SUGGESTIONS = 3
_ASSETS = files("detector") / "assets" / "phrases"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A mined phrase.

    Attributes:
        stood: Originals, or translations by people, in whose place machines wrote it; 0 for an
            entry of the scientific list.
        engines: How many engines wrote it.
        pivots: How many languages it came from.
        score: Share of its use that is a machine's, were people and machines to write as much,
            from 0.0 to 1.0.
        wordings: What stood there, likeliest first, and in how many of ``stood``; at most three.
    """

    stood: int
    engines: int
    pivots: int
    score: float
    wordings: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The phrases of one language.

    Attributes:
        phrases: By their folded words with a blank between them.
        lengths: For each first word how many words its phrases have, most first.
    """

    phrases: Mapping[str, Phrase]
    lengths: Mapping[str, tuple[int, ...]]


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find mined phrases, longest first; what stands in quotes or brackets is left alone."""
    known = table(language)
    if known is None:
        return []
    return [e for sentence in sentences for e in _find(sentence, known, primary(language) or "")]


def runs(found: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Give stretches of words, half-open, that no number and no mark of punctuation interrupts."""
    start = 0
    for i, word in enumerate(found):
        if not word.text[0].isalpha():
            if start < i:
                yield start, i
            start = i + 1
    if start < len(found):
        yield start, len(found)


@cache
def table(language: str | None) -> Table | None:
    """Load the table of a language, a BCP 47 tag; None where there is none."""
    file = _ASSETS / f"{primary(language)}.tsv.gz"
    return parse(gzip.decompress(file.read_bytes()).decode()) if file.is_file() else None


def parse(rows: str) -> Table:
    """Read a table as `training.phrases` writes it, one phrase a line."""
    phrases: dict[str, Phrase] = {}
    lengths: dict[str, set[int]] = {}
    for row in rows.splitlines():
        key, stood, engines, pivots, percent, *wordings = row.split("\t")
        pairs = tuple((w, int(n)) for w, n in zip(wordings[::2], wordings[1::2], strict=True))
        times = 0 if stood == SCIENCE else int(stood)
        phrases[key] = Phrase(times, int(engines), int(pivots), int(percent) / 100, pairs)
        first, *others = key.split(" ")
        lengths.setdefault(first, set()).add(1 + len(others))
    return Table(phrases, {first: tuple(sorted(sizes, reverse=True)) for first, sizes in lengths.items()})


def _find(sentence: Sentence, known: Table, language: str) -> Iterator[Evidence]:
    found = cut(sentence.text)
    quoted = quoted_spans(sentence.text)
    for start, stop in runs(found):
        forms = [fold_form(word.text) for word in found[start:stop]]
        i = 0
        while i < len(forms):
            size, phrase = _longest(forms, i, known)
            if phrase is None:
                i += 1
                continue
            first, last = found[start + i], found[start + i + size - 1]
            if not within(quoted, first.start):
                yield _evidence(sentence, first.start, last.end, phrase, language)
            i += size


def _longest(forms: Sequence[str], i: int, known: Table) -> tuple[int, Phrase | None]:
    for size in known.lengths.get(forms[i], ()):
        if i + size <= len(forms) and (phrase := known.phrases.get(" ".join(forms[i : i + size]))):
            return size, phrase
    return 1, None


def _evidence(sentence: Sentence, start: int, end: int, phrase: Phrase, language: str) -> Evidence:
    words = sentence.text[start:end]
    upper = words[:1].isupper()
    suggestions = tuple(
        capitalise(wording, language) if upper else wording
        for wording, _ in phrase.wordings[:_MAX_SUGGESTIONS]
    )
    return Evidence(
        sentence.start + start,
        sentence.start + end,
        KIND,
        phrase.score,
        ID,
        _message(words, phrase),
        suggestions,
        phrase.wordings[0][1] / phrase.stood if phrase.stood and suggestions else None,
    )


def _message(words: str, phrase: Phrase) -> str:
    if not phrase.stood:
        return (
            f"“{words}” is a known disguise of “{phrase.wordings[0][0]}” in papers that were put into "
            "other words by machine; people do not write it in the news seen."
        )
    if not phrase.wordings:
        return (
            f"“{words}” stood in {phrase.stood} machine translations seen where a person had put it "
            "otherwise; people's news hardly writes it."
        )
    wording, times = phrase.wordings[0]
    sure = "likely" if 2 * times > phrase.stood else "perhaps"
    return (
        f"{sure.capitalize()} “{wording}”: it stood there in {times} of the {phrase.stood} machine "
        f"translations seen with “{words}”, which people's news hardly writes."
    )
