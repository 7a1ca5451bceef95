"""Signals a person could check by hand: one file each, one pure function each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..report import Evidence, Kind, Sentence
from . import (
    boilerplate,
    casing_inside,
    casing_start,
    doubled_subject,
    fragment,
    names,
    names_known,
    numbers,
    phrases,
    punctuation,
    repetition,
    untranslated_script,
    untranslated_words,
)


@dataclass(frozen=True, slots=True)
class Heuristic:
    """A rule: what it is called, what it looks for, and the function that finds it.

    Attributes:
        id: Stable rule id, ``group.rule``; stands in ``Evidence.found_by``.
        kind: Class of artifact it reports.
        scope: ``"sentence"`` where the evidence in a sentence depends on that sentence and
            the language alone; ``"text"`` where it needs the whole text.
        message: What the rule looks for, in one plain sentence (`detector rules` prints it).
        find: ``find(sentences, language) -> evidence``, offsets into the whole text. A
            language of None makes rules that need one abstain.
        counts: Whether the fused heads weigh it. Evidence of a rule that does not count is shown
            and changes no score.
    """

    id: str
    kind: Kind
    scope: Literal["sentence", "text"]
    message: str
    find: Callable[[Sequence[Sentence], str | None], list[Evidence]]
    counts: bool = True


HEURISTICS: tuple[Heuristic, ...] = (
    Heuristic(
        casing_inside.ID,
        casing_inside.KIND,
        "sentence",
        "A capital inside a sentence on a word that native text writes small there.",
        casing_inside.find,
    ),
    Heuristic(
        casing_start.ID,
        casing_start.KIND,
        "text",
        "A sentence of prose that starts with a small letter, in a text whose other sentences do not.",
        casing_start.find,
    ),
    Heuristic(
        names.ID,
        names.KIND,
        "text",
        "A name that is spelt two ways within the text.",
        names.find,
    ),
    Heuristic(
        doubled_subject.ID,
        doubled_subject.KIND,
        "sentence",
        "A subject that is said twice, as a noun and a pronoun or as two pronouns.",
        doubled_subject.find,
    ),
    Heuristic(
        repetition.ID,
        repetition.KIND,
        "sentence",
        "Words said twice in a row.",
        repetition.find,
    ),
    Heuristic(
        untranslated_script.ID,
        untranslated_script.KIND,
        "sentence",
        "Letters of another script inside a word or in the open sentence.",
        untranslated_script.find,
    ),
    Heuristic(
        untranslated_words.ID,
        untranslated_words.KIND,
        "sentence",
        "Function words of another language, unquoted in the sentence.",
        untranslated_words.find,
    ),
    Heuristic(
        punctuation.ID,
        punctuation.KIND,
        "sentence",
        "Quotes, stops or spacing that native text of the language does not use.",
        punctuation.find,
    ),
    Heuristic(
        numbers.ID,
        numbers.KIND,
        "sentence",
        "A number, date or unit that no writer of the language sets so.",
        numbers.find,
    ),
    Heuristic(
        fragment.ID,
        fragment.KIND,
        "sentence",
        "A sentence that breaks off on a word no sentence ends in.",
        fragment.find,
    ),
    Heuristic(
        boilerplate.ID,
        boilerplate.KIND,
        "sentence",
        "A translation widget's mark, or a pointer to another article inside the prose.",
        boilerplate.find,
    ),
    Heuristic(
        names_known.ID,
        names_known.KIND,
        "text",
        "A well-known full name with one word spelt as news never spells it.",
        names_known.find,
        counts=False,
    ),
    Heuristic(
        phrases.ID,
        phrases.KIND,
        "sentence",
        "A phrase that machine translation writes where people write another.",
        phrases.find,
        counts=False,
    ),
)
"""Every rule. The order of those that count fixes the feature vector of the fused head."""
