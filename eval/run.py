"""Measure a model on a split: `python -m eval.run`.

Writes one JSON and one Markdown file, named after version, model and split. Neither holds a
sentence of the corpora. Figures lie in ``figures`` by section, row and column (see `figures.Figure`),
what plots show in ``curves`` (see `curves`).
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from detector import Detector
from detector.alignment import words
from detector.backends import Backend
from detector.backends.onnx import OnnxBackend
from detector.fuse import Fusion, Vector
from detector.kinds import Kinds
from detector.report import Evidence
from detector.spans import SpanFinder
from training.corpora import SEED
from training.examine import Examined, examine
from training.examples import changed_spans
from training.fusion import LENGTHS

from . import alarms, calibration, curves, plots, samples, sentences, tables, texts
from .baselines import OF_ENCODER, OF_RULES, Heads, NgramModel, chance, fit_ngrams, kinds, lengths
from .figures import Figure, Scored, probability
from .metrics import Rows
from .robustness import robustness
from .samples import HUMAN, QUICK, Familiar, Sizes
from .texts import MIXED_LENGTHS, SHARES
from .words import MARKS, confusion, known_kinds, tokens

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
        rules: The fused heads without the encoder.
        encoder: The fused heads without the rules.
        damage_ngrams: For damage.
        provenance_ngrams: For provenance.
    """

    folder: Path
    backend: Backend
    fusion: Fusion
    language: str
    rules: Heads
    encoder: Heads
    damage_ngrams: NgramModel
    provenance_ngrams: NgramModel

    @property
    def finder(self) -> SpanFinder:
        """What finds damaged places."""
        return self.fusion.finder(Kinds.load(self.folder, self.language))

    def score(self, frame: pd.DataFrame) -> Scored:
        """Score sentences every way there is."""
        texts = frame["text"].tolist()
        examined = examine(texts, self.language, self.folder, self.backend)
        fused = self.fusion.sentence.logits(examined.features)
        scored = frame.assign(
            fused=fused,
            model=examined.damage,
            provenance=self.fusion.provenance_logits(examined.logits),
            rules=self.rules.sentence.logits(examined.features),
            encoder=self.encoder.sentence.logits(examined.features),
            **{f"{kind} rules": said for kind, said in kinds(examined.features).items()},
            rule_scores=examined.rule_scores,
            ngram_damage=self.damage_ngrams.logits(texts),
            ngram_provenance=self.provenance_ngrams.logits(texts),
            length=lengths(texts),
            words=[sum(not w.is_punctuation for w in words(t)) for t in texts],
            chance=chance(len(texts)),
            evidence=self._shown(texts, examined, probability(fused)),
        )
        return Scored(scored, examined.logits)

    def texts(self, frame: pd.DataFrame, most: int, lengths: Sequence[int] = LENGTHS) -> pd.DataFrame:
        """Build texts of scored sentences and score them.

        ``evidence`` is what all that is shown was found by; every other column is that of the first sentence.
        """
        rows, x, found = samples.build_texts(
            frame,
            frame["provenance"].to_numpy(float),
            frame["fused"].to_numpy(float),
            frame["rule_scores"].to_numpy(float),
            self.language,
            most=most,
            lengths=lengths,
        )
        ngram, shown = frame["ngram_provenance"].to_numpy(float), frame["evidence"].to_numpy()
        first = frame.drop(columns=["text", "spans", "original", "roundtrip"], errors="ignore")
        return first.iloc[[r[0] for r in rows]].assign(
            size=[len(r) for r in rows],
            fused=self.fusion.text.logits(x),
            rules=self.rules.text.logits(x),
            encoder=self.encoder.of_texts(x, rows, frame["encoder"].to_numpy(float)),
            ngram=[float(ngram[r].mean()) for r in rows],
            evidence=[
                (*itertools.chain.from_iterable(shown[r]), *self._by_rules(of_text))
                for r, of_text in zip(rows, found, strict=True)
            ],
        )

    def _shown(self, texts: Sequence[str], examined: Examined, score: Vector) -> list[tuple[str, ...]]:
        """Give what finds the evidence people are shown in each sentence, at the default operating point.

        As in `Detector`, words the model finds are shown in flagged sentences only, and not where
        a rule has found something.
        """
        threshold, finder = self.fusion.operating_points[POINT].sentence or np.inf, self.finder
        shown = []
        for text, found, said, s in zip(texts, examined.evidence, examined.logits, score, strict=True):
            spans = finder.find(text, said.words) if s >= threshold else []
            rules = [e for e in found if e.found_by in self.fusion.shown_rules]
            new = [w for w in spans if not any(e.start < w.end and w.start < e.end for e in rules)]
            shown.append((*self._by_rules(rules), *("model" for _ in new)))
        return shown

    def _by_rules(self, evidence: Iterable[Evidence]) -> tuple[str, ...]:
        return tuple(e.found_by for e in evidence if e.found_by in self.fusion.shown_rules)


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
        read: Print so many flagged and so many missed round trips that readers judged, for the eye alone.

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
    if not rows["even"].any():
        log.warning("nobody read a round trip of %s in %r: no figures of damage", split, language)
    humans = {"originals": judge.score(samples.originals_of(rows))}
    # an original that also stands in the table of native news is one sentence, not two
    known = set(frames[split]["original"])
    for table in HUMAN:
        most = sizes.human if table in ("native", "human_translation") else sizes.informal
        frame = if_there(partial(samples.human, corpora, language, split, table, most))
        if len(frame):
            humans[table] = judge.score(frame.assign(is_original=frame["text"].isin(known)))
            log.info("%d sentences of %s", len(frame), table)
    read_ones = edited = marked = None
    if len(frame := samples.judged(frames[split])):
        read_ones = judge.score(frame)
        log.info("%d round trips that somebody read", len(frame))
    if len(frame := if_there(partial(samples.post_edited, corpora, language, split, sizes.labelled))):
        edited = judge.score(frame)
    # the segments that people marked have no dev part: on dev they are not looked at
    if split == "test" and len(frame := if_there(partial(samples.marked, corpora, language, sizes.labelled))):
        marked = judge.score(frame)
    laundered = judge.texts(roundtrips.frame, sizes.texts)
    human_texts = {kind: judge.texts(scored.frame, sizes.texts) for kind, scored in humans.items()}
    log.info("%d laundered texts", len(laundered))
    partly = {
        (length, share): judge.texts(
            samples.mix(roundtrips.frame, humans["originals"].frame, length, share), sizes.texts, [length]
        )
        for length in MIXED_LENGTHS
        for share in SHARES
    }
    log.info("%d partly laundered texts", sum(map(len, partly.values())))

    labelled = {"aligned round trips": _aligned(roundtrips, sizes.aligned, language)}
    if read_ones is not None:
        labelled[MARKS] = _only(read_ones, np.flatnonzero(read_ones.frame["spans"].notna()))
    if edited is not None:
        labelled["people's word tags"] = edited
        for pair, of_pair in edited.frame.groupby("pair", sort=True):
            labelled[f"people's word tags, {pair}"] = _only(edited, of_pair.index.to_numpy())
    if marked is not None:
        labelled["people's error spans (MQM)"] = marked
    draws, rules = sizes.resamples, judge.fusion.shown_rules
    everything = {"round trips": roundtrips, **humans}
    every_text = {"round trips": laundered, **human_texts}
    taken = {
        "damage": sentences.damage(roundtrips, humans, judge.fusion, draws),
        "damage_cuts": sentences.damage_cuts(roundtrips, humans, draws),
        "ranks": sentences.ranks(roundtrips, edited, marked, draws),
        "provenance": sentences.provenance(roundtrips, humans, draws),
        "tokens": tokens(labelled, judge.fusion, judge.finder, draws),
        "kinds": confusion(labelled["aligned round trips"], judge.finder),
        "texts": texts.texts(laundered, human_texts, draws),
        "mixed": texts.mixed(partly, human_texts, draws),
        "translation": texts.translation(humans, human_texts, draws),
        "false_alarms": alarms.false_alarms(humans, human_texts, judge.fusion, draws),
        "evidence": alarms.evidence(everything, rules, draws),
        "evidence_in_texts": alarms.evidence_in_texts(every_text, rules, draws),
        "robustness": robustness(
            roundtrips, humans, judge.score, judge.texts, judge.fusion, most=sizes.robustness, resamples=draws
        ),
        "calibration": calibration.calibration(roundtrips, humans, laundered, human_texts, draws),
    }
    log.info("all figures taken")
    if read and read_ones is not None:
        _show(read_ones, judge, read)
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
        "bands": {name: band.definition for name, band in sentences.BANDS.items()},
        "data": {f"{f.parent.name}/{f.name}": samples.file_hash(f) for f in files if f.is_file()},
        "figures": {
            name: {row: {column: plain(f) for column, f in cells.items()} for row, cells in section.items()}
            for name, section in taken.items()
        },
        "curves": curves.curves(roundtrips, humans, laundered, human_texts),
    }


