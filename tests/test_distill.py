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

NEWS = ["the mill closed", "the road closed", "the river closed"]


def write(
    corpora: Path,
    table: str,
    column: str,
    texts: list[str],
    split: str,
    origin: str = "flores",
    **more: object,
) -> None:
    """Put texts into a table, each at a line of its own; no document is named."""
    frame = pd.DataFrame({column: texts, "line": range(len(texts)), "split": split})
    frame = frame.assign(origin=origin, year=2015, docid=None, **more).astype({"docid": "string"})
    path = corpora / f"{table}.parquet"
    path.parent.mkdir(exist_ok=True)
    if path.is_file():
        frame = pd.concat([pd.read_parquet(path), frame], ignore_index=True)
    frame.to_parquet(path)


def backwards(text: str) -> str:
    return " ".join(reversed(text.split()))


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """Give corpora in which "xx" is English read backwards; news has other lines under another pivot."""
    for split, of_split in (("train", ENGLISH), ("dev", [f"{text} again" for text in ENGLISH])):
        write(tmp_path, "roundtrip/en", "original", of_split, split, pivot="zz")
        translated = [backwards(text) for text in of_split]
        write(tmp_path, "single_hop/xx", "human", translated, split, source_lang="en")
    for pivot, first in (("zz", 0), ("xx", 1)):
        write(tmp_path, "roundtrip/en", "original", NEWS[first:], "train", "newstest", pivot=pivot)
    news = [backwards(text) for text in NEWS[1:]]
    write(tmp_path, "single_hop/xx", "human", news, "train", "newstest", source_lang="en")
    write(tmp_path, "single_hop/xx", "human", ["from no English"], "train", source_lang="de")
    write(tmp_path, "roundtrip/yy", "original", ["an author of yy"], "train", pivot="en")
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
    of_xx = found.query("lang == 'xx'")
    assert set(of_xx["english"]) == {*ENGLISH, *NEWS[1:]}
    assert all(
        other == backwards(english) for english, other in zip(of_xx["english"], of_xx["other"], strict=True)
    )
    assert found.query("lang == 'yy'")[["english", "other"]].values.tolist() == [
        ["what yy became", "an author of yy"]
    ]
    assert len(found) == len(of_xx) + 1


def test_a_translation_comes_nearer_to_what_the_teacher_makes_of_the_english(
    config: DistillationConfig,
) -> None:
    run = Distillation(config)
    translated = [backwards(text) for text in ENGLISH]

    def distance() -> float:
        run.student.encoder.eval()
        with torch.no_grad():
            said = run.projection(run.student(translated))
            return float((1 - torch.cosine_similarity(said, run.teacher(ENGLISH))).mean())

    before = distance()
    run.fit()
    assert distance() < before - 0.3


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
    assert figures["config"]["pairs"] == config.pairs
    assert [list(figures[when]) for when in ("before", "after")] == [["xx"], ["xx"]]
    assert 0 <= figures["after"]["xx"] <= 1
    assert json.loads(Path(config.output, "tokenizer.json").read_text(encoding="utf-8"))["truncation"] is None


def test_a_stopped_run_goes_on_where_it_stopped(config: DistillationConfig) -> None:
    run = Distillation(config)
    run.before = {"xx": 0.25}
    run._step(ENGLISH, [backwards(text) for text in ENGLISH])
    run.checkpoint()
    again = Distillation(config)
    assert (again.read, again.before) == (len(ENGLISH), {"xx": 0.25})
    for ours, theirs in ((run.student.encoder, again.student.encoder), (run.projection, again.projection)):
        weights = theirs.state_dict()
        assert all(torch.equal(weight, weights[name]) for name, weight in ours.state_dict().items())
    moments = [r.optimizer.state_dict()["state"][0]["exp_avg"] for r in (run, again)]
    assert torch.equal(*moments)
    assert moments[0].any()
    with pytest.raises(ValueError, match="was begun with another languages"):
        Distillation(replace(config, languages="yy"))


def test_a_trained_model_is_not_written_over(config: DistillationConfig, tiny_checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="holds a detector's model: give another output"):
        Distillation(replace(config, output=str(tiny_checkpoint)))


def test_an_earlier_run_is_no_student(config: DistillationConfig, tiny_checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="is an earlier run: give the encoder it grew from"):
        Distillation(replace(config, base=str(tiny_checkpoint)))


def test_without_pairs_there_is_nothing_to_learn(config: DistillationConfig) -> None:
    with pytest.raises(ValueError, match="has no pairs of English and zz"):
        Distillation(replace(config, languages="zz"))


def test_a_base_that_is_not_there_is_told_in_a_line(
    corpora: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--corpora", str(corpora), "--languages", "xx", "--base", "./nowhere"]
    monkeypatch.setattr("sys.argv", ["distill", *flags])
    with pytest.raises(SystemExit):
        distill.main()
    assert "neither a folder, an installed package nor a hub id" in capsys.readouterr().err


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
