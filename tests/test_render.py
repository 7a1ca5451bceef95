from __future__ import annotations

import dataclasses
import math
import re
import time
from html.parser import HTMLParser
from importlib import resources

import pytest

from detector.render import HEADLINES, printable, show_score, to_html, to_terminal
from detector.report import (
    KINDS,
    VERDICTS,
    Evidence,
    Kind,
    Name,
    NameForm,
    Report,
    SentenceReport,
    Signature,
    Verdict,
)

SIGNATURE = Signature(
    "0.1.0", "0123456789ab", "onnx", ("damage",), "fpr_1e-2", 0.8, 0.7, "punkt", "langdetect"
)

Marks = list[tuple[str, Kind]]

ENGLISH = "The minister He and her deputy arrived on Monday on Monday. 🙂🙂 Nobody saw the assisted dying"
CHINESE = "部长周一宣布新合同 新合同。\n\n没有人感到惊讶！协助死亡的包裹已经抵达 Varna 港口"
ARABIC = "أعلنت الوزيرة هي عن ميزانية. وصلت المساعدة على الموت يوم الاثنين يوم الاثنين"

# Overlapping, nested, touching, behind emoji, at the very end of the text, over two lines.
CASES: list[tuple[str, str, Marks]] = [
    (ENGLISH, "en", [("minister He", "syntax"), ("He and her deputy", "agreement"), ("deputy", "name")]),
    (ENGLISH, "en", [("The minister", "term"), (" He", "syntax"), ("assisted dying", "repetition")]),
    ("🙂👩‍👩‍👧 e\u0301 Sharply up", "en", [("Sharply", "casing"), ("up", "term")]),
    (
        CHINESE,
        "zh-Hans",
        [("新合同 新合同", "repetition"), ("合同。", "punctuation"), ("Varna 港口", "name")],
    ),
    (
        ARABIC,
        "ar",
        [("هي", "syntax"), ("المساعدة على الموت", "term"), ("يوم الاثنين يوم الاثنين", "repetition")],
    ),
    ("One line.\r\nBroken of\r\n", "en", [("line.\r\nBroken", "fragment"), ("of", "fragment")]),
]


def make_report(
    text: str,
    language: str | None = "en",
    marks: Marks | None = None,
    *,
    verdict: Verdict = "flagged",
    score: float = 0.93,
    sentence: Verdict = "flagged",
    message: str = "What is wrong.",
    suggestions: tuple[str, ...] = (),
) -> Report:
    """One sentence for each line, with evidence wherever its words stand first."""
    found = [
        Evidence(text.index(words), text.index(words) + len(words), kind, 0.9, "model", message, suggestions)
        for words, kind in marks or []
    ]
    lines = [(m.start(), m.end()) for m in re.finditer(r"[^\r\n]+", text)]
    sentences = tuple(
        SentenceReport(
            text[start:end],
            start,
            end,
            0.95 if sentence in ("flagged", "clean") else math.nan,
            sentence,
            tuple(e for e in found if start <= e.start and e.end <= end),
            {"damage": 2.5, "nothing": 0.001} if sentence in ("flagged", "clean") else {},
        )
        for start, end in lines
    )
    inside = {e for s in sentences for e in s.evidence}
    whole = tuple(e for e in found if e not in inside)
    return Report(text, language, score, verdict, None, sentences, whole, {}, SIGNATURE)


