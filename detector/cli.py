"""The command line: arguments in, results out, exit code back."""

from __future__ import annotations

import argparse
import codecs
import io
import json
import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, TextIO

from . import render_comparison
from .render import printable, to_html, to_terminal
from .report import Report, dumps

if TYPE_CHECKING:
    from .detect import Detector

_EXIT_CODES = """\
exit codes:
  0    every input was scored, whatever the verdicts; or two were compared
  1    the same, but a text was flagged and --fail-on-flagged was given
  2    nothing was scored or compared (wrong usage, a model that does not load, no input
       that could be read), or the results could not be written
  3    some inputs or JSONL lines could not be read: each is named on standard
       error as FILE:LINE: REASON, and the others were scored
  130  interrupted
  141  whoever read the results stopped reading"""

_STDIN = "-"
_COMMANDS = ("score", "compare", "rules")


def main(
    argv: Sequence[str] | None = None, *, load: Callable[[argparse.Namespace], Detector] | None = None
) -> int:
    """Run the ``detector`` command.

    Args:
        argv: Arguments without the program's name; those of the process if None.
        load: Makes the detector from the parsed options; None for the real one.

    Returns:
        Exit code, as ``detector --help`` lists them.

    Raises:
        SystemExit: On wrong usage (2), ``--help`` and ``--version`` (0).
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments and _is_terminal(sys.stdin):
        arguments = ["--help"]
    elif not arguments or arguments[0] not in (*_COMMANDS, "-h", "--help", "--version"):
        arguments.insert(0, "score")
    options = _parser().parse_args(arguments)
    _prepare_stdout()
    try:
        if options.command == "score":
            code = _score(options, load or _load)
        else:
            code = _rules(options) if options.command == "rules" else _compare(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Python flushes standard output once more when it ends, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ImportError, OSError, ValueError) as error:
        _say(f"detector: error: {error}")
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    style: dict[str, Any] = {
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        "epilog": _EXIT_CODES,
        "allow_abbrev": False,
    }
    parser = argparse.ArgumentParser(
        prog="detector",
        description="Find text that was translated away and back, and point at the damage.\n"
        "A file without a command is scored: `detector article.txt` means `detector score article.txt`.",
        **style,
    )
    parser.add_argument("--version", action="version", version=f"detector {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    compare = commands.add_parser(
        "compare",
        help="lay a text beside its original",
        description="Lay a text beside its original: what was kept, changed, added and dropped.\n"
        "Input is UTF-8; results go to standard output. No model is loaded.",
        **style,
    )
    add = compare.add_argument
    add("text", metavar="A", help="the text that may have been made from B; `-` is standard input")
    add("original", metavar="B", help="its original; `-` is standard input")
    add("--json", action="store_true", help="the comparison as one JSON object")
    add("--html", type=Path, metavar="OUT", help="also write a page, NAME.html, with both side by side")
    add("--language", metavar="TAG", help="language of both, such as `en` (default: told from them)")
    add("--quiet", action="store_true", help="nothing on standard error but errors")
    compare.set_defaults(usage_error=compare.error)

    rules = commands.add_parser("rules", help="list the rules", description="List the rules.", **style)
    rules.add_argument("--json", action="store_true", help="one JSON object per rule, one per line")

    score = commands.add_parser(
        "score",
        help="score texts and show their damage",
        description="Score texts and show their damage. Input is UTF-8; results go to standard output.",
        **style,
    )
    add = score.add_argument
    add("files", nargs="*", metavar="FILE", help="text or JSONL; `-`, or no FILE, is standard input")
    add("--json", action="store_true", help="one JSON report per input, one per line")
    add("--html", type=Path, metavar="OUT", help="also write a page, NAME.html; for several inputs a folder")
    jsonl = "read JSONL, one record per line, and write each back with a field `detector`; assumed for "
    jsonl += "every FILE in .jsonl or .ndjson"
    add("--jsonl", action="store_true", help=jsonl)
    add("--text-field", default="text", metavar="NAME", help="JSONL field to score (default: %(default)s)")
    add("--language", metavar="TAG", help="language of the texts, such as `en` (default: told from the text)")
    point = "false-alarm rate on human text to take verdicts at; `none` flags nothing (default: %(default)s)"
    add("--operating-point", default="fpr_1e-2", metavar="NAME", help=point)
    disable = "switch a rule off; may be repeated; `detector rules` lists them"
    add("--disable-rule", action="append", default=[], metavar="ID", help=disable)
    add("--model", metavar="PATH", help="folder of a model (default: the one inside the package)")
    backends = ("onnx", "torch")
    add("--backend", choices=backends, default="onnx", help="what runs the model (default: %(default)s)")
    add("--device", default="cpu", help="where torch runs it, such as `cuda` (default: %(default)s)")
    add("--fail-on-flagged", action="store_true", help="exit with 1 if the verdict on any text is flagged")
    add("--quiet", action="store_true", help="nothing on standard error but errors")
    score.set_defaults(usage_error=score.error)
    return parser


def _load(options: argparse.Namespace) -> Detector:
    from .detect import Detector

    return Detector.from_pretrained(
        options.model,
        backend=options.backend,
        device=options.device,
        operating_point=None if options.operating_point == "none" else options.operating_point,
        disabled_rules=tuple(options.disable_rule),
    )


def _rules(options: argparse.Namespace) -> int:
    from .heuristics import HEURISTICS

    rows = [
        {
            "id": h.id,
            "kind": h.kind,
            "scope": h.scope,
            "message": h.message if h.counts else f"{h.message} Changes no score.",
        }
        for h in HEURISTICS
    ]
    if options.json:
        sys.stdout.writelines(dumps(row) + "\n" for row in rows)
        return 0
    table = [["RULE", "KIND", "SCOPE", "WHAT IT LOOKS FOR"], *([*row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        sys.stdout.write(line.rstrip() + "\n")
    return 0


def _compare(options: argparse.Namespace) -> int:
    from .detect import Detector

    names: list[str] = [options.text, options.original]
    if names == [_STDIN, _STDIN]:
        options.usage_error("only one of A and B can be standard input")
    page = None if options.html is None else _page(options)
    sides = [next(_inputs(name, None)) for name in names]
    for side in sides:
        if side.text is None:
            _say(f"{side.place}: {side.problem}")
    text, original = (side.text for side in sides)
    if text is None or original is None:
        return 2
    comparison = Detector.compare(text, original, language=options.language)
    if options.json:
        places = {"file": sides[0].place, "original_file": sides[1].place}
        sys.stdout.write(dumps({**places, **comparison.to_dict()}) + "\n")
    else:
        colour, width = _style()
        sys.stdout.write(render_comparison.to_terminal(comparison, colour=colour, width=width))
    if page:
        titles = ["" if name == _STDIN else Path(name).name for name in names]
        _write_page(page, render_comparison.to_html(comparison, titles=(titles[0], titles[1])))
        if not options.quiet:
            _say(f"Wrote {page}")
    return 0


@dataclass(frozen=True, slots=True)
class _Input:
    """A text and where it came from, or why there is none.

    Attributes:
        place: ``FILE`` or ``FILE:LINE``.
        size: Bytes read for it.
        text: The text, without a byte-order mark; None where it could not be read.
        record: The JSONL record that holds the text, if one does.
        problem: Why there is no text.
    """

    place: str
    size: int
    text: str | None = None
    record: dict[str, Any] | None = None
    problem: str = ""


def _score(options: argparse.Namespace, load: Callable[[argparse.Namespace], Detector]) -> int:
    files = options.files or [_STDIN]
    jsonl = [options.jsonl or Path(f).suffix.lower() in (".jsonl", ".ndjson") for f in files]
    pages = _pages(options, files, jsonl)
    if not options.files and _is_terminal(sys.stdin) and not options.quiet:
        _say("Reading the text from the terminal; end it with Ctrl-D (Ctrl-Z on Windows).")
    detector = load(options)
    # A wrong tag is a wrong option: say so before anything is read or written.
    detector.analyze("", language=options.language)
    progress = _Progress(files, shown=not options.quiet and _is_terminal(sys.stderr))
    scored, failed, flagged = 0, 0, False
    for name, is_jsonl in zip(files, jsonl, strict=True):
        for item in _inputs(name, options.text_field if is_jsonl else None):
            progress.clear()
            if item.text is None:
                _say(f"{item.place}: {item.problem}")
                failed += 1
            else:
                report = detector.analyze(item.text, language=options.language)
                flagged |= report.verdict == "flagged"
                sys.stdout.write(_result(item, report, options, alone=len(files) == 1, first=not scored))
                sys.stdout.flush()
                scored += 1
                if page := pages.get(name):
                    _write_page(page, to_html(report, title="" if name == _STDIN else Path(name).name))
                    if not options.quiet:
                        _say(f"Wrote {page}")
            progress.advance(item.size)
    progress.clear()
    if failed:
        return 3 if scored else 2
    return 1 if flagged and options.fail_on_flagged else 0


def _result(item: _Input, report: Report, options: argparse.Namespace, *, alone: bool, first: bool) -> str:
    """One input's share of standard output, in the form that was asked for."""
    if item.record is not None:
        result = {key: value for key, value in report.to_dict().items() if key != "text"}
        return dumps({**item.record, "detector": result}) + "\n"
    if options.json:
        return dumps({"file": item.place, **report.to_dict()}) + "\n"
    colour, width = _style()
    shown = to_terminal(report, colour=colour, width=width, title="" if alone else item.place)
    return shown if first else "\n" + shown


