"""Fit the fused heads and set the operating points, on dev: `python -m training.fusion`."""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import logging
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression

from detector.backends import Backend
from detector.backends.onnx import OnnxBackend
from detector.detect import pivot_probabilities
from detector.fuse import (
    SENTENCE_FEATURES,
    TEXT_FEATURES,
    Fusion,
    Logistic,
    OperatingPoint,
    Vector,
    text_features,
)
from detector.heads import read_heads
from detector.heuristics import HEURISTICS

from .corpora import SEED, read
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
        language: str,
        *,
        lengths: Sequence[int] = LENGTHS,
        most: int = 4000,
    ) -> tuple[Vector, npt.NDArray[np.int64]]:
        """Build texts of consecutive sentences.

        Returns:
            Features, shape (texts, len(TEXT_FEATURES)), and lengths, shape (texts,).
        """
        rows, sizes = [], []
        damage = head.logits(self.examined.features)
        provenance, rule_scores = self.examined.provenance, self.examined.rule_scores
        sentences = self.frame["text"].to_numpy()
        rng = np.random.default_rng(SEED)
        for length in lengths:
            found = list(runs(self.frame, by, length))
            for i in rng.permutation(len(found))[:most]:
                run = found[i]
                evidence = text_evidence(sentences[run].tolist(), language) if length > 1 else ()
                rows.append(text_features(provenance[run], damage[run], rule_scores[run], evidence))
                sizes.append(length)
        shape = (-1, len(TEXT_FEATURES))
        return np.array(rows, dtype=np.float64).reshape(shape), np.array(sizes, dtype=np.int64)


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
    frame = frame[frame["text"].str.len() >= 20].head(most).reset_index(drop=True)
    if not in_order:
        frame = frame.assign(line=range(len(frame)), year=0, docid=None, origlang=table)
    return Table(frame, examine(frame["text"].tolist(), language, folder, backend))


def gold_table(gold: Path, language: str, split: str, side: str, folder: Path, backend: Backend) -> Table:
    """Read the round trips of a split with their gold (``side`` roundtrip), or their originals once each."""
    frame = pd.read_parquet(gold / f"{language}-{split}.parquet")
    if side == "original":
        # lines are counted anew for each pivot: keep as many originals as may be under one of them
        common = frame["pivot"].map(frame["pivot"].value_counts())
        frame = frame.iloc[np.argsort(-common.to_numpy(), kind="stable")].drop_duplicates("original_id")
    frame = frame.reset_index(drop=True)
    frame["text"] = frame[side]
    return Table(frame, examine(frame["text"].tolist(), language, folder, backend))


def fit(
    corpora: Path, gold: Path, language: str, folder: Path, backend: Backend, shown_rules: Sequence[str]
) -> Fusion:
    """Fit both heads and all thresholds on dev.

    Tables of people's text that the corpora lack are left out, and that is logged; native text
    must be there.

    Raises:
        FileNotFoundError: If the corpora have no ``human/native``.
        ValueError: If dev holds no round trips or no native text in the language.
    """

    def people(*tables: str) -> list[Table]:
        there = [t for t in tables if (corpora / f"human/{t}.parquet").is_file()]
        if left_out := sorted(set(tables) - set(there)):
            log.warning("left out: human/ has no %s", ", ".join(left_out))
        found = [human_table(corpora, language, "dev", t, folder, backend, MOST[t]) for t in there]
        return [table for table in found if len(table.frame)]

    roundtrips = gold_table(gold, language, "dev", "roundtrip", folder, backend)
    originals = gold_table(gold, language, "dev", "original", folder, backend)
    native = human_table(corpora, language, "dev", "native", folder, backend, MOST["native"])
    if not len(roundtrips.frame) or not len(native.frame):
        raise ValueError(f"dev holds no round trips, or no native text, in {language!r}")
    translated, informal = people("human_translation"), people("informal_ewt", "chat", "news_abc")
    log.info("read %d round trips", len(roundtrips.frame))

    kinds = [kind for kind in ([originals], [native], translated, informal) if kind]
    humans = [table for kind in kinds for table in kind]
    made = examine(_damaged(native.frame["text"]), language, folder, backend)
    long = examine(_run_together([native, *translated]), language, folder, backend)
    read_ones = np.flatnonzero(roundtrips.frame["even"])
    if not len(read_ones):
        log.warning("nobody read a round trip of dev: the sentence head learns from damage on purpose alone")
    x = np.concatenate(
        [
            roundtrips.examined.features[read_ones],
            made.features,
            long.features,
            *[h.examined.features for h in humans],
        ]
    )
    count = [len(read_ones), len(made), len(long), *[len(h.frame) for h in humans]]
    damage = np.concatenate(
        [
            roundtrips.frame["damage"].to_numpy()[read_ones],
            np.full(len(made), 0.9),
            np.zeros(sum(count[2:])),
        ]
    )
    # half the weight on round trips, half on people's text, each kind of that alike: originals,
    # native news, translations, and informal text of all sorts; a fiftieth of the round trips' for
    # link words in capitals and their like, which sites leave and these corpora lack; and a tenth of
    # all for sentences run together, without which whatever is long looks damaged
    on_purpose = 0.01 if len(read_ones) else 0.5
    by_kind = (0.5 / len(kinds) / len(kind) for kind in kinds for _ in kind)
    share = [0.5 - on_purpose, on_purpose, 0.1, *by_kind]
    weight = np.concatenate([np.full(n, s / max(1, n)) for n, s in zip(count, share, strict=True)]) * sum(
        count
    )
    only_up = [name not in ("length", "model.token_mean") for name in SENTENCE_FEATURES]
    x[:, _silent(SENTENCE_FEATURES, shown_rules)] = 0
    sentence = fit_logistic(SENTENCE_FEATURES, x, damage, weight, positive=only_up)
    log.info("sentence head: %s", _shown(sentence))

    by_engine = ("origin", "year", "docid", "pivot", "engine")
    by_text = ("year", "docid", "origlang")
    honest = [
        originals.texts(("origin", "year", "docid", "pivot"), sentence, language),
        *(table.texts(by_text, sentence, language) for table in (native, *translated, *informal)),
    ]
    laundered, sizes = roundtrips.texts(by_engine, sentence, language)
    site, site_sizes = _as_on_a_site(roundtrips.frame, language, folder, backend).texts(
        by_engine, sentence, language
    )
    x = np.concatenate([laundered, site, *(features for features, _ in honest)])
    label = np.r_[np.ones(len(laundered) + len(site)), np.zeros(len(x) - len(laundered) - len(site))]
    # a twentieth of the laundered texts' weight for sites that translate link words apart
    known = [0.95 * len(honest) * _even(sizes), 0.05 * len(honest) * _even(site_sizes)]
    weight = np.concatenate([*known, *(_even(sizes) for _, sizes in honest)])
    weight *= len(weight) / weight.sum()
    only_up = [name != "length" for name in TEXT_FEATURES]
    x[:, _silent(TEXT_FEATURES, shown_rules)] = 0
    text = fit_logistic(TEXT_FEATURES, x, label, weight, positive=only_up)
    log.info("text head: %s", _shown(text))

    of_sentences = {
        name: np.concatenate([_sigmoid(sentence.logits(t.examined.features)) for t in tables])
        for name, tables in (("native news", [native]), ("translations", translated), ("informal", informal))
        if tables
    }
    of_texts = dict(zip(of_sentences, _by_kind(honest[1:], (1, len(translated), len(informal))), strict=True))
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
            data=f"dev in {language!r}, the strictest of {', '.join(of_sentences)}; "
            f"texts of {', '.join(map(str, LENGTHS))} sentences",
        )
    return Fusion(
        sentence=sentence,
        text=text,
        operating_points=points,
        shown_rules=tuple(shown_rules),
        token_threshold=_token_threshold(roundtrips, sentence, points["fpr_1e-2"]),
        pivot_threshold=_pivot_threshold(roundtrips, by_engine, folder),
    )


