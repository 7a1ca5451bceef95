from __future__ import annotations

import argparse
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from detector.cli import main
from detector.detect import Detector
from detector.heuristics import HEURISTICS
from detector.report import Comparison, Evidence, Report, SentenceReport, Signature

SIGNATURE = Signature("0.1.0", "0123456789ab", "onnx", ("damage",), "fpr_1e-2", 0.8, 0.7, "lines", "none")
DAMAGED = "The minister He and her deputy arrived on Monday."
SOUND = "The harbour was quiet all day."


class FakeDetector:
    """Flags every text in which ``He`` follows another word; anything else is clean."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def analyze(self, text: str, *, language: str | None = None) -> Report:
        if language == "not a tag":
            raise ValueError("language: expected a BCP 47 tag such as 'en', got 'not a tag'")
        if text:
            self.seen.append(text)
        if not text.strip():
            return Report(text, language, math.nan, "too_short", None, (), (), {}, SIGNATURE)
        start, end = text.find(" He ") + 1, len(text.rstrip())
        evidence = (Evidence(start, start + 2, "syntax", 0.9, "syntax.doubled", "Twice."),) if start else ()
        score = 0.95 if evidence else 0.05
        sentence = SentenceReport(
            text[:end], 0, end, score, "flagged" if evidence else "clean", evidence, {"damage": 1.0}
        )
        verdict = sentence.verdict
        return Report(text, language or "en", score, verdict, None, (sentence,), (), {}, SIGNATURE)


class Run:
    """Runs the command with a fake detector and keeps what it said."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys, self._monkeypatch = capsys, monkeypatch
        self.detector = FakeDetector()
        self.options: argparse.Namespace | None = None

    def __call__(self, *arguments: str | Path, stdin: bytes = b"") -> int:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            code = main([str(a) for a in arguments], load=self._load)
        except SystemExit as exit_:
            code = cast(int, exit_.code)
        self.out, self.err = self._capsys.readouterr()
        return code

    def _load(self, options: argparse.Namespace) -> Detector:
        self.options = options
        return cast(Detector, self.detector)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.split("\n")[:-1]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(capsys, monkeypatch)


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "article.txt"
    path.write_bytes(DAMAGED.encode() + b"\r\n")
    return path


def write_jsonl(path: Path, records: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def test_a_bare_file_means_score(run: Run, article: Path) -> None:
    assert run(article) == 0
    bare = run.out
    assert run("score", article) == 0
    assert run.out == bare
    assert bare.startswith("Probably came back from machine translation\n")
    assert "The minister [He](1) and her deputy" in bare


@pytest.mark.parametrize("arguments", [[], ["-"], ["score"], ["score", "-"]])
def test_piped_text_is_scored(run: Run, arguments: list[str]) -> None:
    assert run(*arguments, stdin=DAMAGED.encode()) == 0
    assert "Probably came back" in run.out


def test_the_text_arrives_as_received(run: Run, article: Path) -> None:
    run(article)
    assert run.detector.seen == [DAMAGED + "\r\n"]


def test_results_in_a_pipe_hold_no_escape_codes_and_messages_stay_out(run: Run, article: Path) -> None:
    run(article)
    assert "\x1b" not in run.out
    assert run.err == ""


def test_several_files_are_named(run: Run, article: Path, tmp_path: Path) -> None:
    (sound := tmp_path / "sound.txt").write_text(SOUND)
    assert run(article, sound) == 0
    assert f"{article}: Probably came back" in run.out
    assert f"{sound}: No clear sign" in run.out


def test_json_gives_one_report_a_line_that_can_be_rebuilt(run: Run, article: Path) -> None:
    assert run("--json", article, "-", stdin="港口很安静。".encode()) == 0
    first, second = run.lines
    assert first["file"] == str(article)
    assert second["file"] == "<stdin>"
    assert Report.from_dict(first).to_dict() == FakeDetector().analyze(DAMAGED + "\r\n").to_dict()
    assert second["text"] == "港口很安静。"
    assert second["signature"]["operating_point"] == "fpr_1e-2"


def test_jsonl_gives_back_every_record_in_order_with_its_result(run: Run, tmp_path: Path) -> None:
    records = [{"id": 1, "text": DAMAGED}, {"text": SOUND, "tags": ["ب", None]}, {"id": 3, "text": ""}]
    assert run(write_jsonl(tmp_path / "in.jsonl", records)) == 0
    assert [{k: v for k, v in line.items() if k != "detector"} for line in run.lines] == records
    assert [line["detector"]["verdict"] for line in run.lines] == ["flagged", "clean", "too_short"]
    assert run.lines[2]["detector"]["score"] is None
    rebuilt = Report.from_dict({"text": DAMAGED, **run.lines[0]["detector"]})
    assert rebuilt == FakeDetector().analyze(DAMAGED)


def test_jsonl_comes_by_pipe_and_from_another_field(run: Run) -> None:
    line = json.dumps({"body": DAMAGED}).encode()
    assert run("--jsonl", "--text-field", "body", stdin=b"\xef\xbb\xbf" + line + b"\n\n" + line) == 0
    assert [r["detector"]["verdict"] for r in run.lines] == ["flagged", "flagged"]


def test_jsonl_scored_twice_replaces_its_result(run: Run, tmp_path: Path) -> None:
    assert run(write_jsonl(tmp_path / "in.ndjson", [{"text": SOUND, "detector": "old"}])) == 0
    assert run.lines[0]["detector"]["verdict"] == "clean"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "cut', "broken JSON: Unterminated string starting at (column 10)"),
        (b"[1, 2]", "not a JSON object but a list"),
        (b'"text"', "not a JSON object but a string"),
        (b'{"id": 1, "body": 2}', "no field \"text\"; there is 'id', 'body'"),
        (b"{}", 'no field "text"; there is none'),
        (b'{"text": 12}', 'field "text" is a number, not a string'),
        (b'{"text": null}', 'field "text" is null, not a string'),
        (b'{"text": {"en": "a"}}', 'field "text" is an object, not a string'),
        (b'{"text": "a", "n": NaN}', "broken JSON: NaN is not a number that JSON can hold"),
        (b'{"text": "a", "n": 1e999}', "broken JSON: 1e999 is not a number that JSON can hold"),
        (b"[" * 100_000, "broken JSON: nested too deeply"),
        (b'{"text": "\x93"}', "not UTF-8: byte 0x93 at offset 10"),
        (b'{"text": "\0"}', "binary, not text: a NUL byte at offset 10"),
    ],
)
def test_a_broken_jsonl_line_is_named_and_the_rest_goes_on(
    run: Run, tmp_path: Path, line: bytes, reason: str
) -> None:
    good = json.dumps({"text": SOUND}).encode()
    (path := tmp_path / "in.jsonl").write_bytes(b"\n".join([good, b"", line, good]))
    assert run(path) == 3
    assert run.err == f"{path}:3: {reason}\n"
    assert [r["detector"]["verdict"] for r in run.lines] == ["clean", "clean"]


