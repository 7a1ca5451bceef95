"""A text and its original, cut into sentences -> what became of each sentence and each word."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from .alignment import Alignment, Word, align, fold_form, words
from .changes import find_changes
from .matching import match
from .report import Change, Comparison, Pair, Sentence

COMPARER = "compare-1"
"""Name and version of how sentences are paired and changes are found; raise it when either can move."""

_MAX_WORDS = 200
"""A longer sentence is compared in pieces: aligning words takes time that grows with their square."""
_MEAN_WORDS = 50
_MIN_WORDS = 20


def compare(
    text: str,
    original: str,
    sentences: Sequence[Sentence],
    original_sentences: Sequence[Sentence],
    language: str | None,
    *,
    signature: str,
    notes: Sequence[str] = (),
) -> Comparison:
    """Pair the sentences of a text with those of its original, and the words of each pair.

    Args:
        text: The text.
        original: What it may have been made from.
        sentences: The text's sentences.
        original_sentences: The original's.
        language: BCP 47 tag of both, or None where it cannot be told: then words match by form only.
        signature: What the sentences and the language come from; `COMPARER` is added.
        notes: What is known beforehand.

    Returns:
        A comparison. Its sentences are those given, but for those of more than 200 words, which
        come in pieces.
    """
    pieces, original_pieces = (tuple(_pieces(side)) for side in (sentences, original_sentences))
    groups = match([s.text for s in pieces], [s.text for s in original_pieces], language)
    pairs = []
    kept = 0
    for group in groups:
        some, others = [pieces[i] for i in group.sentences], [original_pieces[j] for j in group.originals]
        alignment, changes = align_sentences(some, others, language)
        pairs.append(Pair(group.sentences, group.originals, round(group.similarity, 4), tuple(changes)))
        kept += len(kept_words(alignment))
    spoken = sum(not word.is_punctuation for s in original_pieces for word in words(s.text))
    cut = (len(pieces), len(original_pieces)) != (len(sentences), len(original_sentences))
    note = f"Sentences of more than {_MAX_WORDS} words were compared in pieces."
    return Comparison(
        text=text,
        original=original,
        language=language,
        reused=kept / spoken if spoken else math.nan,
        sentences=pieces,
        original_sentences=original_pieces,
        pairs=tuple(pairs),
        added=_rest(len(pieces), (i for group in groups for i in group.sentences)),
        dropped=_rest(len(original_pieces), (j for group in groups for j in group.originals)),
        signature=f"{COMPARER}|{signature}",
        notes=(*notes, note) if cut else tuple(notes),
    )


def align_sentences(
    sentences: Sequence[Sentence], original_sentences: Sequence[Sentence], language: str | None
) -> tuple[Alignment, list[Change]]:
    """Align the words of sentences that stand for each other, and list what changed.

    Args:
        sentences: Of a text, in the order to be read in.
        original_sentences: Of its original.
        language: BCP 47 tag, or None.

    Returns:
        An alignment whose words stand where they do in the whole text and the whole original, and
        its changes; none crosses from one sentence into another.
    """
    aligned = align(_joined(original_sentences), _joined(sentences), language or "")
    here, openings = _placed(aligned.roundtrip, sentences)
    there, original_openings = _placed(aligned.original, original_sentences)
    alignment = replace(aligned, original=there, roundtrip=here)
    return alignment, find_changes(alignment, openings, original_openings, language)


def kept_words(alignment: Alignment) -> list[Word]:
    """Give the words of the original, punctuation left out, that the text has in the same form."""
    return [
        alignment.original[i]
        for i, bent in zip(alignment.links, alignment.inflected, strict=True)
        if i >= 0 and not bent and not alignment.original[i].is_punctuation
    ]


def _joined(sentences: Sequence[Sentence]) -> str:
    return "\n".join(s.text for s in sentences)


def _placed(found: Sequence[Word], sentences: Sequence[Sentence]) -> tuple[tuple[Word, ...], frozenset[int]]:
    """Move words of joined sentences to where they stand in the whole text.

    Returns:
        The words, and the indices of those that open a sentence, but the first.
    """
    begins = list(accumulate((len(s.text) + 1 for s in sentences), initial=0))
    placed: list[Word] = []
    openings: set[int] = set()
    k = 0
    for i, word in enumerate(found):
        while word.start >= begins[k + 1]:
            k += 1
            openings.add(i)
        shift = sentences[k].start - begins[k]
        placed.append(Word(word.text, word.start + shift, word.end + shift))
    return tuple(placed), frozenset(openings)


def _pieces(sentences: Sequence[Sentence]) -> Iterator[Sentence]:
    """Cut sentences of more than _MAX_WORDS words where their words say so.

    A word ends a piece by its own hash, so that both sides are cut at the same words whatever
    stands before them.

    Reference:
        Muthitacharoen et al. (2001), A Low-bandwidth Network File System: content-defined chunks.
    """
    for sentence in sentences:
        if len(sentence.text) <= _MAX_WORDS:
            yield sentence
            continue
        found = words(sentence.text)
        if len(found) <= _MAX_WORDS:
            yield sentence
            continue
        start, held = 0, 0
        for i, word in enumerate(found):
            held += 1
            hashed = zlib.crc32(fold_form(word.text).encode("utf-8", "replace"))
            ends = held >= _MIN_WORDS and hashed % (_MEAN_WORDS - _MIN_WORDS) == 0
            if i + 1 == len(found):
                yield _slice(sentence, start, len(sentence.text))
            elif ends or held == _MAX_WORDS:
                yield _slice(sentence, start, word.end)
                start, held = found[i + 1].start, 0


def _slice(sentence: Sentence, start: int, end: int) -> Sentence:
    return Sentence(sentence.text[start:end], sentence.start + start, sentence.start + end)


def _rest(size: int, taken: Iterator[int]) -> tuple[int, ...]:
    held = set(taken)
    return tuple(i for i in range(size) if i not in held)
