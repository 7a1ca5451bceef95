from __future__ import annotations

import doctest
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import eval.baselines
import eval.figures
import eval.run
import eval.samples
from detector.fuse import Fusion, SentenceLogits
from detector.spans import WordScore
from eval import figures, tables
from eval.figures import Figure, Scored, character_gold
from eval.samples import Familiar, Sizes, build_texts, choose_roundtrips, originals_of

WORDING = {
    "en": "On day {k} the council of {place} agreed to repair the old harbour bridge before winter.",
    "zh": "第{k}天，{place}镇的议会同意在冬天之前修好旧港口的大桥和附近的道路。",
    "ar": "في اليوم {k} وافق مجلس مدينة {place} على إصلاح جسر الميناء القديم قبل الشتاء.",
}
PLACES = {"en": "Ellerby", "zh": "白沙", "ar": "الوردة"}
WORSE = {
    "en": [("agreed", "was agree"), ("repair", "cure"), ("harbour bridge", "port deck"), ("winter", "cold")],
    "zh": [("同意", "赞成了"), ("修好", "治疗"), ("大桥", "甲板"), ("冬天", "寒冷")],
    "ar": [("وافق", "قبل"), ("إصلاح", "علاج"), ("جسر", "سطح"), ("الشتاء", "البرد")],
}
PAIRS = {
    "train": [("de", "google"), ("fr", "nllb")],
    "dev": [("de", "google"), ("fr", "nllb"), ("sl", "argos")],
    "test": [("de", "google"), ("fr", "nllb"), ("de", "microsoft"), ("tr", "google"), ("sl", "nllb")],
}


def sentence(language: str, split: str, k: int) -> str:
    return WORDING[language].format(k=10_000 * list(PAIRS).index(split) + k, place=PLACES[language])


def spoilt(language: str, text: str, times: int) -> str:
    for right, wrong in WORSE[language][:times]:
        text = text.replace(right, wrong)
    return text


def gold(language: str, split: str, *, documents: int = 4, lines: int = 24, flores: int = 8) -> pd.DataFrame:
    """Round trips of invented news and of an invented FLORES, the more damaged the further down."""
    rows = []
    for k in range(documents * lines + flores):
        news = k < documents * lines
        original = sentence(language, split, k)
        for n, (pivot, engine) in enumerate(PAIRS[split]):
            times = 1 + (k + n) % len(WORSE[language])
            rows.append(
                {
                    "original_id": f"{split}{k}",
                    "pivot": pivot,
                    "engine": engine,
                    "origin": "newstest" if news else "flores",
                    "year": 2018 if news else 2019,
                    "docid": f"paper.{k // lines}" if news else None,
                    "line": k,
                    "original": original,
                    "roundtrip": spoilt(language, original, times),
                    "damage": 0.05 + 0.22 * (times - 1),
                }
            )
    return pd.DataFrame(rows)


def human(language: str, split: str, table: str) -> pd.DataFrame:
    shift = 500 * (1 + eval.samples.HUMAN.index(table))
    lines = 400 if table == "native" else 80
    texts = [sentence(language, split, shift + k) for k in range(lines)]
    if table == "native":  # two of them are originals of round trips too
        texts[:2] = [sentence(language, split, k) for k in range(2)]
    return pd.DataFrame(
        {
            "lang": language,
            "text": texts,
            "text_id": [f"{table}{split}{k}" for k in range(lines)],
            "split": split,
            "line": range(lines),
            "year": 2023,
            "docid": None,
            "origlang": language,
        }
    )


def edits(language: str) -> pd.DataFrame:
    """Machine translation of two source languages in which the last token is always BAD."""
    rows = []
    for source in ("et", "ne"):
        for k in range(20):
            text = spoilt(language, sentence(language, "test", 4000 + k), k % 4)
            tags = ["OK"] * len(text.split())
            tags[-1] = "BAD"
            rows.append(
                {
                    "pair": f"{source}-{language}",
                    "source_split": "test",
                    "idx": k,
                    "mt": text,
                    "word_tags": " ".join(tags),
                    "hter": 0.1 * (k % 4),
                }
            )
    return pd.DataFrame(rows)


