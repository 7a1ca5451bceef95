"""A vocabulary cut to what some languages use."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from tests import made_up
from training import vocabulary

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghilmnorstuvwy", "▁the", "▁old", "▁mill", "ill", "q"]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Give a base of a Unigram vocabulary and word vectors that name their piece."""
    folder = tmp_path / "base"
    folder.mkdir()
    tokenizer = Tokenizer(models.Unigram([(p, -1.0 - i / 50) for i, p in enumerate(PIECES)], unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    (folder / "config.json").write_text(json.dumps({"vocab_size": len(PIECES), "hidden_size": 2}), "utf-8")
    vectors = np.repeat(np.arange(len(PIECES), dtype=np.float32)[:, None], 2, axis=1)
    save_file({vocabulary.WORDS: vectors, "other": np.ones(3, np.float32)}, folder / "model.safetensors")
    return folder


def test_pieces_of_a_small_language_count_as_much_as_those_of_a_large_one() -> None:
    names = ["<s>", "<pad>", "</s>", "<unk>", "▁x", "▁large", "▁small", "▁rare"]
    large, small = np.zeros(8, np.int64), np.zeros(8, np.int64)
    large[[5, 7]] = 1_000_000, 10_000
    small[6] = 10
    kept = vocabulary.choose({"xx": large, "yy": small}, names, 7)
    assert [names[i] for i in kept] == ["<s>", "<pad>", "</s>", "<unk>", "▁x", "▁large", "▁small"]


def test_single_characters_stay_even_where_nothing_uses_them() -> None:
    names = ["<s>", "<pad>", "</s>", "<unk>", "q", "▁qu"]
    counts = np.array([0, 0, 0, 0, 0, 9])
    assert vocabulary.choose({"xx": counts}, names, 6) == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="4 pieces are too few: single characters alone are 5"):
        vocabulary.choose({"xx": counts}, names, 4)


def test_kept_pieces_keep_their_vectors_and_texts_stay_readable(base: Path, tmp_path: Path) -> None:
    kept = [i for i, piece in enumerate(PIECES) if piece not in ("▁mill", "ill")]
    vocabulary.cut(base, kept, tmp_path / "cut")
    before, after = (Tokenizer.from_file(str(f / "tokenizer.json")) for f in (base, tmp_path / "cut"))
    assert before.encode("the old mill").tokens == ["<s>", "▁the", "▁old", "▁mill", "</s>"]
    coded = after.encode("the old mill")
    assert coded.tokens == ["<s>", "▁the", "▁old", "▁", "m", "i", "l", "l", "</s>"]
    weights = load_file(tmp_path / "cut" / "model.safetensors")
    assert [PIECES[int(weights[vocabulary.WORDS][i, 0])] for i in coded.ids] == coded.tokens
    assert weights["other"].tolist() == [1, 1, 1]
    assert json.loads((tmp_path / "cut" / "config.json").read_text("utf-8"))["vocab_size"] == len(kept)


def test_the_cost_of_a_cut_is_measured(base: Path, tmp_path: Path) -> None:
    kept = [i for i, piece in enumerate(PIECES) if piece != "▁mill"]
    vocabulary.cut(base, kept, tmp_path / "cut")
    before, after = (Tokenizer.from_file(str(f / "tokenizer.json")) for f in (base, tmp_path / "cut"))
    figures = vocabulary.measure(before, after, {"en": ["the old mill", "the old mill €"]})
    row = figures.loc["en"]
    assert row["sentences"] == 2
    assert row["pieces_after"] > row["pieces_before"]
    assert row["unknown_before"] == pytest.approx(1 / 8, abs=1e-6)


def test_another_kind_of_vocabulary_is_refused(tmp_path: Path, base: Path) -> None:
    Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]")).save(str(base / "tokenizer.json"))
    with pytest.raises(ValueError, match="only a Unigram vocabulary can be cut, this one is WordPiece"):
        vocabulary.cut(base, [0], tmp_path / "cut")


def test_the_command_cuts_to_the_languages_of_a_folder(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpora = tmp_path / "corpora"
    made_up.write(corpora, "roundtrip/en", made_up.roundtrip_rows())
    made_up.write(corpora, "human/native", made_up.human_rows("{}, as the paper wrote."))
    flags = [
        "--corpora",
        str(corpora),
        "--base",
        str(base),
        "--pieces",
        "27",
        "--output",
        str(tmp_path / "cut"),
    ]
    monkeypatch.setattr(sys, "argv", ["vocabulary", *flags, "--figures", str(tmp_path / "figures.csv")])
    vocabulary.main()
    assert (tmp_path / "figures.csv").read_text("utf-8").startswith("language,sentences,pieces_before")
    assert Tokenizer.from_file(str(tmp_path / "cut" / "tokenizer.json")).get_vocab_size() == 27
    with pytest.raises(SystemExit, match="2"):  # there already
        vocabulary.main()
