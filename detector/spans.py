"""Piece logits -> words with a probability -> damaged spans."""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from .alignment import UNSPACED, Word
from .alignment import words as cut
from .kinds import Kinds, kind_of_span
from .logistic import Logistic, Vector, logit_of, sigmoid
from .report import Kind
from .tokens import Window

WORD_FEATURES = ("token", "changed")
"""Logits that a word is damaged by the encoder, and that it was changed by its form (see `Kinds`)."""
SPAN_FEATURES = ("token.top", "token.mean", "changed.mean", "length")
LONGEST = 4
"""Words of a span, at most: an editor takes in four at a glance; of a longer run no more are surely wrong."""
CHARACTERS = 2
"""So many characters stand for a word where a script sets no spaces."""
_NEARLY = 0.85
"""Words at the edges of the surest span are at least so sure, as a share of its surest word's probability. On
dev the highest share at which as many readers' marks are touched as without it."""
_UNSPACED = re.compile(rf"[{UNSPACED}]")


@dataclass(frozen=True, slots=True)
class WordScore:
    """A word of a sentence and how likely the encoder finds it damaged.

    Attributes:
        start: First character, in code points into the sentence.
        end: One past the last character.
        score: Probability of damage, from 0.0 to 1.0, not calibrated.
    """

    start: int
    end: int
    score: float


def word_scores(
    windows: Sequence[Window], token_logits: Sequence[npt.NDArray[np.float32]]
) -> tuple[WordScore, ...]:
    """Give every word of a sentence once, in order.

    A word is as damaged as its most damaged piece; where windows overlap their logits are averaged.

    Args:
        windows: The windows of one sentence.
        token_logits: One array for each window. Shape (pieces,) each.
    """
    sums: dict[tuple[int, int, int], tuple[float, int]] = {}
    for window, logits in zip(windows, token_logits, strict=True):
        for (start, end), word, logit in zip(
            window.offsets.tolist(), window.words.tolist(), logits.tolist(), strict=True
        ):
            if word >= 0:
                total, count = sums.get((word, start, end), (0.0, 0))
                sums[word, start, end] = (total + logit, count + 1)
    words: list[WordScore] = []
    last = -1
    for (word, start, end), (total, count) in sorted(sums.items()):
        score = float(1 / (1 + np.exp(-total / count)))
        if word == last:
            before = words.pop()
            start, end, score = before.start, max(end, before.end), max(score, before.score)
        words.append(WordScore(start, end, score))
        last = word
    return tuple(words)


