"""Results -> pictures: what `curves` measured, as SVG files; equal figures give equal bytes.

Colours are those of Okabe and Ito (2008), which people with a colour deficiency tell apart; every
line also has a dash pattern and a marker of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.figure import Figure

from .tables import name_of

FEWEST = 20
"""A cell or bin of fewer sentences shows chance, and is left empty."""

_COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73")
_DASHES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D")
_STEPS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_STYLE: Any = {
    "font.size": 10,
    "font.family": "DejaVu Sans",  # ships with matplotlib: letters take the same room everywhere
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "svg.fonttype": "none",  # letters stay letters: a tenth of the size
    "svg.hashsalt": "plots",
}


def write(results: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw every curve of the results, and give the files: ``<name of the results>-<plot>.svg``.

    A curve without a point to show gets no file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    curves = results["curves"]
    paths = []
    with mpl.rc_context(_STYLE):
        for name, draw in PLOTS.items():
            if (picture := draw(curves, results["seen"])) is not None:
                path = folder / f"{name_of(results)}-{name}.svg"
                picture.savefig(path, metadata={"Date": None, "Creator": None}, facecolor="white")
                paths.append(path)
    return paths


def roc(curves: Mapping[str, Any], _: Sequence[str]) -> Figure | None:
    """Draw the share found against the share of people's text flagged, on a logarithmic axis."""
    known = {name: curve for name, curve in curves["roc"].items() if any(t is not None for t in curve["tpr"])}
    if not known:
        return None
    picture, axes = _figure(8, 4.2)
    for k, (name, curve) in enumerate(known.items()):
        points = [p for p in zip(curve["fpr"], curve["tpr"], strict=True) if p[1] is not None]
        label = f"{name} ({curve['n']:,} / {curve['against']:,})"
        axes.plot(*zip(*points, strict=True), color=_COLOURS[k % 4], linestyle=_DASHES[k % 4], label=label)
    lowest = min(f for c in known.values() for f, t in zip(c["fpr"], c["tpr"], strict=True) if t is not None)
    chance = np.geomspace(lowest, 1, 50)
    axes.plot(chance, chance, color="#999999", linewidth=0.8, label="chance")
    axes.set(xscale="log", xlim=(lowest, 1), ylim=(0, 1))
    axes.set(xlabel="people's text flagged", ylabel="laundered text found")
    axes.xaxis.set_major_formatter(lambda rate, _: f"{100 * rate:g} %")
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    axes.legend(frameon=False, title="laundered / people's", alignment="left")
    return picture


def reliability(curves: Mapping[str, Any], _: Sequence[str]) -> Figure | None:
    """Draw what came true against what scores said; a mark is as large as its share of the weight."""
    known = {
        name: [b for b in bins if b["gold"] is not None and b["n"] >= FEWEST]
        for name, bins in curves["reliability"].items()
    }
    if not any(known.values()):
        return None
    picture, axes = _figure(5, 4.6)
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, label="as it should be")
    for k, (name, bins) in enumerate(known.items()):
        said, gold = [b["score"] for b in bins], [b["gold"] for b in bins]
        colour = _COLOURS[1 + k % 3]
        axes.plot(said, gold, color=colour, linestyle=_DASHES[k % 4], linewidth=1)
        size = [10 + 250 * b["share"] for b in bins]
        axes.scatter(said, gold, s=size, color=colour, marker=_MARKERS[k % 4], label=name, alpha=0.8)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="score", ylabel="share that came true")
    legend = axes.legend(frameon=False, loc="upper left")
    for handle in legend.legend_handles[1:]:
        if handle is not None:
            handle.set(sizes=[40])
    return picture


def grid(curves: Mapping[str, Any], seen: Sequence[str]) -> Figure | None:
    """Draw the AUC of every pivot and engine; those that training has not shown bear a star.

    A cell is empty where there are too few round trips. The numbers are in the results.
    """
    known = {head: [c for c in cells if _counts(c)] for head, cells in curves["grid"].items()}
    pivots = sorted({c["pivot"] for cells in known.values() for c in cells})
    engines = sorted({c["engine"] for cells in known.values() for c in cells})
    if not pivots:
        return None
    picture = Figure(figsize=(8.2, 1.6 + 0.15 * len(pivots)), layout="constrained")
    panels = picture.subplots(1, len(known), sharey=True, squeeze=False)[0]
    steps = BoundaryNorm(_STEPS, len(_STEPS), extend="min")
    colours = mpl.colormaps["cividis"].resampled(len(_STEPS))
    for axes, (head, cells) in zip(panels, known.items(), strict=True):
        values = np.full((len(pivots), len(engines)), np.nan)
        for c in cells:
            values[pivots.index(c["pivot"]), engines.index(c["engine"])] = c["auc"]
        shown = axes.imshow(values, norm=steps, cmap=colours, aspect="auto", interpolation="nearest")
        axes.grid(visible=False)
        axes.set_yticks(range(len(pivots)), [_starred(p, seen) for p in pivots], fontsize=8)
        axes.set_xticks(range(len(engines)), [_starred(e, seen) for e in engines], fontsize=8, rotation=40)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
        axes.set_title(head, fontsize=10)
    picture.colorbar(shown, ax=list(panels), pad=0.01, aspect=50, label="AUC")
    picture.supxlabel("* not in the training data", fontsize=8)
    return picture


