from __future__ import annotations

import copy
import json
import shutil
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pytest

import detector.detect
from eval import gate
from eval.gate import HERE, Measured, newest, of_results, of_texts, problems, propose, read_texts
from eval.gate_texts import launder
from training.roundtrip import MissingEngineError

RESULTS: dict[str, Any] = {
    "signature": {"model": "0a1b2c3d4e5f"},
    "data": {"gold/en-test.parquet": "111111111111", "human/native.parquet": "222222222222"},
    "figures": {
        "texts": {"news: 10": {"AUC": {"value": 0.95, "n": 9, "interval": [0.9317, 0.9617]}}},
        "false_alarms": {"native": {"sentences": {"value": 0.012, "n": 9, "interval": [0.009, 0.0151]}}},
        "calibration": {"text score": {"Brier": {"value": 0.2, "n": 9}, "none": {"value": None, "n": 0}}},
    },
}  # fmt: skip
SIDES = {
    "texts | news: 10 | AUC": "at_least",
    "false_alarms | native | sentences": "at_most",
    "calibration | text score | Brier": "at_most",
    "calibration | text score | none": "at_most",
}


def pinned() -> dict[str, Any]:
    return propose(SIDES, of_results(RESULTS))


def test_proposed_floors_leave_the_margin_of_the_interval() -> None:
    assert pinned()["floors"] == {
        "texts | news: 10 | AUC": {"at_least": 0.931},
        "false_alarms | native | sentences": {"at_most": 0.016},
        "calibration | text score | Brier": {"at_most": 0.21},
    }
    assert not list(problems(pinned(), of_results(RESULTS)))


@pytest.mark.parametrize(
    ("section", "row", "column", "value", "told"),
    [
        ("texts", "news: 10", "AUC", 0.93, "0.93, floor 0.931"),
        ("texts", "news: 10", "AUC", None, "not measured"),
        ("false_alarms", "native", "sentences", 0.017, "0.017, at most 0.016"),
        ("calibration", "text score", "Brier", 0.3, "0.3, at most 0.21"),
    ],
)
def test_a_figure_beyond_its_floor_is_named(
    section: str, row: str, column: str, value: float | None, told: str
) -> None:
    worse = copy.deepcopy(RESULTS)
    worse["figures"][section][row][column]["value"] = value
    (problem,) = problems(pinned(), of_results(worse))
    assert problem.startswith(f"{section} | {row} | {column}: {told}")


def test_a_figure_that_is_gone_is_named() -> None:
    less = copy.deepcopy(RESULTS)
    del less["figures"]["texts"]
    (problem,) = problems(pinned(), of_results(less))
    assert problem == "texts | news: 10 | AUC: not measured"


@pytest.mark.parametrize("change", [{"human/native.parquet": "333333333333"}, {"human/new.parquet": "4"}])
def test_other_data_fail_and_it_says_what_to_do(change: dict[str, str]) -> None:
    other = {**RESULTS, "data": {**RESULTS["data"], **change}}
    (problem,) = problems(pinned(), of_results(other))
    assert problem.startswith(next(iter(change)))
    assert "make gate ARGS=--propose" in problem


