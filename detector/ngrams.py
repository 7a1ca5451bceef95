"""Word n-grams of one language: what a machine writes oftener than people do."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .alignment import words
from .arrays import read_weights

FILE = "ngrams.npz"
BUCKETS = 2**18
_PAUSES = str.maketrans("，、；：？！،؛؟", ",,;:?!,;?")
_KEPT = frozenset(",;:?!")


@dataclass(frozen=True, slots=True)
class Ngrams:
    """A linear model over hashed words and pairs of words (Weinberger et al. 2009).

    Attributes:
        weights: Of each bucket, in units of ``scale``. Shape (BUCKETS,).
        scale: What a weight of 1 is worth.
        bias: Logit of a sentence without words.
    """

    weights: npt.NDArray[np.int8]
    scale: float
    bias: float

    def logit(self, sentence: str) -> float:
        """Give the logit that a machine wrote a sentence."""
        found = list(buckets(sentence))
        total = int(self.weights[found].sum(dtype=np.int64))
        return self.bias + self.scale * total / math.sqrt(len(found))

    @classmethod
    def load(cls, folder: Path, language: str) -> Ngrams | None:
        """Read those of a language; None where the folder has none of it.

        Raises:
            ValueError: If the file is broken, naming it.
        """
        path = folder / FILE
        if (read := read_weights(path, "n-grams", language)) is None:
            return None
        weights, numbers = read
        fits = weights.shape == (BUCKETS,) and weights.dtype == np.int8 and len(numbers) == 2
        if not fits or not np.isfinite(numbers).all():
            raise ValueError(f"{path}: {language!r} does not hold {BUCKETS} int8 weights and two numbers")
        scale, bias = numbers
        return cls(weights, scale, bias)


def buckets(sentence: str) -> set[int]:
    """Give the buckets of the words of a sentence and of each two neighbours.

    Case, quotes, dashes, brackets and full stops are not seen, nor how wide a comma is: they tell
    of keyboards and of typesetters. Writing without spaces is cut into characters.
    """
    forms = ["<", *_forms(sentence), ">"]
    pairs = (f"{a} {b}" for a, b in pairwise(forms))
    return {zlib.crc32(g.encode("utf-8", "replace")) % BUCKETS for g in (*forms[1:-1], *pairs)}


def _forms(sentence: str) -> Iterator[str]:
    last = ""
    for word in words(sentence.translate(_PAUSES)):
        form = word.text.casefold()
        if not word.is_punctuation or (form in _KEPT and form != last):
            yield form
            last = form
