"""What a figure is, and how one is taken: with its interval, from all rows or from a part of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.fuse import SentenceLogits, Vector

from .metrics import Bools, Order, bootstrap_intervals, pair_accuracy


@dataclass(frozen=True, slots=True)
class Figure:
    """One number and what it rests on.

    Attributes:
        value: None where the data cannot answer, such as a class without a row.
        n: Rows it was taken from; where two classes are told apart, the positive ones.
        against: The negative rows, or None where there are no two classes.
        interval: 95 % bootstrap interval over originals, or for texts over articles.
    """

    value: float | None
    n: int
    against: int | None = None
    interval: tuple[float, float] | None = None


Row = dict[str, Figure]
Section = dict[str, Row]
"""Figures by row and column, in the order they are shown."""

Groups = npt.NDArray[np.generic]
"""What a bootstrap draws together: an original's rows, or an article's."""
Statistic = Callable[[Vector], float]
"""Takes weights of rows, shape (rows,); ValueError means that the data cannot answer."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Sentences of one kind with all their scores.

    Attributes:
        frame: Columns of `samples` and ``fused``, ``model``, ``rules``, ``ngram_damage``,
            ``provenance``, ``ngram_provenance`` (all logits), ``length``, ``words`` and ``chance``,
            ``evidence`` (what finds all that is shown to people: ``model`` or a rule's id).
        logits: What the encoder says of each, words included. Length n.
    """

    frame: pd.DataFrame
    logits: tuple[SentenceLogits, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Some round trips, or laundered texts, and what they have in common.

    Attributes:
        name: What it is.
        frame: Its rows.
        words: Fewest and most words of a sentence of it, where that is what they have in common.
    """

    name: str
    frame: pd.DataFrame
    words: tuple[int, int] | None = None

    def like(self, people: pd.DataFrame) -> pd.DataFrame:
        """Give the sentences of ``people`` that length alone does not tell from this part."""
        return people if self.words is None else people[people["words"].between(*self.words)]


RATES = {"TPR at 5 %": 0.05, "TPR at 1 %": 0.01, "TPR at 0.1 %": 0.001}
_LONG = 10**6


def probability(logits: Vector) -> Vector:
    """Give the probabilities of logits, without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -700, 700))))


def take(
    statistics: Mapping[str, Statistic],
    rows: int,
    groups: Groups | None = None,
    *,
    n: int | None = None,
    against: int | None = None,
    resamples: int = 0,
) -> Row:
    """Take statistics over all rows, with intervals where ``groups`` says what to draw together.

    Args:
        statistics: By column.
        rows: How many there are.
        groups: Shape (rows,), or None for no interval.
        n: Figure's ``n``; all rows by default.
        against: Figure's ``against``.
        resamples: Draws of the bootstrap; 0 leaves the intervals out.
    """
    n = rows if n is None else n
    values: dict[str, float | None] = {}
    for column, statistic in statistics.items():
        try:
            values[column] = statistic(np.ones(rows)) if rows else None
        except ValueError:
            values[column] = None
    answered = [column for column, value in values.items() if value is not None]
    intervals: dict[str, tuple[float, float] | None] = {}
    if groups is not None and resamples and answered:
        codes = pd.factorize(groups)[0]
        if codes.max() > 0:  # one group has no interval
            drawn = bootstrap_intervals([statistics[c] for c in answered], codes, resamples=resamples)
            intervals = dict(zip(answered, drawn, strict=True))
    return {c: Figure(value, n, against, intervals.get(c)) for c, value in values.items()}


def separate(
    positive: pd.DataFrame,
    negative: pd.DataFrame,
    score: str,
    *,
    cluster: str = "cluster",
    resamples: int,
) -> Row:
    """Tell two frames apart by one column: AUC, and TPR at `RATES`, the threshold set on ``negative``."""
    scores = np.concatenate([positive[score].to_numpy(float), negative[score].to_numpy(float)])
    gold = np.arange(len(scores)) < len(positive)
    against = len(negative)
    if not len(positive) or not against:
        return {c: Figure(None, len(positive), against) for c in ("AUC", *RATES)}
    order = Order.of(gold, scores)
    statistics: dict[str, Statistic] = {"AUC": order.auc}
    statistics |= {name: partial(order.tpr, fpr) for name, fpr in RATES.items()}
    groups = np.concatenate([positive[cluster], negative[cluster]]).astype(str)
    return take(statistics, len(scores), groups, n=len(positive), against=against, resamples=resamples)


def contrast(positive: pd.DataFrame, negative: pd.DataFrame, score: str) -> Figure:
    """Give the AUC of one column between two frames, without an interval."""
    return separate(positive, negative, score, resamples=0)["AUC"]


def paired(some: pd.DataFrame, originals: pd.DataFrame, score: str, resamples: int) -> Figure:
    """Give the pair accuracy of round trips and their own originals, by one column."""
    own = originals.set_index("original_id")[score].loc[some["original_id"]].to_numpy(float)
    theirs = some[score].to_numpy(float)
    statistics = {"": partial(pair_accuracy, own, theirs)}
    return take(statistics, len(some), some["cluster"].to_numpy(), resamples=resamples)[""]


def share(flags: Bools, groups: Groups, resamples: int) -> Figure:
    """Give the share of True."""
    return average(flags.astype(float), groups, resamples)


def average(values: Vector, groups: Groups, resamples: int) -> Figure:
    """Give the mean."""
    mean = {"": lambda weight: float(np.average(values, weights=weight))}
    return take(mean, len(values), groups, resamples=resamples)[""]


def evenly_read(roundtrips: Scored) -> pd.DataFrame:
    """Give the round trips that readers judged and that were drawn evenly: they alone give shares."""
    return roundtrips.frame[roundtrips.frame["even"]]


def people(humans: Mapping[str, Scored]) -> dict[str, pd.DataFrame]:
    """Give kinds of people's text to tell damage from; what is an original counts once."""
    kinds = {"originals": humans["originals"].frame}
    if "native" in humans:
        native = humans["native"].frame
        kinds["native"] = native[~native["is_original"]]
    if "human_translation" in humans:
        kinds["human translation"] = humans["human_translation"].frame
    return {"human text": pd.concat(kinds.values()), **kinds}


def cells(frame: pd.DataFrame) -> Iterator[Part]:
    """Cut by origin, year, and whether engine and pivot are known; no part is empty."""
    origin = np.where(frame["origin"] == "flores", "FLORES", "news")
    for name in sorted(set(origin), reverse=True):
        of_origin = frame[origin == name]
        yield Part(name, of_origin)
        yield from _each(of_origin, "cell", name + ", {}")
        if name == "news":
            for year, of_year in of_origin.groupby("year", sort=True):
                yield Part(f"news {year}", of_year)
                if (of_year["cell"] == "seen").any():
                    yield Part(f"news {year}, seen", of_year[of_year["cell"] == "seen"])


def cuts(frame: pd.DataFrame) -> Iterator[Part]:
    """Cut round trips every way there is; no part is empty."""
    yield from cells(frame)
    yield from _each(frame, "cell", "{}")
    yield from _each(frame, "engine", "engine {}")
    yield from _each(frame, "pivot", "pivot {}")
    for name, least, most in (
        ("under 8 words", 0, 7),
        ("8 to 15 words", 8, 15),
        ("16 to 30 words", 16, 30),
        ("over 30 words", 31, _LONG),
    ):
        if len(some := frame[frame["words"].between(least, most)]):
            yield Part(name, some, (least, most))
    changed = frame["changed"].to_numpy(float)
    for name, within in (
        ("no word changed", changed == 0),
        ("under 10 % of words changed", (changed > 0) & (changed < 0.1)),
        ("10 to 25 % of words changed", (changed >= 0.1) & (changed < 0.25)),
        ("25 % of words changed or more", changed >= 0.25),
    ):
        if within.any():
            yield Part(name, frame[within])


def _each(frame: pd.DataFrame, column: str, name: str) -> Iterator[Part]:
    for value, some in frame.groupby(column, sort=True):
        yield Part(name.format(value), some)
