from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import MarianConfig, MarianMTModel, PreTrainedTokenizerFast

from training import corpora, roundtrip
from training.roundtrip import (
    Apertium,
    Marian,
    MissingEngineError,
    make_roundtrips,
    normalise,
    split_of,
    text_id,
)

ARTICLES = {
    "harbour.txt": "The harbour of Tolm was closed. Nobody knew why.\n\nThe mayor, Ida Brenn, said nothing.",
    "deep/bridge.txt": "A bridge fell near Orsk Mill. The harbour of Tolm was closed!",
}


class Echo:
    """Answer with the sentence and the direction, so that every step can be seen."""

    name = "echo"

    def __init__(self, *, breaks_after: int | None = None, deaf_to: str = "\0") -> None:
        self.asked: list[str] = []
        self._breaks_after = breaks_after
        self._deaf_to = deaf_to

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        if self._breaks_after is not None and len(self.asked) >= self._breaks_after:
            raise KeyboardInterrupt
        self.asked += [f"{source}>{target} {text}" for text in texts]
        return [None if self._deaf_to in text else f"{text} {target}" for text in texts]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in ARTICLES.items():
        file = tmp_path / "articles" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path / "articles"


def read(table: Path, cache: Path) -> datasets.Dataset:
    return datasets.load_dataset(
        "parquet", data_files=str(table), split="train", cache_dir=str(cache / "cache")
    )


def test_rows_have_the_columns_of_the_corpora_and_datasets_reads_them(folder: Path, tmp_path: Path) -> None:
    table = make_roundtrips(folder, tmp_path / "out", Echo(), ["es", "ca"], split_by="original")
    rows = read(table, tmp_path)
    assert table == tmp_path / "out" / "roundtrip" / "en.parquet"
    assert rows.column_names == [
        "original_id", "lang", "pivot", "engine", "origin", "year", "docid", "line", "split",
        "identical", "original", "roundtrip",
    ]  # fmt: skip
    assert rows.features["line"].dtype == rows.features["year"].dtype == "int64"
    first = next(r for r in rows if r["pivot"] == "es" and r["original"] == "Nobody knew why.")
    assert first == {
        "original_id": text_id("nobody knew WHY"),
        "lang": "en",
        "pivot": "es",
        "engine": "echo",
        "origin": "articles",
        "year": None,
        "docid": "harbour.txt",
        "line": 1,
        "split": split_of(text_id("Nobody knew why.")),
        "identical": False,
        "original": "Nobody knew why.",
        "roundtrip": "Nobody knew why. es en",
    }


def test_training_reads_what_was_written(tmp_path: Path) -> None:
    texts = tmp_path / "articles"
    texts.mkdir()
    for i in range(40):
        (texts / f"{i}.txt").write_text(f"Ship {i} left the port. Nobody saw ship {i} again.")
    make_roundtrips(texts, tmp_path, Echo(), ["es", "ca"])
    frames = [corpora.roundtrips(tmp_path, "en", split) for split in corpora.SPLITS]
    assert sum(map(len, frames)) == 160
    assert all(len(frame) for frame in frames)
    assert all(len(frame["docid"].dropna()) == len(frame) for frame in frames)
    native = corpora.read(tmp_path, "human/native", ("lang", "text", "text_id", "split"))
    assert len(native) == 80
    assert dict(zip(native["text"], native["split"], strict=True)) == {
        text: split for frame, split in zip(frames, corpora.SPLITS, strict=True) for text in frame["original"]
    }


def test_another_language_joins_the_native_text(folder: Path, tmp_path: Path) -> None:
    make_roundtrips(folder, tmp_path, Echo(), ["es"])
    make_roundtrips(folder, tmp_path, Echo(), ["en"], language="fr")
    make_roundtrips(folder, tmp_path, Echo(), ["ca"])
    languages = corpora.read(tmp_path, "human/native", ("lang",))["lang"]
    assert sorted(languages) == ["en"] * 4 + ["fr"] * 4


