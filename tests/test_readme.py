"""The Python in the README runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import detector.detect

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_readme_has_examples() -> None:
    assert EXAMPLES


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.splitlines()[0])
def test_readme_examples_run(example: str, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector.detect, "DEFAULT_MODEL", tiny_model)
    names: dict[str, object] = {}
    exec(compile(example, str(README), "exec"), names)
    if "scores" in names:
        assert isinstance(names["scores"], np.ndarray)
    if "page" in names:
        assert "<html" in str(names["page"])
