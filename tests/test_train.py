from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from detector import Detector
from detector.backends.onnx import OnnxBackend
from detector.fuse import Fusion
from detector.heads import read_heads
from detector.model import DetectorModel
from detector.tokens import Tokenizer
from tests import made_up
from training import ablations, export, fusion, pivots, train
from training.examples import Share, stream
from training.roundtrip import make_roundtrips
from training.train import Batch, Probe, Trainer, TrainingConfig, batches, losses

pytest_plugins = ["tests.corpora_fixture"]

MakeConfig = Callable[..., TrainingConfig]


@pytest.fixture(scope="module")
def config(
    corpora: Path, gold: Path, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory
) -> MakeConfig:
    """Give a maker of configurations, each with a folder of its own."""
    torch.set_num_threads(1)

    def make(**changed: object) -> TrainingConfig:
        usual = TrainingConfig(
            corpora=str(corpora),
            gold=str(gold),
            base=str(tiny_base),
            output=str(tmp_path_factory.mktemp("run")),
            sentences=600,
            max_tokens=48,
            batch_pieces=1500,
            encoder_rate=1e-3,
            heads_rate=1e-2,
            averaging=0.9,
        )
        return dataclasses.replace(usual, **changed)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="module")
def finished(config: MakeConfig) -> Trainer:
    trainer = Trainer(config(sentences=5000))
    trainer.fit()
    return trainer


def some_batches(config: TrainingConfig, count: int, *, seed: int = 5) -> list[Batch]:
    rounds = stream(Path(config.corpora), Path(config.gold), [config.languages], config.share, seed)
    tokenizer = Tokenizer(Path(config.output), max_tokens=config.max_tokens)
    return list(itertools.islice(batches(rounds, tokenizer, config, np.random.default_rng(seed)), count))


def mean_losses(model: torch.nn.Module, some: Sequence[Batch], config: TrainingConfig) -> dict[str, float]:
    model.eval()
    with torch.no_grad():
        found = [losses(model, batch, config) for batch in some]
    names = {name for f in found for name in f}
    return {name: float(np.mean([float(f[name]) for f in found if name in f])) for name in names}


def weights(folder: str) -> dict[str, torch.Tensor]:
    return DetectorModel.load(Path(folder)).state_dict()


def test_training_lowers_every_loss(finished: Trainer, config: MakeConfig) -> None:
    fresh = Trainer(config())
    some = some_batches(fresh.config, 6)
    before, after = (mean_losses(t.model, some, t.config) for t in (fresh, finished))
    assert set(before) == {"damage", "provenance", "token", "pairs", "pivot"}
    assert all(after[name] < before[name] for name in ("damage", "provenance", "token", "pairs"))
    assert sum(after.values()) < 0.9 * sum(before.values())


def test_a_finished_run_is_a_model_that_loads(finished: Trainer) -> None:
    output = Path(finished.config.output)
    heads = read_heads(output)
    assert (heads.pivots, heads.max_tokens, heads.languages) == (pivots.NAMES, 48, ("en",))
    saved = weights(finished.config.output)
    assert all(torch.equal(saved[name], mean) for name, mean in finished.mean.items())
    settings = json.loads((output / "training.json").read_text(encoding="utf-8"))
    assert settings["sentences"] == 5000
    assert set(settings) == {f.name for f in dataclasses.fields(TrainingConfig)}


def test_what_is_saved_is_the_running_mean(finished: Trainer) -> None:
    state = torch.load(Path(finished.config.output, "checkpoint.pt"), weights_only=True)
    assert not torch.equal(state["model"]["sentence.weight"], state["mean"]["sentence.weight"])


def test_word_vectors_stay_those_of_the_base(finished: Trainer, config: MakeConfig) -> None:
    name = "encoder.embeddings.word_embeddings.weight"
    assert torch.equal(weights(finished.config.output)[name], Trainer(config()).model.state_dict()[name])


def test_figures_of_dev_are_logged(finished: Trainer) -> None:
    lines = (finished.output / "log.jsonl").read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1])
    assert last["read"] == finished.read >= 2000
    assert {"damage_worst", "damage_rank", "provenance", "provenance_native", "pairs", "token"} < set(last)
    assert {"damage_hter", "damage_translated", "provenance_translated"} < set(last)
    assert last["provenance"] > 0.7
    assert last["pairs"] > 0.6


