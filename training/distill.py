"""Bring an encoder's languages together after an English teacher: `python -m training.distill`.

What a person wrote in English and what a person translated it to say the same, so the student's vectors
of both should be what the teacher makes of the English (Reimers & Gurevych 2020, "Making Monolingual
Sentence Embeddings Multilingual using Knowledge Distillation").
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoTokenizer, set_seed

from .bases import MPNET, is_run, load_encoder, locate
from .corpora import SEED, named, read

log = logging.getLogger(__name__)

_PLACE = ["origin", "year", "docid", "line"]
_BATCH = 32
_SORTED = 16
"""Batches that are sorted by length together, so that little of a batch is padding."""
_MAX_PIECES = 96
"""Pieces of a text that are read, by student and teacher each in their own pieces."""
_RATES = 5e-5, 1e-3
"""Peak learning rates of the student and of what puts its vectors into the teacher's space."""


def pairs(corpora: Path, languages: Sequence[str], split: str) -> pd.DataFrame:
    """Give English sentences beside what a person translated them to, or from.

    The two stand in different tables and are found by their place in FLORES or the news tests.

    Args:
        corpora: A folder of the shape of `corpora`.
        languages: BCP 47 tags; of English there are no pairs.
        split: ``train``, ``dev`` or ``test``.

    Returns:
        Columns lang, english and other, no pair twice.
    """
    columns = ["lang", "english", "other"]
    parts = [pd.DataFrame(columns=columns)]
    for language in languages:
        for author, translator in (("en", language), (language, "en")):
            tables = f"roundtrip/{author}", f"single_hop/{translator}"
            if author == translator or not all((corpora / f"{t}.parquet").is_file() for t in tables):
                continue
            written = read(corpora, tables[0], ("original", "pivot", *_PLACE), split=split)
            # lines of news are counted anew for each language it was translated to
            written = written[(written["origin"] == "flores") | (written["pivot"] == translator)]
            human = read(corpora, tables[1], ("human", *_PLACE), split=split, source_lang=author)
            found = written.drop_duplicates("original").merge(human.drop_duplicates("human"), on=_PLACE)
            sides = ["original", "human"] if author == "en" else ["human", "original"]
            parts.append(found[sides].set_axis(columns[1:], axis=1).assign(lang=language))
    return pd.concat([p for p in parts if len(p)] or parts)[columns].drop_duplicates(ignore_index=True)


class Reader:
    """An encoder and its tokenizer: texts in, the mean of their pieces' vectors out."""

    def __init__(self, base: str) -> None:
        """Load a base (see `bases.locate`).

        Raises:
            ValueError: If it is an earlier run, whose tokenizer hides quotes and tells of case.
        """
        folder = locate(base)
        if is_run(folder):
            raise ValueError(f"{base} is an earlier run: give the encoder it grew from")
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.encoder = load_encoder(base)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """Give a vector a text, shape (texts, hidden); of a long text its beginning is read."""
        device = self.encoder.device
        batch = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=_MAX_PIECES, return_tensors="pt"
        ).to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            hidden = self.encoder(
                input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
            ).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        mean: Tensor = (hidden.float() * mask).sum(1) / mask.sum(1)
        return mean


@dataclass(frozen=True, slots=True)
class DistillationConfig:
    """What a distillation depends on; every field is a flag.

    Attributes:
        corpora: Folder of the shape of `corpora`.
        languages: BCP 47 tags, with commas between them, or ``all``.
        base: The student, see `bases.locate`. Its word vectors stay as they are.
        teacher: An English encoder.
        output: Folder of the student when it has learnt; a run found there goes on where it stopped.
        pairs: How many pairs to read in all, some more than once; of a language as many as the square root
            of what there is.
        device: ``cpu`` or ``cuda``.
        seed: Seeds what is read when.
    """

    corpora: str = "../shared/corpora"
    languages: str = "all"
    base: str = "runs/bases/multilingual-e5-small-cut"
    teacher: str = MPNET
    output: str = "runs/bases/distilled"
    pairs: int = 300_000
    device: str = "cpu"
    seed: int = SEED


