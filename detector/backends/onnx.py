"""ONNX Runtime: the default. No torch, starts in a fraction of a second, int8 on a CPU."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..tokens import Window
from . import WindowLogits

_AHEAD = 512


class OnnxBackend:
    """Runs ``model.onnx``.

    Each window is run by itself, several at a time on a pool of threads. Dynamic quantisation
    takes its scale from the whole input, so a window in a batch would get a score that depends on
    its neighbours; alone it does not, nothing is spent on padding, and on two cores it is no
    slower (see `benchmarks/`).
    """

    name = "onnx"
    files: tuple[str, ...] = ("model.onnx",)

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        """Load ``model.onnx`` from ``folder``.

        Args:
            folder: A model folder.
            threads: Windows judged at the same time; by default one for each usable core.

        Raises:
            ValueError: If the file is missing, is not ONNX, or has other inputs or outputs.
        """
        import onnxruntime

        path = folder / "model.onnx"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # errors are raised, not printed
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors share no base but Exception
            reason, _, _ = str(error).partition("\n")
            raise ValueError(f"{path}: cannot be loaded: {reason}") from None
        inputs = [i.name for i in self._session.get_inputs()]
        outputs = [o.name for o in self._session.get_outputs()]
        if inputs != ["ids", "mask", "cases"] or outputs != ["sentence", "token", "pivot"]:
            raise ValueError(
                f"{path}: expected inputs ids, mask, cases and outputs sentence, token, pivot, "
                f"got {', '.join(inputs)} and {', '.join(outputs)}"
            )
        self._folder = folder
        self._threads = threads or os.cpu_count() or 1

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the folder and load it again: a session of ONNX Runtime cannot travel."""
        return partial(OnnxBackend, threads=self._threads), (self._folder,)

    def run(self, windows: Sequence[Window]) -> Iterator[WindowLogits]:
        """Judge windows in order; see `Backend.run`."""
        if len(windows) == 1:
            yield self._run_one(windows[0])
            return
        with ThreadPoolExecutor(self._threads) as pool:
            for k in range(0, len(windows), _AHEAD):  # bounds what waits in the pool
                yield from pool.map(self._run_one, windows[k : k + _AHEAD])

    def _run_one(self, window: Window) -> WindowLogits:
        ids, cases = window.ids[None], window.cases[None]
        feed = {"ids": ids, "mask": np.ones_like(ids), "cases": cases}
        sentence, token, pivot = self._session.run(None, feed)
        return WindowLogits(sentence[0], token[0], pivot[0])
