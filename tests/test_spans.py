"""From piece logits to words to spans: every word once, every span the damage and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.report import Kind
from detector.spans import WordScore, find_spans, kind_of, word_scores
from detector.tokens import Tokenizer, Window


def window(words: list[int], offsets: list[tuple[int, int]]) -> Window:
    zeros = np.zeros(len(words), dtype=np.int64)
    return Window(zeros, zeros, np.array(offsets, dtype=np.int64), np.array(words, dtype=np.int64))


def logits(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(values, dtype=np.float32)


def test_a_word_is_as_damaged_as_its_worst_piece() -> None:
    found = word_scores(
        [window([-1, 0, 0, 1, -1], [(-1, -1), (0, 3), (3, 6), (7, 9), (-1, -1)])], [logits(9, -1, 2, 0, 9)]
    )
    assert [(w.start, w.end) for w in found] == [(0, 6), (7, 9)]
    assert [w.score for w in found] == pytest.approx([1 / (1 + np.exp(-2)), 0.5])


def test_windows_that_overlap_are_averaged() -> None:
    one, other = window([0, 1], [(0, 3), (4, 6)]), window([1, 2], [(4, 6), (7, 9)])
    found = word_scores([one, other], [logits(0, 1), logits(3, 0)])
    assert [w.score for w in found] == pytest.approx([0.5, 1 / (1 + np.exp(-2)), 0.5])


def test_no_pieces_give_no_words() -> None:
    assert word_scores([window([-1, -1], [(-1, -1)] * 2)], [logits(1, 1)]) == ()


@pytest.mark.parametrize("unit", ["council ", "unbelievably ", "المجلس ", "桥"])
def test_a_long_sentence_loses_no_word(tiny_checkpoint: Path, unit: str) -> None:
    sentence = (unit * 150).strip()
    windows = Tokenizer(tiny_checkpoint, max_tokens=32).windows(sentence)
    assert len(windows) > 3
    found = word_scores(windows, [np.zeros(len(w.ids), dtype=np.float32) for w in windows])
    assert [sentence[w.start : w.end] for w in found] == [unit.strip()] * 150


def bert_words(sentence: str, damaged: set[str]) -> list[WordScore]:
    """Cut at spaces, score .9 for what is in ``damaged`` and .1 for the rest."""
    words, start = [], 0
    for word in sentence.split(" "):
        words.append(WordScore(start, start + len(word), 0.9 if word in damaged else 0.1))
        start += len(word) + 1
    return words


@pytest.mark.parametrize(
    ("sentence", "damaged", "expected"),
    [
        ("they sent assisted dying to them", {"assisted", "dying"}, ["assisted dying"]),
        ("sent assisted and dying here", {"assisted", "dying"}, ["assisted", "dying"]),
        ("they sent help for dying", {"dying"}, ["dying"]),
        ("😀 they sent dying", {"dying"}, ["dying"]),
        ("dying they sent", {"dying"}, ["dying"]),
        ("a , dying . here", {",", "dying", "."}, ["dying"]),
        ("the dying , help here", {"dying", "help"}, ["dying", "help"]),
        ("the co - pilot here", {"co", "pilot"}, ["co - pilot"]),
        ("the co - pilot here", {"co"}, ["co"]),
        ("the - pilot here", {"-"}, []),
        ("أرسلوا الموت بمساعدة إلى الجزر", {"الموت", "بمساعدة"}, ["الموت بمساعدة"]),
        ("他们 送去 协助 死亡", {"协助", "死亡"}, ["协助 死亡"]),
        ("nothing here", set(), []),
        ("", set(), []),
    ],
)
def test_neighbouring_damaged_words_make_one_span(
    sentence: str, damaged: set[str], expected: list[str]
) -> None:
    spans = find_spans(sentence, bert_words(sentence, damaged), 0.5)
    assert [sentence[s.start : s.end] for s in spans] == expected


def test_a_span_scores_the_mean_of_its_words() -> None:
    (span,) = find_spans("two words", [WordScore(0, 3, 0.6), WordScore(4, 9, 0.8)], 0.5)
    assert (span.start, span.end) == (0, 9)
    assert span.score == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("sentence", "start", "end", "expected"),
    [
        ("they sent dying, they said", 9, 16, "dying"),  # a sentencepiece word brings its space and comma
        ("he said “dying”", 7, 15, "dying"),
        ("a cafe\u0301 there", 2, 6, "cafe\u0301"),  # BERT's normaliser takes the last accent off
        ("बैठक में हुई", 5, 6, "में"),
    ],
)
def test_a_span_is_the_word_and_its_marks_only(sentence: str, start: int, end: int, expected: str) -> None:
    (span,) = find_spans(sentence, [WordScore(start, end, 0.9)], 0.5)
    assert sentence[span.start : span.end] == expected


@given(st.text(max_size=60), st.lists(st.floats(0, 1), min_size=60, max_size=60), st.floats(0, 1))
def test_spans_stay_inside_and_apart(sentence: str, scores: list[float], threshold: float) -> None:
    words = [WordScore(i, i + 1, scores[i]) for i in range(len(sentence))]
    spans = find_spans(sentence, words, threshold)
    at = 0
    for span in spans:
        assert at <= span.start < span.end <= len(sentence)
        assert sentence[span.start].isalnum()
        assert 0 <= span.score <= 1
        at = span.end


@pytest.mark.parametrize(
    ("sentence", "found", "kind"),
    [
        ("it cost 3,50 crowns", "3,50", "number"),
        ("he met Antony there", "Antony", "name"),
        ("Sent they dying", "Sent", "syntax"),
        ("Lethal they sent", "Lethal", "term"),
        ("in of the there", "of the", "syntax"),
        ("they sent assisted dying", "assisted dying", "term"),
        ("أرسلوا الموت إلى", "الموت", "term"),
        ("他们送去死亡", "死亡", "term"),
    ],
)
def test_kinds_follow_from_the_form(sentence: str, found: str, kind: Kind) -> None:
    start = sentence.index(found)
    assert kind_of(sentence, WordScore(start, start + len(found), 0.9)) == kind
