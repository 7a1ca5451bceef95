"""What a checkpoint promises: it comes back as it was saved, or it is refused with its file's name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from detector.heads import HeadsConfig, read_heads
from detector.model import DetectorModel


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """Give a copy of the tiny checkpoint to spoil."""
    for name in ("config.json", "heads.json", "model.safetensors", "tokenizer.json"):
        shutil.copyfile(tiny_checkpoint / name, tmp_path / name)
    return tmp_path


@pytest.fixture(scope="module")
def model(tiny_checkpoint: Path) -> DetectorModel:
    return DetectorModel.load(tiny_checkpoint)


IDS = torch.tensor([[2, 9, 11, 40, 3]])
ONES = torch.ones_like(IDS)
CASES = torch.tensor([[0, 2, 2, 1, 0]])


def run(model: DetectorModel, ids: Tensor, mask: Tensor, cases: Tensor) -> list[Tensor]:
    with torch.inference_mode():
        return list(model(ids, mask, cases))


def test_save_and_load_give_equal_weights(model: DetectorModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = DetectorModel.load(tmp_path)
    assert again.heads == model.heads
    assert not again.training
    ours, theirs = model.state_dict(), again.state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[k], theirs[k]) for k in ours)


def test_half_precision_loads_as_float32(model: DetectorModel, tmp_path: Path) -> None:
    model.save(tmp_path, half=True)
    assert {v.dtype for v in load_file(tmp_path / "model.safetensors").values()} == {torch.float16}
    again = DetectorModel.load(tmp_path)
    assert {p.dtype for p in again.parameters()} == {torch.float32}
    for ours, theirs in zip(run(model, IDS, ONES, CASES), run(again, IDS, ONES, CASES), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-2)


def test_every_head_gives_its_shape(model: DetectorModel) -> None:
    shapes = [tuple(v.shape) for v in run(model, IDS.repeat(3, 1), ONES.repeat(3, 1), CASES.repeat(3, 1))]
    assert shapes == [(3, 2), (3, 5), (3, 2)]


def test_padding_changes_nothing(model: DetectorModel) -> None:
    alone = run(model, IDS, ONES, CASES)
    padded = [torch.nn.functional.pad(v, (0, 4)) for v in (IDS, ONES, CASES)]
    sentence, token, pivot = run(model, *padded)
    for ours, theirs in zip(alone, (sentence, token[:, :5], pivot), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_the_model_sees_capitals(model: DetectorModel) -> None:
    assert not torch.equal(run(model, IDS, ONES, CASES)[0], run(model, IDS, ONES, CASES * 0)[0])


def test_a_fresh_model_starts_as_its_base_was_pretrained(model: DetectorModel) -> None:
    fresh = DetectorModel(model.encoder, HeadsConfig(("slavic",), 32, ("en",))).eval()
    assert torch.equal(run(fresh, IDS, ONES, CASES)[0], run(fresh, IDS, ONES, CASES * 0)[0])


def change_weights(change: Callable[[dict[str, Tensor]], object]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors")

    return spoil


def change_json(name: str, **values: Any) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        data = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps({**data, **values}), encoding="utf-8")

    return spoil


def truncate(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])


NO_PIVOT = change_weights(lambda w: w.pop("pivot.weight"))
NO_CASE = change_weights(lambda w: w.pop("case.weight"))
ONE_MORE = change_weights(lambda w: w.update(extra=torch.zeros(1)))
NARROW = change_weights(lambda w: w.update({"token.weight": torch.zeros(1, 8)}))

SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "no pivot head": (NO_PIVOT, r"model\.safetensors.*pivot\.weight"),
    "no case embedding": (NO_CASE, r"model\.safetensors.*case\.weight"),
    "a weight too many": (ONE_MORE, r"model\.safetensors.*extra"),
    "another shape": (NARROW, r"model\.safetensors.*token\.weight"),
    "another number of pivots": (change_json("heads.json", pivots=["a"]), r"model\.safetensors.*pivot"),
    "another size": (change_json("config.json", hidden_size=64), r"model\.safetensors.*size mismatch"),
    "impossible size": (change_json("config.json", hidden_size=33), r"config\.json: does not describe"),
    "unknown type": (change_json("config.json", model_type="none"), r"config\.json: does not describe"),
    "half the weights": (truncate, r"model\.safetensors"),
    "garbage weights": (lambda f: (f / "model.safetensors").write_bytes(b"garbage"), r"model\.safetensors"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), r"model\.safetensors"),
    "no config": (lambda f: (f / "config.json").unlink(), r"config\.json"),
    "no heads": (lambda f: (f / "heads.json").unlink(), r"heads\.json"),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT)
def test_a_checkpoint_that_is_not_whole_is_named(folder: Path, case: str) -> None:
    spoil, message = SPOILT[case]
    spoil(folder)
    with pytest.raises(ValueError, match=rf"(?s){message}"):
        DetectorModel.load(folder)


def test_code_in_a_checkpoint_never_runs(folder: Path) -> None:
    own = {"AutoConfig": "own.Own", "AutoModel": "own.Own"}
    change_json("config.json", model_type="own", auto_map=own)(folder)
    (folder / "own.py").write_text("raise SystemExit('ran')", encoding="utf-8")
    with pytest.raises(ValueError, match=r"config\.json"):
        DetectorModel.load(folder)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "null",
        '{"pivots": ["a"], "max_tokens": 32}',
        '{"pivots": "ab", "max_tokens": 32, "languages": ["en"]}',
        '{"pivots": ["a"], "max_tokens": 32, "languages": "en"}',
        '{"pivots": [], "max_tokens": 32, "languages": ["en"]}',
        '{"pivots": [1], "max_tokens": 32, "languages": ["en"]}',
        '{"pivots": ["a"], "max_tokens": "many", "languages": ["en"]}',
        '{"pivots": ["a"], "max_tokens": 2, "languages": ["en"]}',
    ],
)
def test_a_broken_heads_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "heads.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"heads\.json: "):
        read_heads(tmp_path)


def test_heads_come_back_as_they_were_saved(tiny_checkpoint: Path) -> None:
    assert read_heads(tiny_checkpoint) == HeadsConfig(("slavic", "romance"), 32, ("en",))


def test_an_exported_model_says_which_backend_runs_it(tmp_path: Path, tiny_model: Path) -> None:
    (tmp_path / "heads.json").write_bytes((tiny_model / "heads.json").read_bytes())
    with pytest.raises(ValueError, match=r'model\.safetensors: not there.*backend="onnx"'):
        DetectorModel.load(tmp_path)
