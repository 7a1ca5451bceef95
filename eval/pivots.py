"""Measure how well the pivot of laundered English texts is named: `python -m eval.pivots`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from detector import Detector
from detector.detect import DEFAULT_MODEL
from detector.fuse import Vector
from detector.pivots import Guess, Pivots
from training.corpora import SEED, read, roundtrips
from training.pivot_words import LANGUAGE, even, lines, prepared
from training.pivots import AREAS, GROUPS, NAMES, holds

from .figures import take
from .metrics import expected_calibration_error
from .samples import Familiar

LENGTHS = (10, 20)
SILENT = "(silent)"
_RESAMPLES = 200


def guessed(frame: pd.DataFrame, pivots: Pivots) -> pd.DataFrame:
    """Guess the pivot of texts of lines that follow each other.

    Args:
        frame: What `training.pivot_words.prepared` gives, with ``cell``.
        pivots: What guesses.

    Returns:
        One row a text: ``size``, ``origin``, ``cell``, ``pivot``, ``engine``, ``group``, ``place`` (what
        a bootstrap draws together), ``rows`` (its sentences), ``said``, ``confidence`` and ``right``.
    """
    logits = np.array([pivots.logits(s) for s in frame["roundtrip"]])
    rows = []
    for size in LENGTHS:
        for run in lines(frame, size):
            first = frame.iloc[run[0]]
            guess = pivots.guess_from(logits[run].sum(axis=0), size)
            place = f"{first.origin} {first.year} {first.docid} {first.line // 20}"
            rows.append(
                (size, *first[["origin", "cell", "pivot", "engine", "group"]], place, run, *_said(guess))
            )
    columns = ["size", "origin", "cell", "pivot", "engine", "group", "place", "rows", "said", "confidence"]
    texts = pd.DataFrame(rows, columns=columns)
    texts["right"] = [s != SILENT and holds(s, p) for s, p in zip(texts["said"], texts["pivot"], strict=True)]
    return texts


def _said(guess: Guess | None) -> tuple[str, float]:
    return (SILENT, np.nan) if guess is None else guess


def figures(texts: pd.DataFrame) -> dict[str, Any]:
    """Say how often something is said, how often that is right, and how narrow it is; groups count alike."""
    weight = even(texts)
    said, right = (texts["said"] != SILENT).to_numpy(), texts["right"].to_numpy(bool)
    statistics = {
        "said": lambda drawn: _rate(said, weight * drawn),
        "right when said": lambda drawn: _rate(right[said], (weight * drawn)[said]),
    }
    taken = take(statistics, len(texts), texts["place"].to_numpy(str), resamples=_RESAMPLES)
    found: dict[str, Any] = {"texts": len(texts)}
    for name, figure in taken.items():
        found |= {name: figure.value, f"{name}, interval": figure.interval}
    for level, names in _LEVELS.items():
        of = texts["said"].isin(names).to_numpy()
        found[level] = {"said": _share(of, weight), "right": _share(right[of], weight[of])}
    if said.any():
        confidence = texts.loc[said, "confidence"].to_numpy(float)
        found["mean confidence"] = float(np.average(confidence, weights=weight[said]))
        found["calibration error"] = expected_calibration_error(
            right[said].astype(float), confidence, weight[said], bins=10
        )
    return found


_LEVELS = {"group": NAMES, "area": tuple(AREAS)}


def _share(flags: Vector, weight: Vector) -> float | None:
    return _rate(flags, weight) if weight.sum() else None


def _rate(flags: Vector, weight: Vector) -> float:
    if not weight.sum():
        raise ValueError("nothing is said")
    return float(np.average(flags, weights=weight))


def parts(texts: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """Cut texts of one length by corpus, by what training has seen, and by group."""
    found = {"all": texts}
    for column in ("origin", "cell"):
        found |= {str(value): some for value, some in texts.groupby(column)}
    for (origin, cell), some in texts.groupby(["origin", "cell"]):
        found[f"{origin}, {cell}"] = some
    for name in (*NAMES, "(no group)"):
        inside = texts["pivot"].map(lambda p, name=name: _group(p) == name)
        if inside.any():
            found[f"group {name}"] = texts[inside]
    return found


def _group(pivot: str) -> str:
    return next((name for name, members in GROUPS.items() if pivot in members), "(no group)")


def confusion(texts: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Give for each group the shares of what is said of its texts; pivots count alike."""
    table = pd.DataFrame({"group": texts["pivot"].map(_group), "said": texts["said"], "weight": even(texts)})
    shares = table.pivot_table(index="group", columns="said", values="weight", aggfunc="sum", fill_value=0.0)
    found: dict[str, dict[str, float]] = shares.div(shares.sum(axis=1), axis=0).round(3).to_dict("index")
    return found


