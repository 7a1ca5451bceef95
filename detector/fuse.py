"""Logits and features -> calibrated scores; operating points."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .heuristics import HEURISTICS
from .kinds import Kinds
from .logistic import Logistic as Logistic
from .logistic import Vector as Vector
from .logistic import logit_of
from .logistic import sigmoid as sigmoid
from .report import CLAIMS, Claim, Evidence
from .spans import SpanFinder, SpanHeads, WordScore

SENTENCE_RULES = tuple(h.id for h in HEURISTICS if h.counts and h.scope == "sentence")
TEXT_RULES = tuple(h.id for h in HEURISTICS if h.counts and h.scope == "text")
SENTENCE_FEATURES = ("model.damage", "model.token_top", "model.token_mean", "length", *SENTENCE_RULES)
PROVENANCE_FEATURES = ("encoder", "ngrams")
_TEXT_BASE = ("provenance.mean", "provenance.upper", "damage.mean", "damage.upper")
TEXT_FEATURES = (
    *_TEXT_BASE, *(f"{name}*length" for name in _TEXT_BASE), "length", "rules", *TEXT_RULES,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SentenceLogits:
    """What the encoder says of one sentence, its windows put together.

    Attributes:
        damage: Logit of the most damaged window.
        provenance: Mean logit of the windows.
        pivot: Mean logits of the pivot classes. Shape (pivots,).
        words: Every word with its probability of damage.
        ngrams: Logit that a machine wrote it, by its words alone (see `ngrams.Ngrams`); 0 where a model
            has none for the language.
    """

    damage: float
    provenance: float
    pivot: npt.NDArray[np.float32]
    words: tuple[WordScore, ...]
    ngrams: float = 0.0


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Thresholds that give a stated rate of false alarms on human text.

    Attributes:
        sentence: Sentence score at and above which a sentence is flagged; None where too few
            human sentences were at hand to tell.
        text: The same for texts.
        fpr: The rate aimed at, as a share.
        sentences: Human sentences the threshold was taken from.
        texts: Human texts the threshold was taken from.
        data: What they were.
    """

    sentence: float | None
    text: float | None
    fpr: float
    sentences: int
    texts: int
    data: str


NO_POINT = OperatingPoint(None, None, 0.0, 0, 0, "nothing is flagged")


@dataclass(frozen=True, slots=True)
class OfLanguage:
    """What differs in one language from the heads that all languages of a model share.

    Attributes:
        claim: What a text score is the probability of: that the text came back from a round trip,
            or, where no round trips were at hand to learn from, that a machine translated it.
        sentence: What is added to the logit of a sentence.
        text: What is added to the logit of a text.
        operating_points: By name; they take the place of the model's own.
        provenance: As in `Fusion`.
    """

    claim: Claim
    sentence: float
    text: float
    operating_points: Mapping[str, OperatingPoint]
    provenance: Logistic | None = None


