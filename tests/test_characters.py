from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from detector.tokens import Tokenizer
from training import characters
from training.bases import load_encoder, save_tokenizer

pytest_plugins = ["tests.test_vocabulary"]


@pytest.fixture
def made(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    output = tmp_path / "characters"
    flags = ["--vocabulary", str(base), "--output", str(output), "--hidden", "64", "--layers", "1"]
    monkeypatch.setattr(sys, "argv", ["characters", *flags])
    characters.main()
    return output


def test_a_text_is_read_letter_by_letter(made: Path) -> None:
    save_tokenizer(str(made), made)
    window = Tokenizer(made).windows("the “mill”")[0]
    inside = sorted({(int(start), int(end)) for start, end in window.offsets[window.words >= 0]})
    assert inside == [(0, 1), (1, 2), (2, 3), (5, 6), (6, 7), (7, 8), (8, 9)]
    assert set(window.words) == {-1, 0, 1}


def test_the_encoder_is_random_and_always_the_same(made: Path, base: Path, tmp_path: Path) -> None:
    encoder = load_encoder(str(made))
    config = json.loads((made / "config.json").read_text(encoding="utf-8"))
    assert (config["hidden_size"], config["num_hidden_layers"]) == (64, 1)
    characters.make(base, tmp_path / "again", hidden=64, layers=1)
    weights, again = encoder.state_dict(), load_encoder(str(tmp_path / "again")).state_dict()
    assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_a_folder_that_is_there_is_left_alone(
    made: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit):
        characters.main()
    assert "is there already" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["characters", "--vocabulary", "nowhere", "--output", str(made / "x")])
    with pytest.raises(SystemExit):
        characters.main()
    assert "nowhere" in capsys.readouterr().err


def test_heads_have_one_width(base: Path, tmp_path: Path) -> None:
    for hidden in (32, 100):
        with pytest.raises(ValueError, match=f"hidden must be a multiple of 64, got {hidden}"):
            characters.make(base, tmp_path / "narrow", hidden=hidden, layers=1)
