"""Check the data before believing a figure: `python -m eval.data_check`.

A figure is worth what its data are worth. Here it is proved, not assumed, that no text stands in two
splits, that unseen engines and pivots are unseen, that the trainer reads nothing that is measured on,
and that round trips cannot be told from originals by their length or their punctuation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.tokens import normalise as read_alike
from training.corpora import SEED, SPLITS, roundtrips
from training.examples import Share, marked_segments, stream
from training.roundtrip import normalise

from .metrics import Floats, Order, bootstrap_intervals

Keys = npt.NDArray[np.uint64]
Column = tuple[str, str, str, str]
"""Tables (a glob), column of the texts, column of their split, and who wrote them."""

TEXTS: tuple[Column, ...] = (
    ("roundtrip/*", "original", "split", "people"),
    ("roundtrip/*", "roundtrip", "split", "machine"),
    ("single_hop/*", "human", "split", "people"),
    ("single_hop/*", "machine", "split", "machine"),
    ("human/*", "text", "split", "people"),
    ("labels/mlqe_word_tags", "mt", "source_split", "labels"),
    ("labels/mlqe_word_tags", "pe", "source_split", "labels"),
)
UNSEEN: Mapping[str, frozenset[str]] = {
    "test": frozenset("microsoft ko tr el th ar hu".split()),
    "dev": frozenset("argos sl gl id bn".split()),
}
"""Engines and pivots that no split before this one may show, in the order train, dev, test."""

LONG_BYTES = 20
"""Shorter texts ("Thank you in advance") are written by many; in UTF-8 without spaces and marks."""
ROUNDS = 100
"""Rounds of the trainer's own stream that are looked through, some 100,000 units: a source that
read another split would show thousands of times, a leak of 1 in 1,000 texts dozens of times."""
REPEATED, RELABELLED, RETRAINED = 2e-5, 1e-2, 1e-3
"""Shares of texts that may stand in two splits: see `split_checks` and `training_checks`."""
SURFACE_AUC = 0.55
"""Most that the upper end of the interval may reach: see `surface_checks`."""
PER_ORIGINAL = {"newstest": 4, "flores": 4}
MARKS = ".,;:!?'\"()[]-–—…“”„‘’«»/%&*"


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must not be more than so much.

    Attributes:
        name: What was looked for.
        found: How much of it there is.
        of: Among how many.
        most: How much there may be; None where it is only reported.
        shown: ``found`` for people.
        where: Tables it was found in, or what to do about it.
    """

    name: str
    found: float
    of: int
    most: float | None
    shown: str
    where: str = ""

    @property
    def verdict(self) -> str:
        """``ok``, ``FAILED`` or ``reported``."""
        if self.most is None:
            return "reported"
        return "ok" if self.found <= self.most else "FAILED"


def share(name: str, bad: int, of: int, most: float | None, where: str = "") -> Check:
    """Give a check of how many texts are bad, ``most`` being a share of all."""
    return Check(name, bad / max(1, of), of, most, f"{bad:,}", where)


def keys(texts: Sequence[str | None]) -> tuple[Keys, npt.NDArray[np.bool_]]:
    """Give the hash of each normalised text, and whether it is long enough to be somebody's own."""
    found = [normalise(text or "").encode("utf-8", "replace") for text in texts]
    hashes = [int.from_bytes(blake2b(text, digest_size=8).digest()) for text in found]
    return np.array(hashes, dtype=np.uint64), np.array([len(t) >= LONG_BYTES for t in found], dtype=bool)


def read_texts(corpora: Path) -> pd.DataFrame:
    """Read every text of a corpora folder, as its hash.

    Returns:
        Columns ``key``, ``long``, ``split``, ``who`` and ``table``; a text that stands twice in one
        table and split does so once here.

    Raises:
        FileNotFoundError: If the folder has no round trips.
    """
    if not list(corpora.glob("roundtrip/*.parquet")):
        raise FileNotFoundError(
            f"no round trips in {corpora}: give a corpora folder, or make one with `make data`"
        )
    frames = []
    for tables, column, split, who in TEXTS:
        for path in sorted(corpora.glob(f"{tables}.parquet")):
            frame = pd.read_parquet(path, columns=[column, split]).drop_duplicates()
            key, is_long = keys(frame[column].tolist())
            read = {"key": key, "long": is_long, "split": frame[split].to_numpy(), "who": who}
            frames.append(pd.DataFrame({**read, "table": f"{path.parent.name}/{path.stem}"}))
    every = pd.concat(frames, ignore_index=True)
    every = every.astype({"split": "category", "who": "category", "table": "category"})
    return every.drop_duplicates(ignore_index=True)


