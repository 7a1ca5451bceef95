"""Piece logits -> words with a probability -> damaged spans."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .report import Kind
from .tokens import Window


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


def find_spans(sentence: str, words: Sequence[WordScore], threshold: float) -> list[WordScore]:
    """Join neighbouring words at or above ``threshold`` into spans; punctuation alone is none.

    A span starts with a letter or a digit and ends with one or with its marks: some tokenizers
    give a word its space and its comma, others take the last accent off it.

    Returns:
        Spans in order, none overlapping, each with the mean score of its words.
    """
    runs: list[list[WordScore]] = [[]]
    for word in words:
        written = any(c.isalnum() for c in sentence[word.start : word.end])
        if written and word.score >= threshold:
            runs[-1].append(word)
        elif runs[-1] and (written or sentence[word.start : word.end] not in _JOINERS):
            runs.append([])
    return [
        WordScore(*_trim(sentence, run[0].start, run[-1].end), sum(w.score for w in run) / len(run))
        for run in runs
        if run
    ]


_JOINERS = ("-", "'", "’", "‐", "–")


def _trim(sentence: str, start: int, end: int) -> tuple[int, int]:
    while not sentence[start].isalnum():
        start += 1
    while not sentence[end - 1].isalnum():
        end -= 1
    while end < len(sentence) and unicodedata.category(sentence[end])[0] == "M":
        end += 1
    return start, end


def kind_of(sentence: str, span: WordScore) -> Kind:
    """Guess the kind of a span the encoder found, from its form alone.

    A digit makes it a number, a capital inside the sentence a name, only short words syntax,
    anything else a term.
    """
    found = sentence[span.start : span.end]
    if any(c.isdigit() for c in found):
        return "number"
    if span.start > 0 and found[0].isupper():
        return "name"
    letters = sum(c.isalpha() for c in found)
    pieces = len(found.split())
    return "syntax" if letters <= 4 * pieces and found.isascii() else "term"
