"""What the segmenter promises: exact offsets first, then boundaries where a reader sees them."""

from __future__ import annotations

import doctest
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import detector.segment
from detector.report import Sentence
from detector.segment import SEGMENTER, segment, segmenter_name

BOUNDARIES = {
    "english titles": ("en", "Mr. Xi met Dr. Holm.| They spoke."),
    "english initials": ("en", "J. K. Rowling and Michael J. Fox came.| Both left."),
    "english acronym inside and at the end": (
        "en",
        "The U.S. delegation left.| It flew to the U.S.| It saw nobody.",
    ),
    "english latin abbreviation": ("en", "They sell fish, e.g. herring and cod.| It is fresh."),
    "english number": ("en", "Pier No. 5 is shut.| Use No. 6."),
    "decimals": ("en", "It cost 3.5 million.| Version 2.0.1 cost .7 million."),
    "url": ("en", "See https://harbour.example/a.b?c=d. | Then call."),
    "quote closes after the stop": (
        "en",
        "“We won.”| She smiled.| 'Why?'| (Nobody knew.)| \"So be it.\"| Then rain.",
    ),
    "quoted question goes on": ("en", "“Why?” he asked.| Nobody spoke."),
    "exclamation inside a name": ("en", "Shares of Yahoo! rose.| Others fell."),
    "ellipsis": ("en", "Well... perhaps not.| It rained…| Then it stopped."),
    "spaced ellipsis": ("en", "It rained . . .| Then it stopped."),
    "stops in a row": ("en", "What?!| No!!!| Yes."),
    "damaged small start": ("en", "The ferry left.| the harbour was empty."),
    "only marks follow": ("en", "Great! 😀 !!"),
    "no stop at all": ("en", "the ferry left and nobody saw it"),
    "german ordinals and abbreviations": ("de", "Am 8. Turnier nahm z. B. Dr. Holm teil.| Es war am 3. Mai."),
    "german quotes": ("de", "„Ich bleibe.“| Er ging.| »Nein.«| Sie blieb."),
    "french guillemets": ("fr", "« Elle reste. »| M. Holm est parti."),
    "russian": ("ru", "В 2014 г. Москва росла.| И. И. Петров, т. е. он, ушёл."),
    "greek question": ("el", "Πού είναι το πλοίο;| Έφυγε χθες."),
    "chinese": ("zh", "部长昨天到了。|“他会留下吗？”|没有人知道！|价格是3.5元。"),
    "chinese straight quotes": ("zh", '船走了。|"我不走。"|她说。'),
    "chinese ascii marks": ("zh", "船走了吗?|没有人知道."),
    "chinese quote goes on": ("zh", "他说“船走了。”，然后离开。"),
    "japanese quotation": ("ja", "「船は出た。」と彼は言った。|港は静かだ。"),
    "fullwidth stop": ("ja", "船は３．５キロ進んだ．|港は静かだ．"),
    "arabic": ("ar", "هل وصل الوزير؟| نعم، وصل أمس.| قال د. سامي إن الأمر صعب."),
    "urdu": ("ur", "جہاز چلا گیا۔| بندرگاہ خالی ہے۔"),
    "hindi": ("hi", "जहाज चला गया।| क्या हुआ?| सब ठीक है॥"),
    "thai": ("th", "เรือออกไปแล้ว ท่าเรือว่างเปล่า"),
    "neutral": (None, "Mr. Holm saw J. K. Berg in the U.S. delegation.| Then rain."),
}
"""Text with | before the white space where a boundary belongs."""

BLOCKS = {
    "blank line": "The harbour\n\nThe ferry left",
    "heading above a paragraph": (
        "Ferry prices go up\nThe council of Harbour City met on Monday and, after a long debate in the old "
        "town hall, raised the price of every ticket.\nNobody clapped."
    ),
    "bullets": "- red boats\n- blue boats\n* 3. green boats",
    "numbers keep their item": "1. Red boats came first.\n2) Blue boats\n(3) Green boats",
    "lines that end nowhere": "By Anna Holm\nHarbour City\nMonday",
    "markdown heading": "# Harbour news that goes on for very many words indeed\nthe ferry left",
    "chinese list": "一、红船\n二、蓝船\n（三）绿船",
    "windows and unicode line ends": "Red boats\r\nBlue boats\u2029Green boats",
}

WRAPPED = """\
The council of Harbour City met on Monday evening to talk about the
ferry. After two hours Ms. Holm said that the price of a ticket would
rise, which pleased nobody in the room and surprised few of them.
The meeting closed early.

What comes next

- a hearing in May, to which every owner of a boat larger than twelve
  metres is invited
- a vote"""


