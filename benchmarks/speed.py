"""How fast the detector is on this machine and what it takes: `python -m benchmarks.speed`.

Every figure is taken in a fresh process of its own, pinned to the cores that the table names, on
made-up English sentences of 20 to 30 words. The rate of padded batches stands beside that of
single windows, with what batching does to the scores, because `OnnxBackend` runs single windows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

# Nothing of ours nor numpy is imported up here: the import itself is measured.

OPENINGS = (
    "The council of {place} decided after a noisy debate",
    "A spokeswoman for the harbour of {place} said on {day}",
    "Residents of {place} learned from a letter on {day}",
    "Engineers who visited {place} last {day} reported",
)
MIDDLES = (
    "that the {colour} bridge will stay closed for {count} weeks",
    "that {count} ferries could no longer leave before sunrise",
    "that the old mill needs a new roof and {count} windows",
    "that nobody had checked the {colour} lamps along the quay",
)
ENDINGS = (
    "because the money ran out in the spring.",
    "although the mayor had promised otherwise.",
    "and that the school will have to pay.",
    "until the fire brigade has reported.",
)
SLOTS = {
    "place": ("Tolm", "Orsk Mill", "Brenn", "Lower Quill", "Vesper"),
    "day": ("Monday", "Tuesday", "Thursday", "Friday"),
    "colour": ("red", "narrow", "northern", "wooden"),
    "count": ("three", "14", "nine", "25"),
}
ROUNDS = 3
BATCH = 32


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        what: What was measured.
        value: In ``unit``.
        unit: ``s`` or ``sentences/s``; empty for a difference of probabilities.
        cores: Cores the process was pinned to.
        peak_mib: Most memory the process held until it ended, in MiB.
    """

    what: str
    value: float
    unit: str
    cores: int = 0
    peak_mib: float = 0.0


def made_up_sentences(count: int, seed: int = 7) -> list[str]:
    """Make sentences of 20 to 30 words; the same seed gives the same."""
    rng = random.Random(seed)
    sentences = []
    for _ in range(count):
        parts = " ".join(rng.choice(part) for part in (OPENINGS, MIDDLES, ENDINGS))
        sentences.append(parts.format(**{slot: rng.choice(words) for slot, words in SLOTS.items()}))
    return sentences


def start(model: Path, count: int, cores: int) -> list[Figure]:
    """Measure how long a fresh process takes to import the package, and to its first score."""
    begin = time.perf_counter()
    from detector import Detector

    imported = time.perf_counter() - begin
    Detector.from_pretrained(model).score(made_up_sentences(1), language="en")
    return [
        Figure("import detector", imported, "s"),
        Figure("import to first score", time.perf_counter() - begin, "s"),
    ]


def whole(model: Path, count: int, cores: int) -> list[Figure]:
    """Measure `Detector.score` with the language given: rules, encoder and fused head."""
    from detector import Detector

    detector, sentences = Detector.from_pretrained(model), made_up_sentences(count)
    rate = _rate(lambda: detector.score(sentences, language="en"), count)
    return [Figure("Detector.score, language given", rate, "sentences/s")]


def told(model: Path, count: int, cores: int) -> list[Figure]:
    """Measure `Detector.score` where it has to tell each sentence's language too."""
    from detector import Detector

    detector, sentences = Detector.from_pretrained(model), made_up_sentences(count)
    rate = _rate(lambda: detector.score(sentences), count)
    return [Figure("Detector.score, language told from the text", rate, "sentences/s")]


def encoder(model: Path, count: int, cores: int) -> list[Figure]:
    """Measure the encoder alone, as the detector runs it: each window by itself."""
    from detector.backends.onnx import OnnxBackend

    backend, windows = OnnxBackend(model, threads=cores), _windows(model, count)
    rate = _rate(lambda: list(backend.run(windows)), count)
    return [Figure("model only, window by window", rate, "sentences/s")]


