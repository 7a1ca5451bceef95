"""Measure a model on a split: `python -m eval.run`.

Writes one JSON and one Markdown file, named after version, model and split. Neither holds a
sentence of the corpora.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from detector import Detector
from detector.backends import Backend
from detector.backends.onnx import OnnxBackend
from detector.fuse import SENTENCE_RULES, Fusion, Logistic, Vector
from detector.spans import find_spans
from training.corpora import SEED
from training.examine import Examined, examine
from training.examples import changed_spans

from . import figures, samples, tables
from .baselines import (
    NgramModel,
    chance,
    fit_ngrams,
    fit_sentence_rules,
    fit_text_rules,
    lengths,
    rule_features,
    text_rule_columns,
)
from .figures import Scored, probability
from .samples import HUMAN, QUICK, Familiar, Sizes

log = logging.getLogger(__name__)

POINT = "fpr_1e-2"
LABELS = ("labels/mlqe_word_tags", "labels/mqm_spans")


@dataclasses.dataclass(frozen=True, slots=True)
class Judge:
    """A model and the baselines beside it, ready to score.

    Attributes:
        folder: The model's.
        backend: Runs its encoder.
        fusion: Its fused heads and operating points.
        language: BCP 47 tag of every sentence.
        sentence_rules: The rules alone, for damage.
        text_rules: The rules alone, for texts.
        damage_ngrams: For damage.
        provenance_ngrams: For provenance.
    """

    folder: Path
    backend: Backend
    fusion: Fusion
    language: str
    sentence_rules: Logistic
    text_rules: Logistic
    damage_ngrams: NgramModel
    provenance_ngrams: NgramModel

    def score(self, frame: pd.DataFrame) -> Scored:
        """Score sentences every way there is."""
        texts = frame["text"].tolist()
        examined = examine(texts, self.language, self.folder, self.backend)
        fused = self.fusion.sentence.logits(examined.features)
        scored = frame.assign(
            fused=fused,
            model=examined.damage,
            provenance=examined.provenance,
            rules=self.sentence_rules.logits(examined.features[:, -len(SENTENCE_RULES) :]),
            rule_scores=examined.rule_scores,
            ngram_damage=self.damage_ngrams.logits(texts),
            ngram_provenance=self.provenance_ngrams.logits(texts),
            length=lengths(texts),
            chance=chance(len(texts)),
            evidence=self._shows(texts, examined, probability(fused)),
        )
        return Scored(scored, examined.logits)

    def texts(self, scored: Scored, most: int) -> pd.DataFrame:
        """Build and score texts; every other column is that of their first sentence."""
        frame = scored.frame
        rows, x = samples.build_texts(
            frame,
            frame["provenance"].to_numpy(float),
            frame["fused"].to_numpy(float),
            frame["rule_scores"].to_numpy(float),
            self.language,
            most=most,
        )
        ngram = frame["ngram_provenance"].to_numpy(float)
        first = frame.drop(columns=["text", "spans", "original", "roundtrip"], errors="ignore")
        return first.iloc[[r[0] for r in rows]].assign(
            size=[len(r) for r in rows],
            fused=self.fusion.text.logits(x),
            rules=self.text_rules.logits(text_rule_columns(x)),
            ngram=[float(ngram[r].mean()) for r in rows],
        )

    def _shows(self, texts: Sequence[str], examined: Examined, score: Vector) -> list[bool]:
        """Whether people are shown evidence in each sentence, at the default operating point."""
        threshold = self.fusion.operating_points[POINT].sentence
        return [
            any(e.found_by in self.fusion.shown_rules for e in found)
            or (
                threshold is not None
                and bool(s >= threshold)
                and bool(find_spans(text, said.words, self.fusion.token_threshold))
            )
            for text, found, said, s in zip(texts, examined.evidence, examined.logits, score, strict=True)
        ]


def measure(
    corpora: Path, gold: Path, model: Path, language: str, split: str, *, quick: bool = False, read: int = 0
) -> dict[str, Any]:
    """Take every figure of a model on a split.

    Args:
        corpora: A folder of the shape of `training.corpora`.
        gold: What `training.damage` wrote.
        model: A model folder.
        language: BCP 47 tag.
        split: ``test``, or ``dev`` to choose by.
        quick: Read a small sample: figures to see that all works, not to be quoted.
        read: Print so many flagged and so many missed round trips, for the eye alone.

    Returns:
        The results as plain values, ready for JSON.

    Raises:
        FileNotFoundError: If a table or the gold is missing.
        ValueError: If the model folder is not whole.
    """
    sizes = QUICK if quick else Sizes()
    signature = Detector.from_pretrained(model).analyze("", language=language).signature
    frames = {s: _gold(gold, language, s) for s in ("train", "dev", split)}
    familiar = Familiar.of(frames["train"], frames["dev"])
    judge = _judge(corpora, model, language, frames, familiar, sizes)

    rows = samples.choose_roundtrips(frames[split], familiar, sizes)
    roundtrips = judge.score(rows)
    log.info("%d round trips of %d originals", len(rows), rows["original_id"].nunique())
    humans = {"originals": judge.score(samples.originals_of(rows))}
    # an original that also stands in the table of native news is one sentence, not two
    known = set(frames[split]["original"])
    for table in HUMAN:
        most = sizes.human if table in ("native", "human_translation") else sizes.informal
        frame = _if_there(partial(samples.human, corpora, language, split, table, most))
        if len(frame):
            humans[table] = judge.score(frame.assign(is_original=frame["text"].isin(known)))
            log.info("%d sentences of %s", len(frame), table)
    edited = marked = None
    if len(frame := _if_there(partial(samples.post_edited, corpora, language, split, sizes.labelled))):
        edited = judge.score(frame)
    # the segments that people marked have no dev part: on dev they are not looked at
    if split == "test" and len(
        frame := _if_there(partial(samples.marked, corpora, language, sizes.labelled))
    ):
        marked = judge.score(frame)
    laundered = judge.texts(roundtrips, sizes.texts)
    human_texts = {kind: judge.texts(scored, sizes.texts) for kind, scored in humans.items()}
    log.info("%d laundered texts", len(laundered))

    aligned = _aligned(roundtrips, sizes.aligned, language)
    labelled = {"aligned round trips": aligned}
    if edited is not None:
        labelled["people's word tags"] = edited
    if marked is not None:
        labelled["people's error spans (MQM)"] = marked
    draws = sizes.resamples
    taken = {
        "damage": figures.damage(roundtrips, humans, judge.fusion, draws),
        "ranks": figures.ranks(roundtrips, edited, marked, draws),
        "provenance": figures.provenance(roundtrips, humans, draws),
        "tokens": figures.tokens(labelled, judge.fusion, draws),
        "texts": figures.texts(laundered, human_texts, draws),
        "false_alarms": figures.false_alarms(humans, human_texts, judge.fusion, draws),
        "calibration": figures.calibration(roundtrips, humans, laundered, human_texts),
    }
    if read:
        _show(aligned, judge.fusion, read)
    files = [gold / f"{language}-{s}.parquet" for s in sorted({*frames})]
    files += [corpora / f"{t}.parquet" for t in (*(f"human/{t}" for t in HUMAN), *LABELS)]
    return {
        "signature": dataclasses.asdict(signature),
        "split": split,
        "language": language,
        "quick": quick,
        "sizes": dataclasses.asdict(sizes),
        "seen": sorted(familiar.seen),
        "tried_on_dev": sorted(familiar.tried),
        "operating_points": {k: dataclasses.asdict(p) for k, p in judge.fusion.operating_points.items()},
        "token_threshold": judge.fusion.token_threshold,
        "data": {f"{f.parent.name}/{f.name}": samples.file_hash(f) for f in files if f.is_file()},
        "figures": {
            name: {row: {column: _plain(f) for column, f in cells.items()} for row, cells in section.items()}
            for name, section in taken.items()
        },
    }


def write(results: Mapping[str, Any], folder: Path) -> tuple[Path, Path]:
    """Write the results as JSON and Markdown, named after version, model and split."""
    folder.mkdir(parents=True, exist_ok=True)
    name = tables.name_of(results)
    data, page = folder / f"{name}.json", folder / f"{name}.md"
    data.write_text(
        json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
    page.write_text(tables.markdown(results), encoding="utf-8")
    return data, page


def _judge(
    corpora: Path,
    model: Path,
    language: str,
    gold: Mapping[str, pd.DataFrame],
    familiar: Familiar,
    sizes: Sizes,
) -> Judge:
    """Load the model, and fit what stands beside it: n-grams on train, rules on dev."""
    damage_ngrams, provenance_ngrams = fit_ngrams(gold["train"])
    small = dataclasses.replace(sizes, seen_pairs=min(2, sizes.seen_pairs), other_pairs=1)
    rows = samples.choose_roundtrips(gold["dev"], familiar, small)
    native = _if_there(partial(samples.human, corpora, language, "dev", "native", sizes.human))
    frames = [rows, samples.originals_of(rows), *([native] if len(native) else [])]
    x = [rule_features(f["text"].tolist(), language) for f in frames]
    damage = np.concatenate([rows["damage"].to_numpy(float), *(np.full(len(f), np.nan) for f in frames[1:])])
    texts, machine = [], []
    for k, (frame, features) in enumerate(zip(frames, x, strict=True)):
        nothing = np.zeros(len(frame))
        _, of_texts = samples.build_texts(
            frame, nothing, nothing, features.sum(1), language, most=sizes.texts
        )
        texts.append(text_rule_columns(of_texts))
        machine.append(np.full(len(of_texts), k == 0))
    return Judge(
        model,
        OnnxBackend(model),
        Fusion.load(model),
        language,
        fit_sentence_rules(np.concatenate(x), damage),
        fit_text_rules(np.concatenate(texts), np.concatenate(machine)),
        damage_ngrams,
        provenance_ngrams,
    )


def _gold(folder: Path, language: str, split: str) -> pd.DataFrame:
    path = folder / f"{language}-{split}.parquet"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: run `python -m training.damage` first")
    return pd.read_parquet(path)


def _if_there(table: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Read a table that a corpora folder may lack; an empty frame where it does."""
    try:
        return table()
    except FileNotFoundError as error:
        log.warning("left out: %s", error)
        return pd.DataFrame()


