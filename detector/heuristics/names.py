"""One name spelt two ways within a text: "Xi" and "Ji", "Antony" and "Anthony".

A translator spells a name anew in every sentence. Writers do not: they introduce a person in
full and keep to that spelling.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Final

from ..report import Evidence, Kind, Name, NameForm, Sentence
from .lexicon import Lexicon, fold, lexicon, words
from .mentions import NOUNS, Mention, mentions
from .spelling import akin, alike, equivalent, exonym, keys, loose_keys, one_syllable, same_skeleton

ID: Final = "names.drift"
KIND: Final[Kind] = "name"

UNINFLECTED: Final = frozenset("en de fr es it pt nl da nb nn no sv ca gl id vi".split())
_KIN: Final = frozenset(
    """brother brothers sister sisters twin twins cousin cousins son sons daughter daughters father
    mother wife husband widow spouse partner nephew niece namesake bruder schwester sohn tochter vater
    mutter frau mann vetter cousine frère soeur sœur fils fille père mère femme mari hermano hermana
    hijo hija padre madre esposa marido primo prima fratello sorella figlio figlia moglie marito брат
    сестра сын дочь отец мать жена муж""".split()
)
_SETTLED = 3
_RARE_WORD = 5
_KNOWN = 3
_MOST_CANDIDATES = 50
_AUTHORS_OWN = 0.4
"""Share of suggestions that were the author's own: 43 of 100 in train (`eval.suggestions`).

Of the commoner spellings that native text does not know better 47 of 440 were: engines misspell such a
name more often than not, and then the majority is wrong."""

_Drift = tuple[str, str, float]
"""Two forms of one name, the one that was introduced or stood first before the other; how sure."""


def find(sentences: Sequence[Sentence], language: str | None) -> list[Evidence]:
    """Find the rarer spelling of a name, and suggest the commoner one where native text knows it better.

    Two full names that share one word drift where the other is alike; a name alone drifts from
    one that was introduced in full or by a title; a place drifts from its name in another
    language. People who are each introduced in full, who stand in one sentence or are called
    kin, inflected and derived forms (German, Germany), plurals and ordinary words stay. Scripts
    without capitals have no mentions, so the rule abstains there.
    """
    table = lexicon(language)
    if table is None:
        return []
    found = mentions(sentences, table)
    counts = Counter(form for mention in found for form in mention.forms)
    drifts = _drifts(sentences, found, table)
    return [
        _evidence(span, form, *drifts[form], counts, table)
        for mention in found
        for form, span in zip(mention.forms, mention.spans, strict=True)
        if form in drifts
    ]


def names_of(sentences: Sequence[Sentence], language: str | None) -> tuple[Name, ...]:
    """Gather the forms of every name that stands in full, behind a title or in several forms.

    A surname alone joins the full name that holds it, unless several do: then it could be
    anybody's and is left out with the words that stand alone, as is an ordinary word behind a title
    ("minister He"). Names come in the order of the text.
    """
    table = lexicon(language)
    if table is None:
        return ()
    found = mentions(sentences, table)
    drifts = _drifts(sentences, found, table)
    spelt = [tuple(drifts[form][0] if form in drifts else form for form in m.forms) for m in found]
    fuller = _fuller(spelt)
    groups: defaultdict[tuple[str, ...], list[Mention]] = defaultdict(list)
    for mention, key in zip(found, spelt, strict=True):
        groups[fuller.get(key, key)].append(mention)
    return tuple(
        Name(" ".join(key), _forms(group), any(form in drifts for m in group for form in m.forms))
        for key, group in groups.items()
        if len(key) > 1
        or len({m.forms for m in group}) > 1
        or (any(m.title for m in group) and table[key[0]].capital >= table[key[0]].small)
    )


def spellings(sentences: Sequence[Sentence], language: str | None) -> dict[str, str]:
    """Give each form that is the rarer spelling of a name with the commoner one."""
    table = lexicon(language)
    if table is None:
        return {}
    drifts = _drifts(sentences, mentions(sentences, table), table)
    return {rare: common for rare, (common, _) in drifts.items()}


def _fuller(spelt: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Give each shorter name the one longer name whose words hold all of its own."""
    longer: defaultdict[str, dict[tuple[str, ...], None]] = defaultdict(dict)
    for key in spelt:
        if len(key) > 1:
            for word in key:
                longer[word][key] = None
    fuller = {}
    for key in dict.fromkeys(spelt):
        holders = islice(longer[key[0]], _MOST_CANDIDATES)
        candidates = [other for other in holders if len(other) > len(key) and set(key) < set(other)]
        if len(candidates) == 1:
            fuller[key] = candidates[0]
    return {key: fuller.get(other, other) for key, other in fuller.items()}


