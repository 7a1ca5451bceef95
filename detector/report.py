"""The types a text turns into: sentences, evidence, reports."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

Kind = Literal[
    "term",
    "name",
    "casing",
    "syntax",
    "agreement",
    "untranslated",
    "punctuation",
    "number",
    "repetition",
    "fragment",
    "boilerplate",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

# What json.dumps leaves bare: control characters above ASCII's first 32, and surrogates.
_UNSAFE = re.compile("[\x7f-\x9f\ud800-\udfff]")

Claim = Literal["round_trip", "machine_translation"]
CLAIMS: tuple[Claim, ...] = get_args(Claim)

Operation = Literal["substitution", "insertion", "deletion", "move"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

Verdict = Literal["flagged", "clean", "too_short", "unsupported_language", "mixed_language"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and where it stands.

    Attributes:
        text: Exact slice of the text, ``text[start:end]``, without outer white space.
        start: First character, in Unicode code points into the text as received.
        end: One past the last character.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A damaged place, what is wrong with it, and who says so.

    Attributes:
        start: First character, in Unicode code points into the whole text.
        end: One past the last character.
        kind: Class of the artifact.
        score: How sure the finder is, from 0.0 to 1.0.
        found_by: ``"model"`` or a rule id such as ``"casing.inside"``.
        message: One plain sentence for an editor.
        suggestions: Likely original wordings, best first; often empty. ``found_by`` is their source.
        suggestion_score: How often the first suggestion of this source was the author's own wording in
            round trips of train, from 0.0 to 1.0; None where there is none or it was not measured.
    """

    start: int
    end: int
    kind: Kind
    score: float
    found_by: str
    message: str
    suggestions: tuple[str, ...] = ()
    suggestion_score: float | None = None


