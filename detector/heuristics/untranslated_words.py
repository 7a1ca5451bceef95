"""Function words of another language, unquoted in the sentence."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from ..report import Evidence, Kind, Sentence
from .lexicon import languages, lexicon, words
from .quotes import quoted_spans, within

ID: Final = "untranslated.words"
KIND: Final[Kind] = "untranslated"

_MIN_WORDS = 2
_MAX_GAP = 3
_COMMONEST = 100
_MIN_SENTENCES = 1_000
"""Below this a table is too small to say that a word of the same script is not the language's own."""

_LATIN = re.compile("[a-zà-öø-ɏ]")


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find two or more small function words of one other language, at most three words apart.

    Words that native text of this language knows do not count, nor those beside a capital
    ("Rio de la Plata"), in quotes or in brackets.
    """
    table = lexicon(language)
    if table is None:
        return []
    foreign = _foreign(table.language)
    return [e for sentence in sentences for e in _find(sentence, foreign)]


@cache
def _foreign(language: str) -> Mapping[str, frozenset[str]]:
    """Give the languages whose function word it is, for each word ``language`` does not know."""
    own = lexicon(language)
    assert own is not None
    latin = bool(_LATIN.match(own.function_words[0]))
    known: defaultdict[str, set[str]] = defaultdict(set)
    for other in languages():
        table = lexicon(other)
        if other == language or table is None:
            continue
        for word in table.function_words[:_COMMONEST]:
            same_script = latin == bool(_LATIN.match(word))
            if len(word) > 1 and not own[word].total and (not same_script or own.sentences >= _MIN_SENTENCES):
                known[word].add(other)
    return {word: frozenset(others) for word, others in known.items()}


def _find(sentence: Sentence, foreign: Mapping[str, frozenset[str]]) -> list[Evidence]:
    text = sentence.text
    found = words(text)
    hits = [
        (i, match)
        for i, match in enumerate(found)
        if match[0] in foreign
        and "-" not in text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
        and not any(near[0][0].isupper() for near in (*found[max(0, i - 1) : i], *found[i + 1 : i + 2]))
    ]
    if len(hits) < _MIN_WORDS:
        return []
    quoted = quoted_spans(text)
    evidence = []
    group: list[tuple[int, re.Match[str]]] = []
    shared: frozenset[str] = frozenset()
    for i, match in hits:
        if within(quoted, match.start()):
            continue
        near = group and i - group[-1][0] <= _MAX_GAP and shared & foreign[match[0]]
        if not near:
            evidence += _evidence(sentence, group, shared)
            group, shared = [], foreign[match[0]]
        group.append((i, match))
        shared &= foreign[match[0]]
    return evidence + _evidence(sentence, group, shared)


def _evidence(
    sentence: Sentence, group: list[tuple[int, re.Match[str]]], languages_: frozenset[str]
) -> list[Evidence]:
    if len({match[0] for _, match in group}) < _MIN_WORDS:
        return []
    start, end = group[0][1].start(), group[-1][1].end()
    return [
        Evidence(
            sentence.start + start,
            sentence.start + end,
            KIND,
            min(0.95, 0.6 + 0.1 * len(group)),
            ID,
            f"“{sentence.text[start:end]}” was probably left in another language "
            f"(code {' or '.join(sorted(languages_))}).",
        )
    ]
