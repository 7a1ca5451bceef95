"""Fit the fused heads and set the operating points, on dev: `python -m training.fusion`."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from detector.backends import Backend
from detector.backends.onnx import OnnxBackend
from detector.detect import pivot_probabilities
from detector.fuse import (
    PROVENANCE_FEATURES,
    SENTENCE_FEATURES,
    TEXT_FEATURES,
    Fusion,
    Logistic,
    OfLanguage,
    OperatingPoint,
    Vector,
    provenance_logits,
    text_features,
)
from detector.heads import read_heads
from detector.heuristics import HEURISTICS
from detector.language import script_of
from detector.report import Claim

from .corpora import SEED, documents, read, set_apart
from .damage import HOPS
from .examine import Examined, examine, runs, text_evidence
from .examples import damage_on_purpose, marked_words
from .pivots import NAMES, group_index

log = logging.getLogger(__name__)

LENGTHS = (1, 2, 5, 10, 20)
POINTS = {"fpr_5e-2": 0.05, "fpr_1e-2": 0.01, "fpr_1e-3": 0.001}
MOST = {"native": 6000, "human_translation": 4000, "informal_ewt": 1500, "chat": 1500, "news_abc": 1500}
"""Sentences of people's text that are read, by table."""

FEWEST_FALSE_ALARMS = 20
"""A threshold from fewer expected false alarms is a guess, and is stored as null."""


def fit_logistic(
    names: Sequence[str], x: Vector, gold: Vector, weight: Vector, *, positive: Sequence[bool]
) -> Logistic:
    """Fit a logistic regression to soft gold.

    Rows with gold between 0 and 1 count as both classes, in shares. A weight that comes out
    negative where ``positive`` asks otherwise is set to zero and the rest fitted again: a rule
    that found damage must never speak for a sentence.

    Args:
        names: Features. Length f.
        x: Shape (rows, f).
        gold: Soft labels, 0 to 1. Shape (rows,).
        weight: Weight of each row. Shape (rows,).
        positive: Which features may only add. Length f.
    """
    means = np.average(x, axis=0, weights=weight)
    spread = x.std(axis=0)
    kept = spread > 0
    while kept.any():
        z = (x - means)[:, kept] / spread[kept]
        both = np.concatenate([z, z])
        labels = np.concatenate([np.ones(len(z)), np.zeros(len(z))])
        shares = np.concatenate([gold * weight, (1 - gold) * weight])
        used = shares > 0
        # C = 1 on unit spread: with thousands of rows the prior only tames rules that hardly fire
        model = LogisticRegression(C=1.0, max_iter=500).fit(both[used], labels[used], shares[used])
        weights = np.zeros(len(names))
        weights[kept] = model.coef_[0] / spread[kept]
        wrong = (weights < 0) & np.asarray(positive)
        if not wrong.any():
            return Logistic(
                tuple(names), tuple(weights.tolist()), tuple(means.tolist()), float(model.intercept_[0])
            )
        kept = kept & ~wrong
    # no feature varies, or all of them pointed the wrong way: what is left is the base rate
    rate = float(np.clip(np.average(gold, weights=weight), 1e-6, 1 - 1e-6))
    return Logistic(tuple(names), (0.0,) * len(names), tuple(means.tolist()), math.log(rate / (1 - rate)))


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """Sentences of one kind with what is known of each.

    Attributes:
        frame: One row a sentence; columns ``text`` and ``line`` at least.
        examined: What encoder and rules say, in the same order.
    """

    frame: pd.DataFrame
    examined: Examined

    def texts(
        self,
        by: Sequence[str],
        head: Logistic,
        provenance_head: Logistic | None,
        language: str,
        *,
        lengths: Sequence[int] = LENGTHS,
        most: int = 4000,
    ) -> tuple[Vector, npt.NDArray[np.int64]]:
        """Build texts of consecutive sentences.

        Args:
            by: What must be equal within a text.
            head: For damage.
            provenance_head: See `detector.fuse.provenance_logits`.
            language: BCP 47 tag.
            lengths: Sentences of a text.
            most: At most so many texts of one length.

        Returns:
            Features, shape (texts, len(TEXT_FEATURES)), and lengths, shape (texts,).
        """
        rows, sizes = [], []
        damage = head.logits(self.examined.features)
        provenance = provenance_logits(provenance_head, self.examined.logits)
        rule_scores = self.examined.rule_scores
        sentences = self.frame["text"].to_numpy()
        rng = np.random.default_rng(SEED)
        # versions of one engine answer the same line more than once
        once = self.frame.drop_duplicates([*by, "line"])
        for length in lengths:
            found = list(runs(once, by, length))
            for i in rng.permutation(len(found))[:most]:
                run = found[i]
                evidence = text_evidence(sentences[run].tolist(), language) if length > 1 else ()
                rows.append(text_features(provenance[run], damage[run], rule_scores[run], evidence))
                sizes.append(length)
        shape = (-1, len(TEXT_FEATURES))
        return np.array(rows, dtype=np.float64).reshape(shape), np.array(sizes, dtype=np.int64)


