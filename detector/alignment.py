"""Round trip + original -> which words of the round trip were changed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nltk.stem.snowball import SnowballStemmer


UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"  # kana, Han
)
"""Scripts that write no spaces, as the inside of a character class."""
# vowel signs and accents belong to their word, but `\w` leaves them out
_MARKS = "".join(c for c in map(chr, range(0x300, 0x1E00)) if unicodedata.category(c).startswith("M"))
_LETTERS = rf"(?:[^\W\d{UNSPACED}]++[{_MARKS}]*+)++"
_WORD = re.compile(rf"[{UNSPACED}]|\d+(?:[.,:]\d+)*|{_LETTERS}(?:['’]{_LETTERS})*|[^\w\s]")
_SNOWBALL = {
    "ar": "arabic", "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish",
    "fr": "french", "hu": "hungarian", "it": "italian", "nb": "norwegian", "nl": "dutch",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """A word, number or punctuation mark and where it stands: ``text[start:end]``."""

    text: str
    start: int
    end: int

    @property
    def is_punctuation(self) -> bool:
        """Whether it holds neither letter nor digit."""
        return not any(c.isalnum() for c in self.text)


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a round trip's words stand to its original's.

    Attributes:
        original: Words of the original.
        roundtrip: Words of the round trip.
        links: For each word of the round trip the index of its counterpart in the original,
            or -1 where it has none: a changed or added word. Shape (len(roundtrip),).
        inflected: True where the counterpart has the same stem but another ending.
        moved: True where the counterpart stands elsewhere in the sentence.
    """

    original: tuple[Word, ...]
    roundtrip: tuple[Word, ...]
    links: tuple[int, ...]
    inflected: tuple[bool, ...]
    moved: tuple[bool, ...]

    @property
    def changed(self) -> tuple[bool, ...]:
        """True for every word of the round trip without a counterpart of the same form."""
        return tuple(i < 0 or bent for i, bent in zip(self.links, self.inflected, strict=True))

    @property
    def lost(self) -> tuple[int, ...]:
        """Indices of the original's words that nothing in the round trip stands for."""
        kept = set(self.links)
        return tuple(i for i in range(len(self.original)) if i not in kept)


def words(text: str) -> tuple[Word, ...]:
    """Cut a text into words, numbers and punctuation marks, with offsets.

    Scripts that write no spaces are cut into characters.

    Example:
        >>> [w.text for w in words("It's 1,000 km.")]
        ["It's", '1,000', 'km', '.']
    """
    return tuple(Word(m.group(), m.start(), m.end()) for m in _WORD.finditer(text))


def align(original: str, roundtrip: str, language: str) -> Alignment:
    """Find for each word of a round trip its counterpart in the original.

    Equal runs are matched first, longest first (Ratcliff & Obershelp's method, as in `difflib`),
    then equal words left over on both sides (they moved), then words of one stem (they were
    inflected). Case and the style of quotes and dashes do not count. A function word or mark
    that moved alone is a change: any sentence has another "the" to offer.

    Args:
        original: The author's sentence.
        roundtrip: What came back.
        language: BCP 47 tag; languages without a Snowball stemmer match forms only.

    Example:
        >>> a = align("He sent lethal aid.", "He sent assisted dying.", "en")
        >>> [w.text for w, c in zip(a.roundtrip, a.changed) if c]
        ['assisted', 'dying']
    """
    source, target = words(original), words(roundtrip)
    source_forms = [fold_form(w.text) for w in source]
    target_forms = [fold_form(w.text) for w in target]
    links = [-1] * len(target)
    inflected = [False] * len(target)
    moved = [False] * len(target)
    matcher = SequenceMatcher(None, source_forms, target_forms, autojunk=False)
    for block in matcher.get_matching_blocks():
        for k in range(block.size):
            links[block.b + k] = block.a + k
    free = set(range(len(source))) - set(links)
    for same in (_is_same_form, _is_same_stem):
        for j, word in enumerate(target):
            if links[j] >= 0 or (len(word.text) < 4 and not word.text.isdigit()):
                continue
            candidates = [i for i in free if same(source_forms[i], target_forms[j], language)]
            if candidates:
                i = min(candidates, key=lambda i: (abs(i - j), i))
                free.remove(i)
                links[j] = i
                inflected[j] = same is _is_same_stem
                moved[j] = not _in_order(links, j)
    return Alignment(source, target, tuple(links), tuple(inflected), tuple(moved))


_FOLD = str.maketrans("’‘“”„«»–—", "''" + '"' * 5 + "--")


def fold_form(word: str) -> str:
    """Give a word as alignment sees it: without case, quotes and dashes in one style."""
    return word.casefold().translate(_FOLD)


def _is_same_form(a: str, b: str, language: str) -> bool:
    return a == b


def _is_same_stem(a: str, b: str, language: str) -> bool:
    return a[:2] == b[:2] and len(a) > 3 and _stem(a, language) == _stem(b, language)


@lru_cache(maxsize=200_000)
def _stem(word: str, language: str) -> str:
    name = _SNOWBALL.get(language)
    if name is None:
        return word
    # the Arabic one keeps the last word's state: made anew, a stem depends on its word alone
    stemmer = _stemmer.__wrapped__(name) if name == "arabic" else _stemmer(name)
    stem: str = stemmer.stem(word)
    return stem


@cache
def _stemmer(name: str) -> SnowballStemmer:
    from nltk.stem.snowball import SnowballStemmer  # takes a second, and rules need none

    return SnowballStemmer(name)


def _in_order(links: list[int], j: int) -> bool:
    before = next((links[k] for k in range(j - 1, -1, -1) if links[k] >= 0), -1)
    after = next((links[k] for k in range(j + 1, len(links)) if links[k] >= 0), links[j] + 1)
    return before < links[j] < after
