"""A report, made readable: plain text for a terminal, one page for a browser."""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from itertools import groupby, pairwise

from .report import KINDS, Claim, Evidence, Kind, Name, Report, Sentence, SentenceReport, Verdict

HEADLINES: dict[Verdict, str] = {
    "flagged": "Probably came back from machine translation",
    "clean": "No clear sign of machine translation",
    "too_short": "Too short to judge",
    "unsupported_language": "Not judged: a language the detector does not know",
    "mixed_language": "Not judged: more than one language",
}
"""What a text's verdict means, in words."""
_TRANSLATED = "Probably translated by a machine"
"""What ``flagged`` means where the detector learnt from no round trips (see `Report.claim`)."""
_CLAIMS: dict[Claim, str] = {
    "round_trip": "it was translated out of its language and back",
    "machine_translation": "a machine translated it (no round trips in this language were known)",
}

ABSTENTIONS: dict[Verdict, str] = {
    "too_short": "too short",
    "unsupported_language": "language not known",
    "mixed_language": "mixed languages",
}
"""What stands in place of a sentence's score where the detector abstains."""

KIND_NAMES: dict[Kind, str] = {
    "term": "wrong word",
    "name": "name",
    "casing": "capital or small letter",
    "syntax": "sentence structure",
    "agreement": "agreement",
    "untranslated": "left untranslated",
    "punctuation": "punctuation",
    "number": "number",
    "repetition": "repetition",
    "fragment": "broken off",
    "boilerplate": "boilerplate",
}

# Red, blue, cyan, magenta, yellow, green: terminals have six, so kinds share; the name is always printed.
_KIND_COLOURS = dict(zip(KINDS, "14653263514", strict=True))

# A box that is not ticked hides its kind: lines, messages, rows. No script is needed. Words with no message
# left to tell are passed over by the Tab key: what is not visible takes no focus; its parts stay visible.
_FILTERS = """\
body:has(.kinds input:not(:checked)) main mark { visibility: hidden; }
main mark > * { visibility: visible; }
"""
_FILTER = """\
body:has(#show-{kind}:checked) main mark:has(.msg.{kind}) {{ visibility: visible; }}
body:has(#show-{kind}:not(:checked)) main .k.{kind} {{ text-decoration: none; }}
body:has(#show-{kind}:not(:checked)) main .k.{kind}::after {{ content: none; }}
body:has(#show-{kind}:not(:checked)) main :is(.msg, tr).{kind} {{ display: none; }}
"""

_MAX_SHOWN = 2_000  # characters of one sentence on a terminal; a page shows everything
_MAX_QUOTED = 80  # characters of damaged words repeated beside their message
_LANES = 3  # heights at which lines under overlapping evidence run
_MAX_CELLS = 240  # cells of the overview strip; more sentences share cells

# Control characters, lone surrogates and the two noncharacters that end the plane, but not \t \n \r.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Overrides and isolates could make a terminal show another text than the one that was judged.
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Mark:
    """Evidence with its number on the page; lines of marks that overlap run in other lanes.

    Attributes:
        number: From 1.
        lane: Height of its line, from 0.
        evidence: Where it stands, its kind and what is said of it.
    """

    number: int
    lane: int
    evidence: Evidence


def printable(text: str) -> str:
    r"""Give ``text`` on one line, with nothing in it that a terminal would obey.

    White space becomes single spaces; control characters, lone surrogates and the
    controls that reorder text become U+FFFD.

    Example:
        >>> printable("red\x1b[31m\nalert") == "red\ufffd[31m alert"
        True
    """
    return _UNPRINTABLE.sub("\ufffd", _REORDERING.sub("\ufffd", " ".join(text.split())))


