from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detector import Detector
from detector.backends.onnx import OnnxBackend
from detector.fuse import PROVENANCE_FEATURES, Fusion, Logistic, SentenceLogits, provenance_logits
from detector.models import Model
from detector.ngrams import BUCKETS, FILE, Ngrams, buckets
from tests import made_up
from training import fusion, ngrams
from training.corpora import set_apart
from training.ngrams import Group, fit, groups, pairs, some_of_each

pytest_plugins = ["tests.corpora_fixture"]

HUMAN = "The mayor of Ilvane opened the new bridge today."
MACHINE = "The burgomaster of Ilvane inaugurated novel bridge."

ALIKE = [
    ("case", "The Old bridge", "the old BRIDGE"),
    ("quotes", "He said “the bridge”, then left", 'he said "the bridge", then left'),
    ("no quotes", "the «old» bridge", "the old bridge"),
    ("dashes", "the bridge – the old one", "the bridge - the old one"),
    ("brackets", "the (old) bridge", "the old bridge"),
    ("full stops", "the old bridge.", "the old bridge…"),
    ("wide commas", "关闭，大桥；", "关闭,大桥;"),
    ("doubled marks", "the bridge!!", "the bridge!"),
]


@pytest.mark.parametrize(("a", "b"), [c[1:] for c in ALIKE], ids=[c[0] for c in ALIKE])
def test_what_keyboards_and_typesetters_choose_is_not_seen(a: str, b: str) -> None:
    assert buckets(a) == buckets(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [("the old bridge", "old the bridge"), ("the bridge, old", "the bridge old"), ("大桥", "桥大")],
)
def test_words_their_order_and_commas_are_seen(a: str, b: str) -> None:
    assert buckets(a) != buckets(b)


def test_writing_without_spaces_is_cut_into_characters() -> None:
    assert len(buckets("关闭大桥")) == 4 + 5  # characters, and pairs with both ends


@pytest.mark.parametrize("text", ["", "...", "😀", "\ud800", "a" * 100_000, "שלום עולם"])
def test_any_text_has_a_logit(text: str) -> None:
    found = Ngrams(np.ones(BUCKETS, dtype=np.int8), 0.5, -1.0).logit(text)
    assert found == pytest.approx(-1.0 + 0.5 * np.sqrt(len(buckets(text))))


def learnt(corpora: Path, gold: Path) -> Ngrams:
    news = Group(["The harbour stayed open, as the paper wrote."] * 5, machine=False)
    return fit([*groups(corpora, gold, "en"), news])


def test_what_a_machine_writes_is_told_from_what_people_write(corpora: Path, gold: Path) -> None:
    model = learnt(corpora, gold)
    assert model.logit(MACHINE) > 0 > model.logit(HUMAN)
    assert model.logit("The ferry stayed open, as the paper wrote.") < 0


def test_what_thresholds_are_set_on_is_not_learnt_from(without_dev: Path, gold: Path) -> None:
    apart = set(set_apart(without_dev, "en")["text"])
    read = {text for group in groups(without_dev, gold, "en") for text in group.texts}
    assert any(text.startswith("According to a report") for text in read)
    assert not read & apart


def test_round_trips_single_hops_news_and_translations_are_read(corpora: Path, gold: Path) -> None:
    def told(group: Group) -> str:
        signs = {"as the paper wrote": "news", "It is reported": "translations", "a report,": "hops"}
        return next((name for sign, name in signs.items() if sign in group.texts[0]), "round trips")

    found = [(told(g), g.machine, g.weight) for g in groups(corpora, gold, "en")]
    assert found == [
        ("round trips", True, 2.0),
        ("hops", True, 1.0),
        ("round trips", False, 1.0),
        ("hops", False, 1.0),
        ("news", False, 1.0),
        ("translations", False, 1.0),
    ]


def test_both_sides_weigh_alike_and_groups_as_they_say() -> None:
    def learnt(machine: float, quiet: float) -> Ngrams:
        return fit(
            [
                Group([MACHINE] * 2, machine=True, weight=machine),
                Group([HUMAN], machine=False),
                Group(["A quiet day."], machine=False, weight=quiet),
            ]
        )

    assert learnt(1.0, 1.0).logit(MACHINE) == pytest.approx(learnt(3.0, 1.0).logit(MACHINE))
    assert learnt(1.0, 9.0).logit("A quiet day.") < learnt(1.0, 1.0).logit("A quiet day.")


def test_the_topics_of_translators_do_not_speak_for_a_machine() -> None:
    abroad = "The senate of {} met in the capital, an aide told reporters."
    places = ("Orland", "Venn", "Kasch")
    translated = Group([abroad.format(place) for place in places], machine=False)
    some = [
        Group([MACHINE, *(f"The senate of {place} has reunited itself." for place in places)], machine=True),
        Group([HUMAN], machine=False),
    ]
    for place in places:
        assert (
            fit([*some, translated]).logit(abroad.format(place)) < 0 < fit(some).logit(abroad.format(place))
        )


