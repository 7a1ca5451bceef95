"""Make ``roundtrip/PIVOT/*.txt`` from ``human/*.txt`` with Apertium; nothing is edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from detector.segment import segment
from training.roundtrip import Apertium, there_and_back

HERE = Path(__file__).parent
PIVOTS = ("es", "ca", "gl")


def launder(text: str, pivot: str, engine: Apertium) -> str:
    """Translate every paragraph into the pivot and back.

    Raises:
        MissingEngineError: If Apertium or its data for the pivot are not installed.
        RuntimeError: If Apertium gave no answer.
    """
    paragraphs = []
    for paragraph in text.strip().split("\n\n"):
        sentences = [sentence.text for sentence in segment(paragraph, "en")]
        answers = [answer for answer in there_and_back(sentences, engine, "en", pivot) if answer]
        if len(answers) < len(sentences):
            raise RuntimeError(f"Apertium gave no answer to a part of {paragraph!r}")
        paragraphs.append(" ".join(answers))
    return "\n\n".join(paragraphs) + "\n"


def roundtrips() -> Iterator[tuple[Path, str]]:
    """Give each file of ``roundtrip`` and what stands in it, made anew."""
    engine = Apertium()
    try:
        for pivot in PIVOTS:
            for path in sorted((HERE / "human").glob("*.txt")):
                text = launder(path.read_text(encoding="utf-8"), pivot, engine)
                yield HERE / "roundtrip" / pivot / path.name, text
    finally:
        engine.close()


if __name__ == "__main__":
    for path, text in roundtrips():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
