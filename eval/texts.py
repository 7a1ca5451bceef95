"""Scored texts -> figures of provenance: wholly and partly laundered texts, and translators'."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from training.fusion import LENGTHS

from .figures import Scored, Section, cells, contrast, separate

SHARES = (0.1, 0.25, 0.5)
MIXED_LENGTHS = (10, 20)


def honest(human: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Give people's texts to tell laundered ones from; what is an original counts once."""
    return pd.concat([frame for kind, frame in _once(human).items() if kind != "human_translation"])


def _once(human: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Give each kind of people's news without what is an original too."""
    kinds = {"originals": human["originals"]}
    if "native" in human:
        kinds["native"] = human["native"][~human["native"]["is_original"]]
    if "human_translation" in human:
        kinds["human_translation"] = human["human_translation"]
    return kinds


def texts(laundered: pd.DataFrame, human: Mapping[str, pd.DataFrame], resamples: int) -> Section:
    """Tell wholly laundered texts from honest ones, by length and cell.

    Args:
        laundered: One row a text: ``size``, ``document``, ``origin``, ``year``, ``cell``, ``fused``,
            ``rules`` and ``ngram``.
        human: The same columns but the cell, for ``originals`` and what there is of ``native`` and
            ``human_translation``.
        resamples: Draws of a bootstrap.
    """
    section: Section = {}
    both = honest(human)
    for part in cells(laundered):
        for length in LENGTHS:
            some = _of(part.frame, length)
            if some.empty:
                continue
            row = separate(some, _of(both, length), "fused", cluster="document", resamples=resamples)
            for kind, others in _once(human).items():
                row[f"AUC, {kind.replace('_', ' ')}"] = contrast(some, _of(others, length), "fused")
            row["AUC n-grams"] = contrast(some, _of(both, length), "ngram")
            row["AUC rules alone"] = contrast(some, _of(both, length), "rules")
            row["AUC without rules"] = contrast(some, _of(both, length), "encoder")
            section[f"{part.name}: {length}"] = row
    return section


def mixed(
    partly: Mapping[tuple[int, float], pd.DataFrame], human: Mapping[str, pd.DataFrame], resamples: int
) -> Section:
    """Tell texts of which only a share is laundered from honest ones.

    Args:
        partly: Texts, by length and share (see `samples.mix`); columns as in `texts`.
        human: As in `texts`.
        resamples: Draws of a bootstrap.
    """
    both = honest(human)
    return {
        f"{part.name}: {length}, {100 * share:.0f} %": separate(
            part.frame, _of(both, length), "fused", cluster="document", resamples=resamples
        )
        for (length, share), frame in partly.items()
        for part in cells(frame)
    }


def translation(
    humans: Mapping[str, Scored], human_texts: Mapping[str, pd.DataFrame], resamples: int
) -> Section:
    """Tell human translation from native text of the same years: an AUC of .5 is ideal.

    Each year by itself, and all that have both together.
    """
    if not {"human_translation", "native"} <= set(humans):
        return {}
    section: Section = {}
    sentences = [humans[kind].frame for kind in ("human_translation", "native")]
    texts = [human_texts[kind] for kind in ("human_translation", "native")]
    common = sorted(set(sentences[0]["year"]) & set(sentences[1]["year"]))
    for name, years in {"": common, **{f", {year}": [year] for year in common}}.items():
        translated, native = (frame[frame["year"].isin(years)] for frame in sentences)
        section[f"sentence score{name}"] = separate(translated, native, "fused", resamples=resamples)
        section[f"provenance of a sentence{name}"] = separate(
            translated, native, "provenance", resamples=resamples
        )
        if not name:
            section["sentences by n-grams"] = {"AUC": contrast(translated, native, "ngram_provenance")}
            section["sentences by length"] = {"AUC": contrast(translated, native, "length")}
        translated, native = (frame[frame["year"].isin(years)] for frame in texts)
        for length in MIXED_LENGTHS:
            section[f"score of texts of {length}{name}"] = separate(
                _of(translated, length), _of(native, length), "fused", cluster="document", resamples=resamples
            )
    return section


def _of(frame: pd.DataFrame, length: int) -> pd.DataFrame:
    return frame[frame["size"] == length]
