from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from training import readings
from training.readings import Reading, load, pair_id, save, sheet, take

PAIRS = [
    ("The mayor of Tolm slept.", "The burgomaster of Tolm has slept the."),
    ("Two ferries left.", "Two ferries went."),
    ("😀 Nobody knew why.", "😀 No why one one knew."),
]
ANSWERS = "0\t2\t1\tburgomaster | slept the\n1\t0\t0\t\n2\t3\t2\t\n"


def test_a_filled_sheet_gives_its_readings() -> None:
    found = take(sheet(PAIRS), ANSWERS)
    first, second, third = (found[pair_id(o, r)] for o, r in PAIRS)
    assert [PAIRS[0][1][start:end] for start, end in first.marks] == ["burgomaster", "slept the"]
    assert (first.visible, first.meaning) == (2, 1)
    assert second == Reading(0, 0, ())
    assert (third.is_located, second.is_located, first.is_located) == (False, True, True)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (ANSWERS[:-7], "no answer for items 2"),
        (ANSWERS.replace("0\t2", "9\t2", 1), "line 1: no item '9'"),
        (ANSWERS.replace("burgomaster", "mayoress"), "line 1: 'mayoress' does not stand in the text"),
        (ANSWERS.replace("2\t3\t2", "2\t4\t2"), "line 3: visible is 0 to 3"),
        (ANSWERS.replace("2\t3\t2", "2\tx\t2"), "line 3: invalid literal"),
        (ANSWERS.replace("2\t3\t2", "2 3 2"), "line 3: not enough values"),
        (ANSWERS + "1\t2\t0\twent\n", "line 4: item '1' is answered twice"),
        (ANSWERS.replace("1\t0\t0\t", "1\t0\t0\twent"), "line 2: where visible is 0 nothing is marked"),
    ],
)
def test_a_sheet_filled_wrongly_is_an_error(answers: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        take(sheet(PAIRS), answers)


def test_saved_readings_are_loaded_again_in_one_order(tmp_path: Path) -> None:
    found = take(sheet(PAIRS), ANSWERS)
    found[pair_id("a", "b")] = Reading(1, 0, ((0, 1),), is_even=False)
    path = save(found, "xx", tmp_path)
    assert load("xx", tmp_path) == found
    before = path.read_bytes()
    save(dict(reversed(found.items())), "xx", tmp_path)
    assert path.read_bytes() == before
    assert load("yy", tmp_path) == {}


@pytest.mark.parametrize(
    "row", ["ab\t2\t1\t5-3\t1", "ab\t9\t1\t\t1", "ab\t1", "ab\tx\t0\t\t1", "ab\t0\t0\t1-3\t1"]
)
def test_a_broken_line_is_named(row: str, tmp_path: Path) -> None:
    path = save({}, "xx", tmp_path)
    path.write_text(path.read_text("utf-8") + row + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2: not a reading"):
        load("xx", tmp_path)


def test_worse_readings_are_more_damage() -> None:
    grades = [Reading(visible, 0, ()).damage for visible in range(4)]
    assert grades == sorted(set(grades))
    assert (grades[0], grades[3]) == (0.0, 1.0)
    assert grades[0] < Reading(0, 2, ()).damage < grades[2]


def test_the_committed_readings_load_and_name_no_text() -> None:
    found = load("en")
    assert len(found) > 10_000
    assert {len(name) for name in found} == {12}
    assert 0.2 < sum(r.visible >= 2 for r in found.values()) / len(found) < 0.5
    lines = (readings.FOLDER / "readings-en.tsv").read_text("utf-8").splitlines()[1:]
    assert all(set(line) <= set("0123456789abcdef-\t ") for line in lines)


@pytest.mark.parametrize(
    ("words", "text", "expected"),
    [
        ("art", "His heart is art.", (13, 16)),
        ("art", "His heart is Art.", (13, 16)),
        ("US", "He gave us the US.", (15, 17)),
        ("ear", "His heart.", (5, 8)),
        ("BANK", "İİ the bank fell.", (7, 11)),  # a small İ is longer
        ("(sic) .", "She goed (sic) .", (9, 16)),
        ("新桥", "市长开放了新桥。", (5, 7)),
        ("سمك", "أكل سمكا من سمك", (12, 15)),
    ],
)
def test_marked_words_are_found_whole_before_inside_others(
    words: str, text: str, expected: tuple[int, int]
) -> None:
    (reading,) = take(sheet([("", text)]), f"0\t2\t0\t{words}").values()
    assert reading.marks == (expected,)


def call(monkeypatch: pytest.MonkeyPatch, folder: Path, do: str, *more: str) -> None:
    """Run the command on ``folder``, where gold and readings are, and sheets in a folder of their own."""
    options = ["--gold", str(folder), "--readings", str(folder), "--language", "xx", *more]
    monkeypatch.setattr("sys.argv", ["readings", do, str(folder / "sheets"), *options])
    readings.main()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with gold of four originals: two unread, one read, one broken over lines."""
    pairs = [*PAIRS, ("A bell\nrang.", "A clock\nrang."), (PAIRS[0][0], "The mayor of Tolm was asleep.")]
    frame = pd.DataFrame(pairs, columns=["original", "roundtrip"])
    frame = frame.assign(
        original_id=["a", "b", "c", "d", "a"], damage=[math.nan] * 2 + [0.8] + [math.nan] * 2
    )
    frame.to_parquet(tmp_path / "xx-train.parquet")
    return tmp_path


def test_sheets_are_written_and_taken_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call(monkeypatch, folder, "sheets")
    page = folder / "sheets/train-0-000.txt"
    lines = page.read_text("utf-8").splitlines()
    # one pair of an original, none that is read, none with a line break
    assert sorted(lines[1::3]) == sorted(f"O {original}" for original, _ in PAIRS[:2])
    page.with_suffix(".lab").write_text("0\t0\t0\t\n1\t1\t0\t\n", encoding="utf-8")
    call(monkeypatch, folder, "take")
    found = load("xx", folder)
    asked = zip(lines[1::3], lines[2::3], strict=True)
    assert set(found) == {pair_id(o[2:], r[2:]) for o, r in asked}
    assert all(reading.is_even for reading in found.values())


def test_no_pair_is_asked_twice(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save({pair_id(*PAIRS[1]): Reading(0, 0, ())}, "xx", folder)
    call(monkeypatch, folder, "sheets")
    lines = (folder / "sheets/train-0-000.txt").read_text("utf-8").splitlines()
    assert lines[1::3] == [f"O {PAIRS[0][0]}"]


def test_a_sheet_that_is_there_is_not_written_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = folder / "sheets/train-0-000.txt"
    page.parent.mkdir()
    page.write_text("of yesterday", encoding="utf-8")
    with pytest.raises(SystemExit):
        call(monkeypatch, folder, "sheets")
    assert "train-0-000.txt is there already: give another --seed" in capsys.readouterr().err
    assert [path.name for path in page.parent.iterdir()] == [page.name]
    assert page.read_text("utf-8") == "of yesterday"
    call(monkeypatch, folder, "sheets", "--seed", "1")
    assert (folder / "sheets/train-1-000.txt").is_file()


@pytest.fixture
def filled(folder: Path) -> Path:
    """Give the folder with one filled sheet of `PAIRS`."""
    (folder / "sheets").mkdir()
    (folder / "sheets/mine.txt").write_text(sheet(PAIRS), encoding="utf-8")
    (folder / "sheets/mine.lab").write_text(ANSWERS, encoding="utf-8")
    return folder


def test_old_sheets_do_not_change_what_is_known(
    filled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = {pair_id(*PAIRS[0]): Reading(0, 2, (), is_even=False), pair_id("a", "b"): Reading(3, 2, ())}
    save(known, "xx", filled)
    call(monkeypatch, filled, "take")
    assert load("xx", filled) == take(sheet(PAIRS), ANSWERS) | known
    assert "3 readings taken, 1 of them known already" in capsys.readouterr().out


def test_targeted_sheets_give_no_shares(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call(monkeypatch, filled, "take", "--targeted")
    found = load("xx", filled)
    assert len(found) == len(PAIRS)
    assert not any(reading.is_even for reading in found.values())


def test_answers_without_a_sheet_are_skipped(
    filled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (filled / "sheets/mine.second.lab").write_text(ANSWERS.replace("2\t3", "2\t0"), encoding="utf-8")
    call(monkeypatch, filled, "take")
    assert "mine.second.lab is skipped: there is no sheet mine.second.txt" in capsys.readouterr().out
    assert load("xx", filled) == take(sheet(PAIRS), ANSWERS)


def test_wrong_answers_are_named_and_nothing_is_saved(
    filled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (filled / "sheets/other.txt").write_text(sheet([("So be it.", "Be it so.")]), encoding="utf-8")
    (filled / "sheets/other.lab").write_text("\n0\t7\t0\t\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        call(monkeypatch, filled, "take")
    assert "other.lab: line 2: visible is 0 to 3" in capsys.readouterr().err
    assert not load("xx", filled)


def test_a_folder_without_answers_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        call(monkeypatch, folder, "take")
    assert "sheets holds no answers" in capsys.readouterr().err
