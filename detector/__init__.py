"""Finds text that was translated away and back, sentence by sentence, and points at the damage."""

from importlib.metadata import version as _version

from .detect import Detector
from .report import (
    KINDS,
    OPERATIONS,
    VERDICTS,
    Change,
    Comparison,
    Evidence,
    Kind,
    Operation,
    Pair,
    Report,
    Sentence,
    SentenceReport,
    Signature,
    Verdict,
)

__version__ = _version("translation-laundering-detector")

__all__ = [
    "KINDS", "OPERATIONS", "VERDICTS", "Change", "Comparison", "Detector", "Evidence", "Kind", "Operation",
    "Pair", "Report", "Sentence", "SentenceReport", "Signature", "Verdict", "__version__",
]  # fmt: skip
