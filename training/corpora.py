"""Read a corpora folder: one table in, one plain data frame out."""

from __future__ import annotations

import zlib
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

SEED = 20181118
SPLITS = ("train", "dev", "test")
TRANSLATIONS = "human/human_translation"
_SET_APART = 5
"""One document in so many."""
BLOCK = 40
"""Where no document is known, so many lines are taken for one: texts of 20 can be built from them."""


def named(languages: str, corpora: Path) -> tuple[str, ...]:
    """Give the languages that a flag names: ``"de,cs"``, or ``"all"`` with round trips or single hops."""
    if languages != "all":
        return tuple(languages.split(","))
    tables = (path for folder in ("roundtrip", "single_hop") for path in (corpora / folder).glob("*.parquet"))
    return tuple(sorted({path.stem for path in tables}))


def read(corpora: Path, table: str, columns: tuple[str, ...], **equal: object) -> pd.DataFrame:
    """Read some columns of one parquet table, keeping rows where each named column is equal.

    Args:
        corpora: A folder of the shape `training.roundtrip` writes.
        table: Path inside it without suffix, such as ``"roundtrip/en"``.
        columns: What to read.
        equal: ``column=value``; a value that is a list or set keeps any of its members.

    Raises:
        FileNotFoundError: If the table is not there.
    """
    path = corpora / f"{table}.parquet"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: give a corpora folder, or make one with `make data`")
    frame = _table(path, path.stat().st_mtime_ns, tuple(dict.fromkeys([*columns, *equal])))
    for column, value in equal.items():
        many = isinstance(value, (list, set, tuple))
        frame = frame[frame[column].isin(value) if many else frame[column] == value]
    return frame.reset_index(drop=True)


@lru_cache(maxsize=8)
def _table(path: Path, changed: int, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a table that many languages share once; ``changed`` makes a new version of it another table."""
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    with TemporaryDirectory() as cache:  # the table is its own best copy: leave none behind
        return Dataset.from_parquet(str(path), columns=list(columns), cache_dir=cache).to_pandas()


def documents(frame: pd.DataFrame) -> pd.Series[str]:
    """Name the document of each row by ``docid``, or where none is known by its block of lines.

    A name holds within a year and a source.
    """
    return frame["docid"].where(frame["docid"].notna(), (frame["line"] // BLOCK).astype(str))


def set_apart(corpora: Path, language: str) -> pd.DataFrame:
    """Give translations by people that stand in for those of `dev` in a language that has none there.

    One document in five of `train`: heads and thresholds are fitted on them, and neither encoder nor n-grams
    learn from them.

    Returns:
        Columns text, line, year, docid, origlang and split; no rows where `dev` has translations, or
        `train` none.
    """
    columns = ("text", "line", "year", "docid", "origlang", "split")
    try:
        frame = read(corpora, TRANSLATIONS, columns, lang=language).drop(columns="lang")
    except FileNotFoundError:
        return pd.DataFrame(columns=columns)
    if (frame["split"] == "dev").any():
        frame = frame.head(0)
    names = frame["origlang"] + " " + frame["year"].astype(str) + " " + documents(frame).astype(str)
    chosen = [zlib.crc32(name.encode("utf-8")) % _SET_APART == 0 for name in names]
    kept = frame[np.array(chosen, dtype=bool) & (frame["split"] == "train")]
    return kept.reset_index(drop=True)


_LEAST_ALIKE, _ENOUGH = 0.5, 30
"""Correlation of the lengths of both sides, below which the lines of so many pairs answer others."""


def paired_hops(corpora: Path, language: str, *, longest: int) -> pd.DataFrame:
    """Read machine beside human translations of `train`, as pairs to learn from.

    Left out are what `set_apart` gives, sides longer than ``longest`` characters, equal or of unlike length,
    and whole sets (of an origin, year and source) whose lengths do not go together: there a sentence
    stands beside the translation of another, as in newstest2014 (.3; everywhere else .7 and more).

    Returns:
        Columns human_id, source_lang, human and machine.

    Raises:
        FileNotFoundError: If the table is not there.
    """
    columns = ("human_id", "source_lang", "human", "machine", "origin", "year")
    frame = read(corpora, f"single_hop/{language}", columns, split="train")
    a, b = frame["human"].str.len(), frame["machine"].str.len()
    kept = (
        (a < longest) & (b < longest) & (a < 1.8 * b) & (b < 1.8 * a) & (frame["human"] != frame["machine"])
    )
    kept &= ~frame["human"].isin(set_apart(corpora, language)["text"])
    for rows in frame.groupby(["origin", "year", "source_lang"], dropna=False).indices.values():
        if len(rows) >= _ENOUGH and a.iloc[rows].corr(b.iloc[rows]) < _LEAST_ALIKE:
            kept.iloc[rows] = False
    return frame.loc[kept, ["human_id", "source_lang", "human", "machine"]].reset_index(drop=True)


def roundtrips(
    corpora: Path, language: str, split: str, *, per_original: dict[str, int] | None = None, seed: int = SEED
) -> pd.DataFrame:
    """Read round trips that differ from their original, a few of each original.

    The same original recurs under many pivots and engines; sampling by original keeps a model
    from learning the originals by heart, and a figure from counting one sentence fifty times.

    Args:
        corpora: A folder of the shape `training.roundtrip` writes.
        language: Language of the originals.
        split: ``train``, ``dev`` or ``test``.
        per_original: At most so many rows of one original, by ``origin``; others are all kept.
        seed: Which ones.

    Returns:
        Columns original_id, pivot, engine, origin, year, docid, line, original, roundtrip,
        in the order of the table.
    """
    columns = (
        "original_id", "pivot", "engine", "origin", "year", "docid", "line", "original", "roundtrip",
    )  # fmt: skip
    frame = read(corpora, f"roundtrip/{language}", columns, split=split, identical=False)
    order = np.random.default_rng(seed).permutation(len(frame))
    rank = frame.iloc[order].groupby("original_id", sort=False).cumcount().sort_index()
    most = frame["origin"].map(per_original or {}).astype(float).fillna(len(frame))
    kept = frame[rank < most].drop(columns=["split", "identical"])
    return kept.drop_duplicates(["original_id", "roundtrip"]).reset_index(drop=True)