def _style() -> tuple[bool, int]:
    """Tell whether standard output wants colour, and how many columns it has."""
    terminal = _is_terminal(sys.stdout)
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = min(shutil.get_terminal_size().columns, 100) if terminal else 80
    return colour, max(width, 20)


def _pages(options: argparse.Namespace, files: Sequence[str], jsonl: Sequence[bool]) -> dict[str, Path]:
    """Check how inputs and outputs go together, and name each input's page."""
    usage_error: Callable[[str], NoReturn] = options.usage_error
    if len(set(files)) < len(files):
        usage_error("the same FILE is named twice")
    if any(jsonl) and not all(jsonl) and not options.json:
        usage_error("text and JSONL cannot share an output; score them apart, or ask for --json")
    out: Path | None = options.html
    if out is None:
        return {}
    if any(jsonl):
        usage_error("--html makes pages of texts, not of JSONL records")
    if len(files) == 1 and not out.is_dir():
        return {files[0]: _page(options)}
    if out.exists() and not out.is_dir():
        usage_error(f"--html {out}: not a folder, which several inputs need")
    pages: dict[str, Path] = {}
    for name in files:
        stem = "stdin" if name == _STDIN else Path(name).name
        page, n = out / f"{stem}.html", 2
        while page in pages.values():
            page, n = out / f"{stem}-{n}.html", n + 1
        pages[name] = page
    return pages