def _forms(group: Sequence[Mention]) -> tuple[NameForm, ...]:
    spans: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for mention in group:
        spans[" ".join(mention.forms)].append((mention.spans[0][0], mention.spans[-1][1]))
    ranked = sorted(spans, key=lambda text: -len(spans[text]))
    return tuple(NameForm(text, tuple(spans[text])) for text in ranked)


def _drifts(
    sentences: Sequence[Sentence], found: Sequence[Mention], table: Lexicon
) -> dict[str, tuple[str, float]]:
    """Give each form that is another spelling with the commoner one, and how sure that is."""
    counts = Counter(form for mention in found for form in mention.forms)
    drifts: dict[str, tuple[str, float]] = {}
    for a, b, sureness in (
        *_full_names(sentences, found, table),
        *_lone_names(found, table, counts),
        *_places(found, table, counts),
    ):
        rare, common = (b, a) if counts[a] >= counts[b] else (a, b)
        drifts.setdefault(rare, (common, sureness))
    return {rare: (_settled(rare, drifts), sureness) for rare, (_, sureness) in drifts.items()}


def _settled(form: str, drifts: Mapping[str, tuple[str, float]]) -> str:
    """Follow a form to the spelling that is itself none of another."""
    seen, common = {form}, drifts[form][0]
    while common in drifts and common not in seen:
        seen.add(common)
        common = drifts[common][0]
    return drifts[form][0] if common in seen else common


def _pairs(found: Sequence[Mention]) -> dict[tuple[str, str], list[int]]:
    """Give each two neighbouring words of a name once, in order, and the sentences they stand in."""
    pairs: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for mention in found:
        for pair in zip(mention.forms, mention.forms[1:], strict=False):
            pairs[pair].append(mention.sentence)
    return pairs


def _full_names(sentences: Sequence[Sentence], found: Sequence[Mention], table: Lexicon) -> Iterator[_Drift]:
    """Yield words that differ between two full names, "Antony" and "Anthony" of Blinken.

    Two names in one sentence are two people, and so are two of whom a sentence says that they are kin.
    """

    @cache
    def calls_kin(sentence: int) -> bool:
        return any(fold(match[0], table.language) in _KIN for match in words(sentences[sentence].text))

    pairs = _pairs(found)
    for mention in found:
        if len(mention.forms) == 1 and mention.title:
            pairs.setdefault((mention.title, mention.forms[0]), []).append(mention.sentence)
    by_sound: defaultdict[Hashable, list[tuple[str, set[int]]]] = defaultdict(list)
    for (first, last), places in pairs.items():
        for place, form, rest in ((0, first, last), (1, last, first)):
            sounds = [(place, rest, key) for key in loose_keys(form)]
            others = {other: known for sound in sounds for other, known in by_sound[sound][:_MOST_CANDIDATES]}
            for other, known in others.items():
                # Xu Wei and Zhu Wei are two people; only a rare given name ties Xi to Ji.
                if one_syllable(form, other) and len(rest) < _RARE_WORD:
                    continue
                sureness = _judge(other, form, table) or _judge_full(other, form, table, surname=place == 1)
                if sureness and known.isdisjoint(places) and not calls_kin(places[0]):
                    yield other, form, sureness
            for sound in sounds:
                by_sound[sound].append((form, set(places)))