class Distillation:
    """A run: student, teacher, and their place on disk.

    A loop of our own, as that of `train.Trainer`: two encoders with a tokenizer each read one batch.
    """

    def __init__(self, config: DistillationConfig) -> None:
        """Start from ``config.base``, or take up the run in ``config.output``.

        Raises:
            ValueError: See `Reader`; if the corpora hold no pairs of train; or if ``config.output`` holds
                another run.
        """
        set_seed(config.seed)
        self.config = config
        self.output = Path(config.output)
        if is_run(self.output):
            raise ValueError(f"{self.output} holds a detector's model: give another output")
        languages = named(config.languages, Path(config.corpora))
        self._pairs = pairs(Path(config.corpora), languages, "train")
        if self._pairs.empty:
            raise ValueError(f"{config.corpora} has no pairs of English and {config.languages}")
        self._dev = pairs(Path(config.corpora), languages, "dev")
        self.student, self.teacher = Reader(config.base), Reader(config.teacher)
        self.teacher.encoder.requires_grad_(False).eval().to(config.device)
        self.student.encoder.get_input_embeddings().weight.requires_grad_(False)
        widths = (r.encoder.config.hidden_size for r in (self.student, self.teacher))
        self.projection = nn.Linear(*widths)
        for module in (self.student.encoder, self.projection):
            module.to(config.device)
        trained = [p for p in self.student.encoder.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [{"params": trained}, {"params": list(self.projection.parameters())}], weight_decay=0.01
        )
        self.read = 0
        self.before: dict[str, float] = {}
        self.output.mkdir(parents=True, exist_ok=True)
        if self._checkpoint.is_file():
            self._resume()

    @property
    def _parts(self) -> tuple[Any, ...]:
        return self.student.encoder, self.projection, self.optimizer

    @property
    def _checkpoint(self) -> Path:
        return self.output / "checkpoint.pt"

    def _resume(self) -> None:
        state = torch.load(self._checkpoint, weights_only=True, map_location=self.config.device)
        asked = asdict(self.config)
        if other := [
            k for k, v in state["config"].items() if k not in ("device", "output") and v != asked[k]
        ]:
            raise ValueError(f"{self.output} was begun with another {', '.join(other)}: give another output")
        for part, kept in zip(self._parts, state["parts"], strict=True):
            part.load_state_dict(kept)
        self.read, self.before = state["read"], state["before"]
        log.info("resumed at %d pairs", self.read)

    def fit(self) -> None:
        """Read pairs to the end of the budget, logging and keeping checkpoints, and write the student."""
        log.info("%d pairs of %d languages", len(self._pairs), self._pairs["lang"].nunique())
        self.before = self.before or self.measure()
        started = saved = time.monotonic()
        losses: list[float] = []
        for english, other in self._batches():
            if self.read >= self.config.pairs:
                break
            losses.append(self._step(english, other))
            if len(losses) % 50 == 0:
                log.info(
                    "read %d in %.0f s: loss %.4f",
                    self.read,
                    time.monotonic() - started,
                    np.mean(losses[-50:]),
                )
            if time.monotonic() - saved > 600:
                self.checkpoint()
                saved = time.monotonic()
        self.checkpoint()
        log_of = {"config": asdict(self.config), "before": self.before, "after": self.measure()}
        (self.output / "distillation.json").write_text(json.dumps(log_of, indent=1) + "\n", encoding="utf-8")
        self.student.encoder.save_pretrained(self.output)
        self.student.tokenizer.backend_tokenizer.no_truncation()
        self.student.tokenizer.backend_tokenizer.no_padding()
        self.student.tokenizer.save_pretrained(self.output)
        log.info("saved to %s", self.output)

    def checkpoint(self) -> None:
        """Write all that is needed to go on, whole or not at all."""
        state = {
            "config": asdict(self.config),
            "parts": [p.state_dict() for p in self._parts],
            "read": self.read,
            "before": self.before,
        }
        part = self._checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.rename(self._checkpoint)

    def _batches(self) -> Iterator[tuple[list[str], list[str]]]:
        """Draw pairs, of a language as many as the square root of what there is; a resumed run draws anew."""
        rng = np.random.default_rng(self.config.seed + self.read)
        count = self._pairs.groupby("lang")["lang"].transform("size").to_numpy()
        weight = 1 / np.sqrt(count)
        english, other = (self._pairs[side].to_numpy() for side in ("english", "other"))
        length = self._pairs["english"].str.len().to_numpy()
        while True:
            drawn = rng.choice(len(count), size=_BATCH * _SORTED, p=weight / weight.sum())
            parts = np.array_split(drawn[np.argsort(length[drawn], kind="stable")], _SORTED)
            for k in rng.permutation(_SORTED):
                yield english[parts[k]].tolist(), other[parts[k]].tolist()

    def _step(self, english: list[str], other: list[str]) -> float:
        """Learn from a batch of pairs, and give its loss: 1 - cosine, 0.0 to 2.0."""
        self.student.encoder.train()
        with torch.no_grad():
            wanted = self.teacher(english)
        said = self.projection(self.student([*english, *other]))
        loss = (1 - functional.cosine_similarity(said, torch.cat([wanted, wanted]))).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([p for g in self.optimizer.param_groups for p in g["params"]], 1.0)
        done = self.read / self.config.pairs
        for group, rate in zip(self.optimizer.param_groups, _RATES, strict=True):
            group["lr"] = rate * min((done + 1e-3) * 20, 1 - done)
        self.optimizer.step()
        self.read += len(english)
        return float(loss.detach())

    def measure(self, most: int = 200) -> dict[str, float]:
        """Give, by language, how often the nearest English sentence of dev is the right one, 0.0 to 1.0.

        The nearest of at most ``most`` that the language has pairs of: figures of languages do not compare.
        """
        self.student.encoder.eval()
        found = {}
        for language, some in self._dev.groupby("lang"):
            drawn = some.drop_duplicates("english").sample(frac=1, random_state=SEED).head(most)
            with torch.no_grad():
                english, other = (self._vectors(drawn[side].tolist()) for side in ("english", "other"))
            nearest = (other @ english.T).argmax(1)
            found[str(language)] = round(float((nearest == np.arange(len(drawn))).mean()), 4)
        log.info("dev: nearest English sentence is the right one %.4f", np.mean(list(found.values())))
        return found

    def _vectors(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        parts = [self.student(texts[k : k + 64]) for k in range(0, len(texts), 64)]
        return functional.normalize(torch.cat(parts), dim=-1).cpu().numpy()


def main() -> None:
    """Teach a multilingual encoder; run again to go on with a run that was stopped."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    for field in fields(DistillationConfig):
        parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    config = DistillationConfig(**vars(parser.parse_args()))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(os.cpu_count() or 1)
    try:
        run = Distillation(config)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    run.fit()


if __name__ == "__main__":
    main()