def _aligned(roundtrips: Scored, most: int, language: str) -> Scored:
    """Draw some round trips and mark their changed words."""
    some = np.sort(np.random.default_rng(SEED).permutation(len(roundtrips.frame))[:most])
    frame = roundtrips.frame.iloc[some].reset_index(drop=True)
    pairs = zip(frame["original"], frame["roundtrip"], strict=True)
    spans = [changed_spans(original, roundtrip, language) for original, roundtrip in pairs]
    return Scored(frame.assign(spans=spans), tuple(roundtrips.logits[i] for i in some))


def _plain(figure: figures.Figure) -> dict[str, Any]:
    """Give a figure for JSON, to four digits, without what it does not have."""
    plain: dict[str, Any] = {"value": None if figure.value is None else round(figure.value, 4), "n": figure.n}
    if figure.against is not None:
        plain["against"] = figure.against
    if figure.interval is not None:
        plain["interval"] = [round(v, 4) for v in figure.interval]
    return plain


def _show(scored: Scored, fusion: Fusion, count: int) -> None:
    """Print flagged and missed round trips beside their originals: found words in [], gold in {}."""
    score = probability(scored.frame["fused"].to_numpy(float))
    threshold = fusion.operating_points[POINT].sentence or 1.0
    damage = scored.frame["damage"].to_numpy(float)
    flagged = np.flatnonzero(score >= threshold)[:count]
    missed = np.flatnonzero((score < threshold) & (damage >= 0.5))[:count]
    for title, chosen in (("flagged", flagged), ("missed", missed)):
        print(f"\n{title} at {threshold:.3f}")
        for i in chosen:
            row, said = scored.frame.iloc[i], scored.logits[i]
            found = [(s.start, s.end) for s in find_spans(row["text"], said.words, fusion.token_threshold)]
            changed = [(start, end) for start, end, is_changed in row["spans"] if is_changed]
            print(f"\n{score[i]:.3f}  gold {damage[i]:.2f}  {row['engine']} {row['pivot']}")
            print(f"  original  {row['original']}")
            print(f"  found     {_bracketed(row['text'], found, '[]')}")
            print(f"  gold      {_bracketed(row['text'], changed, '{}')}")