def to_terminal(report: Report, *, colour: bool, width: int, title: str = "") -> str:
    """Give the verdict, then every flagged sentence with its evidence marked and explained.

    Marks are ASCII and numbered, ``[words](1)``, because lines drawn below the words
    would miss them in right-to-left and double-width text.

    Args:
        report: What to show.
        colour: Mark by colour and underline instead of brackets, by ANSI escape codes.
        width: Columns to wrap at; 20 or more.
        title: Name of the text, shown before the verdict.

    Returns:
        Lines that end in a line feed. Safe to print whatever the text holds.
    """
    strong = "1" if report.verdict != "flagged" else "1;31"
    headline = f"{printable(title)}: {_headline(report)}" if title else _headline(report)
    lines = [paint(headline, strong, colour), "; ".join(_facts(report))]
    lines += [f"Note: {printable(note)}" for note in report.notes]
    line, seen = 1, 0
    for s in report.sentences:
        if s.verdict != "flagged":
            continue
        line, seen = line + report.text.count("\n", seen, s.start), s.start
        lines += ["", paint(f"line {line}, score {show_score(s.score)}", "1", colour)]
        marks = [Mark(n, 0, e) for n, e in enumerate(s.evidence, 1)]
        lines += wrap(marked_runs(report.text, s, marks, colour), width, colour)
        for n, e in enumerate(s.evidence, 1):
            lines += wrap([(_explained(report.text, e, f"({n})"), "")], width, colour)
    if report.evidence:
        lines += ["", paint("In the whole text", "1", colour)]
        for e in report.evidence:
            place = f"line {report.text.count(chr(10), 0, e.start) + 1},"
            lines += wrap([(_explained(report.text, e, place), "")], width, colour)
    return "\n".join(lines) + "\n"


def show_score(score: float) -> str:
    """Give a probability with two digits, never rounded to certainty; nan as a dash."""
    if math.isnan(score):
        return "-"
    return ">0.99" if score > 0.994 else "<0.01" if score < 0.006 else f"{score:.2f}"


def _headline(report: Report) -> str:
    flagged = sum(s.verdict == "flagged" for s in report.sentences)
    if report.verdict == "clean" and flagged:
        damaged = "one sentence looks" if flagged == 1 else f"{flagged:,} sentences look"
        return f"{HEADLINES['clean']}, but {damaged} damaged"
    if report.verdict == "flagged" and report.claim == "machine_translation":
        return _TRANSLATED
    return HEADLINES[report.verdict]


def _facts(report: Report) -> Iterator[str]:
    if not math.isnan(report.score):
        threshold = report.signature.text_threshold
        flagged = f", flagged from {threshold:.2f}" if threshold <= 1 else ""
        yield f"score {show_score(report.score)}{flagged}"
    yield f"language {report.language or 'not known'}"
    if report.pivot:
        yield f"perhaps through {_pivot(report)}"
    yield _counted(report)


def _pivot(report: Report) -> str:
    """Name the group of languages or the area, and say how sure that is."""
    name = "-".join(part.capitalize() for part in (report.pivot or "").split("-"))
    article = "an" if name.startswith(("A", "I")) else "a"  # but a European, a Uralic
    sure = (
        ""
        if report.pivot_confidence is None
        else f", right about {10 * report.pivot_confidence:.0f} times in 10"
    )
    return f"{article} {name} language{sure}"


def _counted(report: Report) -> str:
    verdicts = Counter(s.verdict for s in report.sentences)
    total, flagged = len(report.sentences), verdicts["flagged"]
    unjudged = total - flagged - verdicts["clean"]
    words = f"{total:,} sentence{'' if total == 1 else 's'}, {flagged:,} flagged"
    return words + (f", {unjudged:,} not judged" if unjudged else "")


def _explained(text: str, e: Evidence, label: str) -> str:
    perhaps = f" Perhaps: {', '.join(map(printable, e.suggestions))}{_trusted(e)}." if e.suggestions else ""
    words = printable(_quoted(text, e))
    source = f"{printable(e.found_by)} {show_score(e.score)}"
    return f'{label} {e.kind} "{words}": {printable(e.message)}{perhaps} [{source}]'


def _quoted(text: str, e: Evidence) -> str:
    words = text[e.start : e.end]
    return words if len(words) <= _MAX_QUOTED else words[: _MAX_QUOTED - 3] + "..."


def paint(text: str, sgr: str, colour: bool) -> str:
    """Put ``text`` between ANSI escape codes, where ``colour`` and there is a style."""
    return f"\x1b[{sgr}m{text}\x1b[0m" if colour and sgr else text


def marked_runs(
    text: str, s: Sentence | SentenceReport, marks: Sequence[Mark], colour: bool
) -> list[tuple[str, str]]:
    """Cut a sentence into runs of one style, with numbers behind its marks; the end of a huge one is cut."""
    runs: list[tuple[str, str]] = []
    stop = min(s.end, s.start + _MAX_SHOWN)
    for start, end, covering in cut_at_marks(s.start, stop, (), marks):
        style = f"4;3{_KIND_COLOURS[covering[0].evidence.kind]}" if covering else ""
        opened = 0 if colour else sum(m.evidence.start == start for m in covering)
        bracket = "" if colour else "]"
        closed = "".join(f"{bracket}({m.number})" for m in covering if m.evidence.end == end)
        # Spaces at the edges carry meaning here: only white space within a run is joined.
        shown = re.sub(r"\s+", " ", text[start:end])
        runs += [("[" * opened, ""), (_UNPRINTABLE.sub("\ufffd", _REORDERING.sub("\ufffd", shown)), style)]
        runs.append((closed, "2"))
    if stop < s.end:
        runs.append((f" [... {s.end - stop:,} more characters]", "2"))
    return runs


