"""Scored sentences -> figures of damage, of provenance, and of graded gold.

Damage is what readers marked. Its figures are taken from round trips that were read and drawn
evenly (see `figures.evenly_read`); where nobody read any there are none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from detector.fuse import SENTENCE_FEATURES, Fusion, Vector
from training.readings import pair_id

from .baselines import kinds
from .calibration import calibrated, claims
from .figures import (
    Row,
    Scored,
    Section,
    contrast,
    cuts,
    evenly_read,
    paired,
    people,
    probability,
    separate,
    share,
    take,
)
from .metrics import Bools, spearman

BASELINES = {
    "model alone": "model",
    "without rules": "encoder",
    "rules alone": "rules",
    **{f"{kind} rules": f"{kind} rules" for kind in kinds(np.zeros((0, len(SENTENCE_FEATURES))))},
    "n-grams": "ngram_damage",
    "length": "length",
    "chance": "chance",
}


@dataclass(frozen=True, slots=True)
class Band:
    """Round trips that readers judged alike.

    Attributes:
        definition: Which ones, in words.
        within: Whether each row of a frame is one of them. Shape (rows,).
    """

    definition: str
    within: Callable[[pd.DataFrame], Bools]


def _worst_tenth(frame: pd.DataFrame) -> Bools:
    pairs = map(pair_id, frame["original"], frame["roundtrip"])
    graded = zip(frame["visible"], frame["meaning"], pairs, range(len(frame)), strict=True)
    worst = np.zeros(len(frame), dtype=bool)
    worst[[row for *_, row in sorted(graded, reverse=True)[: math.ceil(len(frame) / 10)]]] = True
    return worst


def _visible(least: int, most: int) -> Callable[[pd.DataFrame], Bools]:
    return lambda frame: frame["visible"].between(least, most).to_numpy(bool)


WORST = "10 % most damaged"
FAULTY = "an error or worse (2, 3)"
SLIGHT = "slight (1)"
NOTHING = "nothing marked (0)"
BANDS = {
    WORST: Band(
        "the tenth, rounded up, that ranks highest by visible, then by meaning, then by a hash of the pair",
        _worst_tenth,
    ),
    "severe (3)": Band("visible 3: several errors, or gibberish", _visible(3, 3)),
    FAULTY: Band("visible 2 or 3", _visible(2, 3)),
    SLIGHT: Band("visible 1: stiff, or a small slip", _visible(1, 1)),
    NOTHING: Band("visible 0, whatever the meaning", _visible(0, 0)),
}
"""What readers marked, of the round trips evenly read; grades as in `training.readings.GUIDE`."""


def damage(roundtrips: Scored, humans: Mapping[str, Scored], fusion: Fusion, resamples: int) -> Section:
    """Tell damaged round trips from people's text and from sound round trips, and see what is flagged."""
    read = evenly_read(roundtrips)
    if read.empty:
        return {}
    section: Section = {}
    points = {n: p.sentence for n, p in fusion.operating_points.items() if p.sentence is not None}
    for name, band in BANDS.items():
        some = read[band.within(read)]
        for kind, human in people(humans).items():
            section[f"{name}, against {kind}"] = _told_apart(some, human, resamples)
        row = {"pair accuracy": paired(some, humans["originals"].frame, "fused", resamples)}
        section[f"{name}, against its own originals"] = row
        found = probability(some["fused"].to_numpy(float))
        section[f"{name}, flagged at the stored point"] = {
            point: share(found >= threshold, some["cluster"].to_numpy(), resamples)
            for point, threshold in points.items()
        }
    faulty, sound = (read[BANDS[name].within(read)] for name in (FAULTY, NOTHING))
    section[f"{FAULTY}, against {NOTHING}"] = _told_apart(faulty, sound, resamples)
    section["what readers marked in all round trips"] = _marked(read, resamples)
    found = probability(read["fused"].to_numpy(float))
    for point, threshold in points.items():
        section[f"what readers marked where flagged at {point}"] = _marked(
            read[found >= threshold], resamples
        )
    wrong = read[(read["visible"] >= 2) | (read["meaning"] == 2)]
    section["of errors (visible 2, 3 or meaning 2), in meaning alone"] = {
        name: share((wrong["visible"] <= most).to_numpy(bool), wrong["cluster"].to_numpy(), resamples)
        for name, most in (("nothing visible", 0), ("slight at most", 1))
    }
    return section


