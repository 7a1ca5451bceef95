"""The detector: where segments, rules, encoder and fused heads come together."""

from __future__ import annotations

import math
import re
import shutil
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .columns import Column
from .compare import compare
from .fuse import (
    NO_POINT,
    Fusion,
    OperatingPoint,
    SentenceLogits,
    Vector,
    sentence_features,
    sigmoid,
    text_features,
)
from .heuristics import HEURISTICS, names
from .language import are_close, count_letters, differs, identifier_name, identify, normalise_tag
from .models import Model, locate, members
from .pivots import Guess
from .report import Comparison, Evidence, Kind, Name, Report, Sentence, SentenceReport, Signature, Verdict
from .segment import segment, segmenter_name
from .spans import Span

DEFAULT_MODEL = Path(__file__).parent / "assets" / "default"
MIN_LETTERS = 12
"""A sentence with fewer letters (an ideograph counts as three) is not judged: on dev the score of
shorter ones was no better than chance."""

_SURE_LETTERS = 200
"""Fewer do not prove that a text is in another language than its original."""
_AT_ONCE = 200_000  # characters
_NEVER = 2.0  # a threshold that no score reaches; JSON has no infinity
_PROBABLE = 0.6
_SAID: dict[Kind, str] = {
    "term": "a wrong word, or the wrong sense of one",
    "name": "a name spelt or translated in another way than the author's",
    "casing": "a capital or small letter that does not belong here",
    "syntax": "put together as another language does: the order, or a small word",
    "agreement": "an ending, tense or article that does not fit",
    "untranslated": "left in another language",
    "punctuation": "the punctuation of another language",
    "number": "a number, date or unit that was changed",
    "repetition": "said twice by mistake",
    "fragment": "broken off",
    "boilerplate": "not part of the text",
}
"""What the encoder's spans mean, by kind, after "probably"."""
_EVIDENCE_ONLY = frozenset(h.id for h in HEURISTICS if not h.counts)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SAVED = (
    "README.md", "config.json", "heads.json", "kinds.npz", "model.onnx", "model.safetensors",
    "ngrams.npz", "pivots.npz", "tokenizer.json", "training.json",
)  # fmt: skip
_SENTENCE_FIELDS = {
    "start": "int64", "end": "int64", "score": "float64", "verdict": "string", "kinds": "string",
}  # fmt: skip


_Judged = tuple[Sentence, str]
"""A sentence and its language."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text cut into sentences, with its language and which of them are judged.

    Attributes:
        text: The text as received.
        sentences: All of them, in order.
        language: BCP 47 tag, or None where it cannot be told.
        abstention: Why no sentence is judged, or None.
        verdicts: For each sentence why it is not judged, or None where it is.
    """

    text: str
    sentences: tuple[Sentence, ...]
    language: str | None
    abstention: Verdict | None
    verdicts: tuple[Verdict | None, ...]

    @property
    def judged(self) -> Iterator[Sentence]:
        return (s for s, verdict in zip(self.sentences, self.verdicts, strict=True) if verdict is None)


