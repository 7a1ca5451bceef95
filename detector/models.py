"""A model folder: which languages it judges is known at once, its weights are read when first needed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

from .backends import Backend, WindowLogits
from .fuse import Fusion, SentenceLogits
from .heads import HeadsConfig, read_heads
from .kinds import FILE as KINDS
from .kinds import Kinds
from .ngrams import FILE as NGRAMS
from .ngrams import Ngrams
from .pivots import FILE as PIVOTS
from .pivots import Pivots
from .spans import SpanFinder, word_scores
from .tokens import Tokenizer, Window

BackendName = Literal["onnx", "torch"]


_LOADING = Lock()
_Part = TypeVar("_Part", Ngrams, Kinds, Pivots)


class _Weights(NamedTuple):
    backend: Backend
    tokenizer: Tokenizer
    parts: dict[tuple[type, str], Any]
    """What has been read for a language: `Ngrams`, `Kinds`, `Pivots`, or None where there is none."""


class Model:
    """An encoder with its tokenizer, its fused heads and the languages it judges.

    Attributes:
        folder: Where it lies.
        heads: What its heads were built for.
        fusion: Its fused heads and operating points.
        languages: BCP 47 tags of the languages it judges, in order.
    """

    def __init__(
        self,
        folder: Path,
        *,
        backend: BackendName = "onnx",
        device: str = "cpu",
        fusion: Fusion | None = None,
    ) -> None:
        """Read what is small; the weights wait.

        Args:
            folder: A model folder.
            backend: ``"onnx"`` or ``"torch"``.
            device: For torch.
            fusion: In place of the folder's own.

        Raises:
            ValueError: If ``backend`` is unknown or does not run on ``device``, or a file is missing
                or broken, naming it.
        """
        if backend not in ("onnx", "torch"):
            raise ValueError(f'backend must be "onnx" or "torch", got {backend!r}')
        if backend == "onnx" and device != "cpu":
            raise ValueError(f'backend "onnx" runs on "cpu", got device {device!r}; use backend="torch"')
        self.folder = folder
        self.backend: BackendName = backend
        self._device = device
        self.heads: HeadsConfig = read_heads(folder)
        self.fusion = fusion or Fusion.load(folder)
        self.languages = tuple(self.fusion.languages) or self.heads.languages
        self._loaded: _Weights | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as the folder and what was asked of it: a detector is the same before and after use."""
        made = partial(Model, backend=self.backend, device=self._device, fusion=self.fusion)
        return made, (self.folder,)

    def with_fusion(self, fusion: Fusion) -> Model:
        """Give the same encoder with other heads or points; weights that were read are not read again."""
        other = Model(self.folder, backend=self.backend, device=self._device, fusion=fusion)
        other._loaded = self._loaded
        return other

    @property
    def _weights(self) -> _Weights:
        if self._loaded is None:
            with _LOADING:  # threads that need a model at the same time read it once
                self._loaded = self._loaded or self._load()
        return self._loaded

    def _load(self) -> _Weights:
        if self.backend == "onnx":
            from .backends.onnx import OnnxBackend

            runner: Backend = OnnxBackend(self.folder)
        else:
            from .backends.torch import TorchBackend

            runner = TorchBackend(self.folder, device=self._device)
        tokenizer = Tokenizer(self.folder, max_tokens=self.heads.max_tokens)
        _check_fit(runner, tokenizer, self.heads, self.folder)
        return _Weights(runner, tokenizer, {})

    @cached_property
    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 over everything a score depends on. Reads the weights."""
        digest = hashlib.sha256(self.fusion.to_json().encode())
        more = [name for name in (NGRAMS, KINDS, PIVOTS) if (self.folder / name).is_file()]
        for name in (*self._weights.backend.files, "heads.json", "tokenizer.json", *more):
            digest.update(name.encode())
            with (self.folder / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:12]

    def logits(self, sentences: Sequence[str], language: str) -> list[SentenceLogits]:
        """Run the encoder and the n-grams of a language over some sentences.

        Raises:
            ValueError: If a file of the weights is missing, broken or does not fit the others.
            ImportError: If the backend's packages are not installed.
        """
        weights = self._weights
        return read_sentences(weights.backend, weights.tokenizer, self._part(Ngrams, language), sentences)

    def finder(self, language: str) -> SpanFinder:
        """Give what finds damaged places in a language.

        Raises:
            ValueError: If the file of kinds is broken, naming it.
        """
        return self.fusion.finder(self._part(Kinds, language))

    def pivots(self, language: str) -> Pivots | None:
        """Give what names the pivot of a text of a language, read when first asked for.

        Raises:
            ValueError: If its file is broken.
        """
        return self._part(Pivots, language)

    def _part(self, part: type[_Part], language: str) -> _Part | None:
        known = self._weights.parts
        if (part, language) not in known:
            known[part, language] = part.load(self.folder, language)
        found: _Part | None = known[part, language]
        return found


def read_sentences(
    backend: Backend, tokenizer: Tokenizer, ngrams: Ngrams | None, sentences: Sequence[str]
) -> list[SentenceLogits]:
    """Cut sentences into windows, run them, and put together what is said of each sentence."""
    windows = [tokenizer.windows(s) for s in sentences]
    results: Iterator[WindowLogits] = backend.run([w for of_one in windows for w in of_one])
    joined = [join_windows(of_one, [next(results) for _ in of_one]) for of_one in windows]
    if ngrams is None:
        return joined
    return [replace(said, ngrams=ngrams.logit(s)) for said, s in zip(joined, sentences, strict=True)]


def members(folder: Path) -> tuple[Path, ...]:
    """Give a model folder, and those inside it: further models, for languages the first does not judge."""
    inside = sorted(path.parent for path in folder.glob("*/heads.json"))
    return (folder, *inside)


def join_windows(windows: Sequence[Window], results: Sequence[WindowLogits]) -> SentenceLogits:
    """Put together what the encoder says of the windows of one sentence."""
    return SentenceLogits(
        damage=float(max(r.sentence[0] for r in results)),
        provenance=float(np.mean([r.sentence[1] for r in results])),
        pivot=np.mean([r.pivot for r in results], axis=0, dtype=np.float32),
        words=word_scores(windows, [r.token for r in results]),
    )


def _check_fit(backend: Backend, tokenizer: Tokenizer, heads: HeadsConfig, folder: Path) -> None:
    """Run the longest window there can be, so that what does not fit fails here, not in a text."""
    weights = folder / backend.files[-1]
    try:
        (said,) = backend.run([tokenizer.longest()])
    except Exception as error:  # each runtime has its own
        reason = f"{heads.max_tokens} pieces (heads.json) of the vocabulary in tokenizer.json"
        raise ValueError(f"{weights}: cannot read {reason}: {error}") from None
    shapes = [v.shape for v in (said.sentence, said.token, said.pivot)]
    wanted = [(2,), (heads.max_tokens,), (len(heads.pivots),)]
    if shapes != wanted:
        raise ValueError(
            f"{weights}: does not fit heads.json: expected shapes {wanted} of sentence, token and pivot "
            f"logits, got {shapes}"
        )
    if not all(np.isfinite(v).all() for v in (said.sentence, said.token, said.pivot)):
        raise ValueError(f"{weights}: gives logits that are not finite")


def locate(model: str | Path) -> Path:
    """Give the folder of a model: a folder as it is, a hub id as it was downloaded.

    Raises:
        FileNotFoundError: If it is neither.
    """
    folder = Path(model)
    if folder.is_dir():
        return folder
    if isinstance(model, str) and re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", model):
        try:
            from huggingface_hub import snapshot_download

            return Path(snapshot_download(model))
        except ImportError:
            reason = "to load it from a hub install huggingface_hub"
        except (OSError, ValueError) as error:  # no network, no such model, not an id
            reason = f"nor could it be loaded from a hub: {error}"
        raise FileNotFoundError(f"{model}: no such folder; {reason}")
    raise FileNotFoundError(f"{model}: no such model folder")
