"""Fixtures: the made-up corpora, a tiny encoder to start from, and the gold of the one by the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import made_up


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a whole made-up corpora folder; what `datasets` caches of it goes to a temporary place too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
        yield made_up.write_corpora(tmp_path_factory.mktemp("corpora"))


@pytest.fixture
def without_dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a corpora folder with no translations of `dev`: the human sides of single hops, in train only."""
    monkeypatch.setattr("training.corpora._SET_APART", 2)
    folder = made_up.write_corpora(tmp_path / "without")
    rows = [
        {**row, "text": row["human"], "origlang": row["source_lang"]}
        for row in made_up.single_hop_rows()
        if row["split"] == "train"
    ]
    made_up.write(folder, "human/human_translation", rows)
    return folder


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder such as a hub has: a random uncased encoder of two layers and its tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("base")
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    sides = (side for pair in made_up.PAIRS for side in pair)
    spoken = " ".join([*made_up.PLACES, *sides, "thus also then"]).lower()
    words = sorted({w.strip(".") for w in spoken.replace("{}", "").split()})
    signs = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"0123456789.,!?'-:"]
    pieces = [*signs, *letters, *(f"##{c}" for c in letters)]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys([*pieces, *words]))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)  # type: ignore[no-untyped-call]
    fast.save_pretrained(folder)
    torch.manual_seed(11)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def gold(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder that `python -m training.damage` writes for the made-up corpora."""
    return made_up.measure(corpora, tmp_path_factory.mktemp("gold"))
