from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detector.tokens import Tokenizer
from training.examples import Share, stream
from training.replaced import StandIns, replace, stand_ins

pytest_plugins = ["tests.corpora_fixture"]

TEXTS = [
    "The council meets on Monday and the mayor speaks first.",
    "The council met on Friday and the mayor spoke last.",
    "A council meets on Sunday, and a mayor speaks.",
    "Zürich and Łódź meet; naïve 😀 mayors speak on and on.",
]


@pytest.fixture
def tokenizer(tiny_base: Path) -> Tokenizer:
    return Tokenizer(tiny_base, max_tokens=128)


@pytest.fixture
def others(tokenizer: Tokenizer) -> StandIns:
    rng = np.random.default_rng(3)
    pieces = tokenizer.longest().ids[0] + 1
    return stand_ins(tokenizer, rng.normal(size=(pieces, 4)).astype(np.float32), TEXTS * 3)


def test_what_stands_in_is_near_and_another_piece(tokenizer: Tokenizer, others: StandIns) -> None:
    assert sum(map(len, others.near.values())) > 50
    assert abs(others.weights.sum() - 1) < 1e-9
    window = tokenizer.windows(TEXTS[0])[0]
    for piece, (start, end) in zip(window.ids, window.offsets, strict=True):
        if start >= 0:
            assert TEXTS[0][start:end].lower() not in {o.lower() for o in others.near.get(int(piece), ())}


def test_vectors_decide_what_is_near(tokenizer: Tokenizer) -> None:
    texts = ["monday friday", "sunday then", "monday sunday", "friday then"] * 3
    known = sorted({int(p) for t in texts for p in tokenizer.windows(t)[0].ids})
    vectors = np.zeros((max(known) + 1, 2), dtype=np.float32)
    vectors[:, 1] = 1.0
    written: dict[int, str] = {}
    for text in texts:
        window = tokenizer.windows(text)[0]
        written |= {int(p): text[a:b] for p, (a, b) in zip(window.ids, window.offsets, strict=True) if a >= 0}
    first, second = list(written)[:2]
    vectors[[first, second]] = (1.0, 0.0)
    near = stand_ins(tokenizer, vectors, texts).near
    assert set(near[first]) <= {written[second]}


@pytest.mark.parametrize("text", TEXTS)
def test_only_the_places_told_differ(text: str, tokenizer: Tokenizer, others: StandIns) -> None:
    changed = 0
    for seed in range(60):
        out, places = replace(text, tokenizer, others, np.random.default_rng(seed))
        again = replace(text, tokenizer, others, np.random.default_rng(seed))
        assert (out, places) == again
        assert (out != text) == bool(places)
        kept, end, at = [], 0, 0
        for start, stop in places:
            kept.append(out[end:start])
            end = stop
        kept.append(out[end:])
        for part in kept:  # what was kept stands in the text, in turn
            at = text.index(part, at) + len(part)
        changed += bool(places)
    assert changed > 20


def test_case_does_not_give_a_piece_away(tokenizer: Tokenizer, others: StandIns) -> None:
    out = [replace(TEXTS[0], tokenizer, others, np.random.default_rng(s))[0] for s in range(60)]
    assert all(o[0].isupper() for o in out)
    assert len({o.split()[0] for o in out}) > 1


@pytest.mark.parametrize("text", ["", "12, 13.", "😀"])
def test_without_letters_nothing_is_replaced(text: str, tokenizer: Tokenizer, others: StandIns) -> None:
    assert replace(text, tokenizer, others, np.random.default_rng(0)) == (text, [])


def test_no_text_gives_no_stand_ins(tokenizer: Tokenizer) -> None:
    none = stand_ins(tokenizer, np.ones((500, 2), dtype=np.float32), [])
    assert replace(TEXTS[0], tokenizer, none, np.random.default_rng(0)) == (TEXTS[0], [])


def test_a_run_learns_from_replaced_pieces(corpora: Path, gold: Path, tokenizer: Tokenizer) -> None:
    share = Share(**{**dict.fromkeys(Share.__dataclass_fields__, 0), "replaced": 9})
    vectors = np.random.default_rng(1).normal(size=(2000, 4)).astype(np.float32)
    units = next(stream(corpora, gold, ["en"], share, 1, pieces=(tokenizer, vectors)))
    assert len(units) == 9
    for good, bad in units:
        assert good.damage == 0.0
        assert 0.4 <= bad.damage <= 1.0
        assert any(damaged for _, _, damaged in bad.spans or ())
        assert not any(damaged for _, _, damaged in good.spans or ())
    with pytest.raises(ValueError, match="pieces"):
        next(stream(corpora, gold, ["en"], share, 1))