def split_checks(texts: pd.DataFrame) -> Iterator[Check]:
    """Look for texts that stand in two splits.

    What people wrote may not. `REPEATED` leaves room for a sentence published twice with another
    hyphen or space, which the corpora's own ids tell apart; they are 1 in 100,000. A machine's output may be
    another's, and may be what a person wrote elsewhere: that says nothing of its class.

    MLQE has sentences twice, as published: .9 % of its dev and test texts stand in its train.
    `RELABELLED` keeps that from growing.

    Args:
        texts: As `read_texts` gives.
    """
    people = texts[texts["who"] == "people"]
    for name, some, most in (
        ("people's texts in two splits", people[people["long"]], REPEATED),
        ("people's short texts in two splits", people[~people["long"]], None),
    ):
        bad = _repeated(some)
        where = sorted(set(some.loc[some["key"].isin(bad), "table"]))
        yield share(name, len(bad), some["key"].nunique(), most, _some(where) if len(bad) else "")
    both = texts[texts["long"] & (texts["who"] != "labels")]
    only = set(_repeated(both)) - set(_repeated(people))
    yield share("machine outputs in another split too", len(only), both["key"].nunique(), None)
    labels = texts[(texts["who"] == "labels") & texts["long"]]
    trained = set(labels.loc[labels["split"] == "train", "key"])
    for split in ("dev", "test"):
        measured = labels.loc[labels["split"] == split, "key"].unique()
        known_too = [k for k in measured if k in trained]
        yield share(f"MLQE texts of {split} also in its train", len(known_too), len(measured), RELABELLED)


def unseen_checks(corpora: Path, language: str) -> Iterator[Check]:
    """Look for engines and pivots where they should be unseen.

    An engine may not serve an earlier split in any language. Pivots are those of ``language``, and
    what its machine translations (single hop, labels) were translated from counts as one.
    """
    shown: dict[str, set[str]] = {split: set() for split in SPLITS}
    for path in sorted(corpora.glob("*/*.parquet")):
        mine = path.stem == language
        for column in _shown_columns(path, mine):
            split = "source_split" if column == "pair" else "split"
            frame = pd.read_parquet(path, columns=[column, split]).drop_duplicates()
            if column == "pair":
                frame = frame[frame["pair"].str.endswith(f"-{language}")]
                frame = frame.assign(pair=frame["pair"].str.removesuffix(f"-{language}"))
            for value, of in frame.itertuples(index=False):
                shown[of].add(value)
    for split, names in UNSEEN.items():
        for earlier in SPLITS[: SPLITS.index(split)]:
            bad = shown[earlier] & names
            yield share(
                f"engines and pivots first seen in {split}: in {earlier}",
                len(bad),
                len(names),
                0.0,
                _some(sorted(bad)),
            )


def training_checks(corpora: Path, gold: Path, language: str, texts: pd.DataFrame) -> Iterator[Check]:
    """Look through what the trainer reads for what dev and test are measured on.

    The trainer's own stream is read, whatever it draws from. `RETRAINED` leaves room for the
    sentences that MLQE has twice (see `split_checks`).

    Args:
        corpora: The folder.
        gold: What `training.damage` wrote.
        language: BCP 47 tag.
        texts: As `read_texts` gives.

    Raises:
        FileNotFoundError: If the gold is missing.
    """
    for split in SPLITS:
        yield _gold_check(corpora, gold, language, split)
    trained, held_out = ([e.text for e in _marked(corpora, language, test=test)] for test in (False, True))
    known, (key, is_long) = set(keys(trained)[0]), keys(held_out)
    bad = [k for k in key[is_long] if k in known]
    yield share("held-out MQM segments also trained on", len(bad), int(is_long.sum()), 0.0)

    rounds = islice(stream(corpora, gold, [language], Share(), SEED), ROUNDS)
    examples = [e for units in rounds for unit in units for e in unit]
    measured = texts[texts["long"] & (texts["split"] != "train")]
    by_people = set(measured.loc[measured["who"] != "machine", "key"])
    machine = np.array([e.provenance == 1.0 for e in examples])
    key, is_long = keys([e.text for e in examples])
    hit = np.array([k in by_people for k in key]) & is_long
    for name, some, most in (
        ("people's texts the trainer reads, in dev or test", ~machine, RETRAINED),
        ("machine outputs the trainer reads, by a person or labelled there", machine, None),
    ):
        yield share(name, len(set(key[hit & some])), len(set(key[some & is_long])), most)


def surface_checks(corpora: Path, language: str) -> Iterator[Check]:
    """Fit length and punctuation to train and see what they tell on dev, each round trip beside its original.

    Logistic regression. Where length tells, text was cut or chosen on one side. Punctuation as it came
    does tell a little, for each engine has its own quotes and dashes, and is only reported: the
    detector reads them all alike (`detector.tokens.normalise`), and what is left after that, commas
    moved and marks lost, must not reach `SURFACE_AUC` either.
    """
    train, dev = (roundtrips(corpora, language, s, per_original=PER_ORIGINAL) for s in ("train", "dev"))
    for name, measure, most in (
        ("length", length_features, SURFACE_AUC),
        ("punctuation, as it came", mark_features, None),
        ("punctuation, as the detector reads it", read_mark_features, SURFACE_AUC),
        ("both, as the detector reads them", _both_features, SURFACE_AUC),
    ):
        auc, (low, high) = _tell_apart(train, dev, measure)
        shown = f"{auc:.3f} ({low:.3f} to {high:.3f})"
        yield Check(f"AUC of {name}", high, 2 * len(dev), most, shown)


