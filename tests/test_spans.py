"""From piece logits to words to spans: every word once, every span the damage and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.logistic import Logistic
from detector.report import Kind
from detector.spans import (
    SPAN_FEATURES,
    WORD_FEATURES,
    ReadSentence,
    SpanFinder,
    SpanHeads,
    WordScore,
    kind_of_form,
    word_scores,
)
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


bare = SpanFinder(None, None, 0.5)
"""Finds spans without heads, as the embedded models do."""


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
    spans = bare.find(sentence, bert_words(sentence, damaged) if sentence else [])
    assert [sentence[s.start : s.end] for s in spans] == expected


def test_a_span_scores_the_mean_of_its_words() -> None:
    (span,) = bare.find("two words", [WordScore(0, 3, 0.76), WordScore(4, 9, 0.8)])
    assert (span.start, span.end) == (0, 9)
    assert span.score == pytest.approx(0.78)


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
    (span,) = bare.find(sentence, [WordScore(start, end, 0.9)])
    assert sentence[span.start : span.end] == expected


@given(st.text(max_size=60), st.lists(st.floats(0, 1), min_size=60, max_size=60), st.floats(0, 1))
def test_spans_stay_inside_and_apart(sentence: str, scores: list[float], threshold: float) -> None:
    words = [WordScore(i, i + 1, scores[i]) for i in range(len(sentence))]
    spans = SpanFinder(None, None, threshold).find(sentence, words)
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
    assert kind_of_form(sentence, start, start + len(found)) == kind


def heads(threshold: float = 0.5, longest: int = 4) -> SpanHeads:
    """Give heads that hear the encoder alone; a span is as sure as its surest word."""
    word = Logistic(WORD_FEATURES, (1.0, 0.0), (0.0, 0.0), 0.0)
    return SpanHeads(word, Logistic(SPAN_FEATURES, (1.0, 0.0, 0.0, 0.0), (0.0,) * 4, 0.0), threshold, longest)


def finder(longest: int = 4) -> SpanFinder:
    return SpanFinder(heads(longest=longest), None, 0.5)


def said(sentence: str, **scores: float) -> list[WordScore]:
    """Give the words of ``scores`` their score, in order, and .1 to nothing else."""
    words, at = [], 0
    for word, score in scores.items():
        at = sentence.index(word, at)
        words.append(WordScore(at, at + len(word), score))
        at += len(word)
    return words


@pytest.mark.parametrize(
    ("sentence", "damaged", "expected"),
    [
        ("they sent assisted dying", {"assisted", "dying"}, ["assisted dying"]),  # to the sentence's end
        ("they sent dying.", {"dying."}, ["dying"]),
        ("they sent dying)", {"dying)"}, ["dying"]),
        ("😀 😀 they sent dying", {"dying"}, ["dying"]),
        ("they👩‍👩‍👧 sent dying 😀", {"dying", "😀"}, ["dying"]),
        ("أرسلوا الموت بمساعدة إلى الجزر.", {"الموت", "بمساعدة"}, ["الموت بمساعدة"]),
        ("הם שלחו מוות בסיוע.", {"מוות", "בסיוע."}, ["מוות בסיוע"]),
        ("they, sent dying", {"they,", "sent"}, ["they", "sent"]),
        ("बैठक में हुई", {"में"}, ["में"]),
        ("", set(), []),
        ("...", {"..."}, []),
    ],
)
def test_found_places_are_exact(sentence: str, damaged: set[str], expected: list[str]) -> None:
    found = finder().find(sentence, bert_words(sentence, damaged) if sentence else [])
    assert [sentence[s.start : s.end] for s in found] == expected


def test_a_script_without_spaces_is_cut_into_characters() -> None:
    sentence = "他送来安乐死。"
    words = [WordScore(i, i + 1, 0.9 if c in "安乐" else 0.1) for i, c in enumerate(sentence)]
    assert [sentence[s.start : s.end] for s in finder().find(sentence, words)] == ["安乐"]


def test_a_damaged_piece_takes_its_whole_word_along() -> None:
    sentence = "it's half-baked news"
    pieces = said(sentence, it=0.1, s=0.9, half=0.1, baked=0.9, news=0.1)
    assert [sentence[s.start : s.end] for s in finder().find(sentence, pieces)] == ["it's", "baked"]


def test_a_long_run_is_cut_around_its_likeliest_words() -> None:
    sentence = "a b c d e f g"
    words = [WordScore(2 * i, 2 * i + 1, p) for i, p in enumerate([0.6, 0.6, 0.9, 0.9, 0.9, 0.6, 0.6])]
    found = finder(longest=3).find(sentence, words)
    assert [sentence[s.start : s.end] for s in found] == ["a b", "c d e", "f g"]
    assert [s.score for s in found] == pytest.approx([0.6, 0.9, 0.6])


def test_a_very_long_run_takes_linear_time() -> None:
    sentence = "bad " * 30_000
    words = [WordScore(4 * i, 4 * i + 3, 0.9) for i in range(30_000)]
    found = finder().find(sentence, words)
    assert len(found) == 7_500
    assert found[-1].end == len(sentence) - 1


@given(st.text(max_size=60), st.lists(st.floats(0, 1), min_size=60, max_size=60), st.integers(1, 5))
def test_found_places_stay_inside_and_apart(sentence: str, scores: list[float], longest: int) -> None:
    words = [WordScore(i, i + 1, scores[i]) for i in range(len(sentence))]
    at = 0
    for span in finder(longest).find(sentence, words):
        assert at <= span.start < span.end <= len(sentence)
        assert sentence[span.start].isalnum()
        assert 0 <= span.score <= 1
        at = span.end


def spaced(*scores: float) -> tuple[str, list[WordScore]]:
    """Give a sentence of words of one letter, and their scores."""
    words = [WordScore(2 * i, 2 * i + 1, p) for i, p in enumerate(scores)]
    return " ".join("abcdefghijkl"[: len(scores)]), words


@pytest.mark.parametrize(
    ("scores", "expected", "surest"),
    [
        ((0.6, 0.8, 0.79, 0.6), ["b c"], "b c"),
        ((0.8, 0.6, 0.8), ["a b c"], "a b c"),  # what lies inside stays
        ((0.8, 0.6, 0.1, 0.7, 0.6), ["a", "d e"], "a"),  # only the surest is cut to its core
        ((0.7, 0.7, 0.1, 0.8, 0.55), ["a b", "d"], "d"),
        ((0.9, 0.9, 0.9, 0.9, 0.8), ["a b c d", "e"], "a b c d"),
        ((0.6, 0.6, 0.6, 0.9, 0.9, 0.9, 0.9, 0.6), ["a b c", "d e f g", "h"], "d e f g"),
        ((0.1, 0.1), [], None),
    ],
)
def test_the_surest_span_is_its_surest_words(
    scores: tuple[float, ...], expected: list[str], surest: str | None
) -> None:
    sentence, words = spaced(*scores)
    found = bare.find(sentence, words)
    assert [sentence[s.start : s.end] for s in found] == expected
    if surest:
        best = max(found, key=lambda s: s.score)
        assert sentence[best.start : best.end] == surest


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.booleans())
def test_no_span_is_longer_than_four_words(scores: list[float], unspaced: bool) -> None:
    if unspaced:
        sentence, words = "桥" * len(scores), [WordScore(i, i + 1, p) for i, p in enumerate(scores)]
    else:
        sentence, words = spaced(*scores)
    for span in bare.find(sentence, words):
        found = sentence[span.start : span.end]
        assert len(found) <= 8 if unspaced else len(found.split()) <= 4


def test_without_heads_words_are_joined_as_they_are() -> None:
    sentence = "they sent assisted dying to Antony"
    words = bert_words(sentence, {"assisted", "dying", "Antony"})
    found = SpanFinder(None, None, 0.5).find(sentence, words)
    assert [(sentence[s.start : s.end], s.kind) for s in found] == [
        ("assisted dying", "term"),
        ("Antony", "name"),
    ]
    assert found[0].score == pytest.approx(0.9)


def test_words_the_encoder_did_not_read_are_left_out() -> None:
    read = ReadSentence.of("one two three", [WordScore(4, 7, 0.5)], None)
    assert [w.text for w in read.words] == ["two"]
    assert read.word_features.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(
    "broken",
    [
        {"longest": 0},
        {"word": {"features": ["token"], "weights": [1.0], "means": [0.0], "bias": 0.0}},
        {"threshold": None},
        {"score": {}},
    ],
)
def test_broken_heads_are_refused(broken: dict[str, object]) -> None:
    whole = dataclasses.asdict(heads())
    assert SpanHeads.parse(whole) == heads()
    with pytest.raises((ValueError, KeyError, TypeError)):
        SpanHeads.parse({**whole, **broken})
