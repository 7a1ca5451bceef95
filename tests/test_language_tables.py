from __future__ import annotations

from typing import Any

import pytest

from eval.language_tables import AIMS, MAIN, Aim, outcome


def made_up_rows(**tens: float | None) -> dict[str, Any]:
    """Rows of a made-up result with nothing but the AUC of texts of ten, and false alarms of the same."""
    return {
        tag: {
            "kind": "round trip" if tag in MAIN else "single hop",
            "judged": tag != "hu",
            "figures": {
                "texts of 10: AUC": {"value": value, "n": 100},
                "native, sentences: flagged at 1 %": {"value": value, "n": 0 if tag == "sk" else 10},
            },
        }
        for tag, value in tens.items()
    }


def aim(name: str) -> Aim:
    (found,) = (a for a in AIMS if a.name.startswith(name))
    return found


EIGHT = dict.fromkeys(MAIN, 0.95)


@pytest.mark.parametrize(
    ("name", "values", "complete", "value", "verdict", "short", "without"),
    [
        ("texts of 10, AUC, round trips: mean", EIGHT, True, 0.95, "met", (), ()),
        ("texts of 10, AUC, round trips: mean", EIGHT, False, 0.95, "incomplete", (), ()),
        ("texts of 10, AUC, round trips: mean", {**EIGHT, "tr": 0.8}, True, 0.93125, "met", ("tr",), ()),
        ("texts of 10, AUC, round trips: mean", {**EIGHT, "tr": None}, True, 0.95, "incomplete", (), ("tr",)),
        ("texts of 10, AUC, round trips: mean", {"sk": 0.99}, True, None, "no data", (), MAIN),
        ("texts of 10, AUC, round trips: each", {**EIGHT, "tr": 0.8, "zh": 0.7}, True, 0.7, "missed",
         ("zh", "tr"), ()),
        ("texts of 10, AUC, single hops", {**EIGHT, "sk": 0.9, "hu": 0.8}, True, 0.85, "missed", ("hu",), ()),
        ("texts of 10, AUC: every judged", {"cs": 0.71, "hu": 0.5}, True, 0.71, "met", (), ()),
        ("native news, sentences", {"cs": 0.01, "de": 0.03, "sk": 0.5}, True, 0.03, "missed", ("de",), ()),
        ("languages judged", EIGHT, True, 8, "missed", (), ()),
        ("languages judged", EIGHT, False, 8, "incomplete", (), ()),
        ("languages judged", {f"x{k}": 0.9 for k in range(40)}, True, 40, "met", (), ()),
    ],
)  # fmt: skip
def test_an_aim_is_met_or_missed_and_names_who_falls_short(
    name: str,
    values: dict[str, float | None],
    complete: bool,
    value: float | None,
    verdict: str,
    short: tuple[str, ...],
    without: tuple[str, ...],
) -> None:
    found = outcome(aim(name), made_up_rows(**values), complete=complete)
    assert found.value == (None if value is None else pytest.approx(value))
    assert found.verdict == verdict
    assert tuple(k for k, _ in found.short) == short
    assert found.without == without


def test_the_gap_between_engines_is_taken_within_a_language() -> None:
    rows = made_up_rows(cs=0.9, de=0.9)
    for tag, seen, unseen in (("cs", 0.9, 0.88), ("de", None, 0.1)):
        for name, value in (("seen", seen), ("unseen", unseen)):
            rows[tag]["figures"][f"provenance, {name} engine: AUC"] = {"value": value, "n": 9}
    (gap,) = (a for a in AIMS if a.name.startswith("unseen") and "round trips" in a.name)
    found = outcome(gap, rows, complete=True)
    assert found.value == pytest.approx(-0.02)
    assert (found.count, found.verdict) == (1, "met")
