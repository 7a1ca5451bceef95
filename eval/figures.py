"""Scored sentences and texts -> figures, one function for each section of the results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.fuse import Fusion, SentenceLogits, Vector
from detector.spans import find_spans
from training.examples import Spans
from training.fusion import LENGTHS

from .metrics import (
    Bools,
    Rows,
    auc,
    bootstrap_interval,
    brier,
    expected_calibration_error,
    f_beta,
    pair_accuracy,
    spearman,
    tpr_at_fpr,
)


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


Section = dict[str, dict[str, Figure]]
"""Figures by row and column, in the order they are shown."""

DAMAGE_SCORES = {"fused": "fused", "model alone": "model", "rules alone": "rules", "n-grams": "ngram_damage"}
BANDS: dict[str, Callable[[Vector], Bools]] = {
    "10 % most damaged": lambda damage: damage >= np.quantile(damage, 0.9),
    "somewhat damaged (.2 to .5)": lambda damage: (damage >= 0.2) & (damage < 0.5),
    "hardly damaged (below .1)": lambda damage: damage < 0.1,
}


@dataclass(frozen=True, slots=True)
class Scored:
    """Sentences of one kind with all their scores.

    Attributes:
        frame: Columns of `samples` and ``fused``, ``model``, ``rules``, ``ngram_damage``,
            ``provenance``, ``ngram_provenance`` (all logits), ``length`` and ``chance``, ``evidence``
            (whether anything is shown to people).
        logits: What the encoder says of each, words included. Length n.
    """

    frame: pd.DataFrame
    logits: tuple[SentenceLogits, ...]


def probability(logits: Vector) -> Vector:
    """Give the probabilities of logits, without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -700, 700))))


def figure(
    statistic: Callable[[Rows], float],
    groups: npt.NDArray[np.generic] | None,
    *,
    n: int,
    against: int | None = None,
    count: int | None = None,
    resamples: int,
) -> Figure:
    """Take a statistic over all rows, with its interval where ``groups`` says what to draw together.

    Args:
        statistic: Takes row indices; ValueError means that the data cannot answer.
        groups: What a bootstrap draws together, or None for no interval. Shape (rows,).
        n: Figure's ``n``.
        against: Figure's ``against``.
        count: Rows there are; by default ``n`` and ``against`` together.
        resamples: Draws of the bootstrap.
    """
    rows = np.arange(n + (against or 0) if count is None else count)
    try:
        value = statistic(rows)
    except ValueError:
        return Figure(None, n, against)
    if groups is None:
        return Figure(value, n, against)
    try:
        return Figure(value, n, against, bootstrap_interval(statistic, groups, resamples=resamples))
    except ValueError:
        return Figure(value, n, against)


def contrast(
    positive: pd.DataFrame,
    negative: pd.DataFrame,
    score: str,
    metric: Callable[[Bools, Vector], float] = auc,
    *,
    cluster: str = "cluster",
    resamples: int = 0,
) -> Figure:
    """Tell two frames apart by one column; ``resamples`` 0 leaves the interval out."""
    scores = np.concatenate([positive[score].to_numpy(float), negative[score].to_numpy(float)])
    gold = np.arange(len(scores)) < len(positive)
    groups = np.concatenate([positive[cluster], negative[cluster]]).astype(str) if resamples else None
    return figure(
        lambda rows: metric(gold[rows], scores[rows]),
        groups,
        n=len(positive),
        against=len(negative),
        resamples=resamples,
    )


def share(flags: Bools, groups: npt.NDArray[np.generic], resamples: int) -> Figure:
    """Give the share of True."""
    if not len(flags):
        return Figure(None, 0)
    return figure(lambda rows: float(flags[rows].mean()), groups, n=len(flags), resamples=resamples)


def at_fpr(fpr: float) -> Callable[[Bools, Vector], float]:
    """Give `tpr_at_fpr` at one rate."""
    return lambda gold, scores: tpr_at_fpr(gold, scores, fpr)


def people(humans: Mapping[str, Scored]) -> dict[str, pd.DataFrame]:
    """Give kinds of people's text to tell damage from; what is an original counts once."""
    kinds = {"originals": humans["originals"].frame}
    if "native" in humans:
        native = humans["native"].frame
        kinds["native"] = native[~native["is_original"]]
    if "human_translation" in humans:
        kinds["human translation"] = humans["human_translation"].frame
    return {"human text": pd.concat(kinds.values()), **kinds}


