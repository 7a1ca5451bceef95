"""The names that a text mentions: capitalised words in a row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ..report import Sentence
from .lexicon import WORD, Lexicon, fold

_TITLES: Final = frozenset(
    """mr mrs ms miss dr prof professor president premier minister senator sen governor gov sir lord lady dame
    king queen prince princess pope judge justice general gen colonel captain sergeant chancellor chairman
    chairwoman secretary rep congressman congresswoman ambassador commissioner mayor coach director
    herr frau präsident präsidentin minister ministerin kanzler kanzlerin monsieur madame président présidente
    ministre presidente presidenta ministro ministra señor señora signor signora senhor senhora
    президент премьер министр господин госпожа prezident ministr presidentti ministeri""".split()
)
NOUNS: Final = {
    "de": frozenset(
        """der die das des dem den ein eine einen einem eines einer kein keine keinen keinem dieser
        diese dieses diesem diesen im am zum zur vom beim ins ans""".split()
    )
}
"""Languages that write every noun with a capital, and the words that stand before nouns."""

_HEADLINE: Final = (0.6, 0.8)
_ARTICLED = re.compile(
    rf"(?P<article>\b(?:[AaEeUu]l|[Aa](?:s|d|r|n|t|z|sh))-(?=[^\W\d_]))?(?P<word>{WORD.pattern})"
)
_POSSESSIVE = re.compile("['’]s?$")
_GAP = re.compile(r"[^\S\r\n]+")
_AFTER_INITIAL = re.compile(r"\.[^\S\r\n]")
_MOST_WORDS = 8
"""Of a name; longer rows of capitals are lists and headings."""


@dataclass(frozen=True, slots=True)
class Mention:
    """Capitalised words in a row, title and possessive ending left out.

    Attributes:
        forms: The words; an Arabic article belongs to the word that it is set before.
        spans: Where each stands in the whole text.
        title: The title before them in small letters, an initial with its stop, or "".
        sentence: Which sentence it stands in, from 0.
        noun: Whether the word before them says that a common noun follows, "der Zirkus", in languages
            that write those with a capital.
        following: The word after them in small letters where only a space parts it, or "".
    """

    forms: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    title: str
    sentence: int
    noun: bool
    following: str


def mentions(sentences: Sequence[Sentence], table: Lexicon) -> list[Mention]:
    """Give every mention in order; headlines in capitals have none."""
    return [mention for i, sentence in enumerate(sentences) for mention in _mentions(sentence, i, table)]


def _mentions(sentence: Sentence, index: int, table: Lexicon) -> Iterator[Mention]:
    text = sentence.text
    found = list(_ARTICLED.finditer(text))
    capitals = sum(match["word"][0].isupper() for match in found)
    determiners = NOUNS.get(table.language, frozenset())
    if capitals > max(4, _HEADLINE[table.language in NOUNS] * len(found)):
        return
    run: list[re.Match[str]] = []
    title = before = ""
    for match in found:
        word = match["word"]
        folded = fold(word, table.language)
        counts = table[word]
        starts = match is found[0] and counts.small > counts.capital
        named = word[0].isupper() and not word.isupper() and not starts and folded not in _TITLES
        beside = bool(run) and _GAP.fullmatch(text, run[-1].end(), match.start()) is not None
        if run and not (named and beside):
            if len(run) <= _MOST_WORDS:
                yield _mention(
                    run, title, sentence.start, index, before in determiners, folded if beside else ""
                )
            run, title, before = [], "", ""
        if named:
            run.append(match)
        else:
            initial = len(word) == 1 and word.isupper() and _AFTER_INITIAL.match(text, match.end())
            title = folded if folded in _TITLES else f"{word}." if initial else ""
            before = folded
    if 0 < len(run) <= _MOST_WORDS:
        yield _mention(run, title, sentence.start, index, before in determiners, "")


def _mention(
    run: Sequence[re.Match[str]], title: str, offset: int, sentence: int, noun: bool, following: str
) -> Mention:
    forms = tuple(_POSSESSIVE.sub("", match[0]) for match in run)
    starts = [offset + match.start() for match in run]
    spans = tuple((start, start + len(form)) for start, form in zip(starts, forms, strict=True))
    return Mention(forms, spans, title, sentence, noun, following)
