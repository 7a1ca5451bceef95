"""What the fused heads promise: parts that add up, features in order, files that load whole or not at all."""

from __future__ import annotations

import doctest
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import detector.fuse
from detector.fuse import (
    SENTENCE_FEATURES,
    TEXT_FEATURES,
    Fusion,
    Logistic,
    SentenceLogits,
    sentence_features,
    sigmoid,
    text_features,
)
from detector.report import Evidence
from detector.spans import WordScore

PIVOT = np.zeros(2, dtype=np.float32)


def evidence(rule: str, score: float) -> Evidence:
    return Evidence(0, 1, "term", score, rule, "")


def test_doctests_hold() -> None:
    assert doctest.testmod(detector.fuse).failed == 0


@given(st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 3), min_size=1, max_size=8), st.floats(-10, 10))
def test_contributions_add_up_to_the_logit(rows: list[tuple[float, float, float]], bias: float) -> None:
    x, weights, means = (np.array(column) for column in zip(*rows, strict=True))
    names = tuple(f"f{i}" for i in range(len(rows)))
    head = Logistic(names, tuple(weights.tolist()), tuple(means.tolist()), bias)
    parts = head.contributions(x)
    assert list(parts) == ["bias", *names]
    assert sum(parts.values()) == pytest.approx(float(head.logits(x[None])[0]), rel=1e-9, abs=1e-6)


def test_a_feature_at_its_mean_contributes_nothing() -> None:
    head = Logistic(("a", "b"), (2.0, -1.0), (0.5, 3.0), 0.25)
    assert head.contributions(np.array([0.5, 4.0])) == {"bias": 0.25, "a": 0.0, "b": -1.0}


@pytest.mark.parametrize(("logit", "expected"), [(0, 0.5), (1e9, 1.0), (-1e9, 0.0), (math.log(3), 0.75)])
def test_sigmoid_never_overflows(logit: float, expected: float) -> None:
    assert sigmoid(logit) == pytest.approx(expected)


def test_sentence_features_follow_their_names() -> None:
    words = tuple(WordScore(i, i + 1, s) for i, s in enumerate((0.2, 0.9, 0.4, 0.5)))
    found = [
        evidence("casing.inside", 0.9),
        evidence("casing.inside", 0.8),
        evidence("casing.inside", 0.7),
        evidence("repetition.ngram", 0.6),
        evidence("names.drift", 1.0),  # a text rule is no feature of a sentence
    ]
    features = sentence_features(SentenceLogits(1.5, -2.0, PIVOT, words), found)
    values = dict(zip(SENTENCE_FEATURES, features.tolist(), strict=True))
    assert values["model.damage"] == 1.5
    assert sigmoid(values["model.token_top"]) == pytest.approx((0.9 + 0.5 + 0.4) / 3)
    assert sigmoid(values["model.token_mean"]) == pytest.approx(0.5)
    assert values["length"] == pytest.approx(math.log2(5))
    assert values["casing.inside"] == 2.0
    assert values["repetition.ngram"] == 0.6
    others = set(SENTENCE_FEATURES[4:]) - {"casing.inside", "repetition.ngram"}
    assert {values[name] for name in others} == {0.0}


def test_a_sentence_without_words_has_finite_features() -> None:
    assert np.isfinite(sentence_features(SentenceLogits(0.0, 0.0, PIVOT, ()), [])).all()


def test_text_features_follow_their_names() -> None:
    provenance, damage = [0.0, 1.0, 2.0, 5.0], [-4.0, -3.0, -2.0, 1.0]
    features = text_features(provenance, damage, [0.0, 0.0, 0.8, 0.0], [evidence("names.drift", 0.7)])
    values = dict(zip(TEXT_FEATURES, features.tolist(), strict=True))
    assert values["provenance.mean"] == 2.0
    assert values["provenance.upper"] == 3.5
    assert values["damage.mean"] == -2.0
    assert values["damage.upper"] == -0.5
    assert values["length"] == 2.0
    assert values["provenance.upper*length"] == 7.0
    assert values["rules"] == pytest.approx(0.2)
    assert values["names.drift"] == 0.7
    assert values["casing.start"] == 0.0


def test_one_sentence_makes_a_text() -> None:
    assert np.isfinite(text_features([0.3], [0.1], [9.0], [])).all()


def test_save_and_load_give_an_equal_head(tiny_model: Path, tmp_path: Path) -> None:
    fusion = Fusion.load(tiny_model)
    fusion.save(tmp_path)
    assert Fusion.load(tmp_path) == fusion
    assert Fusion.load(tmp_path).to_json() == fusion.to_json()


def spoil(data: dict[str, Any], change: str) -> str:
    """Give the text of a fusion file with one thing wrong."""
    head = data["sentence"]
    changes: dict[str, Callable[[], Any]] = {
        "order": lambda: head["features"].reverse(),
        "dropped feature": lambda: [head[k].pop() for k in ("features", "weights", "means")],
        "nan weight": lambda: head["weights"].__setitem__(0, math.nan),
        "infinite bias": lambda: data["text"].__setitem__("bias", math.inf),
        "nan threshold": lambda: data["operating_points"]["fpr_1e-2"].__setitem__("sentence", math.nan),
        "one weight too few": lambda: head["weights"].pop(),
        "word for a weight": lambda: head["weights"].__setitem__(0, "much"),
        "no text head": lambda: data.pop("text"),
        "points in a list": lambda: data.__setitem__("operating_points", [1]),
        "half a point": lambda: data["operating_points"]["fpr_1e-2"].pop("text"),
        "rule unknown": lambda: data["shown_rules"].append("casing.sideways"),
    }
    changes[change]()
    return json.dumps(data)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("order", "another order"),
        ("dropped feature", "other features"),
        ("nan weight", "NaN is not a finite number"),
        ("infinite bias", "Infinity is not a finite number"),
        ("nan threshold", "NaN is not a finite number"),
        ("one weight too few", "differ in number"),
        ("word for a weight", "much"),
        ("no text head", "text"),
        ("points in a list", "not a fusion file"),
        ("half a point", "text"),
        ("rule unknown", "casing.sideways"),
    ],
)
def test_a_spoilt_file_is_named_with_the_reason(
    tiny_model: Path, tmp_path: Path, change: str, reason: str
) -> None:
    data = json.loads((tiny_model / "fusion.json").read_text(encoding="utf-8"))
    (tmp_path / "fusion.json").write_text(spoil(data, change), encoding="utf-8")
    with pytest.raises(ValueError, match=rf"fusion\.json: .*{reason}"):
        Fusion.load(tmp_path)


BROKEN = [None, b"", b"[]", b"null", b'{"sentence"', b"\xff\xfe", b'{"sentence": 1e999}']


@pytest.mark.parametrize("content", BROKEN)
def test_what_is_no_fusion_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "fusion.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"fusion\.json: not a fusion file"):
        Fusion.load(tmp_path)
