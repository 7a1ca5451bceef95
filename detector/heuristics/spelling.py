"""Whether two spellings are one name, as translators and transliterations respell it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

_ENDING = 3
_SHORT = 4
_SYLLABLE = 6
_LONG = 40

_Scheme = tuple[tuple[re.Pattern[str], str], ...]


def _scheme(rules: str) -> _Scheme:
    """Compile rules written one a line, a pattern and what takes its place."""
    pairs = (line.split() for line in rules.strip().splitlines())
    return tuple((re.compile(pattern), (*sound, "")[0].replace("0", "")) for pattern, *sound in pairs)


_COMMON = _scheme(r"""
    ph f
    ck|q(?:u(?=[ei]))? k
    c(?=[eiy]) s
    (?<=[a-z])h(?![aeiou])|(?<=[tkgdbrn])h
    c(?!h) k
    x ks
    z s
    dt t
    w v
    ee|ie|ea|ei|ey|y i
    oo|ou u
    (.)\1+ \1
""")

_SLAVIC = r"""
    schtsch|shch|szcz 5
    {ch}
    kh h
    sch|sh|sz 2
    zh|rz|dj 3
    (?<=[sc]k)(?:yi|yj|iy|ij|ii|y)$ i
    (?<=[oe])(?:ff|w|f)$ v
    (?:^|(?<=[aeiouy]))[yji]e e
    ts|tz|z|c(?=[eiy]) s
    ck|q|c k
    x ks
    ph f
    w v
    [yj] i
    (.)\1+ \1
"""

# Arabic writes three vowels, and no two newspapers spell them alike. The last one may tell
# a woman from a man, so it stays.
_ARABIC = _scheme(r"""
    ^(?:al|el|ul|as|ad|ar|an|at|az|ash)(?=.{4,}) 0
    kh|ch h
    qu|q|gh k
    dj j
    dh d
    th t
    h$ 0
    (?<=.)(?:ou|oo|u|o)(?=.) u
    (?<=.)[aeiy]+(?=.) a
    (.)\1+ \1
""")

_FRENCH = _scheme(r"""
    ch|sh s
    ou u
    (.)\1+ \1
""")

# What is left when every vowel is any vowel: "Beaudoin" and "Boudoin", "Pawlby" and "Polby".
_SKELETON = _scheme(r"""
    kh|ch|ck|q|c k
    ph f
    sch|sh|sz|z s
    x ks
    th t
    (?<=[aeiou])[wyh](?![aeiou]) 0
    w v
    [aeiouy]+$ 0
    [aeiouyj]+ a
    (.)\1+ \1
""")

_CYRILLIC = _scheme(r"""
    [эё] е
    [ый] и
    [ъь] 0
    ^г|^х х
    у(?=[аеио]) в
    дж ж
    [тд]?[цз]|тс с
    (.)\1+ \1
""")

_STRICT: Final = (_COMMON, _scheme(_SLAVIC.format(ch="tsch|tch|tsh|cz|ch 1")), _CYRILLIC)
_LOOSE: Final = (
    _scheme(_SLAVIC.format(ch="ch h")),
    _ARABIC,
    _FRENCH,
    (*_CYRILLIC, (re.compile("(?<=.)о(?=.)"), "а"), (re.compile("^во"), "ва")),
)

# Pinyin, Wade-Giles and what Slavic, Arabic and Romance transliteration make of one sound.
_INITIAL = re.compile(r"(?:sh|hs|ch|zh|ts|tz|[xjsqcz])(?=[aeiou])")
_FINAL = re.compile(r"[iu]?(?:a|ai|an|ang|ao|e|ei|en|eng|i|in|ing|o|ong|ou|u|un|iu|ui)")

_DOUBLED = re.compile(r"([^aeiouy])\1+")
_DERIVED = re.compile("(?:an|er|in)$")
_ARTICLE = re.compile("(?:[ae]l|ul|a[sdrntz]|ash)-", re.IGNORECASE)

_EXONYMS: Final = """
    kyiv kiev kiew kyjiw kijow kyjev | kharkiv kharkov charkiw charkow | lviv lvov lwiw lwow
    odesa odessa odesse | mykolaiv nikolaev nikolayev mykolajiw | chernihiv chernigov tschernihiw
    zaporizhzhia zaporizhia zaporozhye saporischschja | luhansk lugansk | chisinau kishinev
    beijing peking pekin | nanjing nanking | guangzhou canton kanton | tianjin tientsin
    chongqing chungking | mumbai bombay | kolkata calcutta kalkutta | chennai madras
    yangon rangoon rangun | tehran teheran | mecca makkah mekka | munich munchen muenchen
    cologne koln koeln | vienna wien vienne | prague praha prag praga
    moscow moskva moskau moscou moscu | warsaw warszawa warschau varsovie varsovia
    geneva genf geneve ginevra ginebra | lisbon lisboa lissabon lisbonne
    copenhagen kobenhavn kopenhagen | brussels bruxelles brussel brussel bruselas
    belgrade beograd belgrad | bucharest bucuresti bukarest | milan milano mailand | turin torino
    florence firenze florenz florencia | venice venezia venedig venise | seville sevilla
    basel basle bale | antwerp antwerpen anvers | ghent gent gand | bruges brugge
    nuremberg nurnberg nuernberg | thessaloniki saloniki salonica | athens athen athina athenes atenas
    turkey turkei tuerkei turquie turquia turkiye | belarus byelorussia belorussia
    moldova moldavia moldau
