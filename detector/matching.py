"""Which sentences of a text stand for which of its original, in any order, merged or split.

Sentences are bags of word beginnings (of characters and pairs of them where a script sets no spaces),
weighed by how rare they are. Equal sentences are paired first; then rare shared words propose pairs
through an inverted index, and the likest pairs win, one sentence each, however they cross. What is
left over joins a neighbour's pair where that makes the two sides more alike, or fills a gap between
pairs.

Reference:
    Melamed (2000), Models of Translational Equivalence among Words: competitive linking;
    Moore (2002), Fast and Accurate Sentence Alignment of Bilingual Corpora: words decide, not order;
    Haruno and Yamazaki (1996), High-Performance Bilingual Text Alignment: rare words as anchors;
    McNamee et al. (2009), Addressing Morphological Variation in Alphabetic Languages: a word's first
    letters find as much as its stem.
"""

from __future__ import annotations

import heapq
import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache

from .alignment import UNSPACED, fold_form, words
from .heuristics.lexicon import lexicon

_LETTERS = 5
"""Of a word that count."""
_NATIVE = 100
"""Sentences of native text that a text's own are blended with to tell how rare a word is: a text of
three sentences cannot say that "the" is common."""
_ALIKE = 0.22
"""Least similarity of a pair that nothing else speaks for."""
_ALIKE_BETWEEN = 0.1
"""The same where the neighbour's counterpart is the counterpart's neighbour."""
_SUPPORT = 0.1
"""What a neighbouring pair adds to a pair's rank, as a share of its own similarity."""
_EXPLAINED = 0.3
"""Share of a sentence's weight that a group elsewhere must have lacked for the sentence to join it."""
_MAX_CANDIDATES = 10
_MAX_LOOKUPS = 2_000
"""Places looked up for one sentence, those of its rarest words first: time stays linear."""
_MAX_PLACES = 200
"""Places of one word looked at, those nearest to where the sentence would stand."""
_MAX_GROUP = 12
"""Sentences on one side of a group."""
_MAX_CHARACTERS = 3_000
"""Of them together: aligning words takes time that grows with their square."""

Bag = frozenset[str]
Likely = defaultdict[int, list[int]]
_UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]")


@dataclass(frozen=True, slots=True)
class Group:
    """Sentences of a text and those of its original that they stand for.

    Attributes:
        sentences: Indices of the text's sentences, in order; neighbours but for what was torn apart.
        originals: Indices of the original's.
        similarity: Weight of the words they share among all they hold, from 0.0 to 1.0.
    """

    sentences: tuple[int, ...]
    originals: tuple[int, ...]
    similarity: float


def match(sentences: Sequence[str], originals: Sequence[str], language: str | None) -> list[Group]:
    """Pair the sentences of a text with those of its original.

    No sentence is in two groups; what stands in none was added or dropped. Time grows linearly with
    the number of sentences.

    Args:
        sentences: Of the text.
        originals: Of the original.
        language: BCP 47 tag; one with a table of native word counts tells common words from rare
            ones in short texts too.

    Returns:
        Groups in the order of the text.

    Example:
        >>> text = ["Nobody was hurt, and the mill burned down.", "The mayor wept."]
        >>> original = ["Our mayor wept.", "The mill burned.", "It is a pity.", "Nobody was hurt."]
        >>> [(g.sentences, g.originals) for g in match(text, original, "en")]
        [((0,), (1, 3)), ((1,), (0,))]
    """
    return _Matcher(sentences, originals, language).groups()