def test_nothing_to_write_is_an_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing came back from echo"):
        make_roundtrips(folder, tmp_path, Echo(deaf_to=" "), ["es"])


def test_an_original_comes_back_once_per_pivot_however_often_it_was_printed(
    folder: Path, tmp_path: Path
) -> None:
    table = make_roundtrips(folder, tmp_path, Echo(), ["es"], split_by="original")
    originals = [normalise(text) for text in read(table, tmp_path)["original"]]
    assert len(originals) == len(set(originals)) == 4


@pytest.mark.parametrize("split_by", ["docid", "original"])
def test_a_normalised_text_has_one_split(split_by: roundtrip.SplitBy, tmp_path: Path) -> None:
    texts = tmp_path / "articles"
    texts.mkdir()
    for i in range(60):
        (texts / f"{i}.txt").write_text(f"Ship {i} left the port. Ship {i % 7} left the port!")

    class Drift:
        """An engine that at times answers with another file's original."""

        name = "drift"

        def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
            return ["Ship 3 left the port." if "1" in text else f"{text} ahoy" for text in texts]

    table = make_roundtrips(texts, tmp_path, Drift(), ["es", "fr"], split_by=split_by)
    splits: dict[str, set[str]] = {}
    for row in read(table, tmp_path):
        splits.setdefault(normalise(row["original"]), set()).add(row["split"])
        splits.setdefault(normalise(row["roundtrip"]), set()).add(row["split"])
    assert len(splits) > 30
    assert all(len(found) == 1 for found in splits.values())


def test_split_by_docid_keeps_a_file_together_and_gives_about_80_10_10() -> None:
    found = [split_of(f"{i}.txt") for i in range(2000)]
    assert 0.77 < found.count("train") / 2000 < 0.83
    assert 0.08 < found.count("dev") / 2000 < 0.12
    assert split_of("7.txt") == split_of("7.txt")


def test_an_interrupted_run_goes_on_where_it_stopped(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        make_roundtrips(folder, tmp_path, Echo(breaks_after=4), ["es"], batch_size=1, split_by="original")
    journal = tmp_path / "roundtrip" / "en.partial.jsonl"
    assert len(journal.read_text().splitlines()) == 2
    with journal.open("a") as out:
        out.write('{"original_id": "torn by a cra')

    rest = Echo()
    table = make_roundtrips(folder, tmp_path, rest, ["es"], batch_size=1, split_by="original")
    assert len(rest.asked) == 4  # two originals, there and back
    assert len(read(table, tmp_path)) == 4
    assert not journal.exists()

    again = Echo()
    before = table.read_bytes()
    make_roundtrips(folder, tmp_path, again, ["es"], batch_size=1, split_by="original")
    assert again.asked == []
    assert table.read_bytes() == before


def test_a_crash_between_table_and_journal_doubles_nothing(folder: Path, tmp_path: Path) -> None:
    table = make_roundtrips(folder, tmp_path, Echo(), ["es"], split_by="original")
    rows = read(table, tmp_path).to_list()
    journal = table.with_suffix(".partial.jsonl")
    journal.write_text("".join(json.dumps(row) + "\n" for row in rows))
    make_roundtrips(folder, tmp_path, Echo(), ["es"], split_by="original")
    assert read(table, tmp_path).to_list() == rows


def test_what_the_engine_lost_and_what_is_too_long_is_left_out_never_cut(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "long.txt").write_text("word " * 300 + ".\n\n***\n\n\n")
    table = make_roundtrips(folder, tmp_path, Echo(deaf_to="mayor"), ["es"], split_by="original")
    originals = read(table, tmp_path)["original"]
    assert len(originals) == 3
    assert not any("mayor" in text or "word" in text or "*" in text for text in originals)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("Lethal aid, she said.", "lethal aid she said", True),
        ("ＡＢＣ café", "abc cafe\u0301", True),
        ("他说：“援助。”", "他说援助", True),
        ("وصل الوزير،", "وصل الوزير", True),
        ("हिन्दी।", "हिन्दी", True),
        ("हिन्दी", "हन्द", False),
        ("12 ships", "13 ships", False),
    ],
)
def test_normalise_forgets_case_and_punctuation_only(left: str, right: str, same: bool) -> None:
    assert (normalise(left) == normalise(right)) is same


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pivots", "en"], "must differ"),
        (["--pivots", "es", "--text", "EMPTY"], "no *.txt"),
        (["--pivots", "tlh"], "Debian has no such pair"),
    ],
)
def test_the_command_says_what_is_missing(
    arguments: list[str],
    message: str,
    folder: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "EMPTY").mkdir()
    given = [str(tmp_path / a) if a == "EMPTY" else a for a in arguments]
    status = roundtrip.main(["--text", str(folder), "--output", str(tmp_path), *given])
    assert status == 2
    assert message in caplog.text


