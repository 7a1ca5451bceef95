"""Fit the n-grams of each language of a model: `python -m training.ngrams`, after export.

They learn on ``train`` from round trips and their originals, or, where a language has none, from machine
beside human translations of one source; and from native news, so that what is news is not taken
for what is human. How much they weigh beside the encoder is chosen on ``dev`` (`training.fusion`).
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from detector.heads import read_heads
from detector.ngrams import BUCKETS, FILE, Ngrams, buckets
from detector.report import Claim

from .corpora import SEED, read

log = logging.getLogger(__name__)

MOST_NATIVE = 20_000
PER_ORIGINAL = 8
"""At most so many rows of one original: more teach its topic."""
# of 1, 4 and 16 the best on dev, over ten languages
_STRENGTH = 4.0
_MIN_CHARACTERS = 20
_Weight, _WIDEST = np.int8, 127


def pairs(corpora: Path, gold: Path, language: str) -> tuple[pd.DataFrame, Claim]:
    """Read what a machine wrote in the train split of a language, each beside its human side.

    Args:
        corpora: A folder of the shape of `training.corpora`.
        gold: What `training.damage` wrote.
        language: BCP 47 tag.

    Returns:
        Columns ``original_id``, ``original``, ``roundtrip`` and ``engine`` at least, and what they are:
        round trips, or single hops where there are none; no rows where train holds nothing.
    """
    path = gold / f"{language}-train.parquet"
    if path.is_file() and len(frame := pd.read_parquet(path)):
        return frame, "round_trip"
    columns = ("human_id", "human", "machine", "engine")
    try:
        hops = read(corpora, f"single_hop/{language}", columns, split="train")
    except FileNotFoundError:
        hops = pd.DataFrame(columns=columns)
    names = {"human_id": "original_id", "human": "original", "machine": "roundtrip"}
    return hops.rename(columns=names), "machine_translation"


def some_of_each(frame: pd.DataFrame, per_original: int = PER_ORIGINAL) -> pd.DataFrame:
    """Keep at most ``per_original`` rows of one original, by chance."""
    order = np.random.default_rng(SEED).permutation(len(frame))
    return frame.iloc[order].groupby("original_id").head(per_original)


def fit(machine: pd.DataFrame, native: Sequence[str]) -> Ngrams:
    """Learn to tell what a machine wrote from what people wrote, both of the same weight.

    Args:
        machine: Columns of `pairs`; the human side of each counts as often as there are rows of it.
        native: Other sentences by people.
    """
    originals = machine.groupby("original_id").agg(text=("original", "first"), count=("original", "size"))
    texts = chain(machine["roundtrip"], originals["text"], native)
    label = np.repeat([1, 0], [len(machine), len(originals) + len(native)])
    weight = np.concatenate([np.ones(len(machine)), originals["count"], np.ones(len(native))])
    weight[label == 1] *= weight[label == 0].sum() / weight[label == 1].sum()
    model: Any = LogisticRegression(C=_STRENGTH, solver="liblinear", random_state=SEED)
    model.fit(_rows(texts), label, sample_weight=weight / weight.mean())
    weights = model.coef_[0]
    scale = float(np.abs(weights).max()) / _WIDEST or 1.0
    return Ngrams(np.rint(weights / scale).astype(_Weight), scale, float(model.intercept_[0]))


def _rows(texts: Iterable[str]) -> csr_matrix[np.float64]:
    """Give a row of Euclidean length 1 for each text. Shape (texts, BUCKETS)."""
    found = [list(buckets(text)) for text in texts]
    counts = np.array([len(f) for f in found])
    starts = np.concatenate([[0], np.cumsum(counts)])
    values: npt.NDArray[np.float64] = np.repeat(1 / np.sqrt(counts), counts)
    return csr_matrix((values, np.fromiter(chain(*found), np.int32), starts), shape=(len(found), BUCKETS))


def main() -> None:
    """Write ``ngrams.npz`` into the folder of a model."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--gold", type=Path, default=Path("runs/gold"))
    parser.add_argument("--output", type=Path, default=Path("runs/default"), help="folder with heads.json")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    arrays: dict[str, npt.NDArray[Any]] = {}
    for language in read_heads(args.output).languages:
        machine, kind = pairs(args.corpora, args.gold, language)
        if machine.empty:
            log.warning("%s: train holds nothing that a machine wrote", language)
            continue
        native = read(args.corpora, "human/native", ("text",), lang=language, split="train")["text"]
        native = native[native.str.len() >= _MIN_CHARACTERS].head(MOST_NATIVE)
        found = fit(some_of_each(machine), native.tolist())
        arrays |= {language: found.weights, f"{language}.scale": np.array([found.scale, found.bias])}
        log.info(
            "%s: %d of %s, %d buckets used", language, len(machine), kind, np.count_nonzero(found.weights)
        )
    np.savez_compressed(args.output / FILE, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main()
