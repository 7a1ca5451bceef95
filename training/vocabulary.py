"""Cut a multilingual vocabulary to the pieces some languages use: `python -m training.vocabulary`.

A vocabulary for a hundred languages is most of a small encoder: 96 of the 118 million weights of
multilingual-e5-small. Pieces that the languages at hand hardly use are left out; the words they stood
for are then written with smaller pieces (as Abdaoui et al. 2020, "Load what you need").
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from detector.tokens import normalise

from .bases import whole_or_not_at_all
from .corpora import SEED, named, read

log = logging.getLogger(__name__)

WORDS = "embeddings.word_embeddings.weight"
SPECIAL = 4
"""Pieces at the start that stand for no text: of XLM-R, <s>, <pad>, </s> and <unk>."""
_UNKNOWN = 3

Counts = npt.NDArray[np.int64]


def human_text(corpora: Path, language: str, split: str, *, most: int) -> list[str]:
    """Give sentences that people wrote in a language, drawn from every table that has some.

    Args:
        corpora: A folder of the shape of `corpora`.
        language: BCP 47 tag.
        split: ``train``, ``dev`` or ``test``.
        most: At most so many of each table.
    """
    tables = {
        **dict.fromkeys(("human/native", "human/human_translation", "human/web75"), "text"),
        f"single_hop/{language}": "human",
        f"roundtrip/{language}": "original",
    }
    found: list[str] = []
    for table, column in tables.items():
        if (corpora / f"{table}.parquet").is_file():
            equal = {"split": split} | ({"lang": language} if column == "text" else {})
            texts = read(corpora, table, (column,), **equal)[column].drop_duplicates()
            found += texts.sample(min(most, len(texts)), random_state=SEED).tolist()
    return found


def count(pieces: Tokenizer, texts: Sequence[str]) -> Counts:
    """Count every piece in texts. Shape (pieces,)."""
    counts = np.zeros(pieces.get_vocab_size(), dtype=np.int64)
    for k in range(0, len(texts), 2000):
        for coded in pieces.encode_batch(list(texts[k : k + 2000]), add_special_tokens=False):
            counts += np.bincount(coded.ids, minlength=len(counts))
    return counts


def choose(counts: Mapping[str, Counts], vocabulary: Sequence[str], size: int) -> list[int]:
    """Choose pieces for all languages alike, whatever each has of text.

    Args:
        counts: By language. Shape (pieces,) each.
        vocabulary: The pieces, in order.
        size: How many to keep.

    Returns:
        Special pieces, every single character (without which rare ideographs would be unknown), and
        those with the largest mean share over languages. In the order of the vocabulary.

    Raises:
        ValueError: If the single characters alone are more than ``size``.
    """
    share = np.mean([c / max(1, c.sum()) for c in counts.values()], axis=0)
    used = share > 0
    single = np.array([is_single(piece) for piece in vocabulary])
    must = single | (np.arange(len(vocabulary)) < SPECIAL)
    if must.sum() > size:
        raise ValueError(f"{size} pieces are too few: single characters alone are {must.sum()}")
    order = np.argsort(-np.where(must, np.inf, share), kind="stable")[:size]
    return sorted(int(i) for i in order if must[i] or used[i])


def cut(base: Path, kept: Sequence[int], output: Path) -> None:
    """Write ``base`` with the ``kept`` pieces only, their vectors as they were, whole or not at all.

    Raises:
        ValueError: If the tokenizer is not of the Unigram kind.
    """
    tokenizer = with_pieces(unigram(base), kept)
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    config["vocab_size"] = len(kept)
    weights = load_file(base / "model.safetensors")
    weights[WORDS] = np.ascontiguousarray(weights[WORDS][list(kept)])
    with whole_or_not_at_all(output) as (made, _):
        (made / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")
        shutil.copyfile(base / "tokenizer_config.json", made / "tokenizer_config.json")
        (made / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
        save_file(weights, made / "model.safetensors", metadata={"format": "pt"})


def with_pieces(tokenizer: dict[str, Any], kept: Sequence[int]) -> dict[str, Any]:
    """Give a Unigram tokenizer with the ``kept`` pieces only, numbered anew in their order."""
    vocabulary = tokenizer["model"]["vocab"]
    place = {vocabulary[i][0]: k for k, i in enumerate(kept)}
    return tokenizer | {
        "model": tokenizer["model"] | {"vocab": [vocabulary[i] for i in kept]},
        "added_tokens": [
            token | {"id": place[token["content"]]}
            for token in tokenizer["added_tokens"]
            if token["content"] in place
        ],
    }


def is_single(piece: str) -> bool:
    """Whether a piece is one character, with or without the space before it."""
    return len(piece.removeprefix("▁")) <= 1


def unigram(base: Path) -> dict[str, Any]:
    """Read ``tokenizer.json`` of a base.

    Raises:
        ValueError: If its vocabulary is not of the Unigram kind.
    """
    tokenizer: dict[str, Any] = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))
    if (kind := tokenizer["model"].get("type")) != "Unigram":
        raise ValueError(f"{base}: only a Unigram vocabulary can be cut, this one is {kind}")
    return tokenizer


def measure(before: Tokenizer, after: Tokenizer, texts: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Say what the cut costs: pieces a sentence and unknown pieces, by language, before and after."""
    rows = {}
    for language, some in texts.items():
        long, short = count(before, some), count(after, some)
        rows[language] = {
            "sentences": len(some),
            "pieces_before": round(float(long.sum()) / len(some), 2),
            "pieces_after": round(float(short.sum()) / len(some), 2),
            "unknown_before": round(float(long[_UNKNOWN] / long.sum()), 6),
            "unknown_after": round(float(short[_UNKNOWN] / short.sum()), 6),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def main() -> None:
    """Cut the vocabulary of a base to the languages of the corpora, and measure it on dev."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--base", type=Path, default=Path("runs/bases/multilingual-e5-small"))
    parser.add_argument("--output", type=Path, default=Path("runs/bases/multilingual-e5-small-cut"))
    parser.add_argument("--pieces", type=int, default=120_000)
    parser.add_argument("--figures", type=Path, help="CSV to write, pieces and unknowns by language")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if args.output.exists():
        parser.error(f"{args.output} is there already")
    try:
        vocabulary = [piece for piece, _ in unigram(args.base)["model"]["vocab"]]
    except (OSError, ValueError) as error:
        parser.error(str(error))
    before = normalise(Tokenizer.from_file(str(args.base / "tokenizer.json")))
    every = named("all", args.corpora)
    counts = {}
    for language in every:
        counts[language] = count(before, human_text(args.corpora, language, "train", most=20_000))
        log.info("%s: %d pieces", language, counts[language].sum())
    cut(args.base, choose(counts, vocabulary, args.pieces), args.output)
    after = normalise(Tokenizer.from_file(str(args.output / "tokenizer.json")))
    texts = {language: human_text(args.corpora, language, "dev", most=500) for language in every}
    figures = measure(before, after, {k: v for k, v in texts.items() if v})
    log.info("\n%s", figures.to_string())
    if args.figures:
        figures.to_csv(args.figures, index_label="language")


if __name__ == "__main__":
    main()