def _bracketed(text: str, spans: Sequence[tuple[int, int]], brackets: str) -> str:
    """Put brackets around spans that do not overlap.

    Example:
        >>> _bracketed("assisted dying came", [(0, 8), (9, 14)], "[]")
        '[assisted] [dying] came'
    """
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]}{brackets[0]}{text[start:end]}{brackets[1]}{text[end:]}"
    return text


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure a model, and write figures and tables."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--gold", type=Path, default=Path("runs/gold"), help="what training.damage wrote")
    parser.add_argument("--model", type=Path, default=Path("detector/assets/default"), help="model folder")
    parser.add_argument("--output", type=Path, default=Path("results"))
    parser.add_argument("--language", default="en")
    parser.add_argument("--split", choices=["dev", "test"], default="test")
    parser.add_argument("--quick", action="store_true", help="a small sample, to see that all works")
    parser.add_argument(
        "--read", type=int, default=0, metavar="N", help="print N flagged and N missed sentences"
    )
    parser.add_argument("--results", type=Path, help="take the figures from this JSON instead of measuring")
    parser.add_argument(
        "--model-card",
        type=Path,
        nargs="*",
        default=[],
        metavar="PAGE",
        help="pages whose figures, between <!-- figures --> and <!-- /figures -->, are written anew",
    )
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if args.results:
        results = json.loads(args.results.read_text(encoding="utf-8"))
    else:
        try:
            results = measure(
                args.corpora,
                args.gold,
                args.model,
                args.language,
                args.split,
                quick=args.quick,
                read=args.read,
            )
        except FileNotFoundError as error:
            parser.exit(2, f"{error}\n")
    for path in write(results, args.results.parent if args.results else args.output):
        print(path)
    for page in args.model_card:
        tables.insert_figures(page, results)
        print(page)
    print(tables.headline(results))


if __name__ == "__main__":
    main()