@dataclass(frozen=True, slots=True)
class SpanHeads:
    """What makes words into spans, and tells how sure they are; fitted on dev.

    Attributes:
        word: Head for a change of a word over `WORD_FEATURES`.
        score: Head over `SPAN_FEATURES` for what a span's score is: the probability that a careful
            reader marks a word in it.
        threshold: Probability of ``word`` at and above which a word of a flagged sentence is shown.
        longest: Words of a span, at most (see `places`).
    """

    word: Logistic
    score: Logistic
    threshold: float
    longest: int

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> SpanHeads:
        """Read what JSON holds of them.

        Raises:
            ValueError, KeyError, TypeError: If they are not whole, or were fitted for other features.
        """
        heads = cls(
            word=Logistic.parse(data["word"]),
            score=Logistic.parse(data["score"]),
            threshold=float(data["threshold"]),
            longest=int(data["longest"]),
        )
        for head, wanted in ((heads.word, WORD_FEATURES), (heads.score, SPAN_FEATURES)):
            if head.features != wanted:
                raise ValueError(f"spans must be over {wanted}, got {head.features}")
        if heads.longest < 1:
            raise ValueError(f"a span has a word at least, got longest {heads.longest}")
        return heads


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a sentence that is probably damaged.

    Attributes:
        start: First character, in code points into the sentence.
        end: One past the last character.
        kind: Of damage.
        score: Probability that a careful reader marks a word in it; without `SpanHeads` the mean
            of its words, not calibrated.
    """

    start: int
    end: int
    kind: Kind
    score: float


@dataclass(frozen=True, slots=True)
class ReadSentence:
    """A sentence cut into words, with what encoder and `Kinds` say of each.

    Attributes:
        text: The sentence.
        words: Those that hold a letter or a digit and that the encoder read.
        token: Logit of the encoder. Shape (words,).
        kinds: Probability of each class. Shape (words, len(CLASSES)); None where nothing tells.
    """

    text: str
    words: tuple[Word, ...]
    token: Vector
    kinds: npt.NDArray[np.float64] | None

    @classmethod
    def of(cls, text: str, said: Sequence[WordScore], kinds: Kinds | None) -> ReadSentence:
        """Put what is said of a sentence on its words: the encoder's words may be cut otherwise.

        Args:
            text: The sentence.
            said: The encoder's words, in order.
            kinds: Of its language, if any.
        """
        every = cut(text)
        token, ends = np.full(len(every), -math.inf), [w.end for w in said]
        for i, word in enumerate(every):
            k = bisect_left(ends, word.start + 1)
            while k < len(said) and said[k].start < word.end and not word.is_punctuation:
                token[i] = max(token[i], logit_of(said[k].score))
                k += 1
        kept = np.flatnonzero(token > -math.inf)
        told = kinds.probabilities(every)[kept] if kinds else None
        return cls(text, tuple(every[i] for i in kept), token[kept], told)

    @property
    def changed(self) -> Vector:
        """Logit that each word was changed, by its form; 0 where nothing tells. Shape (words,)."""
        if self.kinds is None:
            return np.zeros(len(self.words))
        return np.asarray(
            np.log1p(-self.kinds[:, 0].clip(1e-6, 1 - 1e-6)) - np.log(self.kinds[:, 0].clip(1e-6))
        )

    @property
    def word_features(self) -> Vector:
        """Give `WORD_FEATURES` of each word. Shape (words, len(WORD_FEATURES))."""
        return np.stack([self.token, self.changed], axis=1)

    def features(self, rows: slice) -> Vector:
        """Give `SPAN_FEATURES` of some words, one at least. Shape (len(SPAN_FEATURES),)."""
        token, length = self.token[rows], math.log2(1 + rows.stop - rows.start)
        return np.array([token.max(), token.mean(), self.changed[rows].mean(), length])

    def kind(self, rows: slice) -> Kind:
        """Give the kind of some words, one at least: as learnt, or by their form."""
        words = self.words[rows]
        if self.kinds is None:
            return kind_of_form(self.text, words[0].start, words[-1].end)
        return kind_of_span(words, self.kinds[rows])


@dataclass(frozen=True, slots=True)
class SpanFinder:
    """Finds the damaged places of the sentences of one language.

    Attributes:
        heads: Of the model; None joins the encoder's own words as they are.
        kinds: Of the language; None guesses kinds by form.
        threshold: Of the encoder's words, without ``heads``.
    """

    heads: SpanHeads | None
    kinds: Kinds | None
    threshold: float

    def word_logits(self, read: ReadSentence) -> Vector:
        """Give the logit by which the words of a sentence are shown. Shape (words,)."""
        return read.token if self.heads is None else self.heads.word.logits(read.word_features)

    def find(self, text: str, said: Sequence[WordScore]) -> list[Span]:
        """Give the spans of a sentence in order, none overlapping and none of more words than `LONGEST`.

        Without ``heads`` the surest span is only the words of it that are nearly as sure as its surest.

        Args:
            text: The sentence.
            said: The encoder's words, in order.
        """
        read = ReadSentence.of(text, said, self.kinds)
        logits = self.word_logits(read)
        if self.heads is None:
            found = _sharpened(list(places(read, logits, self.threshold, LONGEST)), _sigmoid(logits))
        else:
            found = list(places(read, logits, self.heads.threshold, self.heads.longest))
        return [self._span(read, rows) for rows in found]

    def _span(self, read: ReadSentence, rows: slice) -> Span:
        start, end = _trim(read.text, read.words[rows.start].start, read.words[rows.stop - 1].end)
        if self.heads is None:
            score = float(_sigmoid(read.token[rows]).mean())
        else:
            score = sigmoid(float(self.heads.score.logits(read.features(rows))))
        return Span(start, end, read.kind(rows), score)


def places(read: ReadSentence, logits: Vector, threshold: float, longest: int) -> Iterator[slice]:
    """Give runs of words at or above ``threshold``; of a longer one the likeliest part, then the next.

    Args:
        read: The sentence.
        logits: Of its words. Shape (words,).
        threshold: Of their probability.
        longest: Words of a part, at most; `CHARACTERS` times as many characters where a script sets
            no spaces.
    """
    damaged = logits >= logit_of(threshold)
    start = 0
    for end in range(1, len(read.words) + 1):
        if end < len(read.words) and damaged[start] and damaged[end] and _adjoin(read, end):
            continue
        if damaged[start]:
            size = CHARACTERS if _UNSPACED.match(read.words[start].text) else 1
            yield from _parts(logits[start:end], start, longest * size)
        start = end


def _sharpened(found: list[slice], scores: Vector) -> list[slice]:
    """Leave of the surest place its core, from the first to the last word nearly as sure as the surest."""
    cores = [_core(rows, scores) for rows in found]
    if cores:
        surest = max(range(len(cores)), key=lambda k: float(scores[cores[k]].mean()))
        found[surest] = cores[surest]
    return found


def _core(rows: slice, scores: Vector) -> slice:
    sure = np.flatnonzero(scores[rows] >= _NEARLY * scores[rows].max())
    return slice(rows.start + int(sure[0]), rows.start + int(sure[-1]) + 1)


def _sigmoid(logits: Vector) -> Vector:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _adjoin(read: ReadSentence, i: int) -> bool:
    return read.text[read.words[i - 1].end : read.words[i].start].strip() in ("", *_JOINERS)


def _parts(logits: Vector, shift: int, longest: int) -> list[slice]:
    """Cut a run into parts of at most ``longest`` words, so that the likeliest words stay together."""
    size = min(longest, len(logits))
    sums = np.convolve(logits, np.ones(size), "valid")
    part = np.full(len(logits), -1)
    for k in np.argsort(-sums, kind="stable").tolist():
        if part[k] < 0 and part[k + size - 1] < 0:
            part[k : k + size] = k
    ends = [*(np.flatnonzero(np.diff(part)) + 1).tolist(), len(part)]
    return [slice(shift + a, shift + b) for a, b in pairwise([0, *ends])]


_JOINERS = ("-", "'", "’", "‐", "–")


def _trim(sentence: str, start: int, end: int) -> tuple[int, int]:
    while not sentence[start].isalnum():
        start += 1
    while not sentence[end - 1].isalnum():
        end -= 1
    while end < len(sentence) and unicodedata.category(sentence[end])[0] == "M":
        end += 1
    return start, end


def kind_of_form(sentence: str, start: int, end: int) -> Kind:
    """Guess the kind of a span the encoder found, from its form alone.

    A digit makes it a number, a capital inside the sentence a name, only short words syntax,
    anything else a term.
    """
    found = sentence[start:end]
    if any(c.isdigit() for c in found):
        return "number"
    if start > 0 and found[0].isupper():
        return "name"
    letters = sum(c.isalpha() for c in found)
    pieces = len(found.split())
    return "syntax" if letters <= 4 * pieces and found.isascii() else "term"
