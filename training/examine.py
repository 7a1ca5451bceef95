"""What encoder, n-grams and rules say of many sentences at once, for fitting and for measuring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.backends import Backend
from detector.fuse import SENTENCE_FEATURES, SentenceLogits, Vector, sentence_features
from detector.heads import read_heads
from detector.heuristics import HEURISTICS
from detector.models import read_sentences
from detector.ngrams import Ngrams
from detector.report import Evidence, Sentence
from detector.tokens import Tokenizer

_AT_ONCE = 4096
_COUNTING = tuple(h for h in HEURISTICS if h.counts)


@dataclass(frozen=True, slots=True)
class Examined:
    """Sentences, each read by itself.

    Attributes:
        logits: What encoder and n-grams say. Length n.
        features: Shape (n, len(SENTENCE_FEATURES)).
        evidence: What each sentence rule found in each sentence. Length n.
    """

    logits: tuple[SentenceLogits, ...]
    features: Vector
    evidence: tuple[tuple[Evidence, ...], ...]

    def __len__(self) -> int:
        """How many sentences."""
        return len(self.logits)

    @property
    def damage(self) -> Vector:
        """Damage logits of the encoder alone. Shape (n,)."""
        return np.array([s.damage for s in self.logits])

    @property
    def rule_scores(self) -> Vector:
        """Summed sureness of the sentence rules. Shape (n,)."""
        return np.array([sum(e.score for e in found) for found in self.evidence])


def examine(texts: Sequence[str], language: str, folder: Path, backend: Backend) -> Examined:
    """Read sentences as the detector does; each must be one sentence without outer white space."""
    tokenizer = Tokenizer(folder, max_tokens=read_heads(folder).max_tokens)
    ngrams = Ngrams.load(folder, language)
    logits: list[SentenceLogits] = []
    evidence: list[tuple[Evidence, ...]] = []
    for k in range(0, len(texts), _AT_ONCE):
        some = texts[k : k + _AT_ONCE]
        logits += read_sentences(backend, tokenizer, ngrams, some)
        evidence += [sentence_evidence(t, language) for t in some]
    rows = [sentence_features(s, e) for s, e in zip(logits, evidence, strict=True)]
    features = np.array(rows, dtype=np.float64).reshape(-1, len(SENTENCE_FEATURES))
    return Examined(tuple(logits), features, tuple(evidence))


def sentence_evidence(text: str, language: str) -> tuple[Evidence, ...]:
    """Give what the sentence rules that count find in one sentence."""
    one = (Sentence(text, 0, len(text)),)
    return tuple(e for rule in _COUNTING if rule.scope == "sentence" for e in rule.find(one, language))


def text_evidence(texts: Sequence[str], language: str) -> tuple[Evidence, ...]:
    """Give what the text rules that count find in sentences that follow each other."""
    sentences, start = [], 0
    for text in texts:
        sentences.append(Sentence(text, start, start + len(text)))
        start += len(text) + 1
    return tuple(e for rule in _COUNTING if rule.scope == "text" for e in rule.find(sentences, language))


def runs(frame: pd.DataFrame, by: Sequence[str], length: int) -> Iterator[npt.NDArray[np.int64]]:
    """Give rows of ``length`` consecutive lines of one group, none used twice.

    Args:
        frame: Has the columns ``line`` and ``by``; its index must be 0, 1, 2, ...
        by: What must be equal within a run, such as docid, pivot and engine.
        length: Sentences of a text. A gap of one line (a round trip equal to its original, or
            a duplicate left out) does not end a run.
    """
    ordered = frame.sort_values([*by, "line"], kind="stable")
    keys = ordered.groupby(list(by), dropna=False, sort=False).ngroup().to_numpy()
    lines, rows = ordered["line"].to_numpy(), ordered.index.to_numpy()
    run: list[int] = []
    for i in range(len(rows)):
        if run and (keys[i] != keys[i - 1] or not 0 < lines[i] - lines[i - 1] <= 2):
            run = []
        run.append(int(rows[i]))
        if len(run) == length:
            yield np.array(run)
            run = []
