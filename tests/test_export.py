from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest

from detector.backends.onnx import OnnxBackend
from detector.tokens import Tokenizer
from training import export as module
from training.export import agreement, export

pytest_plugins = ["tests.corpora_fixture"]

TEXTS = [
    "The minister opened the old bridge.",
    "no",
    "Rain closed 14 schools and two roads on Monday after trade talks.",
    "😀 市长 her deputy",
    "",
    "The river, the harbour and the Road!",
    "She said that they agreed to trade letters.",
    " ".join(["A president arrived before the vote."] * 12),
    "NEW RIVER",
    "Council, council: who arrived in the city?",
]


@pytest.fixture(scope="module")
def exported(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("exported")
    (output / "README.md").write_text("a card", encoding="utf-8")
    export(tiny_checkpoint, output)
    return output


def test_the_exported_model_agrees_with_the_checkpoint(tiny_checkpoint: Path, exported: Path) -> None:
    found = agreement(tiny_checkpoint, exported, TEXTS)
    assert found["largest_difference"] < 0.02
    assert all(found[name] > 0.98 for name in ("damage", "provenance", "token"))


def test_a_model_of_other_weights_does_not_agree(
    tiny_checkpoint: Path, exported: Path, tmp_path: Path
) -> None:
    from detector.model import DetectorModel

    model = DetectorModel.load(tiny_checkpoint)
    model.sentence.weight.data.neg_()
    model.save(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((exported / "tokenizer.json").read_bytes())
    assert agreement(tmp_path, exported, TEXTS)["damage"] < 0.5


def test_the_graph_has_the_names_and_free_sizes_that_backends_read(exported: Path) -> None:
    session = onnxruntime.InferenceSession(str(exported / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["ids", "mask", "cases"]
    assert [o.name for o in session.get_outputs()] == ["sentence", "token", "pivot"]
    assert [i.shape for i in session.get_inputs()] == [["windows", "pieces"]] * 3
    assert session.get_outputs()[2].shape[-1] == 2


def test_the_folder_is_whole_and_what_else_lay_there_is_left_alone(
    tiny_checkpoint: Path, exported: Path
) -> None:
    assert (exported / "README.md").read_text(encoding="utf-8") == "a card"
    for name in ("heads.json", "tokenizer.json"):
        assert (exported / name).read_bytes() == (tiny_checkpoint / name).read_bytes()
    tokenizer = Tokenizer(exported, max_tokens=32)
    results = list(OnnxBackend(exported).run(tokenizer.windows(TEXTS[7])))
    assert len(results) > 1


def test_exporting_twice_gives_the_same_file(tiny_checkpoint: Path, exported: Path, tmp_path: Path) -> None:
    export(tiny_checkpoint, tmp_path)
    assert (tmp_path / "model.onnx").read_bytes() == (exported / "model.onnx").read_bytes()


def test_a_checkpoint_that_is_not_whole_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=str(tmp_path)):
        export(tmp_path, tmp_path / "out")


def test_the_command_exports_and_proves_on_however_few_dev_sentences(
    corpora: Path, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--corpora", corpora, "--output", tiny_checkpoint, "--to", tmp_path]
    monkeypatch.setattr("sys.argv", ["export", *map(str, arguments)])
    monkeypatch.setattr(module, "LEAST_AGREEMENT", 0.9)
    module.main()
    assert (tmp_path / "model.onnx").is_file()
    monkeypatch.setattr(module, "LEAST_AGREEMENT", 1.01)
    with pytest.raises(SystemExit, match="does not agree with the checkpoint"):
        module.main()


def test_help_says_what_it_does(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["export", "--help"])
    with pytest.raises(SystemExit, match="0"):
        module.main()
    assert "--to" in capsys.readouterr().out