def marks(language: str) -> pd.DataFrame:
    rows = []
    for k in range(30):
        text = spoilt(language, sentence(language, "test", 5000 + k), 1)
        wrong = WORSE[language][0][1]
        rows.append(
            {
                "pair": f"xx-{language}",
                "system": "engine",
                "doc": f"talk{k % 10}",
                "seg_id": k,
                "rater": "r1",
                "category": "Accuracy/Mistranslation" if k % 3 else "No-error",
                "severity": "Major" if k % 3 else "No-error",
                "target": text.replace(wrong, f"<v>{wrong}</v>") if k % 3 else text,
                "target_clean": text,
            }
        )
    return pd.DataFrame(rows)


def write_folders(folder: Path, language: str) -> tuple[Path, Path]:
    """Write a corpora folder and its gold; a language but English lacks labels and informal text."""
    corpora, golds = folder / "corpora", folder / "gold"
    (corpora / "human").mkdir(parents=True)
    golds.mkdir()
    for split in PAIRS:
        gold(language, split).to_parquet(golds / f"{language}-{split}.parquet")
    for table in eval.samples.HUMAN if language == "en" else ("native", "human_translation"):
        some = pd.concat([human(language, split, table) for split in PAIRS])
        some.to_parquet(corpora / "human" / f"{table}.parquet")
    if language == "en":
        (corpora / "labels").mkdir()
        edits(language).to_parquet(corpora / "labels" / "mlqe_word_tags.parquet")
        marks(language).to_parquet(corpora / "labels" / "mqm_spans.parquet")
    return corpora, golds


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Path]]:
    made = {language: write_folders(tmp_path_factory.mktemp(language), language) for language in WORDING}
    return lambda language: made[language]


@pytest.fixture(scope="session")
def results(folders: Callable[[str], tuple[Path, Path]], tiny_model: Path) -> dict[str, Any]:
    corpora, golds = folders("en")
    return eval.run.measure(corpora, golds, tiny_model, "en", "test", quick=True)


def test_examples_in_docstrings_run() -> None:
    for module in (eval.baselines, eval.figures, eval.run, eval.samples):
        assert doctest.testmod(module).failed == 0


# samples


@pytest.mark.parametrize(
    ("engine", "pivot", "cell"),
    [
        ("google", "de", "seen"),
        ("microsoft", "de", "unseen engine"),
        ("google", "tr", "unseen pivot"),
        ("microsoft", "tr", "both unseen"),
        ("argos", "tr", "unseen, tried on dev"),
        ("google", "sl", "unseen, tried on dev"),
    ],
)
def test_what_train_and_dev_show_decides_the_cell(engine: str, pivot: str, cell: str) -> None:
    assert Familiar.of(gold("en", "train"), gold("en", "dev")).cell(engine, pivot) == cell


def chosen(sizes: Sizes = Sizes(seen_pairs=1, other_pairs=1)) -> pd.DataFrame:  # noqa: B008
    return choose_roundtrips(gold("en", "test"), Familiar.of(gold("en", "train"), gold("en", "dev")), sizes)


def test_documents_keep_whole_combinations_of_every_cell() -> None:
    rows = chosen()
    news = rows[rows["origin"] == "newstest"]
    for _, of_document in news.groupby("document"):
        combinations = of_document.groupby(["cell", "pivot", "engine"]).size()
        assert set(combinations) == {24}
        assert list(combinations.index.get_level_values("cell")) == [
            "seen", "unseen engine", "unseen pivot", "unseen, tried on dev",
        ]  # fmt: skip
    assert len(rows) - len(news) == 8 * len(PAIRS["test"])
    pd.testing.assert_frame_equal(rows, chosen())


def test_a_sample_takes_whole_documents() -> None:
    rows = chosen(Sizes(seen_pairs=1, other_pairs=1, documents=2, flores=3))
    news = rows["origin"] == "newstest"
    assert rows.loc[news, "document"].nunique() == 2
    assert set(rows.loc[news].groupby("document").size()) == {4 * 24}
    assert rows.loc[~news, "original_id"].nunique() == 3


def test_originals_stand_once_each_with_lines_of_one_pivot() -> None:
    rows = chosen()
    rows.loc[rows["pivot"] == "tr", "line"] += 500  # another pivot counts its lines in another file
    originals = originals_of(rows)
    assert sorted(originals["original_id"]) == sorted(set(rows["original_id"]))
    for _, of_article in originals[originals["article"] != ""].groupby("article"):
        assert sorted(of_article["line"] - of_article["line"].min()) == list(range(24))
    assert (originals["article"] == "").sum() == 8  # FLORES


