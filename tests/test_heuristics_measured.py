"""What the mined tables count, and when a rule is said to beat chance."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from detector.heuristics import HEURISTICS
from eval.rules import Rate, Result, main, markdown, measure, read_pair, sample, sentences, share_interval
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


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 30, 0.0, 0.1157), (5, 5, 0.4782, 1.0), (900, 1300, 0.6664, 0.7173)],  # scipy's beta.ppf
)
def test_the_interval_of_a_share_is_exact_for_few_and_for_many(
    hits: int, of: int, low: float, high: float
) -> None:
    assert share_interval(hits, of) == pytest.approx((low, high), abs=1e-4)


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
    assert drift.examples["native"][0].endswith("[[Anthony]] Blinken left.")
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


def write_table(
    file: Path, identity: str, sides: tuple[str, str], split: str, rows: list[tuple[str, str]]
) -> None:
    file.parent.mkdir(exist_ok=True)
    shared = {"lang": file.stem, "split": split, "pivot": "en", "source_lang": "en", "engine": "toy"}
    places = {"year": 2015, "docid": "d"}
    table = [
        {**shared, **places, identity: str(i), sides[0]: person, sides[1]: machine, "line": i}
        for i, (person, machine) in enumerate(rows)
    ]
    pq.write_table(pa.Table.from_pylist(table), file)


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    clean, doubled = "Die Brücke ist zu.", "Er kam am Montag am Montag."
    trips, hops = ("original", "roundtrip"), ("human", "machine")
    rows = [(clean, doubled), ("Er kam.", "Er kam.")]
    write_table(tmp_path / "roundtrip" / "de.parquet", "original_id", trips, "dev", rows)
    write_table(tmp_path / "roundtrip" / "et.parquet", "original_id", trips, "test", rows)
    write_table(tmp_path / "single_hop" / "de.parquet", "human_id", hops, "dev", rows * 3)
    write_table(tmp_path / "single_hop" / "et.parquet", "human_id", hops, "dev", rows)
    return tmp_path


def test_round_trips_come_before_single_hops_where_the_split_has_any(corpora: Path) -> None:
    source, columns = read_pair(corpora, ["dev"], "de")
    assert source == "roundtrip"
    assert columns["people"] == [("Die Brücke ist zu.", "Er kam.")]
    assert columns["machine"] == [("Er kam am Montag am Montag.",)]
    assert read_pair(corpora, ["dev"], "et")[0] == "single_hop"
    with pytest.raises(FileNotFoundError):
        read_pair(corpora, ["dev"], "xx")


def test_every_language_gets_a_row(corpora: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = corpora / "rules.json"
    assert main(["--corpora", str(corpora), "--languages", "all", "--json", str(file)]) == 0
    header, _, *rows = capsys.readouterr().out.splitlines()
    assert [row.split(" | ")[0] for row in rows] == ["| de", "| et"]
    assert len({row.count("|") for row in (header, *rows)}) == 1
    assert "0.0 / 1000.0" in rows[0]
    figures = json.loads(file.read_text())
    repetition = figures["et"]["rules"]["repetition.ngram"]
    assert figures["et"]["source"] == "single_hop"
    assert repetition["fired"] == {"people": 0, "machine": 1}
    assert repetition["of"] == {"people": 2, "machine": 1}
    assert figures["de"]["rules"]["names.drift"]["people"] is None


def test_unknown_languages_are_named(corpora: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--corpora", str(corpora), "--languages", "de,xx"]) == 2
    assert "xx" in capsys.readouterr().err