@dataclasses.dataclass(frozen=True, slots=True)
class Amounts:
    """How many sentences of dev are read in a language, at most.

    Attributes:
        pairs: Round trips, or machine beside human translations; None is all.
        people: Of people's text, by table.
        made: Native sentences damaged on purpose.
        together: Sentences run together, of each table and count.
        site: Round trips damaged as sites damage links.
    """

    pairs: int | None
    people: Mapping[str, int]
    made: int
    together: int
    site: int


FULL = Amounts(None, MOST, 1500, 700, 3000)
"""For a model of one language."""
SOME = Amounts(1500, {"native": 2100, "human_translation": 1600, "web75": 200}, 100, 20, 100)
"""Of each, for a model of many."""
_FEWEST_PAIRS = 500
"""With fewer round trips of dev, machine beside human translations join them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Material:
    """What dev holds of a language.

    Attributes:
        language: BCP 47 tag.
        claim: What its text scores will be the probability of (see `detector.fuse.OfLanguage`).
        roundtrips: What a machine wrote, with gold.
        originals: The other sides, once each.
        native: News written in the language; None where there is none.
        translated: Translations by people, if any.
        informal: Tables of other text by people.
        made: People's sentences damaged on purpose.
        long: People's sentences run together.
        site: Round trips damaged as sites damage links.
    """

    language: str
    claim: Claim
    roundtrips: Table
    originals: Table
    native: Table | None
    translated: list[Table]
    informal: list[Table]
    made: Examined
    long: Examined
    site: Table

    @property
    def kinds(self) -> list[list[Table]]:
        """Kinds of people's text that there are."""
        native = [] if self.native is None else [self.native]
        return [kind for kind in ([self.originals], native, self.translated, self.informal) if kind]


def gather(
    corpora: Path, gold: Path, language: str, folder: Path, backend: Backend, amounts: Amounts
) -> Material:
    """Read dev in one language.

    Tables of people's text that the corpora lack are left out, and that is logged.

    Raises:
        FileNotFoundError: If there is no gold of dev, or no ``human/native``.
        ValueError: If dev holds no pairs, or for a model of one language no native text.
    """

    def table(name: str, most: int) -> Table | None:
        if not (corpora / f"human/{name}.parquet").is_file():
            if name == "native":
                raise FileNotFoundError(f"{corpora}/human/native.parquet is not there")
            log.warning("left out: human/ has no %s", name)
            return None
        found = human_table(corpora, language, "dev", name, folder, backend, most)
        return found if len(found.frame) else None

    pairs = pairs_of_dev(gold, language, amounts.pairs)
    originals = _originals_of(pairs)
    people = {name: table(name, most) for name, most in amounts.people.items()}
    native = people.pop("native")
    translated = [t for t in [people.pop("human_translation")] if t]
    if not translated:
        stand_in = _long_enough(set_apart(corpora, language))
        if stand_in.empty and not pairs["hop"].any():
            stand_in = _originals_of(_hops_of_dev(gold, language)).head(amounts.people["human_translation"])
            stand_in = stand_in.assign(origlang=stand_in["pivot"])
        translated = [_read_table(stand_in, language, folder, backend)] if len(stand_in) else []
    if not len(pairs) or (native is None and amounts is FULL):
        raise ValueError(f"dev holds no round trips, or no native text, in {language!r}")
    as_native = native or Table(originals, examine([], language, folder, backend))
    made = _damaged(as_native.frame["text"], amounts.made)
    long = _run_together([as_native, *translated], amounts.together)
    known = gold / f"{language}-train.parquet"
    return Material(
        language,
        "round_trip"
        if known.is_file() and len(pd.read_parquet(known, columns=["pivot"]))
        else "machine_translation",
        _read_table(pairs, language, folder, backend),
        _read_table(originals, language, folder, backend),
        native,
        translated,
        [t for t in people.values() if t],
        examine(made, language, folder, backend),
        examine(long, language, folder, backend),
        _as_on_a_site(pairs, language, folder, backend, amounts.site),
    )


def human_table(
    corpora: Path, language: str, split: str, table: str, folder: Path, backend: Backend, most: int
) -> Table:
    """Read up to ``most`` sentences of people's text, in the order of the table.

    Raises:
        FileNotFoundError: If the corpora have no such table.
    """
    in_order = table in ("native", "human_translation")
    columns = ("text", "line", "year", "docid", "origlang") if in_order else ("text",)
    frame = read(corpora, f"human/{table}", columns, lang=language, split=split)
    frame = _long_enough(frame).head(most).reset_index(drop=True)
    if not in_order:
        frame = frame.assign(line=range(len(frame)), year=0, docid=None, origlang=table)
    return _read_table(frame, language, folder, backend)


