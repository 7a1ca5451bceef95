"""Fit the encoder and its heads: `python -m training.train --corpora ../shared/corpora`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional
from transformers import set_seed

from detector.heads import HeadsConfig
from detector.model import DetectorModel
from detector.tokens import Tokenizer, Window

from . import pivots
from .bases import MPNET, is_run, load_encoder, locate, save_tokenizer
from .corpora import SEED, named, read
from .damage import HOPS
from .examples import Example, Share, Unit, first_window, labels, marked_words, stream

log = logging.getLogger(__name__)

SETTINGS = "training.json"
"""Where a run keeps its `TrainingConfig`, from its start on."""

_USUAL = Share()
_NOTHING = Example("")
_ReadUnit = list[tuple[Example, Window]]


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything a run depends on; every field is a flag, and all are saved beside the weights.

    Attributes:
        corpora: Folder of the shape `training.roundtrip` writes.
        gold: Folder that `training.damage` wrote.
        base: Encoder to start from, see `bases.locate`; or the folder of an earlier run, whose
            weights are taken up with a fresh optimizer.
        layers: How many layers of a pretrained base are kept, from the first; 0 keeps all.
        share: What a round of the stream is made of; the flag names what differs, such as
            ``read=200,judged=300``.
        output: Folder of this run; a run found there goes on where it stopped.
        languages: BCP 47 tags, with commas between them, or ``all`` that the corpora have round trips
            or single hops of.
        sentences: How many sentences to read in all.
        minutes: End after so many minutes of training even where sentences are left; the learning
            rate falls to zero by whichever comes first.
        max_tokens: Longest window in pieces; longer training sentences are cut on both sides alike.
        batch_pieces: Pieces of a batch, padding included.
        encoder_rate: Peak learning rate of the encoder.
        heads_rate: Peak learning rate of heads and case embedding.
        normalise: Read all styles of quotes and dashes alike, see `tokens.normalise`; turned off only
            to measure what that is worth.
        freeze_embeddings: Keep the base's word vectors as they are: a third less to train, and
            the rare names of the training originals cannot be learnt by heart.
        damage_weight: Weight of the damage loss; the provenance loss has 1.
        pair_weight: Weight of the pairwise terms.
        token_weight: Weight of the token loss.
        pivot_weight: Weight of the pivot loss.
        blind: Share of units read without their case.
        averaging: Decay of the running mean of the weights, which is what is saved.
        device: ``cpu`` or ``cuda``.
        seed: Seeds sampling and initial weights.
    """

    corpora: str = "../shared/corpora"
    gold: str = "runs/gold"
    base: str = MPNET
    layers: int = 0
    share: Share = _USUAL
    output: str = "runs/default"
    languages: str = "en"
    sentences: int = 420_000
    minutes: float = math.inf
    max_tokens: int = 96
    batch_pieces: int = 2400
    encoder_rate: float = 6e-5
    heads_rate: float = 8e-4
    normalise: bool = True
    freeze_embeddings: bool = True
    damage_weight: float = 1.5
    pair_weight: float = 1.0
    token_weight: float = 1.0
    pivot_weight: float = 0.1
    blind: float = 0.15
    averaging: float = 0.998
    device: str = "cpu"
    seed: int = SEED


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded windows and their gold; nan and -1 mean unknown.

    Shapes: ids, mask, cases and token (windows, pieces); damage, provenance, pivot (windows,);
    pairs (pairs, 2), the worse wording second.
    """

    ids: Tensor
    mask: Tensor
    cases: Tensor
    token: Tensor
    damage: Tensor
    provenance: Tensor
    pivot: Tensor
    pairs: Tensor


def batches(
    rounds: Iterator[list[Unit]], tokenizer: Tokenizer, config: TrainingConfig, rng: np.random.Generator
) -> Iterator[Batch]:
    """Cut rounds of units into batches of like length, in random order; a unit stays whole."""
    for units in rounds:
        read_units: list[_ReadUnit] = []
        for unit in units:
            blind = bool(rng.random() < config.blind)
            read_units.append([(e, first_window(tokenizer, e, blind=blind)) for e in unit])
        read_units.sort(key=_longest)
        groups: list[list[_ReadUnit]] = [[]]
        rows = 0
        for read_unit in read_units:
            rows += len(read_unit)
            if groups[-1] and rows * _longest(read_unit) > config.batch_pieces:
                groups.append([])
                rows = len(read_unit)
            groups[-1].append(read_unit)
        for k in rng.permutation(len(groups)):
            yield _collate(groups[k])


def _longest(unit: _ReadUnit) -> int:
    return max(len(w.ids) for _, w in unit)


def _collate(units: Sequence[_ReadUnit]) -> Batch:
    flat = [pair for unit in units for pair in unit]
    longest = max(len(w.ids) for _, w in flat)
    shape = (len(flat), longest)
    ids, mask, cases = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    token = np.full(shape, np.nan, dtype=np.float32)
    for i, (example, window) in enumerate(flat):
        n = len(window.ids)
        ids[i, :n], mask[i, :n], cases[i, :n] = window.ids, 1, window.cases
        token[i, :n] = labels(example, window)
    pairs, row = [], 0
    for unit in units:
        if len(unit) == 2:
            pairs.append((row, row + 1))
        row += len(unit)
    return Batch(
        ids=torch.from_numpy(ids),
        mask=torch.from_numpy(mask),
        cases=torch.from_numpy(cases),
        token=torch.from_numpy(token),
        damage=torch.tensor([e.damage for e, _ in flat], dtype=torch.float32),
        provenance=torch.tensor([e.provenance for e, _ in flat], dtype=torch.float32),
        pivot=torch.tensor([e.pivot for e, _ in flat], dtype=torch.int64),
        pairs=torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2),
    )


def losses(model: nn.Module, batch: Batch, config: TrainingConfig) -> dict[str, Tensor]:
    """Give the weighted losses of one batch, by name; their sum is what is minimised."""
    with torch.autocast(config.device, dtype=torch.bfloat16):
        sentence, token, pivot = model(batch.ids, batch.mask, batch.cases)
    sentence, token, pivot = sentence.float(), token.float(), pivot.float()
    damage, provenance = sentence.unbind(1)
    found = {
        "damage": config.damage_weight * _cross_entropy(damage, batch.damage),
        "provenance": _cross_entropy(provenance, batch.provenance),
        "token": config.token_weight * _cross_entropy(token, batch.token),
    }
    if len(batch.pairs):
        better, worse = batch.pairs.unbind(1)
        # RankNet (Burges et al. 2005): the loss of a pair says nothing of its topic
        margin = functional.softplus(provenance[better] - provenance[worse])
        known = ~(batch.provenance[better].isnan() | batch.provenance[worse].isnan())
        apart = functional.softplus(damage[better] - damage[worse])
        weight = (batch.damage[worse] - batch.damage[better]).nan_to_num(0.0).clamp(min=0.0)
        found["pairs"] = config.pair_weight * (
            (margin * known).sum() / known.sum().clamp(min=1)
            + (apart * weight).sum() / weight.sum().clamp(min=1)
        )
    if bool((batch.pivot >= 0).any()):
        found["pivot"] = config.pivot_weight * functional.cross_entropy(pivot, batch.pivot, ignore_index=-1)
    return found


def _cross_entropy(logits: Tensor, gold: Tensor) -> Tensor:
    known = ~gold.isnan()
    each = functional.binary_cross_entropy_with_logits(logits, gold.nan_to_num(0.0), reduction="none")
    return (each * known).sum() / known.sum().clamp(min=1)


class Trainer:
    """A run: model, running mean, optimizer and their place on disk.

    A loop of our own rather than `transformers.Trainer`: batches hold pairs that must stay
    together, and four heads learn from gold that is unknown for most rows.
    """

    def __init__(self, config: TrainingConfig) -> None:
        """Build a fresh run from ``config.base``, or take up the one in ``config.output``.

        Raises:
            ValueError: If the base has fewer layers than asked for, or is an earlier run, whose
                layers and tokenizer are what they are, and others are asked for.
        """
        set_seed(config.seed)
        self.config = config
        self.output = Path(config.output)
        folder = locate(config.base)
        self.output.mkdir(parents=True, exist_ok=True)
        if is_run(folder) and (config.layers or not config.normalise):
            raise ValueError(f"layers and normalise cannot be changed: {folder} is an earlier run")
        save_tokenizer(config.base, self.output, alike=config.normalise)
        self.tokenizer = Tokenizer(self.output, max_tokens=config.max_tokens)
        self.model = self._start(folder).to(config.device)
        encoder = self.model.encoder
        if config.freeze_embeddings:
            encoder.get_input_embeddings().weight.requires_grad_(False)
        own = {id(p) for p in encoder.parameters()}
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in trained if id(p) in own], "lr": config.encoder_rate},
                {"params": [p for p in trained if id(p) not in own], "lr": config.heads_rate},
            ],
            weight_decay=0.01,
        )
        self.mean = {k: v.detach().clone() for k, v in self.model.named_parameters() if v.requires_grad}
        self.read = 0
        self.steps = 0
        self.seconds = 0.0
        (self.output / SETTINGS).write_text(
            json.dumps(dataclasses.asdict(config), indent=1) + "\n", encoding="utf-8"
        )
        self._resume()

    def _start(self, folder: str) -> DetectorModel:
        """Give the model that an earlier run wrote to ``folder``, or fresh heads on a pretrained encoder."""
        languages = named(self.config.languages, Path(self.config.corpora))
        if is_run(folder):
            model = DetectorModel.load(Path(folder))
            model.heads = HeadsConfig(model.heads.pivots, self.config.max_tokens, languages)
            return model
        encoder = load_encoder(self.config.base, layers=self.config.layers)
        heads = HeadsConfig(pivots.NAMES, self.config.max_tokens, languages)
        return DetectorModel(encoder, heads)

    @property
    def done(self) -> float:
        """Share of the budget that is spent, by sentences (batches differ in size) or by time."""
        return max(self.read / self.config.sentences, self.seconds / 60 / self.config.minutes)

    @property
    def _checkpoint(self) -> Path:
        return self.output / "checkpoint.pt"

    def _resume(self) -> None:
        if not self._checkpoint.exists():
            return
        state = torch.load(self._checkpoint, weights_only=True, map_location=self.config.device)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.mean = state["mean"]
        self.read, self.steps, self.seconds = state["read"], state["steps"], state["seconds"]
        log.info("resumed at %d sentences", self.read)

    def checkpoint(self) -> None:
        """Write all that `Trainer` needs to go on, whole or not at all."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "mean": self.mean,
            "read": self.read,
            "steps": self.steps,
            "seconds": self.seconds,
        }
        part = self._checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.rename(self._checkpoint)

    def fit(self) -> None:
        """Train to the end of the budget, logging, probing dev and keeping checkpoints on the way."""
        config = self.config
        probe = Probe(config)
        # a resumed run draws new units: the seed moves with the sentences already read
        languages = named(config.languages, Path(config.corpora))
        rounds = stream(
            Path(config.corpora),
            Path(config.gold),
            languages,
            config.share,
            config.seed + self.read,
            pieces=(self.tokenizer, self._vectors()),
        )
        rng = np.random.default_rng(config.seed + self.read)
        saved = last = time.monotonic()
        sums: dict[str, float] = {}
        for batch in batches(rounds, self.tokenizer, config, rng):
            if self.done >= 1:
                break
            on_device = dataclasses.replace(
                batch, **{f.name: getattr(batch, f.name).to(config.device) for f in fields(batch)}
            )
            self.model.train()
            found = losses(self.model, on_device, config)
            total = torch.stack(list(found.values())).sum()
            self.optimizer.zero_grad(set_to_none=True)
            total.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self._set_rate()
            self.optimizer.step()
            self.steps += 1
            self.read += len(batch.ids)
            self.seconds += time.monotonic() - last
            last = time.monotonic()
            decay = min(config.averaging, self.steps / (self.steps + 10))
            with torch.no_grad():
                for name, weight in self.model.named_parameters():
                    if name in self.mean:
                        self.mean[name].lerp_(weight, 1 - decay)
            for name, value in found.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
            if self.steps % 50 == 0:
                shown = " ".join(f"{k} {v / 50:.3f}" for k, v in sums.items())
                log.info("step %d read %d in %.0f s: %s", self.steps, self.read, self.seconds, shown)
                sums = {}
            if self.steps % 600 == 0:
                self._probe(probe)
            if time.monotonic() - saved > 600:
                self.checkpoint()
                saved = time.monotonic()
        self._probe(probe)
        self.checkpoint()
        self.save()

    def _vectors(self) -> npt.NDArray[np.float32]:
        weight: Tensor = self.model.encoder.get_input_embeddings().weight
        return weight.detach().float().cpu().numpy()

    def _set_rate(self) -> None:
        """Warm up over a twentieth of the run, then fall to zero."""
        factor = max(0.0, min((self.done + 1e-3) * 20, 1 - self.done))
        for group, rate in zip(
            self.optimizer.param_groups, (self.config.encoder_rate, self.config.heads_rate), strict=True
        ):
            group["lr"] = rate * factor

    def _averaged(self) -> dict[str, Tensor]:
        weights = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        weights.update({k: v.clone() for k, v in self.mean.items()})
        return weights

    def _probe(self, probe: Probe) -> None:
        kept = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict(self._averaged())
        figures = probe.figures(self.model, self.tokenizer)
        self.model.load_state_dict(kept)
        log.info("dev %s", " ".join(f"{k} {v:.3f}" for k, v in figures.items()))
        with (self.output / "log.jsonl").open("a", encoding="utf-8") as lines:
            row = {"read": self.read, **{k: round(v, 4) for k, v in figures.items()}}
            lines.write(json.dumps(row) + "\n")

    def save(self) -> None:
        """Write the running mean of the weights and the configuration: what the detector loads."""
        self.model.load_state_dict(self._averaged())
        self.model.save(self.output)
        log.info("saved to %s", self.output)


