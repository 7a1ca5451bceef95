from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from training import distill
from training.bases import load_encoder
from training.distill import Distillation, DistillationConfig, Reader, pairs

pytest_plugins = ["tests.corpora_fixture"]

ENGLISH = [f"the {what} of the {where} closed" for what in ("mill", "road") for where in ("river", "city")]


def write(corpora: Path, table: str, column: str, texts: list[str], split: str, **more: object) -> None:
    """Put texts into a table, each at a line of its own."""
    frame = pd.DataFrame({column: texts, "line": range(len(texts)), "split": split})
    frame = frame.assign(origin="flores", year=2019, docid=None, **more).astype({"docid": "string"})
    path = corpora / f"{table}.parquet"
    path.parent.mkdir(exist_ok=True)
    if path.is_file():
        frame = pd.concat([pd.read_parquet(path), frame], ignore_index=True)
    frame.to_parquet(path)


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """Give corpora in which "xx" is English read backwards, and "yy" has nothing to do with it."""
    for split, of_split in (("train", ENGLISH), ("dev", [f"{text} again" for text in ENGLISH])):
        write(tmp_path, "roundtrip/en", "original", of_split, split)
        backwards = [" ".join(reversed(text.split())) for text in of_split]
        write(tmp_path, "single_hop/xx", "human", backwards, split, source_lang="en")
    write(tmp_path, "single_hop/xx", "human", ["from no English"], "train", source_lang="de")
    write(tmp_path, "roundtrip/yy", "original", ["an author of yy"], "train")
    write(tmp_path, "single_hop/en", "human", ["what yy became"], "train", source_lang="yy")
    return tmp_path


@pytest.fixture
def config(corpora: Path, tiny_base: Path, tmp_path: Path) -> DistillationConfig:
    return DistillationConfig(
        corpora=str(corpora),
        languages="xx",
        base=str(tiny_base),
        teacher=str(tiny_base),
        output=str(tmp_path / "student"),
        pairs=distill._BATCH * 20,
    )


def test_sentences_of_one_place_are_a_pair_in_either_direction(corpora: Path) -> None:
    found = pairs(corpora, ["en", "xx", "yy", "zz"], "train")
    assert len(found) == len(ENGLISH) + 1
    assert set(found.query("lang == 'xx'")["english"]) == set(ENGLISH)
    first = found.query("english == @ENGLISH[0]").iloc[0]
    assert first["other"] == " ".join(reversed(ENGLISH[0].split()))
    assert found.query("lang == 'yy'")[["english", "other"]].values.tolist() == [
        ["what yy became", "an author of yy"]
    ]


def test_the_student_comes_nearer_to_the_teacher(config: DistillationConfig) -> None:
    run = Distillation(config)
    first = run._step(ENGLISH, ENGLISH)
    run.fit()
    assert run._step(ENGLISH, ENGLISH) < first - 0.3


def test_what_is_written_is_a_base_with_the_word_vectors_it_had(
    config: DistillationConfig, tiny_base: Path
) -> None:
    Distillation(config).fit()
    student, base = load_encoder(config.output), load_encoder(str(tiny_base))
    vectors = [encoder.get_input_embeddings().weight for encoder in (student, base)]
    assert torch.equal(*vectors)
    inner = [
        dict(encoder.named_parameters())["encoder.layer.0.output.dense.weight"] for encoder in (student, base)
    ]
    assert not torch.equal(*inner)
    assert Reader(config.output).tokenizer.tokenize("the mill") == ["the", "mill"]
    figures = json.loads(Path(config.output, "distillation.json").read_text(encoding="utf-8"))
    assert figures["pairs"] == config.pairs
    assert [list(figures[when]) for when in ("before", "after")] == [["xx"], ["xx"]]
    assert 0 <= figures["after"]["xx"] <= 1


def test_a_stopped_run_goes_on_where_it_stopped(config: DistillationConfig) -> None:
    run = Distillation(config)
    run._step(ENGLISH, ENGLISH)
    run.checkpoint()
    again = Distillation(config)
    assert again.read == len(ENGLISH)
    assert torch.equal(again.into.weight, run.into.weight)


def test_an_earlier_run_is_no_student(config: DistillationConfig, tiny_checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="is an earlier run: give the encoder it grew from"):
        Distillation(replace(config, base=str(tiny_checkpoint)))


def test_without_pairs_there_is_nothing_to_learn(config: DistillationConfig) -> None:
    with pytest.raises(ValueError, match="has no pairs of English and zz"):
        Distillation(replace(config, languages="zz"))


def test_flags_reach_the_run(config: DistillationConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[DistillationConfig] = []

    class Watched:
        def __init__(self, config: DistillationConfig) -> None:
            started.append(config)

        def fit(self) -> None:
            pass

    monkeypatch.setattr(distill, "Distillation", Watched)
    monkeypatch.setattr("sys.argv", ["distill", "--languages", "de,cs", "--pairs", "7", "--base", "x"])
    distill.main()
    assert started == [DistillationConfig(languages="de,cs", pairs=7, base="x")]