def _long_enough(frame: pd.DataFrame) -> pd.DataFrame:
    # in UTF-8, where an ideograph counts as three letters
    return frame[frame["text"].str.encode("utf-8").str.len() >= 20].reset_index(drop=True)


def _read_table(frame: pd.DataFrame, language: str, folder: Path, backend: Backend) -> Table:
    return Table(frame, examine(frame["text"].tolist(), language, folder, backend))


def pairs_of_dev(gold: Path, language: str, most: int | None) -> pd.DataFrame:
    """Give what a machine wrote in dev, as ``text``: round trips, and single hops where these are few.

    Args:
        gold: What `training.damage` wrote.
        language: BCP 47 tag.
        most: At most so many, all that were read among them, the rest in whole documents; None is all.

    Returns:
        Columns of `training.damage`, ``text``, and ``hop``: whether it went one leg, so that what is called
        its original is a person's translation.

    Raises:
        FileNotFoundError: If neither table is there.
    """
    path = gold / f"{language}-dev.parquet"
    frames = [pd.read_parquet(path).assign(hop=False)] if path.is_file() else []
    if most is not None and sum(map(len, frames)) < _FEWEST_PAIRS:
        frames.append(_hops_of_dev(gold, language))
    if not any(map(len, frames)) and not path.is_file():
        raise FileNotFoundError(f"{path} is not there: run `python -m training.damage` first")
    frame = pd.concat([f for f in frames if len(f)] or frames)
    frame["text"] = frame["roundtrip"]
    if most is None:
        return frame.reset_index(drop=True)
    # dev has some lines of FLORES only, three to five to an article: they are counted anew
    of_flores = frame["origin"] == "flores"
    frame.loc[of_flores, "line"] = frame.loc[of_flores, "line"].rank(method="dense").astype(int) - 1
    named = frame.assign(docid=documents(frame))
    number = named.groupby([*_BY_ENGINE], dropna=False, sort=False).ngroup()
    order = np.random.default_rng(SEED).permutation(number.max() + 1 if len(frame) else 0)
    rank = number.map({d: k for k, d in enumerate(order)}).to_numpy()
    size = pd.Series(1, frame.index).groupby(rank).sum().cumsum()
    kept = pd.Series(rank, frame.index).map(size) <= most
    return frame[(kept | frame["damage"].notna()).to_numpy()].reset_index(drop=True)


def _hops_of_dev(gold: Path, language: str) -> pd.DataFrame:
    path = gold / f"{language}-{HOPS}-dev.parquet"
    frame = (
        pd.read_parquet(path)
        if path.is_file()
        else pd.DataFrame(columns=["original_id", "original", "pivot"])
    )
    return frame.assign(hop=True)


def _originals_of(pairs: pd.DataFrame) -> pd.DataFrame:
    # lines are counted anew for each pivot: keep as many originals as may be under one of them
    common = pairs["pivot"].map(pairs["pivot"].value_counts())
    frame = pairs.iloc[np.argsort(-common.to_numpy(), kind="stable")].drop_duplicates("original_id")
    return frame.assign(text=frame["original"]).reset_index(drop=True)


_Texts = tuple[Vector, npt.NDArray[np.int64]]
_BY_ENGINE = ("origin", "year", "docid", "pivot", "engine")
_BY_TEXT = ("year", "docid", "origlang")