def padded(model: Path, count: int, cores: int) -> list[Figure]:
    """Measure the encoder in padded batches, as most tools run it, and how far its scores move."""
    import numpy as np
    import onnxruntime

    from detector.backends.onnx import OnnxBackend

    windows = _windows(model, count)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores
    session = onnxruntime.InferenceSession(
        str(model / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )

    def logits(order: Sequence[int]) -> Any:
        found = np.zeros((len(order), 2), dtype=np.float32)
        for k in range(0, len(order), BATCH):
            some = order[k : k + BATCH]
            shape = (len(some), max(len(windows[i].ids) for i in some))
            ids, mask, cases = (np.zeros(shape, dtype=np.int64) for _ in range(3))
            for row, i in enumerate(some):
                n = len(windows[i].ids)
                ids[row, :n], mask[row, :n], cases[row, :n] = windows[i].ids, 1, windows[i].cases
            found[some] = session.run(["sentence"], {"ids": ids, "mask": mask, "cases": cases})[0]
        return found

    arrival = list(range(count))
    by_length = sorted(arrival, key=lambda i: len(windows[i].ids))
    alone = np.stack([r.sentence for r in OnnxBackend(model, threads=cores).run(windows)])
    chance = [1 / (1 + np.exp(-x[:, 0])) for x in (alone, logits(by_length))]
    batches = f"model only, padded batches of {BATCH}"
    return [
        Figure(batches, _rate(lambda: logits(arrival), count), "sentences/s"),
        Figure(f"{batches}, by length", _rate(lambda: logits(by_length), count), "sentences/s"),
        Figure(f"{batches}: largest change of a score", float(np.abs(chance[0] - chance[1]).max()), ""),
    ]


TASKS: dict[str, Callable[[Path, int, int], list[Figure]]] = {
    task.__name__: task for task in (start, whole, told, encoder, padded)
}


def _windows(model: Path, count: int) -> list[Any]:
    from detector.heads import read_heads
    from detector.tokens import Tokenizer

    tokenizer = Tokenizer(model, max_tokens=read_heads(model).max_tokens)
    return [tokenizer.windows(sentence)[0] for sentence in made_up_sentences(count)]


def _rate(run: Callable[[], object], count: int) -> float:
    """Give sentences a second: the median of some rounds after one that warms up."""
    run()
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return count / median(seconds)


def _usable_cores() -> list[int]:
    # macOS and Windows cannot pin a process: there only all cores are measured
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _measure(task: str, model: Path, count: int, cores: int) -> list[dict[str, object]]:
    """Run one task in this process, pinned to its first ``cores`` usable cores."""
    if usable := _usable_cores():
        os.sched_setaffinity(0, usable[:cores])
    figures = TASKS[task](model, count, cores)
    scale = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
    return [{**asdict(f), "cores": cores, "peak_mib": round(peak, 1)} for f in figures]


def _in_fresh_process(task: str, model: Path, count: int, cores: int) -> list[Figure]:
    command = [sys.executable, "-m", "benchmarks.speed", "--task", task, "--cores", str(cores)]
    command += ["--model", str(model), "--sentences", str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [Figure(**figure) for figure in json.loads(done.stdout)]


def measure(model: Path, count: int) -> list[Figure]:
    """Take every figure, on all cores and on one."""
    cores = len(_usable_cores()) or os.cpu_count() or 1
    figures = []
    for n in dict.fromkeys((cores, 1) if _usable_cores() else (cores,)):
        for task in TASKS:
            print(f"measuring {task} on {n} core(s)", file=sys.stderr)
            figures += _in_fresh_process(task, model, count, n)
    return figures


def table(figures: Sequence[Figure]) -> str:
    """Lay figures out as a Markdown table."""
    lines = ["| what | cores | result | peak memory |", "| --- | --- | --- | --- |"]
    for f in figures:
        value = f"{f.value:.0f}" if f.value >= 10 else f"{f.value:.3f}"
        lines.append(f"| {f.what} | {f.cores} | {value} {f.unit}".rstrip() + f" | {f.peak_mib:.0f} MiB |")
    return "\n".join(lines)


def main() -> int:
    """Run the command line; returns 0, or 2 where the model is not there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--model", type=Path, help="folder of a model; by default the embedded one")
    parser.add_argument("--sentences", type=int, default=1000, help="how many to score in a round")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--task", choices=TASKS, help="take only these figures, in this process")
    parser.add_argument("--cores", type=int, default=1, help="with --task: pin to so many cores")
    args = parser.parse_args()
    model = args.model or Path(__file__).parent.parent / "detector" / "assets" / "default"
    if not (model / "model.onnx").is_file():
        print(f"{model} holds no model.onnx: train and export one first", file=sys.stderr)
        return 2
    if args.task:
        print(json.dumps(_measure(args.task, model, args.sentences, args.cores)))
        return 0
    figures = measure(model, args.sentences)
    if args.json:
        packages = {name: version(name) for name in ("numpy", "onnxruntime", "tokenizers")}
        about = {"machine": platform.machine(), "python": platform.python_version(), **packages}
        rows = [asdict(f) for f in figures]
        print(json.dumps({**about, "sentences": args.sentences, "figures": rows}, indent=1))
    else:
        print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
