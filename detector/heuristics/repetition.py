"""Words said twice in a row, as a decoder stutters: "on Monday on Monday"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from ..report import Evidence, Kind, Sentence
from .lexicon import UNSPACED, Lexicon, fold, lexicon, primary, words

ID: Final = "repetition.ngram"
KIND: Final[Kind] = "repetition"

_MAX_WORDS = 12
_MIN_TIMES = 4

# Four characters and more: 慢慢, 研究研究 and 哈哈哈哈 are Chinese.
_UNSPACED_TWICE = re.compile(rf"([{UNSPACED}]{{4,40}}?)\1")


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find repeated words and, where a script sets no spaces, repeated characters.

    One word counts only from its fourth time on: people write "had had" and "very, very", and
    type "the the". Function words need a language, the rest does not.
    """
    table = lexicon(language)
    code = primary(language) or ""
    evidence = []
    for sentence in sentences:
        spans = [*_repeated_words(sentence.text, code, table), *_repeated_characters(sentence.text)]
        for start, end, score in sorted(spans):
            evidence.append(
                Evidence(
                    sentence.start + start,
                    sentence.start + end,
                    KIND,
                    score,
                    ID,
                    f"“{_shortened(sentence.text[start:end])}” says the same words twice in a row.",
                )
            )
    return evidence


def _repeated_words(text: str, code: str, table: Lexicon | None) -> Iterator[tuple[int, int, float]]:
    found = words(text)
    forms = [fold(match[0], code) for match in found]
    gaps = [text[a.end() : b.start()] for a, b in pairwise(found)]
    covered = 0
    for size in range(1, min(_MAX_WORDS, len(found) // 2) + 1):
        run = 0
        for i in range(len(found) - size + 1):
            if i + size < len(found) and forms[i] == forms[i + size]:
                run += 1
                continue
            if run >= size and _stutters(forms, gaps, i - run, size, run, table):
                start, end = found[i - run].start(), found[i + size - 1].end()
                if end > covered:
                    yield start, end, 0.9
                    covered = max(covered, end)
            run = 0


def _stutters(
    forms: list[str], gaps: list[str], start: int, size: int, run: int, table: Lexicon | None
) -> bool:
    between = set(gaps[start : start + run + size - 1])
    times = run // size + 1
    if size == 1 or between == {", "}:
        return between in ({" "}, {", "}) and times >= _MIN_TIMES and len(forms[start]) > 3
    if between != {" "} or len(set(forms[start : start + size])) == 1:
        return False
    # "again and again and again", "face to face to": the phrase repeated must end in its own word.
    return size > 2 or not (run % 2 or (table is not None and forms[start + 1] in table.function_words))


def _repeated_characters(text: str) -> Iterator[tuple[int, int, float]]:
    for match in _UNSPACED_TWICE.finditer(text):
        unit = match[1]
        if unit[: len(unit) // 2] * 2 != unit and len(set(unit)) > 2:
            yield match.start(), match.end(), min(0.95, 0.6 + 0.05 * len(unit))


def _shortened(phrase: str) -> str:
    return phrase if len(phrase) <= 60 else phrase[:57] + "..."