def fit(materials: Sequence[Material], folder: Path, shown_rules: Sequence[str]) -> Fusion:
    """Fit both heads and all thresholds on dev.

    Where dev has no translations by people, those of `corpora.set_apart` stand in for them.

    Several languages share the weights of the heads, each with the same say; what is added to
    their logits and the operating points are each language's own (see `_shift`, `_points`). Those
    in which texts of ten cannot be told apart are left out (see `LEAST_AUC`).

    Args:
        materials: One a language.
        folder: The model's.
        shown_rules: Rules that people see.
    """
    parts = [_sentences_of(m) for m in materials]
    if not any(count for *_, count in parts):
        log.warning("nobody read a round trip of dev: the sentence head learns from damage on purpose alone")
    x, damage = (np.concatenate([part[k] for part in parts]) for k in range(2))
    weight = _same_say([part[2] for part in parts])
    only_up = [name not in ("length", "model.token_mean") for name in SENTENCE_FEATURES]
    x[:, _silent(SENTENCE_FEATURES, shown_rules)] = 0
    sentence = fit_logistic(SENTENCE_FEATURES, x, damage, weight, positive=only_up)
    log.info("sentence head: %s", _shown(sentence))
    starts = np.cumsum([len(part[0]) for part in parts])[:-1]
    of_sentences = [
        _shift(sentence.logits(own), gold, w, 2 * count) if len(materials) > 1 else 0.0
        for own, (_, gold, w, count) in zip(np.split(x, starts), parts, strict=True)
    ]

    heads = [dataclasses.replace(sentence, bias=sentence.bias + shift) for shift in of_sentences]
    origins = [_provenance_of(m) for m in materials]
    texts = [_texts_of(*of_one) for of_one in zip(materials, heads, origins, strict=True)]
    x, label = (np.concatenate([part[k] for part in texts]) for k in range(2))
    weight = _same_say([part.weight for part in texts])
    only_up = [name != "length" for name in TEXT_FEATURES]
    x[:, _silent(TEXT_FEATURES, shown_rules)] = 0
    text = fit_logistic(TEXT_FEATURES, x, label, weight, positive=only_up)
    log.info("text head: %s", _shown(text))
    if len(materials) == 1:
        points = _points_of_one(materials[0], sentence, text, texts[0].honest)
        return Fusion(
            sentence=sentence,
            text=text,
            operating_points=points,
            shown_rules=tuple(shown_rules),
            token_threshold=_token_threshold([(materials[0].roundtrips, sentence, points["fpr_1e-2"])]),
            pivot_threshold=_pivot_threshold(materials[0].roundtrips, _BY_ENGINE, folder),
            provenance=origins[0],
        )
    starts = np.cumsum([len(part.x) for part in texts])[:-1]
    of_texts = [
        _shift(text.logits(own), part.label, part.weight, 2 * part.tens)
        for own, part in zip(np.split(x, starts), texts, strict=True)
    ]
    return _of_many(materials, sentence, of_sentences, origins, text, of_texts, texts, shown_rules)


def _same_say(weights: Sequence[Vector]) -> Vector:
    """Join the weights of languages, each scaled to their mean total. Shape (rows of all,)."""
    totals = [w.sum() for w in weights]
    return np.concatenate([w * (np.mean(totals) / total) for w, total in zip(weights, totals, strict=True)])


def _sentences_of(m: Material) -> tuple[Vector, Vector, Vector, int]:
    """Give features, gold, weights, and how many pairs were read, of a language."""
    read_ones = np.flatnonzero(m.roundtrips.frame["even"])
    humans = [table for kind in m.kinds for table in kind]
    x = np.concatenate(
        [
            m.roundtrips.examined.features[read_ones],
            m.made.features,
            m.long.features,
            *[h.examined.features for h in humans],
        ]
    )
    count = [len(read_ones), len(m.made), len(m.long), *[len(h.frame) for h in humans]]
    damage = np.concatenate(
        [
            m.roundtrips.frame["damage"].to_numpy()[read_ones],
            np.full(len(m.made), 0.9),
            np.zeros(sum(count[2:])),
        ]
    )
    # half the weight on round trips, half on people's text, each kind of that alike: originals,
    # native news, translations, and informal text of all sorts; a fiftieth of the round trips' for
    # link words in capitals and their like, which sites leave and these corpora lack; and a tenth of
    # all for sentences run together, without which whatever is long looks damaged
    on_purpose = 0.01 if len(read_ones) else 0.5
    by_kind = (0.5 / len(m.kinds) / len(kind) for kind in m.kinds for _ in kind)
    share = [0.5 - on_purpose, on_purpose, 0.1, *by_kind]
    weight = np.concatenate([np.full(n, s / max(1, n)) for n, s in zip(count, share, strict=True)]) * sum(
        count
    )
    return x, damage, weight, len(read_ones)


class _TextsOf(NamedTuple):
    """Texts of a language: features, whether laundered, weights; people's by table; how many of ten."""

    x: Vector
    label: Vector
    weight: Vector
    honest: list[_Texts]
    laundered: _Texts
    tens: int


def _provenance_of(m: Material) -> Logistic | None:
    """Weigh encoder and n-grams: round trips against people's originals, native news and translations alike.

    None where the model has no n-grams of the language.
    """
    tables = [m.roundtrips, *(t for t in (m.originals, m.native, *m.translated) if t)]
    said = [s for t in tables for s in t.examined.logits]
    x = np.array([[s.provenance, s.ngrams] for s in said]).reshape(-1, 2)
    if not x[:, 1].any():
        return None
    counts = [len(t.frame) for t in tables]
    share = np.repeat([1.0, *[1 / (len(tables) - 1)] * (len(tables) - 1)], counts)
    weight = share / np.repeat(counts, counts)
    machine = np.arange(len(x)) < counts[0]
    head = fit_logistic(
        PROVENANCE_FEATURES, x, machine.astype(float), weight * len(x) / weight.sum(), positive=[True, True]
    )
    log.info("%s: provenance %s", m.language, _shown(head))
    return head


