"""Results of many languages -> Markdown and a heat map: the aims, and every language in a row of its own.

No mean stands without the languages that fall short of it, and those of round trips and of single
hops are never put together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from . import plots, tables
from .words import MARKS

Kind = Literal["round trip", "single hop"]
Languages = Mapping[str, Mapping[str, Any]]
"""What is known of each language by its tag, as plain values: the part ``languages`` of the results."""

NAMES = {
    "af": "Afrikaans", "am": "Amharic", "ar": "Arabic", "az": "Azerbaijani", "be": "Belarusian",
    "bg": "Bulgarian", "bn": "Bengali", "bs": "Bosnian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh",
    "da": "Danish", "de": "German", "el": "Greek", "es": "Spanish", "et": "Estonian", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "gl": "Galician", "gu": "Gujarati", "ha": "Hausa", "he": "Hebrew",
    "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian", "ig": "Igbo",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "kn": "Kannada", "ko": "Korean", "liv": "Livonian",
    "lt": "Lithuanian", "lv": "Latvian", "ml": "Malayalam", "mr": "Marathi", "ms": "Malay", "mt": "Maltese",
    "my": "Burmese", "nb": "Norwegian Bokmål", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese",
    "ro": "Romanian", "ru": "Russian", "sah": "Yakut", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian",
    "sv": "Swedish", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tr": "Turkish",
    "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
MAIN = ("cs", "de", "fi", "ru", "tr", "zh", "es", "fr")
"""Languages with many round trips."""
FEW = ("et", "it", "lv", "ro")
"""Languages with few, hardly any of them in train."""

PEOPLE = {
    "originals": "originals",
    "native": "native",
    "human_translation": "translation",
    "web75": "web",
}
"""Kinds of people's text, and what their columns are called."""
RATES = {"1 %": "fpr_1e-2", "5 %": "fpr_5e-2"}
NEWS = ("originals", "native", "human_translation")

Take = Callable[[Languages], dict[str, Mapping[str, Any] | None]]
"""Gives the figure of each language that an aim is about, None where it has not been measured."""


@dataclasses.dataclass(frozen=True, slots=True)
class Aim:
    """A figure of many languages that was aimed at.

    Attributes:
        name: What it says.
        take: Gives the figures, by language.
        bound: What to reach.
        how: ``mean``: their mean must reach it; ``each``: every one must; ``count``: so many must there be.
        at_least: Whether ``bound`` is the least, not the most.
        percent: Whether it is shown in percent.
    """

    name: str
    take: Take
    bound: float
    how: Literal["mean", "each", "count"] = "mean"
    at_least: bool = True
    percent: bool = False

    def met(self, value: float) -> bool:
        """Whether ``value`` is good enough."""
        return value >= self.bound if self.at_least else value <= self.bound


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an aim.

    Attributes:
        value: The mean, the worst figure or the count; None without a figure.
        count: Of how many languages.
        short: Languages whose own figure falls short of the bound, worst first.
        without: Languages that belong to it and have no figure.
        verdict: ``met``; ``missed``; ``incomplete`` where it is met so far but languages are without
            a figure, or were not measured; ``no data``.
    """

    value: float | None
    count: int
    short: tuple[tuple[str, float], ...]
    without: tuple[str, ...]
    verdict: Literal["met", "missed", "incomplete", "no data"]


def outcome(aim: Aim, languages: Languages, *, complete: bool) -> Outcome:
    """Set an aim beside what was measured.

    Args:
        aim: The aim.
        languages: What was measured.
        complete: Whether these are all languages there are.
    """
    taken = aim.take(languages)
    known = {k: float(f["value"]) for k, f in taken.items() if f is not None and f["value"] is not None}
    without = tuple(k for k in taken if k not in known)
    if aim.how == "count":
        enough = aim.met(len(known))
        verdict: Literal["met", "missed", "incomplete"] = (
            "met" if enough else "missed" if complete else "incomplete"
        )
        return Outcome(len(known), len(known), (), without, verdict)
    if not known:
        return Outcome(None, 0, (), without, "no data")
    sign = 1 if aim.at_least else -1
    worst_first = sorted(known.items(), key=lambda item: sign * item[1])
    value = worst_first[0][1] if aim.how == "each" else float(np.mean(list(known.values())))
    whole = complete and not without
    return Outcome(
        value,
        len(known),
        tuple((k, v) for k, v in worst_first if not aim.met(v)),
        without,
        "missed" if not aim.met(value) else "met" if whole else "incomplete",
    )


def _column(column: str, among: Callable[[Languages], Iterable[str]], *, where_any: bool = False) -> Take:
    """Take a column of some languages; ``where_any`` leaves out those that have nothing to take it from."""

    def take(languages: Languages) -> dict[str, Mapping[str, Any] | None]:
        found = {k: languages[k]["figures"].get(column) if k in languages else None for k in among(languages)}
        return {k: f for k, f in found.items() if not where_any or (f is not None and f["n"])}

    return take


def _named(*tags: str) -> Callable[[Languages], Iterable[str]]:
    return lambda languages: tags


def _hops(languages: Languages) -> Iterable[str]:
    return (k for k, row in languages.items() if row["kind"] == "single hop")


def _judged(languages: Languages) -> Iterable[str]:
    return (k for k, row in languages.items() if row["judged"])


def _of_people(languages: Languages) -> dict[str, Mapping[str, Any] | None]:
    """Take every AUC of words against people's labels."""
    return {
        f"{k}, {name}": figure for k, row in languages.items() for name, figure in _labelled(row["figures"])
    }


