"""Gold damage: what readers marked in round trips, and roughly on their scale HTER and MQM.

Half a million round trips cannot all be read, and no measure stands in for reading. How far a round
trip diverges from its original (similarity of embeddings, content words, names and numbers lost)
ranked 20,512 read round trips by the reader's mark no better than .32 (Spearman), because the first leg was
a person's free translation: faithful sentences come back in other words, and "biscuits" as "dog
cakes". Pairs that nobody read have no gold, and say nothing of damage.
"""

from __future__ import annotations

import argparse
import logging
import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from detector.alignment import align

from .corpora import SPLITS, named, read, roundtrips
from .readings import FOLDER, Reading, load, pair_id

log = logging.getLogger(__name__)

JUDGED = "judged"
"""Name of the table of pairs that `judge` gave soft gold, train only."""
HOPS = "hops"
"""Name of the table of pairs of train that went one leg, machine beside human translation, and were
read; that of another split is named ``hops-dev`` or ``hops-test``."""

_GOLD = ("damage", "visible", "meaning", "marks", "even")


def hter_damage(hter: float) -> float:
    """Put people's HTER (share of words a post-editor changed) roughly on the scale of `Reading.damage`.

    Post-editors also polish: a fifth of the words changed is still a usable sentence.
    """
    return 1 / (1 + math.exp(3.5 - 7 * hter))


def mqm_damage(penalty: float) -> float:
    """Put an MQM penalty (major error 5, minor 1, minor punctuation .1) roughly on the same scale."""
    return 1 - math.exp(-penalty / 6)


def changed_share(original: str, roundtrip: str, language: str) -> float:
    """Give the share of a round trip's words that were changed, 0.0 to 1.0 (see `alignment`)."""
    alignment = align(original, roundtrip, language)
    spoken = [c for w, c in zip(alignment.roundtrip, alignment.changed, strict=True) if not w.is_punctuation]
    return sum(spoken) / len(spoken) if spoken else 0.0


def add_readings(frame: pd.DataFrame, readings: Mapping[str, Reading]) -> pd.DataFrame:
    """Add what was read of each pair of ``frame`` (columns original, roundtrip).

    Returns:
        The frame with ``damage`` (see `Reading.damage`), ``visible`` and ``meaning``, nan where nobody
        read the pair; ``marks``, an array of starts and ends in turn, None where they are unknown; and
        ``even``, whether it was read and drawn evenly (see `Reading.is_even`).
    """
    names = map(pair_id, frame["original"], frame["roundtrip"])
    found = [readings.get(name) for name in names]
    rows = [
        (math.nan, math.nan, math.nan, None, False)
        if r is None
        else (
            r.damage,
            r.visible,
            r.meaning,
            [x for m in r.marks for x in m] if r.is_located else None,
            r.is_even,
        )
        for r in found
    ]
    return frame.join(pd.DataFrame(rows, frame.index, _GOLD))


def gold_roundtrips(
    corpora: Path, language: str, split: str, per_original: Mapping[str, int], readings: Mapping[str, Reading]
) -> pd.DataFrame:
    """Choose round trips of a split, every read one among them, with their gold.

    Returns:
        The columns of `corpora.roundtrips`, those of `add_readings`, and ``changed``.
    """
    every = roundtrips(corpora, language, split)
    some = roundtrips(corpora, language, split, per_original=dict(per_original))
    read_ones = add_readings(every, readings).query("damage.notna()")[some.columns]
    frame = pd.concat([some, read_ones]).drop_duplicates(["original", "roundtrip"])
    frame = frame.sort_values(["origin", "year", "docid", "pivot", "engine", "line"]).reset_index(drop=True)
    pairs = zip(frame["original"], frame["roundtrip"], strict=True)
    frame["changed"] = [changed_share(a, b, language) for a, b in pairs]
    return add_readings(frame, readings)


def gold_hops(
    corpora: Path, language: str, split: str, readings: Mapping[str, Reading], *, every: bool
) -> pd.DataFrame:
    """Give pairs of machine beside human translation of a split, with their gold.

    What is called ``original`` here is a person's translation and what is called ``roundtrip`` a
    machine's of the same source, whose language stands as ``pivot``: one leg, not a round trip.

    Args:
        corpora: A folder of the shape of `corpora`.
        language: BCP 47 tag.
        split: ``train``, ``dev`` or ``test``.
        readings: By `pair_id`.
        every: Take all of FLORES, from which texts can be built, and not only what was read.

    Returns:
        The columns of `corpora.roundtrips` and those of `add_readings`.
    """
    columns = ("human_id", "source_lang", "engine", "origin", "year", "docid", "line", "human", "machine")
    frame = read(corpora, f"single_hop/{language}", columns, split=split).drop_duplicates(
        ["human", "machine"]
    )
    names = {"human_id": "original_id", "source_lang": "pivot", "human": "original", "machine": "roundtrip"}
    frame = add_readings(frame.rename(columns=names).reset_index(drop=True), readings)
    kept = frame["damage"].notna()
    if every:
        kept |= (frame["origin"] == "flores") & (frame["original"] != frame["roundtrip"])
    order = ["origin", "year", "docid", "pivot", "engine", "line"]
    return frame[kept].sort_values(order, kind="stable").reset_index(drop=True)


def tables_of(corpora: Path, language: str, readings: Mapping[str, Reading]) -> dict[str, pd.DataFrame]:
    """Give the tables of gold of a language by name: splits, and those of `HOPS`.

    Raises:
        FileNotFoundError: If the corpora have neither round trips nor single hops in it.
    """
    most = {"train": {"newstest": 10, "flores": 32}, "dev": {"flores": 16}, "test": {"flores": 10}}
    tables: dict[str, pd.DataFrame] = {}
    if (corpora / f"roundtrip/{language}.parquet").is_file():
        for split in SPLITS:
            tables[split] = gold_roundtrips(corpora, language, split, most[split], readings)
    if (corpora / f"single_hop/{language}.parquet").is_file():
        for split in SPLITS:
            name = HOPS if split == "train" else f"{HOPS}-{split}"
            tables[name] = gold_hops(corpora, language, split, readings, every=split != "train")
    if not tables:
        raise FileNotFoundError(f"{corpora} has neither round trips nor single hops in {language!r}")
    return tables


def main() -> None:
    """Choose the round trips a training run and an evaluation need, and write them with their gold."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--languages", default="en", help="BCP 47 tags, with commas between them, or all")
    parser.add_argument("--readings", type=Path, default=FOLDER, help="folder of readings-LANGUAGE.tsv")
    parser.add_argument("--output", type=Path, default=Path("runs/gold"))
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    args.output.mkdir(parents=True, exist_ok=True)
    for language in named(args.languages, args.corpora):
        try:
            tables = tables_of(args.corpora, language, load(language, args.readings))
        except FileNotFoundError as error:
            parser.error(str(error))
        for name, frame in tables.items():
            path = args.output / f"{language}-{name}.parquet"
            frame.to_parquet(path, index=False)
            log.info("%s: %d pairs, %d of them read", path, len(frame), frame["damage"].notna().sum())


if __name__ == "__main__":
    main()
