"""Text to sentences, with exact offsets.

A text is first cut into blocks (paragraphs, headings, list items), then each block at its
stops. Whether a full stop ends a sentence or an abbreviation is decided by NLTK's Punkt with
parameters of our own where the language has them, and by two neutral rules elsewhere.

Reference:
    Kiss and Strunk (2006), Unsupervised Multilingual Sentence Boundary Detection.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, NamedTuple

from .report import Sentence

SEGMENTER = "punkt-1"
"""Name and version of the rules below; raise it when a boundary can move."""

_WIDE_STOPS = "。！？｡．"
_OTHER_STOPS = "؟۔।॥։።፧။៕‼⁇⁈⁉"
_STOPS = ".!?…" + _WIDE_STOPS + _OTHER_STOPS
_CLOSERS = "\"')]}’”»›」』】〉》）＂］｝〕"
_GERMAN_CLOSERS = "“‘«‹"  # elsewhere they open, after a space; in Chinese they open without one
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
)

_CLOSED = f"[{re.escape(_CLOSERS + _GERMAN_CLOSERS)}]*+"

# Every quantifier that can meet a long run is possessive, and a match never fails after its
# first character: a megabyte of stops stays linear.
_STOP = re.compile(
    rf"(?P<stop>[{re.escape(_STOPS)}]++)"
    rf"(?P<close>(?<=[{_WIDE_STOPS}])[{re.escape(_CLOSERS)}]*+"
    # a space, then » is French; no possessive group, in which Python before 3.11.5 loses its place
    rf"|{_CLOSED}(?:(?=[ \u00a0\u202f]»(?!\w))..{_CLOSED})*)"
)
_SPACE = re.compile(r"\s*+")
_WORD = re.compile(r"[^\W_][\w.\-]*+")
_TOKEN = re.compile(r"[\w.\-]*+\Z")
_FIRST_WORD = re.compile(rf"[{_UNSPACED}]|\S++")
_UNSPACED_LETTER = re.compile(rf"[{_UNSPACED}]")
_SYLLABLE = re.compile(rf"[{_UNSPACED}가-힣]")
_HEADING = re.compile(r"#{1,6}\s|[=\-*_~]{3,}\Z")
_ITEM = re.compile(
    r"(?:[-*+•‣◦▪▫●○■□·]|[–—](?=\s+[^\W\d_])(?!\s+[a-zà-öø-ÿа-яёα-ω])"
    r"|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)]|\(?[A-Z]\))\s+(?=\S)"  # "J. Holm" is no item
    r"|(?:\d{1,3}|[一二三四五六七八九十]{1,3})、|[（(][一二三四五六七八九十\d]{1,3}[）)]"
)
_NUMERO = frozenset(
    "no nos nr nº n p pp s art vol ch fig sec para abs ст стр п рис č čl str poz nro br max min tel".split()
)
_VOWELLESS = re.compile(r"[^\W\d_aeiouyаеёиоуыэюя][b-df-hj-np-tv-xzбвгджзклмнпрстфхцчшщ]{1,3}")
_JAPANESE_QUOTED = re.compile(r"[」』][とはがをにもでなっ]")
_INSIDE_SMALL = 1 << 5  # the flag of nltk.tokenize.punkt for "small inside a sentence"
_REACH = 60  # characters looked at on either side of a stop; no word that matters is longer

Decide = Callable[[str, str], bool]
"""``decide(token, following)``: whether the full stop after ``token`` ends a sentence."""


class _Line(NamedTuple):
    begin: int
    """First character, indent included."""
    start: int
    """First character that is not white space; ``end`` where the line is blank."""
    end: int

    @property
    def blank(self) -> bool:
        return self.start == self.end


def segment(text: str, language: str | None = None) -> list[Sentence]:
    """Cut a text into sentences that, with the white space between them, rebuild it.

    Blank lines always separate. A single line break separates too, unless the text is
    hard-wrapped (see ``_wrap_width``) or the break clearly falls inside a sentence. List
    markers stay with their item. Scripts without stops come back one block at a time.

    Args:
        text: Anything, lone surrogates and NULs included. Time and memory grow linearly.
        language: BCP 47 tag whose abbreviations are to be known. None, or a language
            without parameters, gets the neutral rules.

    Returns:
        Sentences in order; none is empty or has outer white space.

    Example:
        >>> [s.text for s in segment("Ms. Holm paid 3.5 million. Why? Nobody knows.", "en")]
        ['Ms. Holm paid 3.5 million.', 'Why?', 'Nobody knows.']
    """
    primary = _primary(language)
    decide = _decider(primary)
    view = text.replace(";", "?") if primary == "el" else text  # the Greek question mark
    return [
        Sentence(text[start:end], start, end)
        for block in _blocks(view)
        for start, end in _split(view, *block, decide)
    ]


def segmenter_name(language: str | None) -> str:
    """Name the segmenter and the parameters it uses for a language.

    Returns:
        ``SEGMENTER``, the primary language and 8 hex digits of the SHA-256 of its parameter
        file, such as ``"punkt-1+en.0123abcd"``; ``"punkt-1+neutral"`` without parameters.
    """
    primary = _primary(language)
    raw = _parameters(primary)
    return (
        f"{SEGMENTER}+neutral"
        if raw is None
        else f"{SEGMENTER}+{primary}.{hashlib.sha256(raw).hexdigest()[:8]}"
    )


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans that no sentence crosses, without outer white space."""
    lines = _lines(text)
    width = _wrap_width(text, lines)
    start: int | None = None
    for i, line in enumerate(lines):
        if line.blank:
            continue
        start = line.start if start is None else start
        if i + 1 == len(lines) or not _continues(text, line, lines[i + 1], width):
            yield start, line.end
            start = None


