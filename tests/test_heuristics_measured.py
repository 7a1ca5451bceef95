"""What the mined tables count, and when a rule is said to beat chance."""

from __future__ import annotations

import math

import pytest

from detector.heuristics import HEURISTICS
from eval.rules import Rate, Result, markdown, measure, sample, sentences
from training.lexicon import count_words, table


def result(machine: tuple[int, int], human: tuple[int, int]) -> Result:
    return Result("casing.inside", "sentence", {"round trip": Rate(*machine), "native": Rate(*human)})


@pytest.mark.parametrize(
    ("machine", "human", "beats"),
    [
        ((60, 1000), (2, 1000), True),
        ((5, 1000), (5, 1000), None),
        ((10, 1000), (10, 1000), False),
        ((2, 1000), (60, 1000), False),
        ((4, 1000), (0, 1000), None),
        ((9, 1000), (0, 1000), True),
        ((9, 1000), (0, 0), None),
    ],
)
def test_a_rule_beats_chance_only_with_evidence(
    machine: tuple[int, int], human: tuple[int, int], beats: bool | None
) -> None:
    assert result(machine, human).beats_chance is beats


def test_the_interval_holds_the_ratio_and_narrows_with_data() -> None:
    ratio, low, high = result((20, 1000), (10, 1000)).ratio
    _, more_low, more_high = result((200, 10_000), (100, 10_000)).ratio
    assert low < ratio < high
    assert low < more_low < 2 < more_high < high
    assert all(math.isnan(value) for value in result((1, 10), (0, 0)).ratio)


def test_informal_text_and_chat_do_not_move_the_ratio() -> None:
    rates = {"round trip": Rate(60, 1000), "native": Rate(2, 1000)}
    with_chat = {**rates, "chat": Rate(500, 1000), "informal": Rate(500, 1000)}
    assert Result("r", "sentence", rates).ratio == Result("r", "sentence", with_chat).ratio


def test_measure_counts_sentences_or_texts_by_scope() -> None:
    text = (
        "Antony Blinken came.",
        "Antony Blinken spoke.",
        "Nobody left.",
        "It rained.",
        "Anthony Blinken left.",
    )
    doubled = ("He said on Monday on Monday.", "It rained.")
    by_id = {rule.id: rule for rule in HEURISTICS}
    drift = measure(by_id["names.drift"], {"native": [text, doubled]}, "en", examples=1)
    assert drift.rates["native"] == Rate(1, 1)
    assert drift.examples["native"][0].endswith("[[Anthony]] Blinken left. -> Antony")
    repeated = measure(by_id["repetition.ngram"], {"native": [text, doubled]}, "en")
    assert repeated.rates["native"] == Rate(1, 7)
    assert "| repetition.ngram | - | - | 142.86 |" in markdown([repeated])


def test_sentences_keep_offsets_and_samples_are_repeatable() -> None:
    text = ("One.", "Two 桥.")
    whole = "\n".join(text)
    assert [whole[s.start : s.end] for s in sentences(text)] == list(text)
    texts = [(str(i), str(i)) for i in range(50)]
    assert sample(texts, 20, seed=1) == sample(texts, 20, seed=1) != sample(texts, 20, seed=2)
    assert sum(map(len, sample(texts, 21, seed=1))) == 20


def test_words_are_counted_where_a_capital_tells_something() -> None:
    counts = count_words(
        ["The bridge near Marsh is old.", "Old Bridge Near Marsh Closes", "Is it the bridge?"], "en"
    )
    assert counts["bridge"][:2] == (2, 0)
    assert counts["marsh"][:2] == (0, 1)
    assert counts["old"] == (1, 0, 1)
    assert "closes" not in counts


def test_a_table_stays_in_its_budget_and_is_sorted() -> None:
    written = table(["the bridge of the town, the « road » of the town."] * 3, "en", max_bytes=60)
    assert len(written.encode()) <= 60
    rows = [row for row in written.splitlines() if not row.startswith("#")]
    assert rows == sorted(rows)
    assert rows
    assert "#sentences\t3" in written
