"""Results -> Markdown: the figures beside what was aimed at, and every table below them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Results = Mapping[str, Any]
"""What `eval.run.measure` gives and `eval.run` writes as JSON."""

TITLES = {
    "damage": (
        "Damage",
        "Round trips by gold damage against people's text. TPR at a rate sets its threshold on that same "
        "text; the stored points were set on dev. *Human text* is the other three kinds together.",
    ),
    "ranks": ("Damage, ranked", "Spearman correlation of the sentence score with graded gold."),
    "provenance": (
        "Provenance of a sentence",
        "Round trips against their originals by the logit that people are not shown. Engines and pivots "
        "are *seen* where train has them; *tried on dev* is what dev alone has.",
    ),
    "tokens": (
        "Words and spans",
        "F0.5 and the top span are taken over sentences flagged at the 1 % point; the top span is right "
        "where at least half of it is damaged.",
    ),
    "texts": (
        "Texts",
        "Consecutive news sentences of one article through one pivot and engine, against originals and "
        "native news together unless a column says otherwise; thresholds are set on that same text.",
    ),
    "false_alarms": (
        "False alarms",
        "People's text flagged at the points stored with the model. Originals are also part of *native*. "
        "Texts of informal text, chat and science news are sentences of one kind, not of one author.",
    ),
    "calibration": (
        "Calibration",
        "Half of the weight on round trips, half on originals, native news and translations; error over "
        "15 bins of equal width.",
    ),
}


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that was aimed at.

    Attributes:
        name: What it says.
        section: Where it stands in the results.
        row: As in the results.
        column: As in the results.
        bound: What to reach.
        at_least: Whether ``bound`` is the least, not the most.
        percent: Whether it is shown in percent.
    """

    name: str
    section: str
    row: str
    column: str
    bound: float
    at_least: bool = True
    percent: bool = False

    def met(self, value: float) -> bool:
        """Whether ``value`` is good enough."""
        return value >= self.bound if self.at_least else value <= self.bound


_WORST = "10 % most damaged, against human text"
TARGETS = (
    Target("damage: AUC of the 10 % most damaged against human text", "damage", _WORST, "AUC fused", 0.85),
    Target("damage: TPR of the same at 1 % false alarms", "damage", _WORST, "TPR at 1 %", 0.30),
    Target(
        "damage: rank correlation with people's HTER",
        "ranks",
        "HTER, mean over source languages",
        "fused",
        0.40,
    ),
    Target("provenance, sentence AUC: news 2018, seen", "provenance", "news 2018, seen", "AUC", 0.72),
    Target("provenance, sentence AUC: FLORES, seen", "provenance", "FLORES, seen", "AUC", 0.67),
    Target("provenance, sentence AUC: FLORES, both unseen", "provenance", "FLORES, both unseen", "AUC", 0.66),
    Target("pair accuracy: news 2018, seen", "provenance", "news 2018, seen", "pair accuracy", 0.78),
    Target("texts of 10, news 2018: AUC", "texts", "news 2018: 10", "AUC", 0.92),
    Target("texts of 10, news 2018: TPR at 5 %", "texts", "news 2018: 10", "TPR at 5 %", 0.62),
    Target("texts of 20, news 2018: AUC", "texts", "news 2018: 20", "AUC", 0.965),
    Target("texts of 20, news 2018: TPR at 5 %", "texts", "news 2018: 20", "TPR at 5 %", 0.82),
    Target("words: AUC against aligned gold", "tokens", "aligned round trips", "word AUC", 0.70),
    Target("words: AUC against people's tags", "tokens", "people's word tags", "word AUC", 0.70),
    Target(
        "native sentences flagged at the 1 % point",
        "false_alarms",
        "native",
        "sentences fpr_1e-2",
        0.02,
        at_least=False,
        percent=True,
    ),
    Target(
        "native texts flagged at the 1 % point",
        "false_alarms",
        "native",
        "texts fpr_1e-2",
        0.02,
        at_least=False,
        percent=True,
    ),
    Target(
        "human translation: sentences flagged at the 1 % point",
        "false_alarms",
        "human translation",
        "sentences fpr_1e-2",
        0.03,
        at_least=False,
        percent=True,
    ),
    Target(
        "human translation: texts flagged at the 1 % point",
        "false_alarms",
        "human translation",
        "texts fpr_1e-2",
        0.03,
        at_least=False,
        percent=True,
    ),
)


