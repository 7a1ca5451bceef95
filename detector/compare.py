"""A text and its original, cut into sentences -> what became of each sentence and each word."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence

from .alignment import align, fold_form, words
from .changes import find_changes
from .matching import Group, match
from .report import Comparison, Pair, Sentence

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
        pair, same = _pair(text, original, pieces, original_pieces, group, language)
        pairs.append(pair)
        kept += same
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


def _pair(
    text: str,
    original: str,
    sentences: Sequence[Sentence],
    original_sentences: Sequence[Sentence],
    group: Group,
    language: str | None,
) -> tuple[Pair, int]:
    """Compare the words of a group; also give how many words of the original it kept."""
    start, end = sentences[group.sentences[0]].start, sentences[group.sentences[-1]].end
    original_start = original_sentences[group.originals[0]].start
    original_end = original_sentences[group.originals[-1]].end
    alignment = align(original[original_start:original_end], text[start:end], language or "")
    same = sum(
        i >= 0 and not bent and not word.is_punctuation
        for word, i, bent in zip(alignment.roundtrip, alignment.links, alignment.inflected, strict=True)
    )
    changes = find_changes(alignment, start, original_start, language)
    pair = Pair(tuple(group.sentences), tuple(group.originals), round(group.similarity, 4), tuple(changes))
    return pair, same


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
