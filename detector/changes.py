"""The words of paired sentences -> what was changed, and of what kind each change is."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import zip_longest

from .alignment import Alignment, Word, fold_form
from .heuristics.lexicon import lexicon
from .heuristics.spelling import alike
from .language import script_of
from .report import Change, Kind, Operation

_ARTICLES = {
    "ca": "el la els les l un una uns unes", "da": "en et den det de",
    "de": "der die das den dem des ein eine einen einem einer eines", "en": "a an the",
    "es": "el la los las un una unos unas", "fr": "le la les l un une des",
    "gl": "o a os as un unha uns unhas", "hu": "a az egy",
    "it": "il lo la i gli le l un uno una", "nb": "en ei et den det de",
    "nl": "de het een", "pt": "o a os as um uma uns umas", "sv": "en ett den det de",
}  # fmt: skip
_NOUNS_CAPITALISED = frozenset(("de", "lb"))
_STOPS = frozenset(".!?…:。！？؟۔।\"“”„«»'‘’")
"""Marks after which a word may be written large for its place alone."""


def find_changes(
    alignment: Alignment, openings: Set[int], original_openings: Set[int], language: str | None
) -> list[Change]:
    """List what an alignment shows to be changed, in the order of the text.

    Words that kept their order (the longest run of links that rises) are the frame; what stands
    between two of them on one side was replaced by what stands there on the other. A capital that a
    word owes to its place in the sentence is no change. No change crosses from one sentence into another.

    Args:
        alignment: Of the original's words and the text's (its ``roundtrip``), whose offsets the
            changes take over.
        openings: Indices of the text's words that open a sentence; of the first it need not be said.
        original_openings: Indices of the original's.
        language: BCP 47 tag, or None: then no change is of a kind that takes a table of words.
    """
    return sorted(
        _Changes(alignment, openings, original_openings, language).find(),
        key=lambda change: (change.start, change.original_start),
    )


class _Changes:
    def __init__(
        self, alignment: Alignment, openings: Set[int], original_openings: Set[int], language: str | None
    ) -> None:
        self._text, self._original = alignment.roundtrip, alignment.original
        self._forms = [fold_form(word.text) for word in self._text]
        self._links, self._inflected = alignment.links, alignment.inflected
        self._language = language
        self._kept = frozenset(alignment.links)
        self._openings, self._original_openings = openings, original_openings
        self._initial = _initial(self._text, openings)
        self._original_initial = _initial(self._original, original_openings)

    def find(self) -> Iterator[Change]:
        frame = _rising(self._links)
        last, last_original = -1, -1
        for t in [*frame, len(self._text)]:
            o = self._links[t] if t < len(self._text) else len(self._original)
            yield from self._rewritten(range(last + 1, t), range(last_original + 1, o))
            last, last_original = t, o
        for t in frame:
            yield from self._respelt(t)
        held = set(frame)
        yield from self._moved([t for t, o in enumerate(self._links) if o >= 0 and t not in held])

    def _rewritten(self, gap: range, original_gap: range) -> Iterator[Change]:
        """Pair the runs of words without counterpart in a gap of the frame, the first with the first."""
        runs = _runs([t for t in gap if self._links[t] < 0], self._openings)
        original_runs = _runs([o for o in original_gap if o not in self._kept], self._original_openings)
        for run, original_run in zip_longest(runs, original_runs):
            here = run or range(gap.stop, gap.stop)
            there = original_run or range(original_gap.stop, original_gap.stop)
            operation: Operation = "insertion" if not there else "substitution" if here else "deletion"
            yield self._change(operation, self._kind(here, there), here, there)

    def _respelt(self, t: int) -> Iterator[Change]:
        """Give the change of a word that has a counterpart with another ending, case or style of mark."""
        o = self._links[t]
        word, original = self._text[t], self._original[o]
        here, there = range(t, t + 1), range(o, o + 1)
        if self._inflected[t]:
            yield self._change("substitution", "agreement", here, there)
        elif word.is_punctuation:
            if word.text != original.text:
                yield self._change("substitution", "punctuation", here, there)
        elif _cases(word.text) != _cases(original.text):
            placed = (t in self._initial) != (o in self._original_initial)
            if not (placed and _cases(word.text[1:]) == _cases(original.text[1:])):
                yield self._change("substitution", "casing", here, there)

    def _moved(self, moved: Sequence[int]) -> Iterator[Change]:
        for t in moved:
            yield from self._respelt(t)
        for run in _runs(moved, self._openings):
            first = run.start
            for t in run:
                if not self._goes_on(t, run):
                    there = range(self._links[first], self._links[t] + 1)
                    yield self._change("move", "syntax", range(first, t + 1), there)
                    first = t + 1

    def _goes_on(self, t: int, run: range) -> bool:
        """Tell whether a moved word's successor moved with it."""
        after = self._links[t] + 1
        return t + 1 in run and self._links[t + 1] == after and after not in self._original_openings

    def _change(self, operation: Operation, kind: Kind, here: range, there: range) -> Change:
        start, end = _span(self._text, here)
        original_start, original_end = _span(self._original, there)
        return Change(operation, kind, start, end, original_start, original_end)

    def _kind(self, here: range, there: range) -> Kind:
        """Tell the kind of words replaced, put in or left out, the most telling sign first."""
        new = [self._text[t] for t in here if not self._text[t].is_punctuation]
        old = [self._original[o] for o in there if not self._original[o].is_punctuation]
        if not new and not old:
            return "punctuation"
        if _digits(new) != _digits(old):
            return "number"
        scripts = [script_of(" ".join(w.text for w in side)) for side in (new, old)]
        if all(scripts) and scripts[0] != scripts[1] and {*scripts} != {"HIRAGANA", "CJK"}:
            return "untranslated"
        if self._repeats(here) and not old:
            return "repetition"
        if self._names(here, there):
            return "name"
        forms = {fold_form(word.text) for word in (*new, *old)}
        if forms <= frozenset(_ARTICLES.get(self._language or "", "").split()):
            return "agreement"
        table = lexicon(self._language)
        return "syntax" if table is not None and forms <= {*table.function_words} else "term"

    def _repeats(self, here: range) -> bool:
        """Tell whether words put in stand right before or after themselves."""
        forms, size = self._forms, len(here)
        run = forms[here.start : here.stop]
        return bool(run) and run in (
            forms[here.start - size : here.start] if here.start >= size else [],
            forms[here.stop : here.stop + size],
        )

    def _names(self, here: range, there: range) -> bool:
        new = {self._text[t].text for t in here if self._is_name(self._text[t], t in self._initial)}
        old = {
            self._original[o].text
            for o in there
            if self._is_name(self._original[o], o in self._original_initial)
        }
        if self._language in _NOUNS_CAPITALISED:  # every noun looks like a name there
            return any(alike(a, b, inflected=True) for a in new for b in old)
        return new != old and bool(old or not there)  # else capitals were put on ordinary words

    def _is_name(self, word: Word, initial: bool) -> bool:
        if not word.text[0].isupper() or initial:
            return False
        table = lexicon(self._language)
        return table is None or table[word.text].small <= table[word.text].capital


