"""How often the learnt kind of a found span is right, language by language: `python -m eval.kinds`.

Gold follows from what round trips made of their originals (see `training.kinds`). A table is worth its
place where its kinds are right more often than those by form, and than the commonest kind would be.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from detector.backends import Backend
from detector.backends.onnx import OnnxBackend
from detector.fuse import Fusion
from detector.kinds import Kinds
from training.examine import examine
from training.examples import changed_spans
from training.spans import some_of

from .figures import Row, Scored
from .run import plain
from .words import find, kinds_right, known_kinds

RESAMPLES = 200


def measure(
    model: Path, backend: Backend, kinds: Kinds | None, language: str, gold: Path, split: str, most: int
) -> Row:
    """Take the figures of one language, over the spans found in sentences, flagged or not.

    Args:
        model: A model folder.
        backend: Runs its encoder.
        kinds: Of the language; without them kinds are told by form.
        language: BCP 47 tag.
        gold: What `training.damage` wrote.
        split: ``dev`` to choose by, or ``test``.
        most: Round trips that are read.

    Raises:
        FileNotFoundError: If there is no gold of the language.
    """
    frame = some_of(gold, language, split, most)
    pairs = list(zip(frame["original"], frame["roundtrip"], frame["pivot"], strict=True))
    examined = examine(frame["roundtrip"].tolist(), language, model, backend)
    frame = frame.assign(
        text=frame["roundtrip"],
        spans=[changed_spans(original, roundtrip, language) for original, roundtrip, _ in pairs],
        kinds=[known_kinds(original, roundtrip, language, pivot) for original, roundtrip, pivot in pairs],
    )
    finder = Fusion.load(model).of(language).finder(kinds)
    found = find(Scored(frame, examined.logits), np.arange(len(frame)), finder, 0.5)
    return kinds_right(found, frame["original_id"].to_numpy(str), RESAMPLES)


def main() -> None:
    """Print the figures of each language as one line of JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--gold", type=Path, default=Path("runs/gold"), help="what training.damage wrote")
    parser.add_argument("--model", type=Path, default=Path("detector/assets/default/many"))
    parser.add_argument("--kinds", type=Path, help="folder of kinds.npz, by default the model's")
    parser.add_argument("--languages", required=True, help="BCP 47 tags with commas between them")
    parser.add_argument("--split", choices=["dev", "test"], default="dev")
    parser.add_argument("--most", type=int, default=1000, help="round trips of a language that are read")
    args = parser.parse_args()
    try:
        backend = OnnxBackend(args.model)
        for language in args.languages.split(","):
            kinds = Kinds.load(args.kinds or args.model, language)
            row = measure(args.model, backend, kinds, language, args.gold, args.split, args.most)
            print(json.dumps({"language": language, **{k: plain(f) for k, f in row.items()}}), flush=True)
    except (OSError, ValueError, KeyError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