class Detector:
    """Scores text for the damage and the traces of laundering through machine translation.

    Make one with `from_pretrained`. It keeps no state between calls; calls from several threads
    are safe.

    Example:
        >>> detector = Detector.from_pretrained()
        >>> report = detector.analyze("The minister He and her deputy arrived to the capital on Monday.")
        >>> "syntax.doubled_subject" in [e.found_by for s in report.sentences for e in s.evidence]
        True
    """

    def __init__(
        self,
        models: Sequence[Model],
        *,
        operating_point: str | None = "fpr_1e-2",
        disabled_rules: Sequence[str] = (),
    ) -> None:
        """Join models; `from_pretrained` does this for you.

        Args:
            models: At least one. A language is judged by the first that judges it.
            operating_point: Where verdicts are taken; None flags nothing.
            disabled_rules: Rule ids to leave out.

        Raises:
            ValueError: If there is no model, the operating point is unknown or has no threshold, or a
                disabled rule does not exist.
        """
        if not models:
            raise ValueError("a detector needs at least one model")
        self._models = tuple(models)
        self._judge_of = {tag: model for model in reversed(self._models) for tag in model.languages}
        self._operating_point = operating_point
        self._disabled_rules = tuple(sorted(set(disabled_rules)))
        known = {h.id for h in HEURISTICS}
        if unknown := sorted(set(disabled_rules) - known):
            raise ValueError(f"no such rule: {', '.join(unknown)}; the rules are {', '.join(sorted(known))}")
        if operating_point is not None and operating_point not in self.operating_points:
            present = ", ".join(self.operating_points) or "none: load with operating_point=None and calibrate"
            raise ValueError(f"no operating point {operating_point!r}; this model has {present}")

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path | None = None,
        *,
        backend: Literal["onnx", "torch"] = "onnx",
        device: str = "cpu",
        operating_point: str | None = "fpr_1e-2",
        disabled_rules: Sequence[str] = (),
    ) -> Detector:
        """Load a model: the embedded default, a folder that training wrote, or one from a hub.

        Args:
            model: A folder, or a hub id such as ``"org/model"``; by default the embedded model,
                which needs no network.
            backend: ``"onnx"`` (int8, CPU) or ``"torch"`` (float32; needs the ``train`` extra).
            device: For torch: ``"cpu"``, ``"cuda"`` or another that it knows.
            operating_point: Where verdicts are taken, by false-alarm rate on human text. None
                flags nothing: for a model trained on too little human text to have a threshold,
                until `calibrate` sets one.
            disabled_rules: Rule ids to leave out; see ``detector rules``.

        Raises:
            FileNotFoundError: If ``model`` is neither a folder nor found on the hub.
            ValueError: If a file of the model is missing, broken or does not fit the others, naming
                it; or an argument is not one of those above.
            ImportError: If the backend's packages are not installed.
        """
        folder = locate(DEFAULT_MODEL if model is None else model)
        first, *more = (Model(path, backend=backend, device=device) for path in members(folder))
        first.logits(
            [""], first.languages[0]
        )  # what is broken or missing is said now; the others wait for a text of theirs
        return cls([first, *more], operating_point=operating_point, disabled_rules=disabled_rules)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write everything `from_pretrained` needs into ``folder``, which is made if need be.

        The model card goes along; whatever else training left in the folder does not.

        Raises:
            ValueError: If the models do not lie inside the first, or ``folder`` holds a model inside
                that this detector has not: it would be loaded too.
        """
        first = self._models[0].folder
        if outside := [str(m.folder) for m in self._models if not m.folder.is_relative_to(first)]:
            raise ValueError(f"{', '.join(outside)}: not inside {first}, so one folder cannot hold both")
        targets = [Path(folder, m.folder.relative_to(first)) for m in self._models]
        if others := [str(path) for path in members(Path(folder))[1:] if path not in targets]:
            raise ValueError(
                f"{', '.join(others)}: another model, which would be loaded too: remove it first"
            )
        for model, target in zip(self._models, targets, strict=True):
            target.mkdir(parents=True, exist_ok=True)
            for path in (model.folder / name for name in _SAVED):
                if path.is_file() and path.resolve() != (target / path.name).resolve():
                    shutil.copyfile(path, target / path.name)
            model.fusion.save(target)

    @property
    def operating_points(self) -> tuple[str, ...]:
        """Names of the operating points that this model has a sentence threshold for.

        Of a model of many languages, for one of them at least.
        """
        points = [(name, p) for f in self._fusions() for name, p in f.operating_points.items()]
        return tuple(dict.fromkeys(name for name, point in points if point.sentence is not None))

    def _fusions(self) -> Iterator[Fusion]:
        for model in self._models:
            yield from (model.fusion.of(tag) for tag in model.languages)

    @property
    def languages(self) -> tuple[str, ...]:
        """BCP 47 tags of the languages this model judges."""
        return tuple(dict.fromkeys(tag for model in self._models for tag in model.languages))

    def analyze(self, text: str, *, language: str | None = None) -> Report:
        """Judge a text and every sentence in it.

        Args:
            text: What to read. Empty text gives an empty report with the verdict ``too_short``.
            language: BCP 47 tag; by default it is told from the text.

        Raises:
            TypeError: If ``text`` is not a str.
            ValueError: If ``language`` is not a language tag.
        """
        _check_text(text)
        tag = None if language is None else normalise_tag(language)
        return next(self._reports([self._read(text, tag)]))

    def score(self, sentences: Sequence[str], *, language: str | None = None) -> npt.NDArray[np.float32]:
        """Give the damage score of each sentence by itself.

        Args:
            sentences: Taken as they are, not cut. One too short to tell its language is read in
                the language that all of them together show.
            language: BCP 47 tag of them all.

        Returns:
            Calibrated probabilities of damage, nan where the detector abstains.
            Shape (sentences,), float32, in [0, 1].

        Raises:
            TypeError: If ``sentences`` is a str, or one of them is not, naming which.
            ValueError: If ``language`` is not a language tag.
        """
        listed = _texts(sentences, "sentence")
        tag = None if language is None else normalise_tag(language)
        whole = [_whole(s) for s in listed]
        together = tag or identify([s for one in whole for s in one]).language
        readings = [self._read_alone(*pair, tag, together) for pair in zip(listed, whole, strict=True)]
        logits = self._logits(readings)
        scores = np.full(len(readings), math.nan, dtype=np.float32)
        for i, reading in enumerate(readings):
            if None in reading.verdicts:
                rules = self._find(reading, "sentence")
                features = sentence_features(next(logits), rules)
                head = self._fusion(reading.language).sentence
                scores[i] = sigmoid(sum(head.contributions(features).values()))
        return scores

    def annotate(self, batch: Mapping[str, Sequence[Any]], *, field: str = "text") -> dict[str, list[Any]]:
        """Judge a batch of texts, for ``dataset.map(detector.annotate, batched=True)``.

        Args:
            batch: Columns; the one named ``field`` holds the texts.
            field: Name of the column of texts.

        Returns:
            New columns ``score`` (nan where the detector abstains), ``verdict``, ``language``,
            ``pivot`` and ``sentences`` (a list of start, end, score, verdict and kinds of
            damage for each text, the kinds joined by commas). They keep their Arrow types even
            where a batch has no value to show them.

        Raises:
            KeyError: If there is no such column.
            TypeError: If a text is not a str, naming its row, or the column is one text, as
                without ``batched=True``.
        """
        texts = _texts(batch[field], f"{field!r} row")
        reports = list(self._reports([self._read(t, None) for t in texts]))
        sentences = [
            [
                {
                    "start": s.start,
                    "end": s.end,
                    "score": s.score,
                    "verdict": s.verdict,
                    "kinds": ",".join(dict.fromkeys(e.kind for e in s.evidence)),
                }
                for s in r.sentences
            ]
            for r in reports
        ]
        return {
            "score": Column([r.score for r in reports], "float64"),
            "verdict": Column([r.verdict for r in reports], "string"),
            "language": Column([r.language for r in reports], "string"),
            "pivot": Column([r.pivot for r in reports], "string"),
            "sentences": Column(sentences, _SENTENCE_FIELDS),
        }

    @staticmethod
    def compare(text: str, original: str, *, language: str | None = None) -> Comparison:
        """Lay a text beside its original: which sentences and words were kept, changed, added, dropped.

        No model is asked, so none need be loaded: ``Detector.compare(text, original)`` does as well.
        Sentences may come in another order, merged or split.

        Args:
            text: The text that may have been made from the original.
            original: The original, in the same language.
            language: BCP 47 tag of both; by default it is told from them.

        Raises:
            TypeError: If ``text`` or ``original`` is not a str.
            ValueError: If ``language`` is not a language tag; or it is not given, and the texts are
                clearly in different languages, whose words cannot be compared.

        Example:
            >>> text, original = "They sent assisted dying.", "They sent lethal aid."
            >>> comparison = Detector.compare(text, original, language="en")
            >>> [(c.operation, c.kind, text[c.start : c.end]) for c in comparison.changes]
            [('substitution', 'term', 'assisted dying')]
        """
        _check_text(text)
        _check_text(original, "original")
        tag = _language_of_both(text, original) if language is None else normalise_tag(language)
        return compare(
            text,
            original,
            segment(text, tag),
            segment(original, tag),
            tag,
            signature=_compare_signature(tag),
            notes=_broken(text + original),
        )

    def calibrate(
        self, human_texts: Sequence[str], *, fpr: float = 1e-2, language: str | None = None
    ) -> Detector:
        """Give a detector whose verdicts raise at most ``fpr`` false alarms on the user's own text.

        Args:
            human_texts: Texts known to be honest, of the kind to be judged.
            fpr: Share of honest sentences, and of honest texts, that may be flagged; in (0, 1).
            language: BCP 47 tag of them all; by default each text's is told from it. A language with
                too few sentences keeps its present thresholds.

        Returns:
            A new detector at the operating point ``"own"``. The text threshold is kept from the
            present point where the texts are too few to set one.

        Raises:
            TypeError: If ``human_texts`` is a str, or one of them is not, naming which.
            ValueError: If ``fpr`` is out of range, or the texts hold so few sentences that fewer
                than 20 false alarms would be expected.
        """
        if not 0 < fpr < 1:
            raise ValueError(f"fpr must be between 0 and 1, got {fpr}")
        reports = [self.analyze(text, language=language) for text in _texts(human_texts, "text")]
        points: dict[str, OperatingPoint] = {}
        most = 0
        for tag in {r.language for r in reports if r.language and not math.isnan(r.score)}:
            some = [r for r in reports if r.language == tag]
            scores = _known(np.array([s.score for r in some for s in r.sentences]))
            texts = _known(np.array([r.score for r in some]))
            most = max(most, len(scores))
            if len(scores) * fpr >= 20:
                points[tag] = OperatingPoint(
                    sentence=threshold_at(scores, fpr),
                    text=threshold_at(texts, fpr) if len(texts) * fpr >= 20 else self._point(tag).text,
                    fpr=fpr,
                    sentences=len(scores),
                    texts=len(texts),
                    data="the user's own texts",
                )
        if not points:
            raise ValueError(
                f"{most} judged sentences are too few to set a point at {fpr:g}: "
                f"20 false alarms must be expected, which takes {math.ceil(20 / fpr)}"
            )
        present = self._operating_point or "none"

        def with_point(model: Model) -> Model:
            own = {tag: points[tag] for tag in model.languages if tag in points}
            of_all = next(iter(own.values()), model.fusion.operating_points.get(present, NO_POINT))
            return model.with_fusion(model.fusion.with_point("own", of_all, own, present))

        return Detector(
            [with_point(model) for model in self._models],
            operating_point="own",
            disabled_rules=self._disabled_rules,
        )

    def _read(self, text: str, tag: str | None) -> _Reading:
        sentences = tuple(segment(text, tag))
        if tag is not None:
            return self._reading(text, sentences, tag)
        vote = identify(sentences)
        if vote.language is None or vote.verdict is not None:
            return self._reading(text, sentences, None, doubt=vote.verdict)
        return self._reading(text, tuple(segment(text, vote.language)), vote.language)

    def _read_alone(
        self, text: str, whole: tuple[Sentence, ...], tag: str | None, together: str | None
    ) -> _Reading:
        if tag is not None:
            return self._reading(text, whole, tag)
        vote = identify(whole)
        if vote.verdict == "too_short":
            return self._reading(text, whole, together, doubt="too_short")
        language = vote.language if vote.verdict is None else None
        return self._reading(text, whole, language, doubt=vote.verdict, identified=True)

    def _reading(
        self,
        text: str,
        sentences: tuple[Sentence, ...],
        language: str | None,
        *,
        doubt: Verdict | None = None,
        identified: bool = False,
    ) -> _Reading:
        """Decide what is judged; a sentence that was ``identified`` by itself is not asked again."""
        abstention: Verdict | None = None
        if not any(count_letters(s.text) for s in sentences):
            abstention = "too_short"
        elif language is None:
            abstention = doubt or "unsupported_language"
        elif language not in self._judge_of:
            abstention = "unsupported_language"

        def verdict(sentence: Sentence) -> Verdict | None:
            if abstention is not None or language is None:
                return abstention
            if count_letters(sentence.text) < MIN_LETTERS:
                return "too_short"
            return "mixed_language" if not identified and differs(sentence, language) else None

        return _Reading(text, sentences, language, abstention, tuple(map(verdict, sentences)))

    def _reports(self, readings: Sequence[_Reading]) -> Iterator[Report]:
        logits = self._logits(readings)
        for reading in readings:
            yield self._report(reading, logits)

    def _model(self, language: str | None) -> Model:
        """Give what judges a language; for one that nothing judges, the first model."""
        return self._judge_of.get(language or "", self._models[0])

    def _fusion(self, language: str | None) -> Fusion:
        if language in self._judge_of:
            return self._judge_of[language].fusion.of(language)
        return self._models[0].fusion

    def _point(self, language: str | None) -> OperatingPoint:
        points = self._fusion(language).operating_points
        return points.get(self._operating_point or "none", NO_POINT)

    def _unflagged(self, language: str | None) -> str:
        """Name what a language has no threshold for, though the operating point has one in others."""
        point = self._point(language)
        if self._operating_point is None or point.sentence is not None:
            return ""
        return "nothing" if point.text is None else "no sentence"

    def _signature(self, language: str | None) -> Signature:
        from . import __version__

        model, fusion, point = self._model(language), self._fusion(language), self._point(language)
        return Signature(
            version=__version__,
            model=model.hash,
            backend=model.backend,
            features=fusion.sentence.features + fusion.text.features,
            operating_point=self._operating_point or "none",
            # without a threshold nothing is flagged: none is better than a guess
            threshold=_NEVER if point.sentence is None else point.sentence,
            text_threshold=_NEVER if point.text is None else point.text,
            segmenter=segmenter_name(language),
            language_identifier=identifier_name(),
            disabled_rules=self._disabled_rules,
        )

    def _logits(self, readings: Sequence[_Reading]) -> Iterator[SentenceLogits]:
        """Run encoders over all that is judged, some thousand sentences at a time: memory stays bounded."""
        judged = ((s, reading.language or "") for reading in readings for s in reading.judged)
        for some in _chunks(judged, _AT_ONCE):
            found: dict[int, SentenceLogits] = {}
            for language in dict.fromkeys(tag for _, tag in some):
                rows = [i for i, (_, tag) in enumerate(some) if tag == language]
                texts = [some[i][0].text for i in rows]
                found |= zip(rows, self._model(language).logits(texts, language), strict=True)
            yield from (found[i] for i in range(len(some)))

    def _report(self, reading: _Reading, logits: Iterator[SentenceLogits]) -> Report:
        """Judge a text, taking the logits of its judged sentences from ``logits``."""
        fusion, signature = self._fusion(reading.language), self._signature(reading.language)
        rules = _by_sentence(reading.sentences, self._find(reading, "sentence"))
        texts_own = self._find(reading, "text")
        reports: list[SentenceReport] = []
        judged: list[SentenceLogits] = []
        damage: list[float] = []
        rule_scores: list[float] = []
        for sentence, verdict, found in zip(reading.sentences, reading.verdicts, rules, strict=True):
            if verdict is not None:
                reports.append(_sentence_report(sentence, math.nan, verdict, _shown(fusion, found)))
                continue
            said = next(logits)
            contributions = fusion.sentence.contributions(sentence_features(said, found))
            logit = sum(contributions.values())
            score = sigmoid(logit)
            evidence = _shown(fusion, found)
            flagged = score >= signature.threshold
            if flagged:
                finder = self._model(reading.language).finder(reading.language or "")
                spans = finder.find(sentence.text, said.words)
                evidence = _in_order([*evidence, *_new(spans, sentence, evidence)])
            reports.append(
                _sentence_report(sentence, score, "flagged" if flagged else "clean", evidence, contributions)
            )
            judged.append(replace(said, words=()))  # the words of a book would fill the memory
            damage.append(logit)
            rule_scores.append(sum(e.score for e in found if e.found_by not in _EVIDENCE_ONLY))
        report = Report(
            text=reading.text,
            language=reading.language,
            score=math.nan,
            verdict=_unjudged(reading),
            pivot=None,
            sentences=tuple(reports),
            evidence=_shown(fusion, texts_own),
            contributions={},
            signature=signature,
            notes=_notes(reading, self._unflagged(reading.language) if judged else ""),
            names=self._names(reading),
        )
        if not judged:
            return report
        features = text_features(fusion.provenance_logits(judged), damage, rule_scores, texts_own)
        contributions = fusion.text.contributions(features)
        score = sigmoid(sum(contributions.values()))
        flagged = score >= signature.text_threshold
        guess = self._pivot(reading, judged) if flagged else None
        return replace(
            report,
            score=score,
            verdict="flagged" if flagged else "clean",
            pivot=guess and guess.name,
            pivot_confidence=guess and guess.confidence,
            claim=self._model(reading.language).fusion.claim(reading.language or ""),
            contributions=contributions,
        )

    def _find(self, reading: _Reading, scope: Literal["sentence", "text"]) -> list[Evidence]:
        return [
            e
            for rule in HEURISTICS
            if rule.scope == scope and rule.id not in self._disabled_rules
            for e in rule.find(reading.sentences, reading.language)
        ]

    def _names(self, reading: _Reading) -> tuple[Name, ...]:
        return () if names.ID in self._disabled_rules else names.names_of(reading.sentences, reading.language)

    def _pivot(self, reading: _Reading, logits: Sequence[SentenceLogits]) -> Guess | None:
        """Name the pivot by words, or where a model has none for the language, by the encoder."""
        model = self._model(reading.language)
        if pivots := model.pivots(reading.language or ""):
            return pivots.guess([s.text for s in reading.judged])
        probability = pivot_probabilities(logits)
        best = int(np.argmax(probability))
        confidence = float(probability[best])
        return (
            Guess(model.heads.pivots[best], confidence)
            if confidence >= model.fusion.pivot_threshold
            else None
        )


def _shown(fusion: Fusion, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    return _in_order(e for e in evidence if e.found_by in fusion.shown_rules or e.found_by in _EVIDENCE_ONLY)


def _new(spans: Iterable[Span], sentence: Sentence, known: Sequence[Evidence]) -> Iterator[Evidence]:
    """Give the model's spans where no rule has already said something more precise."""
    taken = bytearray(len(sentence.text))
    for e in known:
        start, end = e.start - sentence.start, e.end - sentence.start
        taken[start:end] = b"\1" * (end - start)
    for span in spans:
        if any(taken[span.start : span.end]):
            continue
        yield Evidence(
            sentence.start + span.start,
            sentence.start + span.end,
            span.kind,
            span.score,
            "model",
            f"{'Probably' if span.score >= _PROBABLE else 'Perhaps'} {_SAID[span.kind]}; it may also be "
            "an odd but harmless wording.",
        )


