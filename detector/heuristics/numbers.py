"""Numbers, dates and units that no writer of the language sets so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from ..report import Evidence, Kind, Sentence
from .lexicon import primary

ID: Final = "number.odd"
KIND: Final[Kind] = "number"

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ONES = "one two three four five six seven eight nine ten".split()
_SPELT = {**{w: 1 + i for i, w in enumerate(_ONES)}, **{w: 20 + 10 * i for i, w in enumerate(_TENS)}}

# What a number is doubled by: its sign and its name. "$5 dollars" is left out, people type it.
_UNITS: Final = {
    "km": "kilomet(?:er|re)s?",
    "kg": "kilogram(?:me)?s?",
    "cm": "centimet(?:er|re)s?",
    "mm": "millimet(?:er|re)s?",
    "%": "percent|per cent",
}

_FIGURE: Final = r"(?<![\d.,])\d[\d.,]{0,15}"

# Reasons and patterns; each pattern is a fault by itself. 百万千瓦, a million kilowatts, is right, and
# so is the decimal point of Swiss francs.
_PATTERNS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "en": (
        (
            "has two scale words that do not go together",
            r"\b(?:million (?:hundred|thousand)|billion (?:hundred|thousand|million)"
            r"|trillion (?:hundred|thousand|million|billion))\b(?![- ](?:dollar|strong))",
        ),
        (
            "names its unit twice",
            "|".join(rf"{_FIGURE} ?{a} (?:{b})\b|{_FIGURE} (?:{b}) ?{a}(?!\w)" for a, b in _UNITS.items()),
        ),
        (
            "writes a year like an amount",
            r"\bthe year [12],\d{3}\b(?!,\d)"
            rf"|\b(?:{_MONTHS})(?: \d{{1,2}},?)? [12],\d{{3}}\b(?!,\d| [a-z])",
        ),
        (
            "sets a full stop after the day, as German does",
            rf"(?i:\b(?:on|since|until|from|to|by|of|the) )\d{{1,2}}\. (?:{_MONTHS})\b",
        ),
        (
            "has a decimal comma",
            r"(?<![\d,.])\d{1,3},\d{1,2} (?:million|billion|trillion|percent|per cent|km|kg)\b"
            r"|(?<![\d,.])\d{1,3},\d{1,2} ?%",
        ),
        ("is grouped wrongly", r"(?<![\d,.])\d{1,3},\d{4,}(?![\d,])(?= [a-z]{3})"),
    ),
    "de": (
        (
            "has a decimal point",
            r"(?<![\d,.])\d{1,3}\.\d{1,2} (?:Millionen|Milliarden|Billionen|Prozent)\b"
            r"(?! (?:Schweizer )?(?:Franken|CHF))",
        ),
        (
            "has two scale words that do not go together",
            r"\b(?:Millionen (?:Tausend|tausend)|Milliarden? Millionen)\b",
        ),
    ),
    "fr": (
        (
            "has a decimal point",
            r"(?<![\d,.])\d{1,3}\.\d{1,2} (?:millions?|milliards?|pour cent)\b(?! de (?:francs|CHF))",
        ),
        (
            "has two scale words that do not go together",
            r"\bmilliards? (?:de )?millions?\b",
        ),
    ),
    "ru": (
        ("has a decimal point", r"(?<![\d,.])\d{1,3}\.\d{1,2} (?:миллион|миллиард|млн|млрд|процент)\w*"),
        (
            "has two scale words that do not go together",
            r"\b(?:миллион(?:а|ов)? тысяч|миллиард(?:а|ов)? (?:тысяч|миллион\w*))\b",
        ),
    ),
    "zh": (("has two scale words that do not go together", "(?:百万|千万|亿)(?:百万|千万)|百万万"),),
    "ar": (("has two scale words that do not go together", r"\b(?:مليون ألف|مليار (?:ألف|مليون))\b"),),
}
_COMPILED: Final = {
    language: tuple((reason, re.compile(pattern)) for reason, pattern in patterns)
    for language, patterns in _PATTERNS.items()
}
_SAID_TWICE = re.compile(rf"\b({'|'.join(_SPELT)}) (\d{{1,2}})(?![\d.,:%-]|\w)")
_BY_SPACE = re.compile(r"(?<![\d.,$€£])\b[1-9]\d{0,2}(?:[ \u00a0\u202f]\d{3})+(?![\d.,])")
_BY_COMMA = re.compile(r"(?<![\d.,])\b[1-9]\d{0,2}(?:,\d{3})+(?![\d,])")


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find impossible scale words, doubled units and numbers, dates and marks of another language."""
    code = primary(language) or ""
    return [
        Evidence(
            sentence.start + start,
            sentence.start + end,
            KIND,
            0.85,
            ID,
            f"“{sentence.text[start:end]}” {reason}, which writers of this language hardly ever do.",
        )
        for sentence in sentences
        for start, end, reason in sorted(_find(sentence.text, code))
    ]


def _find(text: str, code: str) -> Iterator[tuple[int, int, str]]:
    for reason, pattern in _COMPILED.get(code, ()):
        for match in pattern.finditer(text):
            yield *match.span(), reason
    if code != "en":
        return
    for match in _SAID_TWICE.finditer(text):
        if _SPELT[match[1]] == int(match[2]):
            yield *match.span(), "says its number twice"
    if _BY_COMMA.search(text):
        for match in _BY_SPACE.finditer(text):
            yield *match.span(), "is grouped by spaces, beside a number grouped by commas"
