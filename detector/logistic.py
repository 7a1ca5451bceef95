"""A logistic regression whose every part can be read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression whose every part can be read.

    Attributes:
        features: Names, in order.
        weights: One for each feature, on the feature's own scale.
        means: Where each feature contributes nothing: its mean where the head was fitted.
        bias: The logit at the means.
    """

    features: tuple[str, ...]
    weights: tuple[float, ...]
    means: tuple[float, ...]
    bias: float

    def contributions(self, x: Vector) -> dict[str, float]:
        """Give what each feature adds to the logit, and ``bias``; they add up to it.

        Args:
            x: Features. Shape (features,).
        """
        parts = (x - np.asarray(self.means)) * np.asarray(self.weights)
        return {"bias": self.bias, **dict(zip(self.features, parts.tolist(), strict=True))}

    def logits(self, x: Vector) -> Vector:
        """Give the logit of every row. Shapes (rows, features) -> (rows,)."""
        centred = x - np.asarray(self.means)
        return np.asarray(centred @ np.asarray(self.weights) + self.bias)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Logistic:
        """Read what JSON holds of one.

        Raises:
            ValueError, KeyError, TypeError: If it is not whole.
        """
        head = cls(
            features=tuple(data["features"]),
            weights=tuple(float(w) for w in data["weights"]),
            means=tuple(float(m) for m in data["means"]),
            bias=float(data["bias"]),
        )
        if not len(head.features) == len(head.weights) == len(head.means):
            raise ValueError("features, weights and means differ in number")
        return head


def sigmoid(logit: float) -> float:
    """Give the probability of a logit without overflow.

    Example:
        >>> sigmoid(0.0), sigmoid(-1e6) < 1e-300
        (0.5, True)
    """
    bounded = min(max(logit, -700.0), 700.0)
    return 1 / (1 + math.exp(-bounded))


def logit_of(probability: float) -> float:
    """Give the logit of a probability, at most 9.2 from 0."""
    p = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(p / (1 - p))