class Page(HTMLParser):
    """What a browser would make of a page: the judged text, what is underlined, ids and links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.values: dict[str, list[str]] = {}
        self.text = ""
        self.underlined: dict[str, str] = {}
        self.messages: dict[str, str] = {}
        self._open: list[tuple[str, dict[str, str]]] = []
        self.feed(page)
        assert not self._open, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        for name, value in values.items():
            self.attributes.add(name)
            self.values.setdefault(name, []).append(value)
        if tag not in ("meta", "input", "!doctype"):
            self._open.append((tag, values))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag, "elements nest"

    def handle_data(self, data: str) -> None:
        classes = [values.get("class", "") for _, values in self._open]
        if "tip" in classes:  # which a filter can hide
            tip = next(values["id"] for _, values in self._open if values.get("class") == "tip")
            self.messages[tip] = self.messages.get(tip, "") + data
        elif "text" in classes:
            self.text += data
            for name in classes:
                if name.startswith("k "):
                    kind = name.split()[1]
                    self.underlined[kind] = self.underlined.get(kind, "") + data


@pytest.mark.parametrize(("text", "language", "marks"), CASES)
def test_page_rebuilds_the_text(text: str, language: str, marks: Marks) -> None:
    assert Page(to_html(make_report(text, language, marks))).text == text


@pytest.mark.parametrize(("text", "language", "marks"), CASES)
def test_page_underlines_exactly_the_damage(text: str, language: str, marks: Marks) -> None:
    wanted: dict[str, str] = {}
    for words, kind in marks:
        wanted[kind] = wanted.get(kind, "") + words
    assert Page(to_html(make_report(text, language, marks))).underlined == wanted


@pytest.mark.parametrize(("text", "language", "marks"), CASES)
def test_page_links_and_descriptions_lead_somewhere(text: str, language: str, marks: Marks) -> None:
    page = Page(to_html(make_report(text, language, marks)))
    ids = page.values["id"]
    assert len(ids) == len(set(ids))
    assert {href.removeprefix("#") for href in page.values["href"]} <= set(ids)
    assert {f"e{n}" for n in range(1, len(marks) + 1)} <= set(ids)
    assert sorted(page.values["aria-describedby"]) == sorted(page.messages)


def test_overlapping_damage_tells_both_messages_where_both_hold() -> None:
    page = Page(to_html(make_report(ENGLISH, "en", [("minister He", "syntax"), ("He and her", "agreement")])))
    told = {
        start: ("sentence structure" in words, "agreement" in words) for start, words in page.messages.items()
    }
    assert told == {"t4": (True, False), "t13": (True, True), "t15": (False, True)}


@pytest.mark.parametrize(
    ("pivot", "confidence", "said"),
    [
        ("european", 0.71, "a European language, right about 7 times in 10"),
        ("indic-iranian", 0.9, "an Indic-Iranian language, right about 9 times in 10"),
        ("baltic", None, "a Baltic language"),
    ],
)
def test_a_pivot_is_named_with_how_sure_it_is(pivot: str, confidence: float | None, said: str) -> None:
    report = dataclasses.replace(make_report("It rained."), pivot=pivot, pivot_confidence=confidence)
    assert f"<dt>Perhaps came through</dt><dd>{said}</dd>" in to_html(report)
    assert f"; perhaps through {said}; " in to_terminal(report, colour=False, width=80)


def test_every_kind_found_has_a_box_that_hides_it() -> None:
    page = to_html(make_report(ENGLISH, "en", [("minister He", "syntax"), ("Monday", "term")]))
    assert re.findall(r'<input type="checkbox" checked id="show-(\w+)">', page) == ["term", "syntax"]
    assert page.count('<label><input type="checkbox"') == 2
    for kind in KINDS:  # the rules of the sheet name what the page holds
        assert f"body:has(#show-{kind}:not(:checked)) main :is(.msg, tr).{kind} {{ display: none; }}" in page
    assert 'class="msg syntax"' in page
    assert '<tr class="term">' in page


def test_names_are_listed_with_their_forms_those_that_drift_first() -> None:
    text = "Lena Orvik spoke. Orvik left.\nAda Xu met Ada Hsu."
    settled = Name(
        "Lena Orvik", (NameForm("Lena Orvik", ((0, 10),)), NameForm("Orvik", ((18, 23), (18, 23)))), False
    )
    drifting = Name("Ada Xu", (NameForm("Ada Xu", ((30, 36),)), NameForm("Ada Hsu", ((41, 48),))), True)
    report = dataclasses.replace(make_report(text), names=(settled, drifting))
    page = to_html(report)
    assert (
        '<details open><summary><h2 id="h-names">Names in the text (2, 1 of them spelt in more than one way)'
        in page
    )
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", page)
    assert [re.sub("<[^>]+>", "", row) for row in rows] == [
        "Ada XuAda Xu once, Ada Hsu once spelt in more than one way",
        "Lena OrvikLena Orvik once, Orvik 2 times",
    ]
    assert '<a href="#s2"><bdi lang="en">Ada Hsu</bdi></a>' in page
    Page(page)
    assert "Names in the text" not in to_html(make_report(text))
    calm = to_html(dataclasses.replace(report, names=(settled,)))
    assert '<details><summary><h2 id="h-names">Names in the text (1)' in calm


def test_overlapping_damage_is_underlined_at_different_heights() -> None:
    marks: Marks = [("minister He", "syntax"), ("He and her", "agreement"), ("Monday", "term")]
    page = to_html(make_report(ENGLISH, "en", marks))
    assert re.findall(r'class="k (\w+) (lane\d)" id', page) == [
        ("syntax", "lane0"),
        ("agreement", "lane1"),
        ("term", "lane0"),
    ]


HOSTILE = '</style></title></div><script>alert("x")</script><img src=x onerror=alert(1)>\'" & ]]> <!--'


@pytest.mark.parametrize("hostile", [HOSTILE, '" onmouseover="alert(1)', "' onfocus='alert(1)' x='"])
def test_page_escapes_everything_it_was_given(hostile: str) -> None:
    e = Evidence(0, len(hostile), "term", 0.9, hostile, hostile, (hostile,))
    s = SentenceReport(hostile, 0, len(hostile), 0.9, "flagged", (e,), {hostile: 1.0})
    signature = Signature(
        hostile, hostile, hostile, (hostile,), hostile, 0.8, 0.7, hostile, hostile, (hostile,)
    )
    contributions = {hostile: 1.0}
    report = Report(
        hostile, hostile, 0.9, "flagged", hostile, (s,), (e,), contributions, signature, (hostile,)
    )
    page = Page(to_html(report, title=hostile))
    plain = Page(to_html(make_report("Nothing here.", "en", [("here", "term")], suggestions=("there",))))
    assert page.text == hostile
    assert page.tags - plain.tags <= {"p", "dl", "dd", "dt"}
    assert page.attributes == plain.attributes


def test_page_needs_nothing_from_outside_and_forbids_it() -> None:
    page = to_html(make_report(*CASES[0]))
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'; " in page
    assert "script" not in Page(page).tags
    assert not re.search(r"https?:|url\(|@import|src=", page)


def test_page_can_be_encoded_whatever_the_text_holds() -> None:
    text = "Bad \ud83d half, \x00 nul, \x1b[31m escape, \x9b31m, \ufffe."
    page = to_html(make_report(text, "en", [("half", "term")], message="\udc00"), title="\udcff.txt")
    page.encode("utf-8")
    assert Page(page).text == re.sub("[\ud83d\x00\x1b\x9b\ufffe]", "\ufffd", text)


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_page_of_an_empty_text_says_so(text: str) -> None:
    report = Report(text, None, math.nan, "too_short", None, (), (), {}, SIGNATURE)
    page = to_html(report)
    assert "Too short to judge" in page
    assert "nan" not in Page(page).text
    assert Page(page).text == text


@pytest.mark.parametrize("verdict", VERDICTS)
def test_page_and_terminal_say_the_verdict_in_words(verdict: Verdict) -> None:
    report = make_report("One sentence.", verdict=verdict, sentence=verdict)
    assert f"<h1>{HEADLINES[verdict]}" in to_html(report)
    assert to_terminal(report, colour=False, width=80).startswith(HEADLINES[verdict])


def test_without_round_trips_to_learn_from_only_machine_translation_is_claimed() -> None:
    report = dataclasses.replace(make_report("Vanha silta suljettiin.", "fi"), claim="machine_translation")
    assert "Probably translated by a machine" in to_terminal(report, colour=False, width=80)
    page = to_html(report)
    assert "no round trips in this language" in page
    assert "language and back" not in page


def test_a_clean_text_with_a_damaged_sentence_says_both() -> None:
    report = make_report("One.\nTwo.", verdict="clean")
    assert "<h1>No clear sign of machine translation, but 2 sentences look damaged</h1>" in to_html(report)


def test_a_sentence_carries_its_score_or_why_there_is_none() -> None:
    flagged = '<span class="s flagged" id="s1" data-score="0.95" style="--p:0.95">'
    assert flagged in to_html(make_report("One sentence."))
    abstained = '<span class="s too_short" id="s1" data-score="too short">'
    assert abstained in to_html(make_report("One.", sentence="too_short"))


def test_scores_are_not_part_of_the_text_that_is_copied() -> None:
    assert Page(to_html(make_report("One sentence."))).text == "One sentence."


def test_summary_explains_the_operating_point() -> None:
    assert "about 1 in 100 human texts would be flagged by mistake (fpr_1e-2)" in to_html(make_report("One."))


def test_page_marks_the_language_and_leaves_direction_to_the_text() -> None:
    page = to_html(make_report(ARABIC, "ar"))
    assert '<div class="text" dir="auto" lang="ar">' in page
    assert "unicode-bidi: plaintext" in page


def test_every_kind_has_its_own_line_and_colour() -> None:
    style = (resources.files("detector") / "assets" / "report.css").read_text("utf-8")
    pattern = r"\.k\.{} {{\s+text-decoration: underline (\w+ [\d.]+px) var\(--{}\);"
    lines = [re.search(pattern.format(kind, kind), style) for kind in KINDS]
    assert len({line[1] for line in lines if line}) == len(KINDS)
    for kind in KINDS:
        light, dark = re.findall(rf"--{kind}: (#\w+);", style)
        assert light != dark


def test_contributions_are_listed_by_weight_without_those_that_vanish() -> None:
    page = to_html(make_report("One sentence."))
    assert "damage <b>+2.50</b>" in page
    assert "nothing" not in page


def test_ten_thousand_sentences_take_seconds_not_minutes() -> None:
    marks: Marks = [("He", "syntax")]
    line = make_report("The minister He arrived on Monday.", "en", marks).sentences[0]
    size = len(line.text) + 1
    sentences = tuple(
        SentenceReport(
            line.text,
            n * size,
            n * size + size - 1,
            0.9,
            "flagged",
            (Evidence(n * size + 13, n * size + 15, "syntax", 0.9, "model", "Twice."),),
        )
        for n in range(10_000)
    )
    text = "\n".join([line.text] * 10_000)
    report = Report(text, "en", 0.9, "flagged", None, sentences, (), {}, SIGNATURE)
    start = time.perf_counter()
    page = to_html(report)
    assert time.perf_counter() - start < 6
    assert page.count('class="s flagged" id=') == 10_000
    assert 'id="e10000"' in page
    assert page.count("<a href=") < 10_300, "the overview shares its cells"


def test_terminal_marks_evidence_and_explains_it() -> None:
    marks: Marks = [("minister He", "syntax"), ("deputy", "term")]
    report = make_report(ENGLISH, "en", marks, suggestions=("minister",))
    shown = to_terminal(report, colour=False, width=100, title="a.txt")
    assert shown.startswith("a.txt: Probably came back from machine translation\n")
    assert "The [minister He](1) and her [deputy](2) arrived" in shown
    assert '(1) syntax "minister He": What is wrong. Perhaps: minister. [model 0.90]' in shown
    assert "line 1, score 0.95" in shown


def test_terminal_marks_overlaps_behind_emoji_and_at_the_end() -> None:
    shown = to_terminal(
        make_report("🙂🙂 a b c", "en", [("a b", "term"), ("b c", "name")]), colour=False, width=80
    )
    assert "  🙂🙂 [a [b](1) c](2)\n" in shown


def test_terminal_names_the_line_of_each_sentence_and_of_what_only_the_text_shows() -> None:
    report = make_report("One.\n\nTwo.\nThree", "en", [("One.\n\nTwo", "name")])
    shown = to_terminal(report, colour=False, width=80)
    assert [int(n) for n in re.findall(r"^line (\d+), score", shown, re.MULTILINE)] == [1, 3, 4]
    assert 'line 1, name "One. Two": What is wrong.' in shown


def test_terminal_shows_only_flagged_sentences() -> None:
    shown = to_terminal(
        make_report("All is well.", verdict="clean", sentence="clean"), colour=False, width=80
    )
    assert "All is well" not in shown
    assert "1 sentence, 0 flagged" in shown


def test_terminal_without_colour_adds_only_ascii() -> None:
    assert to_terminal(make_report("A b c.", "en", [("b", "term")]), colour=False, width=80).isascii()


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("hostile", ["\x1b]0;owned\x07", "\x9b31m", "\r", "\x08", "\u202e", "\ud83d", "\x7f"])
def test_terminal_obeys_nothing_in_the_text(hostile: str, colour: bool) -> None:
    report = make_report(f"a{hostile}b c", "en", [("c", "term")], message=hostile, suggestions=(hostile,))
    shown = to_terminal(report, colour=colour, width=80, title=hostile)
    own = re.sub(r"\x1b\[[\d;]*m", "", shown) if colour else shown
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud83d]", own)
    shown.encode("utf-8")


def test_terminal_colour_underlines_instead_of_brackets() -> None:
    shown = to_terminal(make_report("A bad day.", "en", [("bad", "term")]), colour=True, width=80)
    assert "A \x1b[4;31mbad\x1b[0m\x1b[2m(1)\x1b[0m day." in shown


@pytest.mark.parametrize("text", ["word " * 60, "港口" * 90, "e\u0301" * 200, "لا أحد " * 50, "x" * 300])
def test_terminal_lines_fit_the_columns_and_lose_nothing(text: str) -> None:
    lines = to_terminal(make_report(text.strip()), colour=False, width=40).split("\n")[4:-1]
    assert all(len(line.replace("\u0301", "")) + len(re.findall("[港口]", line)) <= 40 for line in lines)
    assert "".join(line[2:].replace(" ", "") for line in lines) == text.replace(" ", "")


def test_terminal_says_how_much_of_a_huge_sentence_it_leaves_out() -> None:
    shown = to_terminal(make_report("x" * 10_000), colour=False, width=100)
    assert "[... 8,000 more characters]" in shown
    assert len(shown) < 3_000


@pytest.mark.parametrize(
    ("score", "shown"),
    [(0.0, "<0.01"), (0.0062, "0.01"), (0.5, "0.50"), (0.994, "0.99"), (0.9951, ">0.99"), (math.nan, "-")],
)
def test_a_score_is_never_shown_as_certainty(score: float, shown: str) -> None:
    assert show_score(score) == shown


def test_printable_is_one_line() -> None:
    assert printable("a\nb\t c\x1b") == "a b c\ufffd"
