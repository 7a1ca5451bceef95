"""What a score is worth: pure functions over gold and scores.

All of them raise ValueError where the data cannot answer: a class without a row, arrays of
different lengths, a score that is not a number. None of them guesses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Order:
    """Two classes of scores, sorted once, so that thousands of weightings need not sort them again.

    A weight says how often a row counts: whole numbers, as a bootstrap draws them. Shape (rows,).

    Attributes:
        positive: Positive rows, lowest score first.
        negative: Negative rows, lowest score first.
        below: For each of ``positive``, how many of ``negative`` score lower.
        up_to: The same, and those that score as high.
    """

    positive: Rows
    negative: Rows
    below: Rows
    up_to: Rows

    @classmethod
    def of(cls, gold: Bools, scores: Floats) -> Order:
        """Sort scores; arguments and errors are those of `auc`."""
        _check(gold, scores)
        if gold.dtype != np.bool_:
            raise ValueError(f"gold must be boolean, got {gold.dtype}")
        rows = np.argsort(scores, kind="stable")
        positive, negative = rows[gold[rows]], rows[~gold[rows]]
        if not len(positive) or not len(negative):
            raise ValueError(
                f"both classes are needed, got {len(positive)} positive and {len(negative)} negative rows"
            )
        below, up_to = (np.searchsorted(scores[negative], scores[positive], side) for side in _SIDES)
        return cls(positive, negative, below, up_to)

    def auc(self, weight: Floats) -> float:
        """Give `auc` of rows so weighted; ValueError if a class weighs nothing."""
        of_positive, counted = self._weigh(weight)
        before = np.concatenate([[0.0], counted])
        hits = (before[self.below] + before[self.up_to]) @ of_positive / 2
        return float(hits / of_positive.sum() / counted[-1])

    def tpr(self, fpr: float, weight: Floats) -> float:
        """Give `tpr_at_fpr` of rows so weighted; ValueError as there."""
        if not 0 < fpr < 1:
            raise ValueError(f"fpr must be above 0 and below 1, got {fpr}")
        of_positive, counted = self._weigh(weight)
        alarms = math.floor(fpr * counted[-1])
        if not alarms:
            raise ValueError(f"{counted[-1]:.0f} negative rows are too few for a false-alarm rate of {fpr:g}")
        highest_clean = np.searchsorted(counted, counted[-1] - alarms)
        found = of_positive[np.searchsorted(self.below, highest_clean, "right") :]
        return float(found.sum() / of_positive.sum())

    def _weigh(self, weight: Floats) -> tuple[Floats, Floats]:
        """Give the weight of each positive row, and the negative rows' summed up to each of them."""
        of_positive, counted = weight[self.positive], np.cumsum(weight[self.negative])
        if not counted[-1] or not of_positive.any():
            raise ValueError("both classes are needed, and one has no row of any weight")
        return of_positive, counted


_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")


def auc(gold: Bools, scores: Floats) -> float:
    """Give the chance that a positive row scores above a negative one; a tie counts half.

    Args:
        gold: True for positive rows. Shape (rows,).
        scores: On any scale, higher is more positive. Shape (rows,).

    Returns:
        From 0.0 to 1.0; 0.5 is chance.

    Raises:
        ValueError: If a class has no row.

    Example:
        >>> auc(np.array([True, True, False]), np.array([0.9, 0.4, 0.4]))
        0.75
    """
    return Order.of(gold, scores).auc(np.ones(len(gold)))


def tpr_at_fpr(gold: Bools, scores: Floats, fpr: float) -> float:
    """Give the share of positive rows found where at most a share ``fpr`` of negative ones is flagged.

    The threshold is set on these same negative rows: the figure says how well the scores
    separate, not how well a stored threshold carries over.

    Args:
        gold: True for positive rows. Shape (rows,).
        scores: Higher is more positive. Shape (rows,).
        fpr: Share of negative rows that may be flagged, above 0.0 and below 1.0.

    Raises:
        ValueError: If a class has no row, or ``fpr`` would allow less than one false alarm.

    Example:
        >>> tpr_at_fpr(np.array([True, True, False, False]), np.array([0.9, 0.6, 0.7, 0.1]), 0.5)
        1.0
    """
    return Order.of(gold, scores).tpr(fpr, np.ones(len(gold)))


