"""Probabilities beside what came true, where half is machine translation and half is people's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from detector.fuse import Vector
from training.fusion import LENGTHS

from .figures import Figure, Groups, Row, Scored, Section, cuts, evenly_read, people, probability, take
from .metrics import brier, expected_calibration_error

KINDS = ("originals", "native", "human_translation")
"""People's text that stands beside machine translation, every kind with the same weight."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What was said and what came true.

    Attributes:
        gold: 0.0 to 1.0. Shape (rows,).
        said: Probabilities. Shape (rows,).
        weight: Shape (rows,).
        groups: What a bootstrap draws together. Shape (rows,).
        machine: How many of the rows are machine translation; they come first.
    """

    gold: Vector
    said: Vector
    weight: Vector
    groups: Groups
    machine: int


def claims(
    machine: Sequence[pd.DataFrame],
    human: Sequence[pd.DataFrame],
    score: str,
    *,
    gold: str | None = None,
    cluster: str = "cluster",
) -> Claims:
    """Put frames side by side: each side weighs a half, and on a side every frame alike.

    Args:
        machine: Round trips, or texts of them.
        human: People's; their gold is 0. None of them: machine translation alone.
        score: Column with logits.
        gold: Column with soft gold of machine translation; by default it is 1.
        cluster: Column that says what a bootstrap draws together.
    """
    sides = [[f for f in side if len(f)] for side in (machine, human)]
    frames = [f for side in sides for f in side]
    nothing = np.zeros(0)
    truth = [f[gold].to_numpy(float) if gold else np.ones(len(f)) for f in sides[0]]
    weight = [np.full(len(f), 1 / len(side) / len(f)) for side in sides for f in side]
    return Claims(
        np.concatenate([nothing, *truth, *(np.zeros(len(f)) for f in sides[1])]),
        probability(np.concatenate([nothing, *(f[score].to_numpy(float) for f in frames)])),
        np.concatenate([nothing, *weight]),
        np.concatenate([nothing.astype(str), *(f[cluster].to_numpy(str) for f in frames)]),
        sum(map(len, sides[0])),
    )


def calibrated(some: Claims, resamples: int) -> Row:
    """Give Brier score, calibration error, and both means that should agree."""
    gold, said, weight = some.gold, some.said, some.weight
    statistics = {
        "calibration error": lambda times: expected_calibration_error(gold, said, weight * times),
        "Brier": lambda times: brier(gold, said, weight * times),
    }
    n, against = some.machine, len(gold) - some.machine
    row = take(statistics, len(gold), some.groups, n=n, against=against, resamples=resamples)
    for name, values in (("mean score", said), ("mean gold", gold)):
        mean = float(np.average(values, weights=weight)) if len(values) else None
        row[name] = Figure(mean, n, against)
    return row


def sentence_claims(roundtrips: Scored, humans: Mapping[str, Scored]) -> Claims:
    """Give the sentence score against what readers marked; nothing where nobody read anything."""
    read = evenly_read(roundtrips)
    human = [humans[k].frame for k in KINDS if k in humans and len(read)]
    return claims([read], human, "fused", gold="damage")


def text_claims(
    laundered: pd.DataFrame, human: Mapping[str, pd.DataFrame], lengths: Sequence[int] = LENGTHS
) -> Claims:
    """Give the text score against where the texts come from, every length with the same weight."""
    kinds = [human[k] for k in KINDS if k in human]
    return claims(
        [laundered[laundered["size"] == n] for n in lengths],
        [kind[kind["size"] == n] for n in lengths for kind in kinds],
        "fused",
        cluster="document",
    )


def calibration(
    roundtrips: Scored,
    humans: Mapping[str, Scored],
    laundered: pd.DataFrame,
    human_texts: Mapping[str, pd.DataFrame],
    resamples: int,
) -> Section:
    """Compare scores with what came true, and sentence scores with what readers marked in every cut too."""
    read = evenly_read(roundtrips)
    section = {
        "sentence score against gold damage": sentence_claims(roundtrips, humans),
        "the same, round trips only": claims([read], [], "fused", gold="damage"),
        "text score": text_claims(laundered, human_texts),
        **{f"text score, {n}": text_claims(laundered, human_texts, [n]) for n in LENGTHS},
        "provenance of a sentence, not shown": claims(
            [roundtrips.frame], [humans["originals"].frame], "provenance"
        ),
    }
    everyone = people(humans)["human text"]
    for part in cuts(read):
        section[f"sentence score, {part.name}"] = claims(
            [part.frame], [part.like(everyone)], "fused", gold="damage"
        )
    return {name: calibrated(some, resamples) for name, some in section.items()}