def _texts_of(m: Material, head: Logistic, provenance: Logistic | None) -> _TextsOf:
    def build(table: Table, by: Sequence[str]) -> _Texts:
        return table.texts(by, head, provenance, m.language)

    honest = [build(m.originals, ("origin", "year", "docid", "pivot"))]
    honest += [build(t, _BY_TEXT) for kind in m.kinds[1:] for t in kind]
    (laundered, sizes), (site, site_sizes) = build(m.roundtrips, _BY_ENGINE), build(m.site, _BY_ENGINE)
    x = np.concatenate([laundered, site, *(features for features, _ in honest)])
    label = np.r_[np.ones(len(laundered) + len(site)), np.zeros(len(x) - len(laundered) - len(site))]
    # a twentieth of the laundered texts' weight for sites that translate link words apart
    known = [0.95 * len(honest) * _even(sizes), 0.05 * len(honest) * _even(site_sizes)]
    weight = np.concatenate([*known, *(_even(sizes) for _, sizes in honest)])
    weight *= len(weight) / weight.sum()
    return _TextsOf(x, label, weight, honest, (laundered, sizes), int((sizes == 10).sum()))


def _points_of_one(
    m: Material, sentence: Logistic, text: Logistic, honest: Sequence[_Texts]
) -> dict[str, OperatingPoint]:
    of_sentences = {
        name: np.concatenate([_sigmoid(sentence.logits(t.examined.features)) for t in tables])
        for name, tables in (
            ("native news", [m.native] if m.native else []),
            ("translations", m.translated),
            ("informal", m.informal),
        )
        if tables
    }
    by_kind = _by_kind(honest[1:], (1, len(m.translated), len(m.informal)))
    of_texts = dict(zip(of_sentences, by_kind, strict=True))
    points = {}
    for name, fpr in POINTS.items():
        points[name] = OperatingPoint(
            sentence=_strictest(
                [_threshold(scores, fpr, np.ones(len(scores))) for scores in of_sentences.values()]
            ),
            text=_strictest(
                [
                    _threshold(_sigmoid(text.logits(features)), fpr, _even(lengths))
                    for features, lengths in of_texts.values()
                ]
            ),
            fpr=fpr,
            sentences=sum(map(len, of_sentences.values())),
            texts=sum(len(lengths) for _, lengths in of_texts.values()),
            data=f"dev in {m.language!r}, the strictest of {', '.join(of_sentences)}; "
            f"texts of {', '.join(map(str, LENGTHS))} sentences",
        )
    return points


_PRIOR = 1.0
"""How far, in logits, a language is expected to lie from the others."""


def _shift(logits: Vector, gold: Vector, weight: Vector, count: int) -> float:
    """Give what to add to all logits of a language: maximum a posteriori, so that few data shift little.

    Args:
        logits: By the heads all languages share. Shape (rows,).
        gold: Soft labels. Shape (rows,).
        weight: Shape (rows,).
        count: How many independent rows these are worth.
    """
    share = weight / weight.sum() * count

    def loss(shift: float) -> float:
        both = logits + shift
        nll = share * (gold * np.logaddexp(0, -both) + (1 - gold) * np.logaddexp(0, both))
        return float(nll.sum() + 0.5 * (shift / _PRIOR) ** 2)

    return float(minimize_scalar(loss, bounds=(-5, 5), method="bounded").x)


LEAST_AUC = 0.70
"""A language in which texts of ten are told apart no better, on dev, is not judged; one in which
sentences that readers mark an error in are told from people's no better has no sentence flagged."""
_FEWEST_TEXTS = 5
_FEWEST_ERRORS = 8
_BASE = 0.1
"""Rate at which a language with few sentences of its own takes its own threshold; from there to lower
rates it goes by the other languages of its script."""

_Weighted = tuple[Vector, Vector]


