"""Arrays that stand beside a model's weights: an .npz file, whatever is broken in it told as one error."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


@contextmanager
def opened(path: Path, what: str) -> Iterator[Any]:
    """Open a file of arrays; pickles are refused.

    Args:
        path: An ``.npz`` file.
        what: What it should hold, for the message.

    Raises:
        ValueError: If the file, or what the caller takes from it, is broken, naming it.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ValueError(f"{path}: not a file of {what}: {error!r}") from None


def read_weights(path: Path, what: str, language: str) -> tuple[npt.NDArray[Any], list[float]] | None:
    """Read the weights of one language, and their scale and what else is kept beside it.

    Returns:
        Weights and numbers, both unchecked; None where there is no file, or none of the language in it.

    Raises:
        ValueError: If the file is broken, naming it.
    """
    if not path.is_file():
        return None
    with opened(path, what) as arrays:
        if language not in arrays:
            return None
        return arrays[language], [float(number) for number in arrays[f"{language}.scale"]]
