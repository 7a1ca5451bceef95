"""Languages a text can have gone through, in the groups the pivot head tells apart."""

from __future__ import annotations

GROUPS: dict[str, tuple[str, ...]] = {
    "chinese": ("zh",),
    "japanese-korean": ("ja", "ko"),
    "slavic": ("be", "bg", "bs", "cs", "hr", "mk", "pl", "ru", "sk", "sl", "sr", "uk"),
    "baltic": ("lt", "lv"),
    "romance": ("ca", "es", "fr", "gl", "it", "pt", "ro"),
    "germanic": ("af", "da", "de", "is", "nb", "nl", "nn", "no", "sv"),
    "uralic": ("et", "fi", "hu"),
    "semitic": ("am", "ar", "he", "mt"),
    "turkic": ("az", "kk", "tr", "uz"),
    "indic-iranian": ("bn", "fa", "gu", "hi", "mr", "ne", "pa", "si", "ur"),
    "dravidian": ("kn", "ml", "ta", "te"),
    "southeast-asian": ("id", "km", "lo", "ms", "my", "th", "tl", "vi"),
}
"""Genealogical groups (Glottolog 5), two areal ones; what is in none of them has no class."""

AREAS: dict[str, tuple[str, ...]] = {
    "european": ("slavic", "baltic", "romance", "germanic", "uralic"),
    "asian": ("chinese", "japanese-korean", "indic-iranian", "dravidian", "southeast-asian"),
}
"""What is said where the group is unsure: groups that dev mistakes for each other."""

NAMES: tuple[str, ...] = tuple(GROUPS)
_INDEX = {language: i for i, members in enumerate(GROUPS.values()) for language in members}


def group_index(language: str) -> int:
    """Give the class of a language in `NAMES`, or -1 where it has none.

    Example:
        >>> NAMES[group_index("uk")]
        'slavic'
    """
    return _INDEX.get(language, -1)


def holds(name: str, language: str) -> bool:
    """Whether a group or area holds a language.

    Example:
        >>> holds("slavic", "uk"), holds("romance", "uk"), holds("european", "cy")
        (True, False, False)
    """
    return any(language in GROUPS[group] for group in AREAS.get(name, (name,)))
