"""What docs/kinds.md says is found in its examples is what the embedded English model finds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from detector import Detector, Report
from detector.render import to_terminal
from detector.report import KINDS, Evidence

PAGE = Path(__file__).parent.parent / "docs" / "kinds.md"
SECTIONS = re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
EXAMPLES = [
    (kind, text, re.findall(r"^- (.+)$", told, re.MULTILINE))
    for kind, section in SECTIONS
    for text, told in re.findall(r"^> ([^\n]+)\n\n(.*?)(?=^> |\Z)", section, re.DOTALL | re.MULTILINE)
]
TOLD = re.compile(
    r"(?P<kind>\w+) “(?P<words>.+?)”, `(?P<by>[\w.]+)`, (?P<sure>[01]\.\d\d): (?P<message>.+?)"
    r"(?: Perhaps: (?P<first>\w+(?: \w+)*).*)?"
)


@pytest.fixture(scope="module")
def embedded() -> Detector:
    return Detector.from_pretrained()


def found(report: Report) -> list[Evidence]:
    return [*(e for s in report.sentences for e in s.evidence), *report.evidence]


def test_every_kind_has_its_section_in_order() -> None:
    assert tuple(kind for kind, _ in SECTIONS) == KINDS
    assert {kind for kind, _, _ in EXAMPLES} == set(KINDS)


@pytest.mark.parametrize(("kind", "text", "told"), EXAMPLES, ids=[text[:30] for _, text, _ in EXAMPLES])
def test_the_detector_says_what_the_page_quotes(
    kind: str, text: str, told: list[str], embedded: Detector
) -> None:
    report = embedded.analyze(text, language="en")
    quoted = [match.groupdict() for line in told if (match := TOLD.fullmatch(line))]
    assert len(quoted) == len(told)
    shown = [e for e in found(report) if e.kind == kind]
    assert [(q["kind"], q["words"], q["by"], q["message"], q["first"]) for q in quoted] == [
        (e.kind, text[e.start : e.end], e.found_by, e.message, next(iter(e.suggestions), None)) for e in shown
    ]
    # int8 arithmetic differs a little from one processor to another
    assert [float(q["sure"]) for q in quoted] == pytest.approx([e.score for e in shown], abs=0.05)


def test_what_is_suggested_is_shown_with_its_source_and_how_often_it_was_right(embedded: Detector) -> None:
    report = embedded.analyze("In Beijing, Ji Jinping met the ministers of five countries.", language="en")
    (e,) = report.evidence
    assert (e.suggestions, e.found_by) == (("Xi",), "names.known")
    assert e.suggestion_score is not None
    trusted = f"(what the author wrote about {10 * e.suggestion_score:.0f} times in 10)"
    assert trusted in report.to_html()
    assert trusted in " ".join(to_terminal(report, colour=False, width=80).split())
    assert Report.from_dict(report.to_dict()).evidence == (e,)
