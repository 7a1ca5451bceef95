"""Fit what names the pivot of an English text: `python -m training.pivot_words`, any time after data.

A model only learns to tell the round trips of one original apart: what the originals are about, and
which pivots a corpus happens to have for them, teaches nothing. How sure a
guess is, and from where on it is said, is set on ``dev``.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from detector.fuse import Vector
from detector.pivots import Pivots, distinct_keys, places, spread

from .corpora import roundtrips
from .examine import runs
from .pivots import AREAS, GROUPS, NAMES, group_index

log = logging.getLogger(__name__)

LANGUAGE = "en"
LENGTHS = (5, 10, 20)
"""Sentences of the texts of dev."""
RIGHT = 0.75
"""How often what is said must be right on dev."""
NOWHERE = -1
"""The group of a pivot that has none."""
OF_A_TEXT = ("origin", "year", "docid", "pivot", "engine")

# chosen on dev
_FEWEST_ORIGINALS = 12
_STRENGTH = 0.05
_STEPS = 50
_WIDEST = 127
_FEWEST_TEXTS = 20
_NEVER = 2.0

Rows = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Examples:
    """Round trips to learn from.

    Attributes:
        rows: Which n-grams each has. Shape (round trips, n-grams).
        group: Index into the groups that are fitted. Shape (round trips,).
        rivals: Groups that its original has. Shape (round trips, groups).
        weight: Of one original all groups weigh alike, in a group all pivots, of a pivot all engines; an
            original weighs more the more groups it tells apart. Shape (round trips,).
    """

    rows: csr_matrix[np.float32]
    group: Rows
    rivals: npt.NDArray[np.bool_]
    weight: Vector

    @classmethod
    def of(cls, frame: pd.DataFrame, rows: csr_matrix[np.float32], groups: int) -> Examples:
        """Gather them from round trips with ``group``; of ``rows`` see `matrix`."""
        group = frame["group"].to_numpy(np.int64)
        original = pd.factorize(frame["original_id"])[0]
        rivals = np.zeros((original.max() + 1, groups), dtype=bool)
        rivals[original, group] = True
        count = rivals.sum(axis=1)
        engines = frame.groupby(["original_id", "pivot"])["engine"].transform("size")
        pivots = frame.groupby(["original_id", "group"])["pivot"].transform("nunique")
        of_original = np.where(count > 1, 1 / np.sqrt(count), 0.0)
        return cls(
            rows, group, rivals[original], of_original[original] / (engines * pivots).to_numpy(np.float64)
        )


def known_keys(hashes: Sequence[Hashes], originals: Rows) -> Hashes:
    """Give the n-grams that stand in round trips of enough originals, ascending."""
    pairs = [
        h.astype(np.uint64) << np.uint64(32) | np.uint64(o) for h, o in zip(hashes, originals, strict=True)
    ]
    once = np.unique(np.concatenate(pairs)) >> np.uint64(32)
    found, count = np.unique(once, return_counts=True)
    return np.asarray(found[count >= _FEWEST_ORIGINALS], dtype=np.uint32)


def matrix(hashes: Sequence[Hashes], known: Hashes) -> csr_matrix[np.float32]:
    """Mark which of the known n-grams each sentence has. Shape (sentences, n-grams)."""
    columns = [places(h, known) for h in hashes]
    ends = np.cumsum([0, *map(len, columns)])
    values = np.ones(ends[-1], dtype=np.float32)
    return csr_matrix((values, np.concatenate(columns), ends), shape=(len(hashes), len(known)))


def fit_weights(some: Examples) -> npt.NDArray[np.float64]:
    """Fit a multinomial regression in which only rivals are told apart. Shape (n-grams, groups)."""
    used = some.weight > 0
    x, rivals, group = csr_matrix(some.rows[used]), some.rivals[used], some.group[used]
    weight = (some.weight[used] / some.weight[used].sum()).astype(np.float32)
    gold = np.eye(rivals.shape[1], dtype=np.float32)[group]
    barred = np.where(rivals, 0, -np.inf).astype(np.float32)
    across = csr_matrix(x.T)
    prior = 1 / (_STRENGTH * len(group))

    def loss(flat: Vector) -> tuple[float, Vector]:
        w = flat.reshape(-1, rivals.shape[1]).astype(np.float32)
        probability = spread(x @ w + barred)
        likelihood = np.log(np.maximum(probability[np.arange(len(group)), group], 1e-30))
        slope = across @ ((probability - gold) * weight[:, None]) + prior * w
        value = 0.5 * prior * float((w * w).sum()) - float((weight * likelihood).sum())
        return value, np.asarray(slope, dtype=np.float64).ravel()

    start = np.zeros(x.shape[1] * rivals.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "maxcor": 5})
    return np.asarray(found.x.reshape(-1, rivals.shape[1]))


@dataclass(frozen=True, slots=True)
class Texts:
    """What is known of texts of dev, or of another split.

    Attributes:
        frame: One row a text: ``size``, ``origin``, ``pivot``, ``engine`` and ``group``.
        logits: Summed logits of the sentences of each, not calibrated. Shape (texts, groups).
        weight: All groups alike, in a group the corpora, in these the pivots, then the engines.
    """

    frame: pd.DataFrame
    logits: Vector
    weight: Vector

    @classmethod
    def of(cls, frame: pd.DataFrame, logits: Vector, lengths: Sequence[int] = LENGTHS) -> Texts:
        """Build texts of lines that follow each other.

        Args:
            frame: Round trips with ``group``; index 0, 1, 2, ...
            logits: Of their sentences. Shape (sentences, groups).
            lengths: Of the texts, in sentences.
        """
        found = [(length, run) for length in lengths for run in lines(frame, length)]
        texts = frame.iloc[[run[0] for _, run in found]][["origin", "pivot", "engine", "group"]]
        texts = texts.assign(size=[length for length, _ in found]).reset_index(drop=True)
        sums = np.array([logits[run].sum(axis=0) for _, run in found])
        return cls(texts, sums, even(texts, "size"))


def even(texts: pd.DataFrame, *outer: str) -> Vector:
    """Weigh texts so that all groups count alike, in a group the corpora, then pivots, then engines.

    Args:
        texts: Columns as in `Texts`.
        outer: Columns whose values count alike before the group does.

    Returns:
        Weights that add up to 1. Shape (texts,).
    """
    weight = np.ones(len(texts))
    by: list[str] = []
    for column in (*outer, "group", "origin", "pivot", "engine"):
        kinds = texts[[*by, column]].drop_duplicates()
        if by:
            weight /= texts.join(kinds.groupby(by).size().rename("kinds"), on=by)["kinds"].to_numpy()
        else:
            weight /= len(kinds)
        by.append(column)
    return np.asarray(weight / texts.groupby(by)["group"].transform("size").to_numpy())


def lines(frame: pd.DataFrame, length: int) -> Iterator[Rows]:
    """Cut news and FLORES into texts of consecutive lines; in FLORES a text may change its subject."""
    ranks = frame.groupby(list(OF_A_TEXT), dropna=False)["line"].rank()
    order = frame["line"].where(frame["origin"] != "flores", ranks)
    return runs(frame.assign(line=order), OF_A_TEXT, length)


def calibrate(texts: Texts) -> tuple[float, float]:
    """Give the scale and the power (see `Pivots`) under which dev is likeliest."""
    known = (texts.frame["group"] != NOWHERE).to_numpy()
    logits, weight = texts.logits[known], texts.weight[known]
    size, group = (texts.frame.loc[known, c].to_numpy() for c in ("size", "group"))

    def loss(found: Vector) -> float:
        calibrated = logits * (np.exp(found[0]) / size ** found[1])[:, None]
        likelihood = np.log(np.maximum(spread(calibrated)[np.arange(len(group)), group], 1e-30))
        return -float(np.average(likelihood, weights=weight))

    start = np.array([-np.log(np.abs(logits).mean()), 0.3])
    scale, power = minimize(loss, start, method="Nelder-Mead").x
    return float(np.exp(scale)), float(power)


def levels(groups: Sequence[str]) -> list[dict[str, npt.NDArray[np.bool_]]]:
    """Give what may be said, narrow before wide: which of the fitted groups each name holds."""
    named = ({name: (name,) for name in groups}, AREAS)
    return [
        {n: np.isin(groups, m) for n, m in level.items() if any(g in m for g in groups)} for level in named
    ]


def thresholds(texts: Texts, probability: Vector, groups: Sequence[str]) -> dict[str, float]:
    """Give the confidence from which on what is said is right on dev, one for each level.

    Each level speaks where those before it are silent. A pivot without a group counts as one more group,
    whatever is said of it as wrong.
    """
    found: dict[str, float] = {}
    open_ = np.ones(len(probability), dtype=bool)
    for level in levels(groups):
        members = np.array(list(level.values()))
        sure = probability @ members.T
        confidence, said = sure.max(axis=1), sure.argmax(axis=1)
        group = texts.frame["group"].to_numpy()
        right = members[said, group] & (group != NOWHERE)
        order = np.flatnonzero(open_)[np.argsort(-confidence[open_], kind="stable")]
        weight = texts.weight[order]
        share = np.cumsum(weight * right[order]) / np.cumsum(weight)
        good = np.flatnonzero(share >= RIGHT)
        enough = len(good) and good[-1] >= _FEWEST_TEXTS
        threshold = float(confidence[order[good[-1]]]) if enough else _NEVER
        found |= dict.fromkeys(level, threshold)
        open_ &= confidence < threshold
        log.info("%s: from %.2f on, %d texts left", ", ".join(level), threshold, open_.sum())
    return found


def fit(train: pd.DataFrame, dev: pd.DataFrame) -> Pivots:
    """Learn on train, and set on dev how sure a guess is.

    Args:
        train: Columns of `training.corpora.roundtrips`.
        dev: Likewise.
    """
    present = {group_index(pivot) for pivot in train["pivot"].unique()} - {NOWHERE}
    groups = [NAMES[i] for i in sorted(present)]
    train = prepared(train, groups)
    train = train[train["group"] != NOWHERE].reset_index(drop=True)
    hashes = [distinct_keys(s) for s in train["roundtrip"]]
    known = known_keys(hashes, pd.factorize(train["original_id"])[0])
    log.info("%d round trips, %d n-grams", len(train), len(known))
    weights = fit_weights(Examples.of(train, matrix(hashes, known), len(groups)))
    whole = np.rint(weights * (_WIDEST / (np.abs(weights).max() or 1.0))).astype(np.int8)
    kept = whole.any(axis=1)
    none = np.zeros((0, len(groups)), dtype=bool)
    model = Pivots(known[kept], whole[kept], 1.0, 0.0, (), none, np.zeros(0))
    return calibrated(model, groups, dev)


def calibrated(model: Pivots, groups: Sequence[str], dev: pd.DataFrame) -> Pivots:
    """Give a model its scale, its power, and what it may say from which confidence on."""
    frame = prepared(dev, groups)
    texts = Texts.of(frame, np.array([model.logits(s) for s in frame["roundtrip"]]))
    scale, power = calibrate(texts)
    sizes = texts.frame["size"].to_numpy(np.float64)
    at = thresholds(texts, spread(texts.logits * (scale / sizes**power)[:, None]), groups)
    members = {name: m for level in levels(groups) for name, m in level.items()}
    return Pivots(
        model.keys, model.weights, scale, power, tuple(members), np.array(list(members.values())),
        np.array([at[name] for name in members]),
    )  # fmt: skip


def prepared(frame: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Add ``group``, the index of each pivot's group in ``groups`` or `NOWHERE`; an engine answers once."""
    index = {pivot: i for i, name in enumerate(groups) for pivot in GROUPS[name]}
    once = frame.drop_duplicates(["original_id", "pivot", "engine"]).reset_index(drop=True)
    return once.assign(group=[index.get(pivot, NOWHERE) for pivot in once["pivot"]])


def main() -> None:
    """Write ``pivots.npz`` into the folder of a model."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--output", type=Path, default=Path("runs/default"), help="a folder")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    model = fit(*(roundtrips(args.corpora, LANGUAGE, split) for split in ("train", "dev")))
    model.save(args.output, LANGUAGE)
    log.info("scale %.4f, power %.2f, %d n-grams", model.scale, model.power, len(model.keys))


if __name__ == "__main__":
    main()