class _Matcher:
    """The sentences of both sides, how alike they are, and what is taken so far."""

    def __init__(self, sentences: Sequence[str], originals: Sequence[str], language: str | None) -> None:
        self._keys = tuple([_key(s) for s in side] for side in (sentences, originals))
        self._bags = tuple([_bag(s) for s in side] for side in (sentences, originals))
        self._weight = _weights({*self._bags[0], *self._bags[1]}, language)
        self._mass = tuple([self._of(bag) for bag in side] for side in self._bags)
        self._likely: tuple[Likely, Likely] = (defaultdict(list), defaultdict(list))
        self._free = tuple(set(range(len(side))) for side in self._bags)

    def groups(self) -> list[Group]:
        pairs = self._equal()
        pairs |= self._linked(self._similarities(pairs), pairs)
        groups = self._grown(Group((i,), (j,), self._alike(i, j)) for i, j in pairs)
        groups = self._grown([*groups, *self._between(groups)])
        return sorted(groups, key=lambda group: group.sentences)

    def _equal(self) -> set[tuple[int, int]]:
        """Pair sentences that are equal but for case and the style of marks, the first with the first."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for j in reversed(range(len(self._keys[1]))):
            places[self._keys[1][j]].append(j)
        pairs = {(i, places[key].pop()) for i, key in enumerate(self._keys[0]) if key and places[key]}
        for i, j in pairs:
            self._take(i, j)
        return pairs

    def _take(self, i: int, j: int) -> None:
        self._free[0].discard(i)
        self._free[1].discard(j)

    def _similarities(self, pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], float]:
        """Give how alike the likeliest pairs of free sentences are; 1.0 for pairs that are taken."""
        found = dict.fromkeys(pairs, 1.0)
        places: defaultdict[str, list[int]] = defaultdict(list)
        for j in sorted(self._free[1]):
            for feature in self._bags[1][j]:
                places[feature].append(j)
        slope = len(self._bags[1]) / max(1, len(self._bags[0]))
        for i in sorted(self._free[0]):
            for j in self._candidates(i, i * slope, places):
                found[i, j] = self._alike(i, j)
                self._likely[0][i].append(j)
                self._likely[1][j].append(i)
        return found

    def _candidates(self, i: int, expected: float, places: Mapping[str, list[int]]) -> list[int]:
        shared: defaultdict[int, float] = defaultdict(float)
        left = _MAX_LOOKUPS
        for feature in sorted(self._bags[0][i] & places.keys(), key=lambda f: (len(places[f]), f)):
            near = _nearest(places[feature], expected)
            for j in near:
                shared[j] += self._weight[feature]
            left -= len(near)
            if left <= 0:
                break
        mass, masses = self._mass[0][i], self._mass[1]
        return heapq.nlargest(
            _MAX_CANDIDATES, shared, key=lambda j: (shared[j] / (mass + masses[j]), -abs(j - expected), -j)
        )

    def _linked(
        self, similarity: Mapping[tuple[int, int], float], taken: Iterable[tuple[int, int]]
    ) -> set[tuple[int, int]]:
        """Let the likest pair win, then the likest of the rest, and so on; neighbours support each other."""
        ranked: list[tuple[float, int, int]] = []
        for (i, j), alike in similarity.items():
            beside = similarity.get((i - 1, j - 1), 0.0) + similarity.get((i + 1, j + 1), 0.0)
            if (rank := alike + _SUPPORT * beside) >= _ALIKE:
                ranked.append((-rank, i, j))
        pairs = set()
        for _, i, j in sorted(ranked):
            if i in self._free[0] and j in self._free[1]:
                pairs.add((i, j))
                self._take(i, j)
        return pairs

    def _between(self, groups: Sequence[Group]) -> Iterator[Group]:
        """Pair free sentences that stand beside two sides of one group, both before or both after it."""
        for group in groups:
            for step in (1, -1):
                last = -1 if step == 1 else 0
                i, j = group.sentences[last] + step, group.originals[last] + step
                while i in self._free[0] and j in self._free[1]:
                    if (alike := self._alike(i, j)) < _ALIKE_BETWEEN:
                        break
                    self._take(i, j)
                    yield Group((i,), (j,), alike)
                    i, j = i + step, j + step

    def _grown(self, groups: Iterable[Group]) -> list[Group]:
        """Let each group take in free neighbours for as long as its sides become more alike."""
        return [self._grow(group) for group in groups]

    def _grow(self, group: Group) -> Group:
        while True:
            best = max(self._wider(group), key=lambda g: g.similarity, default=group)
            if best.similarity <= group.similarity:
                return group
            group = best
            for i in group.sentences:
                self._free[0].discard(i)
            for j in group.originals:
                self._free[1].discard(j)

    def _wider(self, group: Group) -> Iterator[Group]:
        sides = group.sentences, group.originals
        for side in (0, 1):
            held, other = sides[side], sides[1 - side]
            if len(held) == _MAX_GROUP:
                continue
            beside = {held[0] - 1, held[-1] + 1} & self._free[side]
            likely = {k for one in other for k in self._likely[1 - side][one]} & self._free[side] - beside
            for k in (*sorted(beside), *(k for k in sorted(likely) if self._explained(side, k, held, other))):
                wider = tuple(sorted((*held, k)))
                if sum(len(self._keys[side][i]) for i in wider) > _MAX_CHARACTERS:
                    continue
                sentences, originals = (wider, other) if side == 0 else (other, wider)
                yield Group(sentences, originals, self._alike_in(sentences, originals))

    def _explained(self, side: int, k: int, held: Sequence[int], other: Sequence[int]) -> bool:
        """Tell whether a sentence that stands apart holds what its group lacked to match the other side."""
        lacking = self._joined(1 - side, other) - self._joined(side, held)
        return self._of(self._bags[side][k] & lacking) >= _EXPLAINED * self._mass[side][k]

    def _joined(self, side: int, some: Iterable[int]) -> Bag:
        return frozenset().union(*(self._bags[side][k] for k in some))

    def _alike(self, i: int, j: int) -> float:
        mass = self._mass[0][i] + self._mass[1][j]
        if not mass:
            return float(self._keys[0][i] == self._keys[1][j])
        return 2 * self._of(self._bags[0][i] & self._bags[1][j]) / mass

    def _alike_in(self, sentences: Sequence[int], originals: Sequence[int]) -> float:
        one, other = self._joined(0, sentences), self._joined(1, originals)
        mass = self._of(one) + self._of(other)
        return 2 * self._of(one & other) / mass if mass else 0.0

    def _of(self, bag: Bag) -> float:
        return math.fsum(self._weight[feature] for feature in bag)


def _key(sentence: str) -> str:
    return " ".join(fold_form(word.text) for word in words(sentence))


def _bag(sentence: str) -> Bag:
    """Give the beginnings of a sentence's words; of a script without spaces, characters and their pairs."""
    features: set[str] = set()
    before = ""
    for word in words(sentence):
        unspaced = _UNSPACED_CHARACTER.match(word.text) is not None
        if not word.is_punctuation:
            features.add(word.text if unspaced else fold_form(word.text)[:_LETTERS])
        if unspaced and before:
            features.add(before + word.text)
        before = word.text if unspaced else ""
    return frozenset(features)


def _weights(bags: Set[Bag], language: str | None) -> dict[str, float]:
    """Weigh features by the inverse of the share of sentences, repeated ones counted once, that hold them."""
    native = _native(language)
    holding = Counter(feature for bag in bags for feature in bag)
    weights = {}
    for feature, count in holding.items():
        blend = _NATIVE if native and not _UNSPACED_CHARACTER.match(feature) else 0
        weights[feature] = math.log((1 + len(bags) + blend) / (count + blend * native.get(feature, 0.0)))
    return weights


@cache
def _native(language: str | None) -> Mapping[str, float]:
    """Give the share of native sentences that hold a word with each beginning; empty without a table."""
    table = lexicon(language)
    if table is None:
        return {}
    counts: Counter[str] = Counter()
    for word, known in table.counts.items():
        counts[fold_form(word)[:_LETTERS]] += known.total
    return {beginning: min(1.0, count / table.sentences) for beginning, count in counts.items()}


def _nearest(places: Sequence[int], expected: float) -> Sequence[int]:
    if len(places) <= _MAX_PLACES:
        return places
    first = bisect_left(places, expected) - _MAX_PLACES // 2
    first = min(max(0, first), len(places) - _MAX_PLACES)
    return places[first : first + _MAX_PLACES]
