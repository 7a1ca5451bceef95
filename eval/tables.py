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
        "Round trips that readers judged, drawn evenly from all that are evaluated, by what they marked; "
        "against people's text, and what is in error against what is not. TPR at a rate sets its "
        "threshold on that same text; the stored points were set on dev. *Human text* is the other three "
        "kinds together.",
    ),
    "damage_cuts": (
        "Damage, cut",
        "Against human text; what is most damaged is decided over all that readers judged together, so "
        "that it means the same in every cut. Cuts by length stand against people's sentences of that "
        "length.",
    ),
    "ranks": ("Damage, ranked", "Spearman correlation of the sentence score with graded gold."),
    "provenance": (
        "Provenance of a sentence",
        "Round trips against their originals by the logit that people are not shown. Engines and pivots "
        "are *seen* where train has them; *tried on dev* is what dev alone has.",
    ),
    "tokens": (
        "Words and spans",
        "Over all sentences of a set, and over those flagged at the 1 % point, the only ones in which "
        "people are shown words. A word counts as found where a span covers it. The surest span is "
        "right where at least half of it is damaged; of readers' marks, which are the worst words alone, "
        "where it touches one; *words of the top span* is the share of damaged words in it, beside that in "
        "the whole of the same sentences. n counts words: damaged, and sound.",
    ),
    "kinds": (
        "Kinds of spans",
        "Spans found in aligned round trips, by what became of most of their characters (rows) and the kind "
        "they were given (columns), as shares of the row; n counts its spans.",
    ),
    "texts": (
        "Texts",
        "Consecutive news sentences of one article through one pivot and engine, against originals and "
        "native news together unless a column says otherwise; thresholds are set on that same text.",
    ),
    "mixed": (
        "Texts laundered in part",
        "By length and the share of sentences that came back through one pivot and engine; the others "
        "are the author's own. Against whole texts of originals and native news.",
    ),
    "translation": (
        "Human translation against native text",
        "Of the same years, translation as the positive class: .5 is ideal.",
    ),
    "false_alarms": (
        "False alarms",
        "People's text flagged at the points stored with the model, and how many times the rate it is "
        "named for a point's rate is. Originals are also part of *native*. Texts of informal text, chat "
        "and science news (*news abc*) are sentences of one kind, not of one author.",
    ),
    "evidence": (
        "Evidence per 1,000 sentences",
        "What the rules that are shown and the model find, by kind of text; n counts the round trips.",
    ),
    "evidence_in_texts": (
        "Texts of ten with evidence",
        "Share of the texts of ten sentences in which each finds anything; n counts the laundered texts.",
    ),
    "robustness": (
        "Robustness",
        "The same sentences before and after a harmless change. The 10 % most damaged, and texts of ten, "
        "against people's; then people's text flagged at the stored points.",
    ),
    "calibration": (
        "Calibration",
        "Half of the weight on round trips, half on originals, native news and translations; error over "
        "15 bins of equal width. The gold of a sentence is the probability that a careful reader marks an "
        "error. n counts the round trips, or laundered texts, then people's.",
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


def _at_most(name: str, section: str, row: str, column: str, bound: float, *, percent: bool) -> Target:
    return Target(name, section, row, column, bound, at_least=False, percent=percent)


def _flagged(kind: str, row: str, bound: float) -> tuple[Target, Target]:
    """Aim at few false alarms of a kind of people's text, at the 1 % point."""
    return (
        _at_most(
            f"{kind}: sentences flagged at the 1 % point",
            "false_alarms", f"{row}: sentences", "fpr_1e-2", bound, percent=True,
        ),
        _at_most(
            f"{kind}: texts flagged at the 1 % point",
            "false_alarms", f"{row}: texts", "fpr_1e-2", bound, percent=True,
        ),
    )  # fmt: skip


_WORST = "10 % most damaged, against human text"
_TRANSLATION = "human translation against native of the same years: AUC of"
TARGETS = (
    Target("damage: AUC of the 10 % most damaged against human text", "damage", _WORST, "AUC", 0.92),
    Target("damage: TPR of the same at 1 % false alarms", "damage", _WORST, "TPR at 1 %", 0.45),
    Target("damage: sentences flagged at the 1 % point in which readers mark an error or worse", "damage",
           "what readers marked where flagged at fpr_1e-2", "an error or worse (2, 3)", 0.85, percent=True),
    Target("damage: rank correlation with people's HTER", "ranks", "HTER, mean over source languages",
           "fused", 0.50),
    *(
        target
        for length, auc, tpr in ((10, 0.95, 0.55), (20, 0.98, 0.80))
        for part in ("news", "news, seen")
        for target in (
            Target(f"texts of {length}, {part}: AUC", "texts", f"{part}: {length}", "AUC", auc),
            Target(f"texts of {length}, {part}: TPR at 1 %", "texts", f"{part}: {length}", "TPR at 1 %", tpr),
        )
    ),
    Target("texts of 20 with a quarter laundered, news: AUC", "mixed", "news: 20, 25 %", "AUC", 0.75),
    Target("provenance, sentence AUC: news", "provenance", "news", "AUC", 0.74),
    Target("provenance, sentence AUC: news, seen", "provenance", "news, seen", "AUC", 0.74),
    Target("provenance, sentence AUC: FLORES, seen", "provenance", "FLORES, seen", "AUC", 0.70),
    Target("provenance, sentence AUC: FLORES, both unseen", "provenance", "FLORES, both unseen", "AUC", 0.68),
    Target("pair accuracy: news", "provenance", "news", "pair accuracy", 0.80),
    Target("pair accuracy: news, seen", "provenance", "news, seen", "pair accuracy", 0.80),
    _at_most("calibration error of the sentence score", "calibration", "sentence score against gold damage",
             "calibration error", 0.02, percent=False),
    _at_most("calibration error of the text score", "calibration", "text score", "calibration error", 0.03,
             percent=False),
    *_flagged("native", "native", 0.02),
    *_flagged("human translation", "human translation", 0.02),
    _at_most("human translation: texts of 10 flagged at the 1 % point", "false_alarms",
             "human translation: texts of 10", "fpr_1e-2", 0.02, percent=True),
    *(
        _at_most(f"{_TRANSLATION} the {name}", "translation", name, "AUC", 0.57, percent=False)
        for name in ("sentence score", "score of texts of 10", "score of texts of 20")
    ),
    *_flagged("informal", "informal ewt", 0.02),
    *_flagged("chat", "chat", 0.02),
    *_flagged("science news", "news abc", 0.02),
)  # fmt: skip


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
        aim = f"{'≥' if target.at_least else '≤'} {number(target.bound, target.percent)}"
        lines.append(
            f"| {target.name} | {_cell(figure, target.percent)} | {count(figure)} | {aim} | {verdict} |"
        )
    return "\n".join(lines)


def markdown(results: Results) -> str:
    """Give the whole results as one Markdown page."""
    parts = [
        f"# Results on `{results['split']}`",
        headline(results),
        "In every table below n is that of its first column; the JSON has each figure's own.",
    ]
    for key, (title, note) in TITLES.items():
        if section := results["figures"][key]:
            parts += [f"## {title}", note, *_tables(section)]
    bands = "\n".join(f"| {name} | {definition} |" for name, definition in results["bands"].items())
    data = "\n".join(f"| {name} | `{digest}` |" for name, digest in results["data"].items())
    parts += [
        "## Bands of damage",
        "What readers marked, graded as in `training/readings.py`.",
        f"| band | round trips |\n| --- | --- |\n{bands}",
        "## Data",
        "SHA-256 of every file read, its first 12 digits.",
        f"| file | |\n| --- | --- |\n{data}",
    ]
    return "\n\n".join(parts) + "\n"


def insert_figures(path: Path, results: Results) -> None:
    """Put the headline between the marks ``<!-- figures -->`` and ``<!-- /figures -->`` of a page.

    Raises:
        ValueError: As `insert`.
    """
    insert(path, "figures", headline(results))


def insert(path: Path, mark: str, text: str) -> None:
    """Put a text between the marks ``<!-- mark -->`` and ``<!-- /mark -->`` of a page.

    Raises:
        ValueError: If the page does not have both marks, in this order, once each.
    """
    first, last = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    page = path.read_text(encoding="utf-8")
    before, opened, rest = page.partition(first)
    _, closed, after = rest.partition(last)
    if not opened or not closed or first in after or last in after:
        raise ValueError(f"{path}: expected one {first} and one {last} after it")
    path.write_text(f"{before}{first}\n{text}\n{last}{after}", encoding="utf-8")


def _tables(section: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Lay rows out as tables, one for all rows of the same columns."""
    tables: dict[tuple[str, ...], list[str]] = {}
    for name, row in section.items():
        columns = tuple(row)
        head = [f"| | n | {' | '.join(columns)} |", "| --- | ---: |" + " ---: |" * len(columns)]
        first = next(iter(row.values()), {"n": 0})
        cells = " | ".join(_cell(figure) for figure in row.values())
        tables.setdefault(columns, head).append(f"| {name} | {count(first)} | {cells} |")
    return ["\n".join(lines) for lines in tables.values()]


def _cell(figure: Mapping[str, Any], percent: bool = False) -> str:
    if figure["value"] is None:
        return "-"
    shown = number(figure["value"], percent)
    if interval := figure.get("interval"):
        shown += f" ({number(interval[0], percent)} to {number(interval[1], percent)})"
    return shown


def number(value: float, percent: bool) -> str:
    """Show a figure: to a tenth of a percent, or to three digits without the leading zero."""
    return (
        f"{100 * value:.1f} %"
        if percent
        else f"{value:.3f}".replace("0.", ".", 1)
        if abs(value) < 1
        else f"{value:.3f}"
    )


def count(figure: Mapping[str, Any]) -> str:
    """Show what a figure was taken over, and against."""
    against = figure.get("against")
    return f"{figure['n']:,}" + (f" / {against:,}" if against is not None else "")