def pair_accuracy(originals: Floats, roundtrips: Floats, weight: Floats | None = None) -> float:
    """Give the share of pairs in which the round trip scores above its own original; a tie counts half.

    Args:
        originals: Score of each pair's original. Shape (pairs,).
        roundtrips: Score of each pair's round trip. Shape (pairs,).
        weight: Weight of each pair; all alike by default. Shape (pairs,).

    Example:
        >>> pair_accuracy(np.array([0.1, 0.5, 0.5]), np.array([0.2, 0.4, 0.5]))
        0.5
    """
    _check(originals, roundtrips)
    return float(np.average((roundtrips > originals) + 0.5 * (roundtrips == originals), weights=weight))


def spearman(gold: Floats, scores: Floats) -> float:
    """Give the rank correlation of scores with graded gold, from -1.0 to 1.0; ties share a rank.

    Raises:
        ValueError: If there are fewer than two rows, or either side never varies.

    Example:
        >>> round(spearman(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0])), 3)
        0.5
    """
    _check(gold, scores)
    a, b = rankdata(gold), rankdata(scores)
    a, b = a - a.mean(), b - b.mean()
    spread = math.sqrt(float(a @ a) * float(b @ b))
    if not spread:
        raise ValueError("rank correlation needs gold and scores that vary")
    return float(a @ b) / spread


def f_beta(gold: Bools, found: Bools, beta: float, weight: Floats | None = None) -> float:
    """Score how well found damage covers gold damage, in characters or words.

    Long spans weigh more than short ones. Nothing to find and nothing found scores 1.0.

    Args:
        gold: True where an annotator marked damage. Shape (characters,).
        found: True where the detector did. Shape (characters,).
        beta: How much more recall counts than precision; 0.5 asks for precision.
        weight: Weight of each; all alike by default. Shape (characters,).

    Example:
        >>> f_beta(np.array([True, True, False]), np.array([False, True, True]), 1.0)
        0.5
    """
    _check(gold, found)
    if beta <= 0:
        raise ValueError(f"beta must be above 0, got {beta}")
    hit, missed, false, _ = _confusion(gold, found, weight)
    if not hit + missed + false:
        return 1.0
    square = beta**2
    return (1 + square) * hit / ((1 + square) * hit + square * missed + false)


def mcc(gold: Bools, found: Bools, weight: Floats | None = None) -> float:
    """Give Matthews' correlation of what was found with gold, from -1.0 to 1.0; 0.0 is chance.

    Unlike F1 it does not reward finding everything. All or nothing found scores 0.0.

    Args:
        gold: True where an annotator marked damage. Shape (words,).
        found: True where the detector did. Shape (words,).
        weight: Weight of each; all alike by default. Shape (words,).

    Raises:
        ValueError: If gold has one class only.

    Example:
        >>> round(mcc(np.array([True, True, False, False]), np.array([True, True, True, False])), 3)
        0.577

    Reference:
        Matthews (1975), Comparison of the predicted and observed secondary structure of T4 phage
        lysozyme; the word-level measure of Specia et al. (2020), Findings of the WMT 2020 Shared
        Task on Quality Estimation.
    """
    _check(gold, found)
    hit, missed, false, clean = _confusion(gold, found, weight)
    if not hit + missed or not false + clean:
        raise ValueError("both classes are needed, and gold has one")
    spread = math.sqrt(hit + missed) * math.sqrt(false + clean)
    spread *= math.sqrt(hit + false) * math.sqrt(missed + clean)
    return (hit * clean - missed * false) / spread if spread else 0.0


def brier(gold: Floats, probability: Floats, weight: Floats | None = None) -> float:
    """Give the mean squared distance of probabilities from gold, 0.0 at best.

    Args:
        gold: 0.0 to 1.0, soft gold included. Shape (rows,).
        probability: 0.0 to 1.0. Shape (rows,).
        weight: Weight of each row; all alike by default. Shape (rows,).

    Example:
        >>> brier(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
        0.25

    Reference:
        Brier (1950), Verification of forecasts expressed in terms of probability.
    """
    _check_probability(gold, probability)
    return float(np.average((probability - gold) ** 2, weights=weight))


def expected_calibration_error(
    gold: Floats, probability: Floats, weight: Floats | None = None, *, bins: int = 15
) -> float:
    """Give by how much probabilities miss the share that came true, over bins of equal width.

    Args:
        gold: 0.0 to 1.0, soft gold included. Shape (rows,).
        probability: 0.0 to 1.0. Shape (rows,).
        weight: Weight of each row; all alike by default. Shape (rows,).
        bins: Bins between 0 and 1; empty ones do not count.

    Example:
        >>> expected_calibration_error(np.array([1.0, 0.0]), np.array([0.7, 0.7]))
        0.2

    Reference:
        Guo et al. (2017), On calibration of modern neural networks.
    """
    said, came_true, share = reliability(gold, probability, weight, bins=bins)
    return float(np.round(np.nansum(np.abs(said - came_true) * share), 12))