def test_texts_are_consecutive_lines_of_one_article_and_share_none() -> None:
    rows = chosen()
    nothing = np.zeros(len(rows))
    texts, x = build_texts(rows, nothing, nothing, nothing, "en", most=1000)
    assert len(texts) == len(x)
    for length in (2, 5, 10, 20):
        of_length = [t for t in texts if len(t) == length]
        assert len(of_length) == 4 * 4 * (24 // length)  # documents, cells, texts of each
        assert len(set(np.concatenate(of_length))) == length * len(of_length)
        for text in of_length:
            assert rows["article"].iloc[text].nunique() == 1
            assert set(np.diff(rows["line"].iloc[text])) == {1}
    capped, _ = build_texts(rows, nothing, nothing, nothing, "en", most=3, lengths=(5,))
    assert len(capped) == 3


# figures


def scored(damage: list[float], fused: list[float], **columns: Any) -> Scored:
    n = len(damage)
    frame = pd.DataFrame(
        {
            "damage": damage,
            "fused": fused,
            "model": fused,
            "rules": [-f for f in fused],
            "ngram_damage": np.zeros(n),
            "provenance": fused,
            "ngram_provenance": np.zeros(n),
            "length": np.ones(n),
            "chance": np.zeros(n),
            "cluster": [f"c{k}" for k in range(n)],
            "document": [f"d{k // 2}" for k in range(n)],
            "evidence": np.zeros(n, dtype=bool),
            "is_original": False,
            "year": 2018,
            **columns,
        }
    )
    return Scored(frame, (SentenceLogits(0.0, 0.0, np.zeros(1, dtype=np.float32), ()),) * n)


@pytest.fixture
def fusion(tiny_model: Path) -> Fusion:
    return Fusion.load(tiny_model)


def test_damage_is_told_from_each_kind_of_people_apart(fusion: Fusion) -> None:
    damage = [k / 20 for k in range(20)]
    trips = scored(damage, [10 * d for d in damage])
    humans = {
        "originals": scored([0.0] * 4, [-1.0] * 4),
        "native": scored([0.0] * 4, [99.0, 99.0, -1.0, -1.0], is_original=[True, True, False, False]),
        "human_translation": scored([0.0] * 4, [9.2] * 4),
    }
    section = figures.damage(trips, humans, fusion, 10)
    assert section["10 % most damaged, against originals"]["AUC fused"] == Figure(1.0, 2, 4, (1.0, 1.0))
    assert section["10 % most damaged, against originals"]["AUC rules alone"].value == 0.0
    # what is an original too was left out of native
    assert section["10 % most damaged, against native"]["AUC fused"].value == 1.0
    # of .90 and .95 only one scores above 9.2; people together: 6 clean, 4 translated
    assert section["10 % most damaged, against human translation"]["AUC fused"].value == 0.5
    assert section["10 % most damaged, against human text"]["AUC fused"].value == pytest.approx(0.8)
    assert section["hardly damaged (below .1), against human text"]["AUC fused"].n == 2
    # logits 0 and .5 are probabilities of .5 and more; a point without a threshold has no figure
    flagged = section["hardly damaged (below .1), flagged at the stored point"]
    assert {k: f.value for k, f in flagged.items()} == {"fpr_5e-2": 1.0, "fpr_1e-2": 1.0}


def test_rank_correlation_is_averaged_over_source_languages(fusion: Fusion) -> None:
    trips = scored([0.1, 0.2, 0.3], [1.0, 2.0, 3.0], origin="newstest")
    # perfect in one language, reversed in the other; pooled it would be far above 0
    hter, pair = [0.1, 0.2, 0.3, 0.7, 0.8, 0.9], ["et-en"] * 3 + ["ne-en"] * 3
    edited = scored([0.0] * 6, [1.0, 2.0, 3.0, 12.0, 11.0, 10.0], hter=hter, pair=pair)
    section = figures.ranks(trips, edited, None, 10)
    assert section["gold damage of round trips"]["fused"].value == pytest.approx(1.0)
    assert section["HTER, ne-en"]["fused"].value == pytest.approx(-1.0)
    assert section["HTER, mean over source languages"]["fused"].value == pytest.approx(0.0)
    assert section["HTER, et-en"]["n-grams"].value is None  # a score that never varies


def test_provenance_pairs_each_round_trip_with_its_own_original() -> None:
    originals = scored([0.0, 0.0], [0.0, 5.0], original_id=["a", "b"])
    trips = scored(
        [0.1] * 4, [1.0, 6.0, 4.0, 7.0],
        original_id=["a", "b", "b", "b"], cell=["seen", "seen", "seen", "unseen engine"], origin="flores",
    )  # fmt: skip
    section = figures.provenance(trips, {"originals": originals}, 10)
    assert section["FLORES, seen"]["pair accuracy"].value == pytest.approx(2 / 3)
    assert section["FLORES, seen"]["AUC"].value == pytest.approx(4 / 6)
    assert (section["FLORES, seen"]["AUC"].n, section["FLORES, seen"]["AUC"].against) == (3, 2)
    # only the originals of the cell's own round trips stand against it
    assert section["FLORES, unseen engine"]["AUC"].against == 1
    assert "FLORES, both unseen" not in section


@pytest.mark.parametrize(
    ("text", "words", "spans", "auc", "right"),
    [
        ("He sent assisted dying.", [(0, 2, 0.1), (3, 7, 0.2), (8, 16, 0.9), (17, 22, 0.8), (22, 23, 0.99)],
         ((0, 2, False), (3, 7, False), (8, 16, True), (17, 22, True)), 1.0, 1.0),
        ("他送来安乐死。", [(0, 1, 0.9), (1, 3, 0.2), (3, 6, 0.1)],
         ((0, 1, False), (1, 3, False), (3, 6, True)), 0.0, 0.0),
        ("أرسل الموت الرحيم", [(0, 4, 0.1), (5, 10, 0.9), (11, 17, 0.1)],
         ((0, 4, False), (5, 10, True)), 1.0, 1.0),
    ],
)  # fmt: skip
def test_words_are_compared_where_gold_is_known(
    text: str,
    words: list[tuple[int, int, float]],
    spans: tuple[tuple[int, int, bool], ...],
    auc: float,
    right: float,
    fusion: Fusion,
) -> None:
    said = SentenceLogits(0.0, 0.0, np.zeros(1, dtype=np.float32), tuple(WordScore(*w) for w in words))
    frame = scored([0.9], [9.0], text=text).frame
    frame["spans"] = [spans]
    section = figures.tokens({"x": Scored(frame, (said,))}, fusion, 10)["x"]
    assert section["word AUC"].value == auc
    assert section["top span right"] == Figure(right, 1)
    assert section["F0.5 characters"].value == right
    assert section["sentences flagged"].value == 1.0


def test_spans_count_only_where_the_sentence_is_flagged(fusion: Fusion) -> None:
    frame = scored([0.9], [-9.0], text="Bad words").frame
    frame["spans"] = [((0, 3, True), (4, 9, False))]
    words = (WordScore(0, 3, 0.9), WordScore(4, 9, 0.1))
    said = SentenceLogits(0.0, 0.0, np.zeros(1, dtype=np.float32), words)
    section = figures.tokens({"x": Scored(frame, (said,))}, fusion, 10)["x"]
    assert section["word AUC"].value == 1.0
    assert [section[c].value for c in ("F0.5 words", "F0.5 characters", "top span right")] == [None] * 3


def test_gold_of_characters_leaves_gaps_unknown() -> None:
    assert character_gold(3, ((1, 2, True),)).tolist() == [-1, 1, -1, -1]


def test_false_alarms_are_counted_by_kind_and_year(fusion: Fusion) -> None:
    native = scored([0.0] * 4, [-5.0, -0.5, 5.0, -5.0], year=[2023, 2023, 2024, 2024])
    of_texts = scored([0.0] * 3, [-5.0, 5.0, 5.0], size=[5, 10, 5], year=[2023, 2023, 2024]).frame
    native.frame.loc[0, "evidence"] = True
    section = figures.false_alarms({"native": native}, {"native": of_texts}, fusion, 10)
    assert section["native"]["sentences fpr_5e-2"].value == 0.5  # sigmoid(-.5) is .38, the threshold .3
    assert section["native"]["sentences fpr_1e-2"].value == 0.25
    assert section["native 2023"]["sentences fpr_1e-2"].value == 0.0
    assert section["native 2024"]["sentences fpr_1e-2"].value == 0.5
    assert section["native"]["texts fpr_1e-2"].value == pytest.approx(2 / 3)
    assert section["native 2023"]["texts of 10 fpr_1e-2"] == Figure(1.0, 1)  # one article has no interval
    assert section["native"]["evidence shown"].value == 0.25
    assert not any("fpr_1e-3" in column for column in section["native"])


def test_calibration_weighs_machine_and_people_alike() -> None:
    trips = scored([1.0] * 10, [0.0] * 10)
    humans = {"originals": scored([0.0] * 2, [0.0] * 2)}
    texts = {"originals": scored([0.0], [-700.0], size=[1]).frame}
    section = figures.calibration(trips, humans, scored([0.5], [700.0], size=[1]).frame, texts)
    row = section["sentence score against gold damage"]
    assert row["calibration error"].value == pytest.approx(0.0)
    assert row["mean gold"].value == pytest.approx(0.5)
    assert section["the same, round trips only"]["calibration error"].value == pytest.approx(0.5)
    assert section["text score"]["Brier"].value == pytest.approx(0.0)


# baselines


def test_ngrams_learn_words_and_nothing_of_case_or_punctuation() -> None:
    texts = [spoilt("en", sentence("en", "train", k), 4 * (k % 2)) for k in range(60)]
    machine = np.array([float(k % 2) for k in range(60)])
    model = eval.baselines.NgramModel(buckets=2**12).fit(texts, machine, np.ones(60))
    bad, good = "They cure the port deck before cold.", "They repair the old harbour bridge before winter."
    logits = model.logits([bad, good, bad.upper().replace(".", "!")])
    assert logits[0] > 0 > logits[1]
    assert logits[2] == logits[0]
    again = eval.baselines.NgramModel(buckets=2**12).fit(texts, machine, np.ones(60))
    np.testing.assert_array_equal(again.logits([bad, good]), logits[:2])


@pytest.mark.parametrize(
    ("text", "words"), [("It's 1,000 km.", 4), ("旧港口。", 4), ("جسر الميناء", 2), ("", 0)]
)
def test_length_counts_words_and_marks_in_every_script(text: str, words: int) -> None:
    assert eval.baselines.lengths([text]).tolist() == [words]


def test_rules_alone_never_speak_for_a_sentence() -> None:
    texts = ["The minister He and her deputy arrived on Monday.", "The harbour bridge opened on Monday."] * 20
    x = eval.baselines.rule_features(texts, "en")
    # damage on the clean sentences only: a rule that fires elsewhere gets no weight, not a negative one
    head = eval.baselines.fit_sentence_rules(x, np.array([0.0, 1.0] * 10 + [np.nan] * 20))
    assert min(head.weights) >= 0
    head = eval.baselines.fit_sentence_rules(x, np.array([1.0, 0.0] * 10 + [np.nan, np.nan] * 10))
    assert max(head.weights) > 0


# the whole run


def test_a_run_takes_every_figure_the_targets_need(results: dict[str, Any]) -> None:
    assert set(results["figures"]) == set(tables.TITLES)
    for target in tables.TARGETS:
        if "both unseen" in target.row:  # the invented corpora have no such cell
            continue
        figure = results["figures"][target.section][target.row][target.column]
        assert figure["value"] is not None, target.name
        assert "interval" in figure or "n-grams" in target.column, target.name


def test_a_run_knows_its_splits(results: dict[str, Any]) -> None:
    alarms = results["figures"]["false_alarms"]
    assert alarms["native"]["sentences fpr_1e-2"]["n"] == 400
    assert results["seen"] == ["de", "fr", "google", "nllb"]
    assert results["tried_on_dev"] == ["argos", "sl"]
    # two native sentences are originals: 4 documents of 24 lines, 8 of FLORES, 398 native, 80 translated
    against = results["figures"]["damage"]["10 % most damaged, against human text"]["AUC fused"]["against"]
    assert against == 4 * 24 + 8 + 398 + 80
    assert results["figures"]["ranks"]["MQM penalty"]["fused"]["n"] == 6  # a fifth of ten documents
    assert results["figures"]["damage"]["10 % most damaged, against human text"]["AUC n-grams"]["value"] > 0.9


def test_results_hold_no_sentence_and_stay_small(results: dict[str, Any], tmp_path: Path) -> None:
    data, page = eval.run.write(results, tmp_path / "new" / "results")
    text = data.read_text(encoding="utf-8")
    signature = results["signature"]
    assert data.name == f"{signature['version']}-{signature['model']}-en-test-quick.json"
    assert data.stat().st_size < 200_000
    assert json.loads(text) == json.loads(json.dumps(results))
    for wording in (text, page.read_text(encoding="utf-8")):
        assert "council" not in wording
        assert "harbour" not in wording
    assert "## False alarms" in page.read_text(encoding="utf-8")
    assert "| human/native.parquet |" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["zh", "ar"])
