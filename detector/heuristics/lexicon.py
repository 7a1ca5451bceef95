"""What native text does: how often each word is capitalised, and how often last in a sentence.

The tables in ``assets/lexicon`` are counts mined by ``training/lexicon.py`` from text written in
its own language; no sentence can be rebuilt from them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import NamedTuple

UNSPACED = "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Thai, Lao, Burmese, Khmer, Kana and Han, as the inside of a character class."""

# Vowel signs and points are not \w, but words of Indic, Arabic and Hebrew script carry them.
_MARKS = "\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u0900-\u0963\u0971-\u0dff"
_LETTER = rf"(?:[^\W\d_{UNSPACED}]|[{_MARKS}])"
WORD = re.compile(rf"{_LETTER}+(?:['’]{_LETTER}+)*|[{UNSPACED}]")
"""A word with its inner apostrophes; one character where a script sets no spaces."""

_MIN_CLASS = 20
_PRIOR = 100
_TWO_I = ("tr", "az")
_CASELESS_I = str.maketrans({"İ": "i", "I": "ı"})
_ASSETS = files("detector") / "assets" / "lexicon"


class Counts(NamedTuple):
    """How often a word stood in the native text mined.

    Attributes:
        small: With a small first letter, or in a script without case.
        capital: Capitalised inside a sentence; titles do not count.
        last: As the last word before a full stop.
    """

    small: int = 0
    capital: int = 0
    last: int = 0

    @property
    def total(self) -> int:
        """Occurrences inside sentences, small or capitalised."""
        return self.small + self.capital


_NEVER = Counts()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of one language.

    Attributes:
        language: ISO 639 code.
        sentences: Native sentences mined.
        marks: Sentences that hold a punctuation habit, by its name in ``punctuation.MARKS``.
        counts: Counts by word in small letters; rare words are left out.
        function_words: The commonest words, most frequent first, at most 150.
        endings: Mean share of capitals over the common words of one ending, one to three letters,
            that has at least 20 of them.
    """

    language: str
    sentences: int
    marks: Mapping[str, int]
    counts: Mapping[str, Counts]
    function_words: tuple[str, ...]
    endings: Mapping[str, float]

    @property
    def cased(self) -> bool:
        """Whether the language's script has capitals."""
        return any(word != word.upper() for word in self.function_words)

    def __getitem__(self, word: str) -> Counts:
        """Give the counts of ``word``, in any case; zeros where it was not seen."""
        return self.counts.get(fold(word, self.language), _NEVER)

    def capital_rate(self, word: str) -> float:
        """Estimate how often ``word`` is capitalised inside a sentence, from 0.0 to 1.0.

        Counts are smoothed towards the common words of the longest known ending, weighed as 100
        occurrences: a rare adverb in -ly is safely small, a noun that titles are made of is not.
        """
        counts = self[word]
        form = fold(word, self.language)
        prior = next((self.endings[form[-n:]] for n in (3, 2, 1) if form[-n:] in self.endings), 1.0)
        return (counts.capital + _PRIOR * prior) / (counts.total + _PRIOR)


def primary(language: str | None) -> str | None:
    """Give the primary subtag of a BCP 47 tag in small letters, "pt" of "pt-BR"."""
    return language.split("-", 1)[0].lower() if language else None


def fold(word: str, language: str) -> str:
    """Give ``word`` in small letters, with the dotless i of Turkish and Azerbaijani."""
    return (word.translate(_CASELESS_I) if language in _TWO_I else word).lower()


def capitalise(word: str, language: str) -> str:
    """Give ``word`` with a capital first: İ for the i of Turkish and Azerbaijani, IJ for that of Dutch.

    Example:
        >>> capitalise("ilk", "tr"), capitalise("ijs", "nl"), capitalise("ink", "en")
        ('İlk', 'IJs', 'Ink')
    """
    if language in _TWO_I and word.startswith("i"):
        return "İ" + word[1:]
    initial = 2 if language == "nl" and word.startswith("ij") else 1
    return word[:initial].upper() + word[initial:]


def words(text: str) -> list[re.Match[str]]:
    """Give every word of ``text`` in order, as matches with their offsets."""
    return list(WORD.finditer(text))


@cache
def lexicon(language: str | None) -> Lexicon | None:
    """Load the table of a language, a BCP 47 tag; None where there is none."""
    code = primary(language)
    if code not in languages():
        return None
    marks: dict[str, int] = {}
    counts: dict[str, Counts] = {}
    for row in (_ASSETS / f"{code}.tsv").read_text("utf-8").splitlines():
        key, *numbers = row.split("\t")
        if key.startswith("#"):
            marks[key[1:]] = int(numbers[0])
        else:
            counts[key] = Counts(*map(int, numbers))
    ranked = sorted(counts, key=lambda w: (-counts[w].small, w))
    return Lexicon(code, marks.pop("sentences"), marks, counts, tuple(ranked[:150]), _endings(counts))


def _endings(counts: Mapping[str, Counts]) -> dict[str, float]:
    shares: defaultdict[str, list[float]] = defaultdict(list)
    for word, known in counts.items():
        if known.small > known.capital:
            for size in range(1, min(3, len(word)) + 1):
                shares[word[-size:]].append(known.capital / known.total)
    return {ending: sum(of) / len(of) for ending, of in shares.items() if len(of) >= _MIN_CLASS}


@cache
def languages() -> tuple[str, ...]:
    """Give the codes of all languages that have a table, in alphabetical order."""
    names = (entry.name for entry in _ASSETS.iterdir())
    return tuple(sorted(n.removesuffix(".tsv") for n in names if n.endswith(".tsv")))