def test_a_stopped_run_goes_on_where_it_stopped(config: MakeConfig) -> None:
    first = Trainer(config(sentences=300))
    first.fit()
    again = Trainer(first.config)
    assert (again.read, again.steps, again.seconds) == (first.read, first.steps, first.seconds)
    assert again.done >= 1
    assert all(torch.equal(again.mean[name], mean) for name, mean in first.mean.items())
    moments = [t.optimizer.state_dict()["state"] for t in (first, again)]
    assert all(torch.equal(moments[0][i]["exp_avg"], moments[1][i]["exp_avg"]) for i in moments[0])
    before = weights(first.config.output)
    again.fit()
    assert again.steps == first.steps
    after = weights(first.config.output)
    assert all(torch.equal(before[name], after[name]) for name in before)
    longer = Trainer(dataclasses.replace(first.config, sentences=600))
    longer.fit()
    assert first.read < 600 <= longer.read < 900
    assert longer.steps > first.steps


def test_a_run_ends_with_its_time(config: MakeConfig) -> None:
    trainer = Trainer(config(sentences=10**9, minutes=1e-9))
    trainer.fit()
    assert trainer.steps == 1


def test_the_same_seed_gives_the_same_weights(config: MakeConfig) -> None:
    runs = [config(sentences=200, seed=seed) for seed in (1, 1, 2)]
    for run in runs:
        Trainer(run).fit()
    first, again, other = (weights(run.output) for run in runs)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["sentence.weight"], other["sentence.weight"])


def test_an_earlier_run_can_be_the_base(finished: Trainer, config: MakeConfig) -> None:
    trainer = Trainer(config(base=finished.config.output, max_tokens=32))
    saved = weights(finished.config.output)
    assert all(torch.equal(saved[name], weight) for name, weight in trainer.model.state_dict().items())
    assert trainer.read == 0
    trainer.save()
    assert read_heads(trainer.output).max_tokens == 32
    tokenizers = [Path(run, "tokenizer.json").read_bytes() for run in (finished.output, trainer.output)]
    assert tokenizers[0] == tokenizers[1]


def test_only_the_first_layers_of_a_base_are_kept(config: MakeConfig) -> None:
    whole, cut = (Trainer(config(layers=layers)).model for layers in (0, 1))
    ours, theirs = whole.encoder.encoder.layer, cut.encoder.encoder.layer
    assert len(theirs) == 1 < len(ours)
    kept = theirs[0].state_dict()
    assert all(torch.equal(kept[name], weight) for name, weight in ours[0].state_dict().items())
    for layers in (len(ours) + 1, -1):
        with pytest.raises(ValueError, match=f"0 to the {len(ours)} of .*got {layers}"):
            Trainer(config(layers=layers))


@pytest.mark.parametrize("changed", [{"layers": 1}, {"normalise": False}])
def test_an_earlier_run_stays_as_it_is(
    finished: Trainer, config: MakeConfig, changed: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match="is an earlier run"):
        Trainer(config(base=finished.config.output, **changed))


def test_quote_styles_reach_the_encoder_only_where_asked(config: MakeConfig) -> None:
    quoted, plain = "She said “Nobody knew.”", "She said Nobody knew."
    for normalise in (True, False):
        tokenizer = Trainer(config(normalise=normalise)).tokenizer
        ids = [tokenizer.windows(text)[0].ids.tolist() for text in (quoted, plain)]
        assert (ids[0] == ids[1]) == normalise


