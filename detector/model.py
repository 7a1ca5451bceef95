"""The encoder and its three heads, saved and loaded."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .heads import HeadsConfig, read_heads
from .tokens import CASES

SENTENCE_LOGITS = ("damage", "provenance")


class DetectorModel(nn.Module):
    """One encoder, one pass: sentence, token and pivot logits.

    The way each word is written reaches the encoder as an embedding added to its pieces', zero
    at first, so that an uncased base sees capitals and a base starts as it was pretrained.
    """

    def __init__(self, encoder: Any, heads: HeadsConfig, *, dropout: float = 0.1) -> None:
        """Put fresh heads on ``encoder``, any Hugging Face encoder that takes ``inputs_embeds``."""
        super().__init__()
        hidden = encoder.config.hidden_size
        self.encoder = encoder
        self.heads = heads
        self.case = nn.Embedding(CASES, hidden)
        nn.init.zeros_(self.case.weight)
        self.dropout = nn.Dropout(dropout)
        self.pool = nn.Linear(2 * hidden, hidden)
        self.sentence = nn.Linear(hidden, len(SENTENCE_LOGITS))
        self.token = nn.Linear(hidden, 1)
        self.pivot = nn.Linear(hidden, len(heads.pivots))

    def forward(self, ids: Tensor, mask: Tensor, cases: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Judge a padded batch.

        Args:
            ids: Piece ids. Shape (windows, pieces).
            mask: 1 for pieces, 0 for padding. Shape (windows, pieces).
            cases: See `tokens.Window.cases`. Shape (windows, pieces).

        Returns:
            Sentence logits in the order of `SENTENCE_LOGITS`, shape (windows, 2); token logits,
            shape (windows, pieces); pivot logits, shape (windows, pivots).
        """
        embedded = self.encoder.get_input_embeddings()(ids) + self.case(cases)
        hidden = self.encoder(inputs_embeds=embedded, attention_mask=mask).last_hidden_state
        # hidden: (windows, pieces, hidden)
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1)
        largest = (hidden + (weight - 1) * 1e4).amax(1)
        pooled = torch.tanh(self.pool(self.dropout(torch.cat([mean, largest], dim=-1))))
        sentence = self.sentence(self.dropout(pooled))
        token = self.token(self.dropout(hidden)).squeeze(-1)
        return sentence, token, self.pivot(self.dropout(pooled))

    def save(self, folder: Path, *, half: bool = False) -> None:
        """Write ``config.json``, ``heads.json`` and ``model.safetensors`` (fp16 where ``half``)."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        self.encoder.config.save_pretrained(folder)
        (folder / "heads.json").write_text(json.dumps(asdict(self.heads), indent=1) + "\n", encoding="utf-8")
        dtype = torch.float16 if half else torch.float32
        weights = {k: v.detach().to("cpu", dtype).contiguous() for k, v in self.state_dict().items()}
        save_file(weights, folder / "model.safetensors")

    @classmethod
    def load(cls, folder: Path) -> DetectorModel:
        """Read what `save` wrote, in float32, in eval mode. Runs no code from the folder.

        Raises:
            ValueError: If a file is missing or broken, a head or a weight is missing, or a weight
                has another shape than the config says. The message names the file.
        """
        import transformers
        from safetensors.torch import load_file

        auto: Any = transformers  # its factories are not typed
        heads = read_heads(folder)
        config_path, weights_path = folder / "config.json", folder / "model.safetensors"
        if not weights_path.is_file():
            raise ValueError(
                f"{weights_path}: not there; a model that was only exported, as the embedded one, "
                'runs with backend="onnx"'
            )
        try:
            config = auto.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            encoder = auto.AutoModel.from_config(config, trust_remote_code=False, attn_implementation="eager")
            model = cls(encoder, heads)
        except Exception as error:  # whatever a config can be wrong about
            raise ValueError(f"{config_path}: does not describe an encoder: {error}") from None
        try:
            weights = load_file(weights_path)
            model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=True)
        except Exception as error:  # safetensors' errors share no base but Exception
            raise ValueError(f"{weights_path}: does not fit config.json and heads.json: {error}") from None
        return model.eval()