_Texts = tuple[Vector, npt.NDArray[np.int64]]


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


def _as_on_a_site(
    frame: pd.DataFrame, language: str, folder: Path, backend: Backend, most: int = 3000
) -> Table:
    """Give round trips in which every seventh sentence is also damaged as sites damage links."""
    some = frame.sort_values(["pivot", "engine", "origin", "year", "docid", "line"]).head(most)
    rng = np.random.default_rng(SEED)
    texts = [damage_on_purpose(t, rng)[0] if rng.random() < 1 / 7 else t for t in some["text"]]
    some = some.assign(text=texts).reset_index(drop=True)
    return Table(some, examine(texts, language, folder, backend))


def _run_together(tables: Iterable[Table], most: int = 700) -> list[str]:
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


def _damaged(texts: Iterable[str], most: int = 1500) -> list[str]:
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
    order = np.argsort(-scores, kind="stable")
    allowed = int((np.cumsum(weight[order]) <= fpr * weight.sum()).sum())
    return float(np.nextafter(scores[order[allowed]], np.inf))


def _sigmoid(logits: Vector) -> Vector:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _shown(head: Logistic) -> str:
    return ", ".join(f"{n} {w:+.2f}" for n, w in zip(head.features, head.weights, strict=True) if w)


def _token_threshold(roundtrips: Table, head: Logistic, point: OperatingPoint) -> float:
    """Give the word score at which F0.5 against readers' marks is best over flagged sentences."""
    scores = _sigmoid(head.logits(roundtrips.examined.features))
    gold, found = [], []
    for i in np.flatnonzero(roundtrips.frame["damage"].notna() & (scores >= (point.sentence or 0.5))):
        row = roundtrips.frame.iloc[i]
        marked = {start: is_marked for start, _, is_marked in marked_words(row["text"], row["marks"]) or ()}
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
    parser.add_argument("--language", default="en")
    parser.add_argument("--rules", type=Path, help="what `eval.rules --json` wrote on dev; without, all show")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    fusion = fit(
        args.corpora, args.gold, args.language, args.output, OnnxBackend(args.output), shown_rules(args.rules)
    )
    fusion.save(args.output)
    for name, point in fusion.operating_points.items():
        log.info("%s: sentence %s, text %s", name, point.sentence, point.text)


def shown_rules(figures: Path | None) -> tuple[str, ...]:
    """Give the rules people see: all but those that dev shows to be no better than chance."""
    verdicts = json.loads(figures.read_text(encoding="utf-8")) if figures else {}
    return tuple(h.id for h in HEURISTICS if verdicts.get(h.id, {}).get("beats_chance") is not False)


if __name__ == "__main__":
    main()