def test_a_file_that_is_not_utf8_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / "latin.txt").write_bytes("Übersee".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.txt is not UTF-8"):
        make_roundtrips(folder, tmp_path, Echo(), ["es"])


# Apertium


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Apertium]:
    """Modes made of sed, which like Apertium's programs takes -z and ends at a null byte."""
    (tmp_path / "eng-spa.mode").write_text("sed -u 's/harbour/puerto/g' $2 | sed -u 's/port/PORT/g'")
    (tmp_path / "eng-cat.mode").write_text("sed -u q")  # dies after one sentence
    (tmp_path / "en-gl.mode").write_text("sed -u '/hang/s/.*//;/^$/{N;N}'")  # waits for more
    (tmp_path / "fra-eng.mode").write_text("sed -u p | no-such-program '$1'")
    engine = Apertium(tmp_path, timeout_seconds=0.5)
    yield engine
    engine.close()


@pytest.mark.parametrize(
    "text",
    [
        "A [bracketed] ^form$ of a/b, a\\b, <b>x</b> {y} and x@y.org; 3 * 4 # 5.",
        "“Nothing,” she said — no stop",
        "😀 e\u0301 और",
        "港口已关闭。",
        "أُغلق الميناء.",
        "",
    ],
)
def test_apertium_gets_every_character_through_its_stream_format(text: str, pipeline: Apertium) -> None:
    assert pipeline.translate([text], "en", "es") == [text]


def test_apertium_runs_the_whole_pipeline_and_answers_in_order(pipeline: Apertium) -> None:
    texts = [f"The harbour number {i}." for i in range(50)]
    expected = [f"The puerto number {i}." for i in range(50)]
    assert pipeline.translate(texts, "en", "es") == expected


def test_a_dead_pipeline_loses_one_sentence_and_starts_anew(pipeline: Apertium) -> None:
    found = pipeline.translate(["one", "two", "three"], "en", "ca")
    assert found == ["one", None, "three"]


def test_a_stuck_pipeline_loses_one_sentence_and_starts_anew(pipeline: Apertium) -> None:
    found = pipeline.translate(["one", "hang", "three"], "en", "gl")
    assert found == ["one", None, "three"]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("es", "en", "apt install apertium apertium-eng-spa"),
        ("ca", "fr", "apt install apertium apertium-fra-cat"),
        ("en", "zh", "Debian has no such pair"),
        ("fr", "en", "no-such-program"),
    ],
)
def test_apertium_names_the_package_that_is_missing(
    source: str, target: str, message: str, pipeline: Apertium
) -> None:
    with pytest.raises(MissingEngineError, match=message):
        pipeline.translate(["One."], source, target)