def test_another_language_without_labels_is_measured_on_what_there_is(
    language: str, folders: Callable[[str], tuple[Path, Path]], tiny_model: Path
) -> None:
    corpora, golds = folders(language)
    results = eval.run.measure(corpora, golds, tiny_model, language, "test", quick=True)
    kinds = set(results["figures"]["false_alarms"])
    assert kinds == {"originals", "native", "native 2023", "human translation"}
    assert list(results["figures"]["tokens"]) == ["aligned round trips"]
    assert results["figures"]["texts"]["news 2018: 10"]["AUC"]["value"] is not None
    assert "no data" in tables.headline(results)


def test_dev_never_looks_at_the_marked_test_part(
    folders: Callable[[str], tuple[Path, Path]], tiny_model: Path
) -> None:
    corpora, golds = folders("en")
    results = eval.run.measure(corpora, golds, tiny_model, "en", "dev", quick=True)
    assert "MQM penalty" not in results["figures"]["ranks"]
    assert list(results["figures"]["tokens"]) == ["aligned round trips"]  # the invented edits are all test


# command and pages

PAGE = "# Card\n\n<!-- figures -->\nsuperseded\n<!-- /figures -->\n\nThe end.\n"


def test_command_writes_results_and_pages_and_prints_sentences_only_to_the_terminal(
    folders: Callable[[str], tuple[Path, Path]],
    tiny_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    results: dict[str, Any],
) -> None:
    corpora, golds = folders("en")
    card = tmp_path / "card.md"
    card.write_text(PAGE, encoding="utf-8")
    arguments = ["--corpora", corpora, "--gold", golds, "--model", tiny_model, "--output", tmp_path / "out"]
    eval.run.main([*map(str, arguments), "--quick", "--read", "2", "--model-card", str(card)])
    printed = capsys.readouterr().out
    (data,) = (tmp_path / "out").glob("*.json")
    assert str(data) in printed
    # a second run gives equal figures
    assert json.loads(data.read_text(encoding="utf-8")) == json.loads(json.dumps(results))
    assert "missed at 0.500" in printed
    assert "port deck" in printed
    assert "{" in printed
    written = card.read_text(encoding="utf-8")
    assert written.startswith("# Card\n\n<!-- figures -->\nSplit `test`")
    assert written.endswith("<!-- /figures -->\n\nThe end.\n")
    assert "superseded" not in written
    assert "harbour" not in written

    # the same figures, from the file, without a model or corpora
    again = tmp_path / "again.md"
    again.write_text(PAGE, encoding="utf-8")
    eval.run.main(["--results", str(data), "--model-card", str(again)])
    assert again.read_text(encoding="utf-8") == written