@pytest.mark.parametrize(("language", "marked"), BOUNDARIES.values(), ids=BOUNDARIES)
def test_sentences_end_where_a_reader_ends_them(language: str | None, marked: str) -> None:
    expected = [part.strip() for part in marked.split("|")]
    assert [s.text for s in segment(marked.replace("|", ""), language)] == expected


@pytest.mark.parametrize("text", BLOCKS.values(), ids=BLOCKS)
def test_each_meant_line_is_apart(text: str) -> None:
    ends = {line.strip() for line in text.splitlines() if line.strip()}
    found = [s.text for s in segment(text, "en")]
    assert not any(len(s.splitlines()) > 1 for s in found)
    assert {line for line in ends if "." not in line[3:]} <= set(found)


def test_numbered_item_is_one_sentence() -> None:
    assert [s.text for s in segment("1. Red boats came first.\n2. Blue boats.", "en")] == [
        "1. Red boats came first.",
        "2. Blue boats.",
    ]


def test_hard_wrapped_prose_is_joined() -> None:
    assert [" ".join(s.text.split()) for s in segment(WRAPPED, "en")] == [
        "The council of Harbour City met on Monday evening to talk about the ferry.",
        "After two hours Ms. Holm said that the price of a ticket would rise, which pleased nobody in the "
        "room and surprised few of them.",
        "The meeting closed early.",
        "What comes next",
        "- a hearing in May, to which every owner of a boat larger than twelve metres is invited",
        "- a vote",
    ]


def test_hard_wrapped_chinese_is_joined() -> None:
    lines = (
        "港口城市的议会星期一晚上开会讨论渡船的价格问题经",
        "过两个小时的讨论以后主席说票价会上涨房间里没有人",
        "高兴也没有人感到意外。会议很早就结束了。",
    )
    found = segment("\n".join(lines), "zh")
    assert [s.text.count("\n") for s in found] == [2, 0]
    assert found[1].text == "会议很早就结束了。"


def test_headlines_of_like_length_are_not_joined() -> None:
    text = "\n".join(f"The council of Harbour City raised price number {n} again." for n in range(10, 20))
    assert len(segment(text, "en")) == 10


def _rebuilds(text: str, sentences: list[Sentence]) -> bool:
    at = 0
    for s in sentences:
        assert s.text == text[s.start : s.end] == s.text.strip() != ""
        assert s.start >= at
        assert not text[at : s.start].strip()
        at = s.end
    return not text[at:].strip()


PIECES = st.sampled_from(
    [".", "!", "?", "…", "。", "？", "؟", "।", '"', "”", "“", "»", "」", "(", ")", ";", ",", "-", "1.", "# ",
     " ", "\n", "\r\n", "\n\n", "\u2028", "\u00a0", "\ud800", "\x00", "\u200f", "😀", "e\u0301", "a", "Holm",
     "U.S", "ship", "人", "と", "다", "د", "य", "5", "=", "_"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.lists(PIECES, max_size=60).map("".join), st.text(st.characters(), max_size=80)),
    st.sampled_from([None, "en", "de", "zh-Hant", "el", "not a tag"]),
)
def test_slices_and_the_white_space_between_them_rebuild_the_text(text: str, language: str | None) -> None:
    assert _rebuilds(text, segment(text, language))


@pytest.mark.parametrize("text", ["", " \n\t\u2029 "])
def test_blank_text_has_no_sentences(text: str) -> None:
    assert segment(text) == []


@pytest.mark.parametrize(
    "unit",
    ["word ", "a", "!", "! ", '."', "a. ", '。"', "人", "\n", "(-", '"', "The ferry left with all\n", "1) "],
)
def test_a_megabyte_without_sentences_takes_linear_time(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        started = time.perf_counter()
        segment(text, "en")
        return time.perf_counter() - started

    segment("Load. The parameters.", "en")
    # Linear is 10 times the tenth, quadratic 100; half a second of grace for a busy machine.
    assert seconds(1_000_000) < 30 * seconds(100_000) + 0.5


def test_segmenter_names_its_parameters() -> None:
    english = segmenter_name("en-GB")
    assert english == segmenter_name("EN")
    assert english.startswith(f"{SEGMENTER}+en.")
    assert english.removeprefix(f"{SEGMENTER}+en.") != segmenter_name("de").removeprefix(f"{SEGMENTER}+de.")
    assert segmenter_name("zh") == segmenter_name(None) == segmenter_name("../en") == f"{SEGMENTER}+neutral"


def test_nltk_waits_for_a_language_that_needs_it() -> None:
    code = "import sys, detector.segment as s; s.segment('One. Two.'); assert 'nltk' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_docstring_examples_run() -> None:
    assert doctest.testmod(detector.segment) == (0, 1)
