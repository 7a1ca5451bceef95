"""Measure a model of many languages, each by itself: `python -m eval.languages`.

Writes one JSON, one Markdown and one PNG file, named after version, model and split. None holds a
sentence of the corpora. Every language has a row of its own (see `figures.Figure`), and no mean
stands without the languages that fall short of it. Round trips and single hops are never put together.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from detector.alignment import words
from detector.backends import Backend
from detector.backends.onnx import OnnxBackend
from detector.fuse import NO_POINT, Fusion
from detector.kinds import Kinds
from detector.models import Model
from detector.spans import SpanFinder
from training.corpora import read
from training.damage import HOPS
from training.examine import examine
from training.fusion import POINTS
from training.ngrams import pairs

from . import language_tables, samples, tables
from .baselines import NgramModel, fit_ngrams
from .figures import Figure, Row, Scored, contrast, paired, probability, separate, share
from .language_tables import NAMES, NEWS, PEOPLE, RATES, Kind, aims_table, insert, summary
from .run import LABELS, POINT, if_there, laid_out, page_flags, plain
from .samples import Familiar
from .sentences import BANDS, FAULTY, WORST
from .words import MARKS, tokens

log = logging.getLogger(__name__)

_SHARED = (*(f"human/{table}" for table in ("native", "human_translation", "web75")), *LABELS)
_LENGTHS: dict[Kind, tuple[int, ...]] = {"round trip": (10, 20), "single hop": (10,)}
_MOST_TEXTS = 4000
_FEWEST_READ = 30
"""With fewer read pairs of its own kind, damage is measured on the other kind's."""


@dataclasses.dataclass(frozen=True, slots=True)
class Amounts:
    """How much is read of a language, about; the read pairs are all taken besides.

    Attributes:
        originals: Originals of round trips, each with one by a seen and one by an unseen engine; with
            all of them where there are few.
        hops: Machine translations, where there are no round trips.
        translations: Their human sides.
        people: Sentences of people's text, by table.
        labelled: Sentences of each set that people labelled.
        resamples: Draws of a bootstrap.
    """

    originals: int
    hops: int
    translations: int
    people: Mapping[str, int]
    labelled: int
    resamples: int


FULL = Amounts(1000, 1200, 1100, {"native": 1500, "human_translation": 1000, "web75": 120}, 1000, 200)
QUICK = Amounts(60, 140, 200, {"native": 100, "human_translation": 100, "web75": 40}, 60, 20)