@dataclass(frozen=True, slots=True)
class SentenceReport:
    """One sentence, judged.

    Attributes:
        text: Exact slice of the text.
        start: First character, in Unicode code points into the whole text.
        end: One past the last character.
        score: Calibrated probability of damage, from 0.0 to 1.0, or nan where the
            detector abstains.
        verdict: ``flagged``, ``clean`` or an abstention.
        evidence: Damaged places inside this sentence, by start.
        contributions: What each feature adds to the logit of ``score``; they add up to it.
            Empty where the detector abstains.
    """

    text: str
    start: int
    end: int
    score: float
    verdict: Verdict
    evidence: tuple[Evidence, ...] = ()
    contributions: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NameForm:
    """One way in which a text writes a name.

    Attributes:
        text: The words.
        spans: Where they stand in the whole text, in order.
    """

    text: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Name:
    """One person, place or body, and all that a text calls it.

    Attributes:
        proposed: Its fullest form, spelt as the text spells it most often.
        forms: Every form, the commonest first.
        drifts: Whether some of them are another spelling.
    """

    proposed: str
    forms: tuple[NameForm, ...]
    drifts: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """What must be equal for two scores to be comparable.

    Attributes:
        version: Version of this package.
        model: First 12 hex digits of the SHA-256 over the model's files.
        backend: ``"onnx"`` or ``"torch"``.
        features: Names of the fused head's features, in order.
        operating_point: Name of the operating point verdicts are taken at.
        threshold: Sentence score at and above which a sentence is flagged.
        text_threshold: Text score at and above which a text is flagged.
        segmenter: Name of the segmenter and of its parameters.
        language_identifier: Name and version of the language identifier.
        disabled_rules: Rules that were switched off.
    """

    version: str
    model: str
    backend: str
    features: tuple[str, ...]
    operating_point: str
    threshold: float
    text_threshold: float
    segmenter: str
    language_identifier: str
    disabled_rules: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Give the short form that fits in a footnote."""
        parts = [
            f"detector:{self.version}",
            f"model:{self.model}",
            f"backend:{self.backend}",
            f"features:{len(self.features)}",
            f"point:{self.operating_point}",
            f"segmenter:{self.segmenter}",
            f"language:{self.language_identifier}",
        ]
        if self.disabled_rules:
            parts.append("without:" + ",".join(self.disabled_rules))
        return "|".join(parts)


@dataclass(frozen=True, slots=True)
class Report:
    """A text, judged.

    Attributes:
        text: The text as received.
        language: BCP 47 tag, or None where it cannot be told.
        score: Calibrated probability of what ``claim`` says, from 0.0 to 1.0, or nan where the
            detector abstains.
        verdict: ``flagged``, ``clean`` or an abstention.
        pivot: Group of languages it probably went through, or an area that holds several; None
            unless sure.
        sentences: Every sentence in order; white space between them belongs to none.
        evidence: What only the whole text shows, such as a name that drifts.
        contributions: What each feature adds to the logit of ``score``.
        signature: What makes the scores reproducible.
        notes: What the reader should know: what could not be read, and why.
        claim: What the score is the probability of: ``round_trip``, that the text came back from a
            round trip, or ``machine_translation``, that a machine translated it, in a language
            without round trips to learn from. None where the detector abstains.
        names: People, places and bodies that the text names in full or in several forms, and how; none
            in scripts without capitals or where the rule ``names.drift`` is switched off.
        pivot_confidence: Probability that ``pivot`` is right, where all groups are as likely
            beforehand; None without a ``pivot``.
    """

    text: str
    language: str | None
    score: float
    verdict: Verdict
    pivot: str | None
    sentences: tuple[SentenceReport, ...]
    evidence: tuple[Evidence, ...]
    contributions: Mapping[str, float]
    signature: Signature
    notes: tuple[str, ...] = ()
    claim: Claim | None = None
    names: tuple[Name, ...] = ()
    pivot_confidence: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the report as plain lists, dicts, strings and numbers; nan becomes None."""
        return {
            "text": self.text,
            "language": self.language,
            "score": _number(self.score),
            "verdict": self.verdict,
            "claim": self.claim,
            "pivot": self.pivot,
            "pivot_confidence": self.pivot_confidence,
            "sentences": [_sentence_dict(s) for s in self.sentences],
            "evidence": [_evidence_dict(e) for e in self.evidence],
            "contributions": dict(self.contributions),
            "signature": _signature_dict(self.signature),
            "notes": list(self.notes),
            "names": [_name_dict(name) for name in self.names],
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """Give the report as one JSON object; nan becomes null, text stays readable.

        Lone surrogates are escaped, so that the result can always be encoded as UTF-8.
        """
        return dumps(self.to_dict(), indent=indent)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Report:
        """Rebuild a report from ``to_dict``; raises KeyError for a missing field."""
        return cls(
            text=data["text"],
            language=data["language"],
            score=_score(data["score"]),
            verdict=data["verdict"],
            claim=data["claim"],
            pivot=data["pivot"],
            pivot_confidence=data.get("pivot_confidence"),  # older reports have none
            sentences=tuple(
                SentenceReport(
                    text=s["text"],
                    start=s["start"],
                    end=s["end"],
                    score=_score(s["score"]),
                    verdict=s["verdict"],
                    evidence=tuple(_evidence(e) for e in s["evidence"]),
                    contributions=dict(s["contributions"]),
                )
                for s in data["sentences"]
            ),
            evidence=tuple(_evidence(e) for e in data["evidence"]),
            contributions=dict(data["contributions"]),
            signature=Signature(
                **{
                    **data["signature"],
                    "features": tuple(data["signature"]["features"]),
                    "disabled_rules": tuple(data["signature"]["disabled_rules"]),
                }
            ),
            notes=tuple(data["notes"]),
            names=tuple(_name(name) for name in data.get("names", ())),
        )

    def to_html(self) -> str:
        """Give one self-contained page with the damage underlined; everything is escaped."""
        from .render import to_html

        return to_html(self)


@dataclass(frozen=True, slots=True)
class Change:
    """Words of a text that its original puts otherwise.

    Attributes:
        operation: What was done: words replaced, put in, left out, or put elsewhere in their sentence.
        kind: Class of the artifact that the change would be if it were damage.
        start: First character in the text, in Unicode code points; where words were left out, the place
            they would stand.
        end: One past the last character; ``start`` where words were left out.
        original_start: First character in the original; where words were put in, the place of that.
        original_end: One past the last character; ``original_start`` where words were put in.
    """

    operation: Operation
    kind: Kind
    start: int
    end: int
    original_start: int
    original_end: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Sentences of a text beside those of its original that they stand for.

    Attributes:
        sentences: Indices of the text's sentences, one after another.
        original_sentences: Indices of the original's.
        similarity: Weight of the words both share, the rare ones more, from 0.0 to 1.0.
        changes: What is not the same, in the order of the text.
    """

    sentences: tuple[int, ...]
    original_sentences: tuple[int, ...]
    similarity: float
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A text laid beside its original.

    Attributes:
        text: The text as received.
        original: The original as received.
        language: BCP 47 tag of both, or None where it cannot be told.
        reused: Share of the original's words that stand in the text in the same form, in a sentence
            that is paired with theirs, moved words among them; from 0.0 to 1.0, or nan where the
            original has no words. A character counts as a word where a script sets no spaces;
            punctuation does not count, nor does case.
        sentences: The text's sentences, in order.
        original_sentences: The original's.
        pairs: Sentences that stand for each other, in the order of the text; no sentence is in two.
        added: Indices of the text's sentences that stand for none of the original's.
        dropped: Indices of the original's sentences that nothing in the text stands for.
        signature: What must be equal for two comparisons to be comparable.
        notes: What the reader should know.
    """

    text: str
    original: str
    language: str | None
    reused: float
    sentences: tuple[Sentence, ...]
    original_sentences: tuple[Sentence, ...]
    pairs: tuple[Pair, ...]
    added: tuple[int, ...]
    dropped: tuple[int, ...]
    signature: str
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change of every pair, in the order of the text."""
        return tuple(change for pair in self.pairs for change in pair.changes)

    def to_dict(self) -> dict[str, Any]:
        """Give the comparison as plain lists, dicts, strings and numbers; nan becomes None.

        Each change carries its words beside their offsets.
        """
        return {
            "text": self.text,
            "original": self.original,
            "language": self.language,
            "reused": _number(self.reused),
            "sentences": [{"start": s.start, "end": s.end} for s in self.sentences],
            "original_sentences": [{"start": s.start, "end": s.end} for s in self.original_sentences],
            "pairs": [
                {
                    "sentences": list(pair.sentences),
                    "original_sentences": list(pair.original_sentences),
                    "similarity": pair.similarity,
                    "changes": [self._change_dict(change) for change in pair.changes],
                }
                for pair in self.pairs
            ],
            "added": list(self.added),
            "dropped": list(self.dropped),
            "signature": self.signature,
            "notes": list(self.notes),
        }

    def _change_dict(self, change: Change) -> dict[str, Any]:
        return {
            "operation": change.operation,
            "kind": change.kind,
            "start": change.start,
            "end": change.end,
            "original_start": change.original_start,
            "original_end": change.original_end,
            "words": self.text[change.start : change.end],
            "original_words": self.original[change.original_start : change.original_end],
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """Give the comparison as one JSON object, as `Report.to_json` does."""
        return dumps(self.to_dict(), indent=indent)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Comparison:
        """Rebuild a comparison from ``to_dict``; raises KeyError for a missing field."""
        return cls(
            text=data["text"],
            original=data["original"],
            language=data["language"],
            reused=_score(data["reused"]),
            sentences=tuple(_sentence(data["text"], s) for s in data["sentences"]),
            original_sentences=tuple(_sentence(data["original"], s) for s in data["original_sentences"]),
            pairs=tuple(
                Pair(
                    sentences=tuple(pair["sentences"]),
                    original_sentences=tuple(pair["original_sentences"]),
                    similarity=pair["similarity"],
                    changes=tuple(
                        Change(**{f.name: change[f.name] for f in fields(Change)})
                        for change in pair["changes"]
                    ),
                )
                for pair in data["pairs"]
            ),
            added=tuple(data["added"]),
            dropped=tuple(data["dropped"]),
            signature=data["signature"],
            notes=tuple(data["notes"]),
        )

    def to_html(self) -> str:
        """Give one self-contained page with both side by side; everything is escaped."""
        from .render_comparison import to_html

        return to_html(self)


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Give ``value`` as JSON that any UTF-8 stream can carry and no terminal obeys.

    Text stays readable; lone surrogates and control characters are escaped.

    Raises:
        ValueError: If ``value`` holds nan or an infinity, which JSON has no form for.
    """
    raw = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", raw)


def _number(score: float) -> float | None:
    return None if math.isnan(score) else score


def _score(number: float | None) -> float:
    return math.nan if number is None else number


def _sentence(text: str, data: Mapping[str, Any]) -> Sentence:
    return Sentence(text[data["start"] : data["end"]], data["start"], data["end"])


def _evidence_dict(e: Evidence) -> dict[str, Any]:
    return {
        "start": e.start,
        "end": e.end,
        "kind": e.kind,
        "score": e.score,
        "found_by": e.found_by,
        "message": e.message,
        "suggestions": list(e.suggestions),
        "suggestion_score": e.suggestion_score,
    }


def _evidence(data: Mapping[str, Any]) -> Evidence:
    return Evidence(**{**data, "suggestions": tuple(data["suggestions"])})


def _name_dict(name: Name) -> dict[str, Any]:
    forms = [{"text": form.text, "spans": [list(span) for span in form.spans]} for form in name.forms]
    return {"proposed": name.proposed, "drifts": name.drifts, "forms": forms}


def _name(data: Mapping[str, Any]) -> Name:
    forms = (NameForm(f["text"], tuple((start, end) for start, end in f["spans"])) for f in data["forms"])
    return Name(data["proposed"], tuple(forms), data["drifts"])


def _sentence_dict(s: SentenceReport) -> dict[str, Any]:
    return {
        "text": s.text,
        "start": s.start,
        "end": s.end,
        "score": _number(s.score),
        "verdict": s.verdict,
        "evidence": [_evidence_dict(e) for e in s.evidence],
        "contributions": dict(s.contributions),
    }


def _signature_dict(s: Signature) -> dict[str, Any]:
    return {
        "version": s.version,
        "model": s.model,
        "backend": s.backend,
        "features": list(s.features),
        "operating_point": s.operating_point,
        "threshold": s.threshold,
        "text_threshold": s.text_threshold,
        "segmenter": s.segmenter,
        "language_identifier": s.language_identifier,
        "disabled_rules": list(s.disabled_rules),
    }
