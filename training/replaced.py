"""People's sentences with some pieces replaced by others used alike: damage without a reader.

The task is replaced token detection (ELECTRA, Clark et al. 2020), with the base's own word vectors in the
place of a generator: what stands near a piece is another form of the word or another word of its kind,
and so the replaced text has the wrong endings, articles and terms that translation leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.tokens import Tokenizer

_FEWEST = 3
"""A piece seen less often in a language is of another."""

_NEAREST = 12
_LEAST_COSINE = 0.3
_BLOCK = 2048

_SHARE = 0.12
"""Of the pieces of a sentence, as many are replaced in the mean; but at least one."""

_NEAR, _ANY = 0.75, 0.15
"""How often a piece gives way to one near it, and one that begins a word to any word; else to none."""

_FLATTER = 0.75
"""Exponent of the counts that any word is drawn by (Mikolov et al. 2013)."""


@dataclass(frozen=True, slots=True)
class StandIns:
    """What may stand in the place of the pieces of one language.

    Attributes:
        near: Texts of the nearest pieces, by piece; those of words for pieces that begin a word.
        words: Texts of pieces that begin a word.
        weights: How often each of them is drawn. Shape (words,), sums to 1.
    """

    near: Mapping[int, tuple[str, ...]]
    words: tuple[str, ...]
    weights: npt.NDArray[np.float64]


def stand_ins(tokenizer: Tokenizer, vectors: npt.NDArray[np.float32], texts: Iterable[str]) -> StandIns:
    """Learn from people's texts which pieces a language has, and which lie near each other.

    Args:
        tokenizer: The base's.
        vectors: Word vectors of the base. Shape (pieces, hidden).
        texts: Some thousand sentences of one language.
    """
    counts: Counter[int] = Counter()
    written: dict[int, str] = {}
    begins: dict[int, bool] = {}
    for text in texts:
        for piece, start, end in _pieces(tokenizer, text):
            counts[piece] += 1
            written.setdefault(piece, text[start:end])
            begins.setdefault(piece, _begins_word(text, start))
    known = np.array([p for p, count in sorted(counts.items()) if count >= _FEWEST], dtype=np.int64)
    first = np.array([begins[int(p)] for p in known], dtype=bool)
    vector = vectors[known] / np.linalg.norm(vectors[known], axis=1, keepdims=True)
    near: dict[int, tuple[str, ...]] = {}
    for k in range(0, len(known), _BLOCK):
        cosine = vector[k : k + _BLOCK] @ vector.T
        cosine[first[k : k + _BLOCK, None] != first[None, :]] = -1.0
        nearest = np.argsort(-cosine, axis=1, kind="stable")[:, : 2 * _NEAREST]
        for row, others in enumerate(nearest):
            own = written[int(known[k + row])].lower()
            close = (written[int(known[i])] for i in others if cosine[row, i] > _LEAST_COSINE)
            near[int(known[k + row])] = tuple([o for o in close if o.lower() != own][:_NEAREST])
    weights = np.array([counts[int(p)] for p in known[first]], dtype=np.float64) ** _FLATTER
    return StandIns(near, tuple(written[int(p)] for p in known[first]), weights / max(1.0, weights.sum()))


def replace(
    text: str, tokenizer: Tokenizer, others: StandIns, rng: np.random.Generator
) -> tuple[str, list[tuple[int, int]]]:
    """Replace some pieces of a sentence.

    Returns:
        The sentence, and start and end of each replaced piece in it, in turn; the sentence itself
        and no places where nothing could be replaced.
    """
    pieces = _pieces(tokenizer, text)
    chosen = np.zeros(len(pieces), dtype=bool)
    if pieces:
        chosen[rng.choice(len(pieces), size=max(1, rng.binomial(len(pieces), _SHARE)), replace=False)] = True
    done, places, end = "", [], 0
    for (piece, start, stop), here in zip(pieces, chosen, strict=True):
        if not here or start < end:  # pieces of bytes share a character
            continue
        was = text[start:stop]
        other = _as_cased(_other(piece, _begins_word(text, start), others, rng), was)
        if other and other != was:
            done += text[end:start] + other
            places.append((len(done) - len(other), len(done)))
            end = stop
    return done + text[end:], places


def _other(piece: int, first: bool, others: StandIns, rng: np.random.Generator) -> str:
    way = rng.random()
    if way < _NEAR:
        near = others.near.get(piece, ())
        return near[int(rng.integers(len(near)))] if near else ""
    if way < _NEAR + _ANY and first and others.words:
        return others.words[int(rng.choice(len(others.words), p=others.weights))]
    return ""


def _begins_word(text: str, start: int) -> bool:
    return start == 0 or not text[start - 1].isalpha()


def _as_cased(other: str, was: str) -> str:
    """Write a piece as the one it stands for: case would give it away."""
    if was[:1].isupper():
        return other[:1].upper() + other[1:]
    return other.lower() if was.islower() else other


def _pieces(tokenizer: Tokenizer, text: str) -> list[tuple[int, int, int]]:
    """Give the pieces with a letter: number, start and end."""
    window = tokenizer.windows(text)[0]
    return [
        (int(piece), int(start), int(end))
        for piece, (start, end) in zip(window.ids, window.offsets, strict=True)
        if 0 <= start < end and any(c.isalpha() for c in text[start:end])
    ]