def test_results_are_those_of_the_embedded_model_on_the_whole_test_split(tmp_path: Path) -> None:
    for name in (
        "0.1.0-aa-en-test",
        "0.2.0-aa-en-test",
        "0.3.0-aa-en-dev",
        "0.3.0-aa-en-test-quick",
        "9-bb-en-test",
    ):
        (tmp_path / f"{name}.json").touch()  # fmt: skip
    assert newest(tmp_path, "aa").name == "0.2.0-aa-en-test.json"
    with pytest.raises(ValueError, match="make evaluate"):
        newest(tmp_path, "cc")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Give two styles of the committed texts and their round trips, to be changed."""
    for side in ("human", *(f"roundtrip/{pivot}" for pivot in launder.PIVOTS)):
        (tmp_path / side).mkdir(parents=True)
        for style in ("news", "learner"):
            shutil.copy(HERE / "gate_texts" / side / f"{style}.txt", tmp_path / side)
    return tmp_path


def test_our_texts_give_the_same_figures_every_time(texts: Path, tiny_model: Path) -> None:
    first = of_texts(texts, tiny_model)
    assert first == of_texts(texts, tiny_model)
    assert set(first.figures) == {
        "pair accuracy of texts",
        "AUC of sentences",
        *(f"human {what} flagged at {p}" for what in ("sentences", "texts") for p in gate.POINTS),
    }
    assert first.figures["pair accuracy of texts"]["n"] == 11 * len(launder.PIVOTS)
    assert first.figures["human texts flagged at fpr_5e-2"]["n"] == 11


def test_a_round_trip_that_equals_its_original_scores_chance(texts: Path, tiny_model: Path) -> None:
    for pivot in launder.PIVOTS:
        for path in (texts / "human").glob("*.txt"):
            shutil.copy(path, texts / "roundtrip" / pivot)
    figures = of_texts(texts, tiny_model).figures
    assert figures["pair accuracy of texts"]["value"] == 0.5
    assert figures["AUC of sentences"]["value"] == pytest.approx(0.5)


def test_a_changed_text_changes_the_hash_and_a_lost_one_is_an_error(texts: Path, tiny_model: Path) -> None:
    before = of_texts(texts, tiny_model)
    path = texts / "roundtrip" / "es" / "news.txt"
    path.write_text(path.read_text("utf-8").replace("Tuesday", "Tuesdays", 1), "utf-8")
    after = of_texts(texts, tiny_model)
    assert [side for side in before.data if before.data[side] != after.data[side]] == ["gate_texts, es"]
    path.write_text("Only this came back.\n", "utf-8")
    with pytest.raises(ValueError, match=r"launder\.py"):
        read_texts(texts)


def run(tmp_path: Path, texts: Path, measured: Measured, results: dict[str, Any], *flags: str) -> int:
    sides = {name: "at_most" if "flagged" in name else "at_least" for name in measured.figures}
    floors = {"gate": propose(sides, measured), "results": pinned()}
    (tmp_path / "floors.json").write_text(json.dumps(floors), "utf-8")
    (tmp_path / "results.json").write_text(json.dumps(results), "utf-8")
    where = ["--floors", str(tmp_path / "floors.json"), "--texts", str(texts), *flags]
    return gate.main([str(tmp_path / "results.json"), *where])


def test_the_command_passes_what_holds_and_fails_what_fell(
    tmp_path: Path,
    texts: Path,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(detector.detect, "DEFAULT_MODEL", tiny_model)
    measured = of_texts(texts)
    mine = {**RESULTS, "signature": {"model": measured.model}}
    assert run(tmp_path, texts, measured, mine) == 0
    assert capsys.readouterr().out.count("floors, model") == 2

    worse = copy.deepcopy(mine)
    worse["figures"]["texts"]["news: 10"]["AUC"]["value"] = 0.5
    assert run(tmp_path, texts, measured, worse) == 1
    assert "- texts | news: 10 | AUC: 0.5, floor 0.931" in capsys.readouterr().out

    assert run(tmp_path, texts, measured, RESULTS) == 1
    assert "run `make evaluate`" in capsys.readouterr().out

    path = texts / "human" / "news.txt"
    path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    assert run(tmp_path, texts, measured, mine) == 0
    path.write_text(path.read_text("utf-8").replace("Tuesday", "Friday"), "utf-8")
    assert run(tmp_path, texts, measured, mine) == 1
    assert "gate_texts, human: the floors are of" in capsys.readouterr().out

    before = (tmp_path / "floors.json").read_text("utf-8")
    assert run(tmp_path, texts, measured, worse, "--propose") == 0
    assert (tmp_path / "floors.json").read_text("utf-8") == before
    proposed = json.loads(capsys.readouterr().out)
    assert proposed["results"]["floors"]["texts | news: 10 | AUC"] == {"at_least": 0.931}
    assert set(proposed["gate"]["floors"]) == set(measured.figures)


def test_committed_floors_are_of_the_committed_texts_and_figures() -> None:
    floors = json.loads((HERE / "floors.json").read_text("utf-8"))
    assert floors["results"]["floors"]
    assert all(list(f) in (["at_least"], ["at_most"]) for s in floors.values() for f in s["floors"].values())
    assert gate.hashes(read_texts(HERE / "gate_texts")) == floors["gate"]["data"]


def test_apertium_still_makes_the_committed_round_trips_or_says_how_to_install_it() -> None:
    modes = Path("/usr/share/apertium/modes")
    if all((modes / f"{mode}.mode").exists() for mode in ("spa-eng", "cat-eng", "gl-en")):
        for path, text in launder.roundtrips():
            committed = path.read_text(encoding="utf-8")
            # Another release of its dictionaries may choose another word here and there.
            assert SequenceMatcher(None, text.split(), committed.split(), autojunk=False).ratio() > 0.9
            assert text.count("\n\n") == committed.count("\n\n")
    else:
        with pytest.raises(MissingEngineError, match="apt install apertium"):
            list(launder.roundtrips())
