from __future__ import annotations

import itertools
import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from detector.tokens import Tokenizer
from tests import made_up
from training import corpora as corpora_module
from training.damage import hter_damage, mqm_damage
from training.examples import (
    Example,
    Share,
    Unit,
    changed_spans,
    damage_on_purpose,
    first_window,
    labels,
    marked_segments,
    marked_words,
    misspell,
    stream,
    tagged_spans,
)
from training.pivots import NAMES

pytest_plugins = ["tests.corpora_fixture"]

FEW = Share(read=20, roundtrip=24, single_hop=8, post_edited=6, marked=4, human=10, on_purpose=6)


@pytest.fixture
def no_slips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.examples._SLIPS", 0.0)


def only(**share: int) -> Share:
    return Share(**{**dict.fromkeys(Share.__dataclass_fields__, 0), **share})


def first_round(corpora: Path, gold: Path, share: Share, seed: int = 1) -> list[Unit]:
    return next(stream(corpora, gold, ["en"], share, seed))


def damaged_words(example: Example) -> list[str]:
    return [example.text[start:end] for start, end, damaged in example.spans or () if damaged]


def test_a_round_holds_every_source_in_its_share(corpora: Path, gold: Path) -> None:
    units = first_round(corpora, gold, FEW)
    assert len(units) == 78
    assert sum(len(unit) == 1 for unit in units) == FEW.marked + FEW.human


def test_the_same_seed_gives_the_same_stream(corpora: Path, gold: Path) -> None:
    def take(seed: int) -> str:
        return repr(list(itertools.islice(stream(corpora, gold, ["en"], FEW, seed), 2)))

    assert take(1) == take(1)
    assert take(1) != take(2)


@pytest.mark.usefixtures("no_slips")
def test_a_round_trip_stands_beside_its_own_original(corpora: Path, gold: Path) -> None:
    pairs = {
        (row["original"], row["roundtrip"]) for row in made_up.roundtrip_rows() if row["split"] == "train"
    }
    units = first_round(corpora, gold, only(roundtrip=60))
    for original, back in units:
        assert (original.text, back.text) in pairs
        assert (original.damage, original.provenance, original.pivot) == (0.0, 0.0, -1)
        assert not damaged_words(original)
        assert math.isnan(back.damage)
        assert back.spans is None
        assert back.provenance == 1.0
    assert len({original.text for original, _ in units}) == 60  # every original in turn
    assert {NAMES[back.pivot] for _, back in units} == {"romance", "slavic", "chinese"}


@pytest.mark.usefixtures("no_slips")
def test_read_pairs_carry_what_the_reader_marked(corpora: Path, gold: Path) -> None:
    units = first_round(corpora, gold, only(read=200))
    assert {back.damage for _, back in units} == {0.0, 0.2, 0.8, 1.0}
    assert any(back.text.startswith("After a report") for _, back in units)  # a single hop
    for original, back in units:
        assert (original.damage, original.provenance, back.provenance) == (0.0, 0.0, 1.0)
        if back.damage == 1.0:
            assert back.spans is None
        else:
            assert damaged_words(back) == ([back.text.split()[0]] if back.damage else [])


