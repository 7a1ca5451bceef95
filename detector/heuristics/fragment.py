"""A sentence that breaks off: its last word is one that no sentence ends in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..report import Evidence, Kind, Sentence
from .lexicon import lexicon, words

ID: Final = "fragment.broken"
KIND: Final[Kind] = "fragment"

_MIN_WORDS = 5
_MAX_RATE = 2.5e-4
_CUT = re.compile(r"\w{2}-\.?$")


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find sentences of five words or more that end in "the", "of" and their like, or in "-".

    A word counts as one that cannot end a sentence where it is common in native text and not once
    in 4,000 times its last word. In Chinese and Japanese, words are characters. Outside English the
    last part of a domain, "example.de.", is no word.
    """
    table = lexicon(language)
    if table is None:
        return []
    evidence = []
    for sentence in sentences:
        found = words(sentence.text)
        if len(found) < _MIN_WORDS:
            continue
        last = found[-1]
        tail = sentence.text[last.end() :]
        counts = table[last[0]]
        if _CUT.search(sentence.text):
            message = f"The sentence very likely breaks off inside “{last[0]}-”."
        elif (
            tail in (".", "。", "।")
            and not last[0][0].isupper()
            and (table.language == "en" or sentence.text[last.start() - 1] != ".")
            and counts.last + 0.5 <= _MAX_RATE * counts.total
        ):
            message = f"The sentence very likely breaks off after “{last[0]}”: hardly any ends there."
        else:
            continue
        evidence.append(Evidence(sentence.start + last.start(), sentence.end, KIND, 0.85, ID, message))
    return evidence
