"""A capital inside a sentence on a word that native text writes small there.

A link's words that were translated apart come back capitalised: "announced a Sharply higher
budget For the schools".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..report import Evidence, Kind, Sentence
from .lexicon import Lexicon, fold, lexicon, words
from .quotes import quoted_spans, within

ID: Final = "casing.inside"
KIND: Final[Kind] = "casing"

_MIN_SMALL = 8
_MAX_RATE = 0.006
_MIN_WORDS = 5
_MAX_CAPITALS = 0.4
_MAX_STRESSED = 3
_CONNECTORS = 40
_TITLE_CASE = ("en",)
# Web text runs headings into sentences: in these languages the rule marked 9 and 4 in 1,000
# sentences that people wrote, nearly all of them so, and 2 and 0 in 1,000 of machine text.
_HEADINGS_RUN_IN = ("es", "is")
# What opens a name or a title outside English: "museet heter Det gamle huset", "La Haye", "das Ich".
_OPENERS: Final = {
    language: frozenset(openers.split())
    for language, openers in {
        "da": "de den det",
        "de": "das der die ein eine ich",
        "el": "η ο οι τα το",
        "fr": "l la le les un une",
        "hu": "a az egy",
        "it": "gli i il l la le lo un una",
        "nb": "de den det",
        "nl": "de den een het",
        "pt": "a as o os um uma",
        "sv": "de den det",
    }.items()
}
_ARTICLES: Final = frozenset("the a an le la les l un une der die das el los las il lo gli o os as".split())
_NUMBERED = re.compile(r"[ -]?\d")


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find isolated capitals on common words; abstains in titles and in scripts without case.

    It abstains in Spanish and Icelandic too, and outside English on articles, which open names.
    """
    table = lexicon(language)
    if table is None or table.language in _HEADINGS_RUN_IN:
        return []
    return [e for sentence in sentences for e in _find(sentence, table)]


def inside(text: str, start: int) -> bool:
    """Tell whether the word at ``start`` follows a word and one space: nothing asks for a capital."""
    return start > 1 and text[start - 1] == " " and text[start - 2].isalnum()


def _find(sentence: Sentence, table: Lexicon) -> list[Evidence]:
    text = sentence.text
    found = words(text)
    capitals = [match[0][0].isupper() for match in found]
    if len(found) < _MIN_WORDS or sum(capitals) > max(2, _MAX_CAPITALS * len(found)):
        return []
    common = [
        capital and table[match[0]].small > table[match[0]].capital
        for match, capital in zip(found, capitals, strict=True)
    ]
    if sum(common[1:]) > _MAX_STRESSED:  # a writer who stresses words so
        return []
    capitals[0] = capitals[0] and not common[0]  # "The" before "Sharply" makes no name of it
    quoted = quoted_spans(text)
    evidence = []
    for i, match in enumerate(found):
        word = match[0]
        if not (capitals[i] and word[1:].islower() and inside(text, match.start())):
            continue
        rate = _capital_rate(word, table)
        if (
            rate > _MAX_RATE
            or _NUMBERED.match(text, match.end())
            or _in_name(i, found, capitals, table)
            or _is_title(i, found, table)
            or within(quoted, match.start())
        ):
            continue
        evidence.append(
            Evidence(
                sentence.start + match.start(),
                sentence.start + match.end(),
                KIND,
                round(1 - rate, 2),
                ID,
                f"“{word}” has a capital inside the sentence, where people write it small in "
                f"{min(99.9, 100 * (1 - rate)):.3g} % of cases. A full stop may be missing before it.",
            )
        )
    return evidence


def _capital_rate(word: str, table: Lexicon) -> float:
    counts = table[word]
    if counts.small < _MIN_SMALL:
        return 1.0
    # Elsewhere a name's first word alone is capitalised (Noc vědců), and any German word can
    # become a noun: only function words tell, and those that open a name do not.
    form = fold(word, table.language)
    tells = form in table.function_words and form not in _OPENERS.get(table.language, ())
    if table.language not in _TITLE_CASE and not tells:
        return 1.0
    return table.capital_rate(word)


def _in_name(i: int, found: list[re.Match[str]], capitals: list[bool], table: Lexicon) -> bool:
    """Tell whether a capitalised word is next, or beyond "of", "the" and their like.

    A function word between a name and a small word belongs to no name: "Marlow Is due on Friday".
    """
    connectors = table.function_words[:_CONNECTORS]
    transparent = fold(found[i][0], table.language) not in connectors
    if not transparent and i + 1 < len(found):
        text, after = found[i].string, found[i + 1]
        if not capitals[i + 1] and text[found[i].end() : after.start()] == " " and after[0].islower():
            return after[0] in connectors and i > 0 and capitals[i - 1]
    for step in (-1, 1):
        j = i + step
        while transparent and 0 <= j < len(found) and abs(j - i) < 3 and found[j][0] in connectors:
            j += step
        if 0 <= j < len(found) and capitals[j]:
            return True
    return False


def _is_title(i: int, found: list[re.Match[str]], table: Lexicon) -> bool:
    """Tell whether an article and a lone noun stand here: "the Website was", "the State"."""
    text = found[i].string
    following = found[i + 1] if i + 1 < len(found) else None
    ends = following is None or text[found[i].end() : following.start()] != " "
    closed = ends or (following is not None and fold(following[0], table.language) in table.function_words)
    return closed and i > 0 and found[i - 1][0].lower() in _ARTICLES
