"""People's text that is flagged, or in which something is found, by kind of text and by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from detector.fuse import Fusion

from .figures import Figure, Row, Scored, Section, average, probability, share

TEN = 10


def false_alarms(
    humans: Mapping[str, Scored], human_texts: Mapping[str, pd.DataFrame], fusion: Fusion, resamples: int
) -> Section:
    """Count people's sentences and texts that are flagged at each stored point, or show evidence.

    Beside each point's rate stands how many times the rate that it is named for it is.
    """
    section: Section = {}
    for kind, scored in humans.items():
        for name, sentences, texts in _by_year(kind, scored.frame, human_texts[kind]):
            ten = texts[texts["size"] == TEN]
            units = {"sentences": sentences, "texts": texts, f"texts of {TEN}": ten}
            for unit, frame in units.items():
                section[f"{name}: {unit}"] = _flagged(frame, fusion, unit == "sentences", resamples)
    return section


def _by_year(
    kind: str, sentences: pd.DataFrame, texts: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Give a kind whole, and native text by year too."""
    yield kind.replace("_", " "), sentences, texts
    if kind == "native":
        for year, some in sentences.groupby("year", sort=True):
            yield f"native {year}", some, texts[texts["year"] == year]


def _flagged(frame: pd.DataFrame, fusion: Fusion, sentences: bool, resamples: int) -> Row:
    said = probability(frame["fused"].to_numpy(float))
    documents = frame["document"].to_numpy(str)
    row: Row = {}
    for name, point in fusion.operating_points.items():
        threshold = point.sentence if sentences else point.text
        if threshold is not None:
            row[name] = rate = share(said >= threshold, documents, resamples)
            times = None if rate.value is None else rate.value / point.fpr
            row[f"{name}, times nominal"] = Figure(times, rate.n)
    row["any evidence"] = share(frame["evidence"].map(bool).to_numpy(bool), documents, resamples)
    return row


def evidence(kinds: Mapping[str, Scored], rules: tuple[str, ...], resamples: int) -> Section:
    """Count what each shown rule, and the model, finds in 1,000 sentences of each kind."""
    return {
        finder: {
            kind.replace("_", " "): average(
                np.array([1000.0 * found.count(finder) for found in scored.frame["evidence"]]),
                scored.frame["document"].to_numpy(str),
                resamples,
            )
            for kind, scored in kinds.items()
        }
        for finder in ("model", *rules)
    }


def evidence_in_texts(texts: Mapping[str, pd.DataFrame], rules: tuple[str, ...], resamples: int) -> Section:
    """Give the share of texts of ten sentences of each kind in which each shown rule finds anything."""
    section: Section = {}
    for finder in ("model", *rules):
        row: Row = {}
        for kind, frame in texts.items():
            ten = frame[frame["size"] == TEN]
            flags = np.array([finder in found for found in ten["evidence"]], dtype=bool)
            row[kind.replace("_", " ")] = share(flags, ten["document"].to_numpy(str), resamples)
        section[finder] = row
    return section
