"""A sentence -> the windows of pieces an encoder reads, each piece with its place and its case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

CASES = 6
"""How many ways a word can be written: `_case`."""

_CHUNK_CHARACTERS = 20_000
_LONGEST_WORD = 40
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Window:
    """What the encoder reads at once.

    Attributes:
        ids: Piece ids with the special ones around them. Shape (pieces,), int64.
        cases: How the word around each piece is written, 0 for special pieces and where there is
            no case; see `Tokenizer`. Shape (pieces,), int64.
        offsets: Start and end of each piece in the sentence, in code points; -1, -1 for special
            pieces. Shape (pieces, 2), int64.
        words: Number of the word each piece belongs to, -1 for special pieces and for those that are
            nothing but space. Shape (pieces,).
    """

    ids: npt.NDArray[np.int64]
    cases: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]


class Tokenizer:
    """Cuts sentences into windows of at most ``max_tokens`` pieces.

    A base whose vocabulary is uncased cannot see a capital, so each piece also says how its word is
    written: 1 small, 2 Capitalised, 3 CAPITALS, 4 miXed, 5 one capital letter. A sentence written
    without any small letter, or without any capital, says nothing about case and gets zeros, so
    that typing in one case does not look like damage.

    Double quotes are hidden from the encoder and dashes and apostrophes are read in one style:
    engines keep their own habits there, and a model would learn the engine instead of the damage
    (``normalise`` puts this into the tokenizer file, so every backend reads alike).
    """

    def __init__(self, folder: Path, *, max_tokens: int = 128) -> None:
        """Load ``tokenizer.json`` from ``folder``.

        Raises:
            ValueError: If the file is missing or is not a tokenizer.
        """
        from tokenizers import Tokenizer as Pieces

        path = folder / "tokenizer.json"
        try:
            self._pieces: Any = Pieces.from_file(str(path))
        except Exception as error:  # the Rust side raises bare Exception
            raise ValueError(f"{path}: not a tokenizer: {error}") from None
        self._pieces.no_padding()
        self._pieces.no_truncation()
        empty: list[int] = self._pieces.encode("").ids
        self._head, self._tail = (empty[:1], empty[-1:]) if len(empty) > 1 else ([], [])
        self.max_tokens = max_tokens

    def windows(self, sentence: str) -> list[Window]:
        """Cut a sentence into overlapping windows; every piece stands in at least one.

        Neighbouring windows share a quarter of their pieces. A sentence without pieces gives one
        window of special pieces only.
        """
        caseless = sentence.islower() or sentence.isupper()
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        cases: list[int] = []
        words: list[int] = []
        count = -1
        for chunk, shift in _chunks(_encodable(sentence)):
            coded = self._pieces.encode(chunk, add_special_tokens=False)
            known: dict[tuple[int, int], int] = {}
            before: tuple[int | None, int] | None = None
            for piece, (covered, end), word in zip(coded.ids, coded.offsets, coded.word_ids, strict=True):
                start = _after_space(chunk, covered, end)
                ids.append(piece)
                if start == end:  # nothing but space, or hidden: of no word
                    offsets.append((covered + shift, end + shift))
                    cases.append(0)
                    words.append(-1)
                    continue
                count += before is None or before[0] != word or _part(chunk, before[1], start)
                before = word, end
                words.append(count)
                offsets.append((start + shift, end + shift))
                span = _word_around(chunk, start, end)
                if span not in known:
                    known[span] = 0 if caseless else _case(chunk[span[0] : span[1]])
                cases.append(known[span])
        return [self._window(ids, cases, offsets, words, k) for k in self._starts(len(ids))]

    def longest(self) -> Window:
        """Give a window of ``max_tokens`` pieces, all the last of the vocabulary, to try a model with."""
        last = self._pieces.get_vocab_size() - 1
        none = np.full(self.max_tokens, -1, dtype=np.int64)
        return Window(
            ids=np.full(self.max_tokens, last, dtype=np.int64),
            cases=np.zeros(self.max_tokens, dtype=np.int64),
            offsets=np.stack([none, none], axis=1),
            words=none,
        )

    def _starts(self, pieces: int) -> range:
        room = self._room
        stride = max(1, room - room // 4)
        return range(0, max(1, pieces - room + stride), stride) if pieces > room else range(1)

    @property
    def _room(self) -> int:
        return self.max_tokens - len(self._head) - len(self._tail)

    def _window(
        self,
        ids: list[int],
        cases: list[int],
        offsets: list[tuple[int, int]],
        words: list[int],
        start: int,
    ) -> Window:
        part = slice(start, start + self._room)
        around = len(self._head)
        return Window(
            ids=np.array(self._head + ids[part] + self._tail, dtype=np.int64),
            cases=np.array([0] * around + cases[part] + [0] * around, dtype=np.int64),
            offsets=np.array(
                [(-1, -1)] * around + offsets[part] + [(-1, -1)] * around, dtype=np.int64
            ).reshape(-1, 2),
            words=np.array([-1] * around + words[part] + [-1] * around, dtype=np.int64),
        )


_QUOTES = "[“”„‟«»″〝〞＂\"]|''|``|,,"
_SPACE = re.compile(rf"(?:\s|{_QUOTES})+")


def _after_space(text: str, start: int, end: int) -> int:
    """Give where a piece's own text begins: some vocabularies count the space before a word to it.

    Returns:
        ``end`` for a piece that is nothing but space or quotes.
    """
    space = _SPACE.match(text, start, end)
    return space.end() if space else start


def _part(text: str, end: int, start: int) -> bool:
    """Whether two pieces of one chunk are two words: one of them ends or begins with what stands alone.

    Pieces that share a character, as bytes of it do, are of one word.

    Args:
        text: What was coded.
        end: End of the first piece.
        start: Start of the second.
    """
    return start >= end and (_stands_alone(text[end - 1]) or _stands_alone(text[start]))


def _stands_alone(character: str) -> bool:
    # as BERT's own rule: ASCII symbols count as punctuation, ideographs are words
    return (
        (character.isascii() and not character.isalnum() and not character.isspace())
        or unicodedata.category(character).startswith("P")
        or _IDEOGRAPH.match(character) is not None
    )


_IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f]")


def normalise(pieces: Any) -> Any:
    """Give a `tokenizers.Tokenizer` whose normaliser first reads all quote and dash styles alike.

    Offsets still refer to the text as received: tokenizers tracks them through its normalisers.
    """
    from tokenizers import Regex, normalizers

    styles = [
        normalizers.Replace(Regex(_QUOTES), " "),
        normalizers.Replace(Regex("[‘’‚‛‹›′`´]"), "'"),
        normalizers.Replace(Regex("-{2,}|[‐‑‒–—―−]"), "-"),
        normalizers.Replace("…", "..."),
        normalizers.Replace(Regex("[\u00a0\u2000-\u200a\u202f\u205f\u3000\\s]+"), " "),
        normalizers.Strip(),  # a quote at an end would leave a space, which some vocabularies show
    ]
    own = [pieces.normalizer] if pieces.normalizer is not None else []
    pieces.normalizer = normalizers.Sequence([*styles, *own])
    return pieces


def _encodable(text: str) -> str:
    """Put U+FFFD for lone surrogates, one for one: the tokenizer takes only valid Unicode."""
    return _SURROGATE.sub("\ufffd", text)


def _chunks(text: str) -> Iterator[tuple[str, int]]:
    """Cut an endless sentence at a space, so that coding one stays linear in memory."""
    start = 0
    while len(text) - start > _CHUNK_CHARACTERS:
        end = text.rfind(" ", start + 1, start + _CHUNK_CHARACTERS)
        end = start + _CHUNK_CHARACTERS if end < 0 else end
        yield text[start:end], start
        start = end
    yield text[start:], start


def _word_around(text: str, start: int, end: int) -> tuple[int, int]:
    first, last = start - _LONGEST_WORD, end + _LONGEST_WORD  # a megabyte without spaces stays linear
    while start > max(0, first) and text[start - 1].isalpha():
        start -= 1
    while end < min(len(text), last) and text[end].isalpha():
        end += 1
    return start, end


def _case(word: str) -> int:
    letters = [c for c in word if c.isalpha()]
    if not letters or not any(c.isupper() or c.islower() for c in letters):
        return 0
    if all(c.islower() for c in letters):
        return 1
    if all(c.isupper() for c in letters):
        return 5 if len(letters) == 1 else 3
    return 2 if letters[0].isupper() and not any(c.isupper() for c in letters[1:]) else 4
