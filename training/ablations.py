"""What each part of the training is worth: `python -m training.ablations --sentences 11000`."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from .corpora import SEED
from .examples import Share
from .train import SETTINGS, Trainer, TrainingConfig, flags

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Variant:
    """A training that differs from the whole one.

    Attributes:
        name: Of the folder and the row of the table.
        config: Changed fields of `TrainingConfig`.
        share: Changed fields of `Share`.
    """

    name: str
    config: Mapping[str, object] = field(default_factory=dict)
    share: Mapping[str, int] = field(default_factory=dict)


_USUAL = Share()

VARIANTS = (
    Variant("all"),
    Variant("all, another seed", {"seed": SEED + 1}),
    Variant("without punctuation normalised", {"normalise": False}),
    Variant("without the pairwise term", {"pair_weight": 0.0}),
    Variant("without the token head", {"token_weight": 0.0}),
    Variant("without people's text and single hops", share={"human": 0, "single_hop": 0}),
    Variant("without readings", share={"read": 0, "roundtrip": _USUAL.read + _USUAL.roundtrip}),
)
"""Each reads as many sentences in all: what one source no longer gives, the others do."""


def measure(variant: Variant, config: TrainingConfig) -> Mapping[str, float]:
    """Train a variant in a folder of its own, unless it is there, and give its figures on dev.

    Raises:
        ValueError: If what is there was trained with other settings.
    """
    folder = Path(config.output) / variant.name.replace(" ", "-").replace(",", "").replace("'", "")
    share = dataclasses.replace(config.share, **variant.share)
    wanted = dataclasses.replace(config, output=str(folder), share=share, **variant.config)  # type: ignore[arg-type]
    if (folder / SETTINGS).is_file():
        there = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        asked = dataclasses.asdict(wanted)
        if other := [name for name in asked if there.get(name) != asked[name]]:
            raise ValueError(f"{folder} was trained with another {', '.join(other)}: give another --output")
    if not (folder / "model.safetensors").is_file():
        Trainer(wanted).fit()
    last = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    figures: dict[str, float] = json.loads(last)
    return figures


def table(rows: Sequence[tuple[str, Mapping[str, float]]]) -> str:
    """Give a Markdown table of figures, one row a variant; a dash where one has no such figure."""
    names = list(dict.fromkeys(name for _, figures in rows for name in figures))
    lines = [f"| variant | {' | '.join(names)} |", "|" + " --- |" * (len(names) + 1)]
    for variant, figures in rows:
        cells = [f"{figures[n]:g}" if n in figures else "-" for n in names]
        lines.append(f"| {variant} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Train every variant for as many sentences, and print the table of their figures on dev."""
    config = TrainingConfig(**vars(flags(main.__doc__).parse_args()))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(os.cpu_count() or 1)
    rows = []
    for variant in VARIANTS:
        rows.append((variant.name, measure(variant, config)))
        log.info("so far:\n%s", table(rows))
    print(table(rows))


if __name__ == "__main__":
    main()
