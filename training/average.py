"""Mean of two runs' weights: `python -m training.average runs/one runs/two --share 0.75`."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from detector.model import DetectorModel


def average(first: Path, second: Path, output: Path, *, share: float) -> None:
    """Write a checkpoint whose weights lie between two of one lineage.

    A long run moves past what it knew; the mean of before and after often judges new text better
    than either (Wortsman et al. 2022, robust fine-tuning by weight interpolation).

    Args:
        first: Folder that training wrote.
        second: Folder of a run that started from the first.
        output: Folder to write.
        share: Weight of the second, 0.0 to 1.0; choose it on dev.

    Raises:
        ValueError: If ``share`` is out of range, or the two do not have the same weights.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be between 0 and 1, got {share}")
    model, other = DetectorModel.load(first), DetectorModel.load(second)
    ours, theirs = model.state_dict(), other.state_dict()
    if {k: v.shape for k, v in ours.items()} != {k: v.shape for k, v in theirs.items()}:
        raise ValueError(f"{first} and {second} do not have the same weights")
    model.load_state_dict({k: ours[k].lerp(theirs[k], share) for k in ours})
    model.save(output)
    shutil.copyfile(second / "tokenizer.json", output / "tokenizer.json")


def main() -> None:
    """Average the weights of two runs, the second started from the first."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--share", type=float, default=0.75, help="weight of the second")
    args = parser.parse_args()
    average(args.first, args.second, args.output, share=args.share)


if __name__ == "__main__":
    main()