def wrap(runs: Iterable[tuple[str, str]], width: int, colour: bool) -> list[str]:
    """Break runs into lines of at most ``width`` columns, two of them for the indent."""
    lines: list[list[tuple[str, str]]] = [[]]
    used, space = 0, 0
    for char, style in ((char, style) for run, style in runs for char in run):
        columns = _columns(char)
        if used + columns > width - 2 and lines[-1]:
            kept, moved = lines[-1][: space or None], lines[-1][space:] if space else []
            lines[-1:] = [kept, moved]
            used, space = sum(_columns(c) for c, _ in moved), 0
        lines[-1].append((char, style))
        used += columns
        if char == " ":
            space = len(lines[-1])
    shown = []
    for line in lines:
        while line and line[-1][0] == " ":
            line.pop()
        styled = ((sgr, "".join(c for c, _ in run)) for sgr, run in groupby(line, lambda cell: cell[1]))
        shown.append("  " + "".join(paint(words, sgr, colour) for sgr, words in styled))
    return shown


def _columns(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cut_at_marks(
    start: int, end: int, cuts: Iterable[int], marks: Sequence[Mark]
) -> Iterator[tuple[int, int, list[Mark]]]:
    """Cut ``start:end`` at every boundary of evidence, and at ``cuts``.

    Yields each piece with the marks that cover the whole of it, in the order given.
    """
    opening: dict[int, list[Mark]] = {}
    edges = {start, end, *cuts}
    for mark in marks:
        left, right = max(mark.evidence.start, start), min(mark.evidence.end, end)
        if left < right:
            opening.setdefault(left, []).append(mark)
            edges |= {left, right}
    covering: list[Mark] = []
    for left, right in pairwise(sorted(edges)):
        covering = [m for m in covering if m.evidence.end > left] + opening.get(left, [])
        yield left, right, covering


def to_html(report: Report, *, title: str = "") -> str:
    """Give one page that needs nothing else: no script, no font, no image, no network.

    The text stands in it whole and in order; every value is escaped, and what UTF-8 or
    HTML cannot carry (lone surrogates, control characters) is shown as U+FFFD.

    Args:
        report: What to show.
        title: Name of the text, for the heading and the browser's tab.
    """
    marks = _marks(report)
    name = f"{title}: " if title else ""
    return page(
        f"{name}{_headline(report)}",
        [
            skip(("h-text", "the text"), *([("h-evidence", "the evidence")] if marks else [])),
            f"{_summary(report, marks, title)}\n",
            '<main>\n<section aria-labelledby="h-text"><h2 id="h-text" tabindex="-1">The text</h2>\n',
            _strip(report),
            f'<div class="text" dir="auto"{lang(report.language)}>{_text(report, marks)}</div></section>\n',
            _table(report, marks),
            _names(report),
            _contributions(report),
            f"</main>\n<footer>Signature <code>{escaped(str(report.signature))}</code></footer>\n",
        ],
    )


def page(title: str, body: Iterable[str], *, layout: str = "text") -> str:
    """Give a page around ``body`` that needs nothing else and forbids everything else.

    Args:
        title: For the browser's tab; plain text.
        body: HTML.
        layout: Class of the body: ``text`` is a column to read, ``sides`` two beside each other.
    """
    return "".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; ',
            "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n",
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="color-scheme" content="light dark">\n',
            f"<title>{escaped(title)}</title>\n<style>\n{_style()}</style>\n",
            f'</head>\n<body class="{layout}-page">\n',
            *body,
            "</body>\n</html>\n",
        ]
    )


def skip(*targets: tuple[str, str]) -> str:
    """Give links, seen when they have the focus, that lead past what comes first: ids and what is there."""
    links = "".join(f'<a href="#{of}">Skip to {name}</a>' for of, name in targets)
    return f'<nav class="skip" aria-label="Skip">{links}</nav>\n'


