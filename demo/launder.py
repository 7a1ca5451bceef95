"""Make ``roundtrip.txt`` from ``original.txt``, as a site translator would, with Apertium.

A site translator sends each stretch of a page's text apart: what stands before a link, the
words of the link, what follows it. So the link's words lose the sentence around them. Nothing
is edited afterwards.
"""

from __future__ import annotations

import re
from pathlib import Path

from detector.segment import segment
from training.roundtrip import Apertium, there_and_back

HERE = Path(__file__).parent
PIVOT = "es"
LINKS = ("sharply higher defence budget", "the border war of 1994")
"""The words that are links on the page."""


def stretches(paragraph: str) -> list[str]:
    """Cut a paragraph into the sentences, and parts of sentences, that are translated apart."""
    link = re.compile(f"({'|'.join(map(re.escape, LINKS))})")
    return [piece for sentence in segment(paragraph, "en") for piece in link.split(sentence.text) if piece]


def launder(text: str) -> str:
    """Translate every paragraph into the pivot and back.

    Raises:
        MissingEngineError: If Apertium or its English-Spanish data are not installed.
        RuntimeError: If Apertium gave no answer.
    """
    engine = Apertium()
    try:
        paragraphs = []
        for paragraph in text.strip().split("\n\n"):
            pieces = stretches(paragraph)
            answers = [answer for answer in there_and_back(pieces, engine, "en", PIVOT) if answer]
            if len(answers) < len(pieces):
                raise RuntimeError(f"Apertium gave no answer to a part of {paragraph!r}")
            paragraphs.append(" ".join(answers))
        return "\n\n".join(paragraphs) + "\n"
    finally:
        engine.close()


if __name__ == "__main__":
    laundered = launder((HERE / "original.txt").read_text(encoding="utf-8"))
    (HERE / "roundtrip.txt").write_text(laundered, encoding="utf-8")
