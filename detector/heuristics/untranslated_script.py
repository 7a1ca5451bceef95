"""Letters of another script inside a word, or a run of it in the open sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..report import Evidence, Kind, Sentence
from .lexicon import primary
from .quotes import quoted_spans, within

ID: Final = "untranslated.script"
KIND: Final[Kind] = "untranslated"

SCRIPTS: Final[dict[str, str]] = {
    "Latin": "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff",
    "Greek": "\u0370-\u0373\u0376-\u037d\u0386-\u03ff\u1f00-\u1fff",
    "Cyrillic": "\u0400-\u0481\u048a-\u052f",
    "Armenian": "\u0531-\u0556\u0561-\u0587",
    "Hebrew": "\u05d0-\u05ea",
    "Arabic": "\u0620-\u064a\u066e-\u06d3",
    "Devanagari": "\u0900-\u0963\u0971-\u097f",
    "Bengali": "\u0980-\u09e3",
    "Gurmukhi": "\u0a00-\u0a65\u0a70-\u0a75",
    "Gujarati": "\u0a80-\u0ae3",
    "Tamil": "\u0b80-\u0bd7",
    "Telugu": "\u0c00-\u0c63",
    "Kannada": "\u0c80-\u0ce3",
    "Malayalam": "\u0d00-\u0d63",
    "Sinhala": "\u0d80-\u0df3",
    "Thai": "\u0e01-\u0e3a\u0e40-\u0e4e",
    "Lao": "\u0e81-\u0ecd",
    "Burmese": "\u1000-\u103f",
    "Georgian": "\u10a0-\u10ff\u1c90-\u1cbf",
    "Ethiopic": "\u1200-\u135a",
    "Khmer": "\u1780-\u17d3",
    "Hangul": "\u1100-\u11ff\uac00-\ud7a3",
    "Kana": "\u3041-\u3096\u30a1-\u30fa",
    "Han": "\u3400-\u9fff\uf900-\ufaff",
}
"""Letters of each script, as the inside of a character class."""

_WRITTEN_IN: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys("ru uk be bg mk mn kk ky tg tt sah sr bs uz".split(), ("Cyrillic", "Latin")),
    **dict.fromkeys("ar fa ur ps ckb ug sd".split(), ("Arabic", "Latin")),
    **dict.fromkeys("hi mr ne sa".split(), ("Devanagari", "Latin")),
    **dict.fromkeys("he yi".split(), ("Hebrew", "Latin")),
    **dict.fromkeys("am ti".split(), ("Ethiopic", "Latin")),
    "el": ("Greek", "Latin"),
    "hy": ("Armenian", "Cyrillic", "Latin"),
    "ka": ("Georgian", "Latin"),
    "bn": ("Bengali", "Latin"),
    "pa": ("Gurmukhi", "Arabic", "Latin"),
    "gu": ("Gujarati", "Latin"),
    "ta": ("Tamil", "Latin"),
    "te": ("Telugu", "Latin"),
    "kn": ("Kannada", "Latin"),
    "ml": ("Malayalam", "Latin"),
    "si": ("Sinhala", "Latin"),
    "th": ("Thai", "Latin"),
    "lo": ("Lao", "Latin"),
    "my": ("Burmese", "Latin"),
    "km": ("Khmer", "Latin"),
    "ko": ("Hangul", "Han", "Latin"),
    "ja": ("Kana", "Han", "Latin"),
    **dict.fromkeys(("zh", "yue"), ("Han", "Latin")),
}
"""Scripts of a language; any other language is taken to be written in Latin letters.

Serbian and Bosnian have two. Armenian names Russian things in Russian, in 7 of 1,000 web sentences.
"""

_RUN = {name: re.compile(f"[{letters}]+") for name, letters in SCRIPTS.items()}
# Ω, α-particles, the の on Chinese shop signs: one letter is a symbol. Han has no other size.
_MIN_RUN = 2
_ALPHABETS = ("Latin", "Greek", "Cyrillic", "Armenian")
_MIXED = re.compile(
    "|".join(f"[{SCRIPTS[a]}][{SCRIPTS[b]}]" for a in _ALPHABETS for b in _ALPHABETS if a != b)
)
# People slip so with a keyboard left in the other layout, engines do not; μm is a unit.
_LOOKALIKES = str.maketrans("", "", "aceiopxyABCEHIKMOPTXсеаіорхуАВСЕНІКМОРТХμΩ")
_WORD = re.compile(rf"[{''.join(SCRIPTS[a] for a in _ALPHABETS)}]+")

# What people type for a letter of their own besides: Fuβ, ruϊne; Bеlә; Νοva, συμβάlλω; hայ.
_TYPED: Final = {
    "az": "әкһ",
    "el": "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονυlnuvtkNYZ",
    "hy": "hnuogjqSLUO",
}
_TYPED_ANYWHERE = "βϊ"
_PIECE = re.compile("|".join(f"[{SCRIPTS[a]}]+" for a in _ALPHABETS))
_ROMAN = re.compile("[IVXLC]+")


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find letters that the language is not written in, outside brackets and quotes.

    Latin letters are at home everywhere (brands, units): among another script's words they
    count only inside a word. Without a language only such mixed words are found. Outside English,
    letters that people mistype and words that lost the space between them are left.
    """
    code = primary(language)
    own = _WRITTEN_IN.get(code, ("Latin",)) if code else tuple(SCRIPTS)
    foreign = {name: run for name, run in _RUN.items() if name not in own}
    typed = None if code in (None, "en") else str.maketrans("", "", _TYPED_ANYWHERE + _TYPED.get(code, ""))
    return [
        e for sentence in sentences if not sentence.text.isascii() for e in _find(sentence, foreign, typed)
    ]


def _find(
    sentence: Sentence, foreign: dict[str, re.Pattern[str]], typed: dict[int, int | None] | None
) -> list[Evidence]:
    text = sentence.text
    quoted = quoted_spans(text)
    found: list[tuple[int, int, float, str]] = []
    left: list[tuple[int, int]] = []
    if _MIXED.search(text):
        for word in _WORD.finditer(text):
            if not _MIXED.search(word[0]):
                continue
            letters = word[0].translate(_LOOKALIKES)
            if typed is not None and (_run_together(word[0]) or not _is_mixed(letters.translate(typed))):
                left.append(word.span())
            elif _is_mixed(letters):
                found.append(
                    (
                        *word.span(),
                        0.95,
                        f"“{word[0]}” mixes letters of two alphabets in one word; people hardly ever do.",
                    )
                )
    elsewhere = quoted, [(start, end) for start, end, _, _ in found], left
    for name, run in foreign.items():
        found += [
            (*match.span(), 0.9, f"“{match[0]}” is in {name} letters, very likely left untranslated.")
            for match in run.finditer(text)
            if len(match[0]) >= (1 if name == "Han" else _MIN_RUN)
            and not any(within(spans, match.start()) for spans in elsewhere)
        ]
    return [
        Evidence(sentence.start + start, sentence.start + end, KIND, score, ID, message)
        for start, end, score, message in sorted(found)
    ]


def _run_together(word: str) -> bool:
    """Tell whether a capital begins every further script, or a Roman numeral takes an ending.

    Example:
        >>> _run_together("BlogСтатья"), _run_together("XIXст"), _run_together("мostу")
        (True, True, False)
    """
    first, *others = _PIECE.findall(word)
    return all(piece[0].isupper() for piece in others) or (
        len(others) == 1 and _ROMAN.fullmatch(first) is not None
    )


def _is_mixed(letters: str) -> bool:
    return sum(_RUN[name].search(letters) is not None for name in _ALPHABETS) > 1
