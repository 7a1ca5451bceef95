"""Fitting what makes spans: words by what was changed, spans by what readers marked."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from detector.fuse import Fusion
from detector.spans import LONGEST, ReadSentence, SpanFinder, WordScore
from training.spans import Known, fit, word_gold

WORDS = "they sent assisted dying to the small islands on Monday".split()
SENTENCE = " ".join(WORDS)


def known(rng: np.random.Generator, *, noise: float) -> Known:
    """Give a sentence in which two words are damaged and the encoder mostly sees it."""
    at, said, spans = 0, [], []
    damaged = rng.choice(len(WORDS), 2, replace=False)
    for i, word in enumerate(WORDS):
        seen = (i in damaged) != (rng.random() < noise)
        said.append(WordScore(at, at + len(word), 0.8 if seen else 0.1))
        spans.append((at, at + len(word), float(i in damaged)))
        at += len(word) + 1
    return ReadSentence.of(SENTENCE, said, None), tuple(spans)


def some(count: int, *, noise: float = 0.1) -> list[Known]:
    rng = np.random.default_rng(1)
    return [known(rng, noise=noise) for _ in range(count)]


def test_words_that_were_changed_are_told_from_the_others() -> None:
    heads = fit(some(200), some(300))
    seen, unseen = heads.word.logits(np.array([[1.4, 0.0], [-2.2, 0.0]]))
    assert seen > np.log(heads.threshold / (1 - heads.threshold)) > unseen
    assert heads.longest == LONGEST


def test_a_score_is_the_share_of_spans_that_are_marked() -> None:
    marked = some(400, noise=0.3)
    heads = fit(some(200), marked)
    read, spans = zip(*marked, strict=True)
    finder = SpanFinder(heads, None, 0.5)
    said, true = [], []
    for one, gold in zip(read, spans, strict=True):
        scores = 1 / (1 + np.exp(-one.token))
        words = [WordScore(w.start, w.end, s) for w, s in zip(one.words, scores, strict=True)]
        for span in finder.find(one.text, words):
            said.append(span.score)
            true.append(any(d for start, _, d in gold if span.start <= start < span.end))
    assert np.mean(said) == pytest.approx(np.mean(true), abs=0.02)


@pytest.mark.parametrize(("changed", "marked"), [(0, 300), (3, 300), (200, 0), (200, 5)])
def test_too_little_to_learn_from_is_said(changed: int, marked: int) -> None:
    with pytest.raises(ValueError, match="too few"):
        fit(some(changed), some(marked))


def test_gold_of_words_follows_spans() -> None:
    read, _ = known(np.random.default_rng(2), noise=0.0)
    assert word_gold(read, ((5, 9, 1.0), (10, 18, 0.0))).tolist() == [0, 1] + [0] * 8


def test_heads_of_spans_are_stored_and_change_nothing_where_there_are_none(
    tiny_model: Path, tmp_path: Path
) -> None:
    bare = Fusion.load(tiny_model)
    assert '"spans"' not in bare.to_json()
    whole = dataclasses.replace(bare, spans=fit(some(200), some(300)))
    whole.save(tmp_path)
    assert Fusion.load(tmp_path) == whole
    text = (tmp_path / "fusion.json").read_text("utf-8")
    (tmp_path / "fusion.json").write_text(text.replace('"token.top"', '"other"'), "utf-8")
    with pytest.raises(ValueError, match=r"fusion\.json"):
        Fusion.load(tmp_path)
