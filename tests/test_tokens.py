"""What the windows promise: nothing cut, nothing shifted, one style of quotes, the case of each word."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.tokens import Tokenizer, Window, normalise

SENTENCES = {
    "english": "The minister and her deputy arrived late, after the talks on Monday.",
    "emoji": "👩‍🚀 The 😀 harbour 🇫🇮 closed.",
    "arabic": "عاد الوزير إلى المدينة بعد المحادثات.",
    "chinese": "部长在谈判后回到了城市。",
    "combining": "The cafe\u0301 closed\u0301 after rain.",
    "half_pairs": "The \ud83d\ude00 bridge \ud800 closed.",
    "nul": "The\x00 bridge \x00closed.",
    "only_emoji": "😀😀",
    "blank": " ",
    "empty": "",
}


@pytest.fixture(scope="module")
def tokenizer(tiny_checkpoint: Path) -> Tokenizer:
    return Tokenizer(tiny_checkpoint, max_tokens=32)


@pytest.fixture(scope="module")
def endless(tiny_checkpoint: Path) -> Tokenizer:
    return Tokenizer(tiny_checkpoint, max_tokens=10**6)


def pieces(window: Window) -> list[tuple[int, int, int, int, int]]:
    """Give (id, case, word, start, end) of the pieces that stand in the text."""
    rows = zip(window.ids, window.cases, window.words, *window.offsets.T, strict=True)
    return [(int(i), int(c), int(w), int(a), int(b)) for i, c, w, a, b in rows if w >= 0]


def words(tokenizer: Tokenizer, sentence: str) -> list[str]:
    (window,) = tokenizer.windows(sentence)
    spans: dict[int, list[int]] = {}
    for _, _, word, start, end in pieces(window):
        spans.setdefault(word, []).extend((start, end))
    return [sentence[min(s) : max(s)] for s in spans.values()]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("english", "The minister and her deputy arrived late , after the talks on Monday .".split()),
        ("emoji", "👩‍🚀 The 😀 harbour 🇫🇮 closed .".split()),
        ("arabic", "عاد الوزير إلى المدينة بعد المحادثات .".split()),
        ("chinese", list("部长在谈判后回到了城市。")),
        ("half_pairs", "The bridge closed .".split()),  # one place each, though nothing can be read there
        ("nul", "The bridge closed .".split()),
        ("blank", []),
        ("empty", []),
    ],
)
def test_pieces_stand_where_their_words_stand(endless: Tokenizer, name: str, expected: list[str]) -> None:
    assert words(endless, SENTENCES[name]) == expected


@pytest.mark.parametrize("name", SENTENCES)
def test_windows_have_the_same_pieces_as_the_whole_sentence(
    tokenizer: Tokenizer, endless: Tokenizer, name: str
) -> None:
    sentence = SENTENCES[name] * 9
    windows = tokenizer.windows(sentence)
    (whole,) = endless.windows(sentence)
    assert all(len(w.ids) <= 32 for w in windows)
    assert {p for w in windows for p in pieces(w)} == set(pieces(whole))


def test_neighbouring_windows_share_a_quarter(tokenizer: Tokenizer) -> None:
    windows = [pieces(w) for w in tokenizer.windows("the council voted. " * 30)]
    assert len(windows) > 3
    for one, following in pairwise(windows[:-1]):
        assert one[-7:] == following[:7]
        assert one[-8] not in following


def test_every_window_stands_between_special_pieces(tokenizer: Tokenizer) -> None:
    for window in tokenizer.windows("the council voted. " * 30):
        assert [int(window.words[0]), int(window.words[-1])] == [-1, -1]
        assert window.offsets[[0, -1]].tolist() == [[-1, -1], [-1, -1]]
        assert (int(window.ids[0]), int(window.ids[-1])) == (2, 3)
        assert all(a.dtype == np.int64 for a in (window.ids, window.cases, window.offsets, window.words))


def test_no_pieces_still_give_one_window(tokenizer: Tokenizer) -> None:
    (window,) = tokenizer.windows("")
    assert window.ids.tolist() == [2, 3]
    assert window.offsets.shape == (2, 2)


@pytest.fixture(scope="module", params=["unigram", "bytes"])
def spaced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """Give a vocabulary that counts the space before a word to it: as XLM-R's, or RoBERTa's over bytes."""
    from tokenizers import Tokenizer as Pieces
    from tokenizers import models, pre_tokenizers

    if request.param == "unigram":
        known = ["▁The", "▁minister", "▁Nobody", "▁knew", "'", "s", ".", ",", "▁", "部", "▁town"]
        letters = sorted({c for word in known for c in word})
        rest = [(c, -9.0) for c in letters if c not in known]
        own = Pieces(models.Unigram([("<unk>", 0.0), *((piece, -1.0) for piece in known), *rest], unk_id=0))
        own.pre_tokenizer = pre_tokenizers.Metaspace()
    else:
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        own = Pieces(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
        own.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    folder = tmp_path_factory.mktemp(request.param)
    normalise(own).save(str(folder / "tokenizer.json"))
    return Tokenizer(folder, max_tokens=128)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("The minister’s town.", ["The", "minister", "’", "s", "town", "."]),
        ("The  minister, “Nobody knew.”", ["The", "minister", ",", "Nobody", "knew", "."]),
        ("The 部长.", ["The", "部", "长", "."]),
        ("“部” ¿knew", ["部", "¿", "knew"]),
    ],
)
def test_a_space_that_a_piece_carries_is_not_of_its_word(
    spaced: Tokenizer, sentence: str, expected: list[str]
) -> None:
    assert words(spaced, sentence) == expected


def test_quotes_are_hidden_whatever_the_vocabulary(spaced: Tokenizer) -> None:
    quoted, plain = (spaced.windows(s)[0] for s in ("“Nobody knew.”", "Nobody knew."))
    assert quoted.ids.tolist() == plain.ids.tolist()


@pytest.mark.parametrize(
    ("word", "case"),
    [
        ("bridge", 1),
        ("Bridge", 2),
        ("BRIDGE", 3),
        ("McHolm", 4),
        ("iRiver", 4),
        ("A", 5),
        ("7", 0),
        ("桥", 0),
        ("جسر", 0),
    ],
)
def test_each_piece_knows_how_its_word_is_written(endless: Tokenizer, word: str, case: int) -> None:
    sentence = f"The old {word} of Holm"
    (window,) = endless.windows(sentence)
    found = [c for _, c, _, start, _ in pieces(window) if 8 <= start < 8 + len(word)]
    assert found
    assert set(found) == {case}


@pytest.mark.parametrize("sentence", ["the old bridge", "THE OLD BRIDGE", "A", "老桥", "الجسر القديم"])
def test_a_sentence_in_one_case_says_nothing_about_case(endless: Tokenizer, sentence: str) -> None:
    (window,) = endless.windows(sentence)
    assert not window.cases.any()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("he said “no” after", 'he said "no" after'),
        ("he said «no» after", "he said ''no'' after"),
        ("he said „no“ after", "he said no after"),
        ("the council’s vote", "the council's vote"),
        ("no — not two", "no - not two"),
        ("no – not two", "no -- not two"),
        ("the\u00a0river", "the river"),
        ("the rain…", "the rain..."),
    ],
)
def test_styles_of_quotes_and_dashes_read_alike(endless: Tokenizer, one: str, other: str) -> None:
    assert endless.windows(one)[0].ids.tolist() == endless.windows(other)[0].ids.tolist()


@pytest.mark.parametrize("unit", ["the council voted, ", "大桥", "x", "\ud800 "])
def test_an_endless_sentence_keeps_every_word(endless: Tokenizer, unit: str) -> None:
    sentence = (unit * 60_000)[:60_000]
    (window,) = endless.windows(sentence)
    covered = np.zeros(len(sentence), dtype=bool)
    for _, _, _, start, end in pieces(window):
        covered[start:end] = True
    dropped = {" ", "\ud800"} if unit != "x" else set()  # BERT's normaliser reads U+FFFD as nothing
    assert {sentence[i] for i in np.flatnonzero(~covered)} <= dropped
    starts = window.offsets[1:-1, 0]
    assert (np.diff(starts) >= 0).all()
    assert (np.diff(window.words[1:-1]) >= 0).all()


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=120))
def test_any_text_gives_windows_inside_it(tiny_checkpoint: Path, sentence: str) -> None:
    for window in Tokenizer(tiny_checkpoint, max_tokens=16).windows(sentence):
        assert 2 <= len(window.ids) <= 16
        assert len(window.ids) == len(window.cases) == len(window.words) == len(window.offsets)
        for _, _, _, start, end in pieces(window):
            assert 0 <= start < end <= len(sentence)


def test_the_longest_window_is_one_a_model_must_be_able_to_read(tokenizer: Tokenizer) -> None:
    longest = tokenizer.longest()
    assert longest.ids.shape == longest.cases.shape == longest.words.shape == (32,)
    assert longest.ids.min() == longest.ids.max() > max(tokenizer.windows("the bridge")[0].ids)


@pytest.mark.parametrize("content", [None, "", "{}", "[1, 2"])
def test_a_broken_tokenizer_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"tokenizer\.json: not a tokenizer"):
        Tokenizer(tmp_path)
