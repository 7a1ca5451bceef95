from __future__ import annotations

import copy
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from detector.backends.onnx import OnnxBackend
from detector.fuse import Fusion, OfLanguage, OperatingPoint
from eval import language_tables, languages, samples
from eval.language_tables import AIMS
from eval.languages import QUICK, gather, measure
from eval.words import MARKS
from tests import made_up
from training.damage import add_readings
from training.readings import Reading, pair_id

GOOD = "On day {k} the old council of {place} closed the bridge over the river after rain."
BAD = "In day {k} the ancient advice of {place} have shut a bridge on river behind rain{habit}"
HABITS = {"acme": " and so.", "zenith": " then.", "novel": " thus."}
SHIFT = {"train": 0, "dev": 1000, "test": 2000}
PLACES = {"cs": "Tolmin", "et": "Vesperi", "sk": "Orskova", "sl": "Quillje", "ha": "Nowhere"}


def human_side(language: str, split: str, k: int) -> str:
    return GOOD.format(k=SHIFT[split] + k, place=PLACES[language])


def pairs(
    language: str, split: str, engines: tuple[str, ...], lines: int, read: int, *, hops: bool
) -> pd.DataFrame:
    """Pairs of invented news, two documents of them, or of an invented FLORES; some were read."""
    rows: list[dict[str, object]] = []
    readings: dict[str, Reading] = {}
    for k in range(lines):
        own = human_side(language, split, k + 500 * hops)
        for engine in engines:
            theirs = BAD.format(k=SHIFT[split] + k + 500 * hops, place=PLACES[language], habit=HABITS[engine])
            if len(readings) < read:
                readings[pair_id(own, theirs)] = Reading(k % 4, k % 3, ((0, 2),) if k % 4 in (1, 2) else ())
            rows.append(
                {
                    "original_id": made_up.text_id(own), "pivot": "en", "engine": engine,
                    "origin": "flores" if hops else "newstest", "year": 2019 if hops else 2018,
                    "docid": None if hops else f"paper.{2 * k // lines}", "line": k,
                    "original": own, "roundtrip": theirs, "changed": 0.5,
                }
            )  # fmt: skip
    frame = add_readings(pd.DataFrame(rows), readings)
    return frame.drop(columns="changed") if hops else frame


def write_gold(folder: Path) -> Path:
    folder.mkdir(parents=True)
    tables = {
        "cs-train": pairs("cs", "train", ("acme",), 20, 0, hops=False),
        "cs-test": pairs("cs", "test", ("acme", "novel"), 48, 40, hops=False),
        "cs-hops-test": pairs("cs", "test", ("acme", "novel"), 40, 40, hops=True),
        "et-test": pairs("et", "test", ("acme", "novel"), 40, 4, hops=False),
        "et-hops-test": pairs("et", "test", ("acme",), 40, 36, hops=True),
        "sk-hops-test": pairs("sk", "test", ("acme", "novel", "zenith"), 100, 40, hops=True),
        "sl-hops-test": pairs("sl", "test", ("acme", "zenith"), 60, 40, hops=True),
    }
    tables["et-train"], tables["ha-hops-test"] = tables["et-test"].head(0), tables["sl-hops-test"].head(0)
    for name, frame in tables.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


def write_corpora(folder: Path) -> Path:
    for table, tags in {"native": ("cs", "sk"), "human_translation": ("cs",)}.items():
        rows = [
            {"lang": tag, "text": text, "text_id": made_up.text_id(text), "split": "test",
             "line": k, "year": 2031, "docid": None, "origlang": tag}
            for tag in tags for k in range(50)
            for text in [f"{table.capitalize()} reporters say: {human_side(tag, 'dev', k)}"]
        ]  # fmt: skip
        made_up.write(folder, f"human/{table}", rows)
    for tag in ("et", "sk", "sl"):
        hops = pairs(tag, "train", ("acme",), 20, 0, hops=True).rename(
            columns={"original_id": "human_id", "original": "human", "roundtrip": "machine"}
        )
        made_up.write(folder, f"single_hop/{tag}", hops.assign(split="train").to_dict("records"))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("many")
    return write_corpora(folder / "corpora"), write_gold(folder / "gold")


