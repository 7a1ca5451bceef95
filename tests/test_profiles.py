"""What the profiles promise: langdetect reads them, they stay small, only training text is counted."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from langdetect.detector_factory import DetectorFactory

from training.profiles import human_text, main, profile

MADE_UP = {
    "qaa": ["Olo mako tuli ravo, olo mako ravo tuli."] * 9,
    "qab": ["Grstk ðwelf þrimm, skelf grimm ðwelf."] * 9,
}


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    rows = [(tag, text, "train") for tag, texts in MADE_UP.items() for text in texts]
    rows += [("qaa", "Zzz zzz zzz zzz zzz.", "dev"), ("qab", "Zzz zzz zzz zzz zzz.", "test")]
    (tmp_path / "human").mkdir()
    (tmp_path / "single_hop").mkdir()
    for name, column, kept in (
        ("human/web75", "text", rows),
        ("human/native", "text", rows[:1]),
        ("single_hop/qab", "human", [("qab", "Skelf.", "train"), ("qab", "Xxx.", "dev")]),
    ):
        lang, text, split = zip(*kept, strict=True)
        pq.write_table(pa.table({"lang": lang, column: text, "split": split}), tmp_path / f"{name}.parquet")
    return tmp_path


def test_only_training_text_is_read_and_each_text_once(corpora: Path) -> None:
    assert human_text(corpora, "qaa") == MADE_UP["qaa"][:1]
    assert human_text(corpora, "qab") == [MADE_UP["qab"][0], "Skelf."]


def test_langdetect_tells_made_up_languages_apart_by_their_profiles() -> None:
    factory = DetectorFactory()
    factory.load_json_profile([profile(texts, tag) for tag, texts in MADE_UP.items()])
    factory.set_seed(0)
    for tag, texts in MADE_UP.items():
        detector = factory.create()
        detector.append(texts[0])
        assert detector.detect() == tag


def test_a_profile_counts_runs_of_letters_and_leaves_the_rare_out() -> None:
    found = json.loads(profile(["mako mako mako"] * 3 + ["tul"] * 2, "qaa"))
    assert found["name"] == "qaa"
    assert found["freq"]["mak"] == found["freq"][" m"] == 9
    assert "tul" not in found["freq"]
    assert found["n_words"][0] == 9 * 4 + 2 * 3  # what is left out still counts


def test_a_profile_keeps_its_size_and_its_commonest_runs() -> None:
    whole = profile(MADE_UP["qaa"], "qaa")
    small = profile(MADE_UP["qaa"], "qaa", max_bytes=200)
    assert len(small.encode()) <= 200 < len(whole.encode())
    whole_freq, small_freq = json.loads(whole)["freq"], json.loads(small)["freq"]
    assert min(small_freq.values()) >= max(n for run, n in whole_freq.items() if run not in small_freq)


def test_every_language_is_written_twice_alike(corpora: Path, tmp_path: Path) -> None:
    flags = ["--corpora", str(corpora), "--languages", "qaa", "qab", "--out"]
    assert main([*flags, str(tmp_path / "one")]) == main([*flags, str(tmp_path / "two")]) == 0
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == ["qaa", "qab"]
    for tag in MADE_UP:
        assert (tmp_path / "one" / tag).read_bytes() == (tmp_path / "two" / tag).read_bytes()


def test_missing_corpora_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--corpora", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "no corpora" in capsys.readouterr().err
