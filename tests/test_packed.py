from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt
import pytest
import torch
from transformers import BertConfig, BertModel

from training.packed import unpack

HIDDEN, LAYERS, HEADS, WIDE = 32, 2, 4, 64
Array = npt.NDArray[np.float32]


def four_bits(weights: Array) -> bytes:
    """Pack weights that are whole multiples, -8 to 7, of their block's scale."""
    out = b""
    for block in weights.reshape(-1, 32):
        scale = np.float16(0.5)
        steps = (block / np.float32(scale) + 8).astype(np.uint8)
        out += scale.tobytes() + (steps[:16] | (steps[16:] << 4)).tobytes()
    return out


def packed(tensors: dict[str, tuple[Array, bool]]) -> bytes:
    """Write a file: header, a vocabulary of two pieces and one replaced character, directory, tensors."""
    header = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, LAYERS, HEADS, WIDE, 6, 10, 2, 1e-12, 32)
    vocabulary = struct.pack("<5iQ", 2, 0, 1, 0, 1, 3) + struct.pack("<3I2f", 0, 1, 3, 0.0, -1.0) + b"abc"
    vocabulary += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 65, 1, 97)
    stored = {k: four_bits(v) if small else v.astype("<f4").tobytes() for k, (v, small) in tensors.items()}
    size = len(header) + len(vocabulary) + 4 + sum(23 + len(name) for name in stored)
    directory, body = struct.pack("<i", len(stored)), b""
    for name, content in stored.items():
        where = size + len(body)
        directory += struct.pack("<H", len(name)) + name.encode() + b"\x01"
        directory += struct.pack("<IQQ", tensors[name][0].size, where, len(content))
        body += content
    return header + vocabulary + directory + body


def made_up_tensors() -> dict[str, tuple[Array, bool]]:
    """Give every tensor of a small encoder, and whether it is kept in four bits."""
    rng = np.random.default_rng(0)

    def steps(*shape: int) -> tuple[Array, bool]:
        return (rng.integers(-8, 8, shape) * 0.5).astype(np.float32), True

    def floats(*shape: int) -> tuple[Array, bool]:
        return rng.normal(size=shape).astype(np.float32), False

    found = {
        "emb.word": steps(6, HIDDEN), "emb.pos": floats(10, HIDDEN), "emb.type": floats(2, HIDDEN),
        "emb.ln.w": floats(HIDDEN), "emb.ln.b": floats(HIDDEN),
    }  # fmt: skip
    for i in range(LAYERS):
        for name in ("q", "k", "v", "ao"):
            found |= {f"l{i}.{name}.w": steps(HIDDEN, HIDDEN), f"l{i}.{name}.b": floats(HIDDEN)}
        for name in ("aln", "oln"):
            found |= {f"l{i}.{name}.w": floats(HIDDEN), f"l{i}.{name}.b": floats(HIDDEN)}
        found |= {f"l{i}.fi.w": steps(WIDE, HIDDEN), f"l{i}.fi.b": floats(WIDE)}
        found |= {f"l{i}.fo.w": steps(HIDDEN, WIDE), f"l{i}.fo.b": floats(HIDDEN)}
    return found


@pytest.fixture
def tensors() -> dict[str, tuple[Array, bool]]:
    return made_up_tensors()


def test_every_weight_comes_back(tensors: dict[str, tuple[Array, bool]]) -> None:
    found = unpack(packed(tensors))
    assert (found.hidden, found.layers, found.heads, found.intermediate) == (HIDDEN, LAYERS, HEADS, WIDE)
    assert found.epsilon == pytest.approx(1e-12)
    words = found.weights["embeddings.word_embeddings.weight"]
    np.testing.assert_array_equal(words, tensors["emb.word"][0])
    wide = found.weights["encoder.layer.1.output.dense.weight"]
    np.testing.assert_array_equal(wide, tensors["l1.fo.w"][0])
    assert len(found.weights) == len(tensors)


def test_what_comes_back_is_a_bert(tensors: dict[str, tuple[Array, bool]]) -> None:
    found = unpack(packed(tensors))
    config = BertConfig(**found.config())  # type: ignore[arg-type]
    model = BertModel(config, add_pooling_layer=False)
    weights = {name: torch.from_numpy(weight) for name, weight in found.weights.items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected
    assert not [name for name in missing if "position_ids" not in name]


def test_a_broken_file_is_an_error(tensors: dict[str, tuple[Array, bool]]) -> None:
    whole = packed(tensors)
    with pytest.raises(ValueError, match=r"begins with b'E5S1', got b'GGUF'"):
        unpack(b"GGUF" + whole[4:])
    for end in (30, 90, len(whole) - 1):
        with pytest.raises(ValueError, match="breaks off"):
            unpack(whole[:end])
    del tensors["l1.fo.b"]
    with pytest.raises(ValueError, match=r"lacks the tensor 'l1\.fo\.b'"):
        unpack(packed(tensors))