def test_jsonl_is_read_as_it_is_written(article: Path) -> None:
    """A result comes before the next line is there, so nothing gathers in memory."""
    script = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_cli import FakeDetector\n"
        "from detector.cli import main\n"
        "sys.exit(main(['--jsonl'], load=lambda options: FakeDetector()))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    ) as process:
        assert process.stdin
        assert process.stdout
        for text in (SOUND, DAMAGED):
            process.stdin.write(json.dumps({"text": text}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["text"] == text
        process.stdin.close()
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"ok\0no", "binary, not text: a NUL byte at offset 2"),
        (b"caf\xe9 au lait", "not UTF-8: byte 0xe9 at offset 3"),
        ("Text.".encode("utf-16"), "not UTF-8 but UTF-16, by its byte-order mark; convert it first"),
        (b"\xed\xa0\xbd", "not UTF-8: byte 0xed at offset 0"),
    ],
)
def test_what_is_not_text_is_refused_with_the_byte(
    run: Run, tmp_path: Path, article: Path, content: bytes, reason: str
) -> None:
    (path := tmp_path / "bad.txt").write_bytes(content)
    assert run(path, article) == 3
    assert run.err == f"{path}: {reason}\n"
    assert "Probably came back" in run.out
    assert run(path) == 2
    assert run.out == ""


def test_unreadable_files_are_named_and_the_rest_goes_on(run: Run, tmp_path: Path, article: Path) -> None:
    assert run(tmp_path, tmp_path / "gone.txt", article) == 3
    assert run.err == f"{tmp_path}: Is a directory\n{tmp_path / 'gone.txt'}: No such file or directory\n"
    assert "Probably came back" in run.out
    assert run(tmp_path / "gone.txt") == 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(run: Run, article: Path) -> None:
    article.chmod(0)
    assert run(article) == 2
    assert run.err == f"{article}: Permission denied\n"


def test_a_byte_order_mark_is_no_part_of_the_text(run: Run, tmp_path: Path) -> None:
    (path := tmp_path / "bom.txt").write_bytes(b"\xef\xbb\xbf" + SOUND.encode())
    assert run(path) == 0
    assert run.detector.seen == [SOUND]


@pytest.mark.parametrize("content", [b"", b" \n\n"])
def test_an_empty_file_is_too_short_and_no_error(run: Run, tmp_path: Path, content: bytes) -> None:
    (path := tmp_path / "empty.txt").write_bytes(content)
    assert run(path) == 0
    assert run.out.startswith("Too short to judge\n")