def threshold_at(human_scores: npt.NDArray[np.floating[Any]], fpr: float) -> float:
    """Give the lowest score that at most a share ``fpr`` of human scores reach.

    Example:
        >>> threshold_at(np.array([0.1, 0.2, 0.3, 0.4]), 0.25) > 0.3
        True
    """
    ordered = np.sort(np.asarray(human_scores, dtype=np.float64))
    kept = len(ordered) - math.floor(fpr * len(ordered))
    return float(np.nextafter(ordered[kept - 1], math.inf))


def pivot_probabilities(logits: Sequence[SentenceLogits]) -> npt.NDArray[np.float64]:
    """Give the mean probability of each pivot class over sentences. Shape (pivots,)."""
    stacked = np.stack([s.pivot for s in logits]).astype(np.float64)
    shifted = np.exp(stacked - stacked.max(1, keepdims=True))
    return np.asarray((shifted / shifted.sum(1, keepdims=True)).mean(0))


def _unjudged(reading: _Reading) -> Verdict:
    """Say why no sentence of a text was judged."""
    mixed = "mixed_language" in reading.verdicts
    return reading.abstention or ("mixed_language" if mixed else "too_short")


def _notes(reading: _Reading, unflagged: str) -> tuple[str, ...]:
    notes = []
    if unflagged:
        notes.append(
            f"In this language {unflagged} is flagged at this operating point: there was too little text to "
            "set it by, or what is damaged could not be told from what is sound."
        )
    skipped = reading.verdicts.count("mixed_language")
    if skipped and reading.abstention is None:
        places = "place is" if skipped == 1 else "places are"
        notes.append(f"{skipped} {places} in another language than the text and not judged.")
    return (*notes, *_broken(reading.text))


