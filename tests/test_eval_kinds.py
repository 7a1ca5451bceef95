"""Figures of kinds by language: what is found, held against what was replaced."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detector.backends.onnx import OnnxBackend
from detector.fuse import Fusion
from detector.kinds import BUCKETS, CLASSES, Kinds
from eval import kinds

COUNT = 8


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """Give a model that finds every word."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    dataclasses.replace(Fusion.load(folder), token_threshold=0.0).save(folder)
    return folder


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    """Write round trips of which every word was replaced by another, and one that came back whole."""
    rows = [("Old mills burned.", "Ancient factories blazed.", 1.0)] * COUNT
    frame = pd.DataFrame(
        [*rows, ("It rained.", "It rained.", 0.0)], columns=["original", "roundtrip", "changed"]
    )
    frame.assign(original_id=[str(i) for i in frame.index], pivot="de").to_parquet(
        tmp_path / "en-dev.parquet"
    )
    return tmp_path


def only(kind: str) -> Kinds:
    """Give kinds that say one thing of every word."""
    bias = np.where(np.array([c or "" for c in CLASSES]) == kind, 9.0, -9.0)
    return Kinds("en", np.zeros((BUCKETS, len(CLASSES)), dtype=np.int8), 1.0, bias)


@pytest.mark.parametrize(("kind", "right"), [("term", 1.0), ("syntax", 0.0)])
def test_kinds_are_held_against_what_was_replaced(model: Path, gold: Path, kind: str, right: float) -> None:
    row = kinds.measure(model, OnnxBackend(model), only(kind), "en", gold, "dev", 100)
    assert row["kind right"].value == right
    assert row["commonest kind"].value == 1.0
    assert {figure.n for figure in row.values()} == {COUNT}


def test_without_a_table_kinds_are_told_by_form(model: Path, gold: Path) -> None:
    row = kinds.measure(model, OnnxBackend(model), None, "en", gold, "dev", 100)
    assert row["kind right"].value == row["kind right, by form alone"].value


def test_the_command_prints_a_line_for_each_language(
    model: Path, gold: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["eval.kinds", "--gold", str(gold), "--model", str(model), "--languages", "en"]
    monkeypatch.setattr("sys.argv", flags)
    kinds.main()
    assert json.loads(capsys.readouterr().out)["language"] == "en"
    monkeypatch.setattr("sys.argv", [*flags[:-1], "en,xx"])
    with pytest.raises(SystemExit):
        kinds.main()
    assert "xx-dev.parquet" in capsys.readouterr().err