def _lone_names(found: Sequence[Mention], table: Lexicon, counts: Mapping[str, int]) -> Iterator[_Drift]:
    """Yield a settled name and one like it that stands alone and was never introduced.

    A name is settled that was introduced in full or by a title, or stands alone three times.
    """
    introduced = dict.fromkeys(form for pair in _pairs(found) for form in pair)
    alone = [mention for mention in found if len(mention.forms) == 1]
    titles = {mention.forms[0]: mention.title for mention in alone if mention.title}
    nouns = {mention.forms[0] for mention in alone if mention.noun}
    lones = dict.fromkeys(
        m.forms[0] for m in alone if m.forms[0] not in introduced and m.forms[0] not in nouns
    )
    repeated = dict.fromkeys(form for form in lones if counts[form] >= _SETTLED and form not in titles)
    together = _sentences_of(found)
    by_key: defaultdict[Hashable, list[str]] = defaultdict(list)
    for form in (*introduced, *titles, *repeated):
        for key in keys(form):
            by_key[key].append(form)
    for lone in lones:
        if _known(lone, table):
            continue
        candidates = dict.fromkeys(name for key in keys(lone) for name in by_key[key][:_MOST_CANDIDATES])
        for name in candidates:
            other_office = name in titles and titles.get(lone, titles[name]) != titles[name]
            if other_office or not together[lone].isdisjoint(together[name]):
                continue
            if name not in repeated:
                sureness = _judge(name, lone, table) or _judge_skeleton(name, lone, table, counts)
            elif table.language in UNINFLECTED - NOUNS.keys() and counts[lone] == 1:
                sureness = _judge(name, lone, table)
            else:
                sureness = 0.0
            if sureness:
                yield name, lone, sureness


def _places(found: Sequence[Mention], table: Lexicon, counts: Mapping[str, int]) -> Iterator[_Drift]:
    """Yield two names of one place, "Kyiv" and "Kiev", where each stands by itself.

    Peking duck and Peking University are called so in Beijing too.
    """
    by_place: defaultdict[int, dict[str, None]] = defaultdict(dict)
    for mention in found:
        attribute = mention.following and mention.following not in table.function_words
        if len(mention.forms) == 1 and not attribute and (place := exonym(mention.forms[0])) is not None:
            by_place[place][mention.forms[0]] = None
    together = _sentences_of(found)
    for forms in by_place.values():
        first, *others = sorted(forms, key=lambda form: -counts[form])
        for other in others:
            if together[first].isdisjoint(together[other]):
                yield first, other, 0.8


def _sentences_of(found: Sequence[Mention]) -> Mapping[str, set[int]]:
    sentences: defaultdict[str, set[int]] = defaultdict(set)
    for mention in found:
        for form in mention.forms:
            sentences[form].add(mention.sentence)
    return sentences


def _judge(a: str, b: str, table: Lexicon) -> float:
    return 0.0 if _ordinary(a, b, table) else alike(a, b, inflected=_inflected(table))


def _judge_skeleton(name: str, lone: str, table: Lexicon, counts: Mapping[str, int]) -> float:
    """Score a name alone against a repeated one that differs in its vowels; nouns differ so by chance."""
    if table.language in NOUNS or counts[name] < 2 or _ordinary(name, lone, table):
        return 0.0
    return 0.6 * same_skeleton(name, lone, inflected=_inflected(table))


def _judge_full(a: str, b: str, table: Lexicon, *, surname: bool) -> float:
    """Score two words that follow or precede the same one."""
    if _ordinary(a, b, table):
        return 0.0
    if not surname and not _inflected(table) and equivalent(a, b):
        return 0.8
    # Two spellings that the language knows are two names.
    both_known = _known(a, table) and _known(b, table)
    return 0.0 if both_known else akin(a, b, inflected=_inflected(table), surname=surname)


def _ordinary(a: str, b: str, table: Lexicon) -> bool:
    return any(table[word].small > table[word].capital for word in (a, b))


def _inflected(table: Lexicon) -> bool:
    return table.language not in UNINFLECTED


def _known(word: str, table: Lexicon) -> bool:
    return table[word].capital >= (1 if table.language in NOUNS else _KNOWN)


def _evidence(
    span: tuple[int, int], rare: str, common: str, sureness: float, counts: Mapping[str, int], table: Lexicon
) -> Evidence:
    """Mark the rarer form; a name that native text does not know may be misspelt wherever it stands."""
    times = "once" if counts[common] == 1 else f"{counts[common]} times"
    score = round(min(0.95, sureness + 0.02 * counts[common]), 2)
    message = f"“{rare}” may be the “{common}” that stands {times} in this text"
    if table[common].capital > table[rare].capital:
        message += "; the news seen knows that spelling better."
        return Evidence(*span, KIND, score, ID, message, (common,), _AUTHORS_OWN)
    return Evidence(*span, KIND, score, ID, f"{message}; either may be the wrong one.")
