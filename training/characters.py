"""An encoder from nothing that reads single characters: `python -m training.characters`.

What a pretrained encoder is worth shows beside one that has learnt nothing but the detector's own task.
Its pieces are the single characters of a multilingual vocabulary, so no script of that is unknown to it.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
from pathlib import Path

import torch
from transformers import BertConfig, BertModel

from .bases import whole_or_not_at_all
from .corpora import SEED
from .vocabulary import SPECIAL, is_single, unigram, with_pieces

log = logging.getLogger(__name__)

LONGEST = 512
"""Characters that the encoder has places for."""
_HEAD = 64
"""Width of an attention head, as in BERT."""


def make(vocabulary: Path, output: Path, *, hidden: int, layers: int) -> None:
    """Write an encoder with random weights, whole or not at all.

    Args:
        vocabulary: Folder of an encoder with a Unigram vocabulary.
        output: Folder to write, which must not be there.
        hidden: Width of the vectors, a multiple of 64.
        layers: Number of layers.

    Raises:
        ValueError: If the vocabulary is not of the Unigram kind, or ``hidden`` no multiple of 64.
    """
    if hidden < _HEAD or hidden % _HEAD:
        raise ValueError(f"hidden must be a multiple of {_HEAD}, got {hidden}")
    tokenizer = unigram(vocabulary)
    pieces = [piece for piece, _ in tokenizer["model"]["vocab"]]
    kept = [i for i, piece in enumerate(pieces) if i < SPECIAL or is_single(piece)]
    config = BertConfig(
        vocab_size=len(kept),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // _HEAD,
        intermediate_size=4 * hidden,
        max_position_embeddings=LONGEST,
        pad_token_id=pieces.index("<pad>"),
    )
    torch.manual_seed(SEED)
    with whole_or_not_at_all(output) as (made, _):
        BertModel(config, add_pooling_layer=False).save_pretrained(made)
        (made / "tokenizer.json").write_text(
            json.dumps(with_pieces(tokenizer, kept), ensure_ascii=False), encoding="utf-8"
        )
        shutil.copyfile(vocabulary / "tokenizer_config.json", made / "tokenizer_config.json")
    log.info("%s: %d characters", output, len(kept))


def main() -> None:
    """Write a base for `training.train` that has learnt nothing."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--vocabulary", type=Path, default=Path("runs/bases/multilingual-e5-small-cut"))
    parser.add_argument("--output", type=Path, default=Path("runs/bases/characters"))
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if args.output.exists():
        parser.error(f"{args.output} is there already")
    try:
        make(args.vocabulary, args.output, hidden=args.hidden, layers=args.layers)
    except (OSError, ValueError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
