"""Torch with transformers: training runs, GPUs, checkpoints of any encoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..tokens import Window
from . import WindowLogits

_BATCH_PIECES = 8192


class TorchBackend:
    """Runs ``model.safetensors``, in batches of windows of one length, so that nothing is padded.

    A window's logits agree with those it gets alone to about 1e-5: matrix products of other
    shapes add up in another order.
    """

    name = "torch"
    files: tuple[str, ...] = ("config.json", "model.safetensors")

    def __init__(self, folder: Path, *, device: str = "cpu") -> None:
        """Load the model from ``folder`` onto ``device``.

        Raises:
            ImportError: If torch or transformers is not installed.
            ValueError: If the folder does not hold a whole checkpoint, or there is no such device.
        """
        try:
            from ..model import DetectorModel

            model = DetectorModel.load(folder)
        except ImportError as error:
            raise ImportError(
                'backend="torch" needs torch and transformers: install the "train" extra'
            ) from error
        try:
            self._model = model.to(device)
        except (RuntimeError, AssertionError) as error:  # the second where torch lacks CUDA
            raise ValueError(f"torch cannot use the device {device!r}: {error}") from None
        self._folder = folder
        self._device = device

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the folder and load it again: weights need not travel."""
        return partial(TorchBackend, device=self._device), (self._folder,)

    def run(self, windows: Sequence[Window]) -> Iterator[WindowLogits]:
        """Judge windows in order; see `Backend.run`."""
        import torch

        results: list[WindowLogits | None] = [None] * len(windows)
        by_length: dict[int, list[int]] = {}
        for i, window in enumerate(windows):
            by_length.setdefault(len(window.ids), []).append(i)
        for length, members in by_length.items():
            size = max(1, _BATCH_PIECES // length)
            for k in range(0, len(members), size):
                some = members[k : k + size]
                ids = torch.from_numpy(np.stack([windows[i].ids for i in some])).to(self._device)
                cases = torch.from_numpy(np.stack([windows[i].cases for i in some])).to(self._device)
                with torch.inference_mode():
                    heads = self._model(ids, torch.ones_like(ids), cases)
                sentence, token, pivot = (h.float().cpu().numpy() for h in heads)
                for row, i in enumerate(some):
                    results[i] = WindowLogits(sentence[row], token[row], pivot[row])
        for result in results:
            assert result is not None
            yield result
