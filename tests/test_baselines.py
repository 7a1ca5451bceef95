from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from detector.fuse import (
    SENTENCE_FEATURES,
    SENTENCE_RULES,
    TEXT_FEATURES,
    SentenceLogits,
    Vector,
    provenance_logits,
)
from eval.baselines import OF_ENCODER, OF_RULES, Heads, kinds
from eval.samples import build_texts
from training.examine import Examined

PLAIN = "The harbour bridge opened on Monday."


def sentences(damaged: bool, *, lines: int = 40) -> tuple[pd.DataFrame, Examined]:
    """Sentences of which the encoder sees every second damaged one, and a rule every third."""
    rng = np.random.default_rng(int(damaged))
    frame = pd.DataFrame(
        {"text": [PLAIN] * lines, "article": "a", "line": range(lines), "damage": float(damaged)}
    )
    x = np.zeros((lines, len(SENTENCE_FEATURES)))
    x[:, :3] = rng.normal(size=(lines, 3))
    if damaged:
        x[::2, 0] += 3
        x[::3, SENTENCE_FEATURES.index("casing.inside")] = 1.0
    logits = tuple(SentenceLogits(v, v, np.zeros(1, dtype=np.float32), ()) for v in x[:, 0])
    return frame, Examined(logits, x, ((),) * lines)


@pytest.fixture(scope="module")
def fitted() -> dict[str, Heads]:
    frames, examined = zip(sentences(True), sentences(False), sentences(False), strict=True)
    return {
        name: Heads.fit(frames, examined, "en", without=without, most=100)
        for name, without in (("rules", OF_ENCODER), ("encoder", OF_RULES), ("both", ()))
    }


def weights(head: Heads) -> dict[str, float]:
    return dict(zip(SENTENCE_FEATURES, head.sentence.weights, strict=True))


def test_what_is_left_out_has_no_weight_and_the_rest_has(fitted: dict[str, Heads]) -> None:
    assert weights(fitted["rules"])["casing.inside"] > 0
    assert not any(weights(fitted["rules"])[f] for f in OF_ENCODER if f in SENTENCE_FEATURES)
    assert weights(fitted["encoder"])["model.damage"] > 0
    assert not any(weights(fitted["encoder"])[f] for f in SENTENCE_RULES)
    assert weights(fitted["both"])["casing.inside"] > 0
    assert weights(fitted["both"])["model.damage"] > 0
    of_text = dict(zip(TEXT_FEATURES, fitted["encoder"].text.weights, strict=True))
    assert not any(of_text[f] for f in OF_RULES if f in TEXT_FEATURES)
    assert any(of_text[f] > 0 for f in ("provenance.mean", "provenance.upper", "damage.mean", "damage.upper"))


def test_features_that_are_left_out_move_no_score(fitted: dict[str, Heads]) -> None:
    _, examined = sentences(True)
    loud = examined.features.copy()
    loud[:, 4:] = 2.0
    head = fitted["encoder"].sentence
    np.testing.assert_allclose(head.logits(loud), head.logits(examined.features))
    assert (fitted["rules"].sentence.logits(loud) > fitted["rules"].sentence.logits(examined.features)).all()


def test_every_feature_belongs_to_one_half() -> None:
    assert not OF_RULES & OF_ENCODER
    assert {*SENTENCE_FEATURES, *TEXT_FEATURES} == OF_RULES | OF_ENCODER


def test_texts_are_read_by_the_heads_own_sentences(fitted: dict[str, Heads]) -> None:
    frame, examined = sentences(True)
    head = fitted["encoder"]
    damage = head.sentence.logits(examined.features)

    def build(of_sentences: Vector) -> tuple[list[np.ndarray[tuple[int], np.dtype[np.int64]]], Vector]:
        rows, x, _ = build_texts(
            frame,
            provenance_logits(None, examined.logits),
            of_sentences,
            examined.rule_scores,
            "en",
            most=100,
            lengths=(1, 5),
        )
        return rows, x

    rows, own = build(damage)
    _, others = build(np.full(len(frame), 99.0))
    np.testing.assert_allclose(head.of_texts(others, rows, damage), head.text.logits(own))
    assert not np.allclose(head.text.logits(others), head.text.logits(own)) or not any(head.text.weights[2:4])
    assert others[0, TEXT_FEATURES.index("damage.mean")] == 99.0  # the features given are left alone


def test_each_kind_says_what_its_own_rules_say() -> None:
    x = np.zeros((2, len(SENTENCE_FEATURES)))
    x[0, SENTENCE_FEATURES.index("untranslated.script")] = 1.0
    x[0, SENTENCE_FEATURES.index("untranslated.words")] = 0.5
    x[1, SENTENCE_FEATURES.index("number.odd")] = 0.8
    x[:, 0] = 7.0  # the encoder is no rule
    of = kinds(x)
    assert of["untranslated"].tolist() == [1.5, 0.0]
    assert of["number"].tolist() == [0.0, 0.8]
    assert not of["syntax"].any()
    assert "name" not in of  # only a whole text shows it
    assert sum(v.sum() for v in of.values()) == pytest.approx(2.3)


def test_texts_have_kinds_of_their_own() -> None:
    x = np.zeros((1, len(TEXT_FEATURES)))
    x[0, TEXT_FEATURES.index("names.drift")] = 0.9
    assert {kind: v.tolist() for kind, v in kinds(x, TEXT_FEATURES).items()} == {
        "name": [0.9],
        "casing": [0.0],
    }