def length_features(texts: Sequence[str]) -> Floats:
    """Give characters, words and characters a word, the first two as logarithms. Shape (n, 3)."""
    characters = np.array([len(t) for t in texts], dtype=np.float64)
    words = np.array([max(1, len(t.split())) for t in texts], dtype=np.float64)
    return np.stack([np.log1p(characters), np.log(words), characters / words], axis=1)


def mark_features(texts: Sequence[str]) -> Floats:
    """Give how often each mark stands in a text, up to 4, and whether it ends it. Shape (n, 2 * marks)."""
    counts = [[min(4, t.count(m)) for m in MARKS] + [t.endswith(m) for m in MARKS] for t in texts]
    return np.array(counts, dtype=np.float64)


def read_mark_features(texts: Sequence[str]) -> Floats:
    """Give `mark_features` of the marks as the encoder sees them. Shape (n, 2 * marks)."""
    from tokenizers import Tokenizer, models

    reader: Any = read_alike(Tokenizer(models.WordLevel())).normalizer
    return mark_features([reader.normalize_str(t).strip() for t in texts])


def _both_features(texts: Sequence[str]) -> Floats:
    return np.concatenate([length_features(texts), read_mark_features(texts)], axis=1)


def _tell_apart(
    train: pd.DataFrame, dev: pd.DataFrame, measure: Callable[[Sequence[str]], Floats]
) -> tuple[float, tuple[float, float]]:
    """Give the AUC on dev and its 95 % interval over originals."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def both(frame: pd.DataFrame) -> tuple[Floats, npt.NDArray[np.bool_]]:
        sides = [measure(frame[column].tolist()) for column in ("original", "roundtrip")]
        return np.concatenate(sides), np.repeat([False, True], len(frame))

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(*both(train))
    x, gold = both(dev)
    order = Order.of(gold, model.decision_function(x))
    groups = np.tile(dev["original_id"].to_numpy(), 2)
    (interval,) = bootstrap_intervals([order.auc], groups)
    if interval is None:
        raise ValueError("dev has too few originals for the bootstrap")
    return order.auc(np.ones(len(gold))), interval


def _repeated(texts: pd.DataFrame) -> Keys:
    """Give the keys that stand in more than one split."""
    once = texts[["key", "split"]].drop_duplicates()["key"]
    return np.asarray(once[once.duplicated()].unique(), dtype=np.uint64)


def _shown_columns(path: Path, mine: bool) -> tuple[str, ...]:
    """Name the columns of a table that say who translated, or from where."""
    if path.parent.name == "roundtrip":
        return ("engine", "pivot") if mine else ("engine",)
    if path.parent.name == "single_hop":
        return ("engine", "source_lang") if mine else ("engine",)
    return ("pair",) if path.stem == "mlqe_word_tags" else ()


def _marked(corpora: Path, language: str, *, test: bool) -> Sequence[Any]:
    try:
        return marked_segments(corpora, language, test=test)
    except FileNotFoundError:
        return ()


def _gold_check(corpora: Path, gold: Path, language: str, split: str) -> Check:
    path = gold / f"{language}-{split}.parquet"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: run `python -m training.damage` first")
    mine = pd.read_parquet(path, columns=["original_id"])["original_id"].unique()
    table = pd.read_parquet(corpora / "roundtrip" / f"{language}.parquet", columns=["original_id", "split"])
    bad = set(mine) - set(table.loc[table["split"] == split, "original_id"])
    return share(f"gold originals of {split} that are not of {split}", len(bad), len(mine), 0.0)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def table(checks: Sequence[Check]) -> str:
    """Lay checks out as a Markdown table."""
    lines = ["| check | found | of | at most | | |", "| --- | ---: | ---: | ---: | --- | --- |"]
    for c in checks:
        most = "" if c.most is None else f"{c.most:g}"
        lines.append(f"| {c.name} | {c.shown} | {c.of:,} | {most} | {c.verdict} | {c.where} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; exit code 0, 1 where a check failed, 2 where data are missing or too few."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"), help="corpora folder")
    parser.add_argument("--gold", type=Path, default=Path("runs/gold"), help="what training.damage wrote")
    parser.add_argument("--language", default="en", help="BCP 47 tag")
    options = parser.parse_args(arguments)
    try:
        texts = read_texts(options.corpora)
        checks = [
            *split_checks(texts),
            *unseen_checks(options.corpora, options.language),
            *training_checks(options.corpora, options.gold, options.language, texts),
            *surface_checks(options.corpora, options.language),
        ]
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(table(checks))
    failed = [c.name for c in checks if c.verdict == "FAILED"]
    if failed:
        print(f"\nthese data must not be measured on: {'; '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