def _labelled(figures: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Give each set of people's labels and its AUC of words."""
    return [
        (column.removeprefix("words, ").removesuffix(": AUC"), figure)
        for column, figure in figures.items()
        if column.startswith("words, people's")
    ]


def _gap(kind: Kind) -> Take:
    """Take by how much AUC of unseen engines is above that of seen ones, where a language has both."""

    def take(languages: Languages) -> dict[str, Mapping[str, Any] | None]:
        gaps: dict[str, Mapping[str, Any] | None] = {}
        for k, row in languages.items():
            seen, unseen = (row["figures"][f"provenance, {e} engine: AUC"] for e in ("seen", "unseen"))
            if row["kind"] == kind and seen["value"] is not None and unseen["value"] is not None:
                gaps[k] = {"value": unseen["value"] - seen["value"], "n": unseen["n"]}
        return gaps

    return take


_WORST, _TENS = "damage, worst tenth: AUC", "texts of 10: AUC"
AIMS = (
    Aim("damage, AUC of the worst tenth, round trips: mean of 8", _column(_WORST, _named(*MAIN)), 0.85),
    Aim("damage, AUC of the worst tenth, single hops: mean", _column(_WORST, _hops), 0.80),
    Aim("texts of 10, AUC, round trips: mean of 8", _column(_TENS, _named(*MAIN)), 0.92),
    Aim("texts of 10, AUC, round trips: each of 8", _column(_TENS, _named(*MAIN)), 0.85, "each"),
    Aim("texts of 10, AUC, few round trips: each of et it lv ro", _column(_TENS, _named(*FEW)), 0.80, "each"),
    Aim("texts of 10, AUC, single hops: mean", _column(_TENS, _hops), 0.88),
    Aim("texts of 10, AUC: every judged language", _column(_TENS, _judged), 0.70, "each"),
    Aim("words, AUC on people's labels: each set", _of_people, 0.65, "each"),
    Aim("native news, sentences flagged at the 1 % point: each judged language",
        _column("native, sentences: flagged at 1 %", _judged, where_any=True), 0.02, "each",
        at_least=False, percent=True),
    Aim("native news, texts of 10 flagged at the 1 % point: each judged language",
        _column("native, texts of 10: flagged at 1 %", _judged, where_any=True), 0.02, "each",
        at_least=False, percent=True),
    Aim("unseen engine's provenance AUC above a seen one's, round trips: mean", _gap("round trip"), -0.03),
    Aim("unseen engine's provenance AUC above a seen one's, single hops: mean", _gap("single hop"), -0.03),
    Aim("languages judged", _column(_TENS, _judged), 40, "count"),
)  # fmt: skip


def summary(languages: Languages) -> dict[str, dict[str, Any]]:
    """Give the mean of every column over the languages of a kind that have it; n counts these."""
    hops = tuple(_hops(languages))
    means: dict[str, dict[str, Any]] = {}
    of_roundtrips = (
        (name, [k for k in tags if k in languages and k not in hops])
        for name, tags in ((_MEAN_MAIN, MAIN), (_MEAN_FEW, FEW))
    )
    for name, tags in (*of_roundtrips, (_MEAN_HOPS, hops)):
        rows = [languages[k]["figures"] for k in tags]
        columns = dict.fromkeys(column for figures in rows for column in figures)
        means[name] = {}
        for column in columns:
            values = [f[column]["value"] for f in rows if column in f and f[column]["value"] is not None]
            mean = round(float(np.mean(values)), 4) if values else None
            means[name][column] = {"value": mean, "n": len(values)}
    return means


_MEAN_MAIN = f"mean of {' '.join(MAIN)}"
_MEAN_FEW = f"mean of {' '.join(FEW)}"
_MEAN_HOPS = "mean of single hops"

_FOUND = {
    "worst tenth": _WORST,
    "errors": "damage, errors: AUC",
    "flagged: errors": "damage, flagged: errors",
    "errors: flagged": "damage, errors: flagged",
    "provenance": "provenance: AUC",
    "n-grams": "provenance: AUC n-grams",
    "pairs": "provenance: pair accuracy",
    "seen": "provenance, seen engine: AUC",
    "unseen": "provenance, unseen engine: AUC",
    "texts of 10": _TENS,
    "n-grams, 10": "texts of 10: AUC n-grams",
    "TPR at 1 %, 10": "texts of 10: TPR at 1 %",
    "10 flagged": "texts of 10: flagged at 1 %",
    "words": f"words, {MARKS}: AUC",
}
_FOUND_IN_TRIPS = {
    "10, translators": "texts of 10 against translations: AUC",
    "texts of 20": "texts of 20: AUC",
    "TPR at 1 %, 20": "texts of 20: TPR at 1 %",
}
_ALARMS = {
    f"{name}{short} {rate}": f"{name}, {unit}: flagged at {rate}"
    for rate in RATES
    for kind, name in PEOPLE.items()
    for short, unit in (("", "sentences"), *([(", 10", "texts of 10")] if kind in NEWS else ()))
}
_COUNTS = {
    "worst tenth / people": _WORST,
    "errors": "damage, errors: AUC",
    "machine / originals": "provenance: AUC",
    "seen": "provenance, seen engine: AUC",
    "unseen": "provenance, unseen engine: AUC",
    "texts of 10 / people's": _TENS,
    "texts of 10 / translators'": "texts of 10 against translations: AUC",
    "texts of 20 / people's": "texts of 20: AUC",
    "native": "native, sentences: flagged at 1 %",
    "native, 10": "native, texts of 10: flagged at 1 %",
    "translation": "translation, sentences: flagged at 1 %",
    "translation, 10": "translation, texts of 10: flagged at 1 %",
    "web": "web, sentences: flagged at 1 %",
    "words damaged / sound": f"words, {MARKS}: AUC",
}


def aims_table(results: Mapping[str, Any]) -> str:
    """Give what was aimed at beside what was measured; who falls short of it stands there by name."""
    lines = ["| | measured | languages | aim | |", "| --- | ---: | ---: | ---: | --- |"]
    for aim in AIMS:
        found = outcome(aim, results["languages"], complete=results["complete"])
        number = partial(tables.number, percent=aim.percent)
        measured = "-" if found.value is None else number(found.value)
        bound = number(aim.bound)
        if aim.how == "count":
            measured, bound = str(found.count), f"{aim.bound:g}"
        elif aim.how == "each" and found.value is not None:
            measured = f"worst {measured}"
        said = [str(found.verdict)]
        if found.short:
            said.append(f"short of it: {', '.join(f'{k} {number(v)}' for k, v in found.short)}")
        if found.without:
            said.append(f"without a figure: {' '.join(found.without)}")
        sign = "≥" if aim.at_least else "≤"
        lines.append(f"| {aim.name} | {measured} | {found.count} | {sign} {bound} | {'; '.join(said)} |")
    return "\n".join(lines)


def compact(results: Mapping[str, Any]) -> str:
    """Give the aims, and one line for each language: what a page shows of the results."""
    head = (
        "language", "tag", "kind", "damage: AUC of the worst tenth", "texts of 10: AUC", "TPR at 1 %",
        "texts of 10 flagged", "translators' texts of 10 flagged", "native flagged", "translation flagged",
        "n",
    )  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "| --- | --- | --- |" + " ---: |" * (len(head) - 3)]
    for tag, row in _ordered(results["languages"]):
        figures = row["figures"]
        translated = "originals" if row["kind"] == "single hop" else "translation"
        cells = [
            row["name"] + _odd(row),
            f"`{tag}`",
            row["kind"],
            *(_shown(figures, column) for column in (_WORST, _TENS, "texts of 10: TPR at 1 %")),
            *(_shown(figures, f"{k}texts of 10: flagged at 1 %") for k in ("", f"{translated}, ")),
            *(_shown(figures, f"{k}, sentences: flagged at 1 %") for k in ("native", translated)),
            f"{figures[_WORST]['n']:,} / {tables.count(figures[_TENS])}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n\n".join(
        [
            _headline(results),
            aims_table(results),
            "Damage is what readers marked. *Single hop*: no round trips were at hand, and a machine's "
            "translations are told from people's translations of the same English, which also are the "
            "translations that are flagged or not. TPR: at a threshold set on the same authors' texts. "
            "Flagged: at the stored 1 % point, sentences but for texts of ten. n: pairs in the worst tenth "
            "of those read, and texts of ten by machines and by people.",
            "\n".join(lines),
        ]
    )


def _headline(results: Mapping[str, Any]) -> str:
    signature = results["signature"]
    part = "" if results["complete"] else " Not all languages were measured."
    return (
        f"Split `{results['split']}`, {len(results['languages'])} languages, model `{signature['model']}`, "
        f"version {signature['version']}"
        + ("; a quick sample, not to be quoted." if results["quick"] else ".")
        + part
        + f" Every figure, with its interval: `results/{tables.name_of(results)}.json`."
    )


def markdown(results: Mapping[str, Any]) -> str:
    """Give the results as one Markdown page."""
    languages: Languages = results["languages"]
    ordered, means = _ordered(languages), summary(languages)
    parts = ["# Languages", _headline(results), aims_table(results)]
    missing = sorted(set(results["judged"]) - {*languages, "en"})
    for what, tags in (("Left out for want of data", results["left_out"]), ("Judged, not measured", missing)):
        if tags:
            parts.append(f"{what}: {' '.join(tags)}.")
    kinds: dict[Kind, tuple[dict[str, str], tuple[str, ...], str]] = {
        "round trip": (
            _FOUND | _FOUND_IN_TRIPS,
            (_MEAN_MAIN, _MEAN_FEW),
            "Through English and back, against originals; texts against originals and native news.",
        ),
        "single hop": (
            _FOUND,
            (_MEAN_HOPS,),
            "A machine's translation out of English against people's translation of the same, and for texts "
            "native news where there is any; texts are ten lines of FLORES, from two to four articles. "
            "These figures are not those of round trips.",
        ),
    }
    for kind, (columns, names, note) in kinds.items():
        rows = [(_label(k, row), row["figures"]) for k, row in ordered if row["kind"] == kind]
        if rows:
            rows += [(f"*{name}*", means[name]) for name in names]
            parts += [f"## {kind.capitalize()}s", f"{note} {_NOTE}", _figures(columns, rows)]
    labelled = [
        [_label(k, row), name, _value(figure), tables.count(figure)]
        for k, row in ordered
        for name, figure in _labelled(row["figures"])
    ]
    if labelled:
        head = ["labels", "AUC", "damaged / sound words"]
        parts += [
            "## Words",
            "Damaged words told from sound ones, by people's labels.",
            _table(head, labelled),
        ]
    parts += [
        "## False alarms",
        "People's text flagged at the points stored with the model: sentences, and texts of ten. Originals "
        "of single hops are people's translations.",
        _figures(_ALARMS, [(_label(k, row), row["figures"]) for k, row in ordered]),
        "## n",
        "Positive rows, and what they were told from; read pairs, sentences and texts elsewhere.",
        _table(
            [*_COUNTS, "unseen engines"],
            [
                [
                    _label(k, row),
                    *(tables.count(row["figures"].get(c, {"n": 0})) for c in _COUNTS.values()),
                    " ".join(row["unseen"]) or "-",
                ]
                for k, row in ordered
            ],
        ),
    ]
    return "\n\n".join(parts) + "\n"


_NOTE = (
    "AUC but for what is in %, pairs (accuracy) and TPR; its threshold is set on the same people's text. "
    "Damage: read pairs, drawn evenly, against originals, native news and translations. *Flagged: errors*: "
    "of read pairs flagged at the 1 % point, those with an error or worse; *errors: flagged* the other way "
    "round. *10 flagged*: of what machines wrote, at the stored 1 % point, set on dev; "
    "*10, translators*: AUC of texts of ten against translators'. Engines are *seen* where train has them in "
    "this language; one that is not may also be better or worse than those. *Words*: readers' marks."
)


def _ordered(languages: Languages) -> list[tuple[str, Mapping[str, Any]]]:
    """Put round trips first, then by name."""
    return sorted(languages.items(), key=lambda item: (item[1]["kind"], item[1]["name"]))


def _label(tag: str, row: Mapping[str, Any]) -> str:
    return f"{row['name']} `{tag}`{_odd(row)}"


def _odd(row: Mapping[str, Any]) -> str:
    """Say what is odd about the row of a language."""
    odd = [] if row["judged"] else ["not judged"]
    if row["damage_read_in"] not in (row["kind"], None):
        odd.append(f"damage: {row['damage_read_in']}s")
    return f" ({', '.join(odd)})" if odd else ""


def _shown(figures: Mapping[str, Mapping[str, Any]], column: str) -> str:
    """Give a figure without its interval."""
    return _value(figures.get(column, {"value": None}), percent="flagged" in column)


def _value(figure: Mapping[str, Any], *, percent: bool = False) -> str:
    return "-" if figure["value"] is None else tables.number(figure["value"], percent)


def _figures(columns: Mapping[str, str], rows: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Lay figures out under short names of their columns."""
    shown = [[label, *(_shown(figures, c) for c in columns.values())] for label, figures in rows]
    return _table(list(columns), shown)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = [f"| | {' | '.join(columns)} |", "| --- |" + " ---: |" * len(columns)]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)])


def line(tag: str, row: Mapping[str, Any]) -> str:
    """Say in one line what was found of a language."""
    shown = (f"{name} {_shown(row['figures'], column)}" for name, column in _FOUND.items())
    return f"{tag} ({row['kind']}{'' if row['judged'] else ', not judged'}): {', '.join(shown)}"


_HEAT: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "AUC, pair accuracy": (
        ("worst tenth", "errors", "words", "provenance", "pairs", "seen", "unseen", "texts of 10",
         "n-grams, 10"),
        (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95),
    ),
    "found at 1 %": (("TPR at 1 %, 10", "10 flagged"), (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)),
    "people's text flagged at the 1 % point, %": (
        ("native 1 %", "native, 10 1 %", "translation 1 %", "translation, 10 1 %", "originals 1 %",
         "web 1 %"),
        (0.005, 0.01, 0.02, 0.03, 0.05, 0.1),
    ),
}  # fmt: skip


def draw(results: Mapping[str, Any], path: Path) -> None:
    """Draw languages by figures, as a PNG file; round trips stand above single hops."""
    rows = _ordered(results["languages"])
    of = _FOUND | _ALARMS
    panels = []
    for title, (columns, steps) in _HEAT.items():
        values = [[row["figures"].get(of[c], {}).get("value") for c in columns] for _, row in rows]
        names = [c.removesuffix(" 1 %") for c in columns] if "flagged" in title else columns
        panels.append(plots.Panel(title, names, np.array(values, dtype=float), steps, "flagged" in title))
    plots.heat_map(
        path,
        [f"{row['name']} ({tag}){'' if row['judged'] else ' *'}" for tag, row in rows],
        panels,
        cut=sum(row["kind"] == "round trip" for _, row in rows),
        note="above the line round trips, below it single hops; * not judged; empty: nothing to measure on",
    )


def write(results: Mapping[str, Any], data: Path) -> tuple[Path, Path]:
    """Write the results as Markdown and, where there are any, a heat map, beside their JSON."""
    page, picture = data.with_suffix(".md"), data.with_suffix(".png")
    page.write_text(markdown(results), encoding="utf-8")
    if results["languages"]:
        draw(results, picture)
    return page, picture


def insert(page: Path, results: Mapping[str, Any]) -> None:
    """Put aims and languages between ``<!-- languages -->`` and ``<!-- /languages -->`` of a page.

    Raises:
        ValueError: As `tables.insert`.
    """
    tables.insert(page, "languages", compact(results))
