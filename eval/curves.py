"""What the plots show: plain lists of numbers, no sentence among them.

- ``roc``: by name, ``fpr``, ``tpr`` (None where the negatives are too few), ``n``, ``against``;
- ``reliability``: by name, one entry a bin of `metrics.reliability`: ``score``, ``gold`` (None
  where the bin is empty), ``share`` of the weight, ``n`` rows;
- ``grid``: by head, one entry for each pivot and engine: ``pivot``, ``engine``, ``auc``, ``n``; of
  damage, from round trips in which readers marked an error or worse;
- ``changed``: by tenths of the round trips, from least to most changed: ``from``, ``to`` (share of
  words), ``tpr`` at 1 % false alarms, ``n``.

What shows damage is taken from round trips evenly read (see `figures.evenly_read`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .calibration import Claims, sentence_claims, text_claims
from .figures import Scored, contrast, evenly_read, people
from .metrics import Order, reliability
from .sentences import BANDS, FAULTY, WORST
from .texts import honest

RATES = np.geomspace(1e-4, 1, 61)
ROC_LENGTHS = (5, 10, 20)
_BINS = 15


def curves(
    roundtrips: Scored,
    humans: Mapping[str, Scored],
    laundered: pd.DataFrame,
    human_texts: Mapping[str, pd.DataFrame],
) -> dict[str, Any]:
    """Give every curve, ready for JSON."""
    read, human = evenly_read(roundtrips), people(humans)["human text"]
    worst, faulty = (read[BANDS[band].within(read)] for band in (WORST, FAULTY))
    both = honest(human_texts)
    return {
        "roc": {
            "damage": _roc(worst, human),
            **{
                f"texts of {n}": _roc(laundered[laundered["size"] == n], both[both["size"] == n])
                for n in ROC_LENGTHS
            },
        },
        "reliability": {
            "sentence": _reliability(sentence_claims(roundtrips, humans)),
            "text": _reliability(text_claims(laundered, human_texts)),
        },
        "grid": {
            "damage": _grid(faulty, human, "fused"),
            "provenance": _grid(roundtrips.frame, humans["originals"].frame, "provenance"),
        },
        "changed": _changed(read, human),
    }


def _roc(positive: pd.DataFrame, negative: pd.DataFrame) -> dict[str, Any]:
    """Give the curve of the fused score."""
    scores = np.concatenate([positive["fused"], negative["fused"]]).astype(float)
    gold = np.arange(len(scores)) < len(positive)
    tpr: list[float | None] = [None] * len(RATES)
    if len(positive) and len(negative):
        order, weight = Order.of(gold, scores), np.ones(len(scores))
        tpr = [
            1.0 if fpr >= 1 else round(order.tpr(fpr, weight), 4) if fpr * len(negative) >= 1 else None
            for fpr in RATES
        ]
    return {
        "fpr": [round(float(fpr), 6) for fpr in RATES],
        "tpr": tpr,
        "n": len(positive),
        "against": len(negative),
    }


def _reliability(some: Claims) -> list[dict[str, Any]]:
    if not len(some.gold):
        return []
    said, came_true, share = reliability(some.gold, some.said, some.weight, bins=_BINS)
    rows = np.bincount(np.minimum((some.said * _BINS).astype(np.int64), _BINS - 1), minlength=_BINS)
    return [
        {
            "score": _rounded(said[k]),
            "gold": _rounded(came_true[k]),
            "share": _rounded(share[k]),
            "n": int(rows[k]),
        }
        for k in range(_BINS)
    ]


def _grid(some: pd.DataFrame, people: pd.DataFrame, score: str) -> list[dict[str, Any]]:
    """Give the AUC for each pivot and engine; against the originals of these alone, where they are that."""
    cells = []
    for (pivot, engine), cell in some.groupby(["pivot", "engine"], sort=True):
        against = people
        if score == "provenance":
            against = people[people["original_id"].isin(cell["original_id"])]
        value = contrast(cell, against, score).value
        cells.append({"pivot": pivot, "engine": engine, "auc": _rounded(value), "n": len(cell)})
    return cells


def _changed(frame: pd.DataFrame, human: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the TPR at 1 % by share of words changed; the threshold is set on people's text."""
    if frame.empty or len(human) < 100:
        return []
    order = frame["changed"].argsort(kind="stable")
    tenths = []
    for rows in np.array_split(order.to_numpy(), 10):
        some = frame.iloc[rows]
        if len(some):
            scores = np.concatenate([some["fused"], human["fused"]]).astype(float)
            gold = np.arange(len(scores)) < len(some)
            tpr = Order.of(gold, scores).tpr(0.01, np.ones(len(scores)))
            ends = some["changed"].min(), some["changed"].max()
            tenths.append(
                {"from": _rounded(ends[0]), "to": _rounded(ends[1]), "tpr": _rounded(tpr), "n": len(some)}
            )
    return tenths


def _rounded(value: float | None) -> float | None:
    """Give four digits, and None for what is not a number."""
    return None if value is None or np.isnan(value) else round(float(value), 4)