def filters(kinds: Iterable[Kind], names: Mapping[Kind, str], caption: str) -> str:
    """Give a ticked box for each kind that stands in ``kinds``, with how often; nothing where there is none.

    Args:
        kinds: Of every mark on the page.
        names: What the page calls each kind.
        caption: Of the group of boxes; plain text.
    """
    counts = Counter(kinds)
    boxes = "".join(
        f'<label><input type="checkbox" checked id="show-{kind}"> '
        f'<span class="k {kind}">{names[kind]}</span> {counts[kind]:,}</label>\n'
        for kind in KINDS
        if counts[kind]
    )
    hint = '<span class="screen">; untick one to hide it</span>'
    return f'<fieldset class="kinds"><legend>{caption}{hint}</legend>\n{boxes}</fieldset>\n' if boxes else ""


@cache
def _style() -> str:
    look = (resources.files(__package__) / "assets" / "report.css").read_text("utf-8")
    return look + _FILTERS + "".join(_FILTER.format(kind=kind) for kind in KINDS)


def _marks(report: Report) -> list[Mark]:
    """Number all evidence in reading order; what overlaps gets lanes apart, as far as there are lanes."""
    found = dict.fromkeys([*(e for s in report.sentences for e in s.evidence), *report.evidence])
    marks: list[Mark] = []
    lane_ends = [0] * _LANES
    for n, e in enumerate(sorted(found, key=lambda e: (e.start, -e.end)), 1):
        lane = next((i for i, end in enumerate(lane_ends) if end <= e.start), _LANES - 1)
        lane_ends[lane] = max(e.end, lane_ends[lane])
        marks.append(Mark(n, lane, e))
    return marks


def escaped(text: str) -> str:
    """Give ``text`` for a page, in an element or a quoted attribute; what HTML cannot carry is U+FFFD."""
    return escape(_UNPRINTABLE.sub("\ufffd", text))


def lang(language: str | None) -> str:
    """Give the attribute that names a language, or nothing."""
    return f' lang="{escaped(language)}"' if language else ""


def _summary(report: Report, marks: Sequence[Mark], title: str) -> str:
    """The verdict in words, what it rests on, and how to read the page."""
    signature = report.signature
    facts = [("Language", report.language or "not known"), ("Sentences", _counted(report))]
    if report.pivot:
        facts.insert(1, ("Perhaps came through", _pivot(report)))
    facts.append(("Strictness", _point(signature.operating_point)))
    reached = signature.text_threshold <= 1  # else no score reaches it
    gauge = "<p>No score: the detector abstains rather than guess.</p>"
    if not math.isnan(report.score):
        score, threshold = escaped(show_score(report.score)), f"{signature.text_threshold:.2f}"
        flagged = f"From {threshold}, the mark on the bar, it is flagged." if reached else ""
        gauge = (
            f'<p class="score"><strong>{score}</strong>'
            f'<span class="gauge" role="img" aria-label="Score {score} of 1, flagged from {threshold}" '
            f'style="--p:{report.score:.3f};--t:{signature.text_threshold:.3f}"></span></p>'
            "<p>The score of the text is the calibrated probability, from 0 to 1, that "
            f"{_CLAIMS[report.claim or 'round_trip']}. "
            f"{flagged}</p>"
        )
    boxes = filters((m.evidence.kind for m in marks), KIND_NAMES, "Kinds of damage found")
    flags = f"; from {signature.threshold:.2f} it is flagged and " + '<span class="s flagged">shaded</span>'
    if signature.threshold > 1:  # no score reaches it
        flags = ""
    reading = (
        '<span class="screen">Point at underlined words, or move to them with the Tab key, to read what is '
        'wrong.</span><span class="paper">Numbers in brackets lead to the list of evidence.</span> '
    )
    strip = (
        '<span class="screen">The bar above the text shows every sentence, the likeliest the darkest.</span>'
    )
    opened = '<span class="paper">What each score is made of is printed where it was opened.</span>'
    return "".join(
        [
            f'<header class="{report.verdict}">',
            f'<p class="title" dir="auto">{escaped(title)}</p>' if title else "",
            f"<h1>{_headline(report)}</h1>\n{gauge}\n<dl>",
            *(f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in facts),
            "</dl>",
            *(f'<p class="note" dir="auto">{escaped(note)}</p>' for note in report.notes),
            boxes,
            '<p class="hint">The small number after a sentence is the probability that translation damaged ',
            f"it{flags}. ",
            reading if boxes else "",
            strip if len(report.sentences) > 1 else "",
            opened if _explains(report) else "",
            "</p></header>",
        ]
    )


