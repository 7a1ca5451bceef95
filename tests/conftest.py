"""A tiny random model, built once a session: real code paths, no weights worth having."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector import Detector
from detector.fuse import SENTENCE_FEATURES, TEXT_FEATURES, Fusion, Logistic, OperatingPoint
from detector.heads import HeadsConfig
from detector.heuristics import HEURISTICS

WORDS = """
the a of to and in on for with was were is that he she her his they minister budget school schools
deputy arrived announced said monday sharply higher harbour bridge council vote river old new city
president letter trade talks agreed closed open road rain after before two three no not ##s ##ed ##ing
""".split()


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder such as training writes: two layers, 32 dimensions, seeded noise for weights."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    from detector.model import DetectorModel
    from detector.tokens import normalise

    folder = tmp_path_factory.mktemp("checkpoint")
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{c}" for c in letters), *"0123456789.,!?'-"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys([*pieces, *WORDS]))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    normalise(tokenizer).save(str(folder / "tokenizer.json"))
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    heads = HeadsConfig(pivots=("slavic", "romance"), max_tokens=32, languages=("en",))
    model = DetectorModel(BertModel(config), heads)
    torch.nn.init.normal_(model.case.weight, std=0.5)
    model.save(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_checkpoint: Path) -> Path:
    """Give a whole model folder: the tiny checkpoint, exported, with fused heads that let rules speak."""
    from training.export import export

    export(tiny_checkpoint, tiny_checkpoint)
    rules = [1.0 if f in {h.id for h in HEURISTICS} else 0.0 for f in SENTENCE_FEATURES]
    weights = [0.5, 0.2, 0.1, 0.0, *(3.0 * w for w in rules[4:])]
    sentence = Logistic(SENTENCE_FEATURES, tuple(weights), (0.0,) * len(weights), -2.0)
    text = Logistic(TEXT_FEATURES, (0.3,) * len(TEXT_FEATURES), (0.0,) * len(TEXT_FEATURES), -1.0)
    Fusion(
        sentence=sentence,
        text=text,
        operating_points={
            "fpr_5e-2": OperatingPoint(0.3, 0.4, 0.05, 1000, 500, "made up for tests"),
            "fpr_1e-2": OperatingPoint(0.5, 0.6, 0.01, 1000, 500, "made up for tests"),
            "fpr_1e-3": OperatingPoint(None, None, 0.001, 1000, 500, "made up for tests"),
        },
        shown_rules=tuple(h.id for h in HEURISTICS if h.counts),
        token_threshold=0.5,
        pivot_threshold=0.5,
    ).save(tiny_checkpoint)
    return tiny_checkpoint


@pytest.fixture(scope="session")
def tiny_detector(tiny_model: Path) -> Detector:
    """Give a detector over the tiny model."""
    return Detector.from_pretrained(tiny_model)