def write(results: Mapping[str, Any], folder: Path) -> tuple[Path, Path]:
    """Write the results as JSON, Markdown and plots, named after version, model and split."""
    folder.mkdir(parents=True, exist_ok=True)
    name = tables.name_of(results)
    data, page = folder / f"{name}.json", folder / f"{name}.md"
    data.write_text(laid_out(results) + "\n", encoding="utf-8")
    page.write_text(tables.markdown(results), encoding="utf-8")
    plots.write(results, folder)
    return data, page


def laid_out(value: Any, depth: int = 3, margin: str = "") -> str:
    """Give JSON with one row of figures a line, which keeps it small and its changes readable."""
    if not depth or not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    within = margin + " "
    lines = (f"{within}{json.dumps(k)}: {laid_out(v, depth - 1, within)}" for k, v in value.items())
    return "{\n" + ",\n".join(lines) + f"\n{margin}}}"


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
    native = if_there(partial(samples.human, corpora, language, "dev", "native", sizes.human))
    frames = [rows, samples.originals_of(rows), *([native] if len(native) else [])]
    backend = OnnxBackend(model)
    examined = [examine(f["text"].tolist(), language, model, backend) for f in frames]
    fusion = Fusion.load(model)
    fit = partial(Heads.fit, frames, examined, language, most=sizes.texts, provenance=fusion.provenance)
    return Judge(
        model,
        backend,
        fusion,
        language,
        fit(without=OF_ENCODER),
        fit(without=OF_RULES),
        damage_ngrams,
        provenance_ngrams,
    )