def _of_many(
    materials: Sequence[Material],
    sentence: Logistic,
    of_sentences: Sequence[float],
    origins: Sequence[Logistic | None],
    text: Logistic,
    of_texts: Sequence[float],
    texts: Sequence[_TextsOf],
    shown_rules: Sequence[str],
) -> Fusion:
    human_sentences: dict[str, dict[str, _Weighted]] = {}
    human_texts: dict[str, dict[str, _Weighted]] = {}
    judged: list[Material] = []
    scripts = {}
    for m, shift, text_shift, own in zip(materials, of_sentences, of_texts, texts, strict=True):
        # against the authors' own text, or translators' where there is no other
        auc = _auc_of_tens(own.laundered, own.honest[: 1 + (m.native is not None)], text)
        log.info(
            "%s: %s, texts of ten AUC %.3f, shifts %+.2f %+.2f", m.language, m.claim, auc, shift, text_shift
        )
        if not auc >= LEAST_AUC:  # also where it cannot be told
            log.warning("%s is not judged", m.language)
            continue
        judged.append(m)
        scripts[m.language] = script_of(" ".join(m.originals.frame["text"].head(200)))
        tables = [table for kind in m.kinds for table in kind]
        said = [sentence.logits(t.examined.features) + shift for t in tables]
        of_text = [(text.logits(features) + text_shift, _even(sizes)) for features, sizes in own.honest]
        human_sentences[m.language] = _by_author(m, [(s, np.ones(len(s))) for s in said])
        human_texts[m.language] = _by_author(m, of_text)
    points: dict[str, dict[str, OperatingPoint]] = {m.language: {} for m in judged}
    untold = {}
    for m in judged:
        auc = _auc_of_errors(m, sentence)
        if not auc >= LEAST_AUC:
            found = "too few errors were read" if math.isnan(auc) else f"damage is told at AUC {auc:.2f}"
            untold[m.language] = f"no sentence is flagged: {found}"
            log.warning("%s: %s", m.language, untold[m.language])
    last: dict[str, tuple[float | None, float | None]] = dict.fromkeys(points, (None, None))
    for name, fpr in POINTS.items():  # from the highest rate down: no threshold falls
        sentence_at = _thresholds(human_sentences, scripts, fpr)
        text_at = _thresholds(human_texts, scripts, fpr)
        for tag in points:
            last[tag] = (
                _not_below(last[tag][0], sentence_at[tag][0]),
                _not_below(last[tag][1], text_at[tag][0]),
            )
            points[tag][name] = OperatingPoint(
                sentence=None if tag in untold else last[tag][0],
                text=last[tag][1],
                fpr=fpr,
                sentences=sum(len(s) for s, _ in human_sentences[tag].values()),
                texts=sum(len(s) for s, _ in human_texts[tag].values()),
                data=f"dev in {tag!r}, {untold.get(tag, sentence_at[tag][1])}; texts {text_at[tag][1]}",
            )
    tags = [m.language for m in materials]
    own_of = dict(zip(tags, zip(of_sentences, of_texts, origins, strict=True), strict=True))
    heads = [dataclasses.replace(sentence, bias=sentence.bias + own_of[m.language][0]) for m in judged]
    at = [points[m.language]["fpr_1e-2"] for m in judged]
    return Fusion(
        sentence=sentence,
        text=text,
        operating_points={},
        shown_rules=tuple(shown_rules),
        token_threshold=_token_threshold(zip([m.roundtrips for m in judged], heads, at, strict=True)),
        pivot_threshold=1.01,  # all went through English, or nobody knows
        languages={
            tag: OfLanguage(claim, shift, text_shift, points[tag], origin)
            for tag, claim, (shift, text_shift, origin) in (
                (m.language, m.claim, own_of[m.language]) for m in judged
            )
        },
    )


def _not_below(last: float | None, found: float | None) -> float | None:
    return None if found is None else max(found, last or 0.0)


def _auc_of_tens(laundered: _Texts, honest: Sequence[_Texts], head: Logistic) -> float:
    machine, people = (
        np.concatenate([head.logits(x[sizes == 10]) for x, sizes in some]) for some in ([laundered], honest)
    )
    if min(len(machine), len(people)) < _FEWEST_TEXTS:
        return math.nan
    gold = np.r_[np.ones(len(machine)), np.zeros(len(people))]
    return float(roc_auc_score(gold, np.r_[machine, people]))


def _auc_of_errors(m: Material, head: Logistic) -> float:
    """Tell what readers mark an error in from people's sentences; nan where too few were read."""
    read_ones = m.roundtrips.frame["even"] & (m.roundtrips.frame["visible"] >= 2)
    errors = head.logits(m.roundtrips.examined.features[read_ones.to_numpy(bool)])
    people = [head.logits(table.examined.features) for kind in m.kinds for table in kind]
    if len(errors) < _FEWEST_ERRORS:
        return math.nan
    said = np.concatenate([errors, *people])
    return float(roc_auc_score(np.arange(len(said)) < len(errors), said))


def _by_author(m: Material, tables: Sequence[_Weighted]) -> dict[str, _Weighted]:
    """Join what is said of tables (in the order of ``m.kinds``) by who wrote them, or most of them."""
    originals = "translations" if m.originals.frame["hop"].mean() > 0.5 else "native"
    names = [originals, *["native"] * (m.native is not None), *map(_translators, m.translated)]
    names += ["native"] * len(m.informal)
    found: dict[str, _Weighted] = {}
    for name in dict.fromkeys(names):
        found[name] = _join([table for table, of in zip(tables, names, strict=True) if of == name])
    return found


def _translators(table: Table) -> str:
    """Name translations: those of `train` that stand in for `dev` (`corpora.set_apart`) say so."""
    apart = "split" in table.frame and (table.frame["split"] == "train").any()
    return "translations set apart from train" if apart else "translations"


