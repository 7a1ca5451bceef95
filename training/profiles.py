"""Count the profiles in ``detector/assets/langdetect``: languages that langdetect does not know.

``python -m training.profiles --corpora ../shared/corpora``

A profile is langdetect's own: how often each run of one to three letters is met in human text of
the ``train`` splits. It holds counts and no sentence.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from langdetect.utils.lang_profile import LangProfile

ASSETS = Path(__file__).parents[1] / "detector" / "assets" / "langdetect"
LANGUAGES = tuple("az be eo eu ga gl ha ig is kk la lg mi mn mt nn sah sn sr st tn ts xh yo zu".split())
"""Malay and Bosnian are left out: Indonesian and Croatian are written too much alike. With their
profiles 36 of 40 Indonesian and 38 of 40 Croatian texts of ten (``dev``, web) took the wrong name,
and restrained so far that none did, 2 of 40 Malay and no Bosnian text gained its own."""

RESTRAINT = {"gl": 1.1, "nn": 1.04}
"""How many times as many runs as were seen a profile owns up to, where langdetect knows a
neighbour so close (es and pt, nb) that it would lose sentences to a profile of other text."""


def human_text(corpora: Path, language: str) -> list[str]:
    """Read human text of the ``train`` splits in one language, each text once, in order.

    Raises:
        FileNotFoundError: If ``corpora`` lacks the tables of ``human/``.
    """
    tables = [(corpora / "human" / f"{name}.parquet", "text") for name in ("web75", "native")]
    translated = corpora / "single_hop" / f"{language}.parquet"
    if translated.exists():
        tables.append((translated, "human"))
    wanted = [("lang", "==", language), ("split", "==", "train")]
    texts: dict[str, None] = {}
    for path, column in tables:
        table: pa.Table = pq.read_table(path, columns=[column], filters=wanted)
        texts.update(dict.fromkeys(table[column].to_pylist()))
    return list(texts)


def profile(texts: Iterable[str], language: str, *, max_bytes: int = 40_000, restraint: float = 1.0) -> str:
    """Give langdetect's profile of ``texts`` as JSON, the rarest runs of letters left out.

    What is left out still counts in ``n_words``, so that a small profile claims no more of the
    language than was seen.

    Args:
        texts: Texts in the language.
        language: BCP 47 tag, the profile's name.
        max_bytes: Size of the JSON in UTF-8 that is not exceeded.
        restraint: Factor on ``n_words``; above 1.0 the language is named less readily.
    """
    counted = LangProfile(language)
    for text in texts:
        counted.update(text)
    seen = [round(restraint * count) for count in counted.n_words]
    counted.omit_less_freq()
    ordered = sorted(counted.freq.items(), key=lambda item: (-item[1], item[0]))
    size = len(_json({}, seen, language))
    kept: dict[str, int] = {}
    for run, count in ordered:
        size += len(f'"{run}":{count},'.encode())
        if size > max_bytes:
            break
        kept[run] = count
    return _json(kept, seen, language)


def _json(freq: dict[str, int], n_words: Sequence[int], name: str) -> str:
    whole = {"freq": dict(sorted(freq.items())), "n_words": list(n_words), "name": name}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def main(arguments: list[str] | None = None) -> int:
    """Write every language's profile; exit code 0, or 2 where the corpora are not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"), help="corpora folder")
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder the profiles go to")
    parser.add_argument("--max-bytes", type=int, default=40_000, help="size of a profile")
    parser.add_argument("--languages", nargs="+", default=LANGUAGES, metavar="TAG", help="which ones")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for language in options.languages:
        try:
            texts = human_text(options.corpora, language)
        except FileNotFoundError as error:
            print(f"no corpora: {error}", file=sys.stderr)
            return 2
        written = profile(
            texts, language, max_bytes=options.max_bytes, restraint=RESTRAINT.get(language, 1.0)
        )
        (options.out / language).write_text(written, "utf-8")
        print(f"{language}\t{len(texts)} sentences\t{len(written.encode())} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
