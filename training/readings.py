"""Readings: what careful readers marked in round trips, with the original beside them.

A reading is kept as a line of numbers under a hash of the pair: the corpora stay where they are.
`python -m training.readings sheets` writes sheets of unread pairs to be filled in, and
`python -m training.readings take` takes filled sheets up.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

GUIDE = """\
# How to read

Each item has a number, `O`, what an author wrote, and `R`, what came back of it through a translator.
The first leg was free: R may say the same in other words. Judge R as a demanding but fair copy editor.

`visible`: what a careful reader would mark in R without seeing O.
0 nothing: a competent writer could have written it; headlines, fragments and plain style are fine.
1 slight: stiff, an odd collocation, a small slip of article, preposition or punctuation; one reads on.
2 an error: a clearly wrong word, broken grammar, a missing or doubled word, an absurd phrase, a garbled
  name, a foreign word left over.
3 severe: several errors, or the whole sentence is gibberish or absurd.
What O has just as well does not count against R.

`meaning`: what R changed of O. 0 the same message; 1 a detail is lost, added or changed; 2 it says
something else.

`words`: where visible is 1 or more, the worst words, copied exactly from R, at most six in a row; a
second place after " | ".

Answer with one line an item: number, visible, meaning and words, with tabs between them.
"""
FOLDER = Path(__file__).parent
_COLUMNS = ("pair", "visible", "meaning", "marks", "even")
_DAMAGE = (0.0, 0.2, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader marked in one round trip.

    Attributes:
        visible: 0 nothing, 1 slight, 2 an error, 3 severe (see `GUIDE`).
        meaning: 0 the same, 1 a detail changed, 2 says something else.
        marks: Start and end of the worst words, in code points; none where the whole is bad.
        is_even: Whether the pair was drawn evenly from those that are evaluated; the others were drawn
            to show more damage, and give no shares.
    """

    visible: int
    meaning: int
    marks: tuple[tuple[int, int], ...]
    is_even: bool = True

    @property
    def damage(self) -> float:
        """Gold damage: how probably a careful reader marks an error, from 0.0 to 1.0.

        From 200 pairs read twice: of what one reader calls slight, an error or severe, the other calls
        .20, .77 and 1.0 an error or worse; of what one leaves unmarked, .01. What says something else
        but reads well is damage too, though nobody can see it in the text alone: .15, set by hand.
        """
        unseen = 0.15 if not self.visible and self.meaning == 2 else 0.0
        return _DAMAGE[self.visible] + unseen

    @property
    def is_located(self) -> bool:
        """Whether the marks say which words are damaged and which are not.

        Of a severe sentence they name the worst two places only.
        """
        return not self.visible or (bool(self.marks) and self.visible < 3)


GRADES = ("visible >= 1", "visible >= 2", "visible >= 3", "meaning >= 1", "meaning >= 2")
"""What a reading says as yes or no, for a judge to learn."""


def grades(frame: pd.DataFrame) -> npt.NDArray[np.float32]:
    """Give `GRADES` of read pairs (columns visible, meaning). Shape (pairs, len(GRADES))."""
    return np.stack([frame.eval(grade).to_numpy(np.float32) for grade in GRADES], axis=1)


