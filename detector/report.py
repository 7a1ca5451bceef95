"""The types a text turns into: sentences, evidence, reports."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
        suggestions: Likely original wordings, best first; often empty.
    """

    start: int
    end: int
    kind: Kind
    score: float
    found_by: str
    message: str
    suggestions: tuple[str, ...] = ()


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
        )

    def to_html(self) -> str:
        """Give one self-contained page with the damage underlined; everything is escaped."""
        from .render import to_html

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


def _evidence_dict(e: Evidence) -> dict[str, Any]:
    return {
        "start": e.start,
        "end": e.end,
        "kind": e.kind,
        "score": e.score,
        "found_by": e.found_by,
        "message": e.message,
        "suggestions": list(e.suggestions),
    }


def _evidence(data: Mapping[str, Any]) -> Evidence:
    return Evidence(**{**data, "suggestions": tuple(data["suggestions"])})


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
