"""A subject said twice: "The minister He and her deputy arrived", "he she said"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..report import Evidence, Kind, Sentence
from .casing_inside import inside
from .lexicon import lexicon, primary, words

ID: Final = "syntax.doubled_subject"
KIND: Final[Kind] = "syntax"

_PRONOUNS: Final[dict[str, str]] = {
    "en": "he|she|they|we",
    "de": "er|ich|wir",
    "fr": "il|elle|ils|je",
    "es": "él|ella|ellos|ellas|yo",
    "it": "lui|lei|egli|io",
    "pt": "ele|ela|eles|elas|eu",
    "ru": "он|она|они|мы",
    "uk": "він|вона|вони|ми",
    "cs": "já|ona|oni",
    "pl": "ja|ona|oni",
}
"""Pronouns that are only ever subjects, or that no native writer sets side by side.

Chinese and Arabic are left out by design: 给他他就走 and هو هو are right.
"""

_PAIRS: Final = {
    language: re.compile(rf"(?<![\w'’-])(?:{pronouns}) (?:{pronouns})(?![\w'’-]| selbst)", re.IGNORECASE)
    for language, pronouns in _PRONOUNS.items()
}
# After these the first pronoun is no subject: "avec elle il part", "senza di lui lei resta".
_OBJECT: Final = {
    language: re.compile(rf"\b(?:{before}) $", re.IGNORECASE)
    for language, before in {
        "fr": "à|après|avant|avec|chez|contre|de|derrière|devant|entre|envers|malgré|par|parmi|pour|"
        "sans|selon|sous|sur|vers|comme",
        "es": "a|ante|con|contra|de|en|entre|hacia|para|por|según|sin|sobre|tras|como",
        "it": "a|con|contro|da|di|per|senza|su|tra|fra|verso|come|secondo",
        "pt": "a|com|contra|de|em|entre|para|perante|por|sem|sobre|como|segundo",
    }.items()
}
_CAPITALISED: Final = {"en": ("He", "She", "They")}


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find two subject pronouns in a row, and a capitalised pronoun right after a noun."""
    code = primary(language) or ""
    pairs, preposition = _PAIRS.get(code), _OBJECT.get(code)
    table = lexicon(code)
    if pairs is None or table is None:
        return []
    evidence = []
    for sentence in sentences:
        text = sentence.text
        spans = [
            (
                match.span(),
                0.9,
                f"In “{match[0]}” two subjects stand side by side; one is very likely left over.",
            )
            for match in pairs.finditer(text)
            if preposition is None or not preposition.search(text, max(0, match.start() - 12), match.start())
        ]
        if any(pronoun in text for pronoun in _CAPITALISED.get(code, ())):
            found = words(text)
            for noun, match, following in zip(found, found[1:], found[2:], strict=False):
                if (
                    match[0] in _CAPITALISED[code]
                    and inside(text, match.start())
                    and noun.end() == match.start() - 1
                    and noun[0].islower()
                    and noun[0] not in table.function_words
                    and following[0].islower()
                ):
                    message = (
                        f"“{match[0]}” follows “{noun[0]}” as a second subject; one is probably left over."
                    )
                    spans.append((match.span(), 0.8, message))
        evidence += [
            Evidence(sentence.start + start, sentence.start + end, KIND, score, ID, message)
            for (start, end), score, message in sorted(spans)
        ]
    return evidence
