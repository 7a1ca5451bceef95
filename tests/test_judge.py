from __future__ import annotations

import logging
import math
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import BertConfig, BertModel

from detector.tokens import Tokenizer
from tests import made_up
from training import judge as module
from training.corpora import set_apart
from training.damage import HOPS, JUDGED
from training.examples import Share, stream
from training.judge import unread
from training.readings import GRADES, Reading, expected_damage, grades

pytest_plugins = ["tests.corpora_fixture"]

NOTHING = dict.fromkeys(Share.__dataclass_fields__, 0)


@pytest.fixture(scope="module")
def judged(corpora: Path, gold: Path, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a gold folder with what `python -m training.judge` adds."""
    folder = tmp_path_factory.mktemp("judged")
    shutil.copytree(gold, folder, dirs_exist_ok=True)
    arguments = ["--corpora", str(corpora), "--gold", str(folder), "--base", str(tiny_base)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["judge", *arguments, "--output", str(folder / "judge"), "--epochs", "2"])
        module.main()
    return folder


@pytest.fixture
def again(
    judged: Path, corpora: Path, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Give a copy of the folder; the judge, called again, takes the weights that are there."""
    shutil.copytree(judged, tmp_path, dirs_exist_ok=True)
    arguments = ["--corpora", str(corpora), "--gold", str(tmp_path), "--base", str(tiny_base)]
    monkeypatch.setattr("sys.argv", ["judge", *arguments, "--output", str(tmp_path / "judge")])
    monkeypatch.setattr(module, "teach", None)
    return tmp_path


def test_one_judge_reads_several_languages(
    judged: Path, corpora: Path, tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("train", HOPS):
        shutil.copyfile(judged / f"en-{name}.parquet", tmp_path / f"en-{name}.parquet")
    shutil.copyfile(judged / f"en-{HOPS}.parquet", tmp_path / f"xx-{HOPS}.parquet")
    shutil.copytree(corpora, tmp_path / "corpora")
    shutil.copyfile(corpora / "single_hop/en.parquet", tmp_path / "corpora/single_hop/xx.parquet")
    taught: list[int] = []
    teach = module.teach

    def watched(frame: pd.DataFrame, *args: Any, **more: Any) -> module.PairModel:
        taught.append(len(frame))
        return teach(frame, *args, **more)

    monkeypatch.setattr(module, "teach", watched)
    flags = ["--corpora", str(tmp_path / "corpora"), "--gold", str(tmp_path), "--base", str(tiny_base)]
    flags += ["--languages", "en,xx", "--readings", "9", "--most", "5", "--epochs", "1"]
    monkeypatch.setattr("sys.argv", ["judge", *flags, "--output", str(tmp_path / "judge")])
    module.main()
    hops = pd.read_parquet(tmp_path / f"xx-{HOPS}.parquet")["damage"].notna().sum()
    assert taught == [9 + min(9, hops)]
    assert len(pd.read_parquet(tmp_path / f"en-{JUDGED}.parquet")) == 10
    assert len(pd.read_parquet(tmp_path / f"xx-{JUDGED}.parquet")) == 5


def test_corpora_that_are_not_there_are_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["judge", "--corpora", str(tmp_path), "--languages", "all"])
    with pytest.raises(SystemExit):
        module.main()
    assert "holds no round trips or single hops" in capsys.readouterr().err


def test_only_pairs_of_train_that_nobody_read_are_judged(judged: Path) -> None:
    frame = pd.read_parquet(judged / f"en-{JUDGED}.parquet")
    train = pd.read_parquet(judged / "en-train.parquet").set_index(["original", "roundtrip"])["damage"]
    hops = pd.read_parquet(judged / f"en-{HOPS}.parquet")
    of_train = frame[frame["original"].isin(train.index.get_level_values(0))]
    assert len(of_train) > 10
    assert all(
        math.isnan(train[a, b]) for a, b in zip(of_train["original"], of_train["roundtrip"], strict=True)
    )
    assert len(frame) > len(of_train)  # single hops
    assert not set(frame["original"]) & set(hops["original"])


def test_every_word_is_judged_and_damage_is_a_probability(judged: Path) -> None:
    frame = pd.read_parquet(judged / f"en-{JUDGED}.parquet")
    assert frame["damage"].between(0, 1).all()
    for text, said in zip(frame["roundtrip"], frame["words"], strict=True):
        words = np.reshape(said, (-1, 3))
        assert "".join(text[start:end] for start, end, _ in words) == text.replace(" ", "")
        assert ((words[:, 2] >= 0) & (words[:, 2] <= 1000)).all()


def test_what_was_judged_is_learnt_from(judged: Path, corpora: Path) -> None:
    units = next(stream(corpora, judged, ["en"], Share(**{**NOTHING, "judged": 30})))
    assert len(units) == 30
    for original, back in units:
        assert (original.damage, original.provenance, back.provenance) == (0.0, 0.0, 1.0)
        assert 0 < back.damage < 1
        assert back.spans
        assert all(0 <= damaged <= 1 for _, _, damaged in back.spans)


def test_a_judge_learns_what_readers_mark(gold: Path, tiny_base: Path, judged: Path) -> None:
    read = pd.read_parquet(gold / "en-train.parquet").query("damage.notna()").reset_index(drop=True)
    tokenizer = Tokenizer(judged / "judge")
    model = module.teach(read, str(tiny_base), tokenizer, epochs=40)
    said = module.judge(model, tokenizer, read)["damage"]
    assert said[read["visible"] >= 2].mean() > said[read["visible"] == 0].mean() + 0.1


def test_the_weights_that_are_there_are_taken(again: Path) -> None:
    before = (again / f"en-{JUDGED}.parquet").read_bytes()
    module.main()
    assert (again / f"en-{JUDGED}.parquet").read_bytes() == before


def test_weights_older_than_the_gold_are_an_error(again: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold_time = (again / "en-train.parquet").stat().st_mtime
    os.utime(again / "judge/judge-en.pt", (gold_time - 60, gold_time - 60))
    with pytest.raises(SystemExit):
        module.main()
    assert "delete it or give another --output" in capsys.readouterr().err


def test_weights_of_another_base_are_an_error(again: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = torch.load(again / "judge/judge-en.pt", weights_only=True)
    del weights["side.weight"]
    torch.save(weights, again / "judge/judge-en.pt")
    with pytest.raises(SystemExit):
        module.main()
    assert "was taught on another base" in capsys.readouterr().err


def test_weights_of_another_language_are_not_taken(again: Path) -> None:
    (again / "judge/judge-en.pt").rename(again / "judge/judge-xx.pt")
    with pytest.raises(TypeError):  # it would teach
        module.main()


def test_without_even_readings_on_dev_the_agreement_is_unknown(
    again: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pd.read_parquet(again / "en-dev.parquet").assign(even=False).to_parquet(again / "en-dev.parquet")
    (again / f"en-{JUDGED}.parquet").unlink()
    with caplog.at_level(logging.INFO):
        module.main()
    assert "how well the judge agrees with readers is unknown" in caplog.text
    assert (again / f"en-{JUDGED}.parquet").is_file()


def test_without_readings_the_judge_says_how_to_read(again: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("train", HOPS):
        path = again / f"en-{name}.parquet"
        pd.read_parquet(path).assign(damage=math.nan).to_parquet(path)
    with pytest.raises(SystemExit):
        module.main()
    assert "python -m training.readings sheets" in capsys.readouterr().err


def test_every_step_moves_and_the_last_is_the_smallest(
    gold: Path, tiny_base: Path, judged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[int, int]] = []
    factor = module._rate_factor

    def watched(step: int, steps: int) -> float:
        taken.append((step, steps))
        return factor(step, steps)

    monkeypatch.setattr(module, "_rate_factor", watched)
    read = pd.read_parquet(gold / "en-train.parquet").query("damage.notna()").reset_index(drop=True)
    assert len(read) % module._BATCH
    module.teach(read, str(tiny_base), Tokenizer(judged / "judge"), epochs=2)
    steps = 2 * math.ceil(len(read) / module._BATCH)
    assert taken == [(step, steps) for step in range(steps)]
    factors = [factor(step, 40) for step in range(40)]
    assert 0 < min(factors) == factors[-1] < max(factors) <= 1


def test_a_base_that_knows_one_segment_only_can_judge() -> None:
    config = BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=9,
        type_vocab_size=1,
    )  # fmt: skip
    model = module.PairModel(BertModel(config)).eval()
    torch.nn.init.normal_(model.side.weight)
    ids, ones = torch.tensor([[1, 2, 3, 4]]), torch.ones((1, 4), dtype=torch.int64)
    sides = torch.tensor([[0, 0, 1, 1]]), torch.tensor([[0, 1, 1, 1]])
    grades_said, tokens = model(ids, ones, ones, sides[0])
    assert (grades_said.shape, tokens.shape) == ((1, len(GRADES)), (1, 4))
    assert not torch.equal(tokens, model(ids, ones, ones, sides[1])[1])


def test_unread_pairs_are_few_of_each_original(corpora: Path, gold: Path) -> None:
    frame = unread(corpora, gold, "en", per_original=1, most=1000)
    of_roundtrips = frame[~frame["roundtrip"].str.startswith("After a report")]
    assert of_roundtrips["original"].is_unique
    made_up_pairs = {(r["original"], r["roundtrip"]) for r in made_up.roundtrip_rows()}
    assert set(zip(of_roundtrips["original"], of_roundtrips["roundtrip"], strict=True)) <= made_up_pairs


def test_no_more_pairs_are_judged_than_asked_for(corpora: Path, gold: Path) -> None:
    assert len(unread(corpora, gold, "en", per_original=9, most=7)) == 2 * 7  # round trips and hops
    assert unread(corpora, gold, "xx", per_original=9, most=7).empty


def test_what_thresholds_are_set_on_is_not_judged(without_dev: Path, gold: Path) -> None:
    apart = set(set_apart(without_dev, "en")["text"])
    originals = set(unread(without_dev, gold, "en", per_original=1, most=1000)["original"])
    assert any(text.startswith("According to a report") for text in originals)
    assert not originals & apart


def test_expected_damage_of_certain_grades_is_that_of_the_reading() -> None:
    readings = [Reading(visible, 0, ()) for visible in range(4)]
    frame = pd.DataFrame({"visible": [r.visible for r in readings], "meaning": 0})
    sure = grades(frame).astype(np.float64)
    assert sure.shape == (4, len(GRADES))
    np.testing.assert_allclose(expected_damage(sure), [r.damage for r in readings])
    doubtful = expected_damage(np.full((1, 5), 0.5))
    assert 0 < doubtful[0] < 1
