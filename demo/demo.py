"""Score our own article and its round trip, and show them side by side.

``make demo`` runs it. Prints to standard output; the pages go to ``demo/out``.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path

from detector import Detector
from detector.render import show_score, to_html
from detector.report import Report, SentenceReport

HERE = Path(__file__).parent
NAMES = ("original", "roundtrip")


def main() -> None:
    """Print both reports side by side and write one HTML page for each."""
    detector = Detector.from_pretrained()
    reports = [detector.analyze((HERE / f"{name}.txt").read_text(encoding="utf-8")) for name in NAMES]
    width = min(shutil.get_terminal_size((118, 24)).columns, 158)
    for row in table(reports[0], reports[1], column=max((width - 3) // 2, 30)):
        print(row)
    print()
    out = HERE / "out"
    out.mkdir(exist_ok=True)
    for name, report in zip(NAMES, reports, strict=True):
        page = out / f"{name}.html"
        page.write_text(to_html(report, title=f"{name}.txt"), encoding="utf-8")
        print(f"The whole {name} with its marks: {page.resolve().as_uri()}")


def table(original: Report, roundtrip: Report, *, column: int) -> Iterator[str]:
    """Give the lines of two columns: scores first, then each sentence flagged on either side.

    Args:
        original: The author's text, judged.
        roundtrip: What came back, judged; sentence by sentence the same article.
        column: Width of one column, in characters.
    """
    yield from side_by_side(["ORIGINAL"], ["ROUND TRIP"], column)
    yield from side_by_side(headline(original), headline(roundtrip), column)
    for left, right in zip_longest(original.sentences, roundtrip.sentences):
        if any(s and s.verdict == "flagged" for s in (left, right)):
            yield ""
            yield from side_by_side(explained(left, column), explained(right, column), column)
    if original.evidence or roundtrip.evidence:
        yield ""
        yield from side_by_side(["in the whole text:"], ["in the whole text:"], column)
        yield from side_by_side(whole_text(original, column), whole_text(roundtrip, column), column)


def headline(report: Report) -> list[str]:
    """Give the verdict on a text and how many of its sentences are flagged."""
    flagged = sum(s.verdict == "flagged" for s in report.sentences)
    return [
        f"text score {show_score(report.score)}: {report.verdict}",
        f"{flagged} of {len(report.sentences)} sentences flagged",
    ]


def explained(sentence: SentenceReport | None, column: int) -> list[str]:
    """Give a sentence with its score, and below it what is wrong where."""
    if sentence is None:
        return []
    mark = "!" if sentence.verdict == "flagged" else " "
    lines = textwrap.wrap(
        f"{show_score(sentence.score):>5}{mark} {sentence.text}", column, subsequent_indent=" " * 7
    )
    for e in sentence.evidence:
        words = sentence.text[e.start - sentence.start : e.end - sentence.start]
        lines += reason(e.kind, words, e.message, column)
    return lines


def whole_text(report: Report, column: int) -> Iterator[str]:
    """Give what only the whole text shows, such as a name that drifts."""
    for e in report.evidence:
        yield from reason(e.kind, report.text[e.start : e.end], e.message, column)


def reason(kind: str, words: str, message: str, column: int) -> list[str]:
    """Give one reason, indented below its sentence."""
    return textwrap.wrap(
        f"- {kind} “{words}”: {message}", column, initial_indent=" " * 7, subsequent_indent=" " * 9
    )


def side_by_side(left: Iterable[str], right: Iterable[str], column: int) -> Iterator[str]:
    """Join the lines of two columns."""
    for a, b in zip_longest(left, right, fillvalue=""):
        yield f"{a:<{column}} | {b}".rstrip()


if __name__ == "__main__":
    main()