def expected_damage(probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the mean of `Reading.damage` by what is visible, from the probability of each of `GRADES`.

    Args:
        probability: Shape (pairs, len(GRADES)).

    Returns:
        From 0.0 to 1.0. Shape (pairs,).
    """
    slight, error, severe = probability[:, :3].T
    shares = np.stack([slight - error, error - severe, severe], axis=1).clip(0, 1)
    return np.asarray((shares @ np.array(_DAMAGE[1:])).clip(0, 1))


def pair_id(original: str, roundtrip: str) -> str:
    """Name a pair: 12 hexadecimal digits of the SHA-1 of both texts."""
    return hashlib.sha1(f"{original}\t{roundtrip}".encode(), usedforsecurity=False).hexdigest()[:12]


def load(language: str, folder: Path = FOLDER) -> dict[str, Reading]:
    """Read all readings of a language by `pair_id`; none where there is no file.

    Raises:
        ValueError: If a line is not a reading. The message names file and line.
    """
    path = folder / f"readings-{language}.tsv"
    if not path.is_file():
        return {}
    found = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines, delimiter="\t"), start=2):
            try:
                marks = tuple(
                    (int(a), int(b)) for a, _, b in (m.partition("-") for m in row["marks"].split())
                )
                reading = Reading(int(row["visible"]), int(row["meaning"]), marks, row["even"] == "1")
                _check(reading)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise ValueError(f"{path}, line {number}: not a reading: {error}") from None
            found[row["pair"]] = reading
    return found


def save(readings: Mapping[str, Reading], language: str, folder: Path = FOLDER) -> Path:
    """Write readings in the order of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"readings-{language}.tsv"
    with path.open("w", encoding="utf-8", newline="") as lines:
        rows = csv.writer(lines, delimiter="\t", lineterminator="\n")
        rows.writerow(_COLUMNS)
        for name, reading in sorted(readings.items()):
            marks = " ".join(f"{start}-{end}" for start, end in reading.marks)
            rows.writerow((name, reading.visible, reading.meaning, marks, int(reading.is_even)))
    return path


def sheet(pairs: Iterable[tuple[str, str]]) -> str:
    """Lay out pairs for a reader.

    Example:
        >>> print(sheet([("He sat.", "He has sat.")]), end="")
        0
        O He sat.
        R He has sat.
    """
    return "".join(f"{i}\nO {o}\nR {r}\n" for i, (o, r) in enumerate(pairs))


def take(sheet_text: str, answers: str, *, is_even: bool = True) -> dict[str, Reading]:
    """Join a sheet and a reader's answers.

    Args:
        sheet_text: What `sheet` gave.
        answers: One line an item (see `GUIDE`).
        is_even: How the pairs were drawn (see `Reading`).

    Raises:
        ValueError: If an answer is missing, doubled or malformed, or its words do not stand in R. The
            message names the line.
    """
    lines = sheet_text.split("\n")
    pairs = {lines[i]: (lines[i + 1][2:], lines[i + 2][2:]) for i in range(0, len(lines) - 2, 3)}
    found: dict[str, Reading] = {}
    for line_number, line in enumerate(answers.split("\n"), start=1):
        if not line:
            continue
        try:
            number, visible, meaning, *words = line.split("\t")
            if number in found:
                raise ValueError(f"item {number!r} is answered twice")
            if number not in pairs:
                raise ValueError(f"no item {number!r} on the sheet")
            places = (_place(pairs[number][1], w) for w in "".join(words).split(" | ") if w.strip())
            reading = Reading(int(visible), int(meaning), tuple(places), is_even)
            _check(reading)
        except ValueError as error:
            raise ValueError(f"line {line_number}: {error}") from None
        found[number] = reading
    if missing := [number for number in pairs if number not in found]:
        raise ValueError(f"no answer for items {', '.join(missing[:5])}")
    return {pair_id(*pairs[number]): reading for number, reading in found.items()}


def _place(text: str, words: str) -> tuple[int, int]:
    """Find words as the reader copied them: whole before parts, in their own case before another."""
    inside = re.escape(words.strip())
    whole = rf"(?<!\w){inside}(?!\w)"
    for pattern, flags in ((whole, re.NOFLAG), (whole, re.IGNORECASE), (inside, re.IGNORECASE)):
        if found := re.search(pattern, text, flags):
            return found.span()
    raise ValueError(f"{words.strip()!r} does not stand in the text")


def _check(reading: Reading) -> None:
    if reading.visible not in range(4) or reading.meaning not in range(3):
        raise ValueError(f"visible is 0 to 3 and meaning 0 to 2, got {reading.visible} and {reading.meaning}")
    if any(not 0 <= start < end for start, end in reading.marks):
        raise ValueError(f"marks must be spans, got {reading.marks}")
    if reading.marks and not reading.visible:
        raise ValueError(f"where visible is 0 nothing is marked, got {reading.marks}")


def choose_unread(
    frame: pd.DataFrame, known: Mapping[str, Reading], *, count: int, seed: int
) -> pd.DataFrame:
    """Draw pairs that nobody read, at most one of each original.

    Args:
        frame: Columns original_id, original, roundtrip and damage (see `damage.gold_roundtrips`).
        known: Readings taken up since the frame was made are left out too.
        count: How many pairs at most.
        seed: Seeds the draw.
    """
    names = pd.Series(list(map(pair_id, frame["original"], frame["roundtrip"])), frame.index, dtype=object)
    # a sheet holds a side to a line
    is_broken = (frame["original"] + frame["roundtrip"]).str.contains(r"[\n\r]")
    unread = frame[frame["damage"].isna() & ~names.isin(list(known)) & ~is_broken]
    return unread.sample(frac=1, random_state=seed).drop_duplicates("original_id").head(count)


def write_sheets(unread: pd.DataFrame, folder: Path, name: str) -> None:
    """Write the guide and the sheets, 100 pairs to each.

    Raises:
        FileExistsError: If one of the sheets is there already; then nothing is written.
    """
    starts = {folder / f"{name}-{k // 100:03d}.txt": k for k in range(0, len(unread), 100)}
    for path in starts:
        if path.exists():
            raise FileExistsError(f"{path} is there already: give another --seed or another folder")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "GUIDE.md").write_text(GUIDE, encoding="utf-8")
    for path, k in starts.items():
        some = unread.iloc[k : k + 100]
        path.write_text(sheet(zip(some["original"], some["roundtrip"], strict=True)), encoding="utf-8")


