"""What became of each word of a sentence, as its form and its neighbours suggest: the kind of a span."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from .alignment import Word
from .arrays import read_weights
from .heuristics.lexicon import Lexicon, lexicon
from .report import Kind

FILE = "kinds.npz"
BUCKETS = 2**14
CLASSES: Final[tuple[Kind | None, ...]] = (
    None, "term", "name", "casing", "syntax", "agreement", "untranslated", "number", "repetition",
)  # fmt: skip
"""What can have become of a word; None where nothing has."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """A multinomial logistic regression over hashed features of a word (Weinberger et al. 2009).

    Attributes:
        language: BCP 47 tag.
        weights: Of each bucket and class, in units of ``scale``. Shape (BUCKETS, len(CLASSES)).
        scale: What a weight of 1 is worth.
        bias: Shape (len(CLASSES),).
    """

    language: str
    weights: npt.NDArray[np.int8]
    scale: float
    bias: npt.NDArray[np.float64]

    def probabilities(self, words: Sequence[Word]) -> npt.NDArray[np.float64]:
        """Give the probability of each of `CLASSES` for all words of a sentence.

        Returns:
            Shape (words, len(CLASSES)); rows add up to 1.
        """
        logits = np.empty((len(words), len(CLASSES)))
        for row, found in zip(logits, buckets(words, self.language), strict=True):
            row[:] = self.bias + self.scale * self.weights[found].sum(0, dtype=np.int64)
        shifted = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(shifted / shifted.sum(1, keepdims=True))

    @classmethod
    def load(cls, folder: Path, language: str) -> Kinds | None:
        """Read those of a language; None where the folder has none of it.

        Raises:
            ValueError: If the file is broken, naming it.
        """
        path = folder / FILE
        if (read := read_weights(path, "kinds", language)) is None:
            return None
        weights, numbers = read
        shape = (BUCKETS, len(CLASSES))
        fits = weights.shape == shape and weights.dtype == np.int8 and len(numbers) == 1 + len(CLASSES)
        if not fits or not np.isfinite(numbers).all():
            raise ValueError(f"{path}: {language!r} does not hold {shape} int8 weights and their scale")
        return cls(language, weights, numbers[0], np.array(numbers[1:]))


def kind_of_span(words: Sequence[Word], probabilities: npt.NDArray[np.float64]) -> Kind:
    """Give the likeliest kind of some words taken together, each weighed by its letters.

    Args:
        words: At least one.
        probabilities: Of each word. Shape (words, len(CLASSES)).
    """
    total = np.array([w.end - w.start for w in words]) @ probabilities[:, 1:]
    return CLASSES[1 + int(total.argmax())] or "term"


def buckets(words: Sequence[Word], language: str) -> Iterator[list[int]]:
    """Give the buckets of the features of each word of a sentence."""
    table = lexicon(language)
    forms = ["<", *(w.text.casefold() for w in words), ">"]
    shapes = ["<", *(_shape(w.text) for w in words), ">"]
    spoken = [w.is_punctuation for w in words]
    first = spoken.index(False) if False in spoken else 0
    seen: dict[str, int] = {}
    for i, word in enumerate(words):
        before, form, after = forms[i : i + 3]
        letters = len(form)
        features = (
            f"w {form}",
            f"s {shapes[i + 1]}",
            f"p {before}",
            f"n {after}",
            f"b {before} {form}",
            f"a {form} {after}",
            f"2 {form[-2:]}",
            f"3 {form[-3:]}",
            f"^ {form[:3]}",
            f"l {min(letters, 12)}",
            f"c {shapes[i]} {shapes[i + 1]} {shapes[i + 2]}",
            f"1 {i == first} {shapes[i + 1]}",
            f"k {_known(table, word.text)} {i == first}",
            f"r {min(i - seen.get(form, -9), 9)} {min(letters, 4)}",
            f"d {before == form} {after == form}",
        )
        yield [zlib.crc32(f.encode("utf-8", "replace")) % BUCKETS for f in features]
        seen[form] = i


def _shape(word: str) -> str:
    """Give how a word is written: digits, a mark, CAPITALS, Capitalised, mixed, small; and in what script."""
    if word[0].isdigit():
        return "0"
    if not word[0].isalpha():
        return word[0]
    way = "A" if word.isupper() else "Aa" if word.istitle() else "a" if word.islower() else "x"
    return f"{way}{ord(word[0]) >> 8}"


def _known(table: Lexicon | None, word: str) -> str:
    """Give how common a word is in native text, and how often it stands there with a capital."""
    if table is None:
        return ""
    counts = table[word]
    return f"{counts.total.bit_length()} {round(4 * table.capital_rate(word))}"
