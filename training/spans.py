"""Fit what makes spans of words and how sure they are, on dev: `python -m training.spans`, after fusion.

Which words are shown is learnt from what round trips changed of their originals, and how sure a span
is from what readers marked.
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.backends import Backend
from detector.backends.onnx import OnnxBackend
from detector.fuse import Fusion, Vector
from detector.heads import read_heads
from detector.kinds import Kinds
from detector.logistic import logit_of
from detector.spans import LONGEST, SPAN_FEATURES, WORD_FEATURES, ReadSentence, SpanHeads, places

from .corpora import SEED
from .examine import Examined, examine
from .examples import Spans, changed_spans, marked_words
from .fusion import fit_logistic

log = logging.getLogger(__name__)

POINT = "fpr_1e-2"
"""Words are learnt from sentences flagged here: people are shown no others."""
MOST, MOST_EACH = 6000, 1200
"""Round trips of dev that are read, of a model of one language, and of each of many."""
_FEWEST_SPANS = 100
_NEARLY = 0.02

Known = tuple[ReadSentence, Spans]
"""A sentence and which of its words are damaged."""


def fit(changed: Sequence[Known], marked: Sequence[Known]) -> SpanHeads:
    """Fit the heads and choose the threshold (see `_careful_threshold`).

    Args:
        changed: Round trips that were flagged, with their changed words.
        marked: Round trips, flagged or not, with the words that readers marked.

    Raises:
        ValueError: If there are too few spans to learn from.
    """
    x = np.concatenate([read.word_features for read, _ in changed] or [np.empty((0, len(WORD_FEATURES)))])
    gold = np.concatenate([word_gold(*known) for known in changed] or [np.empty(0)])
    if len(gold) < _FEWEST_SPANS or gold.min() == gold.max():
        raise ValueError(f"{len(gold)} words of flagged round trips are too few to learn from")
    word = fit_logistic(WORD_FEATURES, x, gold, np.ones(len(gold)), positive=[True] * len(WORD_FEATURES))
    threshold = _careful_threshold(word.logits(x), gold == 1)
    rows, hits = [], []
    for read, spans in marked:
        damaged = word_gold(read, spans)
        for place in places(read, word.logits(read.word_features), threshold, LONGEST):
            rows.append(read.features(place))
            hits.append(float(damaged[place].any()))
    if len(rows) < _FEWEST_SPANS or len(set(hits)) < 2:
        raise ValueError(f"{len(rows)} spans in what readers read are too few to learn from")
    only_up = [name != "length" for name in SPAN_FEATURES]
    score = fit_logistic(SPAN_FEATURES, np.array(rows), np.array(hits), np.ones(len(rows)), positive=only_up)
    log.info(
        "%d words, threshold %.3f; %d spans, %.0f of them marked", len(gold), threshold, len(rows), sum(hits)
    )
    return SpanHeads(word, score, threshold, LONGEST)


def word_gold(read: ReadSentence, spans: Spans) -> Vector:
    """Give 1 for damaged words of a sentence and 0 for the others. Shape (words,)."""
    damaged = np.zeros(len(read.text) + 1)
    for start, end, is_damaged in spans:
        damaged[start:end] = is_damaged
    return np.array([damaged[w.start : w.end].max() for w in read.words])


def _careful_threshold(logits: Vector, gold: npt.NDArray[np.bool_]) -> float:
    """Give the highest probability, in hundredths, at which F0.5 is nearly the best there is.

    F0.5 hardly moves over a tenth in which the share of wrong words falls by a third.
    """
    scores = {p / 100: _f_half(gold, logits >= logit_of(p / 100)) for p in range(5, 96)}
    return max(p for p, score in scores.items() if score >= max(scores.values()) - _NEARLY)


def _f_half(gold: npt.NDArray[np.bool_], found: npt.NDArray[np.bool_]) -> float:
    return float(1.25 * (gold & found).sum() / (0.25 * gold.sum() + found.sum()))


def changed_of(
    frame: pd.DataFrame, examined: Examined, fusion: Fusion, language: str, kinds: Kinds | None
) -> list[Known]:
    """Give the round trips that are flagged at `POINT`, each with its changed words.

    Args:
        frame: Columns original and roundtrip.
        examined: What is said of the round trips.
        fusion: Of the language.
        language: BCP 47 tag.
        kinds: Of the language.
    """
    point = fusion.operating_points[POINT].sentence
    if point is None:
        return []
    flagged = np.flatnonzero(fusion.sentence.logits(examined.features) >= logit_of(point))
    originals, roundtrips = frame["original"].to_numpy(), frame["roundtrip"].to_numpy()
    return [
        (
            read_sentence(roundtrips[i], examined, i, kinds),
            changed_spans(originals[i], roundtrips[i], language),
        )
        for i in flagged.tolist()
    ]


def read_sentence(text: str, examined: Examined, i: int, kinds: Kinds | None) -> ReadSentence:
    """Cut a sentence into words, with what was said of it, the ``i``-th of ``examined``."""
    return ReadSentence.of(text, examined.logits[i].words, kinds)


def some_of(gold: Path, language: str, split: str, most: int) -> pd.DataFrame:
    """Give up to ``most`` round trips of a split in which a word changed, of as many originals as may be.

    Raises:
        FileNotFoundError: If there is no gold of it.
    """
    frame = pd.read_parquet(gold / f"{language}-{split}.parquet")
    frame = frame[frame["changed"] > 0].sample(frac=1, random_state=SEED)
    rank = frame.groupby("original_id").cumcount()
    return frame.iloc[np.argsort(rank.to_numpy(), kind="stable")[:most]].reset_index(drop=True)


def known_of_language(
    folder: Path, gold: Path, language: str, backend: Backend, fusion: Fusion, most: int
) -> tuple[list[Known], list[Known]]:
    """Read what `fit` takes, of one language.

    Raises:
        FileNotFoundError: If there is no gold of dev.
    """
    kinds, own = Kinds.load(folder, language), fusion.of(language)
    some = some_of(gold, language, "dev", most)
    changed = changed_of(
        some, examine(some["roundtrip"].tolist(), language, folder, backend), own, language, kinds
    )
    frame = pd.read_parquet(gold / f"{language}-dev.parquet")
    frame = frame[frame["marks"].notna()]
    examined = examine(frame["roundtrip"].tolist(), language, folder, backend)
    marked = []
    for i, (text, marks) in enumerate(zip(frame["roundtrip"], frame["marks"], strict=True)):
        spans = marked_words(text, marks)
        if spans is not None:
            marked.append((read_sentence(text, examined, i, kinds), spans))
    return changed, marked


def main() -> None:
    """Add how spans are made to the fusion.json of a model that has kinds."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--gold", type=Path, default=Path("runs/gold"))
    parser.add_argument("--output", type=Path, default=Path("runs/default"), help="folder with fusion.json")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    fusion, backend = Fusion.load(args.output), OnnxBackend(args.output)
    languages = tuple(fusion.languages) or read_heads(args.output).languages
    changed: list[Known] = []
    marked: list[Known] = []
    for language in languages:
        try:
            most = MOST if len(languages) == 1 else MOST_EACH
            more, read = known_of_language(args.output, args.gold, language, backend, fusion, most)
        except FileNotFoundError as error:
            log.warning("%s: no round trips of dev: %s", language, error)
            continue
        log.info("%s: %d round trips flagged, %d that readers marked", language, len(more), len(read))
        changed += more
        marked += read
    try:
        dataclasses.replace(fusion, spans=fit(changed, marked)).save(args.output)
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