def test_every_ablation_is_trained_once_and_has_its_row(
    config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = config(sentences=100)
    changed = ablations.Variant("no pivots, no readings", {"pivot_weight": 0.0}, {"read": 0})
    variants = [ablations.Variant("all"), changed]
    figures = [(v.name, ablations.measure(v, run)) for v in variants]
    settings = json.loads(Path(run.output, "no-pivots-no-readings/training.json").read_text(encoding="utf-8"))
    assert (settings["pivot_weight"], settings["share"]["read"]) == (0, 0)
    monkeypatch.setattr(ablations, "Trainer", None)
    assert figures == [(v.name, ablations.measure(v, run)) for v in variants]
    assert figures[0][1] != figures[1][1]
    with pytest.raises(ValueError, match="another sentences, seed"):
        ablations.measure(changed, dataclasses.replace(run, sentences=200, seed=1))
    shown = ablations.table([*figures, ("none", {})]).splitlines()
    assert [line.split(" | ")[0] for line in shown[2:]] == ["| all", "| no pivots, no readings", "| none"]
    assert shown[-1].endswith("| - |")


def test_batches_hold_whole_pairs_within_the_budget(config: MakeConfig) -> None:
    trainer = Trainer(config(batch_pieces=600))
    some = some_batches(trainer.config, 60)
    assert all(batch.ids.numel() <= 600 for batch in some)
    assert sum(len(batch.pairs) for batch in some) > 100
    for batch in some:
        assert batch.ids.shape == batch.mask.shape == batch.cases.shape == batch.token.shape
        assert bool((batch.mask.sum(1) > 2).all())
        better, worse = batch.pairs.unbind(1)
        assert bool((worse == better + 1).all())
        known = ~(batch.provenance[better].isnan() | batch.provenance[worse].isnan())
        assert bool((batch.provenance[better] < batch.provenance[worse])[known].all())
        assert bool(batch.token[batch.mask == 0].isnan().all())


def test_a_unit_longer_than_the_budget_is_still_read(config: MakeConfig) -> None:
    trainer = Trainer(config(batch_pieces=1))
    assert {len(batch.ids) for batch in some_batches(trainer.config, 30)} == {1, 2}


class Fixed(torch.nn.Module):
    """Say the same of whatever comes: logits in the order of the rows."""

    def __init__(self, damage: list[float], provenance: list[float]) -> None:
        super().__init__()
        self._sentence = torch.tensor([damage, provenance]).T

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, cases: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self._sentence, torch.zeros(ids.shape), torch.zeros(len(ids), 3)


def batch_of(damage: list[float], provenance: list[float], pairs: list[tuple[int, int]]) -> Batch:
    n = len(damage)
    whole = torch.ones((n, 4), dtype=torch.int64)
    return Batch(
        ids=whole, mask=whole, cases=whole, token=torch.full((n, 4), torch.nan),
        damage=torch.tensor(damage), provenance=torch.tensor(provenance),
        pivot=torch.full((n,), -1), pairs=torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2),
    )  # fmt: skip


def test_unknown_gold_costs_nothing() -> None:
    nan = float("nan")
    batch = batch_of([nan] * 2, [nan] * 2, [(0, 1)])
    found = losses(Fixed([9.0, -9.0], [9.0, -9.0]), batch, TrainingConfig())
    assert "pivot" not in found
    assert all(float(value) == 0.0 for value in found.values())


def test_a_pair_costs_more_the_wrong_way_round() -> None:
    batch = batch_of([0.0, 0.9], [0.0, 1.0], [(0, 1)])
    right, wrong = (
        losses(Fixed(logits, logits), batch, TrainingConfig()) for logits in ([-3.0, 3.0], [3.0, -3.0])
    )
    assert float(right["pairs"]) < 0.1
    assert float(wrong["pairs"]) > 10
    assert float(right["damage"]) < float(wrong["damage"])


def test_a_pair_without_damage_is_not_pulled_apart_by_it() -> None:
    config = TrainingConfig()
    faithful, damaged = (batch_of([0.0, d], [float("nan")] * 2, [(0, 1)]) for d in (0.0, 0.5))
    model = Fixed([3.0, -3.0], [0.0, 0.0])
    assert float(losses(model, faithful, config)["pairs"]) == 0.0
    assert float(losses(model, damaged, config)["pairs"]) > 2.5


def test_a_probe_without_dev_has_no_figures(finished: Trainer, tmp_path: Path) -> None:
    frame = pd.read_parquet(Path(finished.config.gold, "en-dev.parquet"))
    frame.iloc[:0].to_parquet(tmp_path / "en-dev.parquet")
    probe = Probe(dataclasses.replace(finished.config, gold=str(tmp_path)))
    assert probe.figures(finished.model, finished.tokenizer) == {}


