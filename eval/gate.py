"""Fail if a figure fell below its floor: `python -m eval.gate [RESULTS.json]`.

Two things are held against ``floors.json``: the results of the embedded model on the test splits,
and what it makes here and now of our own texts in ``gate_texts``. Neither needs the corpora. A
floor is only ever changed by a person; ``--propose`` prints what the figures would allow.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from detector import Detector
from detector.report import Report

from .metrics import Floats, Order, bootstrap_intervals, pair_accuracy
from .tables import TARGETS

HERE = Path(__file__).parent
POINTS = ("fpr_1e-2", "fpr_5e-2")
LANGUAGE = "en"
MARGIN = 0.01
"""What a proposed floor leaves below a figure that has no bootstrap interval."""

Figure = Mapping[str, Any]
"""``value``, ``n`` and, where there is one, ``interval``: as in the results."""
Floors = Mapping[str, Mapping[str, float]]
"""For each figure ``at_least`` or ``at_most``."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures, and what they were measured on.

    Attributes:
        model: Hash of the model's files.
        data: Hash of everything read, its first 12 digits.
        figures: By name.
    """

    model: str
    data: Mapping[str, str]
    figures: Mapping[str, Figure]


def of_results(results: Mapping[str, Any]) -> Measured:
    """Give the figures of `eval.run`, named ``section | row | column``."""
    figures = {
        f"{section} | {row} | {column}": figure
        for section, rows in results["figures"].items()
        for row, columns in rows.items()
        for column, figure in columns.items()
    }
    return Measured(results["signature"]["model"], results["data"], figures)


def newest(folder: Path, model: str) -> Path:
    """Give the file of a model's results on test (see `tables.name_of`), of the latest version.

    Raises:
        ValueError: If there is none.
    """
    found = sorted(folder.glob(f"*-{model}-{LANGUAGE}-test.json"))
    if not found:
        raise ValueError(
            f"{folder} has no results of the embedded model {model} on test: run `make evaluate`"
        )
    return found[-1]


def read_texts(folder: Path) -> dict[str, list[str]]:
    """Read our texts, one a paragraph: as written under ``human``, and what came back under each pivot.

    Raises:
        ValueError: If a round trip does not answer its original, text by text.
    """
    sides = [folder / "human", *sorted((folder / "roundtrip").iterdir())]
    texts = {
        side.name: [
            paragraph
            for path in sorted(side.glob("*.txt"))
            for paragraph in path.read_text(encoding="utf-8").strip().split("\n\n")
        ]
        for side in sides
    }
    if len({len(of) for of in texts.values()}) > 1:
        raise ValueError(f"{folder}: a round trip does not answer its original; run its launder.py again")
    return texts


def of_texts(folder: Path, model: Path | None = None) -> Measured:
    """Measure a model, the embedded one by default, on our own texts.

    Every original stands beside its round trip through each pivot. What the detector abstains
    from is left out. False alarms are counts.

    Raises:
        ValueError: As `read_texts`.
    """
    detector = Detector.from_pretrained(model, operating_point=None)
    texts = read_texts(folder)
    reports = {side: [detector.analyze(t, language=LANGUAGE) for t in of] for side, of in texts.items()}
    human = reports.pop("human")
    figures = dict(_figures(human, list(reports.values())))
    for point in sorted({*POINTS} & {*detector.operating_points}):
        set_at = Detector.from_pretrained(model, operating_point=point)
        signature = set_at.analyze("", language=LANGUAGE).signature
        alarms = [[s.score >= signature.threshold for s in r.sentences] for r in human]
        figures[f"human sentences flagged at {point}"] = _count(alarms)
        figures[f"human texts flagged at {point}"] = _count(
            [[r.score >= signature.text_threshold] for r in human]
        )
    return Measured(human[0].signature.model, hashes(texts), figures)


def hashes(texts: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Give the first 12 hex digits of the SHA-256 of each side of our texts."""
    joined = {side: "\n\n".join(of) for side, of in texts.items()}
    return {f"gate_texts, {side}": hashlib.sha256(t.encode()).hexdigest()[:12] for side, t in joined.items()}


def problems(pinned: Mapping[str, Any], measured: Measured) -> Iterator[str]:
    """Say what of ``measured`` is not as ``floors.json`` has it: other data, a missing or fallen figure.

    Args:
        pinned: A section of ``floors.json``: ``model``, ``data`` and ``floors``.
        measured: What to hold against it.
    """
    for name in sorted({*pinned["data"], *measured.data}):
        want, got = pinned["data"].get(name), measured.data.get(name)
        if want != got:
            yield (
                f"{name}: the floors are of {want}, the figures of {got}. Floors say nothing of other data: "
                "see what changed, measure again, and paste what `make gate ARGS=--propose` prints"
            )
    for name, floor in pinned["floors"].items():
        value = measured.figures.get(name, {}).get("value")
        if value is None:
            yield f"{name}: not measured"
        elif value < floor.get("at_least", -math.inf):
            yield f"{name}: {value:.4g}, floor {floor['at_least']:g} (that of model {pinned['model']})"
        elif value > floor.get("at_most", math.inf):
            yield f"{name}: {value:.4g}, at most {floor['at_most']:g} (that of model {pinned['model']})"