def of_people(sentences: Sequence[str], pivots: Pivots, size: int) -> dict[str, Any]:
    """Say how often people's own texts would be given a pivot, were they flagged."""
    texts = [sentences[k : k + size] for k in range(0, len(sentences) - size + 1, size)]
    said = [guess for text in texts if (guess := pivots.guess(text))]
    names = pd.Series([guess.name for guess in said]).value_counts(normalize=True)
    return {
        "texts": len(texts),
        "said": len(said) / len(texts) if texts else None,
        "mean confidence": float(np.mean([g.confidence for g in said])) if said else None,
        "names": names.round(3).to_dict(),
    }


def flagged(texts: pd.DataFrame, frame: pd.DataFrame, detector: Detector, most: int) -> dict[str, Any]:
    """Read some texts whole with the detector: how many are flagged, and what it says of those.

    Args:
        texts: Of `guessed`.
        frame: Their sentences.
        detector: With the same pivots.
        most: At most so many, all groups alike.
    """
    order = texts.sample(frac=1.0, random_state=SEED)
    some = order[order.groupby("group").cumcount() < most // max(1, texts["group"].nunique())]
    reports = [
        detector.analyze(" ".join(frame["roundtrip"].iloc[r]), language=LANGUAGE) for r in some["rows"]
    ]
    caught = np.array([r.verdict == "flagged" for r in reports])
    shown = some.assign(said=[r.pivot or SILENT for r in reports])
    shown["confidence"] = [r.pivot_confidence for r in reports]
    shown["right"] = [s != SILENT and holds(s, p) for s, p in zip(shown["said"], shown["pivot"], strict=True)]
    of_flagged = {"of flagged": figures(shown[caught])} if caught.any() else {}
    return {"texts": len(some), "flagged": float(caught.mean()), **of_flagged, "of these, all": figures(some)}


def measure(
    corpora: Path, model: Path, split: str, *, whole_texts: int, people: int = 20_000
) -> dict[str, Any]:
    """Give all figures.

    Raises:
        ValueError: If the model does not name pivots.
    """
    pivots = Pivots.load(model, LANGUAGE)
    if pivots is None:
        raise ValueError(f"{model}: has no pivots.npz of {LANGUAGE!r}: python -m training.pivot_words")
    groups = pivots.names[: pivots.weights.shape[1]]
    frame = prepared(roundtrips(corpora, LANGUAGE, split), groups)
    familiar = Familiar.of(
        *(read(corpora, f"roundtrip/{LANGUAGE}", ("engine", "pivot"), split=s) for s in ("train", "dev"))
    )
    frame["cell"] = [familiar.cell(e, p) for e, p in zip(frame["engine"], frame["pivot"], strict=True)]
    texts = guessed(frame, pivots)
    native = read(corpora, "human/native", ("text", "year", "line"), lang=LANGUAGE, split=split)
    native = native.sort_values(["year", "line"])["text"].head(people).tolist()
    found: dict[str, Any] = {"model": str(model.name), "split": split}
    for size, some in texts.groupby("size"):
        found[f"texts of {size}"] = {name: figures(part) for name, part in parts(some).items()}
        found[f"texts of {size}, said of each group"] = confusion(some)
        found[f"texts of {size}, people's"] = of_people(native, pivots, size)
    if whole_texts:
        longest = texts[texts["size"] == texts["size"].max()]
        found["read whole"] = flagged(longest, frame, Detector.from_pretrained(model), whole_texts)
    return found


def show(found: Mapping[str, Any]) -> None:
    """Print a table for each length."""
    for size in (length for length in LENGTHS if f"texts of {length}" in found):
        print(f"\ntexts of {size}: said, right when said; of these by level (said/right); mean confidence")
        for name, row in found[f"texts of {size}"].items():
            levels = " ".join(
                f"{level} {_cell(row[level]['said'])}/{_cell(row[level]['right'])}" for level in _LEVELS
            )
            ends = row["right when said, interval"] or (None, None)
            right = f"{_cell(row['right when said'])} [{_cell(ends[0])}-{_cell(ends[1])}]"
            sure = _cell(row.get("mean confidence"))
            print(f"{name:38s} n {row['texts']:6d}  {_cell(row['said'])}  {right}  {levels}  {sure}")
        table = pd.DataFrame(found[f"texts of {size}, said of each group"]).T
        print((100 * table).round().astype(int).to_string())
        print("people's:", found[f"texts of {size}, people's"])
    if "read whole" in found:
        print("read whole:", json.dumps(found["read whole"], indent=1))


def _cell(value: float | None) -> str:
    return "  -  " if value is None or np.isnan(value) else f"{value:.3f}"


def main(arguments: list[str] | None = None) -> int:
    """Print the figures; exit code 0, or 2 where corpora or model are not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="folder with pivots.npz")
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument(
        "--whole-texts", type=int, default=0, help="texts that the encoder reads too; they take time"
    )
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args(arguments)
    try:
        found = measure(options.corpora, options.model, options.split, whole_texts=options.whole_texts)
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