def _broken(text: str) -> tuple[str, ...]:
    broken = len(_SURROGATE.findall(text))
    characters = "character is" if broken == 1 else "characters are"
    return (f"{broken} {characters} not valid Unicode and could not be read.",) if broken else ()


def _language_of_both(text: str, original: str) -> str | None:
    """Tell the language of a text and its original together, for either may be too short to show it."""
    sides = segment(text), segment(original)
    one, other = (identify(side, min_letters=_SURE_LETTERS) for side in sides)
    doubtful = None in (one.language, other.language) or one.verdict or other.verdict
    if not doubtful and not are_close(one.language or "", other.language or ""):
        raise ValueError(
            f"the texts are in different languages ({one.language} and {other.language}): compare a text "
            "with an original in its own language, or say language= if this is wrong"
        )
    vote = identify([*sides[0], *sides[1]])
    return vote.language if vote.verdict is None else None


def _compare_signature(language: str | None) -> str:
    from . import __version__

    return f"detector:{__version__}|segmenter:{segmenter_name(language)}|language:{identifier_name()}"


def _by_sentence(sentences: Sequence[Sentence], evidence: Sequence[Evidence]) -> list[list[Evidence]]:
    starts = [s.start for s in sentences]
    found: list[list[Evidence]] = [[] for _ in sentences]
    for e in evidence:
        found[bisect_right(starts, e.start) - 1].append(e)
    return found


