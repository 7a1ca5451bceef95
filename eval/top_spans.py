"""Sheets of the surest span of flagged sentences, for a reader to call damage or harmless.

``python -m eval.top_spans write FOLDER`` draws flagged round trips, `python -m eval.top_spans count FOLDER`
takes the answers: what alignment calls changed may be a harmless paraphrase, and only reading tells.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from detector.backends.onnx import OnnxBackend
from detector.fuse import Fusion
from detector.kinds import Kinds
from detector.logistic import logit_of
from training.corpora import SEED
from training.examine import examine

GUIDE = """\
# How to read

Each item has a number, `O`, what an author wrote, `R`, what came back of it through a translator with
one place in [brackets], and `K`, the kind of damage the place was taken for.

Answer with one line an item: number, verdict and, where the kind is wrong, the right one, with tabs
between them. The verdict is
`damage`: a careful editor would mark the place, or part of it, without seeing O;
`changed`: it reads well but says something else than O;
`harmless`: it says the same in other words, or nothing was changed.
"""
VERDICTS = ("damage", "changed", "harmless")
_SHEET, _ANSWERS, _AT_ONCE, _POINT = "top-spans.txt", "top-spans.lab", 1000, "fpr_1e-2"


def draw(gold: pd.DataFrame, folder: Path, language: str, *, count: int, seed: int) -> Iterator[str]:
    """Give up to ``count`` items of a sheet: flagged round trips with their surest span.

    Of each original there is one at most.

    Args:
        gold: Columns original_id, original and roundtrip.
        folder: The model's.
        language: BCP 47 tag.
        count: How many.
        seed: Seeds the draw.

    Raises:
        ValueError: If the model flags no sentence of the language.
    """
    fusion, backend = Fusion.load(folder).of(language), OnnxBackend(folder)
    point = fusion.operating_points[_POINT].sentence
    if point is None:
        raise ValueError(f"no sentence of {language!r} is flagged at {_POINT}")
    finder = fusion.finder(Kinds.load(folder, language))
    frame = gold[~(gold["original"] + gold["roundtrip"]).str.contains(r"[\n\r]")]
    frame = frame.sample(frac=1, random_state=seed).drop_duplicates("original_id")
    drawn = 0
    for start in range(0, len(frame), _AT_ONCE):
        some = frame.iloc[start : start + _AT_ONCE]
        texts, originals = some["roundtrip"].tolist(), some["original"].tolist()
        examined = examine(texts, language, folder, backend)
        for i in np.flatnonzero(fusion.sentence.logits(examined.features) >= logit_of(point)).tolist():
            spans = finder.find(texts[i], examined.logits[i].words)
            if not spans:
                continue
            best = max(spans, key=lambda s: s.score)
            shown = f"{texts[i][: best.start]}[{texts[i][best.start : best.end]}]{texts[i][best.end :]}"
            yield f"{drawn}\nO {originals[i]}\nR {shown}\nK {best.kind}\n"
            drawn += 1
            if drawn == count:
                return


def count(sheet: str, answers: str) -> dict[str, float]:
    r"""Give the share of each verdict, and of items whose kind is right.

    Args:
        sheet: What was written.
        answers: One line an item (see `GUIDE`).

    Raises:
        ValueError: If an answer is missing, doubled or malformed. The message names the line.

    Example:
        >>> count("0\nO He sat.\nR He [sitted].\nK agreement\n", "0\tdamage\n")
        {'damage': 1.0, 'changed': 0.0, 'harmless': 0.0, 'kind right': 1.0}
    """
    items = sheet.split("\n")[:-1:4]
    verdicts: dict[str, tuple[str, bool]] = {}
    for line_number, line in enumerate(answers.splitlines(), start=1):
        if not line.strip():
            continue
        item, verdict, *kind = [*(part.strip() for part in line.split("\t")), ""]
        if item not in items or item in verdicts or verdict not in VERDICTS:
            raise ValueError(f"line {line_number}: not a new item and one of {', '.join(VERDICTS)}: {line!r}")
        verdicts[item] = verdict, not any(kind)
    if missing := [item for item in items if item not in verdicts]:
        raise ValueError(f"no answer for items {', '.join(missing[:5])}")
    found = Counter(verdict for verdict, _ in verdicts.values())
    right = sum(is_right for _, is_right in verdicts.values())
    return {**{v: found[v] / len(items) for v in VERDICTS}, "kind right": right / len(items)}


def main() -> None:
    """Write a sheet of flagged test sentences, or count the answers to it."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("do", choices=["write", "count"])
    parser.add_argument("folder", type=Path, help=f"folder of {_SHEET}, with answers in {_ANSWERS}")
    parser.add_argument("--gold", type=Path, default=Path("runs/gold"), help="what training.damage wrote")
    parser.add_argument("--model", type=Path, default=Path("detector/assets/default"), help="model folder")
    parser.add_argument("--language", default="en")
    parser.add_argument("--split", choices=["dev", "test"], default="test")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    path = args.folder / _SHEET
    try:
        if args.do == "count":
            answers = (args.folder / _ANSWERS).read_text("utf-8")
            for name, share in count(path.read_text("utf-8"), answers).items():
                print(f"{name}: {share:.3f}")
            return
        if path.exists():
            raise FileExistsError(f"{path} is there already: give another folder")
        gold = pd.read_parquet(args.gold / f"{args.language}-{args.split}.parquet")
        items = list(draw(gold, args.model, args.language, count=args.count, seed=args.seed))
        args.folder.mkdir(parents=True, exist_ok=True)
        (args.folder / "GUIDE.md").write_text(GUIDE, encoding="utf-8")
        path.write_text("".join(items), encoding="utf-8")
        print(f"{path}: {len(items)} items")
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