def name_of(results: Results) -> str:
    """Give the name of the files of some results: version, model, language and split."""
    signature = results["signature"]
    parts = [signature["version"], signature["model"], results["language"], results["split"]]
    return "-".join([*parts, *(["quick"] if results["quick"] else [])])


def headline(results: Results) -> str:
    """Give the table of what was aimed at, and what it was measured on."""
    lines = [
        f"Split `{results['split']}`, language `{results['language']}`, "
        f"model `{results['signature']['model']}`, version {results['signature']['version']}"
        + ("; a quick sample, not to be quoted." if results["quick"] else ".")
        + " In brackets: 95 % bootstrap interval over originals, for texts over articles. "
        f"Every figure: `results/{name_of(results)}.md`.",
        "",
        "| | measured | n | aim | |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for target in TARGETS:
        figure = (
            results["figures"][target.section].get(target.row, {}).get(target.column, {"value": None, "n": 0})
        )
        value = figure["value"]
        verdict = "no data" if value is None else "met" if target.met(value) else "missed"
        aim = f"{'≥' if target.at_least else '≤'} {_number(target.bound, target.percent)}"
        lines.append(
            f"| {target.name} | {_cell(figure, target.percent)} | {_count(figure)} | {aim} | {verdict} |"
        )
    return "\n".join(lines)


def markdown(results: Results) -> str:
    """Give the whole results as one Markdown page."""
    parts = [f"# Results on `{results['split']}`", headline(results)]
    for key, (title, note) in TITLES.items():
        section = results["figures"][key]
        if section:
            parts += [f"## {title}", note, *_tables(section)]
    data = "\n".join(f"| {name} | `{digest}` |" for name, digest in results["data"].items())
    parts += [
        "## Data",
        "SHA-256 of every file read, its first 12 digits.",
        f"| file | |\n| --- | --- |\n{data}",
    ]
    return "\n\n".join(parts) + "\n"


def insert_figures(path: Path, results: Results) -> None:
    """Put the headline between the marks ``<!-- figures -->`` and ``<!-- /figures -->`` of a page.

    Raises:
        ValueError: If the page does not have both marks, in this order, once each.
    """
    first, last = "<!-- figures -->", "<!-- /figures -->"
    page = path.read_text(encoding="utf-8")
    before, opened, rest = page.partition(first)
    _, closed, after = rest.partition(last)
    if not opened or not closed or first in after or last in after:
        raise ValueError(f"{path}: expected one {first} and one {last} after it")
    path.write_text(f"{before}{first}\n{headline(results)}\n{last}{after}", encoding="utf-8")


def _tables(section: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Lay rows out as tables, one for all rows of the same columns."""
    tables: dict[tuple[str, ...], list[str]] = {}
    for name, row in section.items():
        columns = tuple(row)
        head = [f"| | n | {' | '.join(columns)} |", "| --- | ---: |" + " ---: |" * len(columns)]
        first = next(iter(row.values()), {"n": 0})
        cells = " | ".join(_cell(figure) for figure in row.values())
        tables.setdefault(columns, head).append(f"| {name} | {_count(first)} | {cells} |")
    return ["\n".join(lines) for lines in tables.values()]


def _cell(figure: Mapping[str, Any], percent: bool = False) -> str:
    if figure["value"] is None:
        return "-"
    shown = _number(figure["value"], percent)
    if interval := figure.get("interval"):
        shown += f" ({_number(interval[0], percent)} to {_number(interval[1], percent)})"
    return shown


def _number(value: float, percent: bool) -> str:
    return (
        f"{100 * value:.1f} %"
        if percent
        else f"{value:.3f}".replace("0.", ".", 1)
        if abs(value) < 1
        else f"{value:.3f}"
    )


def _count(figure: Mapping[str, Any]) -> str:
    against = figure.get("against")
    return f"{figure['n']:,}" + (f" / {against:,}" if against is not None else "")
