"""Scored words and spans -> how well they cover gold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.fuse import Fusion, Vector
from detector.spans import find_spans
from training.examples import Spans

from .figures import Figure, Row, Scored, Section, probability, share, take
from .metrics import Bools, Order, Rows, f_beta, mcc

MARKS = "readers' marks"
"""The set whose gold is the worst words of a sentence, not all that are damaged."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in sentences, where gold is known.

    Attributes:
        word_gold: Whether each word is damaged. Shape (words,).
        word_score: Shape (words,).
        word_of: Sentence of each word. Shape (words,).
        gold: Whether characters are damaged. Shape (lots,): those of one sentence that are alike in
            this and in being found are one lot.
        found: Whether a span covers them. Shape (lots,).
        characters: How many they are. Shape (lots,).
        lot_of: Their sentence. Shape (lots,).
        top: Whether the surest span is right: at least half of its known characters are damaged, or
            for `MARKS` any. Shape (sentences with a span,).
        top_of: Sentence of each of ``top``.
    """

    word_gold: Bools
    word_score: Vector
    word_of: Rows
    gold: Bools
    found: Bools
    characters: Vector
    lot_of: Rows
    top: Bools
    top_of: Rows


def tokens(labelled: Mapping[str, Scored], fusion: Fusion, resamples: int) -> Section:
    """Compare damaged words with gold spans; what no gold span covers does not count.

    Each set has a row over all its sentences, and one over those flagged at the 1 % point, the
    only ones in which people are shown words. Words count as found from the stored threshold on.

    Args:
        labelled: By name; the frames have a column ``spans`` (see `training.examples`).
        fusion: Thresholds.
        resamples: Draws of a bootstrap.
    """
    section: Section = {}
    threshold = fusion.operating_points["fpr_1e-2"].sentence or 1.0
    for name, scored in labelled.items():
        clusters = scored.frame["cluster"].to_numpy(str)
        flagged = probability(scored.frame["fused"].to_numpy(float)) >= threshold
        for row, chosen in ((name, np.ones(len(flagged), dtype=bool)), (f"{name}, flagged", flagged)):
            least = 0.0 if name == MARKS else 0.5
            found = find(scored, np.flatnonzero(chosen), fusion.token_threshold, least)
            section[row] = _covered(found, clusters, fusion.token_threshold, resamples)
        section[f"{name}, how many are flagged"] = {"sentences": share(flagged, clusters, resamples)}
    return section


def find(scored: Scored, chosen: Rows, threshold: float, least: float) -> Found:
    """Set words and spans of the ``chosen`` sentences beside their gold.

    Args:
        scored: The frame has a column ``spans``.
        chosen: Its rows.
        threshold: Of a word's score.
        least: Share of the known characters of the surest span that must be damaged, and one at
            least, for it to be right.
    """
    words: list[tuple[bool, float, int]] = []
    top: list[tuple[bool, int]] = []
    lots: list[tuple[int, int, int, int]] = []
    texts, spans = scored.frame["text"].to_numpy(), scored.frame["spans"].to_numpy()
    for i in chosen:
        text, said = texts[i], scored.logits[i].words
        known = character_gold(len(text), spans[i])
        for word in said:
            if known[word.start] >= 0 and any(c.isalnum() for c in text[word.start : word.end]):
                words.append((bool(known[word.start]), word.score, i))
        shown = find_spans(text, said, threshold)
        covered = np.zeros(len(known), dtype=bool)
        for span in shown:
            covered[span.start : span.end] = True
        lots += [(gold, c, int(np.sum(covered[known == gold] == c)), i) for gold in (0, 1) for c in (0, 1)]
        if shown:
            best = max(shown, key=lambda s: s.score)
            inside = known[best.start : best.end]
            damaged = int(np.sum(inside == 1))
            top.append((damaged >= max(1, least * np.sum(inside >= 0)), i))
    counted = np.array(lots, dtype=np.int64).reshape(-1, 4)
    return Found(
        np.array([w[0] for w in words], dtype=bool),
        np.array([w[1] for w in words], dtype=np.float64),
        np.array([w[2] for w in words], dtype=np.int64),
        counted[:, 0] == 1,
        counted[:, 1] == 1,
        counted[:, 2].astype(np.float64),
        counted[:, 3],
        np.array([t[0] for t in top], dtype=bool),
        np.array([t[1] for t in top], dtype=np.int64),
    )


def _covered(found: Found, clusters: npt.NDArray[np.str_], threshold: float, resamples: int) -> Row:
    truth, shown = found.word_gold, found.word_score >= threshold
    damaged, sound = int(truth.sum()), int((~truth).sum())
    row: Row = {"word AUC": Figure(None, damaged, sound)}
    groups = clusters[found.word_of]
    of_words = {
        "MCC words": lambda weight: mcc(truth, shown, weight),
        "F1 words": lambda weight: f_beta(truth, shown, 1.0, weight),
        "F0.5 words": lambda weight: f_beta(truth, shown, 0.5, weight),
    }
    if damaged and sound:
        of_words = {"word AUC": Order.of(truth, found.word_score).auc, **of_words}
    row |= take(of_words, len(truth), groups, n=damaged, against=sound, resamples=resamples)
    lots = found.gold, found.found
    of_characters = {
        "F1 characters": lambda weight: f_beta(*lots, 1.0, weight * found.characters),
        "F0.5 characters": lambda weight: f_beta(*lots, 0.5, weight * found.characters),
    }
    characters = int(found.characters.sum())
    row |= take(of_characters, len(found.gold), clusters[found.lot_of], n=characters, resamples=resamples)
    row["top span right"] = share(found.top, clusters[found.top_of], resamples)
    return row


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