@dataclass(frozen=True, slots=True)
class Fusion:
    """The fused heads of a model and all its thresholds; stored as ``fusion.json``.

    Attributes:
        sentence: Head for damage over `SENTENCE_FEATURES`.
        text: Head for provenance over `TEXT_FEATURES`.
        operating_points: By name, such as ``fpr_1e-2``.
        shown_rules: Rules that beat chance on dev, or whose damage dev lacks; the others are
            features only and show nothing to people.
        token_threshold: Word score at and above which a flagged sentence's word is shown.
        pivot_threshold: Probability at and above which a flagged text's pivot is named.
        languages: What differs by language, of a model of many: it judges these and no others.
            Empty for a model of one language.
        provenance: Joins what the encoder and the n-grams say of the provenance of a sentence, over
            `PROVENANCE_FEATURES`; None where only the encoder speaks.
    """

    sentence: Logistic
    text: Logistic
    operating_points: Mapping[str, OperatingPoint]
    shown_rules: tuple[str, ...]
    token_threshold: float
    pivot_threshold: float
    languages: Mapping[str, OfLanguage] = field(default_factory=dict)
    provenance: Logistic | None = None
    spans: SpanHeads | None = None

    def of(self, language: str) -> Fusion:
        """Give the heads and points of one language; of a model of one language itself.

        Raises:
            KeyError: If a model of many does not judge the language.
        """
        if not self.languages:
            return self
        own = self.languages[language]
        return replace(
            self,
            sentence=replace(self.sentence, bias=self.sentence.bias + own.sentence),
            text=replace(self.text, bias=self.text.bias + own.text),
            operating_points=own.operating_points,
            languages={},
            provenance=own.provenance,
        )

    def provenance_logits(self, said: Sequence[SentenceLogits]) -> Vector:
        """Give the logit that a machine wrote each sentence. Shape (sentences,)."""
        return provenance_logits(self.provenance, said)

    def finder(self, kinds: Kinds | None) -> SpanFinder:
        """Give what finds damaged places, with the kinds of a language."""
        return SpanFinder(self.spans, kinds, self.token_threshold)

    def claim(self, language: str) -> Claim:
        """Say what a text score of a language is the probability of (see `OfLanguage`)."""
        return self.languages[language].claim if self.languages else "round_trip"

    def with_point(
        self, name: str, point: OperatingPoint, of_languages: Mapping[str, OperatingPoint], otherwise: str
    ) -> Fusion:
        """Add an operating point, in some languages another; the rest get their own ``otherwise``."""
        languages = {}
        for tag, own in self.languages.items():
            added = of_languages.get(tag, own.operating_points.get(otherwise, NO_POINT))
            languages[tag] = replace(own, operating_points={**own.operating_points, name: added})
        points = {**self.operating_points, name: point}
        return replace(self, operating_points=points, languages=languages)

    def to_json(self) -> str:
        """Give what ``fusion.json`` holds; equal heads and thresholds give equal text."""
        data = asdict(self)
        if not self.languages:
            del data["languages"]
        for part in (data, *data.get("languages", {}).values()):
            if part["provenance"] is None:
                del part["provenance"]
        if self.spans is None:
            del data["spans"]
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"

    def save(self, folder: Path) -> None:
        """Write ``fusion.json`` into ``folder``."""
        (folder / "fusion.json").write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Fusion:
        """Read ``fusion.json``.

        Raises:
            ValueError: If the file is missing or broken, holds a number that is not finite or a
                rule that does not exist, or was fitted for other features.
        """
        path = folder / "fusion.json"
        try:
            text = path.read_text(encoding="utf-8")
            data = json.loads(text, parse_float=_finite, parse_constant=_finite)
            fusion = cls(
                sentence=Logistic.parse(data["sentence"]),
                text=Logistic.parse(data["text"]),
                operating_points=_points(data["operating_points"]),
                shown_rules=tuple(data["shown_rules"]),
                token_threshold=float(data["token_threshold"]),
                pivot_threshold=float(data["pivot_threshold"]),
                languages={k: _of_language(v) for k, v in dict(data.get("languages", {})).items()},
                provenance=_provenance(data),
                spans=SpanHeads.parse(data["spans"]) if "spans" in data else None,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: not a fusion file: {error!r}") from None
        for head, wanted in ((fusion.sentence, SENTENCE_FEATURES), (fusion.text, TEXT_FEATURES)):
            if head.features != wanted:
                raise ValueError(
                    f"{path}: was fitted for other features, or in another order: "
                    f"expected {', '.join(wanted)}; got {', '.join(head.features)}"
                )
        if unknown := sorted(set(fusion.shown_rules) - {*SENTENCE_RULES, *TEXT_RULES}):
            raise ValueError(f"{path}: shows rules that do not exist: {', '.join(unknown)}")
        return fusion


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is not a finite number")
    return value


def _point(data: Mapping[str, Any]) -> OperatingPoint:
    return OperatingPoint(
        sentence=None if data["sentence"] is None else float(data["sentence"]),
        text=None if data["text"] is None else float(data["text"]),
        fpr=float(data["fpr"]),
        sentences=int(data["sentences"]),
        texts=int(data["texts"]),
        data=str(data["data"]),
    )


def _points(data: Mapping[str, Any]) -> dict[str, OperatingPoint]:
    return {k: _point(v) for k, v in dict(data).items()}


def _of_language(data: Mapping[str, Any]) -> OfLanguage:
    if data["claim"] not in CLAIMS:
        raise ValueError(f"claim must be one of {', '.join(CLAIMS)}, got {data['claim']!r}")
    return OfLanguage(
        claim=data["claim"],
        sentence=float(data["sentence"]),
        text=float(data["text"]),
        operating_points=_points(data["operating_points"]),
        provenance=_provenance(data),
    )


def _provenance(data: Mapping[str, Any]) -> Logistic | None:
    if "provenance" not in data:
        return None
    head = Logistic.parse(data["provenance"])
    if head.features != PROVENANCE_FEATURES:
        raise ValueError(f"provenance must be over {PROVENANCE_FEATURES}, got {head.features}")
    return head


def provenance_logits(head: Logistic | None, said: Sequence[SentenceLogits]) -> Vector:
    """Give the logit that a machine wrote each sentence: the head's, or without one the encoder's alone.

    Args:
        head: Over `PROVENANCE_FEATURES`.
        said: Length n.

    Returns:
        Shape (n,).
    """
    x = np.array([[s.provenance, s.ngrams] for s in said], dtype=np.float64).reshape(-1, 2)
    return x[:, 0] if head is None else head.logits(x)


def sentence_features(logits: SentenceLogits, evidence: Sequence[Evidence]) -> Vector:
    """Give the features of one sentence, in the order of `SENTENCE_FEATURES`.

    Args:
        logits: What the encoder said.
        evidence: What sentence rules found in it; each rule counts its sureness, at most 2.
    """
    scores = sorted((w.score for w in logits.words), reverse=True)
    top = scores[:3] or [0.0]
    rules = dict.fromkeys(SENTENCE_RULES, 0.0)
    for e in evidence:
        if e.found_by in rules:
            rules[e.found_by] = min(2.0, rules[e.found_by] + e.score)
    mean = sum(scores) / max(1, len(scores))
    fixed = [logits.damage, logit_of(sum(top) / len(top)), logit_of(mean), math.log2(1 + len(scores))]
    return np.array([*fixed, *rules.values()])


def text_features(
    provenance: Sequence[float] | Vector,
    damage: Sequence[float],
    rule_scores: Sequence[float],
    evidence: Sequence[Evidence],
) -> Vector:
    """Give the features of one text, in the order of `TEXT_FEATURES`.

    Args:
        provenance: Provenance logit of every judged sentence (see `Fusion.provenance_logits`); at
            least one.
        damage: Fused damage logit of the same sentences.
        rule_scores: Summed sureness of the sentence rules in each of them.
        evidence: What text rules found.
    """
    base = [f(np.asarray(v)) for v in (provenance, damage) for f in (np.mean, _upper)]
    length = math.log2(len(provenance))
    rules = dict.fromkeys(TEXT_RULES, 0.0)
    for e in evidence:
        if e.found_by in rules:
            rules[e.found_by] = min(2.0, rules[e.found_by] + e.score)
    mean_rules = min(1.0, float(np.mean(rule_scores)))
    crossed = [b * length for b in base]
    return np.array([*base, *crossed, length, mean_rules, *rules.values()], dtype=np.float64)


def _upper(values: Vector) -> float:
    """Mean of the upper half: what stands out, whatever the rest."""
    return float(np.sort(values)[len(values) // 2 :].mean())
