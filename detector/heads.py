"""What a model's heads were built for: the one file every backend reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LEAST_TOKENS = 8  # two special pieces, and windows that can overlap by a quarter


@dataclass(frozen=True, slots=True)
class HeadsConfig:
    """What the heads were built for; stored as ``heads.json`` beside the weights.

    Attributes:
        pivots: Names of the pivot head's classes, in order.
        max_tokens: Longest window the encoder was trained on, in pieces.
        languages: BCP 47 tags the model judges.
    """

    pivots: tuple[str, ...]
    max_tokens: int
    languages: tuple[str, ...]


def read_heads(folder: Path) -> HeadsConfig:
    """Read ``heads.json``.

    Raises:
        ValueError: If it is missing, broken, or lacks a field.
    """
    path = folder / "heads.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        heads = HeadsConfig(
            pivots=_names(data, "pivots"),
            max_tokens=int(data["max_tokens"]),
            languages=_names(data, "languages"),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a heads file: {error!r}") from None
    if heads.max_tokens < _LEAST_TOKENS:
        raise ValueError(f"{path}: max_tokens must be {_LEAST_TOKENS} or more, got {heads.max_tokens}")
    return heads


def _names(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = data[key]
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise TypeError(f"{key} must be a list of names, got {names!r}")
    return tuple(names)