def test_apertium_makes_a_real_round_trip_or_says_how_to_install_it(folder: Path, tmp_path: Path) -> None:
    engine = Apertium()
    try:
        if not Path("/usr/share/apertium/modes/eng-spa.mode").exists():
            with pytest.raises(MissingEngineError, match="apt install apertium apertium-eng-spa"):
                make_roundtrips(folder, tmp_path, engine, ["es"])
            return
        table = make_roundtrips(folder, tmp_path, engine, ["es"], split_by="original")
        rows = {row["original"]: row for row in read(table, tmp_path)}
        assert len(rows) == 4
        mayor = rows["The mayor, Ida Brenn, said nothing."]["roundtrip"]
        assert "mayor" in mayor
        assert mayor.endswith(".")
        assert not any(mark in row["roundtrip"] for row in rows.values() for mark in "*@#[]\0")
    finally:
        engine.close()


# Marian


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A random Marian of two tiny layers that knows a few words, under en-es and es-en."""
    words = "the harbour of tolm was closed nobody knew why mayor said bridge fell".split()
    special = ["<pad>", "</s>", "<unk>", "eng_Latn", "spa_Latn"]
    vocabulary = {word: i for i, word in enumerate([*special, *words])}
    base = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    base.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=base,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        extra_special_tokens=["eng_Latn", "spa_Latn"],
        model_max_length=24,
    )
    torch.manual_seed(0)
    model = MarianMTModel(
        MarianConfig(
            vocab_size=len(vocabulary),
            d_model=8,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=16,
            decoder_ffn_dim=16,
            max_position_embeddings=24,
            pad_token_id=0,
            eos_token_id=1,
            decoder_start_token_id=0,
            forced_eos_token_id=None,
            bos_token_id=None,
        )
    )
    root = tmp_path_factory.mktemp("models")
    for pair in ("en-es", "es-en"):
        model.save_pretrained(root / pair)
        tokenizer.save_pretrained(root / pair)
    return str(root / "{source}-{target}")


def test_marian_translates_in_batches_and_always_the_same(checkpoint: str) -> None:
    engine = Marian(checkpoint)
    texts = ["the harbour of tolm was closed", "nobody knew why", "the mayor said"]
    together = engine.translate(texts, "en", "es")
    assert all(together)
    assert together == Marian(checkpoint).translate(texts, "en", "es")
    assert together == [engine.translate([text], "en", "es")[0] for text in texts]


def test_marian_makes_round_trips_that_datasets_reads(checkpoint: str, folder: Path, tmp_path: Path) -> None:
    engine = Marian(checkpoint, name="tiny")
    table = make_roundtrips(folder, tmp_path, engine, ["es"], split_by="original")
    assert set(read(table, tmp_path)["engine"]) == {"tiny"}


def test_marian_leaves_out_what_is_longer_than_it_reads(checkpoint: str) -> None:
    found = Marian(checkpoint).translate(["the " * 30, "nobody knew"], "en", "es")
    assert found[0] is None
    assert found[1]
    assert Marian(checkpoint).translate([], "en", "es") == []


def test_nllb_codes_choose_the_language_the_translation_starts_in(
    checkpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Marian(checkpoint, codes={"en": "eng_Latn", "es": "spa_Latn"})
    forced: list[object] = []
    generate: Any = MarianMTModel.generate

    def spy(self: MarianMTModel, **settings: Any) -> object:
        forced.append(settings.get("forced_bos_token_id"))
        return generate(self, **settings)

    monkeypatch.setattr(MarianMTModel, "generate", spy)
    engine.translate(["nobody knew"], "en", "es")
    engine.translate(["nobody knew"], "es", "en")
    assert forced == [4, 3]


@pytest.mark.parametrize(
    ("codes", "message"),
    [({"en": "eng_Latn"}, "no code for 'es'"), ({"en": "eng_Latn", "es": "spa"}, "'spa' of 'es'")],
)
def test_a_wrong_code_is_an_error(codes: dict[str, str], message: str, checkpoint: str) -> None:
    with pytest.raises(ValueError, match=message):
        Marian(checkpoint, codes=codes).translate(["nobody"], "en", "es")


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingEngineError, match="no-such-model"):
        Marian(str(tmp_path / "no-such-model")).translate(["One."], "en", "es")
