from __future__ import annotations

import doctest
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

import eval.metrics
from eval.metrics import (
    Order,
    auc,
    bootstrap_intervals,
    brier,
    expected_calibration_error,
    f_beta,
    mcc,
    pair_accuracy,
    reliability,
    spearman,
    tpr_at_fpr,
)


def bools(*values: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array(values, dtype=bool)


def floats(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def test_examples_in_docstrings_run() -> None:
    assert doctest.testmod(eval.metrics).failed == 0


@pytest.mark.parametrize(
    ("gold", "scores", "expected"),
    [
        (bools(0, 0, 1, 1), floats(0.1, 0.4, 0.35, 0.8), 0.75),  # 3 of 4 pairs in order
        (bools(0, 1), floats(0.2, 0.2), 0.5),
        (bools(1, 0, 0), floats(-3.0, 1.0, 2.0), 0.0),
        (bools(1, 1, 0), floats(np.inf, 5.0, -np.inf), 1.0),
    ],
)
def test_auc_counts_pairs_in_order(
    gold: eval.metrics.Bools, scores: eval.metrics.Floats, expected: float
) -> None:
    assert auc(gold, scores) == expected


@pytest.mark.parametrize("seed", range(5))
def test_figures_agree_with_reference_implementations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gold = rng.random(300) < 0.3
    scores = np.round(rng.random(300) + 0.3 * gold, 2).clip(0, 1)  # rounded, so that there are ties
    weight = rng.random(300)
    assert auc(gold, scores) == pytest.approx(reference.roc_auc_score(gold, scores))
    assert spearman(weight, scores) == pytest.approx(stats.spearmanr(weight, scores).statistic)
    assert f_beta(gold, scores > 0.6, 0.5) == pytest.approx(
        reference.fbeta_score(gold, scores > 0.6, beta=0.5)
    )
    assert brier(gold.astype(float), scores, weight) == pytest.approx(
        reference.brier_score_loss(gold, scores, sample_weight=weight)
    )
    assert f_beta(gold, scores > 0.6, 0.5, weight) == pytest.approx(
        reference.fbeta_score(gold, scores > 0.6, beta=0.5, sample_weight=weight)
    )
    for weighted in (None, weight):
        assert mcc(gold, scores > 0.6, weighted) == pytest.approx(
            reference.matthews_corrcoef(gold, scores > 0.6, sample_weight=weighted)
        )
    fpr, tpr, _ = reference.roc_curve(gold, scores, drop_intermediate=False)
    assert tpr_at_fpr(gold, scores, 0.05) == pytest.approx(tpr[fpr <= 0.05].max())


def test_tpr_never_flags_more_people_than_allowed() -> None:
    # four of 100 may be flagged, but five share the score at the threshold: none of them is
    human = np.concatenate([np.zeros(95), np.full(5, 0.9)])
    gold = np.concatenate([np.zeros(100, dtype=bool), bools(1, 1)])
    assert tpr_at_fpr(gold, np.concatenate([human, floats(0.9, 0.95)]), 0.04) == 0.5


def test_pair_accuracy_compares_each_round_trip_with_its_own_original() -> None:
    assert pair_accuracy(floats(0.9, 0.1, 0.3, 0.3), floats(0.8, 0.2, 0.4, 0.3)) == (0 + 1 + 1 + 0.5) / 4


@pytest.mark.parametrize(
    ("gold", "found", "beta", "expected"),
    [
        (bools(1, 1, 0, 0), bools(1, 0, 0, 0), 1.0, 2 / 3),
        (bools(1, 1, 0, 0), bools(1, 0, 0, 0), 0.5, 1.25 * 0.5 / (0.25 + 0.5)),  # precision 1, recall 1/2
        (bools(0, 0), bools(0, 0), 0.5, 1.0),
        (bools(1, 0), bools(0, 0), 0.5, 0.0),
        (bools(0, 0), bools(0, 1), 0.5, 0.0),
    ],
)
def test_f_beta_by_hand(
    gold: eval.metrics.Bools, found: eval.metrics.Bools, beta: float, expected: float
) -> None:
    assert f_beta(gold, found, beta) == pytest.approx(expected)


def test_calibration_error_by_hand() -> None:
    # bin [.2, .4): says .3, is .5; bin [.8, 1]: says .9 and 1.0, is 1
    gold, said = floats(0, 1, 1, 1), floats(0.3, 0.3, 0.9, 1.0)
    assert expected_calibration_error(gold, said, bins=5) == pytest.approx((2 * 0.2 + 2 * 0.05) / 4)
    # only the second row weighs anything
    assert expected_calibration_error(gold, said, floats(0, 1, 0, 0), bins=5) == pytest.approx(0.7)


def test_calibration_error_of_honest_soft_gold_is_zero() -> None:
    gold = floats(0.0, 0.2, 0.55, 1.0)
    assert expected_calibration_error(gold, gold) == 0.0


def test_reliability_by_hand() -> None:
    said, came_true, share = reliability(floats(0, 1, 1), floats(0.3, 0.3, 1.0), floats(1, 1, 2), bins=4)
    np.testing.assert_allclose(said, [np.nan, 0.3, np.nan, 1.0])
    np.testing.assert_allclose(came_true, [np.nan, 0.5, np.nan, 1.0])
    np.testing.assert_allclose(share, [0.0, 0.5, 0.0, 0.5])


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_count_often_are_as_good_as_repeated_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gold, times = rng.random(400) < 0.4, rng.integers(0, 4, 400)
    scores = (rng.random(400) + 0.2 * gold).round(1).astype(np.float64)  # rounded, so that there are ties
    rows, order = np.repeat(np.arange(400), times), Order.of(gold, scores)
    assert order.auc(times.astype(float)) == pytest.approx(auc(gold[rows], scores[rows]))
    for fpr in (0.01, 0.05, 0.3, 0.9):
        assert order.tpr(fpr, times.astype(float)) == tpr_at_fpr(gold[rows], scores[rows], fpr)
    own = rng.random(400)
    assert pair_accuracy(own, scores, times.astype(float)) == pytest.approx(
        pair_accuracy(own[rows], scores[rows])
    )


def test_bootstrap_draws_whole_groups() -> None:
    rng = np.random.default_rng(0)
    of_group = rng.normal(size=40)
    x, groups = np.repeat(of_group, 25), np.repeat(np.arange(40), 25)

    def mean(times: eval.metrics.Floats) -> float:
        return float(np.average(x, weights=times))

    interval, again = bootstrap_intervals([mean, mean], groups)
    assert interval is not None
    low, high = interval
    # a group's 25 equal rows are one observation: the width is that of 40 values, not of 1,000
    assert high - low == pytest.approx(2 * 1.96 * of_group.std() / np.sqrt(40), rel=0.25)
    (narrow,) = bootstrap_intervals([mean], np.arange(len(x)))
    assert narrow is not None
    assert narrow[1] - narrow[0] < (high - low) / 3
    assert again == interval  # all statistics see the same draws
    assert bootstrap_intervals([mean], groups) == [interval]


def test_a_statistic_that_most_draws_cannot_answer_has_no_interval() -> None:
    order = Order.of(bools(1, 0, 0), floats(3, 2, 1))

    def never(times: eval.metrics.Floats) -> float:
        raise ValueError

    found, lacking = bootstrap_intervals([order.auc, never], np.arange(3))
    assert found == (1.0, 1.0)
    assert lacking is None


ONE, TWO = floats(0.5), floats(0.1, 0.2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: auc(bools(1, 1), TWO), "2 positive and 0 negative"),
        (lambda: auc(bools(1, 0, 0), TWO), r"\(3,\) and \(2,\)"),
        (lambda: auc(bools(), floats()), "no rows"),
        (lambda: auc(bools(1, 0), floats(0.1, np.nan)), "not a number"),
        (lambda: auc(np.array([1, 0]), TWO), "must be boolean"),
        (lambda: tpr_at_fpr(bools(1, 0), TWO, 0.01), "1 negative rows are too few"),
        (lambda: tpr_at_fpr(bools(1, 0), TWO, 1.5), "above 0 and below 1"),
        (lambda: pair_accuracy(ONE, TWO), "shapes"),
        (lambda: spearman(floats(1, 1), TWO), "vary"),
        (lambda: f_beta(bools(1), bools(1), 0.0), "beta"),
        (lambda: brier(floats(0, 1), floats(0.5, 1.5)), "0.5 to 1.5"),
        (lambda: expected_calibration_error(TWO, TWO, bins=0), "bins"),
        (lambda: mcc(bools(1, 1), bools(1, 0)), "gold has one"),
        (lambda: Order.of(bools(1, 0), TWO).auc(floats(1, 0)), "no row of any weight"),
        (lambda: Order.of(bools(1, 0), TWO).tpr(0.01, floats(1, 1)), "1 negative rows are too few"),
        (lambda: bootstrap_intervals([lambda times: 1.0], np.array(["a", "a"])), "two groups"),
    ],
)
def test_data_that_cannot_answer_are_refused(call: Callable[[], float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