def changed(curves: Mapping[str, Any], _: Sequence[str]) -> Figure | None:
    """Draw the share of round trips found at 1 % false alarms against their share of changed words."""
    tenths = curves["changed"]
    if not tenths:
        return None
    picture, axes = _figure(7, 3.6)
    middle = [100 * (t["from"] + t["to"]) / 2 for t in tenths]
    reach = [100 * (t["to"] - t["from"]) / 2 for t in tenths]
    found = [100 * t["tpr"] for t in tenths]
    axes.errorbar(
        middle, found, xerr=reach, color=_COLOURS[1], marker="o", linewidth=1, elinewidth=3, alpha=0.8
    )
    axes.axhline(1, color="#999999", linewidth=0.8)
    axes.annotate("people's text", (0, 1), xytext=(2, 3), textcoords="offset points", color="#666666")
    axes.set(xlim=(0, 100), ylim=(0, None), xlabel="words changed, %", ylabel="sentences found, %")
    return picture


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a heat map, with a scale of its own.

    Attributes:
        title: What its colours say.
        columns: What its columns are. Length c.
        values: Nan where there is nothing to show. Shape (rows, c).
        steps: Where its colours change, rising.
        percent: Whether numbers are shown in percent.
    """

    title: str
    columns: Sequence[str]
    values: npt.NDArray[np.float64]
    steps: Sequence[float]
    percent: bool = False


def heat_map(path: Path, rows: Sequence[str], panels: Sequence[Panel], *, cut: int, note: str) -> None:
    """Draw tables side by side, every number on its colour, as a PNG file.

    Args:
        path: The file.
        rows: What the rows are.
        panels: At least one.
        cut: Rows above a white line between two groups.
        note: What stands below.
    """
    widths = [len(p.columns) for p in panels]
    with mpl.rc_context({**_STYLE, "font.size": 7, "axes.grid": False}):
        size = (2.0 + 0.5 * sum(widths), 2.2 + 0.17 * len(rows))
        picture = Figure(figsize=size, layout="constrained")
        grid = picture.subplots(1, len(panels), sharey=True, squeeze=False, width_ratios=widths)[0]
        for axes, panel in zip(grid, panels, strict=True):
            shades = len(panel.steps) + 1
            norm = BoundaryNorm(panel.steps, shades, extend="both")
            colours = mpl.colormaps["cividis_r" if panel.percent else "cividis"].resampled(shades)
            shown = axes.imshow(panel.values, norm=norm, cmap=colours, aspect="auto", interpolation="nearest")
            for (row, column), value in np.ndenumerate(panel.values):
                if not np.isnan(value):
                    light = sum(shown.cmap(norm(value))[:3]) > 1.5
                    number = f"{100 * value:.1f}" if panel.percent else f"{value:.2f}".removeprefix("0")
                    colour = "black" if light else "white"
                    axes.text(column, row, number, ha="center", va="center", color=colour, fontsize=6)
            if 0 < cut < len(rows):
                axes.axhline(cut - 0.5, color="white", linewidth=3)
            axes.set_xticks(range(len(panel.columns)), panel.columns, rotation=40)
            for label in axes.get_xticklabels():
                label.set(ha="right", rotation_mode="anchor")
            axes.set_title(panel.title, fontsize=7)
        grid[0].set_yticks(range(len(rows)), rows)
        picture.supxlabel(note, fontsize=7)
        picture.savefig(path, dpi=150, metadata={"Software": None}, facecolor="white")


Draw = Callable[[Mapping[str, Any], Sequence[str]], Figure | None]
PLOTS: dict[str, Draw] = {"roc": roc, "reliability": reliability, "grid": grid, "changed": changed}


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Give an empty picture of so many inches; without pyplot nothing needs a display."""
    picture = Figure(figsize=(width, height), layout="constrained")
    return picture, picture.subplots()


def _counts(cell: Mapping[str, Any]) -> bool:
    return cell["auc"] is not None and cell["n"] >= FEWEST


def _starred(name: str, seen: Sequence[str]) -> str:
    return name if name in seen else f"{name} *"