def test_a_probe_of_three_pairs_has_figures(finished: Trainer, tmp_path: Path) -> None:
    frame = pd.read_parquet(Path(finished.config.gold, "en-dev.parquet"))
    frame.iloc[:3].to_parquet(tmp_path / "en-dev.parquet")
    probe = Probe(dataclasses.replace(finished.config, gold=str(tmp_path)))
    figures = probe.figures(finished.model, finished.tokenizer)
    assert 0 <= figures["damage_worst"] <= 1
    assert 0 <= figures["pairs"] <= 1


def test_scores_of_a_batch_are_those_of_each_alone(finished: Trainer) -> None:
    texts = ["The old mill of Tolm burned.", "Nobody knew.", "", "A brass band played on until dawn in Orsk."]
    whole, tokens = train.score(finished.model, finished.tokenizer, texts)
    alone = [train.score(finished.model, finished.tokenizer, [t])[0][0] for t in texts]
    np.testing.assert_allclose(whole, alone, atol=0.1)  # bfloat16
    assert [len(logits) for _, logits in tokens] == [len(w.ids) for w, _ in tokens]


def test_every_field_is_a_flag(
    config: MakeConfig, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[TrainingConfig] = []
    monkeypatch.setattr(train, "Trainer", lambda given: _Idle(started, given))
    monkeypatch.setattr("os.cpu_count", lambda: torch.get_num_threads())
    arguments = "--freeze-embeddings no --minutes 1.5 --base other --blind 0 --share read=7,human=0".split()
    monkeypatch.setattr("sys.argv", ["train", *arguments])
    train.main()
    assert started == [
        TrainingConfig(
            freeze_embeddings=False, minutes=1.5, base="other", blind=0.0, share=Share(read=7, human=0)
        )
    ]
    monkeypatch.setattr("sys.argv", ["train", "--help"])
    with pytest.raises(SystemExit, match="0"):
        train.main()
    shown = capsys.readouterr().out
    assert all(f"--{f.name.replace('_', '-')}" in shown for f in dataclasses.fields(TrainingConfig))


class _Idle:
    def __init__(self, started: list[TrainingConfig], config: TrainingConfig) -> None:
        self._started, self._config = started, config

    def fit(self) -> None:
        self._started.append(self._config)


class Garbler:
    """An engine that loses some words and knows no others."""

    name = "garbler"

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        words = {"opened": "inaugurated", "harbour": "port", "old": "ancient", "planted": "put trees"}
        if target != "en":
            return list(texts)
        return [" ".join(words.get(w, w) for w in t.split()) + f" by {source}" for t in texts]


def test_ones_own_text_is_enough_to_train_and_use_a_model(
    tiny_base: Path, config: MakeConfig, tmp_path: Path
) -> None:
    articles = tmp_path / "articles"
    articles.mkdir()
    for i in range(60):
        text = " ".join(original.format(f"Sund {i}") for original, _ in made_up.PAIRS[i % 6 :])
        (articles / f"{i}.txt").write_text(text, encoding="utf-8")
    own = tmp_path / "corpora"
    make_roundtrips(articles, own, Garbler(), ["es", "cs"])
    gold = made_up.measure(own, tmp_path / "gold")
    run = config(corpora=str(own), gold=str(gold), sentences=300)
    Trainer(run).fit()
    folder = Path(run.output)
    export.export(folder, folder)
    material = fusion.gather(own, gold, "en", folder, OnnxBackend(folder), fusion.FULL)
    fused = fusion.fit([material], folder, fusion.shown_rules(None))
    assert fused.operating_points["fpr_1e-3"].sentence is None
    # so little text sets no threshold of its own
    point = dataclasses.replace(fused.operating_points["fpr_1e-2"], sentence=0.5)
    Fusion.save(dataclasses.replace(fused, operating_points={"fpr_1e-2": point}), folder)
    detector = Detector.from_pretrained(folder)
    assert 0 <= detector.score(["The old mill of Sund 3 burned on Monday."], language="en")[0] <= 1