def _gold(folder: Path, language: str, split: str) -> pd.DataFrame:
    path = folder / f"{language}-{split}.parquet"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: run `python -m training.damage` first")
    return pd.read_parquet(path)


def if_there(table: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Read a table that a corpora folder may lack; an empty frame where it does."""
    try:
        return table()
    except FileNotFoundError as error:
        log.warning("left out: %s", error)
        return pd.DataFrame()


def _only(scored: Scored, rows: Rows) -> Scored:
    """Keep some sentences."""
    return Scored(scored.frame.iloc[rows].reset_index(drop=True), tuple(scored.logits[i] for i in rows))


def _aligned(roundtrips: Scored, most: int, language: str) -> Scored:
    """Draw some round trips of which a word changed, and mark their changed words."""
    changed = np.flatnonzero(roundtrips.frame["changed"] > 0)
    drawn = _only(roundtrips, np.sort(np.random.default_rng(SEED).permutation(changed)[:most]))
    pairs = zip(drawn.frame["original"], drawn.frame["roundtrip"], strict=True)
    spans = [changed_spans(original, roundtrip, language) for original, roundtrip in pairs]
    told = [
        known_kinds(row["original"], row["roundtrip"], language, row["pivot"])
        for _, row in drawn.frame.iterrows()
    ]
    return Scored(drawn.frame.assign(spans=spans, kinds=told), drawn.logits)


def plain(figure: Figure) -> dict[str, Any]:
    """Give a figure for JSON, to four digits, without what it does not have."""
    values: dict[str, Any] = {
        "value": None if figure.value is None else round(figure.value, 4),
        "n": figure.n,
    }
    if figure.against is not None:
        values["against"] = figure.against
    if figure.interval is not None:
        values["interval"] = [round(v, 4) for v in figure.interval]
    return values


def _show(scored: Scored, judge: Judge, count: int) -> None:
    """Print flagged and missed round trips beside their originals: found words in [], readers' in {}.

    Missed is where a reader marked an error or worse.
    """
    score = probability(scored.frame["fused"].to_numpy(float))
    threshold, finder = judge.fusion.operating_points[POINT].sentence or 1.0, judge.finder
    flagged = np.flatnonzero(score >= threshold)[:count]
    missed = np.flatnonzero((score < threshold) & (scored.frame["visible"] >= 2))[:count]
    for title, chosen in (("flagged", flagged), ("missed", missed)):
        print(f"\n{title} at {threshold:.3f}")
        for i in chosen:
            row, said = scored.frame.iloc[i], scored.logits[i]
            found = [(s.start, s.end) for s in finder.find(row["text"], said.words)]
            marked = [(start, end) for start, end, is_marked in row["spans"] or () if is_marked]
            grades = f"visible {row['visible']:.0f}, meaning {row['meaning']:.0f}"
            print(f"\n{score[i]:.3f}  {grades}  {row['engine']} {row['pivot']}")
            print(f"  original  {row['original']}")
            print(f"  found     {_bracketed(row['text'], found, '[]')}")
            print(f"  marked    {_bracketed(row['text'], marked, '{}')}")


def _bracketed(text: str, spans: Sequence[tuple[int, int]], brackets: str) -> str:
    """Put brackets around spans that do not overlap.

    Example:
        >>> _bracketed("assisted dying came", [(0, 8), (9, 14)], "[]")
        '[assisted] [dying] came'
    """
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]}{brackets[0]}{text[start:end]}{brackets[1]}{text[end:]}"
    return text


def page_flags(parser: argparse.ArgumentParser, mark: str) -> None:
    """Add ``--results`` and ``--model-card``, whose pages hold ``mark`` where figures belong."""
    parser.add_argument("--results", type=Path, help="take the figures from this JSON instead of measuring")
    parser.add_argument(
        "--model-card",
        type=Path,
        nargs="*",
        default=[],
        metavar="PAGE",
        help=f"pages whose figures, between <!-- {mark} --> and <!-- /{mark} -->, are written anew",
    )


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
    page_flags(parser, "figures")
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
