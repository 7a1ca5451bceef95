"""Mine the tables in ``detector/assets/lexicon`` from native text of the ``train`` splits.

``python -m training.lexicon --corpora ../shared/corpora``
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.heuristics.casing_inside import inside
from detector.heuristics.lexicon import Counts, fold, words
from detector.heuristics.punctuation import MARKS

ASSETS = Path(__file__).parents[1] / "detector" / "assets" / "lexicon"
WEB = ("ar", "bg", "da", "el", "et", "fa", "he", "id", "ko", "nb", "nl", "pl", "pt", "sv", "ta", "uk", "vi")
"""Languages without native news of ``train``, taken from noisy web text."""

MIN_NEWS = 1_000
"""With fewer sentences of news, web text joins."""

MIN_LAST = 100
"""How often a rarer word ends a sentence says nothing and takes room."""

FINAL_STOPS = ".。।"


def native_text(corpora: Path) -> dict[str, list[str]]:
    """Read native text of the ``train`` splits by language, each text once, in order.

    Raises:
        FileNotFoundError: If ``corpora`` lacks the tables of ``human/``.
    """
    texts: dict[str, dict[str, None]] = {}
    for name in ("native", "news_abc", "web75"):
        table = pq.read_table(corpora / "human" / f"{name}.parquet", columns=["lang", "text", "split"])
        table = table.filter(pc.equal(table["split"], "train"))
        size = {lang: len(known) for lang, known in texts.items()}
        for lang, text in zip(table["lang"].to_pylist(), table["text"].to_pylist(), strict=True):
            if name != "web75" or lang in WEB or 0 < size.get(lang, 0) < MIN_NEWS:
                texts.setdefault(lang, {})[text] = None
    return {lang: list(known) for lang, known in texts.items()}


def count_words(texts: Iterable[str], language: str) -> dict[str, Counts]:
    """Count how each word stands in ``texts``, by word in small letters."""
    small: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    last: Counter[str] = Counter()
    for text in texts:
        found = words(text)
        if not found:
            continue
        forms = [fold(m[0], language) for m in found]
        capitals = [m[0][0].isupper() for m in found]
        title = sum(capitals) > 0.5 * len(found) and len(found) > 3
        for i, (match, form) in enumerate(zip(found, forms, strict=True)):
            if not capitals[i]:
                small[form] += 1
            elif not title and inside(text, match.start()):
                capital[form] += 1
        if text[-1] in FINAL_STOPS and found[-1].end() == len(text) - 1:
            last[forms[-1]] += 1
    return {word: Counts(small[word], capital[word], last[word]) for word in small.keys() | capital.keys()}


def table(texts: list[str], language: str, *, max_bytes: int) -> str:
    """Give a language's table: commonest words first to fill ``max_bytes``, then sorted."""
    rows = [f"#sentences\t{len(texts)}"]
    for name, pattern in MARKS.items():
        if hits := sum(pattern.search(text) is not None for text in texts):
            rows.append(f"#{name}\t{hits}")
    size = sum(len(row.encode()) + 1 for row in rows)
    kept: list[str] = []
    counts = count_words(texts, language)
    for word in sorted(counts, key=lambda w: (-counts[w].total, w)):
        known = counts[word]
        if known.total < MIN_LAST:
            known = known._replace(last=0)
        row = "\t".join([word, *map(str, known)])
        while row.endswith("\t0"):
            row = row[:-2]
        size += len(row.encode()) + 1
        if counts[word].total < 2 or size > max_bytes:
            break
        kept.append(row)
    return "\n".join([*rows, *sorted(kept)]) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write every language's table; exit code 0, or 2 where the corpora are not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"), help="corpora folder")
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder the tables go to")
    parser.add_argument(
        "--max-bytes", type=int, default=60_000, help="size of a table; English gets twice that"
    )
    options = parser.parse_args(arguments)
    try:
        texts = native_text(options.corpora)
    except FileNotFoundError as error:
        print(f"no corpora: {error}", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    for language in sorted(texts):
        size = options.max_bytes * (2 if language == "en" else 1)
        written = table(texts[language], language, max_bytes=size)
        (options.out / f"{language}.tsv").write_text(written, "utf-8")
        print(f"{language}\t{len(texts[language])} sentences\t{len(written.encode())} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
