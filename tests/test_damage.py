from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests import made_up
from training import damage
from training.corpora import SPLITS
from training.damage import add_readings, changed_share, hter_damage, mqm_damage
from training.readings import Reading, pair_id

pytest_plugins = ["tests.corpora_fixture"]


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
    ("original", "roundtrip", "share"),
    [
        ("The old mill burned.", "The old mill burned!", 0.0),
        ("The old mill burned.", "The ancient factory burned.", 0.5),
        ("A cow.", "14 pqrx wwzk", 1.0),
        ("A cow.", "...", 0.0),
    ],
)
def test_changed_words_are_counted(original: str, roundtrip: str, share: float) -> None:
    assert changed_share(original, roundtrip, "en") == share


def test_a_reading_finds_its_pair_and_the_unread_have_no_gold() -> None:
    frame = pd.DataFrame(
        {"original": ["A cow.", "A cow.", "A dog."], "roundtrip": ["Cow.", "One cow.", "Dog the."]},
        index=[7, 3, 5],
    )
    read = {
        pair_id("A cow.", "Cow."): Reading(1, 0, ((0, 3),)),
        pair_id("A dog.", "Dog the."): Reading(3, 2, (), is_even=False),
    }
    found = add_readings(frame, read)
    assert found.index.tolist() == [7, 3, 5]
    assert found["damage"].tolist()[::2] == [0.2, 1.0]
    assert found["damage"].isna().tolist() == [False, True, False]
    assert found["even"].tolist() == [True, False, False]
    assert found["marks"][7] == [0, 3]
    assert found["marks"][5] is None  # severe all over: no word is known to be sound


def test_gold_covers_every_split_and_keeps_every_read_pair(gold: Path) -> None:
    frames = {split: pd.read_parquet(gold / f"en-{split}.parquet") for split in SPLITS}
    assert [len(f) for f in frames.values()] == [180, 108, 36]
    for frame in frames.values():
        assert frame["damage"].dropna().between(0, 1).all()
        assert 0.8 < frame["damage"].notna().mean() < 1
        assert frame["changed"].between(0, 1).all()
    hops = pd.read_parquet(gold / "en-hops.parquet")
    assert len(hops) == 3
    assert (hops["damage"] == Reading(2, 1, ((0, 5),)).damage).all()


def test_a_read_pair_is_kept_where_others_of_its_original_are_drawn(corpora: Path) -> None:
    readings = made_up.readings()
    frame = damage.gold_roundtrips(corpora, "en", "train", {"newstest": 1}, readings)
    expected = {
        pair_id(str(r["original"]), str(r["roundtrip"]))
        for r in made_up.roundtrip_rows()
        if r["split"] == "train"
    } & set(readings)
    assert expected == set(
        map(pair_id, *(frame[frame["damage"].notna()][c] for c in ("original", "roundtrip")))
    )
    assert frame["damage"].isna().any()


def test_a_folder_without_single_hops_is_measured_too(corpora: Path, tmp_path: Path) -> None:
    made_up.write(tmp_path, "roundtrip/en", made_up.roundtrip_rows())
    made_up.measure(tmp_path, tmp_path / "gold")
    assert not (tmp_path / "gold/en-hops.parquet").exists()


def test_help_says_what_it_does(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["damage", "--help"])
    with pytest.raises(SystemExit, match="0"):
        damage.main()
    assert "--corpora" in capsys.readouterr().out