def _told_apart(some: pd.DataFrame, others: pd.DataFrame, resamples: int) -> Row:
    row = separate(some, others, "fused", resamples=resamples)
    return row | {f"AUC {name}": contrast(some, others, score) for name, score in BASELINES.items()}


def _marked(some: pd.DataFrame, resamples: int) -> Row:
    """Give the share of each band that stands for a grade; the three add up to 1."""
    clusters = some["cluster"].to_numpy()
    return {name: share(BANDS[name].within(some), clusters, resamples) for name in (FAULTY, SLIGHT, NOTHING)}


def damage_cuts(roundtrips: Scored, humans: Mapping[str, Scored], resamples: int) -> Section:
    """Tell damaged round trips of every cut from people's text.

    What is most damaged is decided over all that were evenly read, not within the cut, so that it
    means the same everywhere. Cuts by length stand against people's sentences of that length.
    """
    section: Section = {}
    human, originals = people(humans)["human text"], humans["originals"].frame
    read = evenly_read(roundtrips)
    for part in cuts(read.assign(**{band: BANDS[band].within(read) for band in (WORST, FAULTY)})):
        alike = part.like(human)
        for band in (WORST, FAULTY):
            some = part.frame[part.frame[band]]
            if len(some):
                row = separate(some, alike, "fused", resamples=resamples)
                row["pair accuracy"] = paired(some, originals, "fused", resamples)
                section[f"{part.name}: {band}"] = row
    return section


def ranks(roundtrips: Scored, edited: Scored | None, marked: Scored | None, resamples: int) -> Section:
    """Rank sentences by damage, and compare with readers' grades, HTER and marked errors."""
    section: Section = {}
    read = evenly_read(roundtrips)
    if len(read):
        section["readers' grades of round trips"] = _ranked(read, "visible", resamples)
    for origin, some in read.groupby("origin", sort=True):
        section[f"readers' grades, {origin}"] = _ranked(some, "visible", resamples)
    if edited is not None:
        for pair, some in edited.frame.groupby("pair", sort=True):
            section[f"HTER, {pair}"] = _ranked(some, "hter", resamples)
        section["HTER, mean over source languages"] = _ranked(edited.frame, "hter", resamples, within="pair")
    if marked is not None:
        section["MQM penalty"] = _ranked(marked.frame, "damage", resamples)
    return section


def _ranked(frame: pd.DataFrame, gold: str, resamples: int, *, within: str | None = None) -> Row:
    """Correlate every score with gold; ``within`` takes the mean over the parts a column names."""
    truth = frame[gold].to_numpy(float)
    part = np.zeros(len(frame)) if within is None else frame[within].astype("category").cat.codes.to_numpy()
    row: Row = {}
    for name, column in {"fused": "fused", **BASELINES}.items():
        scores = frame[column].to_numpy(float)

        def correlation(times: Vector, scores: Vector = scores) -> float:
            rows = np.repeat(np.arange(len(times)), times.astype(np.int64))
            parts = [rows[part[rows] == k] for k in np.unique(part)]
            return float(np.mean([spearman(truth[r], scores[r]) for r in parts]))

        groups = frame["cluster"].to_numpy() if name == "fused" else None
        row |= take({name: correlation}, len(frame), groups, resamples=resamples)
    return row


def provenance(roundtrips: Scored, humans: Mapping[str, Scored], resamples: int) -> Section:
    """Tell round trips from their originals by the sentence logit that people never see."""
    originals = humans["originals"].frame
    section: Section = {}
    for part in cuts(roundtrips.frame):
        theirs = originals[originals["original_id"].isin(part.frame["original_id"])]
        row = separate(part.frame, theirs, "provenance", resamples=resamples)
        row["pair accuracy"] = paired(part.frame, originals, "provenance", resamples)
        row |= calibrated(claims([part.frame], [theirs], "provenance"), resamples)
        row["AUC n-grams"] = contrast(part.frame, theirs, "ngram_provenance")
        row["pair accuracy n-grams"] = paired(part.frame, originals, "ngram_provenance", 0)
        row["AUC length"] = contrast(part.frame, theirs, "length")
        row["AUC chance"] = contrast(part.frame, theirs, "chance")
        section[part.name] = row
    return section