@dataclasses.dataclass(frozen=True, slots=True)
class Judge:
    """A model in one language, and the n-grams beside it.

    Attributes:
        folder: The model's.
        backend: Runs its encoder.
        heads: Those of the language; where the model does not judge it, those all languages share.
        language: BCP 47 tag.
        ngrams: For provenance; None where there is nothing to fit them to.
    """

    folder: Path
    backend: Backend
    heads: Fusion
    language: str
    ngrams: NgramModel | None

    @property
    def finder(self) -> SpanFinder:
        """What finds damaged places."""
        return self.heads.finder(Kinds.load(self.folder, self.language))

    def score(self, frame: pd.DataFrame) -> Scored:
        """Score sentences: ``fused`` for damage, ``provenance``, ``ngram``, all logits."""
        texts = frame["text"].tolist()
        examined = examine(texts, self.language, self.folder, self.backend)
        scored = frame.assign(
            fused=self.heads.sentence.logits(examined.features),
            provenance=self.heads.provenance_logits(examined.logits),
            rule_scores=examined.rule_scores,
            ngram=self.ngrams.logits([_spaced(t) for t in texts]) if self.ngrams and texts else np.nan,
        )
        return Scored(scored, examined.logits)

    def texts(self, frame: pd.DataFrame, lengths: Sequence[int]) -> pd.DataFrame:
        """Build texts of scored sentences and score them; other columns are those of the first sentence."""
        provenance, damage, rules = (frame[c].to_numpy(float) for c in ("provenance", "fused", "rule_scores"))
        rows, x, _ = samples.build_texts(
            frame, provenance, damage, rules, self.language, most=_MOST_TEXTS, lengths=lengths
        )
        ngram = frame["ngram"].to_numpy(float)
        return frame.iloc[[r[0] for r in rows]].assign(
            size=[len(r) for r in rows],
            fused=self.heads.text.logits(x),
            ngram=[float(ngram[r].mean()) for r in rows],
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Material:
    """What a split holds of a language, before it is scored.

    Attributes:
        kind: What its machine's sentences are.
        machine: Them, in the form of `samples`, with ``seen``: whether train has the engine.
        people: By kind of `PEOPLE`, those there are, with ``is_original``. Originals of single hops are
            people's translations.
        judged: Evenly drawn pairs that readers judged (see `samples.judged`).
        judged_kind: What these are.
        labelled: Sets of sentences in which people labelled words, by name.
        engines: Of all that are in the split, the seen and the unseen ones.
        files: What gold was read.
    """

    kind: Kind
    machine: pd.DataFrame
    people: Mapping[str, pd.DataFrame]
    judged: pd.DataFrame
    judged_kind: Kind
    labelled: Mapping[str, pd.DataFrame]
    engines: tuple[list[str], list[str]]
    files: tuple[Path, ...]


def gather(
    corpora: Path, gold: Path, language: str, split: str, seen: Collection[str], amounts: Amounts
) -> Material | None:
    """Read a language; None where the split holds nothing of it that a machine wrote.

    Args:
        corpora: A folder of the shape of `training.corpora`; what it lacks is left out, and logged.
        gold: What `training.damage` wrote.
        language: BCP 47 tag.
        split: ``test`` or ``dev``.
        seen: Engines that train has in this language.
        amounts: How much.
    """
    roundtrips, hops = (_gold(path) for path in _files(gold, language, split))
    kind: Kind = "round trip" if len(roundtrips) else "single hop"
    own, other = (roundtrips, hops) if len(roundtrips) else (hops, roundtrips)
    if own.empty:
        return None
    if kind == "round trip":
        # an engine of several versions has a line more than once
        whole = own.drop_duplicates(["origin", "year", "docid", "pivot", "engine", "line"])
        familiar = Familiar(frozenset({*seen, *own["pivot"]}), frozenset())
        machine = samples.choose_roundtrips(whole, familiar, _sizes(whole, amounts.originals))
        people = {"originals": samples.originals_of(machine)}
    else:
        machine = samples.choose_hops(own, amounts.hops)
        people = {"originals": samples.translations_of(own, amounts.translations)}
    known = set(people["originals"]["text"])
    for table, most in amounts.people.items():
        frame = if_there(partial(samples.human, corpora, language, split, table, most))
        if len(frame):
            people[table] = frame
    judged, judged_kind = own[own["even"]], kind
    if len(judged) < _FEWEST_READ and len(other) and other["even"].sum() > len(judged):
        judged, judged_kind = other[other["even"]], "single hop" if kind == "round trip" else "round trip"
    labelled: dict[str, pd.DataFrame] = {}
    if split == "test":  # people's error spans have no dev part
        sets = {
            "people's word tags": partial(samples.post_edited, corpora, language, split, amounts.labelled),
            "people's error spans": partial(samples.marked, corpora, language, amounts.labelled),
        }
        labelled = {name: f for name, table in sets.items() if len(f := if_there(table))}
    engines = sorted(set(own["engine"]))
    return Material(
        kind,
        machine.assign(seen=machine["engine"].isin(list(seen))),
        {k: f.assign(is_original=f["text"].isin(known) & (k != "originals")) for k, f in people.items()},
        samples.judged(judged),
        judged_kind,
        labelled,
        ([e for e in engines if e in seen], [e for e in engines if e not in seen]),
        tuple(path for path in _files(gold, language, split) if path.is_file()),
    )


def _sizes(roundtrips: pd.DataFrame, originals: int) -> samples.Sizes:
    """Take about so many originals, each with one round trip of either cell; all round trips where few."""
    if len(roundtrips) <= 2 * originals:
        return samples.Sizes(seen_pairs=len(roundtrips), other_pairs=len(roundtrips))
    documents = roundtrips.groupby(["year", "docid"], dropna=False).ngroups
    of_document = roundtrips["original_id"].nunique() / documents
    return samples.Sizes(seen_pairs=1, other_pairs=1, documents=max(1, round(originals / of_document)))


def _files(gold: Path, language: str, split: str) -> tuple[Path, Path]:
    """Name the tables of round trips and of single hops."""
    return gold / f"{language}-{split}.parquet", gold / f"{language}-{HOPS}-{split}.parquet"


def _gold(path: Path) -> pd.DataFrame:
    if path.is_file():
        return pd.read_parquet(path)
    log.info("left out: %s is not there", path)
    return pd.DataFrame()


def learn(corpora: Path, gold: Path, language: str) -> tuple[NgramModel | None, set[str], Kind | None]:
    """Fit n-grams to train: to round trips, or to single hops where there are none.

    Writing without spaces is cut into characters (see `alignment.words`).

    Returns:
        The model, the engines of both tables, and what the model learnt from; None for the model and
        for that where train holds nothing of the language.
    """
    frame, claim = pairs(corpora, gold, language)
    hops = if_there(partial(read, corpora, f"single_hop/{language}", ("engine",), split="train"))
    seen = {engine for some in (frame, hops) if len(some) for engine in some["engine"]}
    if frame.empty:
        return None, seen, None
    kind: Kind = "round trip" if claim == "round_trip" else "single hop"
    cut = {side: frame[side].map(_spaced) for side in ("original", "roundtrip")}
    # of damage nobody need know anything here
    return fit_ngrams(frame.assign(**cut, damage=np.nan))[1], seen, kind


def _spaced(text: str) -> str:
    return " ".join(w.text for w in words(text))


def row(judge: Judge, material: Material, resamples: int) -> Row:
    """Take all figures of a language.

    Thresholds of a TPR are set on the same people's text; the stored points were set on dev. Where
    there is nothing to take a figure from, its value is None and its n says so.
    """
    machine = judge.score(material.machine).frame
    people = {kind: judge.score(frame).frame for kind, frame in material.people.items()}
    judged = judge.score(material.judged)
    labelled = {name: judge.score(frame) for name, frame in material.labelled.items()}
    lengths = _LENGTHS[material.kind]
    texts = judge.texts(machine, lengths)
    people_texts = {k: judge.texts(f, lengths) for k, f in people.items() if k in NEWS}
    return {
        **_damage(judged.frame, people, judge.heads, resamples),
        **_provenance(machine, people["originals"], judge.ngrams is not None, resamples),
        **_texts(texts, people_texts, judge.ngrams is not None, lengths, resamples),
        **_tens(texts, _translators(material, people_texts), judge.heads, resamples),
        **_false_alarms(people, people_texts, judge.heads, resamples),
        **_words(judged, labelled, judge.heads, judge.finder, resamples),
    }


def _once(frames: Mapping[str, pd.DataFrame], kinds: Collection[str]) -> pd.DataFrame:
    """Put kinds of people's text together; what is an original too counts once."""
    return pd.concat([f[~f["is_original"]] for kind, f in frames.items() if kind in kinds])


def _damage(judged: pd.DataFrame, people: Mapping[str, pd.DataFrame], heads: Fusion, resamples: int) -> Row:
    human = _once(people, NEWS)
    found: Row = {}
    bands = {name: BANDS[name].within(judged) for name in (WORST, FAULTY)}
    for name, short in ((WORST, "worst tenth"), (FAULTY, "errors")):
        told = separate(judged[bands[name]], human, "fused", resamples=resamples)
        found |= {f"damage, {short}: {column}": told[column] for column in ("AUC", "TPR at 1 %")}
    found["damage, errors: flagged"] = _flagged(judged[bands[FAULTY]], heads, POINT, resamples)
    threshold = heads.operating_points[POINT].sentence
    flagged = probability(judged["fused"].to_numpy(float)) >= (np.inf if threshold is None else threshold)
    found["damage, flagged: errors"] = share(
        bands[FAULTY][flagged], judged.loc[flagged, "cluster"].to_numpy(str), resamples
    )
    return found


def _provenance(machine: pd.DataFrame, originals: pd.DataFrame, ngrams: bool, resamples: int) -> Row:
    own = machine[machine["original_id"].isin(originals["original_id"])]
    found = {
        "provenance: AUC": separate(machine, originals, "provenance", resamples=resamples)["AUC"],
        "provenance: pair accuracy": paired(own, originals, "provenance", resamples),
    }
    for name, some in (("seen", machine[machine["seen"]]), ("unseen", machine[~machine["seen"]])):
        told = separate(some, originals, "provenance", resamples=resamples)
        found[f"provenance, {name} engine: AUC"] = told["AUC"]
    if ngrams:
        found["provenance: AUC n-grams"] = contrast(machine, originals, "ngram")
    return found


def _texts(
    texts: pd.DataFrame,
    people: Mapping[str, pd.DataFrame],
    ngrams: bool,
    lengths: Sequence[int],
    resamples: int,
) -> Row:
    human = _once(people, ("originals", "native"))
    found: Row = {}
    for length in lengths:
        some, others = (frame[frame["size"] == length] for frame in (texts, human))
        told = separate(some, others, "fused", cluster="document", resamples=resamples)
        of_length = {column: told[column] for column in ("AUC", "TPR at 5 %", "TPR at 1 %")}
        if ngrams:
            of_length["AUC n-grams"] = contrast(some, others, "ngram")
        found |= {f"texts of {length}: {column}": figure for column, figure in of_length.items()}
    return found


def _translators(material: Material, texts: Mapping[str, pd.DataFrame]) -> pd.DataFrame | None:
    """Give translators' texts of the genre of the machine's; None where there are none."""
    # what the machine of single hops wrote is encyclopaedic: news differs from it by more than the writer
    return texts.get("human_translation") if material.kind == "round trip" else None


def _tens(texts: pd.DataFrame, translations: pd.DataFrame | None, heads: Fusion, resamples: int) -> Row:
    """Say how many texts of ten are found at a stored point, and how well they are told from translators'."""
    tens = texts[texts["size"] == 10]
    found = {
        f"texts of 10: flagged at {rate}": _flagged(tens, heads, point, resamples, text=True)
        for rate, point in RATES.items()
    }
    if translations is not None:
        others = translations[translations["size"] == 10]
        told = separate(tens, others, "fused", cluster="document", resamples=resamples)
        found["texts of 10 against translations: AUC"] = told["AUC"]
    return found


def _false_alarms(
    people: Mapping[str, pd.DataFrame], texts: Mapping[str, pd.DataFrame], heads: Fusion, resamples: int
) -> Row:
    found: Row = {}
    for rate, point in RATES.items():
        for kind, name in PEOPLE.items():
            units = {"sentences": people.get(kind)}
            if kind in NEWS:
                units["texts of 10"] = texts[kind][texts[kind]["size"] == 10] if kind in texts else None
            for unit, frame in units.items():
                found[f"{name}, {unit}: flagged at {rate}"] = (
                    Figure(None, 0)
                    if frame is None
                    else _flagged(frame, heads, point, resamples, text=unit != "sentences")
                )
    return found


def _flagged(frame: pd.DataFrame, heads: Fusion, point: str, resamples: int, *, text: bool = False) -> Figure:
    """Give the share of sentences or texts that are flagged at a stored point; no value where none is."""
    at = heads.operating_points[point]
    threshold = at.text if text else at.sentence
    if threshold is None:
        return Figure(None, len(frame))
    groups = frame["document"] if "document" in frame else frame["cluster"]
    flags = probability(frame["fused"].to_numpy(float)) >= threshold
    return share(flags, groups.to_numpy(str), resamples)


def _words(
    judged: Scored, labelled: Mapping[str, Scored], heads: Fusion, finder: SpanFinder, resamples: int
) -> Row:
    located = np.flatnonzero(judged.frame["spans"].notna())
    marks = Scored(
        judged.frame.iloc[located].reset_index(drop=True), tuple(judged.logits[i] for i in located)
    )
    found = tokens({MARKS: marks, **labelled}, heads, finder, resamples)
    return {f"words, {name}: AUC": found[name]["word AUC"] for name in (MARKS, *labelled)}


def measure(
    corpora: Path,
    gold: Path,
    model: Path,
    split: str,
    output: Path,
    *,
    languages: Sequence[str] | None = None,
    quick: bool = False,
    resume: bool = False,
) -> dict[str, Any]:
    """Take the figures of many languages, and write them as JSON after each.

    What an earlier JSON says of other languages stays, as long as model, amounts and data are the same.

    Args:
        corpora: A folder of the shape of `training.corpora`.
        gold: What `training.damage` wrote, of every language.
        model: A model folder.
        split: ``test``, or ``dev`` to choose by.
        output: Folder of the JSON.
        languages: BCP 47 tags; all but English that the split holds by default.
        quick: Read a small sample: figures to see that all works, not to be quoted.
        resume: Leave out the languages that the earlier JSON has.

    Returns:
        The results as plain values, ready for JSON.

    Raises:
        ValueError: If the model folder is not whole.
    """
    amounts = QUICK if quick else FULL
    loaded = Model(model)
    backend = OnnxBackend(model)
    every = _languages_of(gold, split)
    results: dict[str, Any] = {
        "signature": {"version": version("translation-laundering-detector"), "model": loaded.hash},
        "split": split,
        "language": "languages",
        "quick": quick,
        "amounts": dataclasses.asdict(amounts),
        "token_threshold": loaded.fusion.token_threshold,
        "data": _hashes([corpora / f"{name}.parquet" for name in _SHARED]),
        "judged": list(loaded.languages),
        "left_out": [],
        "complete": False,
    }
    rows = _earlier(output, results, gold)
    wanted = every if languages is None else languages
    for i, language in enumerate(wanted, 1):
        if resume and language in rows:
            continue
        ngrams, seen, learnt = learn(corpora, gold, language)
        material = gather(corpora, gold, language, split, seen, amounts)
        if material is None:
            log.warning("left out: %s holds nothing of %s that a machine wrote", split, language)
            results["left_out"].append(language)
            continue
        is_judged = language in loaded.languages
        heads = _heads(loaded.fusion, language, is_judged)
        judge = Judge(model, backend, heads, language, ngrams)
        rows[language] = {
            "name": NAMES.get(language, language),
            "kind": material.kind,
            "judged": is_judged,
            "claim": loaded.fusion.claim(language) if is_judged else None,
            "damage_read_in": material.judged_kind if len(material.judged) else None,
            "people": [kind for kind in PEOPLE if kind in material.people],
            "seen": material.engines[0],
            "unseen": material.engines[1],
            "ngrams_learnt_from": learnt,
            "operating_points": {k: dataclasses.asdict(p) for k, p in heads.operating_points.items()},
            "data": _hashes(material.files),
            "figures": {c: plain(f) for c, f in row(judge, material, amounts.resamples).items()},
        }
        results["languages"] = dict(sorted(rows.items()))
        write_json(results, output)
        log.info("%d of %d: %s", i, len(wanted), language_tables.line(language, rows[language]))
    results["languages"] = dict(sorted(rows.items()))
    results["complete"] = set(every) <= {*rows, *results["left_out"]}
    return results


def write_json(results: Mapping[str, Any], folder: Path) -> Path:
    """Write the results as JSON, named after version, model and split."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{tables.name_of(results)}.json"
    path.write_text(laid_out(results) + "\n", encoding="utf-8")
    return path


def _earlier(folder: Path, results: Mapping[str, Any], gold: Path) -> dict[str, Any]:
    """Give the rows of an earlier JSON that hold for the same amounts and data."""
    path = folder / f"{tables.name_of(results)}.json"
    old = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if any(old.get(key) != results[key] for key in ("amounts", "data")):
        return {}
    rows: dict[str, Any] = old["languages"]
    return {k: r for k, r in rows.items() if r["data"] == _hashes(_files(gold, k, results["split"]))}


def _heads(fusion: Fusion, language: str, is_judged: bool) -> Fusion:
    if is_judged:
        return fusion.of(language)
    return dataclasses.replace(fusion, operating_points=dict.fromkeys(POINTS, NO_POINT), languages={})


def _languages_of(gold: Path, split: str) -> list[str]:
    tags = {path.name.split("-")[0] for path in gold.glob(f"*-{split}.parquet")}
    return sorted(tags - {"en"})


def _hashes(paths: Iterable[Path]) -> dict[str, str]:
    return {f"{p.parent.name}/{p.name}": samples.file_hash(p) for p in paths if p.is_file()}


def write(results: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """Write the results as JSON, Markdown and a heat map, named after version, model and split."""
    data = write_json({**results, "summary": summary(results["languages"])}, folder)
    return data, *language_tables.write(results, data)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure a model of many languages, and write figures, tables and a heat map."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--gold", type=Path, default=Path("runs/gold"), help="what training.damage wrote")
    parser.add_argument(
        "--model", type=Path, default=Path("detector/assets/default/many"), help="model folder"
    )
    parser.add_argument("--output", type=Path, default=Path("results"))
    parser.add_argument("--split", choices=["dev", "test"], default="test")
    parser.add_argument("--languages", default="all", help="all, or tags such as de,cs; other rows stay")
    parser.add_argument("--quick", action="store_true", help="a small sample, to see that all works")
    parser.add_argument("--resume", action="store_true", help="keep the languages that the JSON has already")
    page_flags(parser, "languages")
    args = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if args.results:
        results = json.loads(args.results.read_text(encoding="utf-8"))
    else:
        results = measure(
            args.corpora,
            args.gold,
            args.model,
            args.split,
            args.output,
            languages=None if args.languages == "all" else args.languages.split(","),
            quick=args.quick,
            resume=args.resume,
        )
    for path in write(results, args.results.parent if args.results else args.output):
        print(path)
    for page in args.model_card:
        insert(page, results)
        print(page)
    print(aims_table(results))


if __name__ == "__main__":
    main()
