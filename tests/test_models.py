"""Several models behind one detector: each language is judged by the first that judges it."""

from __future__ import annotations

import dataclasses
import json
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from detector import Detector
from detector.fuse import Fusion, OfLanguage, OperatingPoint
from detector.models import Model, members
from detector.render import to_terminal

ENGLISH = "The old bridge was closed on Monday after the council had voted, and the harbour stayed open."
GERMAN = "Die alte Brücke wurde am Montag geschlossen, nachdem der Stadtrat lange darüber beraten hatte."
FINNISH = "Vanha silta suljettiin maanantaina, kun kaupunginvaltuusto oli pitkään keskustellut asiasta."
ALWAYS = {"fpr_1e-2": OperatingPoint(0.0, 0.0, 0.01, 1000, 500, "made up")}
NEVER = {"fpr_1e-2": OperatingPoint(1.0, 1.0, 0.01, 1000, 500, "made up")}


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """Give the tiny model with a second one inside, for German and Finnish."""
    first = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    second = Path(shutil.copytree(tiny_model, first / "many"))
    (second / "checkpoint.pt").unlink(missing_ok=True)
    heads = json.loads((second / "heads.json").read_text("utf-8"))
    (second / "heads.json").write_text(json.dumps(heads | {"languages": ["de", "en", "fi", "sv"]}), "utf-8")
    languages = {
        "de": OfLanguage("round_trip", 1.0, 0.5, ALWAYS),
        "en": OfLanguage("round_trip", 0.0, 0.0, ALWAYS),
        "fi": OfLanguage("machine_translation", 0.0, 0.0, NEVER),
    }
    dataclasses.replace(Fusion.load(second), languages=languages).save(second)
    return first


def test_a_folder_names_the_models_inside(folder: Path) -> None:
    assert members(folder) == (folder, folder / "many")
    assert members(folder / "many") == (folder / "many",)


def test_each_language_has_its_own_judge_shift_and_points(folder: Path) -> None:
    detector = Detector.from_pretrained(folder)
    assert detector.languages == ("en", "de", "fi")  # Swedish has no shift: it was found unfit
    english, german, finnish = (detector.analyze(t) for t in (ENGLISH, GERMAN, FINNISH))
    assert english.signature.model != german.signature.model == finnish.signature.model
    assert (english.signature.threshold, english.claim) == (0.5, "round_trip")
    assert (german.verdict, german.claim) == ("flagged", "round_trip")
    assert (finnish.verdict, finnish.claim) == ("clean", "machine_translation")
    contributions = german.sentences[0].contributions
    assert contributions["bias"] == pytest.approx(finnish.sentences[0].contributions["bias"] + 1.0)


def test_an_unfit_language_is_not_judged(folder: Path) -> None:
    detector = Detector.from_pretrained(folder)
    report = detector.analyze("Den gamla bron stängdes i måndags efter att rådet hade röstat.", language="sv")
    assert (report.verdict, report.claim) == ("unsupported_language", None)


def test_texts_of_many_languages_in_a_batch_are_scored_as_alone(folder: Path) -> None:
    detector = Detector.from_pretrained(folder)
    texts = [GERMAN, ENGLISH, FINNISH, ENGLISH, GERMAN]
    together = detector.annotate({"text": texts})["score"]
    assert list(together) == [detector.analyze(t).score for t in texts]
    assert len(set(together)) == 3


def test_the_second_model_is_read_when_a_text_needs_it(folder: Path) -> None:
    (folder / "many" / "model.onnx").write_bytes(b"broken")
    detector = Detector.from_pretrained(folder)
    assert detector.analyze(ENGLISH).score >= 0
    with pytest.raises(ValueError, match=r"many.model\.onnx"):
        detector.analyze(GERMAN)


def test_saved_and_pickled_detectors_keep_all_their_models(folder: Path, tmp_path: Path) -> None:
    detector = Detector.from_pretrained(folder)
    before = pickle.dumps(detector)
    report = detector.analyze(GERMAN)
    assert pickle.dumps(detector) == before  # what was read since does not travel
    detector.save_pretrained(tmp_path / "copy")
    for again in (pickle.loads(before), Detector.from_pretrained(tmp_path / "copy")):
        assert again.analyze(GERMAN) == report
    assert not (tmp_path / "copy" / "many" / "many").exists()


def test_what_one_folder_cannot_hold_is_refused(folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one model"):
        Detector([])
    apart = Detector([Model(folder), Model(tiny_model)])
    with pytest.raises(ValueError, match="not inside"):
        apart.save_pretrained(tmp_path / "copy")
    Detector.from_pretrained(folder).save_pretrained(tmp_path / "two")
    with pytest.raises(ValueError, match="many: another model"):
        Detector.from_pretrained(tiny_model).save_pretrained(tmp_path / "two")


def test_calibrate_moves_the_languages_of_the_texts_only(folder: Path) -> None:
    detector = Detector.from_pretrained(folder)
    own = detector.calibrate([f"{GERMAN} Nummer {k} blieb leer." for k in range(60)], fpr=0.2, language="de")
    kept = {tag: own.analyze(t).signature for tag, t in (("en", ENGLISH), ("de", GERMAN), ("fi", FINNISH))}
    assert {s.operating_point for s in kept.values()} == {"own"}
    assert (kept["en"].threshold, kept["fi"].threshold) == (0.5, 1.0)
    assert 0.0 < kept["de"].threshold < 1.0
    mixed = detector.calibrate(
        [FINNISH, *(f"{GERMAN} Nummer {k} blieb leer." for k in range(60))], fpr=0.2
    )  # one text sets no point of its own
    assert mixed.analyze(FINNISH).signature.threshold == 1.0


def test_a_point_that_a_language_lacks_flags_nothing(folder: Path) -> None:
    loose = Detector.from_pretrained(folder, operating_point="fpr_5e-2")  # only English has it
    report = loose.analyze(GERMAN)
    assert report.verdict == "clean"
    assert report.signature.threshold > 1
    assert any(note.startswith("In this language nothing is flagged") for note in report.notes)
    assert "it is flagged" not in report.to_html()
    assert "2.00" not in to_terminal(report, colour=False, width=80)
    assert not loose.analyze(ENGLISH).notes


def test_threads_read_the_weights_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[Model] = []
    load = Model._load

    def counted(self: Model) -> Any:
        loads.append(self)
        return load(self)

    monkeypatch.setattr(Model, "_load", counted)
    model = Model(folder)
    with ThreadPoolExecutor(4) as pool:
        hashes = set(pool.map(lambda _: model.hash, range(4)))
    assert len(hashes) == len(loads) == 1


def test_other_heads_do_not_read_the_weights_again(folder: Path) -> None:
    model = Model(folder)
    model.logits([ENGLISH], "en")
    other = model.with_fusion(dataclasses.replace(model.fusion, token_threshold=0.9))
    assert other._loaded is model._loaded is not None
    assert other.hash != model.hash


def test_a_claim_that_is_none_is_an_error(folder: Path) -> None:
    path = folder / "many" / "fusion.json"
    path.write_text(path.read_text("utf-8").replace("machine_translation", "magic"), "utf-8")
    with pytest.raises(ValueError, match="claim must be one of round_trip, machine_translation, got 'magic'"):
        Detector.from_pretrained(folder)


def test_a_model_of_one_language_is_stored_as_ever(tiny_model: Path) -> None:
    fusion = Fusion.load(tiny_model)
    assert "languages" not in json.loads(fusion.to_json())
    assert fusion.of("en") is fusion
