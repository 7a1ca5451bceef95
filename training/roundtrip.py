"""Make round trips from plain text with a real engine, in the shape of the corpora.

``python -m training.roundtrip --text FOLDER --engine apertium --pivots es,ca`` reads every
``*.txt`` below FOLDER and writes ``OUTPUT/roundtrip/{language}.parquet`` and, the same text as
people wrote it, ``OUTPUT/human/native.parquet``.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import logging
import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any, Literal, Protocol, TypeVar

logger = logging.getLogger(__name__)

SplitBy = Literal["docid", "original"]
R = TypeVar("R", "Row", "Native")


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence and what came back; the columns of ``roundtrip/{lang}.parquet``.

    Attributes:
        original_id: First 16 hex digits of the SHA-256 of ``normalise(original)``.
        lang: Language of the text, a BCP 47 tag.
        pivot: Language it went through.
        engine: Who translated.
        origin: Name of the folder the text came from.
        year: Always None here; the corpora give the year of the news.
        docid: Path of the file below the folder, with forward slashes.
        line: Position of the sentence in its file, from 0.
        split: ``train``, ``dev`` or ``test``.
        identical: Whether the two are equal but for case, punctuation and white space.
        original: The author's sentence, white space folded.
        roundtrip: What came back, white space folded.
    """

    original_id: str
    lang: str
    pivot: str
    engine: str
    origin: str
    year: int | None
    docid: str
    line: int
    split: str
    identical: bool
    original: str
    roundtrip: str


@dataclass(frozen=True, slots=True)
class Native:
    """One sentence as its author wrote it; the columns of ``human/native.parquet``.

    Attributes:
        lang: Language of the text, a BCP 47 tag.
        origlang: Language it was written in; the same.
        year: Always None here.
        docid: Path of the file below the folder.
        text: The sentence, white space folded.
        line: Position of the sentence in its file, from 0.
        split: ``train``, ``dev`` or ``test``.
        text_id: First 16 hex digits of the SHA-256 of ``normalise(text)``.
    """

    lang: str
    origlang: str
    year: int | None
    docid: str
    text: str
    line: int
    split: str
    text_id: str


@dataclass(frozen=True, slots=True)
class Original:
    """A sentence of somebody's text: its file, its position there from 0, its words."""

    docid: str
    line: int
    text: str


class MissingEngineError(RuntimeError):
    """The engine, or its data for a pair of languages, is not installed."""


class Engine(Protocol):
    """Anything that translates sentences."""

    name: str

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """Translate each text; None where the engine could not, never a part of it."""


# Debian's packages by pair; a package serves both directions unless its data are one-way.
DEBIAN_PAIRS = frozenset(
    "afr-nld bel-rus br-fr cat-ita cat-srd dan-nor en-gl eng-cat eng-spa eo-ca eo-en eo-es eo-fr"
    " es-ast es-gl es-pt es-ro eu-en eu-es fr-es fra-cat hbs-eng hbs-mkd hbs-slv ind-zlm is-sv"
    " isl-eng isl-swe mkd-bul mkd-eng nno-nob oc-ca oc-es oci-fra por-cat pt-gl rus-ukr spa-arg"
    " spa-ast spa-cat spa-ita srd-ita swe-dan swe-nor urd-hin".split()
)
ISO_639_3 = {
    "af": "afr", "an": "arg", "be": "bel", "bg": "bul", "ca": "cat", "da": "dan", "en": "eng",
    "es": "spa", "fr": "fra", "hi": "hin", "hr": "hbs", "id": "ind", "is": "isl", "it": "ita",
    "mk": "mkd", "ms": "zlm", "nb": "nob", "nl": "nld", "nn": "nno", "oc": "oci", "pt": "por",
    "ru": "rus", "sc": "srd", "sl": "slv", "sr": "hbs", "sv": "swe", "uk": "ukr", "ur": "urd",
}  # fmt: skip
STREAM_RESERVED = re.compile(r"([\[\]{}^$/\\@<>])")