def _thresholds(
    said: Mapping[str, Mapping[str, _Weighted]], scripts: Mapping[str, str], fpr: float
) -> dict[str, tuple[float | None, str]]:
    """Give the score that a share ``fpr`` of people's text reaches, in each language, and how it was found.

    A kind of text with too few sentences for that rate takes the threshold of a higher rate, and
    is moved from there by as much as all languages of the script together, each seen from its own;
    by all languages where these too are few. The strictest kind decides.

    Args:
        said: Logits and weights by language and kind of text.
        scripts: Of each language.
        fpr: The rate aimed at.
    """
    base = max(_BASE, fpr)
    centred: dict[str, list[_Weighted]] = {}
    for tag, kinds in said.items():
        for logits, weight in kinds.values():
            if len(logits) * base >= FEWEST_FALSE_ALARMS:
                seen = (logits - _quantile(logits, weight, base), weight / weight.mean())
                centred.setdefault(scripts[tag], []).append(seen)
    pools = {script: _join(some) for script, some in centred.items()}
    pools[""] = _join([one for some in centred.values() for one in some])
    found: dict[str, tuple[float | None, str]] = {}
    for tag, kinds in said.items():
        best, how = -math.inf, "too few to tell"
        for name, (logits, weight) in kinds.items():
            if len(logits) * fpr >= FEWEST_FALSE_ALARMS:
                threshold, told = _quantile(logits, weight, fpr), f"by {len(logits)} of {name}"
            elif len(logits) * base >= FEWEST_FALSE_ALARMS:
                enough = (p for p in (scripts[tag], "") if len(pools[p][0]) * fpr >= FEWEST_FALSE_ALARMS)
                if (pool := next(enough, None)) is None:
                    continue
                threshold = _quantile(logits, weight, base) + _quantile(*pools[pool], fpr)
                told = f"by {len(logits)} of {name} at {base:g} and from there on by "
                told += f"all in {pool.capitalize()} script" if pool else "all languages"
            else:
                continue
            if threshold > best:
                best, how = threshold, told
        score = None if best == -math.inf else float(np.nextafter(_sigmoid(np.array(best)), 2))
        found[tag] = (score, how)
    return found


def _join(some: Sequence[_Weighted]) -> _Weighted:
    logits, weights = ([one[k] for one in some] for k in range(2))
    return (np.concatenate(logits), np.concatenate(weights)) if some else (np.zeros(0), np.zeros(0))


def _quantile(scores: Vector, weight: Vector, rate: float) -> float:
    """Give the lowest score that at most a share ``rate`` of the weight is above."""
    order = np.argsort(-scores, kind="stable")
    above = int((np.cumsum(weight[order]) <= rate * weight.sum()).sum())
    return float(scores[order[min(above, len(order) - 1)]])


def _by_kind(tables: Sequence[_Texts], counts: Sequence[int]) -> list[_Texts]:
    """Join the texts of tables of one kind; kinds follow each other, ``counts`` tables each."""
    kinds, start = [], 0
    for count in filter(None, counts):
        features, lengths = zip(*tables[start : start + count], strict=True)
        kinds.append((np.concatenate(features), np.concatenate(lengths)))
        start += count
    return kinds


def _strictest(thresholds: Sequence[float | None]) -> float | None:
    """Give the highest of the thresholds of all kinds of text; None where the first, native, has none."""
    if thresholds[0] is None:
        return None
    return max(t for t in thresholds if t is not None)


def _silent(features: Sequence[str], shown_rules: Sequence[str]) -> list[int]:
    """Give the features of rules that people are not shown: what cannot be shown must not count."""
    hidden = {h.id for h in HEURISTICS} - set(shown_rules)
    return [i for i, name in enumerate(features) if name in hidden]


def _as_on_a_site(frame: pd.DataFrame, language: str, folder: Path, backend: Backend, most: int) -> Table:
    """Give round trips in which every seventh sentence is also damaged as sites damage links."""
    some = frame.sort_values(["pivot", "engine", "origin", "year", "docid", "line"]).head(most)
    rng = np.random.default_rng(SEED)
    texts = [damage_on_purpose(t, rng)[0] if rng.random() < 1 / 7 else t for t in some["text"]]
    some = some.assign(text=texts).reset_index(drop=True)
    return Table(some, examine(texts, language, folder, backend))


def _run_together(tables: Iterable[Table], most: int) -> list[str]:
    """Give people's sentences in twos and fours, as a text looks whose sentences nobody could tell apart.

    Headlines are left out: without a stop after them the next sentence's capital stands inside.
    """
    together = []
    for table in tables:
        texts = [t for t in table.frame["text"] if t.endswith((".", "!", "?", '"', "”"))]
        for count in (2, 4):
            starts = range(0, len(texts) - count + 1, count)[:most]
            together += [" ".join(texts[i : i + count]) for i in starts]
    return together