class Probe:
    """A quick look at `dev` while a run goes on.

    At the read round trips, their originals, native and translated sentences, and machine
    translations that people post-edited.
    """

    def __init__(self, config: TrainingConfig) -> None:
        """Read the dev sentences once, of many languages some each."""
        languages = named(config.languages, Path(config.corpora))
        some = len(languages)
        frame = pd.concat([_read_of_dev(Path(config.gold), one).head(2000 // some) for one in languages])
        self._roundtrips = [
            Example(text, spans=marked_words(text, marks))
            for text, marks in zip(frame["roundtrip"], frame["marks"], strict=True)
        ]
        self._damage = frame["damage"].to_numpy()
        self._sides = [*frame["original"], *frame["roundtrip"]]
        corpora = Path(config.corpora)
        of_people = {"lang": languages, "split": "dev"}
        self._native = _thousand(read(corpora, "human/native", ("text",), **of_people)["text"])
        self._translated = _thousand(
            _of_dev(corpora, "human/human_translation", ("text",), **of_people)["text"]
        )
        edited = _of_dev(corpora, "labels/mlqe_word_tags", ("pair", "mt", "hter"), source_split="dev")
        into = edited["pair"].astype(str).str.split("-").str[-1].isin(languages)
        self._edited = edited[into].groupby("pair").head(max(60, 300 // some)).reset_index(drop=True)
        self._n = len(frame)
        self._device = config.device

    def figures(self, model: DetectorModel, tokenizer: Tokenizer) -> dict[str, float]:
        """Judge dev with the model as it is.

        Returns:
            AUC of the most damaged tenth and of an error against people's sentences, rank correlation
            with readers and (mean over source languages) with HTER, AUC of human translation against
            native text in damage and in provenance (.5 is wanted), AUC of provenance against the
            originals and against native text, pair accuracy, and AUC of words against readers' marks.
            Figures that dev is too small for are left out; without readings there are none.
        """
        if not self._n:
            return {}
        groups = (self._sides, self._native, self._translated, self._edited["mt"].tolist())
        sentence, tokens = score(model, tokenizer, [t for g in groups for t in g], device=self._device)
        sides, native, translated, edited = np.split(sentence, np.cumsum([len(g) for g in groups])[:-1])
        n = self._n
        originals, roundtrips = sides[:n], sides[n:]
        human = np.concatenate([originals[:, 0], native[:, 0]])
        worst = np.argsort(-self._damage, kind="stable")[: max(1, n // 10)]
        gold = np.concatenate(
            [labels(e, w) for e, (w, _) in zip(self._roundtrips, tokens[n : 2 * n], strict=True)]
        )
        token = np.concatenate([logits for _, logits in tokens[n : 2 * n]])
        rank = pd.Series(roundtrips[:, 0]).corr(pd.Series(self._damage), method="spearman")
        by_pair = pd.Series(edited[:, 0]).groupby(self._edited["pair"].to_numpy())
        hter = [said.corr(self._edited["hter"][said.index], method="spearman") for _, said in by_pair]
        figures = {
            "damage_worst": _auc(roundtrips[worst, 0], human),
            "damage_errors": _auc(roundtrips[self._damage >= 0.5, 0], human),
            "damage_rank": float(rank),
            "damage_hter": float(np.mean(hter)) if hter else math.nan,
            "damage_translated": _auc(translated[:, 0], native[:, 0]),
            "provenance": _auc(roundtrips[:, 1], originals[:, 1]),
            "provenance_native": _auc(roundtrips[:, 1], native[:, 1]),
            "provenance_translated": _auc(translated[:, 1], native[:, 1]),
            "pairs": float(np.mean(roundtrips[:, 1] > originals[:, 1])),
            "token": _auc(token[gold == 1], token[gold == 0]),
        }
        return {name: value for name, value in figures.items() if not math.isnan(value)}


def _read_of_dev(gold: Path, language: str) -> pd.DataFrame:
    """Give the pairs of dev that were read and drawn evenly: round trips, and single hops."""
    paths = [gold / f"{language}-{name}.parquet" for name in ("dev", f"{HOPS}-dev")]
    frames = [frame[frame["even"]] for frame in map(pd.read_parquet, filter(Path.is_file, paths))]
    if not frames:
        raise FileNotFoundError(f"{paths[0]} is not there: run `python -m training.damage` first")
    return pd.concat(frames)


def _of_dev(corpora: Path, table: str, columns: tuple[str, ...], **equal: object) -> pd.DataFrame:
    """Read a table of dev that a folder may lack; without it there are no rows, and that is logged."""
    try:
        return read(corpora, table, columns, **equal)
    except FileNotFoundError as error:
        log.warning("left out: %s", error)
        return pd.DataFrame(columns=list(columns))


def _thousand(texts: pd.Series) -> list[str]:
    some: list[str] = texts.sample(min(1000, len(texts)), random_state=1).tolist()
    return some


def score(
    model: DetectorModel, tokenizer: Tokenizer, texts: Sequence[str], *, device: str = "cpu"
) -> tuple[npt.NDArray[np.float32], list[tuple[Window, npt.NDArray[np.float32]]]]:
    """Give sentence logits, shape (texts, 2), and each first window with its token logits."""
    windows = [tokenizer.windows(t)[0] for t in texts]
    order = np.argsort([len(w.ids) for w in windows])
    sentence = np.zeros((len(texts), 2), dtype=np.float32)
    tokens: list[tuple[Window, npt.NDArray[np.float32]]] = [(w, np.empty(0, np.float32)) for w in windows]
    model.eval()
    for k in range(0, len(order), 64):
        index = order[k : k + 64]
        batch = _collate([[(_NOTHING, windows[i])] for i in index])
        with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16):
            s, t, _ = model(batch.ids.to(device), batch.mask.to(device), batch.cases.to(device))
        sentence[index] = s.float().cpu().numpy()
        for row, i in enumerate(index):
            tokens[i] = (windows[i], t[row, : len(windows[i].ids)].float().cpu().numpy())
    return sentence, tokens


def _auc(positive: npt.NDArray[np.float32], negative: npt.NDArray[np.float32]) -> float:
    if not len(positive) or not len(negative):
        return math.nan
    gold = np.r_[np.ones(len(positive)), np.zeros(len(negative))]
    return float(roc_auc_score(gold, np.r_[positive, negative]))


def _is_yes(flag: str) -> bool:
    return flag.lower() in ("1", "true", "yes")


def _share(flag: str) -> Share:
    """Read "read=200,judged=300": the usual share but for these."""
    return dataclasses.replace(
        Share(), **{k: int(v) for k, _, v in (f.partition("=") for f in flag.split(","))}
    )


def flags(description: str | None) -> argparse.ArgumentParser:
    """Give a parser with a flag for every field of `TrainingConfig`."""
    parser = argparse.ArgumentParser(description=description)
    own = {bool: _is_yes, Share: _share}
    for field in fields(TrainingConfig):
        kind = own.get(type(field.default), type(field.default))
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, default=field.default)
    return parser


def main() -> None:
    """Train the encoder and its heads; run again to go on with a run that was stopped."""
    config = TrainingConfig(**vars(flags(main.__doc__).parse_args()))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(os.cpu_count() or 1)
    Trainer(config).fit()


if __name__ == "__main__":
    main()
