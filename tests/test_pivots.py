from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from detector import Detector, Report
from detector.fuse import Fusion, OperatingPoint
from detector.models import Model
from detector.pivots import FILE, Guess, Pivots, distinct_keys, spread
from eval import pivots as measured
from training.corpora import roundtrips
from training.pivot_words import NOWHERE, Texts, even, fit, prepared, thresholds
from training.pivots import GROUPS, holds

pytest_plugins = ["tests.corpora_fixture"]

ALIKE = [
    ("case", "The Old bridge", "the old BRIDGE"),
    ("quotes", "He said “the bridge”, then left", 'he said "the bridge", then left'),
    ("dashes", "the bridge – the old one", "the bridge - the old one"),
    ("full stops", "the old bridge.", "the old bridge…"),
    ("which digits", "on 14 May 1987", "on 25 May 2031"),
]


@pytest.mark.parametrize(("a", "b"), [c[1:] for c in ALIKE], ids=[c[0] for c in ALIKE])
def test_what_topics_and_typesetters_choose_is_not_seen(a: str, b: str) -> None:
    assert distinct_keys(a).tolist() == distinct_keys(b).tolist()


@pytest.mark.parametrize(
    ("a", "b"),
    [("the old bridge", "old the bridge"), ("the bridge, old", "the bridge old"), ("5 %", "5 per cent")],
)
def test_order_commas_and_ways_to_write_numbers_are_seen(a: str, b: str) -> None:
    assert distinct_keys(a).tolist() != distinct_keys(b).tolist()


def of_words(**groups: tuple[str, ...]) -> Pivots:
    """Give a model in which each word speaks for one group."""
    pairs = [(key_of(w), g) for g, some in enumerate(groups.values()) for w in some]
    keys, of = (np.array(column) for column in zip(*sorted(pairs), strict=True))
    weights = np.zeros((len(keys), len(groups)), dtype=np.int8)
    weights[np.arange(len(keys)), of] = 1
    members = np.array([*np.eye(len(groups), dtype=bool), [g in GROUPS for g in groups]])
    at = np.array([0.9] * len(groups) + [0.8])
    return Pivots(keys.astype(np.uint32), weights, 1.0, 0.0, (*groups, "wide"), members, at)


def key_of(word: str) -> int:
    """Give the hash of the word alone, which must be too short for stems."""
    (key,) = np.intersect1d(distinct_keys(f"a a {word} b b"), distinct_keys(f"c c {word} d d"))
    return int(key)


KNOWN = of_words(slavic=("then", "yet"), romance=("thus",), nobody=("ere",))


@pytest.mark.parametrize(
    ("sentences", "name"),
    [
        (["It rained then.", "And yet.", "Then."] * 2, "slavic"),
        (["Thus it rained.", "Thus.", "It was thus."] * 2, "romance"),
        (["Then it rained.", "Thus.", "Then.", "Thus."] * 2, "wide"),  # one of both, nobody knows which
        (["It rained."], None),
        (["Then.", "Thus.", "Ere."], None),
    ],
)
def test_the_narrowest_name_that_is_sure_is_said(sentences: list[str], name: str | None) -> None:
    guess = KNOWN.guess(sentences)
    assert (guess and guess.name) == name
    if guess:
        assert 0.8 <= guess.confidence <= 1.0


def test_more_sentences_are_surer_but_not_as_if_each_were_alone() -> None:
    damped = dataclasses.replace(KNOWN, power=0.5, thresholds=np.zeros(4))
    confidences = []
    for count in (1, 4, 16):
        alone, together = (m.guess(["Then."] * count) for m in (KNOWN, damped))
        assert together is not None
        confidences.append(together.confidence)
        if alone and count > 1:
            assert together.confidence < alone.confidence
    assert confidences == sorted(confidences)


@pytest.mark.parametrize("text", ["", "...", "😀", "\ud800", "a" * 1_000_000, "a b " * 100_000, "שלום עולם"])
def test_any_sentence_can_be_read(text: str) -> None:
    assert KNOWN.guess([text]) is None


