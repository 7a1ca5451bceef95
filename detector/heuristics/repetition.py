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

# Vowel signs, tones and the like of Thai, Lao, Burmese and Khmer, which stand on the letter before.
_SIGNS = (
    "\u0e31\u0e33-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb3-\u0ebc\u0ec8-\u0ecd"
    "\u102b-\u103e\u1056-\u1059\u105e-\u1060\u17b6-\u17d3\u17dd"
)
# Four characters and more: 慢慢, 研究研究 and 哈哈哈哈 are Chinese.
_UNSPACED_TWICE = re.compile(rf"(?![{_SIGNS}])([{UNSPACED}]{{4,40}}?)\1(?![{_SIGNS}])")
_BURMESE = re.compile("[\u1000-\u109f]")
# A letter with virama or asat, below it or after it, closes a syllable or joins one.
_BURMESE_SYLLABLE = re.compile("(?<!\u1039)[\u1000-\u102a\u103f\u104c-\u104f](?!\u1037?[\u1039\u103a])")
_MIN_BURMESE = 3
_MILLIONS_OF_MILLIONS = "ล้าน"
_MIN_LETTERS = 4


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find repeated words and, where a script sets no spaces, repeated characters.

    One word counts only from its fourth time on: people write "had had" and "very, very", and
    type "the the". Function words need a table; without one, two words count only where neither
    is shorter than four letters (Catalan "a més a més", Tagalog "kalat na kalat na"). Burmese
    doubles syllables by grammar: a phrase counts from three of them on. Outside English, words
    that come back in another case are a heading and its sentence.
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
                    f"“{_shortened(sentence.text[start:end])}” says the same words again at once, "
                    "very likely by mistake.",
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
            begin = i - run
            if (
                run >= size
                and _stutters(forms, gaps, begin, size, run, table)
                and (code == "en" or not _recased(found[begin : i + size], size, begin))
            ):
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
    if table is None:
        return size > 2 or not (run % 2 or min(map(len, forms[start : start + size])) < _MIN_LETTERS)
    return size > 2 or not (run % 2 or forms[start + 1] in table.function_words)


def _recased(found: Sequence[re.Match[str]], size: int, begin: int) -> bool:
    """Tell whether words said twice differ in case, but for the first letter of the sentence.

    Args:
        found: The words, each with what comes back ``size`` words later.
        size: Words in the phrase.
        begin: Place of the first of them in the sentence, in words.
    """
    return any(
        a[0] != b[0] and not (a is found[0] and begin == 0 and a[0][1:] == b[0][1:])
        for a, b in zip(found, found[size:], strict=False)
    )


def _repeated_characters(text: str) -> Iterator[tuple[int, int, float]]:
    for match in _UNSPACED_TWICE.finditer(text):
        unit = match[1]
        if _BURMESE.match(unit) and len(_BURMESE_SYLLABLE.findall(unit)) < _MIN_BURMESE:
            continue
        if unit[: len(unit) // 2] * 2 != unit and len(set(unit)) > 2 and unit != _MILLIONS_OF_MILLIONS:
            yield match.start(), match.end(), min(0.95, 0.6 + 0.05 * len(unit))


def _shortened(phrase: str) -> str:
    return phrase if len(phrase) <= 60 else phrase[:57] + "..."
