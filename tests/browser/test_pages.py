"""Both pages in headless Chromium, by keyboard and by click; skipped where there is no Chromium."""

from __future__ import annotations

import base64
import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from detector import Detector
from detector.render import to_html
from detector.render_comparison import to_html as comparison_to_html
from detector.report import Name, NameForm
from tests.test_render import ARABIC, ENGLISH, Marks, make_report

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the PATH"),
]

MARKS: Marks = [("minister He", "syntax"), ("He and her deputy", "agreement"), ("assisted dying", "term")]
NAMES = (
    Name("Ada Xu", (NameForm("Ada Xu", ((0, 3),)), NameForm("Ada Hsu", ((4, 8),))), True),
    Name("Lena Orvik", (NameForm("Lena Orvik", ((9, 12),)),), False),
)

# Text nodes that are drawn with less than 4.5:1 against the first opaque background behind them.
_FAINT = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const over = (layers) => {
  canvas.clearRect(0, 0, 1, 1);
  for (const layer of layers) { canvas.fillStyle = layer; canvas.fillRect(0, 0, 1, 1); }
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const light = (rgb) => {
  const [r, g, b] = rgb.map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
};
const behind = (e) => e ? [...behind(e.parentElement), getComputedStyle(e)] : [];
const ratio = (layers, colour) => {
  const [a, b] = [light(over(layers)), light(over([...layers, colour]))];
  return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
};
const faint = [];
let seen = 0;
for (const e of document.querySelectorAll('body *')) {
  if (!e.checkVisibility({visibilityProperty: true})) continue;
  const layers = behind(e).map((style) => style.backgroundColor);
  const after = getComputedStyle(e, '::after');
  const drawn = after.content.length > 2 && after.content !== 'none' && after.content !== 'normal';
  if (drawn) {
    seen += 1;
    const found = ratio([...layers, after.backgroundColor], after.color);
    if (found < 4.5) faint.push(`after ${e.className} ${found.toFixed(2)}`);
  }
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
  seen += 1;
  const found = ratio(layers, getComputedStyle(e).color);
  if (found < 4.5) faint.push(`${e.tagName} ${e.className} ${found.toFixed(2)}`);
}
return [seen, [...new Set(faint)]];
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def report_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = make_report(ENGLISH, "en", MARKS, suggestions=("minister",))
    report = dataclasses.replace(report, names=NAMES, contributions={"damage": 1.5}, pivot="baltic")
    return saved(tmp_path_factory, to_html(report, title="a.txt"))


@pytest.fixture(scope="module")
def comparison_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = Detector.compare(
        "They sent assisted dying to the Korrin Islands. It rained.",
        "They sent lethal aid to the Korrin Islands. Nobody spoke of it again.",
        language="en",
    )
    return saved(tmp_path_factory, comparison_to_html(found))


def saved(folder: pytest.TempPathFactory, html: str) -> Path:
    path = folder.mktemp("page") / "page.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(params=["report_page", "comparison_page"])
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(request.param)
    return path


def open_page(
    browser: webdriver.Chrome, path: Path, *, width: int = 1200, scheme: str = "light", media: str = "screen"
) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    browser.get(path.as_uri())


def press(browser: webdriver.Chrome, key: str) -> WebElement:
    """Press a key where the focus is, and give the element that then has it."""
    browser.switch_to.active_element.send_keys(key)
    return browser.switch_to.active_element


def stops(browser: webdriver.Chrome) -> list[WebElement]:
    """Every element that the Tab key reaches, in its order."""
    reached: list[WebElement] = []
    while (focused := press(browser, Keys.TAB)).tag_name != "body" and focused not in reached:
        reached.append(focused)
    return reached


def line_of(mark: WebElement) -> str:
    return mark.find_element(By.CSS_SELECTOR, ".k").value_of_css_property("text-decoration-line")


def test_the_tab_key_reaches_everything_in_the_order_of_the_page(
    browser: webdriver.Chrome, page: Path
) -> None:
    open_page(browser, page)
    reached = stops(browser)
    wanted = browser.find_elements(
        By.CSS_SELECTOR, ".skip a, input, mark, summary, .evidence a, details[open] a"
    )
    shown = [e for e in wanted if e.is_displayed() or e.tag_name in ("a", "mark")]
    hidden = browser.find_elements(By.CSS_SELECTOR, "details:not([open]) > :not(summary) a")
    assert reached == [e for e in shown if e not in hidden]
    assert {"a", "input", "mark"} <= {e.tag_name for e in reached}


def test_the_focus_is_always_seen(browser: webdriver.Chrome, page: Path) -> None:
    open_page(browser, page)
    for _ in stops(browser):
        focused = press(browser, Keys.TAB)
        if focused.tag_name != "body":
            assert focused.value_of_css_property("outline-style") in ("solid", "auto"), focused.tag_name
            assert focused.rect["y"] >= 0


def test_the_first_stop_leads_past_the_header(browser: webdriver.Chrome, page: Path) -> None:
    open_page(browser, page)
    assert press(browser, Keys.TAB).text.startswith("Skip to the t")
    press(browser, Keys.ENTER)
    assert press(browser, Keys.TAB).tag_name == "mark"


def test_the_space_key_hides_a_kind_and_shows_it_again(browser: webdriver.Chrome, page: Path) -> None:
    open_page(browser, page)
    box = next(e for e in stops(browser) if e.get_attribute("id") == "show-term")
    marks = [
        m
        for m in browser.find_elements(By.CSS_SELECTOR, "mark:has(.k.term)")
        if len(m.find_elements(By.CSS_SELECTOR, ".k")) == 1
    ]
    assert marks
    assert {line_of(m) for m in marks} == {"underline"}
    words = [m.find_element(By.CSS_SELECTOR, ".k") for m in marks]
    box.send_keys(Keys.SPACE)
    assert {line_of(m) for m in marks} == {"none"}
    assert all(w.is_displayed() for w in words), "the words stay"
    browser.execute_script("document.activeElement.blur()")
    assert not set(marks) & set(stops(browser)), "nothing to read, no stop"
    box.send_keys(Keys.SPACE)
    assert {line_of(m) for m in marks} == {"underline"}


def test_overlapping_damage_stays_reachable_until_all_its_kinds_are_hidden(
    browser: webdriver.Chrome, report_page: Path
) -> None:
    open_page(browser, report_page)
    both = browser.find_element(By.CSS_SELECTOR, "mark:has(.k.syntax):has(.k.agreement)")
    browser.find_element(By.ID, "show-syntax").click()
    assert both.value_of_css_property("visibility") == "visible"
    browser.find_element(By.CSS_SELECTOR, "label:has(#show-agreement)").click()
    assert both.value_of_css_property("visibility") == "hidden"
    rows = browser.find_elements(By.CSS_SELECTOR, ".evidence tbody tr[class]")
    assert [row.get_attribute("class") for row in rows if row.is_displayed()] == ["term"]


def test_a_mark_tells_its_message_when_it_has_the_focus(browser: webdriver.Chrome, page: Path) -> None:
    open_page(browser, page)
    mark = browser.find_element(By.CSS_SELECTOR, "mark")
    tip = mark.find_element(By.CSS_SELECTOR, ".tip")
    assert not tip.is_displayed()
    browser.execute_script("arguments[0].focus()", mark)
    assert tip.is_displayed()
    assert tip.rect["x"] >= 0
    assert tip.rect["x"] + tip.rect["width"] <= 1200


def test_details_open_with_enter(browser: webdriver.Chrome, report_page: Path) -> None:
    open_page(browser, report_page)
    made_of = browser.find_element(By.CSS_SELECTOR, ".made-of")
    summary = made_of.find_element(By.CSS_SELECTOR, "summary")
    assert not made_of.find_element(By.CSS_SELECTOR, "dl").is_displayed()
    summary.send_keys(Keys.ENTER)
    assert "damage +1.50" in made_of.find_element(By.CSS_SELECTOR, "dl").text


def test_a_screen_reader_finds_landmarks_headings_and_what_each_mark_says(
    browser: webdriver.Chrome, page: Path
) -> None:
    open_page(browser, page)
    nodes = [
        n for n in browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"] if not n.get("ignored")
    ]
    roles = [n["role"]["value"] for n in nodes]
    assert {"navigation", "banner", "main", "contentinfo", "group"} <= set(roles)
    levels = [
        p["value"]["value"]
        for n in nodes
        if n["role"]["value"] == "heading"
        for p in n["properties"]
        if p["name"] == "level"
    ]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    told = [n["name"]["value"] for n in nodes if n.get("description", {}).get("value")]
    words = [e.get_attribute("aria-label") for e in browser.find_elements(By.CSS_SELECTOR, "mark")]
    assert words
    assert told == words
    boxes = [n for n in nodes if n["role"]["value"] == "checkbox"]
    assert boxes
    assert all(n["name"]["value"] for n in boxes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_never_faint(browser: webdriver.Chrome, page: Path, scheme: str) -> None:
    open_page(browser, page, scheme=scheme)
    browser.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    seen, faint = browser.execute_script(_FAINT)
    assert seen > 20
    assert faint == []


def test_a_phone_needs_no_sideways_scrolling(browser: webdriver.Chrome, page: Path) -> None:
    open_page(browser, page, width=360)
    browser.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360


def test_print_holds_what_matters_and_no_boxes(browser: webdriver.Chrome, page: Path) -> None:
    open_page(browser, page, media="print")
    assert not any(e.is_displayed() for e in browser.find_elements(By.CSS_SELECTOR, "input, .tip, .screen"))
    assert all(e.is_displayed() for e in browser.find_elements(By.CSS_SELECTOR, ".kinds label, mark .k"))
    for names in browser.find_elements(By.CSS_SELECTOR, ".names"):
        assert "Ada Hsu once" in names.text
    for paper in browser.find_elements(By.CSS_SELECTOR, ".paper"):
        assert paper.is_displayed()
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert pdf.startswith(b"%PDF")


def test_closed_names_are_printed(browser: webdriver.Chrome, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    report = dataclasses.replace(make_report(ENGLISH), names=NAMES[1:])
    path.write_text(to_html(report), encoding="utf-8")
    open_page(browser, path)
    row = browser.find_element(By.CSS_SELECTOR, ".names tbody tr")
    assert not row.is_displayed()
    open_page(browser, path, media="print")
    shown = "return arguments[0].checkVisibility({contentVisibilityAuto: true})"
    assert browser.execute_script(shown, browser.find_element(By.CSS_SELECTOR, ".names tbody tr"))
    assert not browser.find_element(By.CSS_SELECTOR, ".made-of").is_displayed()


def test_right_to_left_text_starts_at_the_right(browser: webdriver.Chrome, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(to_html(make_report(ARABIC, "ar", [("هي", "syntax")])), encoding="utf-8")
    open_page(browser, path)
    text = browser.find_element(By.CSS_SELECTOR, ".text")
    assert text.value_of_css_property("direction") == "rtl"
    assert browser.find_element(By.CSS_SELECTOR, "mark .tip").value_of_css_property("direction") == "ltr"
    shown = browser.execute_script(
        "const r = document.createRange(); r.setStart(arguments[0].querySelector('.s').firstChild, 0);"
        "r.setEnd(r.startContainer, 1); return r.getBoundingClientRect().right;",
        text,
    )
    assert shown > text.rect["x"] + 0.9 * text.rect["width"]


def test_five_hundred_sentences_open_at_once(browser: webdriver.Chrome, tmp_path: Path) -> None:
    line = "The minister He arrived 🙂 on Monday."
    marks: Marks = [("minister He", "syntax")]
    first = make_report(line, "en", marks)
    size = len(line) + 1
    moved = [
        dataclasses.replace(
            s,
            start=s.start + n * size,
            end=s.end + n * size,
            evidence=tuple(
                dataclasses.replace(e, start=e.start + n * size, end=e.end + n * size) for e in s.evidence
            ),
        )
        for n in range(500)
        for s in first.sentences
    ]
    report = dataclasses.replace(first, text="\n".join([line] * 500), sentences=tuple(moved))
    path = tmp_path / "page.html"
    path.write_text(to_html(report), encoding="utf-8")
    open_page(browser, path)
    timing = "const n = performance.getEntriesByType('navigation')[0]; return n.loadEventEnd - n.startTime"
    assert browser.execute_script(timing) < 5000
    marks_shown = browser.find_elements(By.CSS_SELECTOR, "mark .k")
    assert len(marks_shown) == 500
    assert {m.get_property("textContent") for m in marks_shown} == {"minister He"}


def test_paper_says_which_kinds_were_hidden(browser: webdriver.Chrome, report_page: Path) -> None:
    open_page(browser, report_page)
    browser.find_element(By.ID, "show-term").click()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    said = browser.execute_script(
        "return [...document.querySelectorAll('.kinds label')]"
        ".map((e) => getComputedStyle(e, '::after').content)"
    )
    assert said == ['" (hidden)"', "none", "none"]