def test_without_readings_damage_is_left_to_other_sources(
    corpora: Path, gold: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    frame = pd.read_parquet(gold / "en-train.parquet").assign(damage=math.nan)
    frame.to_parquet(tmp_path / "en-train.parquet")
    assert len(next(stream(corpora, tmp_path, ["en"], only(read=9, roundtrip=5)))) == 5
    assert "nothing to learn 'en' from" in caplog.text


@pytest.mark.parametrize(
    ("marks", "expected"),
    [([4, 12], ["old", "mill"]), ([5, 6], ["old"]), ([], []), ([0, 3, 13, 19], ["The", "burned"])],
)
def test_a_mark_takes_every_word_it_touches(marks: list[int], expected: list[str]) -> None:
    text = "The old mill burned."
    spans = marked_words(text, marks)
    assert spans is not None
    assert [text[start:end] for start, end, marked in spans if marked] == expected
    assert len(spans) == 4


def test_a_slip_keeps_the_length_and_leaves_short_words_alone() -> None:
    rng = np.random.default_rng(2)
    text = "😀 The old bridge of Tolm had burned."
    slips = {misspell(text, rng) for _ in range(200)}
    assert len(slips) > 8
    for slip in slips:
        assert len(slip) == len(text)
        assert sum(a != b for a, b in zip(slip, text, strict=True)) <= 2
        assert slip.startswith("😀 The old b")
    assert misspell("So it is.", rng) == "So it is."


@pytest.mark.parametrize("text", ["Старый мост сгорел.", "Η παλιά γέφυρα κάηκε.", "THE OLD BRIDGE BURNED."])
def test_a_slip_is_made_of_the_letters_of_its_text(text: str) -> None:
    rng = np.random.default_rng(4)
    slips = {misspell(text, rng) for _ in range(200)}
    assert any(sorted(slip) != sorted(text) for slip in slips)  # a wrong letter
    assert all(set(slip) <= set(text) for slip in slips)


def test_some_units_hold_slips_on_every_side(corpora: Path, gold: Path) -> None:
    written = {str(row[side]) for row in made_up.roundtrip_rows() for side in ("original", "roundtrip")}
    units = first_round(corpora, gold, only(roundtrip=60)) + first_round(corpora, gold, only(roundtrip=60), 2)
    slips = [unit for unit in units if unit[0].text not in written]
    assert 0.02 < len(slips) / len(units) < 0.25
    # a slip that swaps two equal letters shows nowhere
    assert sum(back.text not in written for _, back in slips) > len(slips) / 2
    assert all(back.provenance == 1.0 for _, back in slips)


def test_people_slip_and_sentences_are_cut_wrongly_without_being_damaged(corpora: Path, gold: Path) -> None:
    whole = {str(r["text"]) for r in [*made_up.human_rows("{}, as the paper wrote."),
                                      *made_up.human_rows("It is reported that {}.")]}  # fmt: skip
    units = first_round(corpora, gold, only(human=400))
    cut = [e for (e,) in units if math.isnan(e.provenance)]
    assert 0.05 < len(cut) / len(units) < 0.2
    assert all(e.damage == 0.0 and e.spans and not damaged_words(e) for (e,) in units)
    assert any(e.text.endswith(".") and not e.text[0].isupper() for e in cut)
    assert not {e.text for e in cut} & whole


def test_each_table_of_people_is_read_once_and_translations_come_twice_a_turn(
    corpora: Path, gold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables: list[str] = []

    def read(folder: Path, table: str, *args: Any, **kwargs: Any) -> pd.DataFrame:
        tables.append(table)
        return corpora_module.read(folder, table, *args, **kwargs)

    monkeypatch.setattr("training.examples.read", read)
    units = first_round(corpora, gold, only(human=600))
    assert sorted(tables) == sorted(set(tables))
    translations = sum(e.text.lower().startswith("it is reported") for (e,) in units)
    assert 0.25 < translations / len(units) < 0.36


def test_what_thresholds_are_set_on_is_not_learnt_from(without_dev: Path, gold: Path, tmp_path: Path) -> None:
    apart = set(corpora_module.set_apart(without_dev, "en")["text"])
    frame = pd.read_parquet(gold / "en-train.parquet").head(12)
    frame.assign(
        original=sorted(apart)[:1] + ["According to a report, nothing."] * 11, damage=0.5
    ).to_parquet(tmp_path / "en-train.parquet")
    for share in (only(human=900), only(single_hop=200), only(read=200)):
        read = {e.text for unit in first_round(without_dev, tmp_path, share) for e in unit}
        assert any(text.startswith("According to a report") for text in read)
        assert not read & apart


def test_single_hops_teach_provenance_but_not_damage(corpora: Path, gold: Path) -> None:
    for human, machine in first_round(corpora, gold, only(single_hop=10)):
        assert (human.damage, human.provenance, human.spans) == (0.0, 0.0, None)
        assert math.isnan(machine.damage)
        assert machine.provenance == 1.0
        assert NAMES[machine.pivot] == "germanic"


@pytest.mark.usefixtures("no_slips")
def test_post_edits_say_what_the_person_changed(corpora: Path, gold: Path) -> None:
    for after, before in first_round(corpora, gold, only(post_edited=6)):
        assert after.damage == 0.0
        assert math.isnan(after.provenance)
        assert damaged_words(before) == ["is", "went", "have", "drank"]
    worst = max(before.damage for _, before in first_round(corpora, gold, only(post_edited=6)))
    assert worst == hter_damage(0.5)


def test_tables_that_are_missing_are_left_out_with_a_warning(
    corpora: Path, gold: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made_up.write(tmp_path, "human/native", made_up.human_rows("{}"))
    with caplog.at_level(logging.WARNING):
        units = first_round(tmp_path, gold, FEW)
    assert len(units) == FEW.read + FEW.roundtrip + FEW.human + FEW.on_purpose
    for table in ("single_hop/en", "labels/mlqe_word_tags", "labels/mqm_spans", "human/chat"):
        assert f"{table}.parquet is not there" in caplog.text


def test_a_language_without_any_rows_is_an_error_and_no_endless_wait(corpora: Path, gold: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing to learn sw from"):
        next(stream(corpora, gold, ["sw"], FEW))


def test_sentences_too_short_to_damage_are_no_endless_wait(corpora: Path, gold: Path, tmp_path: Path) -> None:
    rows = [{**row, "text": "Too short."} for row in made_up.human_rows("{}")]
    made_up.write(tmp_path, "human/native", rows)
    assert len(first_round(tmp_path, gold, only(roundtrip=1, on_purpose=5))) == 1


def test_held_out_documents_are_never_trained_on(corpora: Path) -> None:
    train, test = (marked_segments(corpora, "en", test=part) for part in (False, True))
    assert (len(train), len(test)) == (16, 4)
    assert not {e.text for e in train} & {e.text for e in test}


def test_marked_segments_carry_severity_span_and_author(corpora: Path) -> None:
    segments = marked_segments(corpora, "en", test=False)
    for major, untouched in zip(segments[::2], segments[1::2], strict=True):
        assert major.damage == mqm_damage(5.0)
        assert damaged_words(major) == ["hand", "watch"]
        assert untouched.damage == 0.0
        assert damaged_words(untouched) == []
    assert sum(e.provenance == 0.0 for e in segments) == 2  # both segments of the human reference


@pytest.mark.parametrize(
    ("text", "tags", "expected"),
    [
        ("The Water is went .", "OK OK BAD BAD OK", [("is", True), ("went", True)]),
        ("well , well well .", "OK OK BAD OK OK", [("well", True)]),
        ("😀 新 桥 fell", "BAD OK BAD OK", [("桥", True)]),
        ("واحد اثنان", "BAD OK", [("واحد", True)]),
        ("", "", []),
    ],
)
def test_tags_fall_on_their_tokens(text: str, tags: str, expected: list[tuple[str, bool]]) -> None:
    spans = tagged_spans(text, tags)
    assert [(text[start:end], bad) for start, end, bad in spans if bad] == expected
    assert all(any(c.isalnum() for c in text[start:end]) for start, end, _ in spans)


def test_the_second_of_two_equal_tokens_is_found_in_its_own_place() -> None:
    assert tagged_spans("is is", "OK BAD") == ((0, 2, False), (3, 5, True))


def test_changed_spans_leave_punctuation_unknown() -> None:
    text = "😀 The ancient mill , fell !"
    spans = changed_spans("😀 The old mill fell.", text, "en")
    assert [(text[start:end], changed) for start, end, changed in spans] == [
        ("The", False), ("ancient", True), ("mill", False), ("fell", False),
    ]  # fmt: skip


def test_labels_follow_offsets_after_an_emoji(tiny_checkpoint: Path) -> None:
    text = "😀👍🏽 the bridge, fell"
    start = text.index("bridge")
    example = Example(text, spans=((start, start + 6, True), (start + 8, start + 12, False)))
    window = Tokenizer(tiny_checkpoint).windows(text)[0]
    gold = labels(example, window)
    pieces = [text[max(0, s) : max(0, e)] for s, e in window.offsets.tolist()]
    assert "".join(p for p, g in zip(pieces, gold, strict=True) if g == 1) == "bridge"
    assert "".join(p for p, g in zip(pieces, gold, strict=True) if g == 0) == "fell"
    unknown = {p for p, g in zip(pieces, gold, strict=True) if np.isnan(g)}
    assert {"", "the", ","} <= unknown


def test_labels_of_a_text_without_spans_are_unknown(tiny_checkpoint: Path) -> None:
    window = Tokenizer(tiny_checkpoint).windows("the bridge fell")[0]
    assert np.isnan(labels(Example("the bridge fell"), window)).all()


def test_a_blind_reader_sees_no_case(tiny_checkpoint: Path) -> None:
    tokenizer = Tokenizer(tiny_checkpoint)
    example = Example("The old Bridge fell.")
    seeing, blind = (first_window(tokenizer, example, blind=flag) for flag in (False, True))
    assert seeing.cases.any()
    assert not blind.cases.any()
    assert seeing.ids.tolist() == blind.ids.tolist()


TEXTS = [
    "The old ferry left the quiet harbour, two hours late, on a cold Monday morning.",
    "😀 Der alte Fischer ging mit seinem Hund über die neue Brücke nach Hause.",
    "افتتح رئيس البلدية الجسر الجديد فوق النهر القديم صباح أمس.",
    "市长昨天上午开放了河上的新桥。",
]


@pytest.mark.parametrize("text", TEXTS)
def test_damage_on_purpose_shows_where_it_says(text: str) -> None:
    rng = np.random.default_rng(3)
    ways = set()
    for _ in range(60):
        damaged, start, end = damage_on_purpose(text, rng)
        if not end:
            assert damaged == text
            continue
        assert damaged != text
        before, found, after = damaged[:start], damaged[start:end], damaged[end:]
        assert found == found.strip()
        assert text.endswith(after)
        if before.rstrip().endswith(found):
            ways.add("twice")
            assert before.rstrip() + after == text
        else:
            ways.add("capitals" if found.casefold() in text.casefold() else "shuffle")
            assert text.startswith(before)
            assert (" " in found) <= (" " in text)
    assert {"twice", "shuffle"} <= ways
    assert ("capitals" in ways) == any(c.islower() for c in text)


@pytest.mark.parametrize("text", ["", "Too short.", "One two three four five six."])
def test_a_short_text_is_not_damaged(text: str) -> None:
    assert damage_on_purpose(text, np.random.default_rng(1)) == (text, 0, 0)


def test_capitals_that_stand_already_are_no_damage() -> None:
    text = "We saw Anna Berg near Lake Tolm with Ida Orsk and Uwe Quill today."
    rng = np.random.default_rng(5)
    for _ in range(200):
        damaged, _, end = damage_on_purpose(text, rng)
        assert (damaged != text) == bool(end)
