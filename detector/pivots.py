"""Word n-grams of a whole text: which group of languages it went through."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .alignment import words
from .arrays import opened

FILE = "pivots.npz"
_PAUSES = str.maketrans("，、；：？！،؛؟", ",,;:?!,;?")
_KEPT = frozenset(",;:?!%()")
_DIGIT = re.compile(r"\d")
_TAIL, _STEM = 3, 4  # letters

Probabilities = npt.NDArray[np.float64]


class Guess(NamedTuple):
    """What a text went through: a group of languages or an area, and how sure that is."""

    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Pivots:
    """A multinomial linear model over the n-grams of all sentences of a text.

    Attributes:
        keys: Hashes of the n-grams it knows, ascending. Shape (n-grams,).
        weights: Of each group, in units of ``scale``. Shape (n-grams, groups).
        scale: What a weight of 1 is worth.
        power: The summed logits of n sentences are divided by n to this power: what one habit says
            twice is not twice as sure.
        names: Groups, then areas that hold several of them. Length m.
        members: Which groups each of ``names`` holds. Shape (m, groups).
        thresholds: Confidence at and above which each of ``names`` is said. Shape (m,).
    """

    keys: npt.NDArray[np.uint32]
    weights: npt.NDArray[np.int8]
    scale: float
    power: float
    names: tuple[str, ...]
    members: npt.NDArray[np.bool_]
    thresholds: Probabilities

    def logits(self, sentence: str) -> Probabilities:
        """Give what a sentence says of each group, before any calibration. Shape (groups,)."""
        total = self.weights[places(distinct_keys(sentence), self.keys)].sum(axis=0, dtype=np.int64)
        return np.asarray(total, dtype=np.float64)

    def guess(self, sentences: Sequence[str]) -> Guess | None:
        """Name the pivot of a text, see `guess_from`.

        Args:
            sentences: At least one.
        """
        return self.guess_from(np.sum([self.logits(s) for s in sentences], axis=0), len(sentences))

    def guess_from(self, total: Probabilities, sentences: int) -> Guess | None:
        """Name the smallest group or area that is sure enough; None where none is.

        Args:
            total: Summed logits of all sentences. Shape (groups,).
            sentences: How many they are.
        """
        found = self.members @ spread(self.scale * total / sentences**self.power)
        sure = np.flatnonzero(found >= self.thresholds)
        if not len(sure):
            return None
        best = min(sure, key=lambda i: (self.members[i].sum(), -found[i]))
        return Guess(self.names[best], float(found[best]))

    def save(self, folder: Path, language: str) -> None:
        """Write the file that `load` reads."""
        numbers = np.array([self.scale, self.power])
        np.savez_compressed(
            folder / FILE, allow_pickle=False, language=np.array(language), keys=self.keys,
            weights=self.weights, numbers=numbers, names=np.array(self.names), members=self.members,
            thresholds=self.thresholds,
        )  # fmt: skip

    @classmethod
    def load(cls, folder: Path, language: str) -> Pivots | None:
        """Read what is known of texts of a language; None where the folder has nothing of it.

        Raises:
            ValueError: If the file is broken, naming it.
        """
        path = folder / FILE
        if not path.is_file():
            return None
        with opened(path, "pivots") as arrays:
            if str(arrays["language"]) != language:
                return None
            scale, power = arrays["numbers"].tolist()
            found = cls(
                arrays["keys"], arrays["weights"], scale, power, tuple(arrays["names"].tolist()),
                arrays["members"], arrays["thresholds"],
            )  # fmt: skip
            found._check(path)
        return found

    def _check(self, path: Path) -> None:
        groups = self.weights.shape[-1]
        shapes = [a.shape for a in (self.keys, self.weights, self.members, self.thresholds)]
        size, several = len(self.keys), len(self.names)
        wanted = [(size,), (size, groups), (several, groups), (several,)]
        kinds = [a.dtype for a in (self.keys, self.weights, self.members)]
        if shapes != wanted or kinds != [np.uint32, np.int8, np.bool_]:
            raise ValueError(f"{path}: its arrays do not fit each other: expected {wanted}, got {shapes}")
        if not np.isfinite([self.scale, self.power, *self.thresholds]).all():
            raise ValueError(f"{path}: holds a number that is not finite")
        if (self.keys[1:] <= self.keys[:-1]).any():
            raise ValueError(f"{path}: its keys do not ascend")


def spread(logits: Probabilities) -> Probabilities:
    """Give probabilities along the last axis, which add up to 1."""
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def distinct_keys(sentence: str) -> npt.NDArray[np.uint32]:
    """Hash the words of a sentence, twos and threes of them, twos around a gap, stems and endings.

    Case, quotes, dashes and full stops are not seen, nor which digits a number has: they tell of
    keyboards, of typesetters and of the topic.

    Returns:
        Each once, ascending.
    """
    return np.unique(np.fromiter(_keys(sentence), np.uint32))


def places(some: npt.NDArray[np.uint32], known: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Give where those of ``some`` stand that are in ``known``, which ascends."""
    found = np.searchsorted(known, some)
    inside = found < len(known)
    return np.asarray(found[inside][known[found[inside]] == some[inside]])


def _keys(sentence: str) -> Iterator[int]:
    forms = ["<", *_forms(sentence), ">"]
    for kind, grams in (
        ("w", forms[1:-1]),
        ("b", (f"{a} {b}" for a, b in pairwise(forms))),
        ("t", (f"{a} {b} {c}" for a, b, c in zip(forms, forms[1:], forms[2:], strict=False))),
        ("s", (f"{a} _ {b}" for a, b in zip(forms, forms[2:], strict=False))),
        ("p", (form[-_TAIL:] for form in forms if len(form) > _TAIL + 1)),
        ("q", (form[:_STEM] for form in forms if len(form) > _STEM + 1)),
    ):
        yield from (zlib.crc32(f"{kind} {gram}".encode("utf-8", "replace")) for gram in grams)


def _forms(sentence: str) -> Iterator[str]:
    last = ""
    for word in words(sentence.translate(_PAUSES)):
        form = word.text.casefold()
        if not word.is_punctuation:
            yield _DIGIT.sub("0", form)
        elif form in _KEPT and form != last:
            yield form
        last = form