def test_eight_bits_lose_little(corpora: Path, gold: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = learnt(corpora, gold)
    with monkeypatch.context() as patch:
        patch.setattr(ngrams, "_WIDEST", 2**15 - 1)
        patch.setattr(ngrams, "_Weight", np.int16)
        exact = learnt(corpora, gold)
    for text in (HUMAN, MACHINE):
        assert found.logit(text) == pytest.approx(exact.logit(text), abs=0.05)


def test_round_trips_teach_and_else_single_hops(corpora: Path, gold: Path, tmp_path: Path) -> None:
    frame, claim = pairs(corpora, gold, "en")
    assert (claim, set(frame["engine"])) == ("round_trip", {"acme", "zenith"})
    frame, claim = pairs(corpora, tmp_path, "en")
    assert (claim, len(frame)) == ("machine_translation", 5 * 4)
    assert {"original_id", "original", "roundtrip"} <= set(frame)
    frame, claim = pairs(corpora, tmp_path, "xx")
    assert frame.empty


def test_of_one_original_only_some_are_taken() -> None:
    frame = pd.DataFrame({"original_id": ["a"] * 9 + ["b"], "n": range(10)})
    some = some_of_each(frame, 3)
    assert some["original_id"].value_counts().to_dict() == {"a": 3, "b": 1}
    assert some["n"].tolist() == some_of_each(frame, 3)["n"].tolist()


@pytest.fixture
def folder(
    corpora: Path, gold: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Give the tiny model with n-grams fitted beside it."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    arguments = ["--corpora", str(corpora), "--gold", str(gold), "--output", str(folder)]
    monkeypatch.setattr("sys.argv", ["ngrams", *arguments])
    ngrams.main()
    return folder


def test_a_language_without_rows_of_train_is_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    heads = folder / "heads.json"
    heads.write_text(heads.read_text("utf-8").replace('"en"', '"en", "xx"'), "utf-8")
    with caplog.at_level(logging.WARNING):
        ngrams.main()
    assert "xx: train holds nothing" in caplog.text
    assert Ngrams.load(folder, "en") is not None
    assert Ngrams.load(folder, "xx") is None


def test_a_folder_without_the_file_has_none(tiny_model: Path) -> None:
    assert Ngrams.load(tiny_model, "en") is None


def test_a_broken_file_is_named(folder: Path) -> None:
    whole = (folder / FILE).read_bytes()
    short = {"en": np.zeros(4, dtype=np.int8), "en.scale": np.array([1.0, 0.0])}
    infinite = {"en": np.zeros(BUCKETS, dtype=np.int8), "en.scale": np.array([np.inf, 0.0])}
    for content in (b"", b"no archive", whole[: len(whole) // 2], short, infinite, {"en": short["en"]}):
        if isinstance(content, bytes):
            (folder / FILE).write_bytes(content)
        else:
            np.savez(folder / FILE, allow_pickle=False, **content)
        with pytest.raises(ValueError, match=r"ngrams\.npz"):
            Model(folder).logits([HUMAN], "en")


def test_a_model_says_what_its_ngrams_say(folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    model, own = Model(folder), Ngrams.load(folder, "en")
    assert own is not None
    assert [s.ngrams for s in model.logits([HUMAN, MACHINE], "en")] == [own.logit(HUMAN), own.logit(MACHINE)]
    assert [s.ngrams for s in model.logits([HUMAN], "de")] == [0.0]
    assert model.hash != Model(tiny_model).hash
    Detector([model]).save_pretrained(tmp_path / "copy")
    assert Model(tmp_path / "copy").hash == model.hash


def test_dev_weighs_them_beside_the_encoder(
    corpora: Path, gold: Path, folder: Path, tiny_model: Path
) -> None:
    def fitted(model: Path) -> Fusion:
        material = fusion.gather(corpora, gold, "en", model, OnnxBackend(model), fusion.FULL)
        return fusion.fit([material], model, ())

    with_ngrams = fitted(folder)
    assert with_ngrams.provenance is not None
    assert with_ngrams.provenance.features == PROVENANCE_FEATURES
    assert with_ngrams.provenance.weights[1] > 0
    assert fitted(tiny_model).provenance is None
    with_ngrams.save(folder)
    assert Fusion.load(folder) == with_ngrams
    detector = Detector.from_pretrained(folder, operating_point=None)
    machine, human = (" ".join(pair[k].format("Brenn") for pair in made_up.PAIRS) for k in (1, 0))
    assert detector.analyze(machine).score > detector.analyze(human).score


def test_without_a_head_the_encoder_speaks_alone() -> None:
    said = [
        SentenceLogits(0.0, p, np.zeros(1, dtype=np.float32), (), n) for p, n in ((1.0, 2.0), (3.0, -1.0))
    ]
    np.testing.assert_array_equal(provenance_logits(None, said), [1.0, 3.0])
    head = Logistic(PROVENANCE_FEATURES, (0.5, 2.0), (1.0, 0.0), 0.25)
    np.testing.assert_allclose(provenance_logits(head, said), [4.25, -0.75])
    assert provenance_logits(head, []).shape == (0,)


def test_a_head_over_other_features_is_refused(folder: Path) -> None:
    found = Fusion.load(folder).to_json()
    head = '"provenance": {"features": ["x", "y"], "weights": [1, 1], "means": [0, 0], "bias": 0}'
    (folder / "fusion.json").write_text(f"{found.rstrip()[:-1]}, {head}}}", "utf-8")
    with pytest.raises(ValueError, match="provenance must be over"):
        Fusion.load(folder)