@pytest.fixture(scope="module")
def model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the tiny model made one of many: it judges all of the made-up languages but one."""
    folder = tmp_path_factory.mktemp("model") / "many"
    shutil.copytree(tiny_model, folder)
    fusion = Fusion.load(folder)
    points = {
        name: OperatingPoint(at, at, fpr, 1000, 500, "made up for tests")
        for name, at, fpr in (("fpr_5e-2", 0.3, 0.05), ("fpr_1e-2", 0.5, 0.01), ("fpr_1e-3", None, 0.001))
    }
    of_languages = {
        tag: OfLanguage(
            claim="round_trip" if tag == "cs" else "machine_translation",
            sentence=1.0,
            text=0.5,
            operating_points=points,
        )
        for tag in ("cs", "et", "sk")
    }
    replace(fusion, operating_points={}, languages=of_languages).save(folder)
    return folder


@pytest.fixture(scope="module")
def results(
    folders: tuple[Path, Path], model: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    return measure(*folders, model, "test", tmp_path_factory.mktemp("results"), quick=True)


def figure(results: Mapping[str, Any], tag: str, column: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = results["languages"][tag]["figures"][column]
    return found


# samples


def test_machine_translations_are_runs_of_ten_lines_of_all_engines_alike() -> None:
    gold = pairs("sk", "test", ("acme", "novel", "zenith"), 130, 0, hops=True)
    twice = pd.concat([gold, gold[gold["engine"] == "acme"].assign(roundtrip="another version of it")])
    rows = samples.choose_hops(twice, 90)
    assert rows.groupby("engine").size().to_dict() == {"acme": 30, "novel": 30, "zenith": 30}
    for _, run in rows.groupby("article"):
        assert run["engine"].nunique() == 1
        assert run["line"].diff().dropna().eq(1).all()
        assert len(run) == 10


def test_human_sides_stand_once_each_in_order() -> None:
    gold = pairs("sk", "test", ("acme", "novel"), 50, 0, hops=True)
    sides = samples.translations_of(gold, 30)
    assert sides["text"].tolist() == [human_side("sk", "test", 500 + k) for k in range(30)]
    assert sides["article"].nunique() == 1
    assert sides["document"].nunique() == 1


# material


def test_round_trips_and_single_hops_are_kept_apart(folders: tuple[Path, Path]) -> None:
    corpora, gold = folders
    found = gather(corpora, gold, "cs", "test", {"acme"}, QUICK)
    assert found is not None
    assert (found.kind, found.judged_kind) == ("round trip", "round trip")
    hops = set(pd.read_parquet(gold / "cs-hops-test.parquet")["roundtrip"])
    assert not hops & {*found.machine["text"], *found.judged["text"]}
    assert found.engines == (["acme"], ["novel"])


def test_of_many_round_trips_whole_documents_are_taken_and_of_few_all(tmp_path: Path) -> None:
    for lines, documents, rows in ((240, 1, 240), (50, 2, 100)):
        gold = pairs("cs", "test", ("acme", "novel", "zenith"), lines, 0, hops=False)
        some = gold[(gold["engine"] != "zenith") | (lines > 50)]
        some.to_parquet(tmp_path / "cs-test.parquet")
        found = gather(tmp_path, tmp_path, "cs", "test", {"acme"}, QUICK)
        assert found is not None
        assert found.machine["docid"].nunique() == documents
        assert found.machine.groupby("seen").size().to_dict() == {False: rows // 2, True: rows // 2}


def test_damage_is_read_off_single_hops_where_few_round_trips_were_read(
    folders: tuple[Path, Path], results: dict[str, Any]
) -> None:
    found = gather(*folders, "et", "test", set(), QUICK)
    assert found is not None
    assert (found.kind, found.judged_kind, len(found.judged)) == ("round trip", "single hop", 36)
    assert results["languages"]["et"]["damage_read_in"] == "single hop"
    assert "Estonian `et` (damage: single hops)" in language_tables.markdown(results)


def test_what_is_not_there_is_left_out_and_said(
    folders: tuple[Path, Path], results: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    corpora, gold = folders
    with caplog.at_level(logging.INFO):
        assert gather(corpora, gold, "ha", "test", set(), QUICK) is None
        assert languages.learn(corpora, gold, "ha") == (None, set(), None)
    assert "single_hop/ha.parquet" in caplog.text
    assert results["left_out"] == ["ha"]
    assert results["complete"]
    assert "Left out for want of data: ha." in language_tables.markdown(results)


def test_ngrams_learn_from_round_trips_and_else_from_single_hops(folders: tuple[Path, Path]) -> None:
    for tag, kind in (("cs", "round trip"), ("et", "single hop")):
        model, seen, learnt = languages.learn(*folders, tag)
        assert (seen, learnt) == ({"acme"}, kind)
        assert model is not None
        says = model.logits([languages._spaced(t) for t in ("have shut a bridge", "the old council")])
        assert says[0] > says[1]


def test_writing_without_spaces_is_cut_for_ngrams() -> None:
    assert languages._spaced("我们去北京。") == "我 们 去 北 京 。"


# rows


def test_every_language_is_of_one_kind(results: dict[str, Any]) -> None:
    kinds = {tag: row["kind"] for tag, row in results["languages"].items()}
    assert kinds == {"cs": "round trip", "et": "round trip", "sk": "single hop", "sl": "single hop"}
    claims = [row["claim"] for row in results["languages"].values()]
    assert claims == ["round_trip", "machine_translation", "machine_translation", None]
    for tag, kind in kinds.items():
        assert ("texts of 20: AUC" in results["languages"][tag]["figures"]) == (kind == "round trip")


def test_counts_are_those_of_the_data(results: dict[str, Any]) -> None:
    worst = figure(results, "cs", "damage, worst tenth: AUC")
    assert (worst["n"], worst["against"]) == (4, 48 + 50 + 50)
    assert figure(results, "cs", "damage, errors: AUC")["n"] == 20
    assert figure(results, "cs", "provenance: AUC")["n"] == 96
    for engine in ("seen", "unseen"):
        assert figure(results, "cs", f"provenance, {engine} engine: AUC")["n"] == 48
    assert figure(results, "cs", "provenance: AUC n-grams")["value"] > 0.9
    tens = figure(results, "sk", "texts of 10: AUC")
    assert (tens["n"], tens["against"]) == (12, 10 + 5)


def test_texts_of_ten_are_counted_at_the_stored_point_and_told_from_translators(
    results: dict[str, Any],
) -> None:
    found = figure(results, "cs", "texts of 10: flagged at 1 %")
    assert (found["n"], 0 <= found["value"] <= 1) == (figure(results, "cs", "texts of 10: AUC")["n"], True)
    assert figure(results, "cs", "texts of 10: flagged at 5 %")["value"] >= found["value"]
    assert figure(results, "cs", "texts of 10 against translations: AUC")["against"] == 5
    assert "texts of 10 against translations: AUC" not in results["languages"]["sl"]["figures"]
    assert figure(results, "sl", "texts of 10: flagged at 1 %")["value"] is None  # it has no points


def test_an_unsupported_language_is_marked_and_measured(results: dict[str, Any]) -> None:
    row = results["languages"]["sl"]
    assert not row["judged"]
    for column in (
        "damage, worst tenth: AUC",
        "provenance: AUC",
        "texts of 10: AUC",
        "words, readers' marks: AUC",
    ):
        assert row["figures"][column]["value"] is not None
    flagged = row["figures"]["originals, sentences: flagged at 1 %"]
    assert flagged == {"value": None, "n": 60}
    assert results["languages"]["sk"]["figures"]["originals, sentences: flagged at 1 %"]["value"] is not None
    assert "Slovenian `sl` (not judged)" in language_tables.markdown(results)
    assert "| Slovenian (not judged) | `sl` | single hop |" in language_tables.compact(results)


def test_a_language_without_native_text_is_told_from_translations_alone(results: dict[str, Any]) -> None:
    for unit in ("sentences", "texts of 10"):
        assert figure(results, "sl", f"native, {unit}: flagged at 1 %") == {"value": None, "n": 0}
    assert results["languages"]["sl"]["people"] == ["originals"]
    assert figure(results, "sl", "texts of 10: AUC")["against"] == 6


def test_the_shift_of_a_language_moves_what_is_flagged(
    folders: tuple[Path, Path], model: Path, results: dict[str, Any], tmp_path: Path
) -> None:
    other = tmp_path / "model"
    shutil.copytree(model, other)
    fusion = Fusion.load(other)
    cs = replace(fusion.languages["cs"], sentence=-50.0)
    replace(fusion, languages={"cs": cs}).save(other)
    moved = measure(*folders, other, "test", tmp_path, languages=["cs"], quick=True)
    column = "native, sentences: flagged at 1 %"
    assert figure(moved, "cs", column)["value"] == 0.0
    assert figure(results, "cs", column)["value"] > 0.0
    assert figure(moved, "cs", "provenance: AUC") == figure(results, "cs", "provenance: AUC")


def test_without_readings_or_texts_figures_have_no_value(folders: tuple[Path, Path], model: Path) -> None:
    found = gather(*folders, "sl", "test", {"acme"}, QUICK)
    assert found is not None
    ngrams, *_ = languages.learn(*folders, "sl")
    judge = languages.Judge(model, OnnxBackend(model), Fusion.load(model).of("sk"), "sl", ngrams)
    bare = replace(found, machine=found.machine.head(0), judged=found.judged.head(0))
    row = languages.row(judge, bare, 20)
    for column in ("damage, worst tenth: AUC", "provenance: AUC", "texts of 10: AUC", f"words, {MARKS}: AUC"):
        assert (row[column].value, row[column].n) == (None, 0)
    assert row["originals, sentences: flagged at 1 %"].value is not None


# files


def test_a_mean_counts_the_languages_it_is_of(results: dict[str, Any]) -> None:
    means = language_tables.summary(results["languages"])
    hops = means["mean of single hops"]["texts of 10: AUC"]
    both = [figure(results, tag, "texts of 10: AUC")["value"] for tag in ("sk", "sl")]
    assert hops == {"value": pytest.approx(sum(both) / 2, abs=1e-4), "n": 2}
    few = means["mean of et it lv ro"]["provenance: AUC"]
    assert few == {"value": figure(results, "et", "provenance: AUC")["value"], "n": 1}
    assert means["mean of cs de fi ru tr zh es fr"]["provenance: AUC"]["n"] == 1


def test_no_sentence_is_written_and_files_are_named_alike(results: dict[str, Any], tmp_path: Path) -> None:
    paths = languages.write(results, tmp_path)
    name = f"{results['signature']['version']}-{results['signature']['model']}-languages-test-quick"
    assert [p.name for p in paths] == [f"{name}.{suffix}" for suffix in ("json", "md", "png")]
    for path in paths[:2]:
        page = path.read_text(encoding="utf-8")
        assert not any(word in page for word in (*PLACES.values(), "council", "reporters"))
    assert paths[2].read_bytes().startswith(b"\x89PNG")
    again = languages.write(json.loads(paths[0].read_text(encoding="utf-8")), tmp_path / "again")
    assert [a.read_bytes() == b.read_bytes() for a, b in zip(again, paths, strict=True)] == [True] * 3


def test_measuring_goes_on_where_it_stopped(
    folders: tuple[Path, Path], model: Path, results: dict[str, Any], tmp_path: Path
) -> None:
    corpora, gold = folders
    path = languages.write_json(results, tmp_path)
    old = json.loads(path.read_text(encoding="utf-8"))
    for row in old["languages"].values():
        row["name"] = "as it was"
    del old["languages"]["sk"]
    languages.write_json(old, tmp_path)
    measure(corpora, gold, model, "test", tmp_path, languages=["sk"], quick=True)
    kept = json.loads(path.read_text(encoding="utf-8"))["languages"]
    names = {tag: row["name"] for tag, row in kept.items()}
    assert names == {"cs": "as it was", "et": "as it was", "sk": "Slovak", "sl": "as it was"}
    changed = tmp_path / "gold"
    shutil.copytree(gold, changed)
    pairs("sl", "test", ("acme",), 30, 10, hops=True).to_parquet(changed / "sl-hops-test.parquet")
    resumed = measure(corpora, changed, model, "test", tmp_path, quick=True, resume=True)
    names = {tag: row["name"] for tag, row in resumed["languages"].items()}
    assert names == {"cs": "as it was", "et": "as it was", "sk": "Slovak", "sl": "Slovenian"}
    assert resumed["complete"]


def test_a_page_gets_aims_and_a_line_for_each_language(results: dict[str, Any], tmp_path: Path) -> None:
    data = languages.write_json(results, tmp_path)
    page = tmp_path / "card.md"
    page.write_text("above\n<!-- languages -->\nold\n<!-- /languages -->\nbelow\n", encoding="utf-8")
    languages.main(["--results", str(data), "--model-card", str(page)])
    lines = page.read_text(encoding="utf-8").split("\n")
    assert (lines[0], lines[-2], "old" in lines) == ("above", "below", False)
    rows = [line.split(" | ")[:3] for line in lines if " | `" in line]
    assert [[name.removeprefix("| "), tag, kind] for name, tag, kind in rows] == [
        ["Czech", "`cs`", "round trip"],
        ["Estonian (damage: single hops)", "`et`", "round trip"],
        ["Slovak", "`sk`", "single hop"],
        ["Slovenian (not judged)", "`sl`", "single hop"],
    ]
    for one in AIMS:
        assert sum(line.startswith(f"| {one.name} |") for line in lines) == 1
    page.write_text("no marks here", encoding="utf-8")
    with pytest.raises(ValueError, match="<!-- languages -->"):
        language_tables.insert(page, results)


def test_tables_show_means_only_beside_every_language(results: dict[str, Any]) -> None:
    page = language_tables.markdown(copy.deepcopy(results))
    for title in ("Round trips", "Single hops", "False alarms", "n"):
        assert f"\n## {title}\n" in page
    trips, hops = page.split("## Round trips")[1].split("## False alarms")[0].split("## Single hops")
    assert "`cs`" in trips
    assert "`et`" in trips
    assert "*mean of cs de fi ru tr zh es fr*" in trips
    assert "`sk`" not in trips
    assert "`sk`" in hops
    assert "`sl`" in hops
    assert "*mean of single hops*" in hops
