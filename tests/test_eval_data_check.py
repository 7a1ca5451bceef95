from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from eval import data_check
from eval.data_check import Check, read_texts, split_checks, surface_checks, training_checks, unseen_checks

WORDS = "mayor river ferry bread storm clock bells miller harbour bridge council lantern orchard".split()
SPLIT_PAIRS = {
    "train": [("de", "google"), ("fr", "nllb")],
    "dev": [("de", "google"), ("sl", "argos")],
    "test": [("de", "google"), ("tr", "microsoft")],
}


def sentence(split: str, table: str, k: int, turn: int = 0) -> str:
    """Give a sentence that no other arguments give; another ``turn`` takes other words of equal length."""
    rng = np.random.default_rng([len(table), list(SPLIT_PAIRS).index(split), k])
    drawn = rng.choice(WORDS, 7)
    for i in range(turn):
        drawn[i] = drawn[i][::-1]
    return f"In {split} {table} {k:03d}, the {' '.join(drawn)}, and so on."


def roundtrips() -> pd.DataFrame:
    rows = [
        {
            "original_id": f"{split}{k}", "pivot": pivot, "engine": engine, "origin": "newstest",
            "year": 2031, "docid": "d", "line": k, "split": split, "identical": False,
            "damage": 0.5, "marks": None,
            "original": sentence(split, "news", k), "roundtrip": sentence(split, "news", k, 1 + n),
        }
        for split, pairs in SPLIT_PAIRS.items()
        for k in range(40)
        for n, (pivot, engine) in enumerate(pairs)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def single_hops() -> pd.DataFrame:
    rows = [
        {
            "human_id": f"{split}{k}", "source_lang": "de", "engine": "google", "split": split,
            "origin": "newstest", "year": 2031,
            "human": sentence(split, "hop", k), "machine": sentence(split, "hop", k, 2),
        }
        for split in SPLIT_PAIRS
        for k in range(10)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def native() -> pd.DataFrame:
    rows = [
        {"lang": "en", "text": sentence(split, "native", k), "split": split}
        for split in SPLIT_PAIRS
        for k in range(30)
    ]
    return pd.DataFrame([*rows, *({"lang": "en", "text": "Thank you!", "split": s} for s in SPLIT_PAIRS)])


def post_edits() -> pd.DataFrame:
    rows = [
        {
            "pair": "et-en", "source_split": split, "word_tags": "OK", "hter": 0.2,
            "mt": sentence(split, "edit", k, 3), "pe": sentence(split, "edit", k),
        }
        for split in SPLIT_PAIRS
        for k in range(20)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def marks() -> pd.DataFrame:
    rows = [
        {
            "pair": "zh-en", "system": "acme", "doc": f"talk{k % 5}", "seg_id": k, "rater": "r1",
            "category": "No-error", "severity": "No-error",
            "target": sentence("train", "talk", k), "target_clean": sentence("train", "talk", k),
        }
        for k in range(20)
    ]  # fmt: skip
    return pd.DataFrame(rows)


Tables = dict[str, pd.DataFrame]


def clean() -> Tables:
    return {
        "roundtrip/en": roundtrips(),
        "single_hop/en": single_hops(),
        "human/native": native(),
        "labels/mlqe_word_tags": post_edits(),
        "labels/mqm_spans": marks(),
    }


def write(tables: Tables, folder: Path) -> tuple[Path, Path]:
    """Write a corpora folder and its gold."""
    for name, frame in tables.items():
        path = folder / "corpora" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.drop(columns=["damage", "marks"], errors="ignore").to_parquet(path)
    gold = folder / "gold"
    gold.mkdir()
    for split, frame in tables["roundtrip/en"].groupby("split"):
        frame.to_parquet(gold / f"en-{split}.parquet")
    return folder / "corpora", gold


@pytest.fixture(autouse=True)
def one_round(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(data_check, "ROUNDS", 1)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


def failed(checks: Iterable[Check]) -> set[str]:
    return {check.name for check in checks if check.verdict == "FAILED"}


def add(frame: pd.DataFrame, **values: Any) -> pd.DataFrame:
    """Give a frame with its first row once more, some values changed."""
    return pd.concat([frame, frame.head(1).assign(**values)], ignore_index=True)


def test_clean_data_pass_and_say_what_was_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpora, gold = write(clean(), tmp_path)
    arguments = ["--corpora", str(corpora), "--gold", str(gold)]
    assert data_check.main(arguments) == 0
    shown = capsys.readouterr().out
    assert "FAILED" not in shown
    assert "| people's texts in two splits | 0 | 240 | 2e-05 | ok |" in shown
    assert "| people's short texts in two splits | 1 | 1 |  | reported | human/native |" in shown
    assert data_check.main(arguments) == 0
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize(
    ("table", "column", "split"),
    [
        ("human/native", "text", "test"),
        ("single_hop/en", "human", "dev"),
        ("roundtrip/en", "original", "test"),
    ],
)
def test_a_text_of_train_in_another_split_fails_however_it_is_punctuated(
    tmp_path: Path, table: str, column: str, split: str
) -> None:
    tables = clean()
    leaked = sentence("train", "native", 7).upper().replace(",", " –")
    tables[table] = add(tables[table], **{column: leaked, "split": split})
    corpora, _ = write(tables, tmp_path)
    assert failed(split_checks(read_texts(corpora))) == {"people's texts in two splits"}


def test_a_machine_output_may_equal_another_one(tmp_path: Path) -> None:
    tables = clean()
    own, again = sentence("test", "news", 99), sentence("train", "news", 3, 1)
    tables["roundtrip/en"] = add(tables["roundtrip/en"], original=own, roundtrip=again, split="test")
    checks = list(split_checks(read_texts(write(tables, tmp_path)[0])))
    assert not failed(checks)
    assert {c.name: c.shown for c in checks}["machine outputs in another split too"] == "1"


def test_post_edits_that_stand_in_two_splits_fail_beyond_the_known_share(tmp_path: Path) -> None:
    tables = clean()
    edits = tables["labels/mlqe_word_tags"]
    edits.loc[edits["source_split"] == "test", "pe"] = sentence("train", "edit", 1)
    checks = split_checks(read_texts(write(tables, tmp_path)[0]))
    assert failed(checks) == {"MLQE texts of test also in its train"}


@pytest.mark.parametrize(
    ("table", "change", "name"),
    [
        ("roundtrip/en", {"engine": "microsoft"}, "first seen in test: in train"),
        ("roundtrip/en", {"pivot": "ko"}, "first seen in test: in train"),
        ("roundtrip/en", {"pivot": "bn"}, "first seen in dev: in train"),
        ("roundtrip/en", {"engine": "argos"}, "first seen in dev: in train"),
        ("roundtrip/en", {"pivot": "hu", "split": "dev"}, "first seen in test: in dev"),
        ("single_hop/en", {"source_lang": "tr"}, "first seen in test: in train"),
        ("labels/mlqe_word_tags", {"pair": "gl-en"}, "first seen in dev: in train"),
    ],
)
def test_an_unseen_engine_or_pivot_that_is_seen_fails(
    tmp_path: Path, table: str, change: dict[str, str], name: str
) -> None:
    tables = clean()
    tables[table] = add(tables[table], **change)
    corpora, _ = write(tables, tmp_path)
    bad = [c for c in unseen_checks(corpora, "en") if c.verdict == "FAILED"]
    assert [c.name for c in bad] == [f"engines and pivots {name}"]
    assert bad[0].where in {*change.values(), "gl"}


def test_another_language_has_pivots_of_its_own_but_the_same_engines(tmp_path: Path) -> None:
    tables = clean()
    tables["roundtrip/cs"] = roundtrips().assign(pivot="ko", engine="google")
    corpora, _ = write(tables, tmp_path / "pivot")
    assert not failed(unseen_checks(corpora, "en"))
    tables["roundtrip/cs"] = roundtrips().assign(engine="microsoft")
    corpora, _ = write(tables, tmp_path / "engine")
    assert failed(unseen_checks(corpora, "en"))


def training(tables: Tables, folder: Path) -> set[str]:
    corpora, gold = write(tables, folder)
    return failed(training_checks(corpora, gold, "en", read_texts(corpora)))


def test_what_the_trainer_reads_may_not_be_measured_on(tmp_path: Path) -> None:
    tables = clean()
    assert not training(tables, tmp_path / "clean")
    edits = tables["labels/mlqe_word_tags"]
    edits.loc[edits["source_split"] == "train", "pe"] = sentence("test", "native", 4)
    assert training(tables, tmp_path / "leak") == {"people's texts the trainer reads, in dev or test"}


def test_gold_of_another_split_fails(tmp_path: Path) -> None:
    corpora, gold = write(clean(), tmp_path)
    (gold / "en-train.parquet").write_bytes((gold / "en-dev.parquet").read_bytes())
    checks = training_checks(corpora, gold, "en", read_texts(corpora))
    assert "gold originals of train that are not of train" in failed(checks)


def test_a_marked_segment_that_is_trained_on_and_held_out_fails(tmp_path: Path) -> None:
    tables = clean()
    held_out = tables["labels/mqm_spans"].query("doc == 'talk4'")["target_clean"].iloc[0]
    tables["labels/mqm_spans"] = add(tables["labels/mqm_spans"], target_clean=held_out)
    assert training(tables, tmp_path) == {"held-out MQM segments also trained on"}


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (lambda t: t.replace(" and so on", " and so on and on and on"), "length"),
        (lambda t: t.replace(",", ""), "punctuation, as the detector reads it"),
    ],
)
def test_length_or_marks_that_tell_the_classes_apart_fail(tmp_path: Path, spoil: Any, name: str) -> None:
    tables = clean()
    tables["roundtrip/en"]["roundtrip"] = tables["roundtrip/en"]["roundtrip"].map(spoil)
    corpora, _ = write(tables, tmp_path)
    assert f"AUC of {name}" in failed(surface_checks(corpora, "en"))


def test_quotes_of_an_engine_are_reported_and_hidden_from_the_detector(tmp_path: Path) -> None:
    tables = clean()
    frame = tables["roundtrip/en"]
    frame["original"] = frame["original"].str.replace("mayor", '"mayor"')
    frame["roundtrip"] = frame["roundtrip"].str.replace("mayor", "“mayor”")
    frame["roundtrip"] = frame["roundtrip"].str.replace(" the ", " “the” ")
    frame["original"] = frame["original"].str.replace(" the ", ' "the" ')
    checks = {c.name: c for c in surface_checks(write(tables, tmp_path)[0], "en")}
    assert checks["AUC of punctuation, as it came"].found > 0.9
    assert checks["AUC of punctuation, as it came"].verdict == "reported"
    assert checks["AUC of punctuation, as the detector reads it"].found == pytest.approx(0.5)


def test_exit_codes_tell_leaks_from_missing_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = clean()
    tables["human/native"] = add(tables["human/native"], split="dev")
    corpora, gold = write(tables, tmp_path)
    assert data_check.main(["--corpora", str(corpora), "--gold", str(gold)]) == 1
    assert "must not be measured on: people's texts in two splits" in capsys.readouterr().err
    assert data_check.main(["--corpora", str(tmp_path / "none"), "--gold", str(gold)]) == 2
    assert "make data" in capsys.readouterr().err
    assert data_check.main(["--corpora", str(corpora), "--gold", str(tmp_path / "none")]) == 2
    assert "training.damage" in capsys.readouterr().err