def test_exit_code_tells_of_flagged_texts_only_when_asked(run: Run, article: Path, tmp_path: Path) -> None:
    (sound := tmp_path / "sound.txt").write_text(SOUND)
    assert run(article) == 0
    assert run("--fail-on-flagged", article) == 1
    assert run("--fail-on-flagged", sound) == 0
    assert run("--fail-on-flagged", article, tmp_path / "gone.txt") == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-such-option"],
        ["--backend", "abacus"],
        ["{article}", "{article}"],
        ["{article}", "in.jsonl"],
        ["--html", "page.html", "in.jsonl"],
        ["--html", "{article}"],
        ["--html", "{article}", "{article}", "other.txt"],
    ],
)
def test_wrong_usage_is_refused_before_anything_is_loaded(
    run: Run, article: Path, arguments: list[str]
) -> None:
    before = article.read_bytes()
    assert run(*(a.format(article=article) for a in arguments)) == 2
    assert "error: " in run.err
    assert run.out == ""
    assert run.options is None
    assert article.read_bytes() == before


def test_a_wrong_language_tag_is_refused_before_anything_is_read(run: Run, article: Path) -> None:
    assert run("--language", "not a tag", article) == 2
    assert run.err.startswith("detector: error: language: expected a BCP 47 tag")
    assert run.detector.seen == []


@pytest.mark.parametrize(
    "error", [ValueError("no such point"), FileNotFoundError("no such model"), ImportError("t")]
)
def test_a_model_that_does_not_load_ends_with_its_message(
    capsys: pytest.CaptureFixture[str], article: Path, error: Exception
) -> None:
    def load(options: argparse.Namespace) -> Detector:
        raise error

    assert main([str(article)], load=load) == 2
    assert capsys.readouterr() == ("", f"detector: error: {error}\n")


def test_options_reach_the_detector(run: Run, article: Path) -> None:
    run(
        "--disable-rule",
        "a.b",
        "--disable-rule",
        "c.d",
        "--operating-point",
        "fpr_5e-2",
        "--language",
        "ca",
        article,
    )
    assert run.options
    assert run.options.disable_rule == ["a.b", "c.d"]
    assert run.options.operating_point == "fpr_5e-2"
    assert "language ca" in run.out


