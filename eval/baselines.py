"""What stands beside the fused heads: chance, length, n-grams, each kind of rule, and a half left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from detector.alignment import words
from detector.fuse import (
    SENTENCE_FEATURES,
    SENTENCE_RULES,
    TEXT_FEATURES,
    TEXT_RULES,
    Logistic,
    Vector,
    provenance_logits,
    text_features,
)
from detector.heuristics import HEURISTICS
from detector.report import KINDS
from training.corpora import SEED
from training.examine import Examined
from training.fusion import fit_logistic
from training.ngrams import PER_ORIGINAL, some_of_each

from .metrics import Rows
from .samples import build_texts

OF_RULES = frozenset({*SENTENCE_RULES, "rules", *TEXT_RULES})
"""Features of both heads that rules alone have a part in."""
OF_ENCODER = frozenset({*SENTENCE_FEATURES, *TEXT_FEATURES}) - OF_RULES
"""All others; how long a sentence is says nothing by itself."""


def chance(count: int) -> Vector:
    """Give random scores, the same ones every time. Shape (count,)."""
    return np.random.default_rng(SEED).random(count)


def lengths(texts: Sequence[str]) -> Vector:
    """Give the number of words of each sentence: if it tells the classes apart, the data leak."""
    return np.array([len(words(t)) for t in texts], dtype=np.float64)


class NgramModel:
    """Logistic regression over hashed word 1-3-grams; punctuation and case are not seen."""

    def __init__(self, *, buckets: int = 2**20) -> None:
        """Make an unfitted model with ``buckets`` features."""
        from sklearn.feature_extraction.text import HashingVectorizer
        from sklearn.linear_model import SGDClassifier

        self._hash: Any = HashingVectorizer(
            ngram_range=(1, 3), n_features=buckets, token_pattern=r"\w+", alternate_sign=False
        )
        # of 1e-7 to 3e-5 the best on dev
        self._model: Any = SGDClassifier("log_loss", alpha=1e-5, max_iter=5, tol=None, random_state=SEED)

    def fit(self, texts: Sequence[str], gold: Vector, weight: Vector) -> NgramModel:
        """Learn soft gold: every row counts as both classes, in shares.

        Gold of one class alone teaches nothing: every logit is then 0.

        Args:
            texts: Sentences. Length n.
            gold: 0.0 to 1.0. Shape (n,).
            weight: Weight of each. Shape (n,).
        """
        from scipy.sparse import vstack

        share = np.concatenate([gold * weight, (1 - gold) * weight])
        label = np.repeat([1, 0], len(gold))
        used = share > 0
        self._says_nothing = len(set(label[used])) < 2
        if self._says_nothing:
            return self
        x = self._hash.transform(texts)
        self._model.fit(
            vstack([x, x]).tocsr()[used], label[used], sample_weight=share[used] / share[used].mean()
        )
        return self

    def logits(self, texts: Sequence[str]) -> Vector:
        """Give a logit for each sentence. Shape (n,)."""
        if self._says_nothing:
            return np.zeros(len(texts))
        return np.asarray(self._model.decision_function(self._hash.transform(texts)), dtype=np.float64)


def fit_ngrams(
    roundtrips: pd.DataFrame, *, per_original: int = PER_ORIGINAL
) -> tuple[NgramModel, NgramModel]:
    """Fit a model for damage on all that was read, one for provenance on a few round trips of each original.

    Args:
        roundtrips: Gold of the train split (see `training.damage`).
        per_original: At most so many rows of one original, for provenance.
    """
    read = roundtrips[roundtrips["damage"].notna()]
    drawn = some_of_each(roundtrips, per_original)
    return _fit_ngrams(read, read["damage"].to_numpy(float)), _fit_ngrams(drawn, np.ones(len(drawn)))


def _fit_ngrams(roundtrips: pd.DataFrame, gold: Vector) -> NgramModel:
    """Fit to round trips, and to their originals, which count as often and have a gold of 0."""
    originals = roundtrips.groupby("original_id").agg(text=("original", "first"), count=("original", "size"))
    return NgramModel().fit(
        [*roundtrips["roundtrip"], *originals["text"]],
        np.concatenate([gold, np.zeros(len(originals))]),
        np.concatenate([np.ones(len(roundtrips)), originals["count"].to_numpy(float)]),
    )


def kinds(features: Vector, names: Sequence[str] = SENTENCE_FEATURES) -> dict[str, Vector]:
    """Give what the rules of each kind of damage say, and nothing else: their summed sureness.

    Args:
        features: Shape (n, len(names)).
        names: `SENTENCE_FEATURES`, or `TEXT_FEATURES` for what only a whole text shows.

    Returns:
        By kind, in the order of `report.KINDS`, those that have a rule. Shape (n,) each.
    """
    columns = {
        kind: [names.index(h.id) for h in HEURISTICS if h.kind == kind and h.id in names] for kind in KINDS
    }
    return {kind: features[:, of_kind].sum(1) for kind, of_kind in columns.items() if of_kind}


@dataclass(frozen=True, slots=True)
class Heads:
    """The fused heads fitted anew with some features left out, which have a weight of 0.

    Attributes:
        sentence: For damage, over `SENTENCE_FEATURES`.
        text: For provenance, over `TEXT_FEATURES`.
    """

    sentence: Logistic
    text: Logistic

    @classmethod
    def fit(
        cls,
        frames: Sequence[pd.DataFrame],
        examined: Sequence[Examined],
        language: str,
        *,
        without: Collection[str],
        most: int,
        provenance: Logistic | None = None,
    ) -> Heads:
        """Fit both heads, round trips and people's text in equal weight.

        Args:
            frames: Sentences of `samples`: round trips first, people's text after them. Round trips
                that nobody read have no part in the sentence head.
            examined: What encoder and rules say of them. One for each frame.
            language: For the text rules.
            without: Features to leave out, such as `OF_RULES` or `OF_ENCODER`.
            most: At most so many texts of one kind and length.
            provenance: See `detector.fuse.provenance_logits`.
        """
        people = (np.zeros(len(f)) for f in frames[1:])
        read = frames[0]["damage"].notna().to_numpy()
        damage = np.concatenate([frames[0]["damage"].to_numpy(float)[read], *people])
        features = [examined[0].features[read], *(e.features for e in examined[1:])]
        sentence = _fit(SENTENCE_FEATURES, features, damage, without)
        texts = [
            build_texts(
                f,
                provenance_logits(provenance, e.logits),
                sentence.logits(e.features),
                e.rule_scores,
                language,
                most=most,
            )[1]
            for f, e in zip(frames, examined, strict=True)
        ]
        machine = np.concatenate([np.full(len(of_kind), float(k == 0)) for k, of_kind in enumerate(texts)])
        return cls(sentence, _fit(TEXT_FEATURES, texts, machine, without))

    def of_texts(self, features: Vector, rows: Sequence[Rows], damage: Vector) -> Vector:
        """Give the logits of texts by what this sentence head says of their sentences.

        Args:
            features: As `build_texts` gives, whichever head it had. Shape (texts, len(TEXT_FEATURES)).
            rows: Sentences of each text. Length texts.
            damage: Logits of this sentence head. Shape (sentences,).
        """
        own = features.copy()
        columns = [i for i, name in enumerate(TEXT_FEATURES) if name.startswith("damage.")]
        for of_text, i in zip(own, rows, strict=True):
            said = damage[i].tolist()
            of_text[columns] = text_features(said, said, said, ())[columns]
        return self.text.logits(own)


def _fit(names: Sequence[str], kinds: Sequence[Vector], gold: Vector, without: Collection[str]) -> Logistic:
    """Fit a head to the rows of all kinds, the first of which weighs as much as all the others.

    Where one side has no rows there is nothing to tell apart, and the head says nothing.
    """
    x = np.concatenate(kinds)
    if not 0 < len(kinds[0]) < len(x):
        return Logistic(tuple(names), (0.0,) * len(names), (0.0,) * len(names), 0.0)
    x[:, [name in without for name in names]] = 0
    machine = np.arange(len(x)) < len(kinds[0])
    weight = np.where(machine, 1.0, machine.sum() / max(1, (~machine).sum()))
    only_up = [name not in ("length", "model.token_mean") for name in names]
    return fit_logistic(names, x, gold, weight, positive=only_up)
