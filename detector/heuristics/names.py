"""One name spelt two ways within a text: "Xi" and "Ji", "Antony" and "Anthony".

A translator spells a name anew in every sentence. Writers do not: they introduce a person in
full and keep to that spelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ..report import Evidence, Kind, Sentence
from .lexicon import Lexicon, fold, lexicon, words

ID: Final = "names.drift"
KIND: Final[Kind] = "name"

_TITLES: Final = frozenset(
    """mr mrs ms miss dr prof professor president premier minister senator sen governor gov sir lord lady dame
    king queen prince princess pope judge justice general gen colonel captain sergeant chancellor chairman
    chairwoman secretary rep congressman congresswoman ambassador commissioner mayor coach director
    herr frau präsident präsidentin minister ministerin kanzler kanzlerin monsieur madame président présidente
    ministre presidente presidenta ministro ministra señor señora signor signora senhor senhora
    президент премьер министр господин госпожа prezident ministr presidentti ministeri""".split()
)

# Pinyin, Wade-Giles and what Slavic, Arabic and Romance transliteration make of one sound.
_INITIAL = re.compile(r"(?:sh|hs|ch|zh|ts|tz|[xjsqcz])(?=[aeiou])")
_POSSESSIVE = re.compile("['’]s?$")
_UNINFLECTED: Final = frozenset("en de fr es it pt nl da nb nn no sv ca gl id vi".split())
_ENDING = 3
_SHORT = 4
_LONG = 40
_KNOWN = 3
_MOST_CANDIDATES = 50

_SOUNDS: Final = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"ph", "f"),
        (r"ck|q(?:u(?=[ei]))?", "k"),
        (r"c(?=[eiy])", "s"),
        (r"(?<=[a-z])h(?![aeiou])|(?<=[tkgdbrn])h", ""),
        (r"c(?!h)", "k"),
        (r"x", "ks"),
        (r"z", "s"),
        (r"w", "v"),
        (r"ee|ie|ea|ei|ey|y", "i"),
        (r"oo|ou", "u"),
        (r"(.)\1+", r"\1"),
    )
)


@dataclass(frozen=True, slots=True)
class _Mention:
    """Capitalised words in a row, title and possessive ending left out.

    Attributes:
        forms: The words.
        spans: Where each stands in the whole text.
        title: The title before them in small letters, or "".
    """

    forms: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    title: str


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find the rarer spelling of a name, with the commoner one as its suggestion.

    Two full names that share one word drift where the other is alike; a name alone drifts from
    one that was introduced in full or by a title. People who are each introduced in full,
    inflected and derived forms (German, Germany), plurals and ordinary words stay. Scripts
    without capitals have no mentions, so the rule abstains there.
    """
    table = lexicon(language)
    if table is None:
        return []
    mentions = [mention for sentence in sentences for mention in _mentions(sentence, table)]
    counts = Counter(form for mention in mentions for form in mention.forms)
    drifts: dict[str, tuple[str, float]] = {}
    for a, b, sureness in (*_full_names(mentions, table), *_lone_names(mentions, table)):
        rare, common = (b, a) if counts[a] >= counts[b] else (a, b)
        drifts.setdefault(rare, (common, sureness))
    return [
        _evidence(span, form, *drifts[form], counts)
        for mention in mentions
        for form, span in zip(mention.forms, mention.spans, strict=True)
        if form in drifts
    ]


def alike(a: str, b: str, *, inflected: bool = False) -> float:
    """Score how likely two different capitalised words are one name, from 0.0 to 1.0.

    Args:
        a: A word.
        b: Another.
        inflected: True where the language bends names: then a change of their end is none.

    Example:
        >>> alike("Xi", "Ji"), alike("Antony", "Anthony"), alike("German", "Germany")
        (0.8, 0.85, 0.0)
    """
    x, y = _plain(a), _plain(b)
    if x == y or min(len(x), len(y)) < 2 or max(len(x), len(y)) > _LONG:
        return 0.0
    if max(len(x), len(y)) <= _SHORT:
        return 0.8 if _rest(x) == _rest(y) != "" else 0.0
    prefix = _common(x, y)
    ends = x[prefix:], y[prefix:]
    same_sound = _sound(x) == _sound(y)
    suffix = _common(ends[0][::-1], ends[1][::-1])
    if suffix < _ENDING if inflected else not suffix and "s" in ends:
        return 0.0
    # The same letters in another order are a typing slip of people, not a sound.
    return 0.85 if same_sound and sorted(x) != sorted(y) else 0.0


