"""Scored words and spans -> how well they cover gold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.alignment import words as cut
from detector.fuse import Fusion, Vector
from detector.report import Kind
from detector.spans import ReadSentence, Span, SpanFinder, kind_of_form
from training.examples import Spans
from training.kinds import word_kinds

from .figures import Figure, Row, Scored, Section, probability, share, take
from .metrics import Bools, Order, Rows, f_beta, mcc

KnownKinds = tuple[tuple[int, int, Kind], ...]

MARKS = "readers' marks"
"""The set whose gold is the worst words of a sentence, not all that are damaged."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in sentences, where gold is known.

    Attributes:
        word_gold: Whether each word is damaged. Shape (words,).
        word_score: Logit of each. Shape (words,).
        word_shown: Whether a span covers it. Shape (words,).
        word_length: Its characters. Shape (words,).
        word_of: Sentence of each word. Shape (words,).
        gold: Whether characters are damaged. Shape (lots,): those of one sentence that are alike in
            this and in being found are one lot.
        found: Whether a span covers them. Shape (lots,).
        characters: How many they are. Shape (lots,).
        lot_of: Their sentence. Shape (lots,).
        top: Words inside the surest span, and those of the whole sentence; of each first the damaged
            ones, then all whose gold is known. Shape (sentences with a span, 2, 2).
        right: Whether the surest span is right: at least half of its known characters are damaged, or
            for `MARKS` any. Shape (sentences with a span,).
        score: Of the surest span. Shape (sentences with a span,).
        top_of: Sentence of each of ``top``.
        kinds: Gold kind, kind found and kind by rule of each span that has a gold kind.
        kind_of: Sentence of each of ``kinds``.
    """

    word_gold: Bools
    word_score: Vector
    word_shown: Bools
    word_length: Vector
    word_of: Rows
    gold: Bools
    found: Bools
    characters: Vector
    lot_of: Rows
    top: Vector
    right: Bools
    score: Vector
    top_of: Rows
    kinds: tuple[tuple[Kind, Kind, Kind], ...]
    kind_of: Rows


def tokens(labelled: Mapping[str, Scored], fusion: Fusion, finder: SpanFinder, resamples: int) -> Section:
    """Compare damaged words with gold spans; what no gold span covers does not count.

    Each set has a row over all its sentences, and one over those flagged at the 1 % point, the
    only ones in which people are shown words. Words count as found where a span covers them.

    Args:
        labelled: By name; the frames have a column ``spans`` (see `training.examples`), and those whose
            kinds are known a column ``kinds`` (see `known_kinds`).
        fusion: Thresholds.
        finder: Of the model and language.
        resamples: Draws of a bootstrap.
    """
    section: Section = {}
    for name, scored in labelled.items():
        clusters = scored.frame["cluster"].to_numpy(str)
        flagged = is_flagged(scored, fusion)
        for row, chosen in ((name, np.ones(len(flagged), dtype=bool)), (f"{name}, flagged", flagged)):
            least = 0.0 if name == MARKS else 0.5
            found = find(scored, np.flatnonzero(chosen), finder, least)
            section[row] = _covered(found, clusters, resamples)
            if "kinds" in scored.frame:
                section[row] |= kinds_right(found, clusters, resamples)
        section[f"{name}, how many are flagged"] = {"sentences": share(flagged, clusters, resamples)}
    return section


def is_flagged(scored: Scored, fusion: Fusion) -> Bools:
    """Tell the sentences flagged at the 1 % point."""
    threshold = fusion.operating_points["fpr_1e-2"].sentence or 1.0
    return np.asarray(probability(scored.frame["fused"].to_numpy(float)) >= threshold)


def confusion(scored: Scored, finder: SpanFinder) -> Section:
    """Set the kinds that spans were given beside those they have: a row for each gold kind."""
    found = find(scored, np.arange(len(scored.frame)), finder, 0.5)
    count = Counter((gold, given) for gold, given, _ in found.kinds)
    of_gold = Counter(gold for gold, *_ in found.kinds)
    given = sorted({given for _, given in count})
    return {
        gold: {kind: Figure(count[gold, kind] / total, total) for kind in given}
        for gold, total in of_gold.most_common()
    }


def find(scored: Scored, chosen: Rows, finder: SpanFinder, least: float) -> Found:
    """Set words and spans of the ``chosen`` sentences beside their gold.

    Args:
        scored: The frame has a column ``spans``, and may have ``kinds``.
        chosen: Its rows.
        finder: Of the model and language.
        least: Share of the known characters of the surest span that must be damaged, and one at
            least, for it to be right.
    """
    words: list[tuple[bool, float, bool, int, int]] = []
    tops: list[tuple[list[list[int]], bool, float, int]] = []
    lots: list[tuple[int, int, int, int]] = []
    kinds: list[tuple[Kind, Kind, Kind]] = []
    kind_of: list[int] = []
    texts, spans = scored.frame["text"].to_numpy(), scored.frame["spans"].to_numpy()
    told = scored.frame["kinds"].to_numpy() if "kinds" in scored.frame else [()] * len(texts)
    for i in chosen:
        text, said = texts[i], scored.logits[i]
        known = character_gold(len(text), spans[i])
        read = ReadSentence.of(text, said.words, finder.kinds)
        shown = finder.find(text, said.words)
        covered = np.zeros(len(known), dtype=bool)
        for span in shown:
            covered[span.start : span.end] = True
        gold = np.array([known[w.start] for w in read.words], dtype=np.int64)
        for word, is_damaged, logit in zip(read.words, gold, finder.word_logits(read), strict=True):
            if is_damaged >= 0:
                length = word.end - word.start
                words.append((bool(is_damaged), float(logit), bool(covered[word.start]), length, i))
        lots += [(gold, c, int(np.sum(covered[known == gold] == c)), i) for gold in (0, 1) for c in (0, 1)]
        for span in shown:
            if kind := kind_inside(told[i], span):
                kinds.append((kind, span.kind, kind_of_form(text, span.start, span.end)))
                kind_of.append(i)
        if shown:
            best = max(shown, key=lambda s: s.score)
            inside = known[best.start : best.end]
            of_words = gold[[best.start <= w.start < best.end for w in read.words]]
            counts = [[int((g == 1).sum()), int((g >= 0).sum())] for g in (of_words, gold)]
            right = bool(np.sum(inside == 1) >= max(1, least * np.sum(inside >= 0)))
            tops.append((counts, right, best.score, i))
    counted = np.array(lots, dtype=np.int64).reshape(-1, 4)
    return Found(
        np.array([w[0] for w in words], dtype=bool),
        np.array([w[1] for w in words], dtype=np.float64),
        np.array([w[2] for w in words], dtype=bool),
        np.array([w[3] for w in words], dtype=np.float64),
        np.array([w[4] for w in words], dtype=np.int64),
        counted[:, 0] == 1,
        counted[:, 1] == 1,
        counted[:, 2].astype(np.float64),
        counted[:, 3],
        np.array([t[0] for t in tops], dtype=np.float64).reshape(-1, 2, 2),
        np.array([t[1] for t in tops], dtype=bool),
        np.array([t[2] for t in tops], dtype=np.float64),
        np.array([t[3] for t in tops], dtype=np.int64),
        tuple(kinds),
        np.array(kind_of, dtype=np.int64),
    )


def known_kinds(original: str, roundtrip: str, language: str, pivot: str) -> KnownKinds:
    """Give start, end and kind of each word of a round trip to which something has happened."""
    told = word_kinds(original, roundtrip, language, pivot)
    return tuple(
        (w.start, w.end, kind)
        for w, kind in zip(cut(roundtrip), told, strict=True)
        if kind and not w.is_punctuation
    )


def kind_inside(told: KnownKinds, span: Span) -> Kind | None:
    """Give the gold kind of a span: that of most of its characters; None where nothing has happened."""
    letters: Counter[Kind] = Counter()
    for start, end, kind in told:
        if span.start <= start < span.end:
            letters[kind] += end - start
    return letters.most_common(1)[0][0] if letters else None


def _covered(found: Found, clusters: npt.NDArray[np.str_], resamples: int) -> Row:
    truth, shown = found.word_gold, found.word_shown
    damaged, sound = int(truth.sum()), int((~truth).sum())
    row: Row = {"word AUC": Figure(None, damaged, sound), "character AUC": Figure(None, damaged, sound)}
    groups = clusters[found.word_of]
    of_words = {
        "MCC words": lambda weight: mcc(truth, shown, weight),
        "F1 words": lambda weight: f_beta(truth, shown, 1.0, weight),
        "F0.5 words": lambda weight: f_beta(truth, shown, 0.5, weight),
    }
    if damaged and sound:
        order = Order.of(truth, found.word_score)
        of_words |= {
            "word AUC": order.auc,
            "character AUC": lambda weight: order.auc(weight * found.word_length),
        }
    row |= take(of_words, len(truth), groups, n=damaged, against=sound, resamples=resamples)
    lots = found.gold, found.found
    everything = found.gold, np.ones_like(found.gold)
    of_characters = {
        "F1 characters": lambda weight: f_beta(*lots, 1.0, weight * found.characters),
        "F0.5 characters": lambda weight: f_beta(*lots, 0.5, weight * found.characters),
        "F0.5 of marking all": lambda weight: f_beta(*everything, 0.5, weight * found.characters),
    }
    characters = int(found.characters.sum())
    row |= take(of_characters, len(found.gold), clusters[found.lot_of], n=characters, resamples=resamples)
    groups = clusters[found.top_of]
    row["top span right"] = share(found.right, groups, resamples)
    of_top = {
        "words of the top span": lambda weight: _ratio(found.top[:, 0], weight),
        "words of those sentences": lambda weight: _ratio(found.top[:, 1], weight),
    }
    return row | take(of_top, len(found.top), groups, resamples=resamples)


def _ratio(counts: Vector, weight: Vector) -> float:
    damaged, known = weight @ counts
    if not known:
        raise ValueError("no word is known")
    return float(damaged / known)


def kinds_right(found: Found, clusters: npt.NDArray[np.str_], resamples: int) -> Row:
    """Give how many spans have the right kind, by the model and by rule, and the share of the commonest."""
    gold, given, by_rule = np.array(found.kinds, dtype=str).reshape(-1, 3).T
    names, count = np.unique(gold, return_counts=True)
    groups = clusters[found.kind_of]
    right = {"kind right": given, "kind right, by form alone": by_rule}
    row = {name: share(said == gold, groups, resamples) for name, said in right.items()}
    commonest = names[count.argmax()] if len(names) else ""
    return row | {"commonest kind": share(gold == commonest, groups, resamples)}


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
