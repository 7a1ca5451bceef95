"""A sentence of prose that starts with a small letter, in a text whose sentences do not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from ..report import Evidence, Kind, Sentence
from .lexicon import capitalise, lexicon, words

ID: Final = "casing.start"
KIND: Final[Kind] = "casing"

_MIN_OTHERS = 4
_MIN_SHARE = 0.9
_MIN_WORDS = 4
_MIN_SMALL = 8


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find small starts that the text's other starts condemn; the first sentence is not judged.

    Needs four other sentences that start with a letter, nine in ten of them with a capital, and
    a common word after a full stop, so that brands, links, lists, quotes and small-letter chat
    stay.
    """
    table = lexicon(language)
    if table is None:
        return []
    cased = [s.text[0] for s in sentences if s.text and s.text[0].lower() != s.text[0].upper()]
    capitals = sum(letter.isupper() for letter in cased)
    others = len(cased) - 1
    if others < _MIN_OTHERS or capitals < _MIN_SHARE * others:
        return []
    evidence = []
    for before, sentence in pairwise(sentences):
        found = words(sentence.text) if sentence.text[:1].islower() else []
        if len(found) < _MIN_WORDS:
            continue
        first = found[0]
        counts = table[first[0]]
        if (
            first.start() == 0
            and first[0].islower()
            and sentence.text[first.end() : first.end() + 1] in (" ", ",")
            and sentence.text[-1] in ".!?"
            and counts.small >= max(_MIN_SMALL, counts.capital)
            and _ends(before.text)
        ):
            evidence.append(
                Evidence(
                    sentence.start,
                    sentence.start + first.end(),
                    KIND,
                    round(capitals / others, 2),
                    ID,
                    f"The sentence starts with a small “{first[0]}”; {capitals} of the other {others} start "
                    "with a capital.",
                    (capitalise(first[0], table.language),),
                )
            )
    return evidence


def _ends(text: str) -> bool:
    """Tell whether ``text`` ends in a full stop that closes a word, not an abbreviation or "..."."""
    last = words(text)[-1:]
    return text.endswith(".") and bool(last) and last[0].end() == len(text) - 1 and len(last[0][0]) > 3