def propose(sides: Mapping[str, str], measured: Measured) -> dict[str, Any]:
    """Give a section of ``floors.json`` that ``measured`` would just pass.

    A floor is the near end of the figure's bootstrap interval, or `MARGIN` away from it.

    Args:
        sides: ``at_least`` or ``at_most`` for each figure to pin; what was not measured is left out.
        measured: The figures.
    """
    floors = {}
    for name, side in sides.items():
        figure = measured.figures.get(name, {})
        if (value := figure.get("value")) is None:
            continue
        low, high = figure.get("interval") or (value - MARGIN, value + MARGIN)
        # rounded away from the figure; the inner rounding keeps .21 from becoming .211
        bound = math.floor(round(1000 * low, 6)) if side == "at_least" else math.ceil(round(1000 * high, 6))
        floors[name] = {side: bound / 1000}
    return {"model": measured.model, "data": dict(measured.data), "floors": floors}


def _figures(human: Sequence[Report], laundered: Sequence[Sequence[Report]]) -> Iterator[tuple[str, Figure]]:
    """Compare every original with its round trips: texts in pairs, sentences as two classes."""
    before = np.array([r.score for _ in laundered for r in human])
    after = np.array([r.score for of_pivot in laundered for r in of_pivot])
    group = np.tile(np.arange(len(human)), len(laundered))
    judged = ~np.isnan(before) & ~np.isnan(after)
    before, after, group = before[judged], after[judged], group[judged]
    yield "pair accuracy of texts", _figure(lambda times: pair_accuracy(before, after, times), group)

    rows = [
        (s.score, came_back, k)
        for came_back, side in ((False, [human]), (True, laundered))
        for reports in side
        for k, report in enumerate(reports)
        for s in report.sentences
        if not math.isnan(s.score)
    ]
    scores, gold, text = (np.array(column) for column in zip(*rows, strict=True))
    yield "AUC of sentences", _figure(Order.of(gold, scores).auc, text)


def _count(alarms: Sequence[Sequence[bool]]) -> Figure:
    """Count what is flagged; alarms are drawn text by text."""
    flagged = np.array([sum(of) for of in alarms], dtype=np.float64)
    figure = _figure(lambda times: float(flagged @ times), np.arange(len(alarms)))
    return {**figure, "n": sum(len(of) for of in alarms)}


def _figure(statistic: Callable[[Floats], float], groups: npt.NDArray[np.int64]) -> Figure:
    """Give a figure and one standard error around it.

    The same texts are measured again, so that only another processor's rounding moves it: 95 % would
    let too much through.
    """
    (interval,) = bootstrap_intervals([statistic], groups, level=0.68)
    return {"value": statistic(np.ones(len(groups))), "n": len(groups), "interval": interval}


def _sides(pinned: Mapping[str, Any]) -> dict[str, str]:
    return {name: side for name, floor in pinned["floors"].items() for side in floor}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what fell; exit code 0 if nothing did, else 1."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument(
        "results", type=Path, nargs="?", help="by default those of the embedded model in results/"
    )
    parser.add_argument("--floors", type=Path, default=HERE / "floors.json")
    parser.add_argument("--texts", type=Path, default=HERE / "gate_texts")
    parser.add_argument(
        "--propose", action="store_true", help="print floors to paste; write and check nothing"
    )
    options = parser.parse_args(arguments)
    floors = json.loads(options.floors.read_text(encoding="utf-8"))
    texts = of_texts(options.texts)
    fallen = []
    measured = {"gate": texts}
    try:
        path = options.results or newest(HERE.parent / "results", texts.model)
        measured["results"] = of_results(json.loads(path.read_text(encoding="utf-8")))
        if (model := measured["results"].model) != texts.model:
            fallen.append(f"{path} is of model {model}, embedded is {texts.model}: run `make evaluate`")
    except (FileNotFoundError, ValueError) as error:
        fallen.append(str(error))
    if options.propose:
        aims = {
            f"{t.section} | {t.row} | {t.column}": "at_least" if t.at_least else "at_most" for t in TARGETS
        }
        sides = {"results": aims | _sides(floors["results"]), "gate": _sides(floors["gate"])}
        print(
            json.dumps({k: propose(sides[k], m) for k, m in measured.items()}, indent=1, ensure_ascii=False)
        )
        return 0
    for section, of in measured.items():
        fallen += problems(floors[section], of)
        print(f"{section}: {len(floors[section]['floors'])} floors, model {of.model}")
    for line in fallen:
        print(f"- {line}")
    return 1 if fallen else 0


if __name__ == "__main__":
    raise SystemExit(main())
