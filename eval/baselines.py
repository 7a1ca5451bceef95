"""What a sentence scores without an encoder: chance, its length, its n-grams, the rules alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.fuse import (
    SENTENCE_FEATURES,
    SENTENCE_RULES,
    TEXT_FEATURES,
    TEXT_RULES,
    Logistic,
    SentenceLogits,
    Vector,
    sentence_features,
)
from training.alignment import words
from training.corpora import SEED
from training.examine import sentence_evidence
from training.fusion import fit_logistic

TEXT_RULE_FEATURES = ("length", "rules", *TEXT_RULES)
"""The features of a text that no encoder has a part in."""

_SILENT = SentenceLogits(0.0, 0.0, np.zeros(1, dtype=np.float32), ())


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

        Args:
            texts: Sentences. Length n.
            gold: 0.0 to 1.0. Shape (n,).
            weight: Weight of each. Shape (n,).
        """
        from scipy.sparse import vstack

        x = self._hash.transform(texts)
        share = np.concatenate([gold * weight, (1 - gold) * weight])
        label = np.repeat([1, 0], len(gold))
        used = share > 0
        self._model.fit(
            vstack([x, x]).tocsr()[used], label[used], sample_weight=share[used] / share[used].mean()
        )
        return self

    def logits(self, texts: Sequence[str]) -> Vector:
        """Give a logit for each sentence. Shape (n,)."""
        return np.asarray(self._model.decision_function(self._hash.transform(texts)), dtype=np.float64)


def fit_ngrams(roundtrips: pd.DataFrame, *, per_original: int = 8) -> tuple[NgramModel, NgramModel]:
    """Fit a model for damage and one for provenance on a few round trips of each original.

    Args:
        roundtrips: Gold of the train split (see `training.damage`).
        per_original: At most so many rows of one original; it counts as often itself.
    """
    order = np.random.default_rng(SEED).permutation(len(roundtrips))
    drawn = roundtrips.iloc[order].groupby("original_id").head(per_original)
    originals = drawn.groupby("original_id").agg(text=("original", "first"), count=("original", "size"))
    texts = [*drawn["roundtrip"], *originals["text"]]
    weight = np.concatenate([np.ones(len(drawn)), originals["count"].to_numpy(dtype=np.float64)])
    damage = np.concatenate([drawn["damage"].to_numpy(), np.zeros(len(originals))])
    machine = np.concatenate([np.ones(len(drawn)), np.zeros(len(originals))])
    return NgramModel().fit(texts, damage, weight), NgramModel().fit(texts, machine, weight)


def rule_features(texts: Sequence[str], language: str) -> Vector:
    """Give the features that rules alone have a part in. Shape (n, len(SENTENCE_RULES))."""
    rows = [sentence_features(_SILENT, sentence_evidence(t, language)) for t in texts]
    return np.array(rows).reshape(-1, len(SENTENCE_FEATURES))[:, -len(SENTENCE_RULES) :]


def fit_sentence_rules(features: Vector, damage: Vector) -> Logistic:
    """Fit the sentence rules to damage, people's text and round trips in equal weight.

    Args:
        features: As `rule_features` gives. Shape (n, len(SENTENCE_RULES)).
        damage: Soft gold, nan for people's text, which has none. Shape (n,).
    """
    human = np.isnan(damage)
    weight = np.where(human, (~human).sum() / max(1, human.sum()), 1.0)
    gold = np.where(human, 0.0, damage)
    return fit_logistic(SENTENCE_RULES, features, gold, weight, positive=[True] * len(SENTENCE_RULES))


def text_rule_columns(features: Vector) -> Vector:
    """Give the columns of text features that no encoder has a part in, as `TEXT_RULE_FEATURES`."""
    return features[:, [TEXT_FEATURES.index(name) for name in TEXT_RULE_FEATURES]]


def fit_text_rules(features: Vector, machine: npt.NDArray[np.bool_]) -> Logistic:
    """Fit what rules say of texts to where the texts come from, both classes in equal weight.

    Args:
        features: As `text_rule_columns` gives.
        machine: True for laundered texts. Shape (texts,).
    """
    weight = np.where(machine, 1.0, machine.sum() / max(1, (~machine).sum()))
    signs = [False] * len(TEXT_RULE_FEATURES)
    return fit_logistic(TEXT_RULE_FEATURES, features, machine.astype(np.float64), weight, positive=signs)