def damage(roundtrips: Scored, humans: Mapping[str, Scored], fusion: Fusion, resamples: int) -> Section:
    """Tell damaged round trips from people's text, by how damaged they are."""
    section: Section = {}
    gold = roundtrips.frame["damage"].to_numpy(float)
    for band, within in BANDS.items():
        some = roundtrips.frame[within(gold)]
        for kind, human in people(humans).items():
            row = {
                f"AUC {name}": contrast(some, human, score, resamples=resamples if name == "fused" else 0)
                for name, score in DAMAGE_SCORES.items()
            }
            row["TPR at 5 %"] = contrast(some, human, "fused", at_fpr(0.05))
            row["TPR at 1 %"] = contrast(some, human, "fused", at_fpr(0.01), resamples=resamples)
            section[f"{band}, against {kind}"] = row
        found = probability(some["fused"].to_numpy(float))
        section[f"{band}, flagged at the stored point"] = {
            name: share(found >= point.sentence, some["cluster"].to_numpy(str), resamples)
            for name, point in fusion.operating_points.items()
            if point.sentence is not None
        }
    return section


def ranks(roundtrips: Scored, edited: Scored | None, marked: Scored | None, resamples: int) -> Section:
    """Rank sentences by damage, and compare with gold, with HTER and with marked errors."""
    trips = roundtrips.frame
    section = {"gold damage of round trips": _ranked(trips, "damage", resamples)}
    for origin, some in trips.groupby("origin", sort=True):
        section[f"gold damage, {origin}"] = _ranked(some, "damage", resamples)
    if edited is not None:
        for pair, some in edited.frame.groupby("pair", sort=True):
            section[f"HTER, {pair}"] = _ranked(some, "hter", resamples)
        section["HTER, mean over source languages"] = _ranked(edited.frame, "hter", resamples, within="pair")
    if marked is not None:
        section["MQM penalty"] = _ranked(marked.frame, "damage", resamples)
    return section


def _ranked(
    frame: pd.DataFrame, gold: str, resamples: int, *, within: str | None = None
) -> dict[str, Figure]:
    """Correlate every score with gold; ``within`` takes the mean over the parts a column names."""
    truth = frame[gold].to_numpy(float)
    part = np.zeros(len(frame)) if within is None else frame[within].astype("category").cat.codes.to_numpy()
    row = {}
    for name, column in DAMAGE_SCORES.items():
        scores = frame[column].to_numpy(float)

        def correlation(rows: Rows, scores: Vector = scores) -> float:
            parts = [rows[part[rows] == k] for k in np.unique(part)]
            return float(np.mean([spearman(truth[r], scores[r]) for r in parts]))

        groups = frame["cluster"].to_numpy(str) if name == "fused" else None
        row[name] = figure(correlation, groups, n=len(frame), resamples=resamples)
    return row