def _in_order(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    return tuple(sorted(evidence, key=lambda e: (e.start, e.end)))


def _sentence_report(
    sentence: Sentence,
    score: float,
    verdict: Verdict,
    evidence: tuple[Evidence, ...],
    contributions: Mapping[str, float] | None = None,
) -> SentenceReport:
    return SentenceReport(
        sentence.text, sentence.start, sentence.end, score, verdict, evidence, contributions or {}
    )


def _whole(text: str) -> tuple[Sentence, ...]:
    stripped = text.strip()
    start = len(text) - len(text.lstrip())
    return (Sentence(stripped, start, start + len(stripped)),) if stripped else ()


def _chunks(judged: Iterable[_Judged], characters: int) -> Iterator[list[_Judged]]:
    some: list[_Judged] = []
    waiting = 0
    for pair in judged:
        some.append(pair)
        waiting += len(pair[0].text)
        if waiting >= characters:
            yield some
            some, waiting = [], 0
    if some:
        yield some


def _known(scores: Vector) -> Vector:
    return scores[~np.isnan(scores)]


def _texts(values: Iterable[Any], what: str) -> list[str]:
    if isinstance(values, str):
        raise TypeError(f"expected a list with a text for each {what}, got one str")
    texts = list(values)
    for i, text in enumerate(texts):
        _check_text(text, f"{what} {i}")
    return texts


def _check_text(text: object, what: str = "text") -> None:
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str, got {type(text).__name__}")
