"""A text beside its original, made readable: changes for a terminal, two columns for a browser."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .render import (
    Mark,
    cut_at_marks,
    escaped,
    filters,
    lang,
    marked_runs,
    page,
    paint,
    printable,
    skip,
    underlined,
    wrap,
)
from .report import Change, Comparison, Evidence, Kind, Operation, Pair, Sentence

_KINDS: dict[Kind, str] = {
    "term": "other word",
    "name": "name",
    "casing": "capital or small letter",
    "syntax": "order or function word",
    "agreement": "ending or article",
    "untranslated": "other script",
    "punctuation": "punctuation",
    "number": "number",
    "repetition": "repetition",
    "fragment": "broken off",
    "boilerplate": "boilerplate",
}
"""What a change is of; it need not be damage."""

_IN_TEXT: dict[Operation, str] = {
    "substitution": "stands where the original has",
    "insertion": "put in",
    "move": "stands elsewhere in the original's sentence",
}
_IN_ORIGINAL: dict[Operation, str] = {
    "substitution": "became",
    "deletion": "left out",
    "move": "stands elsewhere in the text's sentence",
}
_MAX_QUOTED = 80  # characters of words repeated in a message


def to_terminal(comparison: Comparison, *, colour: bool, width: int) -> str:
    """Give what is reused, then each pair that differs with its changes, then what has no counterpart.

    Changed words are marked as `render.to_terminal` marks evidence; words left out have no place of
    their own, so they are only listed.

    Args:
        comparison: What to show.
        colour: Mark by colour and underline instead of brackets, by ANSI escape codes.
        width: Columns to wrap at; 20 or more.

    Returns:
        Lines that end in a line feed. Safe to print whatever the texts hold.
    """
    lines = [paint(_headline(comparison), "1", colour), "; ".join(f"{k} {v}" for k, v in _facts(comparison))]
    lines += [f"Note: {printable(note)}" for note in comparison.notes]
    line_of = _Lines(comparison.text)
    original_line_of = _Lines(comparison.original)
    for pair in comparison.pairs:
        if not pair.changes:
            continue
        some = [comparison.sentences[i] for i in pair.sentences]
        others = [comparison.original_sentences[j] for j in pair.original_sentences]
        places = f"line {line_of[some[0].start]}, original line {original_line_of[others[0].start]}"
        lines += ["", paint(places, "1", colour)]
        marks = [_mark(n, change, comparison) for n, change in enumerate(pair.changes, 1)]
        for sentence in some:
            lines += wrap(marked_runs(comparison.text, sentence, marks, colour), width, colour)
        for n, change in enumerate(pair.changes, 1):
            lines += wrap([(f"({n}) {_told(change, comparison)}", "")], width, colour)
    for heading, text, sentences, where in (
        ("Not in the original", comparison.text, _some(comparison.sentences, comparison.added), line_of),
        (
            "Not in the text",
            comparison.original,
            _some(comparison.original_sentences, comparison.dropped),
            original_line_of,
        ),
    ):
        lines += ["", paint(heading, "1", colour)] if sentences else []
        for sentence in sentences:
            runs = marked_runs(text, sentence, (), colour)
            lines += wrap([(f"line {where[sentence.start]}: ", "2"), *runs], width, colour)
    return "\n".join(lines) + "\n"


class _Lines:
    """Numbers of lines, asked for in rising order or not; each stretch between is counted once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place, self._line = 0, 1

    def __getitem__(self, place: int) -> int:
        low, high = sorted((self._place, place))
        step = self._text.count("\n", low, high)
        self._line += step if place >= self._place else -step
        self._place = place
        return self._line


def _some(sentences: Sequence[Sentence], indices: Sequence[int]) -> list[Sentence]:
    return [sentences[i] for i in indices]


def _headline(comparison: Comparison) -> str:
    if not comparison.sentences or not comparison.original_sentences:
        empty = "text" if comparison.original_sentences else "original"
        return f"Nothing to compare: the {empty} is empty"
    if not comparison.pairs:
        return "No sentence of the original was found in the text"
    if not comparison.changes and not comparison.added and not comparison.dropped:
        return "Nothing was changed"
    return f"Reuses {_share(comparison.reused)} of the original's words"


