from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from detector import Comparison, Detector
from detector.render_comparison import to_html, to_terminal

ORIGINAL = (
    "The council voted on Tuesday to send lethal aid to the Korrin Islands. "
    "The debate had taken four months.\n\n"
    "Nobody was hurt. Prime Minister Xi Storvik paid 1,300 crowns for the blankets."
)
TEXT = (
    "The council voted on Tuesday to send 🙂 assisted dying to the Korrin Islands. "
    "Read more stories here.\n\n"
    "Prime minister Ji Storvik paid 1,200 crowns for the blankets. Nobody was hurt."
)
HOSTILE = "<script>alert(1)</script> & \"' </table> \x1b[31m \u202e \x00 stood at the mill."


class Page(HTMLParser):
    """What a browser would make of a page: cells by row, what is underlined, ids, attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[tuple[str, list[str]]] = []
        self.tags: set[str] = set()
        self.values: dict[str, list[str]] = {}
        self.underlined: dict[str, str] = {}
        self.boxes: dict[str, str] = {}
        self._open: list[tuple[str, dict[str, str]]] = []
        self.feed(page)
        assert not self._open, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        for name, value in values.items():
            self.values.setdefault(name, []).append(value)
        if tag == "tr":
            self.rows.append((values.get("class", ""), []))
        if tag == "td":
            self.rows[-1][1].append("")
        if tag not in ("meta", "input", "!doctype"):
            self._open.append((tag, values))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag, "elements nest"

    def handle_data(self, data: str) -> None:
        boxes = [values["id"] for _, values in self._open if values.get("class") == "tip"]
        if boxes:
            self.boxes[boxes[0]] = self.boxes.get(boxes[0], "") + data
        elif any(tag == "td" for tag, _ in self._open):
            self.rows[-1][1][-1] += data
            for _, values in self._open:
                if values.get("class", "").startswith("k ") and "id" in values:
                    name = values["id"]
                    self.underlined[name] = self.underlined.get(name, "") + data


def compared(text: str = TEXT, original: str = ORIGINAL, language: str = "en") -> Comparison:
    return Detector.compare(text, original, language=language)


def test_page_sets_each_sentence_beside_its_original() -> None:
    rows = Page(to_html(compared())).rows[1:]
    assert [status for status, _ in rows] == ["paired", "dropped", "added", "paired", "paired"]
    assert rows[1][1] == ["Not in the text", "The debate had taken four months."]
    assert rows[2][1] == ["Read more stories here.", "Not in the original"]
    assert rows[4][1] == ["Nobody was hurt.", "Nobody was hurt."]


def test_page_underlines_exactly_what_changed_on_both_sides() -> None:
    found = compared()
    page = Page(to_html(found))
    for n, c in enumerate(found.changes, 1):
        assert page.underlined.get(f"c{n}", "") == found.text[c.start : c.end]
        assert page.underlined.get(f"o{n}", "") == found.original[c.original_start : c.original_end]
    assert {"assisted dying", "Ji", "1,200"} <= {
        words.removeprefix("🙂 ") for words in page.underlined.values()
    }


def test_page_ids_are_its_own_and_every_description_leads_to_a_box_that_tells_the_other_side() -> None:
    page = Page(to_html(compared()))
    assert len(page.values["id"]) == len(set(page.values["id"]))
    assert sorted(page.values["aria-describedby"]) == sorted(page.boxes)
    assert "name stands where the original has Xi" in page.boxes.values()
    assert "name became Ji" in page.boxes.values()
    assert set(page.values["role"]) == {"group", "tooltip"}
    assert {"col", "row"} == set(page.values["scope"])


def test_page_escapes_everything_it_was_given() -> None:
    found = compared(HOSTILE, HOSTILE.replace("stood", "fell"))
    found = dataclasses.replace(found, language=HOSTILE, notes=(HOSTILE,), signature=HOSTILE)
    html = to_html(found, titles=(HOSTILE, HOSTILE))
    page = Page(html)
    assert "script" not in page.tags
    assert set(page.values) == set(Page(to_html(compared())).values)
    assert page.rows[1][1][0] == re.sub("[\x00\x1b]", "\ufffd", HOSTILE)
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'; " in html
    assert not re.search(r"https?:|url\(|@import|src=", html)
    html.encode("utf-8")


def test_page_leaves_direction_to_the_text_and_names_its_language() -> None:
    text, original = "وصلت المساعدة القاتلة إلى الميناء.", "وصلت المساعدات الفتاكة إلى الميناء."
    html = to_html(compared(text, original, "ar"))
    assert html.count('<td dir="auto" lang="ar">') == 2


@pytest.mark.parametrize(
    ("text", "original", "headline"),
    [
        ("", "", "Nothing to compare: the original is empty"),
        ("", "The mill burned.", "Nothing to compare: the text is empty"),
        ("The mill burned.", "The mill burned.", "Nothing was changed"),
        ("Cows sleep.", "The mill burned.", "No sentence of the original was found in the text"),
        ("The old mill burned.", "The mill burned.", "Reuses 100% of the original's words"),
    ],
)
def test_page_and_terminal_say_in_words_what_was_found(text: str, original: str, headline: str) -> None:
    found = compared(text, original)
    assert f"<h1>{headline}</h1>" in to_html(found)
    assert to_terminal(found, colour=False, width=80).startswith(headline)


def test_page_of_ten_thousand_sentences_is_made_in_seconds() -> None:
    many = " ".join(f"Boat {n} was sold on Monday." for n in range(5000))
    found = compared(many, many.replace("sold", "lost"))
    assert to_html(found).count('<tr class="paired">') == 5000


def test_terminal_marks_changes_and_lists_what_stands_on_the_other_side() -> None:
    shown = to_terminal(compared(), colour=False, width=100)
    assert "line 3, original line 3" in shown
    assert "Prime [minister](1) [Ji](2) Storvik paid [1,200](3) crowns" in shown
    assert '(2) name "Ji", in the original "Xi"' in shown
    assert "Not in the original\n  line 1: Read more stories here.\n" in shown
    assert "Not in the text\n  line 1: The debate had taken four months.\n" in shown
    assert "\x1b" not in shown


def test_terminal_lists_words_left_out_without_a_place() -> None:
    shown = to_terminal(compared("The mill burned.", "The ancient mill burned."), colour=False, width=80)
    assert '  The mill burned.\n  (1) term left out: "ancient"\n' in shown


def test_terminal_obeys_nothing_in_the_texts() -> None:
    found = compared(HOSTILE, HOSTILE.replace("stood", "fell"))
    shown = to_terminal(found, colour=False, width=80)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)


def test_terminal_colours_only_where_asked() -> None:
    assert "\x1b[4;31m" in to_terminal(compared(), colour=True, width=80)