def test_missing_gold_is_named(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        eval.run.main(["--gold", str(tmp_path), "--model", str(tiny_model), "--output", str(tmp_path)])
    assert stopped.value.code == 2
    assert "en-train.parquet is not there" in capsys.readouterr().err


def test_model_without_fused_heads_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    (folder / "fusion.json").unlink()
    with pytest.raises(ValueError, match=r"fusion\.json"):
        eval.run.measure(tmp_path, tmp_path, folder, "en", "test")


@pytest.mark.parametrize(
    ("page", "name"),
    [("no marks", "none"), ("<!-- /figures -->\n<!-- figures -->", "turned round"), (PAGE + PAGE, "twice")],
)
def test_pages_without_exactly_one_place_are_left_alone(
    page: str, name: str, results: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / f"{name}.md"
    path.write_text(page, encoding="utf-8")
    with pytest.raises(ValueError, match=path.name):
        tables.insert_figures(path, results)
    assert path.read_text(encoding="utf-8") == page


@pytest.mark.parametrize(
    ("value", "at_least", "verdict"),
    [
        (0.85, True, "| met |"),
        (0.8499, True, "| missed |"),
        (0.8501, False, "| missed |"),
        (None, True, "| no data |"),
    ],
)
def test_table_says_met_missed_or_no_data(
    value: float | None,
    at_least: bool,
    verdict: str,
    results: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tables.Target("it", "damage", "row", "column", 0.85, at_least)
    monkeypatch.setattr(tables, "TARGETS", (target,))
    cell = {"value": value, "n": 1200, "against": 3400, "interval": [0.8, 0.9]}
    lines = tables.headline({**results, "figures": {"damage": {"row": {"column": cell}}}}).splitlines()
    assert lines[-1].endswith(verdict)
    assert "| 1,200 / 3,400 |" in lines[-1]
    assert ("(.800 to .900)" in lines[-1]) is (value is not None)