def take_up(folder: Path, *, is_even: bool) -> dict[str, Reading]:
    """Take every filled sheet of a folder: NAME.txt with its answers in NAME.lab.

    Answers without a sheet of their name, such as those of a second reader, are skipped with a message.

    Raises:
        ValueError: If there are no answers, or if some are wrong; the message names file and line.
    """
    found: dict[str, Reading] = {}
    paths = sorted(folder.glob("*.lab"))
    if not paths:
        raise ValueError(f"{folder} holds no answers: those to the sheet NAME.txt belong in NAME.lab")
    for path in paths:
        page = path.with_suffix(".txt")
        if not page.is_file():
            print(f"{path} is skipped: there is no sheet {page.name}")
            continue
        try:
            found |= take(page.read_text("utf-8"), path.read_text("utf-8"), is_even=is_even)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    return found


def main() -> None:
    """Write sheets of unread round trips, or take up the answers; what is known stays as it is."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("do", choices=["sheets", "take"])
    parser.add_argument("sheets", type=Path, help="folder of the sheets: NAME.txt, with answers in NAME.lab")
    parser.add_argument("--gold", type=Path, default=Path("runs/gold"), help="what training.damage wrote")
    parser.add_argument("--readings", type=Path, default=FOLDER, help="folder of readings-LANGUAGE.tsv")
    parser.add_argument("--language", default="en")
    parser.add_argument("--split", choices=["train", "dev", "test"], default="train")
    parser.add_argument("--count", type=int, default=1000, help="how many pairs, 100 to a sheet")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--targeted", action="store_true", help="take: the pairs were not drawn evenly")
    args = parser.parse_args()
    try:
        known = load(args.language, args.readings)
        if args.do == "take":
            found = take_up(args.sheets, is_even=not args.targeted)
            path = save(found | known, args.language, args.readings)
            print(f"{path}: {len(found)} readings taken, {len(found.keys() & known)} of them known already")
        else:
            frame = pd.read_parquet(args.gold / f"{args.language}-{args.split}.parquet")
            unread = choose_unread(frame, known, count=args.count, seed=args.seed)
            write_sheets(unread, args.sheets, f"{args.split}-{args.seed}")
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