def _share(of: float) -> str:
    """Give a share in percent, rounded to neither none nor all unless it is; nan as a dash."""
    if math.isnan(of):
        return "-"
    return f"{min(max(of, 0.01), 0.99) if 0 < of < 1 else of:.0%}"


def _facts(comparison: Comparison) -> Iterator[tuple[str, str]]:
    yield "language", comparison.language or "not known"
    yield (
        "sentences",
        f"{len(comparison.sentences):,}, in the original {len(comparison.original_sentences):,}",
    )
    yield "added", f"{len(comparison.added):,}"
    yield "dropped", f"{len(comparison.dropped):,}"
    yield "changes", f"{len(comparison.changes):,}"


def _told(change: Change, comparison: Comparison) -> str:
    """Say in one line what became of which words."""
    new = _quoted(comparison.text, change.start, change.end)
    old = _quoted(comparison.original, change.original_start, change.original_end)
    if change.operation == "substitution":
        return f'{change.kind} "{new}", in the original "{old}"'
    words = {"insertion": f'put in: "{new}"', "deletion": f'left out: "{old}"', "move": f'moved: "{new}"'}
    return f"{change.kind} {words[change.operation]}"


def _quoted(text: str, start: int, end: int) -> str:
    cut = "..." if end - start > _MAX_QUOTED else ""
    return printable(text[start : min(end, start + _MAX_QUOTED)]) + cut


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two texts.

    Attributes:
        text: The text.
        sentences: Its sentences.
        ids: What the ids of marks, boxes and sentences start with.
    """

    text: str
    sentences: Sequence[Sentence]
    ids: tuple[str, str, str]


def _mark(number: int, change: Change, comparison: Comparison, *, original: bool = False) -> Mark:
    """Give a change as a mark on one side, with the other side's words as its suggestion."""
    told = (_IN_ORIGINAL if original else _IN_TEXT).get(change.operation, "")
    here = (change.original_start, change.original_end) if original else (change.start, change.end)
    there = comparison.text[change.start : change.end]
    if not original:
        there = comparison.original[change.original_start : change.original_end]
    words = (" ".join(there.split()),) if change.operation == "substitution" else ()
    return Mark(number, 0, Evidence(*here, change.kind, 1.0, "compare", told, words))


def to_html(comparison: Comparison, *, titles: tuple[str, str] = ("", "")) -> str:
    """Give one page with the text and its original side by side, as `render.to_html` makes pages.

    Rows follow the text; a sentence that was dropped stands behind its predecessor in the original.

    Args:
        comparison: What to show.
        titles: Names of the text and of the original.
    """
    numbered = {change: n for n, change in enumerate(comparison.changes, 1)}
    text = _Side(comparison.text, comparison.sentences, ("c", "t", "s"))
    original = _Side(comparison.original, comparison.original_sentences, ("o", "u", "r"))
    names = " and ".join(name for name in titles if name)
    headings = [
        escaped(f"{what}: {name}" if name else what)
        for what, name in zip(("The text", "The original"), titles, strict=True)
    ]
    return page(
        f"{names}: {_headline(comparison)}" if names else _headline(comparison),
        [
            skip(("h-sides", "the two texts")),
            _summary(comparison),
            '<main>\n<section aria-labelledby="h-sides"><h2 id="h-sides" tabindex="-1">Side by side</h2>\n',
            '<table class="sides" aria-labelledby="h-sides"><thead><tr><th scope="col">Sentence</th>',
            *(f'<th scope="col"><bdi>{heading}</bdi></th>' for heading in headings),
            "</tr></thead>\n<tbody>\n",
            *(_row(pair, comparison, text, original, numbered) for pair in _rows(comparison)),
            "</tbody></table></section>\n</main>\n",
            f"<footer>Signature <code>{escaped(comparison.signature)}</code></footer>\n",
        ],
        layout="sides",
    )