"""

_EQUIVALENTS: Final = """
    john jean juan giovanni joao johann hans jan ivan | charles carlos carlo karl carl karel
    william guillaume guillermo guglielmo wilhelm willem | henry henri enrique enrico heinrich hendrik
    peter pierre pedro pietro piotr petr pyotr | paul pablo paolo pavel
    james jacques jaime giacomo jakob | george georges jorge giorgio georg jiri yuri
    michael michel miguel michele mikhail michal mihail
    joseph jose giuseppe josef jozef iosif yusuf yousef youssef yousuf jusuf
    francis francois francisco francesco franz | louis luis luigi ludwig
    stephen steven etienne esteban stefano stefan stepan | philip philippe felipe filippo
    andrew andre andres andrea andreas andrei andrey andriy
    matthew mathieu mateo matteo matthias matvei | nicholas nicolas nikolaus nikolai nikolay mykola
    alexander alexandre alejandro alessandro aleksandr oleksandr
    catherine katherine catalina caterina katharina ekaterina yekaterina kateryna
    helen helene elena olena yelena | elizabeth elisabeth isabel elisabetta
    vladimir volodymyr wladimir | sergei sergey serhiy serhii sergej
    dmitry dmitri dmytro dmitrij dimitri | eugene yevgeny evgeny yevhen | alexei alexey oleksiy aleksej
    mohammed muhammad mohamed mohammad muhammed mohamad mehmed | hussein husain hussain hossein husayn
    abdullah abdallah abdulla abdoullah | ahmed ahmad ahmet | omar omer umar | othman osman usman uthman
    ali aly | saeed said sayed saïd | qasim kassem qassem kasim quassim | jamal gamal djamal
    khaled khalid chalid