def _lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    begin = 0
    for raw in text.splitlines(keepends=True):
        bare = raw.strip()
        start = begin + len(raw) - len(raw.lstrip()) if bare else begin
        if bare or (lines and not lines[-1].blank):  # one blank line says as much as a million
            lines.append(_Line(begin, start, start + len(bare)))
        begin += len(raw)
    return lines


def _wrap_width(text: str, lines: list[_Line]) -> int | None:
    """Give the column a text is hard-wrapped at, or None where its line breaks are meant.

    In wrapped prose a line is *full*: the first word of the next would not have fitted. A
    text counts as wrapped if its longest line has 40 to 130 characters (20 where the script
    has no spaces), at least two lines have a successor in their paragraph, four in five
    of those are full, and most of those do not end in a stop. One long unbroken word, such
    as a URL, may overshoot.
    """
    width = max((n.end - n.begin for n in lines if _breakable(text, n)), default=0)
    if width > 130:
        return None
    pairs = [
        (a, b) for a, b in pairwise(lines) if not a.blank and not b.blank and not _ITEM.match(text, b.start)
    ]
    full = [a for a, b in pairs if _full(text, a, b, width)]
    unstopped = [a for a in full if text[a.end - 1] not in _STOPS]
    wrapped = len(pairs) >= 2 and len(full) >= 0.8 * len(pairs) and len(unstopped) > len(full) / 2
    least = 20 if any(_UNSPACED_LETTER.match(text, a.start) for a in full) else 40
    return width if wrapped and width >= least else None


def _breakable(text: str, line: _Line) -> bool:
    word = _FIRST_WORD.match(text, line.start, line.end)
    return word is not None and word.end() < line.end


def _full(text: str, line: _Line, following: _Line, width: int) -> bool:
    word = _FIRST_WORD.match(text, following.start, following.end)
    assert word is not None, "a line that is not blank has a word"
    space = 0 if _UNSPACED_LETTER.match(word[0]) else 1
    return line.end - line.begin + space + len(word[0]) > width


def _continues(text: str, line: _Line, following: _Line, width: int | None) -> bool:
    if following.blank or _ITEM.match(text, following.start):
        return False
    if any(_HEADING.match(text, n.start, n.end) for n in (line, following)):
        return False
    if width is not None and _full(text, line, following, width):
        return True
    # A long line that does not stop, then a small letter: nobody ends a line so on purpose.
    return (
        line.end - line.start >= 30
        and text[line.end - 1] not in _STOPS + _CLOSERS + ":;："
        and text[following.start].islower()
    )


def _split(text: str, start: int, end: int, decide: Decide) -> Iterator[tuple[int, int]]:
    """Yield the sentences of one block; only white space lies between them."""
    item = _ITEM.match(text, start, end)
    marker_end = item.end() if item else start
    quotes, counted = 0, start
    for match in _STOP.finditer(text, marker_end, end):
        stop_end = match.end()
        if match["close"].startswith('"') and match["stop"][-1] in _WIDE_STOPS:
            # No space tells an opening straight quote from a closing one; their number does.
            quotes, counted = quotes + text.count('"', counted, stop_end), stop_end
            if quotes % 2:
                stop_end = counted = match.end("stop")
                quotes -= 1
        resume = _skip_space(text, stop_end, end)
        if _ends_sentence(text, start, match, stop_end, resume, end, decide):
            yield start, stop_end
            start = counted = resume
            quotes = 0
    if start < end:
        yield start, end


