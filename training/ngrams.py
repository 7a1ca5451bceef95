"""Fit the n-grams of each language of a model: `python -m training.ngrams`, after export.

They learn on ``train`` from what machines wrote, round trips and single hops, against what people
wrote: originals, native news, and translations, without which "about a foreign country" is
taken for "by a machine". How much they weigh beside the encoder is chosen on ``dev`` (`training.fusion`).
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from detector.heads import read_heads
from detector.ngrams import BUCKETS, FILE, Ngrams, buckets
from detector.report import Claim

from .corpora import SEED, TRANSLATIONS, read, set_apart

log = logging.getLogger(__name__)

PER_ORIGINAL = 8
"""At most so many round trips of one original: more teach its topic."""
PER_HOP = 4
"""The same of single hops, whose engines answer alike."""
MOST_HOPS, MOST_OF_A_TABLE = 30_000, 20_000
"""At most so many single hops, and sentences of one table of people's text, by chance."""
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
    trips = round_trips(gold, language)
    return (trips, "round_trip") if len(trips) else (single_hops(corpora, language), "machine_translation")


def round_trips(gold: Path, language: str) -> pd.DataFrame:
    """Read round trips of the train split, with the columns of `pairs`; no rows where there are none."""
    path = gold / f"{language}-train.parquet"
    columns = ["original_id", "original", "roundtrip", "engine"]
    return pd.read_parquet(path) if path.is_file() else pd.DataFrame(columns=columns)


def single_hops(corpora: Path, language: str) -> pd.DataFrame:
    """Read machine beside human translations of the train split, with the columns of `pairs`."""
    columns = ("human_id", "human", "machine", "engine")
    try:
        frame = read(corpora, f"single_hop/{language}", columns, split="train")
    except FileNotFoundError:
        frame = pd.DataFrame(columns=columns)
    frame = frame[~frame["human"].isin(set_apart(corpora, language)["text"])]
    return frame.rename(columns={"human_id": "original_id", "human": "original", "machine": "roundtrip"})


def some_of_each(frame: pd.DataFrame, per_original: int = PER_ORIGINAL) -> pd.DataFrame:
    """Keep at most ``per_original`` rows of one original, by chance."""
    order = np.random.default_rng(SEED).permutation(len(frame))
    return frame.iloc[order].groupby("original_id").head(per_original)


class Group(NamedTuple):
    """Texts from one place.

    Attributes:
        texts: Sentences.
        machine: Whether a machine wrote them.
        weight: Of all of them together, beside the others of their side.
    """

    texts: Sequence[str]
    machine: bool
    weight: float = 1.0


def groups(corpora: Path, gold: Path, language: str) -> list[Group]:
    """Read what there is to learn from in a language; groups without texts are left out.

    People's groups weigh alike. Of the machine's, round trips weigh twice what single hops do, which share
    their topics with the translations (chosen on dev, see ``docs/training-log.md``).
    """
    trips = some_of_each(round_trips(gold, language))
    hops = some_of_each(single_hops(corpora, language), PER_HOP).head(MOST_HOPS)
    found = [
        Group(trips["roundtrip"].tolist(), machine=True, weight=2.0),
        Group(hops["roundtrip"].tolist(), machine=True),
        *(Group(frame["original"].tolist(), machine=False) for frame in (trips, hops)),
    ]
    apart = set_apart(corpora, language)["text"]
    for table in ("human/native", TRANSLATIONS):
        try:
            texts = read(corpora, table, ("text",), lang=language, split="train")["text"]
        except FileNotFoundError as error:
            log.warning("left out: %s", error)
            continue
        texts = texts[(texts.str.len() >= _MIN_CHARACTERS) & ~texts.isin(apart)]
        texts = texts.sample(min(len(texts), MOST_OF_A_TABLE), random_state=SEED)
        found.append(Group(texts.tolist(), machine=False))
    return [group for group in found if group.texts]


def fit(some: Sequence[Group]) -> Ngrams:
    """Learn to tell what a machine wrote from what people wrote, both of the same weight.

    Args:
        some: At least one group of either side.
    """
    texts = chain.from_iterable(group.texts for group in some)
    label = np.repeat([group.machine for group in some], [len(group.texts) for group in some])
    weight = np.concatenate([np.full(len(group.texts), group.weight / len(group.texts)) for group in some])
    weight[label] *= weight[~label].sum() / weight[label].sum()
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
        some = groups(args.corpora, args.gold, language)
        if not any(group.machine for group in some):
            log.warning("%s: train holds nothing that a machine wrote", language)
            continue
        found = fit(some)
        arrays |= {language: found.weights, f"{language}.scale": np.array([found.scale, found.bias])}
        machine, people = (sum(len(g.texts) for g in some if g.machine is side) for side in (True, False))
        log.info(
            "%s: %d by machines, %d by people, %d buckets used",
            language, machine, people, np.count_nonzero(found.weights),
        )  # fmt: skip
    np.savez_compressed(args.output / FILE, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main()
