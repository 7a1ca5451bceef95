"""Names through a text: drifts, well-known names misspelt, the forms of each, and honest texts."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.heuristics import names, names_known
from detector.heuristics.lexicon import lexicon
from detector.heuristics.names import names_of
from detector.heuristics.names_known import gather, known_names, respelt
from detector.heuristics.spelling import akin, alike, equivalent, exonym, keys, loose_keys, same_skeleton
from detector.report import Evidence
from eval.names import articles, damaged_articles, main, measure_cases, read_cases, repairs
from eval.rules import sentences
from training.names import main as mine_all
from training.names import mine

CASES = [case for case in read_cases() if not case.held_out]


def test_our_own_texts_are_many_and_half_are_held_out() -> None:
    every = read_cases()
    assert len(every) >= 80
    assert len(CASES) <= len(every) / 2 + 1
    assert {case.language for case in every} == {"en", "de", "fr", "ru", "es"}


def test_most_drifts_of_our_own_are_found_and_honest_texts_left_alone() -> None:
    rates = measure_cases(CASES)
    assert rates["found"].fired / rates["found"].of >= 0.9
    assert rates["false"].fired == 0


@pytest.mark.parametrize(
    "a", ["Khodorenko", "Hussein", "el-Bashiri", "Zhang", "Arroyo", "Carlos", "Хольмберг"]
)
@pytest.mark.parametrize(
    "b", ["Hodorenko", "Husain", "al-Bashiri", "Chang", "Arroya", "Charles", "Гольмберг"]
)
def test_words_that_may_be_one_share_a_key(a: str, b: str) -> None:
    one = alike(a, b) or akin(a, b, surname=True) or equivalent(a, b)
    assert bool(one) is (set(loose_keys(a)).isdisjoint(loose_keys(b)) is False)
    assert not alike(a, b) or not set(keys(a)).isdisjoint(keys(b))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Zabolotskiy", "Zabolotsky"),
        ("Derenkoff", "Derenkov"),
        ("Tschernov", "Chernov"),
        ("Wasiljew", "Vasilyev"),
        ("Schmitt", "Schmidt"),
        ("Zhang", "Chang"),
        ("Уотсен", "Вотсен"),
    ],
)
def test_transliterations_are_alike_both_ways(a: str, b: str) -> None:
    assert alike(a, b) == alike(b, a) > 0


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Petrov", "Petrova"),
        ("Mario", "Maria"),
        ("Hassan", "Hussein"),
        ("Kerry", "Perry"),
        ("Hansen", "Hansens"),
    ],
)
def test_other_people_are_not_akin(a: str, b: str) -> None:
    assert not alike(a, b)
    assert not akin(a, b)


def test_a_place_has_one_number_in_every_language() -> None:
    assert exonym("Kyiv") == exonym("Kiev") != exonym("Peking") == exonym("Beijing")
    assert exonym("Harlow") is None
    assert same_skeleton("Pawlby", "Polby")
    assert not same_skeleton("Hessian", "Hessen")


@pytest.mark.parametrize(
    ("language", "text", "wanted"),
    [
        ("en", "The growers wait.\nJi Jinping may come.", [("Ji", "Xi")]),
        ("en-GB", "The growers wait.\nJi Jinping may come.", [("Ji", "Xi")]),
        ("en", "Vladimir Poutin sent a card.", [("Poutin", "Putin")]),
        ("en", "Xi Jinping may come.\nJi Jinping came.", []),  # names.drift judges
        ("en", "Xi Jinping may come.\nVladimir Putin sent a card.", []),
        ("en", "John Perry praised his men.\nLi Jinping grows roses.", []),
        ("en", "Michelle Obama spoke.\nBarak Obama is how he wrote it.", []),  # native news did so too
        ("zh", "季近平来了。", []),
        (None, "Ji Jinping may come.", []),
        ("en", "", []),
    ],
)
def test_a_well_known_name_is_found_by_itself(
    language: str | None, text: str, wanted: list[tuple[str, str]]
) -> None:
    found = names_known.find(sentences(tuple(text.split("\n"))), language)
    assert [(text[e.start : e.end], e.suggestions[0]) for e in found] == wanted


def test_a_name_must_be_its_bearers_own_to_be_known() -> None:
    table = lexicon("en")
    assert table is not None
    one = gather({("Taras", "Zelkov"): 5})
    many = gather({("Taras", "Zelkov"): 5, ("Olha", "Zelkov"): 5, ("Petro", "Zelkov"): 5})
    assert respelt(("Taras", "Zelkoff"), one, table) == ("Taras", "Zelkov")
    assert respelt(("Taras", "Zelkoff"), many, table) is None
    assert respelt(("Taras", "Zelkov"), one, table) is None


def test_known_names_are_mined_from_several_articles_and_real_ones_kept() -> None:
    table = lexicon("en")
    assert table is not None
    texts = [
        (("en", 2020, 1), "Then Taras Zelkov spoke."),
        (("en", 2020, 1), "Later Taras Zelkov left."),
        (("en", 2020, 2), "Nobody asked Taras Zelkov."),
        (("en", 2020, 3), "The baker Taras Zelkoff is another man."),
        (("en", 2020, 4), "Then Olha Brenn spoke."),
    ]
    mined = mine(texts, table, min_articles=2)
    assert mined == {("Taras", "Zelkov"): 2, ("Taras", "Zelkoff"): 1}


@pytest.mark.parametrize("gap", [" ", "\u00a0", "  ", "\u202f"])
def test_a_full_name_is_one_whatever_blank_parts_it(gap: str) -> None:
    lines = (
        "Novelist Olga Kivoren opened the fair.",
        f"Later Kivorenn{gap}Halvik left.",
        "Everyone cheered.",
    )
    assert names.find(sentences(lines), "en") == []
    assert {name.proposed for name in names_of(sentences(lines), "en")} == {
        "Novelist Olga Kivoren",
        "Kivorenn Halvik",
    }


def test_a_spelling_that_is_itself_another_is_never_proposed() -> None:
    lines = (
        "Then Pavel Derenkov spoke.", "Pavel Derenkov left.", "Then Derenkov slept.",
        "Pavel Derenkoff came.", "Pavel Derenkoff ran.", "Pavel Derencoff hid.",
    )  # fmt: skip
    assert names.spellings(sentences(lines), "en") == dict.fromkeys(("Derenkoff", "Derencoff"), "Derenkov")
    assert [name.proposed for name in names_of(sentences(lines), "en")] == ["Pavel Derenkov"]


def test_a_long_row_of_capitals_names_nobody_and_takes_no_time() -> None:
    start = time.process_time()
    assert names_of(sentences(("the fair " * 20_000 + "Ka " * 15_000,)), "en") == ()
    assert time.process_time() - start < 5


def test_the_table_of_names_follows_each_through_the_text() -> None:
    text = (
        "President Xi Weimin opened the fair.\nXi praised it.\nMr Xi's guests clapped.\n"
        "Later Ji left.\nAnna Marsh met Alan Marsh.\nMarsh paid.\nMinister He left.\nIt rained in Harlow."
    )
    found = names_of(sentences(tuple(text.split("\n"))), "en")
    shown = {
        name.proposed: ([(form.text, len(form.spans)) for form in name.forms], name.drifts) for name in found
    }
    assert shown == {
        "Xi Weimin": ([("Xi", 2), ("Xi Weimin", 1), ("Ji", 1)], True),
        "Anna Marsh": ([("Anna Marsh", 1)], False),
        "Alan Marsh": ([("Alan Marsh", 1)], False),
    }
    assert all(
        text[start:end] == form.text for name in found for form in name.forms for start, end in form.spans
    )
    assert names_of(sentences(("习先生来了。",)), "zh") == ()
    assert names_of([], "en") == names_of(sentences(("Xi Weimin came.",)), None) == ()


@pytest.mark.parametrize(
    "text", ["\ud800 Xi", "العمدة", "\U0001f600", "X" * 50_000, "Al-", "al-Xi al-", "A. B. C."]
)
def test_names_bear_any_text(text: str) -> None:
    lines = sentences((text, text))
    for language in ("en", "ar", "de", "ru", None):
        names.find(lines, language)
        names_known.find(lines, language)
        names_of(lines, language)


def test_repairs_need_the_right_suggestion_in_the_right_place() -> None:
    text = ("Xi Weimin came.", "Ji Weimin left.")
    right = Evidence(16, 18, "name", 0.8, "names.drift", "One name.", ("Xi",))
    other = Evidence(16, 18, "name", 0.8, "names.drift", "One name.", ("Li",))
    assert repairs(text, "en", [right], "Ji Weimin", "Xi Weimin")
    assert not repairs(text, "en", [other], "Ji Weimin", "Xi Weimin")
    assert not repairs(text, "en", [], "Ji Weimin", "Xi Weimin")


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """A tiny corpora folder: two articles, and a name that a round trip damaged in one of them."""
    article = [
        "Ola Doerksen runs the mill.",
        "Doerksen bought it.",
        "It is old.",
        "It is red.",
        "Doerksen paid.",
    ]
    rows = [
        {
            "lang": "en", "origlang": "en", "year": 2016, "docid": f"d{doc}", "line": line, "text": text,
            "split": split,
        }
        for doc, split in enumerate(("dev", "train", "train"))
        for line, text in enumerate(article)
    ]  # fmt: skip
    for folder in ("human", "labels", "roundtrip"):
        (tmp_path / folder).mkdir()
    for name in ("native", "human_translation"):
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "human" / f"{name}.parquet")
    trips = [
        {"year": 2016, "docid": "d0", "line": line, "original": text} for line, text in enumerate(article)
    ]
    pq.write_table(pa.Table.from_pylist(trips), tmp_path / "roundtrip" / "en.parquet")
    label = {
        "split": "dev", "sim": 0.9, "year": 2016, "docid": "d0", "original": article[4],
        "roundtrip": "Doerxen has paid.", "name_original": "Doerksen", "name_roundtrip": "Doerxen",
    }  # fmt: skip
    pq.write_table(
        pa.Table.from_pylist([label, {**label, "sim": 0.5}]), tmp_path / "labels" / "name_damage.parquet"
    )
    return tmp_path


def test_a_damaged_name_stands_in_the_rest_of_its_article(corpora: Path) -> None:
    ((text, wrong, right),) = damaged_articles(corpora, "dev")
    assert (wrong, right) == ("Doerxen", "Doerksen")
    assert text[0] == "Ola Doerksen runs the mill."
    assert text[4] == "Doerxen has paid."
    assert [len(article) for article in articles(corpora, "dev")["en"]] == [5]


def test_figures_are_printed_and_written(
    corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "names.json"
    assert main(["--corpora", str(corpora), "--split", "dev", "--json", str(written)]) == 0
    figures = json.loads(written.read_text("utf-8"))
    assert figures["damaged names"] == [1, 1]
    assert figures["native"] == {"en": [[0, 1], [0, 1], [0, 1]]}
    assert list(figures["cases"]) == ["looked at"]
    assert "| all | 0 of 1: 0.0" in capsys.readouterr().out
    assert main(["--corpora", str(tmp_path / "none")]) == 2


def test_too_few_names_make_no_table(corpora: Path, tmp_path: Path) -> None:
    assert mine_all(["--corpora", str(corpora), "--out", str(tmp_path / "out")]) == 0
    assert list((tmp_path / "out").iterdir()) == []
    assert mine_all(["--corpora", str(tmp_path / "none")]) == 2


def test_mined_tables_hold_names_of_languages_with_capitals() -> None:
    english = known_names("en")
    assert english is not None
    assert english.articles["Xi", "Jinping"] > 1
    assert known_names("zh") is None
    assert known_names("xx") is None