def _point(name: str) -> str:
    """Name an operating point, and what it promises where the name says so (``fpr_1e-2``)."""
    try:
        rate = float(name.removeprefix("fpr_"))
    except ValueError:
        return name
    return f"about {100 * rate:g} in 100 human texts would be flagged by mistake ({name})"


def _strip(report: Report) -> str:
    """A row of cells, one for each sentence or few, as dark as the worst of them."""
    step = math.ceil(len(report.sentences) / _MAX_CELLS) or 1
    cells = []
    for first in range(0, len(report.sentences), step):
        group = range(first, min(first + step, len(report.sentences)))
        worst = max(group, key=lambda i: -1.0 if math.isnan(p := report.sentences[i].score) else p)
        s = report.sentences[worst]
        cells.append(f'<a href="#s{worst + 1}" tabindex="-1" class="{s.verdict}"{_shade(s.score)}></a>')
    return f'<div class="strip" aria-hidden="true">{"".join(cells)}</div>\n' if len(cells) > 1 else ""


def _shade(score: float) -> str:
    return "" if math.isnan(score) else f' style="--p:{score:.2f}"'


def _text(report: Report, marks: Sequence[Mark]) -> str:
    """The whole text with its sentences and evidence as elements."""
    opens = {s.start: n for n, s in enumerate(report.sentences, 1)}
    closes = {s.end for s in report.sentences}
    parts: list[str] = []
    for start, end, covering in cut_at_marks(0, len(report.text), {*opens, *closes}, marks):
        if n := opens.get(start):
            s = report.sentences[n - 1]
            badge = escaped(ABSTENTIONS.get(s.verdict) or show_score(s.score))
            parts.append(f'<span class="s {s.verdict}" id="s{n}" data-score="{badge}"{_shade(s.score)}>')
        parts.append(_piece(report.text[start:end], start, end, covering))
        if end in closes:
            parts.append("</span>")
    return "".join(parts)


def _piece(words: str, start: int, end: int, covering: Sequence[Mark]) -> str:
    """Words that the same evidence covers, underlined once for each, with one message box."""
    messages = [
        f"<b>{KIND_NAMES[e.kind]}</b> {escaped(e.message)}{_perhaps(e)}"
        f" <small>{escaped(e.found_by)} {escaped(show_score(e.score))}</small>"
        for e in (mark.evidence for mark in covering)
    ]
    return underlined(words, start, end, covering, messages)


def underlined(
    words: str,
    start: int,
    end: int,
    covering: Sequence[Mark],
    messages: Sequence[str],
    ids: tuple[str, str] = ("e", "t"),
) -> str:
    """Give words with a line for each mark that covers them, and a box that tells what is said of them.

    Args:
        words: Plain text, which is escaped.
        start: Where they start: the first piece of a mark carries its id.
        end: Where they end: the last piece of a mark carries its number.
        covering: Marks; none leaves the words as they are.
        messages: HTML, one for each mark.
        ids: What the ids of marks and of boxes start with.
    """
    inner = escaped(words)
    if not covering:
        return inner
    of_mark, of_box = ids
    for mark in reversed(covering):
        e = mark.evidence
        anchor = f' id="{of_mark}{mark.number}"' if e.start == start else ""
        number = f' data-n="{mark.number}"' if e.end == end else ""
        inner = f'<span class="k {e.kind} lane{mark.lane}"{anchor}{number}>{inner}</span>'
    box = f"{of_box}{start}"
    told = "".join(
        f'<span class="msg {mark.evidence.kind}">{message}</span>'
        for mark, message in zip(covering, messages, strict=True)
    )
    # A mark of its own role takes no name, and a screen reader would tell the message but not the words.
    name = escaped(" ".join(words.split()))
    return (
        f'<mark tabindex="0" role="group" aria-label="{name}" aria-describedby="{box}">{inner}'
        f'<span class="tip" role="tooltip" id="{box}" lang="en" dir="ltr">{told}</span></mark>'
    )


def _perhaps(e: Evidence) -> str:
    words = ", ".join(f"<bdi>{escaped(s)}</bdi>" for s in e.suggestions)
    return f' <span class="perhaps">Perhaps: {words}{_trusted(e)}</span>' if words else ""


def _trusted(e: Evidence) -> str:
    """Say how often suggestions of this source were right, where that was measured."""
    score = e.suggestion_score
    return "" if score is None else f" (what the author wrote about {10 * score:.0f} times in 10)"


