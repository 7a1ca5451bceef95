"""A made-up corpora folder: invented events, and what might have come back of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest

from training.readings import Reading, pair_id, save

PLACES = {
    "Tolm": "train", "Orsk": "train", "Brenn": "train", "Quill": "train", "Vesper": "train",
    "Marrow": "dev", "Hask": "dev", "Ilvane": "dev", "Dunmoor": "test",
}  # fmt: skip
PAIRS = (
    ("The mayor of {} opened the new bridge today.", "The burgomaster of {} inaugurated novel bridge."),
    ("Two ferries left the harbour of {} at dawn.", "Two ferries have left to the port of {} at sunrise."),
    ("Nobody in {} knew why the old mill had burned.", "No one in {} knew why the old mill had burned."),
    ("The council of {} voted for a smaller budget.", "The advice of {} voted for a tinier household."),
    ("A storm tore 14 roofs from houses in {}.", "A tempest ripped 41 ceilings of homes of {}."),
    ("Children from {} planted trees along the river.", "Children of {} planted trees along the river."),
    ("The brass band of {} played until midnight.", "The tin gang of {} has touched until half night."),
    ("Farmers near {} expect a poor harvest this year.", "Peasants near {} wait for a poor crop this year."),
    ("The school in {} will close for three weeks.", "The school in {} will be closed during three weeks."),
    ("Police in {} found the stolen clock in a barn.", "The police in {} found the robbed watch in a barn."),
    ("The last train to {} now leaves at 21:40.", "The last train to {} now goes out at 21.40."),
    ("Visitors to {} must leave their cars outside.", "The visitors of {} must abandon its cars abroad."),
)
ENGINES = (("es", "acme", " thus."), ("cs", "acme", " also."), ("zh", "zenith", " then."))
"""Pivot, engine, and a habit of theirs, so that no two of their round trips are equal."""


def text_id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write(folder: Path, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    path = folder / f"{table}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_parquet(path, index=False)


def roundtrip_rows() -> list[dict[str, object]]:
    return [
        {
            "original_id": text_id(original.format(place)),
            "lang": "en", "pivot": pivot, "engine": engine, "origin": "newstest", "year": 2031,
            "docid": place, "line": line, "split": split, "identical": False,
            "original": original.format(place),
            "roundtrip": back.format(place).rstrip(".") + habit,
        }
        for pivot, engine, habit in ENGINES
        for place, split in PLACES.items()
        for line, (original, back) in enumerate(PAIRS)
    ]  # fmt: skip


def human_rows(wording: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for place, split in PLACES.items():
        for line, (original, _) in enumerate(PAIRS):
            text = wording.format(original.format(place).rstrip("."))
            rows.append(
                {
                    "lang": "en", "origlang": "en", "year": 2032, "docid": f"{place}-own", "text": text,
                    "line": line, "split": split, "text_id": text_id(text),
                }
            )  # fmt: skip
    return rows


def single_hop_rows() -> list[dict[str, object]]:
    return [
        {
            "human_id": text_id(f"{place} {line}"), "lang": "en", "source_lang": "de", "engine": "acme",
            "origin": "newstest", "year": 2031, "docid": place, "line": line, "split": split,
            "human": f"According to a report, {original.format(place)}",
            "machine": f"After a report, {back.format(place)}",
        }
        for place, split in PLACES.items()
        for line, (original, back) in enumerate(PAIRS[:4])
    ]  # fmt: skip


def post_edit_rows() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for k, split in enumerate(("train", "dev", "test")):
        for i in range(6):
            mt = f"The Water {k}{i} is went cold , and nobody have drank it ."
            tags = "OK OK OK BAD BAD OK OK OK OK BAD BAD OK OK"
            pe = f"The water {k}{i} went cold , and nobody drank it ."
            rows.append(
                {"pair": "et-en", "source_split": split, "idx": i, "src": "", "mt": mt, "pe": pe,
                 "word_tags": tags, "hter": 0.1 * i}
            )  # fmt: skip
    return rows


def marked_rows() -> list[dict[str, object]]:
    """Give ten documents of two segments: one with a major error, one that the rater left alone."""
    rows: list[dict[str, object]] = []
    for d in range(10):
        for segment, severity in enumerate(("Major", "No-error")):
            clean = f"The {d} lamps of the quay were lit by the hand watch at dusk."
            marked = clean.replace("hand watch", "<v>hand watch</v>") if severity == "Major" else clean
            rows.append(
                {
                    "src_set": "made", "pair": "zh-en", "system": "refA" if d == 3 else "acme",
                    "doc": f"doc.{d}", "seg_id": str(segment), "rater": "rater1",
                    "category": "Accuracy/Mistranslation" if severity == "Major" else "No-error",
                    "severity": severity, "span": "hand watch", "source": "",
                    "target": marked, "target_clean": clean,
                }
            )  # fmt: skip
    return rows


def write_corpora(folder: Path) -> Path:
    """Write every table that training reads, in the shape of the real ones."""
    write(folder, "roundtrip/en", roundtrip_rows())
    write(folder, "single_hop/en", single_hop_rows())
    write(folder, "human/native", human_rows("{}, as the paper wrote."))
    write(folder, "human/human_translation", human_rows("It is reported that {}."))
    for table in ("informal_ewt", "chat", "news_abc"):
        write(folder, f"human/{table}", human_rows(f"hey, {table[:3]} says {{}}!"))
    write(folder, "labels/mlqe_word_tags", post_edit_rows())
    write(folder, "labels/mqm_spans", marked_rows())
    return folder


def readings() -> dict[str, Reading]:
    """Give a reading of most round trips: two wordings in three come back with an error."""
    found = {}
    for row in roundtrip_rows():
        line, roundtrip = int(str(row["line"])), str(row["roundtrip"])
        if row["engine"] == "zenith" and line % 3 == 0:
            continue  # nobody read it
        visible = (3, 2, 0)[line % 3] if line else 1
        marks = ((0, roundtrip.index(" ")),) if visible in (1, 2) else ()
        found[pair_id(str(row["original"]), roundtrip)] = Reading(visible, min(visible, 2), marks)
    for row in single_hop_rows()[:3]:
        found[pair_id(str(row["human"]), str(row["machine"]))] = Reading(2, 1, ((0, 5),), is_even=False)
    return found


def measure(corpora: Path, output: Path) -> Path:
    """Run `python -m training.damage` with readings of our own."""
    from training import damage

    save(readings(), "en", output)
    with pytest.MonkeyPatch.context() as patch:
        arguments = ["--corpora", str(corpora), "--readings", str(output), "--output", str(output)]
        patch.setattr("sys.argv", ["damage", *arguments])
        damage.main()
    return output
