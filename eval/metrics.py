"""What a score is worth: pure functions over gold and scores.

All of them raise ValueError where the data cannot answer: a class without a row, arrays of
different lengths, a score that is not a number. None of them guesses.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


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
    positive, negative = _classes(gold, scores)
    negative = np.sort(negative)
    below = np.searchsorted(negative, positive, "left") + np.searchsorted(negative, positive, "right")
    return float(below.mean() / 2 / len(negative))


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
    if not 0 < fpr < 1:
        raise ValueError(f"fpr must be above 0 and below 1, got {fpr}")
    positive, negative = _classes(gold, scores)
    alarms = math.floor(fpr * len(negative))
    if not alarms:
        raise ValueError(f"{len(negative)} negative rows are too few for a false-alarm rate of {fpr:g}")
    highest_clean = np.sort(negative)[len(negative) - alarms - 1]
    return float(np.mean(positive > highest_clean))


def pair_accuracy(originals: Floats, roundtrips: Floats) -> float:
    """Give the share of pairs in which the round trip scores above its own original; a tie counts half.

    Args:
        originals: Score of each pair's original. Shape (pairs,).
        roundtrips: Score of each pair's round trip. Shape (pairs,).

    Example:
        >>> pair_accuracy(np.array([0.1, 0.5, 0.5]), np.array([0.2, 0.4, 0.5]))
        0.5
    """
    _check(originals, roundtrips)
    return float(np.mean((roundtrips > originals) + 0.5 * (roundtrips == originals)))


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


def f_beta(gold: Bools, found: Bools, beta: float) -> float:
    """Score how well found damage covers gold damage, in characters or words.

    Long spans weigh more than short ones. Nothing to find and nothing found scores 1.0.

    Args:
        gold: True where an annotator marked damage. Shape (characters,).
        found: True where the detector did. Shape (characters,).
        beta: How much more recall counts than precision; 0.5 asks for precision.

    Example:
        >>> f_beta(np.array([True, True, False]), np.array([False, True, True]), 1.0)
        0.5
    """
    _check(gold, found)
    if beta <= 0:
        raise ValueError(f"beta must be above 0, got {beta}")
    if not gold.any() and not found.any():
        return 1.0
    hit, square = float(np.sum(gold & found)), beta**2
    return (1 + square) * hit / (square * float(gold.sum()) + float(found.sum()))


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
    _check_probability(gold, probability)
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    share = np.ones(len(gold)) if weight is None else weight
    of = np.minimum((probability * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(of, share * (probability - gold), minlength=bins)
    return float(np.round(np.abs(gaps).sum() / share.sum(), 12))


def bootstrap_interval(
    statistic: Callable[[Rows], float],
    groups: npt.NDArray[np.generic],
    *,
    resamples: int = 200,
    level: float = 0.95,
    seed: int = 20181118,
) -> tuple[float, float]:
    """Give the percentile interval of a statistic when whole groups of rows are drawn again.

    Rows of one original, or of one article, say much the same; drawing rows one by one would
    make the interval too narrow. Draws that lack a class say nothing and are left out.

    Args:
        statistic: Takes row indices, repeated as drawn, and gives a number; may raise ValueError.
        groups: What is drawn together. Shape (rows,).
        resamples: How many draws.
        level: Share of draws inside the interval.
        seed: Which draws.

    Raises:
        ValueError: If there are fewer than two groups, or the statistic fails on half the draws.

    Example:
        >>> x = np.array([1.0, 1.0, 3.0, 3.0])
        >>> bootstrap_interval(lambda rows: float(x[rows].mean()), np.array([0, 0, 1, 1]))
        (1.0, 3.0)

    Reference:
        Efron & Tibshirani (1993), An introduction to the bootstrap, chapter 8.
    """
    names, of = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"an interval needs at least two groups, got {len(names)}")
    rng = np.random.default_rng(seed)
    every = np.arange(len(of))
    drawn = []
    for _ in range(resamples):
        times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        try:
            drawn.append(statistic(np.repeat(every, times[of])))
        except ValueError:
            continue
    if 2 * len(drawn) < resamples:
        raise ValueError(f"the statistic failed on {resamples - len(drawn)} of {resamples} draws")
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _classes(gold: Bools, scores: Floats) -> tuple[Floats, Floats]:
    _check(gold, scores)
    if gold.dtype != np.bool_:
        raise ValueError(f"gold must be boolean, got {gold.dtype}")
    positive, negative = scores[gold], scores[~gold]
    if not len(positive) or not len(negative):
        raise ValueError(
            f"both classes are needed, got {len(positive)} positive and {len(negative)} negative rows"
        )
    return positive, negative


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