def _skip_space(text: str, at: int, end: int) -> int:
    space = _SPACE.match(text, at, end)
    return space.end() if space else at


def _ends_sentence(
    text: str, start: int, match: re.Match[str], stop_end: int, resume: int, end: int, decide: Decide
) -> bool:
    stop, close = match["stop"], match["close"]
    following = _WORD.search(text, resume, min(end, resume + _REACH))
    if following is None:  # only marks remain: they close this sentence
        return False
    if text[resume] in ",;:" or (text[resume] in _STOPS and following.start() > resume + 1):
        return False  # "etc. , and"; ". . ." breaks at its last stop, ".NET" is a word
    touching = text[stop_end]
    if any(c in _WIDE_STOPS for c in stop):
        return not (
            touching in "，、,；;：:"
            or (stop == "．" and touching.isdigit())
            or _JAPANESE_QUOTED.match(text, stop_end - 1)
        )
    if any(c in _OTHER_STOPS for c in stop):
        return touching not in ",،;؛"
    if not touching.isspace():
        return stop[-1] in "!?" and _UNSPACED_LETTER.match(touching) is not None
    before = _TOKEN.search(text[max(start, match.start() - _REACH) : match.start()])
    token = before[0] if before else ""
    if following[0][0].islower():
        # "Why?" he asked. approx. two. Only a plain word before a bare stop may be followed so.
        return (
            stop == "."
            and not close
            and token.isalpha()
            and token.islower()
            and len(token) > 2
            and decide(token, following[0])
        )
    if stop != ".":
        return True
    if following[0][0].isdigit() and token.lower() in _NUMERO:
        return False
    return not token or decide(token, following[0])


@cache
def _decider(primary: str | None) -> Decide:
    raw = _parameters(primary)
    return _decide_neutral if raw is None else _decide_with_punkt(json.loads(raw), ordinals=primary == "de")


def _decide_neutral(token: str, following: str) -> bool:
    """Keep initials and short words without a vowel (Mr., Ltd.) with what follows."""
    return not _initials(token) and _VOWELLESS.fullmatch(token) is None


def _initials(token: str) -> bool:
    """Tell single letters and dotted groups of one or two: J, U.S, p.m, but not 人 or 5."""
    parts = token.strip(".").split(".")
    return all(
        len(p) <= (1 if len(parts) == 1 else 2) and p.isalpha() and not _SYLLABLE.match(p) for p in parts
    )


@cache
def _parameters(primary: str | None) -> bytes | None:
    if primary is None:
        return None
    file = files(__package__) / "assets" / "punkt" / f"{primary}.json"
    return file.read_bytes() if file.is_file() else None


def _decide_with_punkt(data: dict[str, Any], *, ordinals: bool) -> Decide:
    """Load a language's parameters; imports NLTK, which takes a moment the first time."""
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    parameters = PunktParameters()
    parameters.abbrev_types = set(data["abbrev_types"].split())
    parameters.sent_starters = set(data["sent_starters"].split())
    parameters.collocations = {tuple(pair.split()) for pair in data["collocations"]}
    # Punkt looks words up in a defaultdict, which would grow with every text; a Counter does not.
    parameters.ortho_context = Counter(dict.fromkeys(data["small_inside"].split(), _INSIDE_SMALL))
    tokenizer = PunktSentenceTokenizer(parameters)

    def decide(token: str, following: str) -> bool:
        # Punkt splits "Michael J. | Fox", as a fox is also an animal, and "am 8. | Turnier", as
        # German writes ordinals so and nouns large. Few sentences end in either.
        ordinal = ordinals and token.isdigit() and len(token) <= 3
        dotted = "." in token and token.lower() in parameters.abbrev_types
        if ordinal or (_initials(token) and not dotted):
            return following.lower() in parameters.sent_starters
        return len(next(iter(tokenizer.sentences_from_tokens([token + ".", following])))) == 1

    return decide


def _primary(language: str | None) -> str | None:
    subtag = re.split("[-_]", language, maxsplit=1)[0].lower() if language else ""
    return subtag if re.fullmatch("[a-z]{2,3}", subtag) else None
