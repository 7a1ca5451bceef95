"""What republishing tools leave behind: translator widgets' marks and stray "See also" lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..report import Evidence, Kind, Sentence
from .lexicon import primary

ID: Final = "boilerplate.leftover"
KIND: Final[Kind] = "boilerplate"

_ENGINES = "(?:google|microsoft|bing|deepl|yandex|яндекс|谷歌|微软|必应|百度|جوجل|غوغل)"

# What the widgets of Google, Microsoft and Facebook set on a page, in the reader's language.
_WIDGET = re.compile(
    "|".join(
        (
            rf"\btranslated (?:by|with|from the original by) {_ENGINES}\b",
            rf"\b(?:powered by|via) {_ENGINES} translate\b",
            r"\bcontribute a better translation\b|\brate this translation\b|\btranslated by machine\b",
            r"\bview original(?: text)?(?= ?[|·]|$)|\bsee (?:translation|original)$|^original text$",
            rf"\bübersetzt (?:von|mit) {_ENGINES}\b|\boriginaltext anzeigen\b",
            rf"\btraduit (?:par|avec) {_ENGINES}\b|\bafficher l['’]original\b",
            rf"\btraducido (?:por|con) {_ENGINES}\b|\bver (?:texto )?original$",
            rf"\btradotto (?:da|con) {_ENGINES}\b|\bmostra originale\b",
            rf"\btraduzido (?:por|com|pelo) (?:o )?{_ENGINES}\b",
            rf"\bпереведено (?:с помощью |сервисом |в )?{_ENGINES}|\bпоказать оригинал\b",
            rf"由 ?{_ENGINES} ?(?:自动)?翻译|{_ENGINES} ?翻译提供|查看原文$|提供更好的翻译建议",
            rf"ترجمة {_ENGINES}|مترجم بواسطة {_ENGINES}|عرض النص الأصلي",
        )
    ),
    re.IGNORECASE,
)

# A pointer to another article that a scraper glued to the prose, so that more than it stands here.
_POINTERS: Final[dict[str, str]] = {
    "en": "see also|read also|also read",
    "de": "siehe auch|lesen sie auch|lesen sie dazu",
    "fr": "voir aussi|lire aussi|à lire aussi",
    "es": "ver también|véase también|lea también|lee también",
    "it": "vedi anche|leggi anche",
    "pt": "veja também|leia também",
    "ru": "смотрите также|читайте также|см\\. также",
    "zh": "另见|参见|相关阅读|相关新闻|延伸阅读",
    "ar": "انظر أيضا|اقرأ أيضا|اقرأ أيضًا|شاهد أيضا",
}
_GLUED: Final = {
    language: re.compile(rf"(?:^|(?<=[.!?…] )|(?<=[。！？]))(?:{phrases}) ?[:：](?= ?\S)", re.IGNORECASE)
    for language, phrases in _POINTERS.items()
}


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find translator widgets' marks in any language, and "See also:" inside or before prose."""
    glued = _GLUED.get(primary(language) or "")
    evidence = []
    for sentence in sentences:
        marks = [
            (m.span(), 0.95, "is what a translation button leaves on a page; it is no")
            for m in _WIDGET.finditer(sentence.text)
        ]
        if glued is not None:
            marks += [
                (m.span(), 0.7, "points to another article and is probably no")
                for m in glued.finditer(sentence.text)
            ]
        for (start, end), score, reason in sorted(marks):
            evidence.append(
                Evidence(
                    sentence.start + start,
                    sentence.start + end,
                    KIND,
                    score,
                    ID,
                    f"“{sentence.text[start:end]}” {reason} part of the text.",
                )
            )
    return evidence
