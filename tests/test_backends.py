"""What both backends promise: one result a window, in order, whatever stands beside it."""

from __future__ import annotations

import pickle
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from detector.backends import Backend, WindowLogits
from detector.backends.onnx import OnnxBackend
from detector.backends.torch import TorchBackend
from detector.tokens import Tokenizer, Window

SENTENCES = [
    "The minister and her deputy arrived on Monday.",
    "no",
    "The council announced a sharply higher budget for the schools after talks, and the president agreed.",
    "عاد الوزير إلى المدينة.",
    "部长回到了城市。",
    "😀",
    "",
] * 4


@pytest.fixture(scope="module")
def windows(tiny_model: Path) -> list[Window]:
    tokenizer = Tokenizer(tiny_model, max_tokens=32)
    return [w for s in SENTENCES for w in tokenizer.windows(s)]


@pytest.fixture(scope="module")
def onnx(tiny_model: Path) -> OnnxBackend:
    return OnnxBackend(tiny_model)


@pytest.fixture(scope="module")
def torch(tiny_model: Path) -> TorchBackend:
    return TorchBackend(tiny_model)


def flat(results: list[WindowLogits]) -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    return [np.concatenate([r.sentence, r.token, r.pivot]) for r in results]


@pytest.mark.parametrize("name", ["onnx", "torch"])
def test_each_window_gets_its_own_shapes_in_order(
    request: pytest.FixtureRequest, windows: list[Window], name: str
) -> None:
    backend: Backend = request.getfixturevalue(name)
    results = list(backend.run(windows))
    assert backend.name == name
    assert [len(r.token) for r in results] == [len(w.ids) for w in windows]
    assert {r.sentence.shape for r in results} == {(2,)}
    assert {r.pivot.shape for r in results} == {(2,)}
    assert {v.dtype for r in results for v in (r.sentence, r.token, r.pivot)} == {np.dtype(np.float32)}
    assert list(backend.run([])) == []


def test_onnx_batch_equals_one_by_one_exactly(onnx: OnnxBackend, windows: list[Window]) -> None:
    alone = flat([r for w in windows for r in onnx.run([w])])
    for together in (flat(list(onnx.run(windows))), flat(list(onnx.run(windows[::-1])))[::-1]):
        assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize("threads", [1, 3])
def test_onnx_gives_the_same_on_any_number_of_threads(
    tiny_model: Path, onnx: OnnxBackend, windows: list[Window], threads: int
) -> None:
    other = OnnxBackend(tiny_model, threads=threads)
    ours, theirs = (flat(list(backend.run(windows))) for backend in (onnx, other))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_torch_batch_equals_one_by_one(torch: TorchBackend, windows: list[Window]) -> None:
    alone, together = flat([r for w in windows[:9] for r in torch.run([w])]), flat(list(torch.run(windows)))
    for a, b in zip(alone, together[:9], strict=True):
        assert np.allclose(a, b, atol=1e-4)


def test_backends_agree(onnx: OnnxBackend, torch: TorchBackend, windows: list[Window]) -> None:
    ours, theirs = (np.concatenate(flat(list(b.run(windows)))) for b in (onnx, torch))
    assert np.abs(ours - theirs).max() < 0.05  # int8 against float32
    assert np.corrcoef(ours, theirs)[0, 1] > 0.995


@pytest.mark.parametrize("name", ["onnx", "torch"])
def test_a_backend_travels_to_another_process(
    request: pytest.FixtureRequest, windows: list[Window], name: str
) -> None:
    backend: Backend = request.getfixturevalue(name)
    data = pickle.dumps(backend)
    assert len(data) < 1000  # the folder travels, not the weights
    ours, theirs = flat(list(backend.run(windows[:3]))), flat(list(pickle.loads(data).run(windows[:3])))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("damage", ["missing", "empty", "garbage", "truncated"])
def test_an_onnx_file_that_does_not_load_is_named(
    tiny_model: Path, tmp_path: Path, damage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    data = (tiny_model / "model.onnx").read_bytes()
    content = {"empty": b"", "garbage": b"garbage " * 50, "truncated": data[: len(data) // 2]}.get(damage)
    if content is not None:
        (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.onnx: "):
        OnnxBackend(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_an_onnx_file_with_other_inputs_is_named(tmp_path: Path) -> None:
    from onnx import TensorProto, helper, save

    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "other", inputs, outputs)
    opset = [helper.make_opsetid("", 17)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(tmp_path / "model.onnx"))
    with pytest.raises(ValueError, match=r"model\.onnx: expected inputs ids, mask, cases .* got x and y"):
        OnnxBackend(tmp_path)


@pytest.mark.parametrize("device", ["nowhere", "meta:x"])
def test_an_unknown_device_is_named(tiny_checkpoint: Path, device: str) -> None:
    with pytest.raises(ValueError, match=f"device '{device}'"):
        TorchBackend(tiny_checkpoint, device=device)


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_torch_backend_says_what_to_install(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in (missing, "detector.model"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match="train"):
        TorchBackend(tiny_checkpoint)


def test_torch_needs_no_onnx_file(tiny_model: Path, tmp_path: Path, windows: list[Window]) -> None:
    for name in ("config.json", "heads.json", "model.safetensors"):
        shutil.copyfile(tiny_model / name, tmp_path / name)
    assert len(list(TorchBackend(tmp_path).run(windows))) == len(windows)
