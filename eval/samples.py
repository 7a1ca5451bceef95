"""The sentences and texts that figures are taken from, in frames of one form.

Every frame of sentences has the columns

- ``text``: one sentence;
- ``cluster``: its original, or itself: what a bootstrap draws together;
- ``article``: consecutive lines of equal ``article`` are a text; empty where there is no text;
- ``document``: what a bootstrap over texts draws together;
- ``line``: position in the article.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.fuse import TEXT_FEATURES, Vector, text_features
from detector.report import Evidence
from training.corpora import BLOCK, SEED, read
from training.examine import runs, text_evidence
from training.examples import Example, marked_segments, marked_words, tagged_spans
from training.fusion import LENGTHS

HUMAN = ("native", "human_translation", "informal_ewt", "chat", "news_abc")
_NEWS = ("native", "human_translation")
_OF_A_SENTENCE = ("text", "provenance", "fused", "encoder", "rule_scores", "ngram_provenance", "evidence")
"""What a text is made of."""
_HOPS_TEXT = 10
"""Consecutive lines of one engine that `choose_hops` takes together: a text."""
_MIN_BYTES = 20
"""Shorter lines of people's text are left out, as in `training.fusion`: the detector abstains on most
of them. In UTF-8, where an ideograph counts as three letters."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is read; None is everything.

    Attributes:
        seen_pairs: Pivot and engine combinations of one news document, both known from train.
        other_pairs: Combinations of each other class of `Familiar.cell`.
        documents: News documents.
        flores: FLORES originals, with all their round trips.
        human: Sentences of each kind of people's news.
        informal: Sentences of each other kind of people's text.
        labelled: Sentences of each set that people labelled.
        aligned: Round trips aligned with their originals.
        texts: Texts of one kind and length.
        robustness: Sentences of each kind that are changed harmlessly.
        resamples: Draws of a bootstrap.
    """

    seen_pairs: int = 6
    other_pairs: int = 2
    documents: int | None = None
    flores: int | None = None
    human: int = 6000
    informal: int = 3100
    labelled: int = 4000
    aligned: int = 8000
    texts: int = 4000
    robustness: int = 800
    resamples: int = 200


QUICK = Sizes(
    seen_pairs=3,
    other_pairs=1,
    documents=16,
    flores=40,
    human=600,
    informal=200,
    labelled=150,
    aligned=200,
    texts=200,
    robustness=60,
    resamples=20,
)


@dataclass(frozen=True, slots=True)
class Familiar:
    """Which engines and pivots training, and choosing on dev, have shown.

    Attributes:
        seen: Engines and pivots of train.
        tried: Those of dev that are not in train.
    """

    seen: frozenset[str]
    tried: frozenset[str]

    @classmethod
    def of(cls, train: pd.DataFrame, dev: pd.DataFrame) -> Familiar:
        """Read them off the gold of both splits."""
        seen = frozenset({*train["engine"], *train["pivot"]})
        return cls(seen, frozenset({*dev["engine"], *dev["pivot"]}) - seen)

    def cell(self, engine: str, pivot: str) -> str:
        """Give ``seen``, ``unseen engine``, ``unseen pivot``, ``both unseen`` or ``unseen, tried on dev``."""
        if {engine, pivot} & self.tried:
            return "unseen, tried on dev"
        unseen = (engine not in self.seen, pivot not in self.seen)
        return {
            (False, False): "seen",
            (True, False): "unseen engine",
            (False, True): "unseen pivot",
            (True, True): "both unseen",
        }[unseen]


def choose_roundtrips(gold: pd.DataFrame, familiar: Familiar, sizes: Sizes) -> pd.DataFrame:
    """Choose round trips: all of FLORES, and of each news document a few combinations, whole.

    Args:
        gold: What `training.damage` wrote for a split.
        familiar: What makes a combination seen or unseen.
        sizes: How many.

    Returns:
        The rows, with the columns of this module and ``cell``; index 0, 1, 2, ...
    """
    rng = np.random.default_rng(SEED)
    frame = gold.reset_index(drop=True)
    frame["cell"] = [familiar.cell(e, p) for e, p in zip(frame["engine"], frame["pivot"], strict=True)]
    news = frame["origin"] == "newstest"
    frame["document"] = _document(frame)
    frame.loc[~news, "document"] = frame.loc[~news, "original_id"]
    kept = _some(frame.loc[news, "document"], sizes.documents, rng)
    kept |= _some(frame.loc[~news, "document"], sizes.flores, rng)
    frame = frame[frame["document"].isin(kept)]

    combinations = ["document", "pivot", "engine", "cell"]
    pairs = frame.loc[frame["origin"] == "newstest", combinations].drop_duplicates().sort_values(combinations)
    pairs = pairs.iloc[rng.permutation(len(pairs))]
    rank = pairs.groupby(["document", "cell"]).cumcount()
    pairs = pairs[rank < np.where(pairs["cell"] == "seen", sizes.seen_pairs, sizes.other_pairs)]
    chosen = set(pairs[combinations[:3]].itertuples(index=False, name=None))
    of_row = frame[combinations[:3]].itertuples(index=False, name=None)
    frame = frame[[o == "flores" or c in chosen for o, c in zip(frame["origin"], of_row, strict=True)]]
    frame = frame.reset_index(drop=True)
    frame["text"], frame["cluster"] = frame["roundtrip"], frame["original_id"]
    frame["article"] = _article(frame, "year", "docid", "pivot", "engine")
    return frame


def originals_of(roundtrips: pd.DataFrame) -> pd.DataFrame:
    """Give the originals of chosen round trips once each, in the form of this module.

    Line numbers differ between the pivots of one document; those of the pivot that has most of
    its lines are taken, and lines that it lacks belong to no text.
    """
    count = roundtrips.groupby(["document", "pivot"])["original_id"].nunique()
    count = count.sort_values(kind="stable").reset_index().drop_duplicates("document", keep="last")
    reference = roundtrips["document"].map(count.set_index("document")["pivot"])
    frame = roundtrips.assign(aside=roundtrips["pivot"] != reference).sort_values("aside", kind="stable")
    frame = frame.drop_duplicates("original_id").reset_index(drop=True)
    frame["text"] = frame["original"]
    frame["article"] = _article(frame, "year", "docid").where(~frame["aside"], "")
    return frame.drop(columns=["aside", "roundtrip", "damage", "visible", "meaning", "marks", "even"])


def choose_hops(gold: pd.DataFrame, most: int) -> pd.DataFrame:
    """Choose about ``most`` machine translations: runs of ten consecutive lines, of all engines alike.

    Args:
        gold: What `training.damage` wrote of single hops of a split.
        most: Rows.

    Returns:
        The rows, with the columns of this module; index 0, 1, 2, ... Each run is an article.
    """
    rng = np.random.default_rng(SEED)
    by = ["origin", "year", "docid", "pivot", "engine"]
    # an engine of several versions has a line more than once
    frame = gold.drop_duplicates([*by, "line"]).reset_index(drop=True)
    frame["text"], frame["cluster"] = frame["roundtrip"], frame["original_id"]
    frame["document"], frame["article"] = _document(frame), ""
    found: dict[str, list[npt.NDArray[np.int64]]] = {}
    for run in runs(frame, by, _HOPS_TEXT):
        found.setdefault(frame.at[run[0], "engine"], []).append(run)
    for engine, of_engine in sorted(found.items()):
        share = max(1, most // _HOPS_TEXT // len(found))
        for k in rng.permutation(len(of_engine))[:share]:
            frame.loc[of_engine[k], "article"] = f"{engine}/{k}"
    return frame[frame["article"] != ""].reset_index(drop=True)


def translations_of(gold: pd.DataFrame, most: int) -> pd.DataFrame:
    """Give the human sides of single hops once each, in order, in the form of this module.

    Lines of FLORES follow each other as one article, though every three to five are of another.

    Args:
        gold: What `training.damage` wrote of single hops of a split.
        most: Rows.
    """
    frame = gold.drop_duplicates("original_id").sort_values(["origin", "year", "docid", "line"])
    frame = frame.head(most).reset_index(drop=True)
    frame["text"], frame["cluster"] = frame["original"], frame["original_id"]
    frame["document"] = _document(frame)
    frame["article"] = frame["origin"] + "/" + frame["year"].astype(str) + "/" + frame["docid"].fillna("")
    return frame.drop(columns=["roundtrip", "damage", "visible", "meaning", "marks", "even"])


def human(corpora: Path, language: str, split: str, table: str, most: int) -> pd.DataFrame:
    """Read up to ``most`` sentences of people's text, whole articles or blocks of 40 lines of them.

    Tables that keep no articles are cut into blocks as they stand: their texts are sentences of
    one kind, not of one author. An unknown language gives an empty frame.
    """
    news = table in _NEWS
    columns = ("text", "text_id", *(("line", "year", "docid", "origlang") if news else ()))
    frame = read(corpora, f"human/{table}", columns, lang=language, split=split)
    frame = frame[frame["text"].str.encode("utf-8").str.len() >= _MIN_BYTES].reset_index(drop=True)
    if not news:
        frame = frame.assign(line=range(len(frame)), year=0, docid=None, origlang=table)
    frame["document"] = frame["origlang"] + "/" + _document(frame)
    sizes = frame.groupby("document").size()
    sizes = sizes.iloc[np.random.default_rng(SEED).permutation(len(sizes))]
    kept = sizes.index[sizes.cumsum() <= most]
    frame = frame[frame["document"].isin(kept)].reset_index(drop=True)
    frame["cluster"] = frame["text_id"]
    frame["article"] = frame["document"]
    return frame


def judged(gold: pd.DataFrame) -> pd.DataFrame:
    """Give every round trip that somebody read, evenly drawn or not, in an order that chance decides.

    Returns:
        The columns of ``gold``, ``text``, ``cluster`` and ``spans`` (see `training.examples`), None
        where the reader did not say which words are damaged.
    """
    frame = gold[gold["damage"].notna()].sample(frac=1, random_state=SEED).reset_index(drop=True)
    frame["text"], frame["cluster"] = frame["roundtrip"], frame["original_id"]
    frame["spans"] = [marked_words(t, m) for t, m in zip(frame["text"], frame["marks"], strict=True)]
    return frame


def post_edited(corpora: Path, language: str, split: str, most: int) -> pd.DataFrame:
    """Read up to ``most`` machine translations of each source language with HTER and word tags.

    Returns:
        Columns ``text``, ``cluster``, ``pair``, ``hter`` and ``spans`` (see `training.examples`).
    """
    columns = ("pair", "idx", "mt", "word_tags", "hter")
    frame = read(corpora, "labels/mlqe_word_tags", columns, source_split=split)
    frame = frame[frame["pair"].str.endswith(f"-{language}")]
    frame = frame.groupby("pair").head(most).reset_index(drop=True)
    frame["text"] = frame["mt"].str.strip()
    frame["cluster"] = frame["pair"] + "/" + frame["idx"].astype(str)
    frame["spans"] = [
        tagged_spans(t, tags) for t, tags in zip(frame["text"], frame["word_tags"], strict=True)
    ]
    return frame.drop(columns=["mt", "word_tags"])


def marked(corpora: Path, language: str, most: int) -> pd.DataFrame:
    """Read up to ``most`` segments of the held-out documents in which people marked errors (MQM).

    Returns:
        Columns ``text``, ``cluster``, ``damage`` and ``spans``.
    """
    examples = marked_segments(corpora, language, test=True)
    order = np.random.default_rng(SEED).permutation(len(examples))[:most]
    some: list[Example] = [examples[i] for i in order]
    return pd.DataFrame(
        {
            "text": [e.text for e in some],
            "cluster": [str(i) for i in order],
            "damage": [e.damage for e in some],
            "spans": [e.spans for e in some],
        }
    )


def build_texts(
    sentences: pd.DataFrame,
    provenance: Vector,
    damage: Vector,
    rule_scores: Vector,
    language: str,
    *,
    most: int,
    lengths: Sequence[int] = LENGTHS,
) -> tuple[list[npt.NDArray[np.int64]], Vector, list[tuple[Evidence, ...]]]:
    """Build texts of consecutive sentences of one article, none used twice for one length.

    Args:
        sentences: A frame of this module. Length n.
        provenance: Provenance logit of each sentence. Shape (n,).
        damage: Fused damage logit of each. Shape (n,).
        rule_scores: Summed sureness of the sentence rules in each. Shape (n,).
        language: For the text rules.
        most: At most so many texts of one length.
        lengths: Sentences of a text.

    Returns:
        Rows of the sentences of each text, its features, shape (texts, len(TEXT_FEATURES)), and
        what the text rules found in it.
    """
    texts, features, found_in_texts = [], [], []
    words, article = sentences["text"].to_numpy(), sentences["article"].to_numpy()
    rng = np.random.default_rng(SEED)
    for length in lengths:
        found = [run for run in runs(sentences, ["article"], length) if article[run[0]]]
        for i in sorted(rng.permutation(len(found))[:most]):
            run = found[i]
            evidence = text_evidence(words[run].tolist(), language) if length > 1 else ()
            texts.append(run)
            features.append(text_features(provenance[run], damage[run], rule_scores[run], evidence))
            found_in_texts.append(evidence)
    return texts, np.array(features, dtype=np.float64).reshape(-1, len(TEXT_FEATURES)), found_in_texts


def mix(roundtrips: pd.DataFrame, originals: pd.DataFrame, length: int, share: float) -> pd.DataFrame:
    """Launder only a share of each text: the other sentences are the author's own.

    The texts are those that `build_texts` makes of ``length`` consecutive round trips through one
    pivot and engine. Where the share is no whole number of sentences, chance rounds it.

    Args:
        roundtrips: Scored round trips, index 0, 1, 2, ...
        originals: Their scored originals.
        length: Sentences of a text.
        share: Of its sentences.

    Returns:
        ``roundtrips`` with the columns of the original in place of some rows'.
    """
    rng = np.random.default_rng(SEED)
    laundered = np.zeros(len(roundtrips), dtype=bool)
    for run in runs(roundtrips, ["article"], length):
        laundered[rng.choice(run, int(length * share + rng.random()), replace=False)] = True
    own = originals.set_index("original_id").loc[roundtrips["original_id"], list(_OF_A_SENTENCE)]
    own.index = roundtrips.index
    return roundtrips.assign(**{c: roundtrips[c].where(laundered, own[c]) for c in _OF_A_SENTENCE})


def file_hash(path: Path) -> str:
    """Give the first 12 hex digits of a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _document(frame: pd.DataFrame) -> pd.Series[str]:
    """Name the article of each row; where none is known, its block of lines."""
    block = "lines " + (frame["line"] // BLOCK).astype(str)
    return frame["year"].astype(str) + "/" + frame["docid"].fillna("").where(frame["docid"].notna(), block)


def _article(frame: pd.DataFrame, *columns: str) -> pd.Series[str]:
    """Name the text each row stands in; FLORES has none long enough."""
    named = frame[list(columns)].astype(object).fillna("").astype(str).agg("/".join, axis=1)
    return named.where(frame["origin"] == "newstest", "")


def _some(names: pd.Series[str], most: int | None, rng: np.random.Generator) -> set[str]:
    every = sorted(set(names))
    return set(every) if most is None else {every[i] for i in rng.permutation(len(every))[:most]}