"""


def _classes(table: str) -> dict[str, int]:
    """Number the classes of a table, parted by bars and line ends, by their words."""
    lines = re.split(r"[|\n]", table)
    return {word: number for number, line in enumerate(lines) for word in line.split()}


_EXONYM_OF: Final = _classes(_EXONYMS)
_EQUIVALENT_OF: Final = _classes(_EQUIVALENTS)


def alike(a: str, b: str, *, inflected: bool = False) -> float:
    """Score how likely two different capitalised words are one name, from 0.0 to 1.0.

    Args:
        a: A word.
        b: Another.
        inflected: True where the language bends names: then a change of their end is none.

    Example:
        >>> alike("Xi", "Ji"), alike("Antony", "Anthony"), alike("German", "Germany")
        (0.8, 0.85, 0.0)
        >>> alike("Derenkoff", "Derenkov"), alike("Chang", "Zhang")
        (0.85, 0.8)
    """
    x, y = plain(a), plain(b)
    if x == y or min(len(x), len(y)) < 2 or max(len(x), len(y)) > _LONG:
        return 0.0
    if one_syllable(a, b):
        return 0.8
    if _bare(a) == _bare(b) != "":
        return 0.85
    if max(len(x), len(y)) <= _SHORT or _bent(x, y, inflected):
        return 0.0
    same_sound = any(_sound(x, scheme) == _sound(y, scheme) for scheme in _STRICT)
    # The same letters in another order are a typing slip of people, not a sound.
    return 0.85 if same_sound and sorted(x) != sorted(y) else 0.0


def akin(a: str, b: str, *, inflected: bool = False, surname: bool = False) -> float:
    """Score what ``alike`` leaves out: sounds that only a second shared word of the name makes likely.

    Args:
        a: A word.
        b: Another.
        inflected: True where the language bends names.
        surname: True where the words are surnames: their last vowel tells no woman from a man.

    Example:
        >>> akin("Hussein", "Husain"), akin("Arroyo", "Arroya", surname=True), akin("Mario", "Maria")
        (0.75, 0.75, 0.0)
    """
    x, y = plain(a), plain(b)
    if x == y or not _SHORT < max(len(x), len(y)) <= _LONG or _bent(x, y, inflected):
        return 0.0
    if surname and not inflected and _last_vowel(x, y):
        return 0.75
    same_sound = any(_sound(x, scheme) == _sound(y, scheme) for scheme in _LOOSE)
    return 0.75 if same_sound and sorted(x) != sorted(y) else 0.0


def same_skeleton(a: str, b: str, *, inflected: bool = False) -> bool:
    """Tell whether two long words differ in nothing but the vowels inside them.

    Example:
        >>> same_skeleton("Beaudoin", "Boudoin"), same_skeleton("Marsh", "March")
        (True, False)
    """
    x, y = plain(a), plain(b)
    if x == y or min(len(x), len(y)) <= _SHORT or max(len(x), len(y)) > _LONG or _bent(x, y, inflected):
        return False
    same_end = x[-1] == y[-1] or not {x[-1], y[-1]} & set("aeiouy")
    derived = bool(_DERIVED.search(x)) != bool(_DERIVED.search(y))
    return (
        same_end and not derived and sorted(x) != sorted(y) and _sound(x, _SKELETON) == _sound(y, _SKELETON)
    )


def equivalent(a: str, b: str) -> bool:
    """Tell whether two given names are one in two languages, "Jean" and "John".

    Example:
        >>> equivalent("Carlos", "Charles"), equivalent("Carlos", "Peter")
        (True, False)
    """
    x, y = plain(a), plain(b)
    return x != y and x in _EQUIVALENT_OF and _EQUIVALENT_OF[x] == _EQUIVALENT_OF.get(y)


def exonym(word: str) -> int | None:
    """Number the place that ``word`` names in some language, "Kyiv" and "Kiev" alike, or None."""
    return _EXONYM_OF.get(plain(word))


def one_syllable(a: str, b: str) -> bool:
    """Tell whether two short names differ in an initial that transliterations confuse, "Xi" and "Ji"."""
    x, y = plain(a), plain(b)
    longest = max(len(x), len(y))
    rest = _rest(x)
    if not rest or rest != _rest(y) or x == y or longest > _SYLLABLE:
        return False
    return longest <= _SHORT or _FINAL.fullmatch(rest) is not None


def keys(word: str) -> Iterator[tuple[int, str]]:
    """Give keys of which two words that are ``alike`` or have one ``skeleton`` share at least one."""
    form = plain(word)[:_LONG]
    if len(form) < 2:
        return
    for number, scheme in enumerate((*_STRICT, _SKELETON)):
        yield number, _sound(form, scheme)
    if bare := _bare(word):
        yield -2, bare
    if len(form) <= _SYLLABLE and (rest := _rest(form)):
        yield -1, rest


def loose_keys(word: str) -> Iterator[tuple[int, str]]:
    """Give keys of which two words that are ``alike``, ``akin`` or ``equivalent`` share at least one."""
    yield from keys(word)
    form = plain(word)[:_LONG]
    for number, scheme in enumerate(_LOOSE, start=len(_STRICT) + 1):
        yield number, _sound(form, scheme)
    yield -3, form[:-1] if form.endswith(("a", "e", "o")) else form
    if form in _EQUIVALENT_OF:
        yield -4, str(_EQUIVALENT_OF[form])


@lru_cache(maxsize=4096)
def plain(word: str) -> str:
    """Give ``word`` in small letters without accents and apostrophes."""
    decomposed = unicodedata.normalize("NFKD", word.lower())
    return "".join(letter for letter in decomposed if letter.isalpha())


@lru_cache(maxsize=32768)
def _sound(form: str, scheme: _Scheme) -> str:
    for pattern, sound in scheme:
        form = pattern.sub(sound, form)
    return form


def _bare(word: str) -> str:
    """Give what follows an Arabic article, or ""."""
    article = _ARTICLE.match(word)
    return plain(word[article.end() :]) if article else ""


def _rest(form: str) -> str:
    """Give what follows an initial that transliterations confuse, or ""."""
    initial = _INITIAL.match(form)
    return form[initial.end() :] if initial else ""


def _bent(x: str, y: str, inflected: bool) -> bool:
    """Tell whether two words differ as two cases, or singular and plural, of one would."""
    if _single(x) == _single(y):
        return False
    prefix = _common(x, y)
    ends = x[prefix:], y[prefix:]
    suffix = _common(ends[0][::-1], ends[1][::-1])
    return suffix < _ENDING if inflected else not suffix and "s" in ends


def _single(form: str) -> str:
    """Give ``form`` with each doubled consonant single; cases double vowels, but hardly these."""
    return _DOUBLED.sub(r"\1", form)


def _last_vowel(x: str, y: str) -> bool:
    """Tell whether a last vowel came, went or changed, but not as Petrov and Petrova."""
    stem = _common(x, y)
    ends = sorted((x[stem:], y[stem:]))
    if stem < _SHORT or any(len(end) > 1 or end not in "aeo" for end in ends):
        return False
    return ends != ["", "a"]


def _common(x: str, y: str) -> int:
    """Give the length of the common prefix."""
    return next((i for i, (a, b) in enumerate(zip(x, y, strict=False)) if a != b), min(len(x), len(y)))
