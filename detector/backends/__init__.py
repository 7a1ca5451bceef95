"""Two ways to run one model, behind one small protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ..tokens import Window


@dataclass(frozen=True, slots=True)
class WindowLogits:
    """What the heads say of one window.

    Attributes:
        sentence: Damage and provenance logits. Shape (2,), float32.
        token: Damage logit of every piece, special ones included. Shape (pieces,), float32.
        pivot: Logit of every pivot class. Shape (pivots,), float32.
    """

    sentence: npt.NDArray[np.float32]
    token: npt.NDArray[np.float32]
    pivot: npt.NDArray[np.float32]


class Backend(Protocol):
    """Runs the encoder and its heads.

    Attributes:
        name: What users call it.
        files: Files of the model folder that hold the encoder and its heads.
    """

    name: str
    files: tuple[str, ...]

    def run(self, windows: Sequence[Window]) -> Iterator[WindowLogits]:
        """Judge windows, one result each, in order; a window's result depends on it alone."""
        ...