def _summary(comparison: Comparison) -> str:
    boxes = filters((change.kind for change in comparison.changes), _KINDS, "Kinds of change")
    reading = (
        '<span class="screen">Point at underlined words, or move to them with the Tab key, to read what '
        'stands on the other side.</span><span class="paper">Numbers in brackets tie words to those on the '
        "other side.</span>"
    )
    return "".join(
        [
            f"<header><h1>{_headline(comparison)}</h1>\n<dl>",
            *(
                f"<div><dt>{escaped(name.capitalize())}</dt><dd>{escaped(value)}</dd></div>"
                for name, value in _facts(comparison)
            ),
            "</dl>",
            *(f'<p class="note" dir="auto">{escaped(note)}</p>' for note in comparison.notes),
            boxes,
            '<p class="hint">Reused are words that stand in the text in the same form, in a sentence paired ',
            f"with theirs. A change may be a harmless paraphrase. {reading if boxes else ''}</p></header>\n",
        ]
    )


def _rows(comparison: Comparison) -> Iterator[Pair]:
    """Give pairs in the order of the text, and between them the sentences that have no counterpart."""
    rows = [*comparison.pairs, *(Pair((i,), (), 0.0, ()) for i in comparison.added)]
    holder = {j: pair for pair in comparison.pairs for j in pair.original_sentences}
    behind: dict[Pair | None, list[int]] = {}
    last: Pair | None = None
    for j in range(len(comparison.original_sentences)):
        last = holder.get(j, last)
        if j not in holder:
            behind.setdefault(last, []).append(j)
    for row in (None, *sorted(rows, key=lambda row: row.sentences)):
        if row:
            yield row
        yield from (Pair((), (j,), 0.0, ()) for j in behind.get(row, ()))


def _row(
    pair: Pair, comparison: Comparison, text: _Side, original: _Side, numbered: Mapping[Change, int]
) -> str:
    status = (
        "paired" if pair.sentences and pair.original_sentences else "added" if pair.sentences else "dropped"
    )
    here = [_mark(numbered[c], c, comparison) for c in pair.changes]
    there = [_mark(numbered[c], c, comparison, original=True) for c in pair.changes]
    numbers, original_numbers = (
        ", ".join(str(k + 1) for k in side) for side in (pair.sentences, pair.original_sentences)
    )
    origin = '<span aria-hidden="true">←</span><span class="spoken">from the original\'s</span>'
    label = {
        "paired": f"{numbers} {origin} {original_numbers}",
        "added": f"{numbers} added",
        "dropped": f"{original_numbers} dropped",
    }
    cells = (
        _cell(text, pair.sentences, here, comparison.language, "Not in the text"),
        _cell(original, pair.original_sentences, there, comparison.language, "Not in the original"),
    )
    return f'<tr class="{status}"><th scope="row" class="n">{label[status]}</th>{"".join(cells)}</tr>\n'


def _cell(
    side: _Side, indices: Sequence[int], marks: Sequence[Mark], language: str | None, absent: str
) -> str:
    if not indices:
        return f'<td class="absent">{absent}</td>'
    shown = " ".join(_sentence(side, i, marks) for i in indices)
    return f'<td dir="auto"{lang(language)}>{shown}</td>'


def _sentence(side: _Side, index: int, marks: Sequence[Mark]) -> str:
    of_mark, of_box, of_sentence = side.ids
    sentence = side.sentences[index]
    parts = []
    for start, end, covering in cut_at_marks(sentence.start, sentence.end, (), marks):
        messages = [_message(mark.evidence) for mark in covering]
        parts.append(underlined(side.text[start:end], start, end, covering, messages, (of_mark, of_box)))
    return f'<span class="s" id="{of_sentence}{index + 1}">{"".join(parts)}</span>'


def _message(e: Evidence) -> str:
    words = "".join(f" <q><bdi>{escaped(word)}</bdi></q>" for word in e.suggestions)
    return f"<b>{_KINDS[e.kind]}</b> {e.message}{words}"