def _initial(sequence: Sequence[Word], openings: Set[int]) -> frozenset[int]:
    """Give the indices of words that open a sentence or a quotation, marks before them left out."""
    opening, found = True, set()
    for i, word in enumerate(sequence):
        opening = opening or i in openings
        if word.is_punctuation:
            opening = opening or word.text in _STOPS
        elif opening:
            found.add(i)
            opening = False
    return frozenset(found)


def _rising(links: Sequence[int]) -> list[int]:
    """Give the places of a longest run of links, in order, that rises; -1 is no link."""
    tails: list[int] = []
    values: list[int] = []
    before: dict[int, int] = {}
    for place, link in enumerate(links):
        if link < 0:
            continue
        k = bisect_left(values, link)
        before[place] = tails[k - 1] if k else -1
        tails[k : k + 1] = [place]
        values[k : k + 1] = [link]
    rising = []
    place = tails[-1] if tails else -1
    while place >= 0:
        rising.append(place)
        place = before[place]
    return rising[::-1]


def _runs(places: Sequence[int], breaks: Set[int]) -> list[range]:
    """Join neighbouring places, but not across a break; a run is never empty."""
    runs: list[range] = []
    for place in places:
        if runs and runs[-1].stop == place and place not in breaks:
            runs[-1] = range(runs[-1].start, place + 1)
        else:
            runs.append(range(place, place + 1))
    return runs


def _span(sequence: Sequence[Word], places: range) -> tuple[int, int]:
    """Give the characters of a run of words; of an empty one the end of the word before it."""
    if places:
        return sequence[places.start].start, sequence[places.stop - 1].end
    place = sequence[places.start - 1].end if places.start else sequence[0].start if sequence else 0
    return place, place


def _digits(side: Sequence[Word]) -> Counter[str]:
    return Counter(word.text for word in side if any(c.isdigit() for c in word.text))


def _cases(word: str) -> list[bool]:
    return [c.isupper() for c in word]
