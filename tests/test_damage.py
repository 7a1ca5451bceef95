from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests import made_up
from training import damage
from training.corpora import SPLITS
from training.damage import Divergence, FrozenBase, Vocabulary, hter_damage, mqm_damage

pytest_plugins = ["tests.corpora_fixture"]

FAITHFUL = Divergence(similarity=1.0, support=1.0, names=0.0, numbers=0.0, unknown=0, changed=0.0)
HUMAN = Vocabulary(["The mayor of Tolm likes Tolm.", "A bridge fell.", "the bridge of the mayor"] * 20)


def test_a_faithful_round_trip_is_clean_and_an_unrelated_one_damaged() -> None:
    assert FAITHFUL.damage < 0.03
    assert replace(FAITHFUL, similarity=0.1, support=0.2).damage > 0.95


@pytest.mark.parametrize(
    "worse",
    [{"similarity": 0.7}, {"support": 0.7}, {"names": 0.5}, {"numbers": 0.5}, {"unknown": 1}],
    ids=lambda worse: next(iter(worse)),
)
def test_each_divergence_raises_damage(worse: dict[str, float]) -> None:
    assert replace(FAITHFUL, **worse).damage > FAITHFUL.damage + 0.005  # type: ignore[arg-type]


@pytest.mark.parametrize("teacher", [hter_damage, mqm_damage])
def test_the_marks_of_people_map_monotonely_into_the_unit_interval(teacher: object) -> None:
    assert callable(teacher)
    values = [teacher(x) for x in np.linspace(0, 30, 301)]
    assert values == sorted(values)
    assert values[0] < 0.05
    assert 0.95 < values[-1] <= 1.0


def test_a_fifth_of_the_words_post_edited_is_still_usable() -> None:
    assert hter_damage(0.2) < 0.2
    assert hter_damage(0.8) > 0.8


def test_a_major_error_outweighs_a_minor_one() -> None:
    assert mqm_damage(1.0) < 0.2 < mqm_damage(5.0)


@pytest.mark.parametrize(
    ("original", "roundtrip", "expected"),
    [
        ("The mayor of Tolm slept.", "The mayor of Tolm dozed.", 0.0),
        ("The mayor of Tolm slept.", "The mayor of Dolm slept.", 0.5),
        ("Tolm slept.", "Dolm slept.", 0.0),  # the first word may be a name or may not
    ],
)
def test_lost_names_are_counted(original: str, roundtrip: str, expected: float) -> None:
    assert damage.lost_names(original, roundtrip, HUMAN) == expected


@pytest.mark.parametrize(
    ("original", "roundtrip", "expected"),
    [
        ("In 1998, 14 died.", "In 1998, 14 died.", 0.0),
        ("In 1998, 14 died.", "In 1989, 14 died.", 0.5),
        ("1,400 cows", "1.400 cows", 0.0),
        ("Nobody died.", "2 died.", 1.0),
        ("Nobody died.", "No one died.", 0.0),
    ],
)
def test_unlike_numbers_are_counted(original: str, roundtrip: str, expected: float) -> None:
    assert damage.unlike_numbers(original, roundtrip) == expected


@pytest.mark.parametrize(
    ("roundtrip", "expected"),
    [
        ("The bridge fell.", 0),
        ("The brugge of mayor", 1),
        ("The Brugge of mayor", 0),  # a capitalised one may be a name
        ("The kefalin bridge", 0),  # the author wrote it
        ("新桥 الجسر", 0),
    ],
)
def test_words_nobody_writes_are_counted(roundtrip: str, expected: int) -> None:
    assert damage.unknown_words("The kefalin bridge fell.", roundtrip, HUMAN) == expected


def test_vocabulary_tells_names_and_rarity() -> None:
    assert HUMAN.is_name("Tolm")
    assert not HUMAN.is_name("Bridge")
    assert not HUMAN.is_name("tolm")
    assert "BRIDGE" in HUMAN
    assert "brugge" not in HUMAN
    common = Vocabulary(["the " * 5000 + "bridge"])
    assert 0.0 == common.rarity("the") < common.rarity("bridge") < common.rarity("brugge") <= 1.0


def test_an_equal_pair_measures_near_zero_and_its_vectors_agree(tiny_base: Path) -> None:
    pairs = pd.DataFrame(
        {
            "original": ["The bridge of Tolm fell.", "The bridge of Tolm fell.", "A cow."],
            "roundtrip": ["The bridge of Tolm fell.", "14 pqrx wwzk qqy vvx.", "A cow."],
        },
        index=[7, 3, 5],
    )
    found = damage.measure(pairs, "en", HUMAN, FrozenBase(str(tiny_base)))
    assert found.index.tolist() == [7, 3, 5]
    assert found["damage"][7] < 0.05
    assert found["damage"][3] > found["damage"][7] + 0.2
    assert found["similarity"][5] == pytest.approx(1.0, abs=1e-3)
    assert found["changed"].tolist() == [0.0, 1.0, 0.0]


def test_measuring_nothing_keeps_the_columns(tiny_base: Path) -> None:
    empty = pd.DataFrame({"original": [], "roundtrip": []})
    assert "damage" in damage.measure(empty, "en", HUMAN, FrozenBase(str(tiny_base)))


def test_gold_covers_every_split_and_is_not_measured_twice(
    gold: Path, corpora: Path, tiny_base: Path
) -> None:
    paths = [gold / f"en-{split}.parquet" for split in SPLITS]
    frames = [pd.read_parquet(p) for p in paths]
    assert [len(f) for f in frames] == [180, 108, 36]
    assert all(f["damage"].between(0, 1).all() for f in frames)
    written = [p.stat().st_mtime_ns for p in paths]
    made_up.measure(corpora, tiny_base, gold)
    assert [p.stat().st_mtime_ns for p in paths] == written


def test_words_are_counted_in_whatever_human_tables_there_are(corpora: Path, tmp_path: Path) -> None:
    assert "ferries" in damage.human_vocabulary(corpora, "en")
    made_up.write(tmp_path, "human/native", made_up.human_rows("{}"))
    assert "ferries" in damage.human_vocabulary(tmp_path, "en")
    with pytest.raises(FileNotFoundError, match="no text of `train` in 'sw'"):
        damage.human_vocabulary(tmp_path, "sw")


def test_help_says_what_it_does(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["damage", "--help"])
    with pytest.raises(SystemExit, match="0"):
        damage.main()
    assert "--corpora" in capsys.readouterr().out