def _table(report: Report, marks: Sequence[Mark]) -> str:
    if not marks:
        return ""
    headings = ("No.", "Words", "Kind", "What is wrong", "Found by", "Sure")
    return "".join(
        [
            '<section aria-labelledby="h-evidence"><h2 id="h-evidence" tabindex="-1">Evidence</h2>\n',
            '<table class="evidence" aria-labelledby="h-evidence"><thead><tr>',
            *(f'<th scope="col">{heading}</th>' for heading in headings),
            "</tr></thead>\n<tbody>\n",
            *(_row(report, mark) for mark in marks),
            "</tbody></table></section>\n",
        ]
    )


def _row(report: Report, mark: Mark) -> str:
    e = mark.evidence
    words = escaped(" ".join(_quoted(report.text, e).split()))
    words = f'<bdi class="k {e.kind}"{lang(report.language)}>{words}</bdi>'
    return (
        f'<tr class="{e.kind}"><td class="n">{mark.number}</td>'
        f'<th scope="row"><a href="#e{mark.number}">{words}</a></th>'
        f"<td>{KIND_NAMES[e.kind]}</td><td>{escaped(e.message)}{_perhaps(e)}</td>"
        f'<td>{escaped(e.found_by)}</td><td class="n">{escaped(show_score(e.score))}</td></tr>\n'
    )


def _names(report: Report) -> str:
    """Every name of the text and its forms, those that drift first."""
    if not report.names:
        return ""
    ranked = sorted(report.names, key=lambda name: not name.drifts)
    drifting = sum(name.drifts for name in ranked)
    starts = [s.start for s in report.sentences]
    count = f"{len(ranked):,}" + (f", {drifting:,} of them spelt in more than one way" if drifting else "")
    return "".join(
        [
            f'<section aria-labelledby="h-names"><details{" open" if drifting else ""}>',
            f'<summary><h2 id="h-names">Names in the text ({count})</h2></summary>\n',
            '<table class="evidence names"><thead><tr><th scope="col">Name</th>',
            '<th scope="col">As the text has it</th></tr></thead>\n<tbody>\n',
            *(_name_row(report, name, starts) for name in ranked),
            "</tbody></table></details></section>\n",
        ]
    )


def _name_row(report: Report, name: Name, starts: Sequence[int]) -> str:
    forms = []
    for form in name.forms:
        times = "once" if len(form.spans) == 1 else f"{len(form.spans):,} times"
        sentence = bisect_right(starts, form.spans[0][0])
        forms.append(f'<a href="#s{sentence}">{_foreign(report, form.text)}</a> {times}')
    drifts = " <strong>spelt in more than one way</strong>" if name.drifts else ""
    proposed = _foreign(report, name.proposed)
    return f'<tr><th scope="row">{proposed}</th><td>{", ".join(forms)}{drifts}</td></tr>\n'


def _foreign(report: Report, words: str) -> str:
    return f"<bdi{lang(report.language)}>{escaped(words)}</bdi>"


def _explains(report: Report) -> bool:
    return bool(report.contributions) or any(s.contributions for s in report.sentences)


def _contributions(report: Report) -> str:
    if not _explains(report):
        return ""
    judged = [(n, s) for n, s in enumerate(report.sentences, 1) if s.contributions]
    parts = [
        '<section aria-labelledby="h-terms"><details class="made-of">',
        '<summary><h2 id="h-terms">What each score is made of</h2></summary>',
        "<p>Every feature adds to the score ",
        "or takes from it; the sum is the logit of the score. What rounds to 0.00 is left out.</p>\n",
        '<dl class="terms">',
    ]
    if report.contributions:
        score = escaped(show_score(report.score))
        parts.append(f"<dt>The text, {score}</dt><dd>{_terms(report.contributions)}</dd>\n")
    for n, s in judged:
        name = f'<a href="#s{n}">Sentence {n}</a>, {escaped(show_score(s.score))}'
        parts.append(f"<dt>{name}</dt><dd>{_terms(s.contributions)}</dd>\n")
    return "".join([*parts, "</dl></details></section>\n"])


def _terms(contributions: Mapping[str, float]) -> str:
    shown = [(name, value) for name, value in contributions.items() if abs(value) >= 0.005]
    shown.sort(key=lambda term: -abs(term[1]))
    return " ".join(f"<span>{escaped(name)} <b>{value:+.2f}</b></span>" for name, value in shown)