def _damaged(texts: Iterable[str], most: int) -> list[str]:
    """Damage some native sentences on purpose, see `examples.damage_on_purpose`."""
    rng = np.random.default_rng(SEED)
    made = (damage_on_purpose(text, rng) for text in texts)
    return list(itertools.islice((text for text, _, end in made if end), most))


def _even(sizes: npt.NDArray[np.int64]) -> Vector:
    """Give every length of text the same weight."""
    _, index, count = np.unique(sizes, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count[index] / len(count))


def _threshold(scores: Vector, fpr: float, weight: Vector) -> float | None:
    """Give the lowest score that at most a share ``fpr`` of the weight reaches; None where it is a guess."""
    if len(scores) * fpr < FEWEST_FALSE_ALARMS:
        return None
    return float(np.nextafter(_quantile(scores, weight, fpr), np.inf))


def _sigmoid(logits: Vector) -> Vector:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _shown(head: Logistic) -> str:
    return ", ".join(f"{n} {w:+.2f}" for n, w in zip(head.features, head.weights, strict=True) if w)


def _token_threshold(judged: Iterable[tuple[Table, Logistic, OperatingPoint]]) -> float:
    """Give the word score at which F0.5 against readers' marks is best over flagged sentences."""
    gold, found = [], []
    for roundtrips, head, point in judged:
        scores = _sigmoid(head.logits(roundtrips.examined.features))
        for i in np.flatnonzero(roundtrips.frame["damage"].notna() & (scores >= (point.sentence or 0.5))):
            row = roundtrips.frame.iloc[i]
            marked = {
                start: is_marked for start, _, is_marked in marked_words(row["text"], row["marks"]) or ()
            }
            for word in roundtrips.examined.logits[i].words:
                if word.start in marked:
                    gold.append(marked[word.start])
                    found.append(word.score)
    truth, score = np.array(gold, dtype=bool), np.array(found)
    best, threshold = 0.0, 0.5
    for candidate in np.linspace(0.05, 0.95, 37):
        hit = (score >= candidate) & truth
        if not hit.any():
            continue
        precision, recall = hit.sum() / (score >= candidate).sum(), hit.sum() / truth.sum()
        f = 1.25 * precision * recall / (0.25 * precision + recall)
        if f > best:
            best, threshold = float(f), float(candidate)
    log.info("token threshold %.3f, F0.5 %.3f over %d words of flagged sentences", threshold, best, len(gold))
    return threshold


def _pivot_threshold(roundtrips: Table, by: Sequence[str], folder: Path) -> float:
    """Give the probability from which on the pivot named for a text of ten is right 3 times in 4."""
    names = read_heads(folder).pivots
    sure, right = [], []
    for run in runs(roundtrips.frame, by, 10):
        probability = pivot_probabilities([roundtrips.examined.logits[i] for i in run])
        truth = group_index(roundtrips.frame["pivot"].iloc[run[0]])
        sure.append(probability.max())
        right.append(truth >= 0 and names[probability.argmax()] == NAMES[truth])
    order = np.argsort(sure)[::-1]
    share = np.cumsum(np.array(right)[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= 0.75)
    if not len(good) or good[-1] < 20:
        log.info("the pivot head is never right often enough to be shown")
        return 1.01
    log.info("pivot named for %.0f %% of texts of ten", 100 * (good[-1] + 1) / len(order))
    return float(np.array(sure)[order][good[-1]])


def main() -> None:
    """Fit fusion.json for an exported model."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--gold", type=Path, default=Path("runs/gold"))
    parser.add_argument("--output", type=Path, default=Path("runs/default"), help="folder with model.onnx")
    parser.add_argument("--rules", type=Path, help="what `eval.rules --json` wrote on dev; without, all show")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    backend = OnnxBackend(args.output)
    languages = read_heads(args.output).languages
    amounts = FULL if len(languages) == 1 else SOME
    materials = []
    for language in languages:
        try:
            materials.append(gather(args.corpora, args.gold, language, args.output, backend, amounts))
            log.info("read %d sentences of %s", len(materials[-1].roundtrips.frame), language)
        except (FileNotFoundError, ValueError) as error:
            if len(languages) == 1:
                parser.error(str(error))
            log.warning("%s is not judged: %s", language, error)
    fusion = fit(materials, args.output, shown_rules(args.rules))
    fusion.save(args.output)
    for name, point in fusion.operating_points.items():
        log.info("%s: sentence %s, text %s", name, point.sentence, point.text)
    if fusion.languages:
        log.info("%d languages are judged: %s", len(fusion.languages), " ".join(fusion.languages))


def shown_rules(figures: Path | None) -> tuple[str, ...]:
    """Give the rules people see: all but those that dev shows to be no better than chance."""
    verdicts = json.loads(figures.read_text(encoding="utf-8")) if figures else {}
    return tuple(
        h.id for h in HEURISTICS if h.counts and verdicts.get(h.id, {}).get("beats_chance") is not False
    )


if __name__ == "__main__":
    main()
