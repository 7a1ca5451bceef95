from __future__ import annotations

from pathlib import Path

import pytest
import torch

from detector.model import DetectorModel
from training.average import average


def test_average_lies_between(tiny_checkpoint: Path, tmp_path: Path) -> None:
    moved = DetectorModel.load(tiny_checkpoint)
    with torch.no_grad():
        moved.token.bias.add_(4.0)
    moved.save(tmp_path / "moved")
    (tmp_path / "moved" / "tokenizer.json").write_bytes((tiny_checkpoint / "tokenizer.json").read_bytes())
    average(tiny_checkpoint, tmp_path / "moved", tmp_path / "mean", share=0.75)
    start, mean = DetectorModel.load(tiny_checkpoint), DetectorModel.load(tmp_path / "mean")
    moved_by = (mean.token.bias - start.token.bias).detach()
    assert float(moved_by) == pytest.approx(3.0, abs=1e-5)
    assert torch.equal(mean.pool.weight, start.pool.weight)


def test_a_share_beyond_one_is_refused(tiny_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        average(tiny_checkpoint, tiny_checkpoint, tmp_path, share=1.5)