class Apertium:
    """Translate with Debian's Apertium, one running pipeline per direction.

    ``apertium`` itself starts a dozen processes per call. Here the programs of a mode are
    started once, each with ``-z``, and flush at the null byte that ends every sentence.
    A pipeline that gives no answer in time, or dies, is started anew and the sentence lost.

    Args:
        modes: Folder of ``*.mode`` files.
        timeout_seconds: How long one sentence may take in one direction.
    """

    name = "apertium"

    def __init__(
        self, modes: Path = Path("/usr/share/apertium/modes"), *, timeout_seconds: float = 20.0
    ) -> None:
        self._modes = modes
        self._timeout_seconds = timeout_seconds
        self._running: dict[Path, list[subprocess.Popen[bytes]]] = {}

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """Translate each text; None where the pipeline hung or died.

        Words that Apertium does not know stay as they are, without its marks.

        Raises:
            MissingEngineError: If the programs or the pair are not installed; names the package.
        """
        mode = self._mode(source, target)
        return [self._translate(text, mode) for text in texts]

    def close(self) -> None:
        """End every pipeline."""
        for mode in list(self._running):
            self._stop(mode)

    def _mode(self, source: str, target: str) -> Path:
        pairs = [
            (a, b)
            for a in (ISO_639_3.get(source, source), source)
            for b in (ISO_639_3.get(target, target), target)
        ]
        packages = [
            f"apertium-{x}-{y}" for a, b in pairs for x, y in ((a, b), (b, a)) if f"{x}-{y}" in DEBIAN_PAIRS
        ]
        for a, b in pairs:
            mode = self._modes / f"{a}-{b}.mode"
            if mode.exists():
                return mode
        raise MissingEngineError(
            f"no Apertium data for {source} to {target} in {self._modes}: "
            + (f"apt install apertium {packages[0]}" if packages else "Debian has no such pair")
        )

    def _start(self, mode: Path) -> list[subprocess.Popen[bytes]]:
        stages = [shlex.split(stage) for stage in mode.read_text(encoding="utf-8").split("|")]
        for program, *_ in stages:
            if not shutil.which(program):
                raise MissingEngineError(
                    f"{mode.name} needs {program}, which is not installed: apt install apertium"
                )
        processes: list[subprocess.Popen[bytes]] = []
        for program, *raw in stages:
            # $1 says how unknown words are marked (-n: not at all), $2 is for the tagger.
            arguments = ["-n" if a == "$1" else a for a in raw if a != "$2"]
            processes.append(
                subprocess.Popen(
                    [program, "-z", *arguments],
                    stdin=processes[-1].stdout if processes else subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
        for process in processes[:-1]:
            _pipe(process.stdout).close()
        return processes

    def _stop(self, mode: Path) -> None:
        processes = self._running.pop(mode)
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
        with contextlib.suppress(BrokenPipeError):  # what was not yet sent goes with the dead
            _pipe(processes[0].stdin).close()
        _pipe(processes[-1].stdout).close()

    def _translate(self, text: str, mode: Path) -> str | None:
        if mode not in self._running:
            self._running[mode] = self._start(mode)
        processes = self._running[mode]
        # The extra stop, which apertium-destxt adds too, ends the tagger's last sentence.
        escaped = STREAM_RESERVED.sub(r"\\\1", text.replace("\0", "")) + ".[]\0"
        try:
            inlet = _pipe(processes[0].stdin)
            inlet.write(escaped.encode("utf-8", "replace"))
            inlet.flush()
            answer = self._read(_pipe(processes[-1].stdout))
        except OSError as error:
            logger.warning("%s: %s; started anew, without %r", mode.stem, error, text)
            self._stop(mode)
            return None
        return _fold(re.sub(r"\\(.)", r"\1", answer.removesuffix(".[]")))

    def _read(self, outlet: IO[bytes]) -> str:
        deadline = time.monotonic() + self._timeout_seconds
        answer = b""
        while not answer.endswith(b"\0"):
            ready, _, _ = select.select([outlet], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"no answer in {self._timeout_seconds:g} seconds")
            piece = os.read(outlet.fileno(), 65536)
            if not piece:
                raise BrokenPipeError("the pipeline died")
            answer += piece
        return answer[:-1].decode("utf-8", "replace")


class Marian:
    """Translate with Marian, NLLB or any other sequence-to-sequence checkpoint, greedily.

    Nothing is sampled: the same text gives the same translation. A translation that does not
    end is stopped at twice its source plus 16 tokens.

    Args:
        forward: Hub id or folder for language -> pivot; ``{source}`` and ``{target}`` are
            filled in. Needs ``pip install .[train]``.
        backward: The same for pivot -> language; ``forward`` where None.
        language: Language of the text: what is translated out of it goes ``forward``.
        codes: The checkpoint's own codes, such as ``{"en": "eng_Latn"}``, for models that
            serve many languages (NLLB, mBART); empty for models of one pair.
        name: What stands in the column ``engine``.
        device: Torch device.
    """

    def __init__(
        self,
        forward: str = "Helsinki-NLP/opus-mt-{source}-{target}",
        backward: str | None = None,
        *,
        language: str = "en",
        codes: Mapping[str, str] | None = None,
        name: str = "marian",
        device: str = "cpu",
    ) -> None:
        self.name = name
        self._forward = forward
        self._backward = backward or forward
        self._language = language
        self._codes = dict(codes or {})
        self._device = device
        self._loaded: dict[str, tuple[Any, Any]] = {}

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """Translate each text in one batch; None where it has more tokens than the model reads.

        Raises:
            MissingEngineError: If the checkpoint cannot be loaded.
            ValueError: If a code is missing or unknown to the checkpoint.
        """
        template = self._forward if source == self._language else self._backward
        tokenizer, model = self._load(template.format(source=source, target=target))
        settings: dict[str, Any] = {}
        if self._codes:
            tokenizer.src_lang = self._code(tokenizer, source)
            settings["forced_bos_token_id"] = tokenizer.convert_tokens_to_ids(self._code(tokenizer, target))
        limit = min(
            tokenizer.model_max_length,
            getattr(model.config, "max_position_embeddings", None) or tokenizer.model_max_length,
        )
        lengths = [len(ids) for ids in tokenizer(list(texts))["input_ids"]] if texts else []
        readable = [i for i, length in enumerate(lengths) if length <= limit]
        translated: list[str | None] = [None] * len(texts)
        if not readable:
            return translated
        batch = tokenizer([texts[i] for i in readable], padding=True, return_tensors="pt")
        # Each row has its own end, so that a text's translation does not depend on its batch.
        ends = [min(limit - 1, 2 * lengths[i] + 16) for i in readable]
        output = model.generate(
            input_ids=batch["input_ids"].to(self._device),
            attention_mask=batch["attention_mask"].to(self._device),
            num_beams=1,
            do_sample=False,
            max_new_tokens=max(ends),
            **settings,
        )
        for i, tokens, end in zip(readable, output, ends, strict=True):
            translated[i] = _fold(tokenizer.decode(tokens[: end + 1], skip_special_tokens=True))
        return translated

    def _code(self, tokenizer: Any, language: str) -> str:
        code = self._codes.get(language)
        if code is None:
            raise ValueError(f"no code for {language!r}; got codes for {', '.join(self._codes)}")
        if tokenizer.convert_tokens_to_ids(code) in (None, tokenizer.unk_token_id):
            raise ValueError(f"the checkpoint does not know the code {code!r} of {language!r}")
        return code

    def _load(self, checkpoint: str) -> tuple[Any, Any]:
        if checkpoint not in self._loaded:
            from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

            # Two stay, one per direction: with many pivots all of them would fill the memory.
            for earlier in list(self._loaded)[:-1]:
                del self._loaded[earlier]
            try:
                tokenizer = AutoTokenizer.from_pretrained(checkpoint)
                model = AutoModelForSeq2SeqLM.from_pretrained(checkpoint)
            except OSError as error:
                raise MissingEngineError(f"cannot load the checkpoint {checkpoint!r}: {error}") from error
            self._loaded[checkpoint] = tokenizer, model.eval().to(self._device)
        return self._loaded[checkpoint]


def normalise(text: str) -> str:
    """Give what counts of a text: NFKC, case folded, without punctuation, symbols or space.

    Example:
        >>> normalise("“Lethal aid,” she said.") == normalise("Lethal Aid she said")
        True
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if unicodedata.category(c)[0] not in "PSZC")


def text_id(text: str) -> str:
    """Give the first 16 hex digits of the SHA-256 of the normalised text."""
    return hashlib.sha256(normalise(text).encode("utf-8", "replace")).hexdigest()[:16]


def split_of(key: str) -> str:
    """Give the split of a key by its hash: 80 % train, 10 % dev, 10 % test."""
    bucket = int(hashlib.sha256(key.encode("utf-8", "replace")).hexdigest(), 16) % 10
    return {8: "dev", 9: "test"}.get(bucket, "train")


def read_originals(folder: Path, language: str, *, max_characters: int = 1000) -> list[Original]:
    """Read every sentence of every ``*.txt`` below a folder, files in order of path.

    Sentences without a letter or digit, and those longer than ``max_characters``, are left out;
    how many is logged.

    Raises:
        ValueError: If the folder holds no ``*.txt``, or a file is not UTF-8.
    """
    from detector.segment import segment

    files = sorted(folder.rglob("*.txt"))
    if not files:
        raise ValueError(f"no *.txt below {folder}")
    originals: list[Original] = []
    left_out = 0
    for file in files:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"{file} is not UTF-8: {error}") from error
        for line, sentence in enumerate(segment(text, language)):
            folded = _fold(sentence.text)
            if normalise(folded) and len(folded) <= max_characters:
                originals.append(Original(file.relative_to(folder).as_posix(), line, folded))
            else:
                left_out += 1
    logger.info(
        "%d sentences in %d file(s); %d empty or over %d characters left out",
        len(originals), len(files), left_out, max_characters,
    )  # fmt: skip
    return originals


def make_roundtrips(
    folder: Path,
    output: Path,
    engine: Engine,
    pivots: Sequence[str],
    *,
    language: str = "en",
    split_by: SplitBy = "docid",
    batch_size: int = 32,
    max_characters: int = 1000,
) -> Path:
    """Translate the texts of a folder through each pivot and back, and write them as parquet.

    The originals go to ``human/native.parquet`` as well, for what must not be flagged.
    Runs again where it stopped: finished batches lie in a journal beside the table, and an
    original that came back through a pivot and engine is not translated again. A normalised text,
    original or round trip, has one split: a pair that would put it into a second one is dropped.

    Args:
        folder: Plain text, ``*.txt`` at any depth, UTF-8, one article per file.
        output: Folder to write ``roundtrip/{language}.parquet`` into.
        engine: Who translates, both ways.
        pivots: Languages to go through, in order.
        language: Language of the text.
        split_by: ``"docid"`` keeps a file together, which texts to be rebuilt need;
            ``"original"`` splits by sentence, where there are too few files.
        batch_size: Sentences per call of the engine.
        max_characters: Longer sentences are left out, never cut.

    Returns:
        The table written.

    Raises:
        MissingEngineError: If the engine or a pair is not installed.
        ValueError: If there is nothing to read, or a pivot is the language itself.
    """
    if language in pivots:
        raise ValueError(f"a pivot must differ from the language of the text, got {language!r}")
    originals = read_originals(folder, language, max_characters=max_characters)
    table = output / "roundtrip" / f"{language}.parquet"
    journal = table.with_suffix(".partial.jsonl")
    table.parent.mkdir(parents=True, exist_ok=True)
    finished = [*_read_table(table, Row), *_read_journal(journal)]
    rows = {(row.original_id, row.pivot, row.engine): row for row in finished}
    done = set(rows)
    splits = {id_: row.split for row in finished for id_ in (row.original_id, text_id(row.roundtrip))}
    origin = folder.resolve().name
    lost = dropped = 0

    with journal.open("a", encoding="utf-8") as out:
        for pivot in pivots:
            todo = []
            for original in originals:
                key = text_id(original.text), pivot, engine.name
                split = _split(original, split_by)
                if key not in done and splits.setdefault(key[0], split) == split:
                    done.add(key)
                    todo.append((original, split))
            logger.info("%s-%s-%s: %d sentences to do", language, pivot, language, len(todo))
            for start in range(0, len(todo), batch_size):
                batch = todo[start : start + batch_size]
                backs = there_and_back([o.text for o, _ in batch], engine, language, pivot)
                for (original, split), back in zip(batch, backs, strict=True):
                    if back is None:
                        lost += 1
                    elif splits.setdefault(text_id(back), split) != split:
                        dropped += 1
                    else:
                        row = Row(
                            original_id=text_id(original.text),
                            lang=language,
                            pivot=pivot,
                            engine=engine.name,
                            origin=origin,
                            year=None,
                            docid=original.docid,
                            line=original.line,
                            split=split,
                            identical=normalise(back) == normalise(original.text),
                            original=original.text,
                            roundtrip=back,
                        )
                        rows[row.original_id, pivot, engine.name] = row
                        out.write(json.dumps(asdict(row)) + "\n")
                out.flush()

    if not rows:
        raise ValueError(f"nothing to translate below {folder}, or nothing came back from {engine.name}")
    _write_table(sorted(rows.values(), key=lambda r: (r.pivot, r.engine, r.docid, r.line)), table)
    journal.unlink()
    _add_native(originals, splits, output / "human" / "native.parquet", language, split_by)
    counts = Counter(row.split for row in rows.values())
    logger.info(
        "%s: %d rows (train %d, dev %d, test %d); %d lost by the engine, %d dropped to keep splits apart",
        table, len(rows), counts["train"], counts["dev"], counts["test"], lost, dropped,
    )  # fmt: skip
    if split_by == "docid" and not (counts["dev"] and counts["test"]):
        logger.warning("too few files for every split to have one; consider splitting by original")
    return table


def there_and_back(texts: Sequence[str], engine: Engine, language: str, pivot: str) -> Iterator[str | None]:
    """Translate texts into the pivot and back: one answer each, None where the engine gave none."""
    there = engine.translate(texts, language, pivot)
    arrived = [text for text in there if text]
    back = iter(engine.translate(arrived, pivot, language))
    for text in there:
        yield (next(back) or None) if text else None


def _add_native(
    originals: Sequence[Original], splits: Mapping[str, str], table: Path, language: str, split_by: SplitBy
) -> None:
    """Write the originals as native text too, beside what the table holds already."""
    rows = {(row.lang, row.text_id): row for row in _read_table(table, Native)}
    for original in originals:
        id_ = text_id(original.text)
        if splits[id_] == _split(original, split_by):
            row = Native(
                lang=language,
                origlang=language,
                year=None,
                docid=original.docid,
                text=original.text,
                line=original.line,
                split=splits[id_],
                text_id=id_,
            )
            rows.setdefault((language, id_), row)
    _write_table(list(rows.values()), table)


def _split(original: Original, split_by: SplitBy) -> str:
    return split_of(original.docid if split_by == "docid" else text_id(original.text))


def _fold(text: str) -> str:
    return " ".join(text.split())


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise BrokenPipeError("the pipeline has no end to write to or read from")
    return stream


def _read_table(table: Path, kind: type[R]) -> list[R]:
    import pyarrow.parquet as pq

    return [kind(**row) for row in pq.read_table(table).to_pylist()] if table.exists() else []


def _read_journal(journal: Path) -> Iterator[Row]:
    """Read back finished rows; a last line cut by a crash is cut off the file too."""
    if not journal.exists():
        return
    lines = journal.read_text(encoding="utf-8").split("\n")
    journal.write_text("".join(f"{line}\n" for line in lines[:-1]), encoding="utf-8")
    for line in lines[:-1]:
        yield Row(**json.loads(line))


def _write_table(rows: Sequence[Row] | Sequence[Native], table: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"year": pa.int64(), "line": pa.int64(), "identical": pa.bool_()}
    schema = pa.schema([(f.name, types.get(f.name, pa.string())) for f in fields(rows[0])])
    table.parent.mkdir(parents=True, exist_ok=True)
    unfinished = table.with_suffix(".partial.parquet")
    pq.write_table(
        pa.Table.from_pylist([asdict(row) for row in rows], schema=schema), unfinished, compression="zstd"
    )
    unfinished.replace(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 0, or 2 where the engine or the text is missing."""
    parser = argparse.ArgumentParser(prog="python -m training.roundtrip", description=__doc__)
    parser.add_argument("--text", type=Path, required=True, help="folder of *.txt, UTF-8")
    parser.add_argument("--engine", choices=("apertium", "marian"), default="apertium")
    parser.add_argument("--pivots", required=True, help="languages to go through: es,ca")
    parser.add_argument("--language", default="en", help="language of the text (default: en)")
    parser.add_argument("--output", type=Path, default=Path("runs/corpora"))
    parser.add_argument("--split-by", choices=("docid", "original"), default="docid")
    parser.add_argument("--batch-size", type=int, default=32, help="sentences")
    parser.add_argument("--max-characters", type=int, default=1000, help="of a sentence")
    parser.add_argument(
        "--timeout-seconds", type=float, default=20.0, help="per sentence and direction (apertium)"
    )
    marian = parser.add_argument_group("marian, NLLB and other checkpoints of transformers")
    marian.add_argument("--model-forward", default="Helsinki-NLP/opus-mt-{source}-{target}")
    marian.add_argument("--model-backward", help="default: as --model-forward")
    marian.add_argument("--codes", default="", help="the model's codes: en=eng_Latn,es=spa_Latn")
    marian.add_argument("--engine-name", default="marian", help="for the column engine")
    marian.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)

    codes = [pair.partition("=") for pair in options.codes.split(",") if pair]
    engine: Engine = (
        Apertium(timeout_seconds=options.timeout_seconds)
        if options.engine == "apertium"
        else Marian(
            options.model_forward,
            options.model_backward,
            language=options.language,
            codes={language: code for language, _, code in codes},
            name=options.engine_name,
            device=options.device,
        )
    )
    try:
        make_roundtrips(
            options.text,
            options.output,
            engine,
            [pivot.strip() for pivot in options.pivots.split(",") if pivot.strip()],
            language=options.language,
            split_by=options.split_by,
            batch_size=options.batch_size,
            max_characters=options.max_characters,
        )
    except (MissingEngineError, ValueError) as error:
        logger.error("%s", error)
        return 2
    finally:
        if isinstance(engine, Apertium):
            engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
