"""Mine the tables in ``detector/assets/names`` from news that people wrote, ``train`` splits.

A name is two neighbouring capitalised words that stand in several articles; longer names give
several. Professional translations join native text: names from abroad stand in them as editors
spell them.

``python -m training.names --corpora ../shared/corpora``
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from detector.heuristics.lexicon import Lexicon, lexicon
from detector.heuristics.mentions import mentions
from detector.heuristics.names_known import Pair, gather, respelt
from detector.report import Sentence

ASSETS = Path(__file__).parents[1] / "detector" / "assets" / "names"
TABLES = ("native", "human_translation")

RUN_LINES = 100
"""Lines that count as one article where articles are not known."""

MOST_WORDS = 3
"""Longer rows of capitals are bodies and headings."""

MIN_NAMES = 20
"""With fewer names than this a language gets no table."""

Article = tuple[Any, ...]


def read(corpora: Path) -> dict[str, list[tuple[Article, str]]]:
    """Read sentences of the ``train`` split with the article each belongs to, by language.

    Raises:
        FileNotFoundError: If ``corpora`` lacks the tables of ``human/``.
    """
    found: defaultdict[str, list[tuple[Article, str]]] = defaultdict(list)
    names = ["lang", "origlang", "year", "docid", "line", "text"]
    for name in TABLES:
        table = pq.read_table(corpora / "human" / f"{name}.parquet", columns=[*names, "split"])
        for row in table.filter(pc.equal(table["split"], "train")).select(names).to_pylist():
            run = row["docid"] if row["docid"] is not None else int(row["line"] or 0) // RUN_LINES
            found[row["lang"]].append(((row["origlang"], row["year"], run), row["text"]))
    return dict(found)


def mine(texts: Iterable[tuple[Article, str]], table: Lexicon, *, min_articles: int) -> dict[Pair, int]:
    """Count the articles of each full name that stands in at least ``min_articles``.

    A rarer name stays too if it would else be taken for a misspelling of one of these.
    """
    articles: defaultdict[Pair, set[Article]] = defaultdict(set)
    for article, text in texts:
        for pair in _pairs(text, table):
            articles[pair].add(article)
    counts = {pair: len(of) for pair, of in articles.items()}
    common = {pair: count for pair, count in counts.items() if count >= min_articles}
    known = gather(common)
    real = {pair: count for pair, count in counts.items() if respelt(pair, known, table) is not None}
    return {**common, **real}


def _pairs(text: str, table: Lexicon) -> Iterator[Pair]:
    for mention in mentions([Sentence(text, 0, len(text))], table):
        if len(mention.forms) <= MOST_WORDS and not any(_ordinary(form, table) for form in mention.forms):
            yield from zip(mention.forms, mention.forms[1:], strict=False)


def _ordinary(word: str, table: Lexicon) -> bool:
    return table[word].small > table[word].capital


def rows(names: Mapping[Pair, int]) -> str:
    """Give a language's table: two words and their articles a line, in alphabetical order."""
    return "".join(f"{first}\t{last}\t{count}\n" for (first, last), count in sorted(names.items()))


def main(arguments: list[str] | None = None) -> int:
    """Write every language's table; exit code 0, or 2 where the corpora are not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"), help="corpora folder")
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder the tables go to")
    parser.add_argument("--min-articles", type=int, default=2, help="articles that make a name known")
    options = parser.parse_args(arguments)
    try:
        texts = read(options.corpora)
    except FileNotFoundError as error:
        print(f"no corpora: {error}", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    for language in sorted(texts):
        table = lexicon(language)
        if table is None or not table.cased:
            continue
        names = mine(texts[language], table, min_articles=options.min_articles)
        if len(names) >= MIN_NAMES:
            written = rows(names)
            (options.out / f"{language}.tsv").write_text(written, "utf-8")
            print(f"{language}\t{len(names)} names\t{len(written.encode())} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