def test_html_writes_a_page_beside_the_results(run: Run, article: Path, tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    assert run("--html", page, article) == 0
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert "article.txt" in page.read_text("utf-8")
    assert "Probably came back" in run.out
    assert run.err == f"Wrote {page}\n"
    assert run("--html", page, article, "--quiet") == 0
    assert run.err == ""


def test_html_of_several_inputs_is_a_folder_where_no_page_overwrites_another(
    run: Run, tmp_path: Path
) -> None:
    for folder, text in (("a", DAMAGED), ("b", SOUND)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text(text)
    out = tmp_path / "pages"
    assert run("--html", out, tmp_path / "a" / "x.txt", tmp_path / "b" / "x.txt", "-", stdin=b"Quiet.") == 0
    assert sorted(p.name for p in out.iterdir()) == ["stdin.html", "x.txt-2.html", "x.txt.html"]
    assert DAMAGED.split(" He ")[0] in (out / "x.txt.html").read_text()
    assert SOUND in (out / "x.txt-2.html").read_text()


def test_a_page_that_cannot_be_written_is_an_error(run: Run, article: Path) -> None:
    assert run("--html", article / "page.html", article) == 2
    assert "Not a directory" in run.err or "File exists" in run.err


def test_a_file_name_cannot_smuggle_escape_codes(run: Run, tmp_path: Path) -> None:
    assert run(tmp_path / "\x1b[31mred.txt") == 2
    assert "\x1b" not in run.err


def test_rules_are_listed(run: Run) -> None:
    assert run("rules") == 0
    assert run.out.startswith("RULE")
    assert [line.split()[0] for line in run.out.splitlines()[1:]] == [h.id for h in HEURISTICS]
    assert run("rules", "--json") == 0
    assert [(r["id"], r["kind"], r["scope"], r["message"]) for r in run.lines] == [
        (h.id, h.kind, h.scope, h.message + ("" if h.counts else " Changes no score.")) for h in HEURISTICS
    ]


def test_help_documents_the_exit_codes(run: Run) -> None:
    for arguments in (["--help"], ["score", "--help"]):
        assert run(*arguments) == 0
        for code in ("0 ", "1 ", "2 ", "3 ", "130 ", "141 "):
            assert f"\n  {code}" in run.out


def test_version_is_printed(run: Run) -> None:
    assert run("--version") == 0
    assert run.out.startswith("detector ")


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def test_without_arguments_on_a_terminal_it_explains_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(SystemExit) as raised:
        main([])
    assert raised.value.code == 0
    assert "usage: detector" in capsys.readouterr().out


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_only_on_a_terminal_that_wants_it(
    article: Path, monkeypatch: pytest.MonkeyPatch, no_color: str, coloured: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", out := Terminal())
    assert main([str(article)], load=lambda options: cast(Detector, FakeDetector())) == 0
    assert ("\x1b[" in out.getvalue()) == coloured


@pytest.mark.parametrize(
    ("terminal", "seconds", "arguments", "drawn"),
    [
        (True, 1.0, [], True),
        (True, 0.001, [], False),
        (False, 1.0, [], False),
        (True, 1.0, ["--quiet"], False),
    ],
)
def test_a_bar_only_on_a_terminal_and_only_when_long(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
    seconds: float,
    arguments: list[str],
    drawn: bool,
) -> None:
    clock = iter(n * seconds for n in range(10_000))
    monkeypatch.setattr("detector.cli.time.monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", err := Terminal() if terminal else io.StringIO())
    path = write_jsonl(tmp_path / "in.jsonl", [{"text": SOUND}] * 20)
    assert main([str(path), *arguments], load=lambda options: cast(Detector, FakeDetector())) == 0
    assert ("[####################] 100%  20 texts" in err.getvalue()) == drawn
    assert err.getvalue().endswith("\r\x1b[K") == drawn


def test_an_interrupt_ends_with_130(article: Path) -> None:
    def load(options: argparse.Namespace) -> Detector:
        raise KeyboardInterrupt

    assert main([str(article)], load=load) == 130


def test_a_reader_that_stops_reading_ends_it_quietly() -> None:
    script = (
        "import sys\n"
        "from detector import cli\n"
        "def rules(options):\n"
        "    while True: sys.stdout.write('x' * 65536)\n"
        "cli._rules = rules\n"
        "sys.exit(cli.main(['rules']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def test_the_module_runs_as_the_command_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "detector", "rules"],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert done.stdout.startswith(b"RULE")


@pytest.mark.parametrize("text", [DAMAGED, "部长周一抵达港口。", "وصل الوزير إلى الميناء يوم الاثنين."])
def test_a_whole_path_from_file_to_page(
    tiny_detector: Detector, capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    (path := tmp_path / "a.txt").write_text(text, encoding="utf-8")
    page = tmp_path / "a.html"
    assert main(["--json", "--html", str(page), str(path)], load=lambda options: tiny_detector) == 0
    assert Report.from_dict(json.loads(capsys.readouterr().out)).text == text
    assert "<!doctype html>" in page.read_text("utf-8")


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "original.txt"
    path.write_text("The minister and her deputy arrived on Tuesday.", encoding="utf-8")
    return path


def test_compare_shows_what_changed_and_loads_no_model(run: Run, article: Path, original: Path) -> None:
    assert run("compare", article, original) == 0
    assert run.options is None
    assert run.out.startswith("Reuses 88% of the original's words\n")
    assert "The minister [He](1) and her deputy arrived on [Monday](2)." in run.out
    assert '(2) name "Monday", in the original "Tuesday"' in run.out
    assert run.err == ""


def test_compare_gives_json_that_can_be_rebuilt(run: Run, article: Path, original: Path) -> None:
    assert run("compare", "--json", "--language", "en", "-", original, stdin=DAMAGED.encode()) == 0
    (line,) = run.lines
    assert (line["file"], line["original_file"]) == ("<stdin>", str(original))
    rebuilt = Comparison.from_dict(line)
    assert rebuilt == Detector.compare(DAMAGED, original.read_text(), language="en")


def test_compare_writes_a_page(run: Run, article: Path, original: Path, tmp_path: Path) -> None:
    page = tmp_path / "out" / "both.html"
    assert run("compare", "--html", page, article, original) == 0
    assert run.err == f"Wrote {page}\n"
    assert "The original: original.txt" in page.read_text("utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare", "{article}"],
        ["compare", "-", "-"],
        ["compare", "--html", "{article}", "{article}", "{article}"],
        ["compare", "--operating-point", "fpr_1e-2", "{article}", "{article}"],
        ["compare", "--language", "not a tag", "{article}", "{article}"],
        ["compare", "{article}", "nowhere.txt"],
    ],
)
def test_compare_refuses_wrong_usage_and_what_it_cannot_read(
    run: Run, article: Path, arguments: list[str]
) -> None:
    before = article.read_bytes()
    assert run(*(a.format(article=article) for a in arguments)) == 2
    assert run.err
    assert run.out == ""
    assert article.read_bytes() == before


def test_compare_says_when_the_languages_differ(run: Run, tmp_path: Path, original: Path) -> None:
    (german := tmp_path / "de.txt").write_text(
        "Der Rat hat am Montag den Bau der neuen Brücke beschlossen. " * 5
    )
    (english := tmp_path / "en.txt").write_text(
        "The council decided on Monday to build the new bridge here. " * 5
    )
    assert run("compare", german, english) == 2
    assert "different languages (de and en)" in run.err