def reliability(
    gold: Floats, probability: Floats, weight: Floats | None = None, *, bins: int = 15
) -> tuple[Floats, Floats, Floats]:
    """Give what a reliability plot shows, over bins of equal width; arguments as above.

    Returns:
        Mean probability and mean gold of each bin, nan where it is empty, and its share of the
        weight. Shapes (bins,).

    Example:
        >>> said, came_true, share = reliability(np.array([1.0, 0.0]), np.array([0.75, 0.75]), bins=2)
        >>> said.tolist(), came_true.tolist(), share.tolist()
        ([nan, 0.75], [nan, 0.5], [0.0, 1.0])
    """
    _check_probability(gold, probability)
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    of = np.minimum((probability * bins).astype(np.int64), bins - 1)
    counted = np.ones(len(gold)) if weight is None else weight
    total, said, came_true = (
        np.bincount(of, counted * values, minlength=bins) for values in (1.0, probability, gold)
    )
    filled = np.where(total > 0, total, np.nan)
    return said / filled, came_true / filled, total / total.sum()


def bootstrap_intervals(
    statistics: Sequence[Callable[[Floats], float]],
    groups: npt.NDArray[np.generic],
    *,
    resamples: int = 200,
    level: float = 0.95,
    seed: int = 20181118,
) -> list[tuple[float, float] | None]:
    """Give the percentile intervals of statistics when whole groups of rows are drawn again.

    Rows of one original, or of one article, say much the same; drawing rows one by one would
    make the interval too narrow. Draws that lack a class say nothing and are left out.

    Args:
        statistics: Each takes how often every row was drawn, shape (rows,), and gives a number;
            ValueError means that the draw cannot answer.
        groups: What is drawn together. Shape (rows,).
        resamples: How many draws; all statistics see the same ones.
        level: Share of draws inside the interval.
        seed: Which draws.

    Returns:
        Both ends for each statistic; None where half its draws could not answer.

    Raises:
        ValueError: If there are fewer than two groups.

    Example:
        >>> x = np.array([1.0, 1.0, 3.0, 3.0])
        >>> mean = lambda times: float(np.average(x, weights=times))
        >>> bootstrap_intervals([mean], np.array([0, 0, 1, 1]))
        [(1.0, 3.0)]

    Reference:
        Efron & Tibshirani (1993), An introduction to the bootstrap, chapter 8.
    """
    names, of = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"an interval needs at least two groups, got {len(names)}")
    rng = np.random.default_rng(seed)
    drawn = np.full((resamples, len(statistics)), np.nan)
    for values in drawn:
        times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        of_rows = times[of].astype(np.float64)
        for k, statistic in enumerate(statistics):
            with suppress(ValueError):
                values[k] = statistic(of_rows)
    return [_interval(column[~np.isnan(column)], resamples, level) for column in drawn.T]


def _interval(answers: Floats, resamples: int, level: float) -> tuple[float, float] | None:
    if 2 * len(answers) < resamples:
        return None
    low, high = np.quantile(answers, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _confusion(gold: Bools, found: Bools, weight: Floats | None) -> tuple[float, float, float, float]:
    """Give the weight of what was rightly found, missed, wrongly found and rightly left alone."""
    cells = np.bincount(3 - 2 * gold - found, weight, minlength=4)
    return float(cells[0]), float(cells[1]), float(cells[2]), float(cells[3])


def _check(a: npt.NDArray[np.generic], b: npt.NDArray[np.generic]) -> None:
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"expected two arrays of one length, got shapes {a.shape} and {b.shape}")
    if not len(a):
        raise ValueError("there are no rows")
    for values in (a, b):
        if np.issubdtype(values.dtype, np.floating) and np.isnan(values).any():
            raise ValueError("a score or its gold is not a number")


def _check_probability(gold: Floats, probability: Floats) -> None:
    _check(gold, probability)
    for values in (gold, probability):
        if values.min() < 0 or values.max() > 1:
            raise ValueError(f"expected values from 0 to 1, got {values.min():g} to {values.max():g}")
