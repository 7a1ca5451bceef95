from __future__ import annotations

from difflib import SequenceMatcher
from pathlib import Path

import pytest

from demo import launder
from demo.demo import NAMES, table
from detector.report import Evidence, Report, SentenceReport, Signature, Verdict
from detector.segment import segment
from training.roundtrip import MissingEngineError

DEMO = Path(launder.__file__).parent


def text_of(name: str) -> str:
    return (DEMO / f"{name}.txt").read_text(encoding="utf-8")


def test_the_round_trip_answers_the_original_sentence_by_sentence() -> None:
    original, roundtrip = (segment(text_of(name), "en") for name in NAMES)
    assert len(original) == len(roundtrip) == 23
    assert "lethal aid" in text_of("original")
    assert "lethal aid" not in text_of("roundtrip")


def test_links_are_translated_apart() -> None:
    pieces = launder.stretches("It grew. Since the border war of 1994 nobody paid. They paid.")
    assert pieces == ["It grew.", "Since ", "the border war of 1994", " nobody paid.", "They paid."]
    assert all(link in text_of("original") for link in launder.LINKS)


def test_apertium_still_makes_the_committed_round_trip_or_says_how_to_install_it() -> None:
    if Path("/usr/share/apertium/modes/spa-eng.mode").exists():
        found = launder.launder(text_of("original"))
        # Another release of its dictionaries may choose another word here and there.
        same = SequenceMatcher(None, found.split(), text_of("roundtrip").split(), autojunk=False)
        assert same.ratio() > 0.9
        assert found.count("\n\n") == text_of("roundtrip").count("\n\n")
    else:
        with pytest.raises(MissingEngineError, match="apt install apertium apertium-eng-spa"):
            launder.launder("One.")


def judged(text: str, score: float, evidence: tuple[Evidence, ...]) -> Report:
    verdict: Verdict = "flagged" if score > 0.5 else "clean"
    sentence = SentenceReport(text, 0, len(text), score, verdict, evidence)
    signature = Signature("0", "0", "onnx", (), "fpr_1e-2", 0.5, 0.5, "s", "l")
    return Report(text, "en", score, verdict, None, (sentence,), (), {}, signature)


def test_the_table_shows_both_scores_and_the_reason_within_its_width() -> None:
    clean = judged("Deputies sent lethal aid to the islands.", 0.01, ())
    damaged = judged(
        "Deputies sent assisted dying to the islands.",
        0.97,
        (Evidence(14, 28, "term", 0.9, "model", "these words do not fit here"),),
    )
    lines = list(table(clean, damaged, column=40))
    shown = " ".join(" ".join(lines).split())
    assert "text score 0.01: clean" in shown
    assert "0.97! Deputies sent assisted dying" in shown
    assert "- term “assisted dying”: these" in shown
    assert all(len(line) <= 83 for line in lines)
    quiet = list(table(clean, clean, column=40))
    assert not any("lethal" in line for line in quiet)