def test_a_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    assert Pivots.load(tmp_path, "en") is None
    KNOWN.save(tmp_path, "en")
    back = Pivots.load(tmp_path, "en")
    assert back is not None
    assert back.names == KNOWN.names
    assert back.guess(["Thus.", "Thus.", "Thus."]) == KNOWN.guess(["Thus.", "Thus.", "Thus."])
    assert Pivots.load(tmp_path, "de") is None


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    KNOWN.save(tmp_path, "en")
    whole = (tmp_path / FILE).read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2]):
        (tmp_path / FILE).write_bytes(content)
        with pytest.raises(ValueError, match=r"pivots\.npz"):
            Pivots.load(tmp_path, "en")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"weights": np.zeros((2, 3), dtype=np.int8)}, "fit each other"),
        ({"keys": KNOWN.keys[::-1]}, "ascend"),
        ({"scale": np.inf}, "finite"),
        ({"thresholds": np.array([np.nan] * 4)}, "finite"),
    ],
)
def test_a_file_that_does_not_fit_itself_is_refused(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    dataclasses.replace(KNOWN, **changes).save(tmp_path, "en")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=rf"pivots\.npz.*{reason}"):
        Pivots.load(tmp_path, "en")


# --- in the detector -----------------------------------------------------------------------------

TEXT = (
    "Thus the council voted for a new bridge. It thus opened on Monday. Thus nobody came to the old one. "
    "The ferry thus lost its last passengers. Its owner thus sold it to a museum."
)


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """Give the tiny model with pivots beside it, flagging everything."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    always = {"fpr_1e-2": OperatingPoint(0.0, 0.0, 0.01, 1000, 500, "made up")}
    dataclasses.replace(Fusion.load(folder), operating_points=always).save(folder)
    KNOWN.save(folder, "en")
    return folder


def test_a_flagged_text_is_given_its_pivot_and_how_sure_that_is(folder: Path) -> None:
    report = Detector.from_pretrained(folder).analyze(TEXT, language="en")
    sentences = [s.text for s in report.sentences]
    assert Guess(report.pivot or "", report.pivot_confidence or 0.0) == KNOWN.guess(sentences)
    assert report.pivot == "romance"
    back = Report.from_dict(json.loads(report.to_json()))
    assert (back.pivot, back.pivot_confidence) == (report.pivot, report.pivot_confidence)


def test_an_older_report_has_no_confidence(folder: Path) -> None:
    data = Detector.from_pretrained(folder).analyze(TEXT, language="en").to_dict()
    del data["pivot_confidence"]
    assert Report.from_dict(data).pivot_confidence is None


def test_where_words_are_unsure_the_encoder_is_not_asked(folder: Path) -> None:
    report = Detector.from_pretrained(folder).analyze("Rain fell on the old harbour all day.", language="en")
    assert (report.verdict, report.pivot, report.pivot_confidence) == ("flagged", None, None)


def test_only_a_flagged_text_reads_the_file(folder: Path) -> None:
    (folder / FILE).write_bytes(b"no archive")
    never = {"fpr_1e-2": OperatingPoint(0.5, None, 0.01, 1000, 5, "made up")}
    flagging, silent = Fusion.load(folder), dataclasses.replace(Fusion.load(folder), operating_points=never)
    with pytest.raises(ValueError, match=r"pivots\.npz"):
        Detector([Model(folder, fusion=flagging)]).analyze(TEXT, language="en")
    report = Detector([Model(folder, fusion=silent)]).analyze(TEXT, language="en")
    assert (report.verdict, report.pivot) == ("clean", None)


def test_the_hash_knows_the_file_and_a_copy_keeps_it(folder: Path, tmp_path: Path) -> None:
    model = Model(folder)
    Detector([model]).save_pretrained(tmp_path / "copy")
    assert Model(tmp_path / "copy").hash == model.hash
    (folder / FILE).unlink()
    assert Model(folder).hash != model.hash


# --- training and measuring ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def learnt(corpora: Path) -> Pivots:
    return fit(*(roundtrips(corpora, "en", split) for split in ("train", "dev")))


def test_habits_are_learnt(learnt: Pivots) -> None:
    assert learnt.names[:3] == ("chinese", "slavic", "romance")
    for habit, group in (("thus", "romance"), ("also", "slavic"), ("then", "chinese")):
        guess = learnt.guess([f"The ferry left the quay at noon {habit}."] * 10)
        assert guess is not None
        assert guess.name == group
        assert guess.confidence > 0.75


def test_what_texts_are_about_is_not_learnt() -> None:
    """Goats only ever came back from Spanish, snow from Czech; in both "well" is Spanish, "good" Czech."""
    rows = [
        {
            "original_id": f"{topic}{n}", "origin": "newstest", "year": year, "docid": topic, "line": n,
            "pivot": pivot, "engine": "acme", "roundtrip": f"{topic} {word} {n}",
        }
        for topic, year, pivots in (("goats", 1, ("es",)), ("snow", 2, ("cs",)), ("rain", 3, ("es", "cs")))
        for n in range(60)
        for pivot in pivots
        for word in ({"es": "well", "cs": "good"}[pivot],)
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    model = fit(frame, frame)
    logits = {text: model.logits(text) for text in ("goats", "snow", "well", "good")}
    groups = list(model.names)
    slavic, romance = groups.index("slavic"), groups.index("romance")
    assert logits["well"][romance] > logits["well"][slavic]
    assert logits["good"][slavic] > logits["good"][romance]
    assert logits["goats"].tolist() == logits["snow"].tolist() == [0.0, 0.0]


def test_all_groups_then_corpora_pivots_and_engines_count_alike() -> None:
    cells = [(0, "flores", "ru", "acme"), (0, "flores", "ru", "zenith"), (0, "flores", "cs", "acme")]
    cells += [(0, "newstest", "cs", "acme")] * 2 + [(1, "flores", "zh", "acme")]
    frame = pd.DataFrame(cells, columns=["group", "origin", "pivot", "engine"])
    np.testing.assert_allclose(even(frame), [1 / 16, 1 / 16, 1 / 8, 1 / 8, 1 / 8, 1 / 2])


def test_a_name_that_is_wrong_too_often_is_never_said() -> None:
    rng = np.random.default_rng(5)
    group = np.arange(400) % 4
    frame = pd.DataFrame({"group": group, "origin": "flores", "pivot": group, "engine": "acme", "size": 10})
    groups = ["chinese", "slavic", "baltic", "romance"]
    chance = spread(rng.normal(size=(400, 4)))
    texts = Texts(frame, np.zeros((400, 4)), np.full(400, 1 / 400))
    assert thresholds(texts, chance, groups)["slavic"] > 1
    told = spread(3.0 * np.eye(4)[group] + 0.1 * rng.normal(size=(400, 4)))
    assert thresholds(texts, told, groups)["slavic"] < 0.9
    europe = ["slavic", "baltic", "romance", "germanic"]
    paired = spread(3.0 * (np.eye(4)[group] + np.eye(4)[group ^ 1]))  # one of two, nobody knows which
    found = thresholds(texts, paired, europe)
    assert found["european"] < 1 < found["slavic"]
    texts.frame["group"] = NOWHERE
    assert set(thresholds(texts, told, groups).values()) == {2.0}


def test_an_engine_answers_once_and_a_pivot_may_have_no_group() -> None:
    frame = pd.DataFrame(
        [("a", "ru", "acme"), ("a", "ru", "acme"), ("a", "cy", "acme")],
        columns=["original_id", "pivot", "engine"],
    )
    assert prepared(frame, ["slavic"])["group"].tolist() == [0, NOWHERE]


@pytest.mark.parametrize(
    ("name", "language", "inside"),
    [
        ("slavic", "uk", True), ("european", "lt", True), ("european", "hu", True), ("asian", "ko", True),
        ("romance", "uk", False), ("european", "cy", False), ("asian", "tr", False),
    ],
)  # fmt: skip
def test_a_name_holds_its_languages(name: str, language: str, inside: bool) -> None:
    assert holds(name, language) is inside


def test_figures_say_what_was_right(
    corpora: Path, folder: Path, learnt: Pivots, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learnt.save(folder, "en")
    out = tmp_path / "figures.json"
    arguments = ["--corpora", str(corpora), "--model", str(folder), "--json", str(out), "--whole-texts", "3"]
    assert measured.main(arguments) == 0
    found = json.loads(out.read_text("utf-8"))
    assert found["texts of 10"]["all"]["said"] == 1.0
    assert found["texts of 10"]["all"]["right when said"] == 1.0
    assert found["texts of 10"]["group romance"]["texts"] == 1
    assert found["texts of 10, said of each group"]["chinese"]["chinese"] == 1.0
    assert found["read whole"]["flagged"] == 1.0
    assert found["read whole"]["of flagged"]["right when said"] == 1.0
    assert "group romance" in capsys.readouterr().out


def test_a_model_without_pivots_is_said_so(
    corpora: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measured.main(["--corpora", str(corpora), "--model", str(tiny_model)]) == 2
    assert "no pivots.npz" in capsys.readouterr().err