def cells(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Cut round trips or laundered texts by origin, year, and whether engine and pivot are known."""
    origin = np.where(frame["origin"] == "flores", "FLORES", "news")
    for name in sorted(set(origin), reverse=True):
        of_origin = frame[origin == name]
        yield name, of_origin
        for cell in ("seen", "unseen engine", "unseen pivot", "both unseen", "unseen, tried on dev"):
            yield f"{name}, {cell}", of_origin[of_origin["cell"] == cell]
        if name == "news":
            for year, of_year in of_origin.groupby("year", sort=True):
                yield f"news {year}", of_year
                yield f"news {year}, seen", of_year[of_year["cell"] == "seen"]


def provenance(roundtrips: Scored, humans: Mapping[str, Scored], resamples: int) -> Section:
    """Tell round trips from their originals by the sentence logit that people never see."""
    originals = humans["originals"].frame
    section = {
        name: _against_originals(some, originals, resamples)
        for name, some in cells(roundtrips.frame)
        if len(some)
    }
    if {"human_translation", "native"} <= set(humans):
        translated, native = humans["human_translation"].frame, humans["native"].frame
        section["human translation against native (.5 is ideal)"] = {
            "AUC": contrast(translated, native, "provenance", resamples=resamples),
            "AUC n-grams": contrast(translated, native, "ngram_provenance"),
            "AUC length": contrast(translated, native, "length"),
        }
    return section


def _against_originals(some: pd.DataFrame, originals: pd.DataFrame, resamples: int) -> dict[str, Figure]:
    theirs = originals[originals["original_id"].isin(some["original_id"])]
    own = originals.set_index("original_id").loc[some["original_id"]]

    def paired(score: str, draws: int) -> Figure:
        a, b = own[score].to_numpy(float), some[score].to_numpy(float)
        groups = some["cluster"].to_numpy(str) if draws else None
        return figure(lambda rows: pair_accuracy(a[rows], b[rows]), groups, n=len(some), resamples=draws)

    return {
        "AUC": contrast(some, theirs, "provenance", resamples=resamples),
        "pair accuracy": paired("provenance", resamples),
        "AUC n-grams": contrast(some, theirs, "ngram_provenance"),
        "pair accuracy n-grams": paired("ngram_provenance", 0),
        "AUC length": contrast(some, theirs, "length"),
        "AUC chance": contrast(some, theirs, "chance"),
    }


def tokens(labelled: Mapping[str, Scored], fusion: Fusion, resamples: int) -> Section:
    """Find damaged words, and compare with gold spans; what no gold span covers does not count.

    F0.5 and the top span are taken over sentences flagged at the 1 % point, as people see them.
    The top span is right where at least half of its known characters are damaged.

    Args:
        labelled: By name; the frames have a column ``spans`` (see `training.examples`).
        fusion: Thresholds.
        resamples: Draws of a bootstrap.
    """
    return {name: _found(scored, fusion, resamples) for name, scored in labelled.items()}


def _found(scored: Scored, fusion: Fusion, resamples: int) -> dict[str, Figure]:
    threshold = fusion.operating_points["fpr_1e-2"].sentence or 1.0
    flagged = probability(scored.frame["fused"].to_numpy(float)) >= threshold
    words: list[tuple[bool, float, int]] = []
    gold, found, top = [], [], []
    for i, (text, spans, said) in enumerate(
        zip(scored.frame["text"], scored.frame["spans"], scored.logits, strict=True)
    ):
        known = character_gold(len(text), spans)
        for word in said.words:
            if known[word.start] >= 0 and any(c.isalnum() for c in text[word.start : word.end]):
                words.append((bool(known[word.start]), word.score, i))
        if not flagged[i]:
            continue
        shown = find_spans(text, said.words, fusion.token_threshold)
        covered = np.zeros(len(known), dtype=bool)
        for span in shown:
            covered[span.start : span.end] = True
        gold.append(known[known >= 0] == 1)
        found.append(covered[known >= 0])
        if shown:
            best = max(shown, key=lambda s: s.score)
            inside = known[best.start : best.end]
            top.append(2 * int(np.sum(inside == 1)) >= max(1, int(np.sum(inside >= 0))))
    truth = np.array([w[0] for w in words], dtype=bool)
    score = np.array([w[1] for w in words])
    sentence = np.array([w[2] for w in words], dtype=np.int64)
    seen = np.flatnonzero(flagged[sentence])
    cluster = scored.frame["cluster"].to_numpy(str)[sentence]

    def words_f(rows: Rows) -> float:
        return f_beta(truth[seen][rows], score[seen][rows] >= fusion.token_threshold, 0.5)

    def characters_f(_: Rows) -> float:
        nothing = np.zeros(0, dtype=bool)
        return f_beta(np.concatenate([nothing, *gold]), np.concatenate([nothing, *found]), 0.5)

    return {
        "word AUC": figure(
            lambda rows: auc(truth[rows], score[rows]),
            cluster,
            n=int(truth.sum()),
            against=int((~truth).sum()),
            resamples=resamples,
        ),
        "F0.5 words": figure(words_f, None, n=len(seen), resamples=0),
        "F0.5 characters": figure(characters_f, None, n=len(gold), resamples=0),
        "top span right": Figure(float(np.mean(top)) if top else None, len(top)),
        "sentences flagged": Figure(float(flagged.mean()) if len(flagged) else None, len(flagged)),
    }


def character_gold(length: int, spans: Spans) -> npt.NDArray[np.int8]:
    """Give 1 for damaged characters, 0 for sound ones and -1 where nothing is known.

    Example:
        >>> character_gold(4, ((0, 1, True), (2, 4, False))).tolist()
        [1, -1, 0, 0, -1]
    """
    known = np.full(length + 1, -1, dtype=np.int8)
    for start, end, damaged in spans:
        known[start:end] = damaged
    return known


def texts(laundered: pd.DataFrame, human: Mapping[str, pd.DataFrame], resamples: int) -> Section:
    """Tell laundered texts from honest ones, by length and cell.

    Args:
        laundered: One row a text: ``size``, ``document``, ``origin``, ``year``, ``cell``, ``fused``,
            ``rules`` and ``ngram``.
        human: The same columns but the cell, for ``originals`` and what there is of ``native`` and
            ``human_translation``.
        resamples: Draws of a bootstrap.
    """
    section: Section = {}
    alone = {"originals": human["originals"]}
    if "native" in human:
        alone["native"] = human["native"][~human["native"]["is_original"]]
    both = pd.concat(alone.values())
    if "human_translation" in human:
        alone["translations"] = human["human_translation"]
    for cut, of_cut in cells(laundered):
        for length in LENGTHS:
            some = of_cut[of_cut["size"] == length]
            if some.empty:
                continue
            honest = both[both["size"] == length]
            row = {
                "AUC": contrast(some, honest, "fused", cluster="document", resamples=resamples),
                "TPR at 5 %": contrast(
                    some, honest, "fused", at_fpr(0.05), cluster="document", resamples=resamples
                ),
                "TPR at 1 %": contrast(some, honest, "fused", at_fpr(0.01)),
            }
            for name, others in alone.items():
                row[f"AUC, {name}"] = contrast(some, others[others["size"] == length], "fused")
            row["AUC n-grams"] = contrast(some, honest, "ngram")
            row["TPR at 5 % n-grams"] = contrast(some, honest, "ngram", at_fpr(0.05))
            row["AUC rules alone"] = contrast(some, honest, "rules")
            section[f"{cut}: {length}"] = row
    return section


def false_alarms(
    humans: Mapping[str, Scored], human_texts: Mapping[str, pd.DataFrame], fusion: Fusion, resamples: int
) -> Section:
    """Count people's sentences and texts that are flagged at each stored point, or show evidence."""
    section: Section = {}
    for kind, scored in humans.items():
        parts = [(kind.replace("_", " "), scored.frame, human_texts[kind])]
        if kind == "native":
            of_texts = human_texts[kind]
            parts += [
                (f"native {year}", some, of_texts[of_texts["year"] == year])
                for year, some in scored.frame.groupby("year", sort=True)
            ]
        for name, sentences, of_kind in parts:
            row: dict[str, Figure] = {}
            said = probability(sentences["fused"].to_numpy(float))
            said_of_texts = probability(of_kind["fused"].to_numpy(float))
            clusters, documents = sentences["document"].to_numpy(str), of_kind["document"].to_numpy(str)
            ten = of_kind["size"].to_numpy() == 10
            for point_name, point in fusion.operating_points.items():
                if point.sentence is not None:
                    row[f"sentences {point_name}"] = share(said >= point.sentence, clusters, resamples)
                if point.text is not None:
                    flags = said_of_texts >= point.text
                    row[f"texts {point_name}"] = share(flags, documents, resamples)
                    row[f"texts of 10 {point_name}"] = share(flags[ten], documents[ten], resamples)
            row["evidence shown"] = share(sentences["evidence"].to_numpy(bool), clusters, resamples)
            section[name] = row
    return section


def calibration(
    roundtrips: Scored,
    humans: Mapping[str, Scored],
    laundered: pd.DataFrame,
    human_texts: Mapping[str, pd.DataFrame],
) -> Section:
    """Compare scores with what came true, where half is machine translation and half is people's.

    People's half is originals, native news and translations in equal parts; every length of text
    weighs alike.
    """
    kinds = [k for k in ("originals", "native", "human_translation") if k in humans]
    shares = (len(kinds), *(1 for _ in kinds))
    frames = [roundtrips.frame, *(humans[k].frame for k in kinds)]
    said = probability(np.concatenate([f["fused"].to_numpy(float) for f in frames]))
    gold = np.concatenate([frames[0]["damage"].to_numpy(float), *(np.zeros(len(f)) for f in frames[1:])])
    weight = np.concatenate(
        [np.full(len(f), w / max(1, len(f))) for f, w in zip(frames, shares, strict=True)]
    )
    section = {"sentence score against gold damage": _calibrated(gold, said, weight)}
    only = frames[0]["damage"].to_numpy(float), probability(frames[0]["fused"].to_numpy(float))
    section["the same, round trips only"] = _calibrated(*only, np.ones(len(frames[0])))
    groups = [laundered, *(human_texts[k] for k in kinds)]
    for lengths in (LENGTHS, *((n,) for n in LENGTHS)):
        parts = [
            (g[g["size"] == n]["fused"].to_numpy(float), k, w)
            for n in lengths
            for k, (g, w) in enumerate(zip(groups, shares, strict=True))
        ]
        said = probability(np.concatenate([p for p, _, _ in parts]))
        gold = np.concatenate([np.full(len(p), float(k == 0)) for p, k, _ in parts])
        weight = np.concatenate([np.full(len(p), w / max(1, len(p))) for p, _, w in parts])
        name = "text score" if len(lengths) > 1 else f"text score, {lengths[0]}"
        section[name] = _calibrated(gold, said, weight)
    return section


def _calibrated(gold: Vector, said: Vector, weight: Vector) -> dict[str, Figure]:
    return {
        "Brier": figure(lambda rows: brier(gold, said, weight), None, n=len(gold), resamples=0),
        "calibration error": figure(
            lambda rows: expected_calibration_error(gold, said, weight), None, n=len(gold), resamples=0
        ),
        "mean score": Figure(float(np.average(said, weights=weight)) if len(said) else None, len(said)),
        "mean gold": Figure(float(np.average(gold, weights=weight)) if len(gold) else None, len(gold)),
    }
