"""A well-known full name with one word respelt: "Ji Jinping", where news writes "Xi Jinping".

The tables in ``assets/names`` are full names mined by ``training/names.py`` from news that people
wrote, with the number of articles they stand in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from ..report import Evidence, Kind, Sentence
from .lexicon import Lexicon, lexicon, primary
from .mentions import mentions
from .names import UNINFLECTED
from .spelling import akin, alike, one_syllable

ID: Final = "names.known"
KIND: Final[Kind] = "name"

Pair = tuple[str, str]
"""Two neighbouring words of a full name."""

_DOMINANT = 0.6
_UNKNOWN = 3
_RARE_WORD = 5
_MOST_CANDIDATES = 50
_AUTHORS_OWN = 0.5
"""Share of suggestions that were the author's own: 15 of 30 in train (`eval.suggestions`)."""
_ASSETS = files("detector") / "assets" / "names"


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The full names of one language's news.

    Attributes:
        articles: In how many articles each stood.
        by_word: The names that hold a word, by its place, 0 or 1, and the word.
    """

    articles: Mapping[Pair, int]
    by_word: Mapping[tuple[int, str], Sequence[Pair]]

    def dominant(self, name: Pair) -> bool:
        """Tell whether most articles that hold the last word of ``name`` mean its bearer."""
        bearers = self.by_word.get((1, name[1]), ())
        return self.articles[name] >= _DOMINANT * sum(self.articles[bearer] for bearer in bearers)


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find full names that news never spells so, one sound away from a name that it does.

    Where the text holds the well-known name too, ``names.drift`` judges. Languages without a
    table of names abstain.
    """
    table = lexicon(language)
    known = known_names(language)
    if table is None or known is None:
        return []
    found = [
        (pair, spans)
        for mention in mentions(sentences, table)
        for pair, spans in zip(
            zip(mention.forms, mention.forms[1:], strict=False),
            zip(mention.spans, mention.spans[1:], strict=False),
            strict=True,
        )
    ]
    present = {pair for pair, _ in found}
    evidence = []
    for pair, spans in found:
        right = respelt(pair, known, table)
        if right is not None and right not in present:
            place = 0 if pair[1] == right[1] else 1
            evidence.append(_evidence(spans[place], pair, right, place, known.articles[right]))
    return evidence


def respelt(pair: Pair, known: KnownNames, table: Lexicon) -> Pair | None:
    """Give the well-known name that ``pair`` misspells, or None.

    The names share one word, and the other sounds alike. A word that the language knows as a name
    of its own is no misspelling: Steven Harper is not Stephen Harper. Of names of one syllable
    only those before a rare word count.
    """
    if pair in known.articles:
        return None
    for place in (0, 1):
        word, shared = pair[place], pair[1 - place]
        for right in known.by_word.get((1 - place, shared), ())[:_MOST_CANDIDATES]:
            if _misspelt(word, right[place], shared, table) and known.dominant(right):
                return right
    return None


def _misspelt(word: str, right: str, shared: str, table: Lexicon) -> bool:
    if any(table[form].small > table[form].capital for form in (word, right, shared)):
        return False
    if one_syllable(word, right):
        return len(shared) >= _RARE_WORD and table[shared].capital <= table[right].capital
    inflected = table.language not in UNINFLECTED
    if table[word].capital >= _UNKNOWN:
        return False
    return (alike(word, right, inflected=inflected) or akin(word, right, inflected=inflected)) > 0


@cache
def known_names(language: str | None) -> KnownNames | None:
    """Load the names of a language, a BCP 47 tag; None where there is no table."""
    file = _ASSETS / f"{primary(language)}.tsv"
    if not file.is_file():
        return None
    rows = (row.split("\t") for row in file.read_text("utf-8").splitlines())
    return gather({(first, last): int(articles) for first, last, articles in rows})


def gather(articles: Mapping[Pair, int]) -> KnownNames:
    """Put names and the number of their articles into a table."""
    by_word: defaultdict[tuple[int, str], list[Pair]] = defaultdict(list)
    for pair in sorted(articles, key=lambda pair: (-articles[pair], pair)):
        for place, word in enumerate(pair):
            by_word[place, word].append(pair)
    return KnownNames(articles, by_word)


def _evidence(span: tuple[int, int], pair: Pair, right: Pair, place: int, articles: int) -> Evidence:
    message = f"“{' '.join(pair)}” may be “{' '.join(right)}”; this spelling stands nowhere in the news seen."
    score = round(min(0.9, 0.6 + 0.02 * articles), 2)
    return Evidence(*span, KIND, score, ID, message, (right[place],), _AUTHORS_OWN)