def _page(options: argparse.Namespace) -> Path:
    """Check the name of the one page that is asked for."""
    out: Path = options.html
    # Without this, `--html article.txt` would overwrite the article.
    if out.suffix.lower() not in (".html", ".htm"):
        options.usage_error(f"--html {out}: a page's name ends in .html")
    return out


def _write_page(path: Path, page: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8", newline="")


def _inputs(name: str, text_field: str | None) -> Iterator[_Input]:
    """Read one file's texts as they are asked for: the whole of it, or one per JSONL line."""
    place = "<stdin>" if name == _STDIN else name
    try:
        with _opened(name) as file:
            if text_field is None:
                yield _text(place, file.read())
                return
            for number, line in enumerate(file, 1):
                if line.removeprefix(codecs.BOM_UTF8).strip():
                    yield _record(f"{place}:{number}", line, text_field)
    except OSError as error:
        yield _Input(place, 0, problem=error.strerror or str(error))


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    if name != _STDIN:
        return Path(name).open("rb")
    if sys.stdin is None:
        raise OSError("there is no standard input")
    return nullcontext(sys.stdin.buffer)


def _text(place: str, raw: bytes) -> _Input:
    try:
        return _Input(place, len(raw), _decoded(raw))
    except ValueError as error:
        return _Input(place, len(raw), problem=str(error))


def _record(place: str, line: bytes, text_field: str) -> _Input:
    try:
        record = json.loads(_decoded(line.rstrip()), parse_constant=_refuse_number, parse_float=_finite)
        if not isinstance(record, dict):
            raise ValueError(f"not a JSON object but {_json_type(record)}")
        if text_field not in record:
            raise ValueError(f'no field "{text_field}"; there is {", ".join(map(repr, record)) or "none"}')
        text = record[text_field]
        if not isinstance(text, str):
            raise ValueError(f'field "{text_field}" is {_json_type(text)}, not a string')
    except json.JSONDecodeError as error:
        return _Input(place, len(line), problem=f"broken JSON: {error.msg} (column {error.colno})")
    except RecursionError:
        return _Input(place, len(line), problem="broken JSON: nested too deeply")
    except ValueError as error:
        return _Input(place, len(line), problem=str(error))
    return _Input(place, len(line), text, record)


def _decoded(raw: bytes) -> str:
    """Decode UTF-8, dropping a byte-order mark; the ValueError names the first byte that is wrong."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError("not UTF-8 but UTF-16, by its byte-order mark; convert it first")
    if (offset := raw.find(b"\0")) >= 0:
        raise ValueError(f"binary, not text: a NUL byte at offset {offset}")
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}") from error


def _finite(literal: str) -> float:
    value = float(literal)
    return value if math.isfinite(value) else _refuse_number(literal)


def _refuse_number(literal: str) -> NoReturn:
    raise ValueError(f"broken JSON: {literal} is not a number that JSON can hold")


def _json_type(value: object) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    names: dict[type, str] = {dict: "an object", list: "a list", str: "a string"}
    return names.get(type(value), "a number")


class _Progress:
    """A bar on standard error, only on a terminal, and only once the work has taken a while."""

    _WAIT_S = 2.0
    _EVERY_S = 0.2

    def __init__(self, files: Sequence[str], *, shown: bool) -> None:
        try:
            self._total = sum(Path(f).stat().st_size for f in files)
        except OSError:  # standard input among them: how much will come is not known
            self._total = 0
        self._shown, self._drawn = shown, False
        self._next = time.monotonic() + self._WAIT_S
        self._bytes = self._texts = 0

    def advance(self, size: int) -> None:
        """Count one more input of ``size`` bytes, and draw if it is time."""
        self._bytes += size
        self._texts += 1
        if not self._shown or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._EVERY_S
        share = min(self._bytes / self._total, 1.0) if self._total else 0.0
        bar = f"[{'#' * int(20 * share):20}] {share:4.0%}  " if self._total else ""
        print(f"\r{bar}{self._texts:,} texts", end="", file=sys.stderr, flush=True)
        self._drawn = True

    def clear(self) -> None:
        """Take the bar away before anything else is printed."""
        if self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._drawn = False


def _prepare_stdout() -> None:
    """Results for a pipe or a file are UTF-8 everywhere; a terminal keeps its encoding."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding = sys.stdout.encoding if _is_terminal(sys.stdout) else "utf-8"
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace")


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _say(message: str) -> None:
    print(printable(message), file=sys.stderr)
