from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval import plots
from eval.curves import RATES


def made_up() -> dict[str, Any]:
    fpr = [round(float(f), 6) for f in RATES]
    tpr = [None if f < 1e-2 else round(f**0.3, 4) for f in fpr]
    bins = [{"score": (k + 0.5) / 15, "gold": (k / 15) ** 2, "share": 1 / 15, "n": 10 * k} for k in range(15)]
    cells = [
        {"pivot": pivot, "engine": engine, "auc": 0.5 + 0.01 * k, "n": 19 + k}
        for k, (pivot, engine) in enumerate((p, e) for p in ("cs", "es", "zh") for e in ("acme", "zenith"))
    ]
    cells[-1]["auc"] = None
    tenths = [{"from": k / 10, "to": (k + 1) / 10, "tpr": k / 20, "n": 50} for k in range(10)]
    return {
        "signature": {"version": "0.0", "model": "abc"},
        "language": "en",
        "split": "dev",
        "quick": False,
        "seen": ["acme", "cs", "es"],
        "curves": {
            "roc": {
                "damage": {"fpr": fpr, "tpr": tpr, "n": 1234, "against": 5678},
                "texts of 5": {"fpr": fpr, "tpr": [None] * len(fpr), "n": 0, "against": 0},
            },
            "reliability": {"sentence": bins, "text": []},
            "grid": {"damage": cells, "provenance": cells[:3]},
            "changed": tenths,
        },
    }


def test_every_curve_becomes_a_small_file_named_after_the_results(tmp_path: Path) -> None:
    results = made_up()
    paths = plots.write(results, tmp_path / "new")
    assert [p.name for p in paths] == [f"0.0-abc-en-dev-{name}.svg" for name in plots.PLOTS]
    assert results == made_up()
    for path in paths:
        assert path.read_text(encoding="utf-8").startswith("<?xml")
        assert path.stat().st_size < 100_000


def test_equal_figures_give_equal_bytes(tmp_path: Path) -> None:
    first, second = (plots.write(made_up(), tmp_path / name) for name in ("a", "b"))
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes()
    results = made_up()
    results["curves"]["changed"][3]["tpr"] = 0.9
    changed = plots.write(results, tmp_path / "c")
    assert [a.read_bytes() == c.read_bytes() for a, c in zip(first, changed, strict=True)] == [
        name != "changed" for name in plots.PLOTS
    ]


def test_curves_without_a_point_get_no_file(tmp_path: Path) -> None:
    results = made_up()
    results["curves"] = {
        "roc": {"damage": {"fpr": [0.1], "tpr": [None], "n": 3, "against": 3}},
        "reliability": {"sentence": [{"score": None, "gold": None, "share": 0.0, "n": 0}], "text": []},
        "grid": {"damage": [], "provenance": []},
        "changed": [],
    }
    assert plots.write(results, tmp_path) == []


def test_roc_leaves_out_rates_that_the_data_cannot_answer() -> None:
    results = made_up()
    picture = plots.roc(results["curves"], results["seen"])
    assert picture is not None
    (axes,) = picture.axes
    assert [line.get_label() for line in axes.lines] == ["damage (1,234 / 5,678)", "chance"]
    x, y = np.asarray(axes.lines[0].get_data())
    assert x.min() == pytest.approx(0.01)
    np.testing.assert_allclose(y, x**0.3, atol=1e-4)
    assert axes.get_xlim()[0] == pytest.approx(0.01)


def test_reliability_leaves_out_bins_that_show_chance() -> None:
    results = made_up()
    picture = plots.reliability(results["curves"], results["seen"])
    assert picture is not None
    line = picture.axes[0].lines[1]
    assert len(np.asarray(line.get_xdata())) == 13  # of 15, those of 0 and of 10 rows are not drawn


def test_grid_places_each_cell_and_stars_what_is_new() -> None:
    results = made_up()
    picture = plots.grid(results["curves"], results["seen"])
    assert picture is not None
    damage = picture.axes[0]
    assert [t.get_text() for t in damage.get_xticklabels()] == ["acme", "zenith *"]
    assert [t.get_text() for t in damage.get_yticklabels()] == ["cs", "es", "zh *"]
    drawn: Any = damage.images[0].get_array()
    values = np.ma.filled(drawn, np.nan)
    # the first has too few round trips, the last has no AUC
    np.testing.assert_allclose(values, [[np.nan, 0.51], [0.52, 0.53], [0.54, np.nan]])


def test_changed_words_are_drawn_in_percent() -> None:
    results = made_up()
    picture = plots.changed(results["curves"], results["seen"])
    assert picture is not None
    x, y = np.asarray(picture.axes[0].lines[0].get_data(), dtype=float)
    np.testing.assert_allclose(x, [5 + 10 * k for k in range(10)])
    np.testing.assert_allclose(y, [5 * k for k in range(10)])