def _mentions(sentence: Sentence, table: Lexicon) -> Iterator[_Mention]:
    text = sentence.text
    found = words(text)
    capitals = sum(match[0][0].isupper() for match in found)
    if capitals > max(4, 0.6 * len(found)):
        return
    run: list[re.Match[str]] = []
    title = ""
    for match in found:
        word = match[0]
        folded = fold(word, table.language)
        counts = table[word]
        starts = match is found[0] and counts.small > counts.capital
        named = word[0].isupper() and not word.isupper() and not starts and folded not in _TITLES
        if run and not (named and text[run[-1].end() : match.start()] == " "):
            yield _mention(run, title, sentence.start)
            run, title = [], ""
        if named:
            run.append(match)
        else:
            title = folded if folded in _TITLES else ""
    if run:
        yield _mention(run, title, sentence.start)


def _mention(run: Sequence[re.Match[str]], title: str, offset: int) -> _Mention:
    forms = tuple(_POSSESSIVE.sub("", match[0]) for match in run)
    starts = [offset + match.start() for match in run]
    spans = tuple((start, start + len(form)) for start, form in zip(starts, forms, strict=True))
    return _Mention(forms, spans, title)


def _pairs(mentions: Sequence[_Mention]) -> list[tuple[str, str]]:
    """Give each two neighbouring words of a name once, in order."""
    return list(dict.fromkeys(pair for m in mentions for pair in zip(m.forms, m.forms[1:], strict=False)))


def _full_names(mentions: Sequence[_Mention], table: Lexicon) -> Iterator[tuple[str, str, float]]:
    """Yield words that differ between two full names, "Antony" and "Anthony" of Blinken."""
    by_rest: defaultdict[Hashable, list[str]] = defaultdict(list)
    for first, last in _pairs(mentions):
        for place, form, rest in ((0, first, last), (1, last, first)):
            others = by_rest[place, rest]
            for other in others[:_MOST_CANDIDATES]:
                # Xu Wei and Zhu Wei are two people; only a rare given name ties Xi to Ji.
                short = max(len(form), len(other)) <= _SHORT
                if not (short and len(rest) < 5) and (sureness := _judge(other, form, table)):
                    yield other, form, sureness
            others.append(form)


def _lone_names(mentions: Sequence[_Mention], table: Lexicon) -> Iterator[tuple[str, str, float]]:
    """Yield an introduced name and one like it that stands alone and was never introduced."""
    introduced = dict.fromkeys(form for pair in _pairs(mentions) for form in pair)
    alone = [mention for mention in mentions if len(mention.forms) == 1]
    titles = {mention.forms[0]: mention.title for mention in alone if mention.title}
    by_key: defaultdict[Hashable, list[str]] = defaultdict(list)
    for form in dict.fromkeys((*introduced, *titles)):
        for key in _keys(form):
            by_key[key].append(form)
    for lone in dict.fromkeys(mention.forms[0] for mention in alone):
        if lone in introduced:
            continue
        candidates = dict.fromkeys(name for key in _keys(lone) for name in by_key[key][:_MOST_CANDIDATES])
        for name in candidates:
            other_office = name in titles and titles.get(lone, titles[name]) != titles[name]
            if other_office or _known(lone, table):
                continue
            if sureness := _judge(name, lone, table):
                yield name, lone, sureness


def _keys(form: str) -> list[Hashable]:
    """Give the keys of which two forms that are alike share at least one."""
    plain = _plain(form)[:_LONG]
    if len(plain) < 2:
        return []
    rest = _rest(plain) if len(plain) <= _SHORT else ""
    return [("sound", _sound(plain)), *([("rest", rest)] if rest else [])]


def _judge(a: str, b: str, table: Lexicon) -> float:
    if any(table[word].small > table[word].capital for word in (a, b)):
        return 0.0
    return alike(a, b, inflected=table.language not in _UNINFLECTED)


def _known(word: str, table: Lexicon) -> bool:
    return table[word].capital >= _KNOWN


def _evidence(
    span: tuple[int, int], rare: str, common: str, sureness: float, counts: Mapping[str, int]
) -> Evidence:
    times = "once" if counts[common] == 1 else f"{counts[common]} times"
    score = min(0.95, sureness + 0.02 * counts[common])
    message = f"“{rare}” may be the “{common}” that stands {times} in this text."
    return Evidence(*span, KIND, round(score, 2), ID, message, (common,))


@lru_cache(maxsize=4096)
def _plain(word: str) -> str:
    """Give ``word`` in small letters without accents and apostrophes."""
    decomposed = unicodedata.normalize("NFKD", word.lower())
    return "".join(letter for letter in decomposed if letter.isalpha())


@lru_cache(maxsize=4096)
def _sound(plain: str) -> str:
    for pattern, sound in _SOUNDS:
        plain = pattern.sub(sound, plain)
    return plain


def _rest(plain: str) -> str:
    """Give what follows an initial that transliterations confuse, or ""."""
    initial = _INITIAL.match(plain)
    return plain[initial.end() :] if initial else ""


def _common(x: str, y: str) -> int:
    """Give the length of the common prefix."""
    return next((i for i, (a, b) in enumerate(zip(x, y, strict=False)) if a != b), min(len(x), len(y)))
