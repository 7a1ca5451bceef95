"""What the model learns from: units of one text, or of a better and a worse wording of it."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from detector.alignment import Word, align, words
from detector.tokens import Tokenizer, Window

from .corpora import SEED, paired_hops, read, set_apart
from .damage import HOPS, JUDGED, hter_damage, mqm_damage
from .pivots import group_index
from .replaced import replace, stand_ins
from .vocabulary import human_text

log = logging.getLogger(__name__)

Spans = tuple[tuple[int, int, float], ...]
"""Start and end of a word in code points, and how probably it is damaged: 0.0 or 1.0 where somebody
looked, between them where a judge did; what no span covers is unknown."""


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what is known of it; nan, -1 and None mean "not known".

    Attributes:
        text: One sentence.
        damage: Soft gold damage, 0.0 to 1.0.
        provenance: 1.0 for machine translation, 0.0 for a person's text.
        pivot: Class in `pivots.NAMES`.
        spans: Gold for the token head.
    """

    text: str
    damage: float = math.nan
    provenance: float = math.nan
    pivot: int = -1
    spans: Spans | None = None


Pieces = tuple[Tokenizer, npt.NDArray[np.float32]]
"""A base's tokenizer, and its word vectors, shape (pieces, hidden)."""

Unit = tuple[Example, ...]
"""One example, or two of which the second must outscore the first wherever both are known."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many units of each source stand in one round of `stream`; chosen by sentences read."""

    read: int = 460
    judged: int = 0
    roundtrip: int = 120
    single_hop: int = 150
    post_edited: int = 160
    marked: int = 20
    human: int = 340
    on_purpose: int = 25
    replaced: int = 0


def stream(
    corpora: Path,
    gold: Path,
    languages: Sequence[str],
    share: Share,
    seed: int = SEED,
    *,
    pieces: Pieces | None = None,
) -> Iterator[list[Unit]]:
    """Give endless rounds of units, every source in its share; the same seed gives the same rounds.

    Of several languages that have a source, each is drawn as often as the square root of how much of
    it there is: small ones are heard, and large ones are not wasted. Sources that the corpora lack
    are left out, and that is logged.

    Args:
        corpora: Folder of the shape `training.roundtrip` writes.
        gold: Folder that `training.damage` wrote.
        languages: BCP 47 tags.
        share: What a round is made of.
        seed: Seeds every choice.
        pieces: What ``share.replaced`` needs.

    Raises:
        FileNotFoundError: At the first round, if every source is lacking.
        ValueError: At the first round, if ``share.replaced`` is asked for without pieces.
    """
    if share.replaced and pieces is None:
        raise ValueError("share.replaced needs the pieces of the base")
    rng = np.random.default_rng(seed)
    sources: list[tuple[int, Iterator[Unit]]] = []
    for count, make in (
        (share.read, partial(_read, corpora, gold)),
        (share.judged, partial(_judged, gold)),
        (share.roundtrip, partial(_roundtrips, gold)),
        (share.single_hop, partial(_single_hops, corpora)),
        (share.post_edited, partial(_post_edits, corpora)),
        (share.marked, partial(_marked, corpora)),
        (share.human, partial(_human, corpora)),
        (share.on_purpose, partial(_on_purpose, corpora)),
        *([(share.replaced, partial(_replaced, corpora, pieces))] if pieces else []),
    ):
        found = []
        for language in languages if count else ():
            try:
                found.append(make(language, rng))
            except FileNotFoundError as error:
                log.warning("left out: %s", error)
        if found:
            sources.append((count, _by_root(found, rng)))
    if not sources:
        raise FileNotFoundError(f"{corpora} and {gold} hold nothing to learn {', '.join(languages)} from")
    while True:
        units = [unit for count, source in sources for unit in itertools.islice(source, count)]
        units = [_with_slips(unit, rng) if rng.random() < _SLIPS else unit for unit in units]
        rng.shuffle(units)
        yield units


@dataclass(frozen=True, slots=True)
class Source:
    """Units of one kind in one language.

    Attributes:
        size: How many there are before they recur.
        units: Endless.
    """

    size: int
    units: Iterator[Unit]


def _by_root(sources: Sequence[Source], rng: np.random.Generator) -> Iterator[Unit]:
    if len(sources) == 1:
        yield from sources[0].units
    weight = np.sqrt([s.size for s in sources])
    while True:
        for k in rng.choice(len(sources), size=1000, p=weight / weight.sum()):
            yield next(sources[k].units)


_SLIPS = 0.1
"""Share of units with a slip of the keyboard on every side: a slip is not what translation does."""


def _with_slips(unit: Unit, rng: np.random.Generator) -> Unit:
    return tuple(dataclasses.replace(example, text=misspell(example.text, rng)) for example in unit)


def misspell(text: str, rng: np.random.Generator) -> str:
    """Swap two inner letters of a word, or put another letter of the text's in one; the length stays.

    Words of fewer than four letters are left alone, and so is a text that has no other.
    """
    long = [w for w in words(text) if len(w.text) >= 4 and w.text.isalpha()]
    if not long:
        return text
    letters = [c for w in long for c in w.text[1:]]
    word = long[int(rng.integers(len(long)))]
    k = word.start + int(rng.integers(1, len(word.text) - 2))
    inside = text[k + 1] + text[k] if rng.random() < 0.6 else text[k] + str(rng.choice(letters))
    return text[:k] + inside + text[k + 2 :]


def labels(example: Example, window: Window) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Give gold of each piece: 1 damaged, 0 not, nan unknown. Shape (pieces,)."""
    of_character = np.full(len(example.text) + 1, np.nan, dtype=np.float32)
    for start, end, damaged in example.spans or ():
        of_character[start:end] = damaged
    starts = window.offsets[:, 0]
    return np.where(starts >= 0, of_character[np.clip(starts, 0, len(example.text))], np.nan)


def first_window(tokenizer: Tokenizer, example: Example, *, blind: bool) -> Window:
    """Give the window a training step reads: the first; where ``blind``, without its case."""
    window = tokenizer.windows(example.text)[0]
    return Window(window.ids, window.cases * (not blind), window.offsets, window.words)


def changed_spans(original: str, roundtrip: str, language: str) -> Spans:
    """Mark the words of a round trip that were changed; marks of punctuation stay unknown."""
    alignment = align(original, roundtrip, language)
    return tuple(
        (w.start, w.end, c)
        for w, c in zip(alignment.roundtrip, alignment.changed, strict=True)
        if not w.is_punctuation
    )


def _untouched(text: str) -> Spans:
    return tuple((w.start, w.end, False) for w in words(text) if not w.is_punctuation)


def _need(rows: int, table: str, language: str) -> None:
    if not rows:
        raise FileNotFoundError(f"{table} has nothing to learn {language!r} from")


def _forever(count: int, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(count).tolist()


def _read(corpora: Path, gold: Path, language: str, rng: np.random.Generator) -> Source:
    """Pairs that somebody read, round trips and single hops: the gold of damage and of its place."""
    tables = [gold / f"{language}-{name}.parquet" for name in ("train", HOPS)]
    frames = [pd.read_parquet(path) for path in tables if path.is_file()]
    nothing = pd.DataFrame(columns=["original"])
    frame = pd.concat([f[f["damage"].notna()] for f in frames]) if frames else nothing
    frame = frame[~frame["original"].isin(set_apart(corpora, language)["text"])]
    _need(len(frame), f"{tables[0]}, by readings,", language)
    return _graded(frame, "marks", marked_words, rng)


def _judged(gold: Path, language: str, rng: np.random.Generator) -> Source:
    """Pairs that nobody read, with the soft gold of `judge`."""
    return _graded(_made_by("judge", gold, language, JUDGED), "words", _judged_words, rng)


def _made_by(step: str, gold: Path, language: str, name: str) -> pd.DataFrame:
    """Read a table of gold that a step of the training writes."""
    path = gold / f"{language}-{name}.parquet"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: run `python -m training.{step}` first")
    frame = pd.read_parquet(path)
    _need(len(frame), str(path), language)
    return frame


def _graded(
    frame: pd.DataFrame, column: str, spans: Callable[[str, Any], Spans | None], rng: np.random.Generator
) -> Source:
    """Give pairs with their damage, and the spans that ``column`` tells of the round trip."""
    columns = ("original", "roundtrip", "damage", column, "pivot")
    rows = list(zip(*(frame[c] for c in columns), strict=True))

    def units() -> Iterator[Unit]:
        for i in _forever(len(rows), rng):
            a, b, damage, told, pivot = rows[i]
            yield (
                Example(a, 0.0, 0.0, -1, _untouched(a)),
                Example(b, float(damage), 1.0, group_index(pivot), spans(b, told)),
            )

    return Source(len(rows), units())


def _judged_words(text: str, said: Sequence[int]) -> Spans:
    return tuple(
        (int(start), int(end), thousandths / 1000)
        for start, end, thousandths in np.reshape(said, (-1, 3))
        if any(c.isalnum() for c in text[start:end])
    )


def marked_words(text: str, marks: Sequence[int] | None) -> Spans | None:
    """Tell the words that a reader marked from the others; None where the reader did not say.

    Args:
        text: What was read.
        marks: Starts and ends of marked stretches, in turn.
    """
    if marks is None:
        return None
    marked = np.zeros(len(text), dtype=bool)
    for start, end in zip(marks[::2], marks[1::2], strict=True):
        marked[start:end] = True
    spoken = (w for w in words(text) if not w.is_punctuation)
    return tuple((w.start, w.end, bool(marked[w.start : w.end].any())) for w in spoken)


def _roundtrips(gold: Path, language: str, rng: np.random.Generator) -> Source:
    """Visit the originals in turn, one of its round trips beside each; of its damage nothing is said."""
    frame = _made_by("damage", gold, language, "train")
    originals, others = frame["original"].to_numpy(), frame["roundtrip"].to_numpy()
    pivots = [group_index(p) for p in frame["pivot"]]
    groups = list(frame.groupby("original_id", sort=True).indices.values())
    # an original with many pivots is visited more often: what it shows of pivots no other row does
    visits = [g for g in groups for _ in range(min(3, 1 + len(g) // 16))]

    def units() -> Iterator[Unit]:
        for v in _forever(len(visits), rng):
            i = rng.choice(visits[v])
            original = Example(originals[i], 0.0, 0.0, -1, _untouched(originals[i]))
            yield original, Example(others[i], math.nan, 1.0, pivots[i])

    return Source(len(groups), units())


def _single_hops(corpora: Path, language: str, rng: np.random.Generator) -> Source:
    """Machine beside human translation of one source: provenance with the foreign topic cancelled.

    The machine's damage is left unknown; the person's is a clean text.
    """
    frame = paired_hops(corpora, language, longest=500)
    _need(len(frame), f"single_hop/{language}", language)
    groups = list(frame.groupby("human_id", sort=True).indices.values())
    human, machine = frame["human"].to_numpy(), frame["machine"].to_numpy()
    pivots = [group_index(p) for p in frame["source_lang"]]

    def units() -> Iterator[Unit]:
        for g in _forever(len(groups), rng):
            i = rng.choice(groups[g])
            yield (
                Example(human[i], 0.0, 0.0),
                Example(machine[i], math.nan, 1.0, pivots[i]),
            )

    return Source(len(groups), units())


def _post_edits(corpora: Path, language: str, rng: np.random.Generator) -> Source:
    """Machine translation and what a person made of it: HTER as damage, BAD words as spans."""
    columns = ("pair", "mt", "pe", "word_tags", "hter", "source_split")
    frame = read(corpora, "labels/mlqe_word_tags", columns)
    frame = frame[frame["pair"].str.endswith(f"-{language}")]
    train = frame["source_split"] == "train"
    # one row in fifty of dev and test stands in train too, as published
    held_out = {*frame[~train]["mt"], *frame[~train]["pe"]}
    leaks = frame["mt"].isin(held_out) | frame["pe"].isin(held_out)
    frame = frame[train & ~leaks].reset_index(drop=True)
    _need(len(frame), "labels/mlqe_word_tags", language)

    def units() -> Iterator[Unit]:
        for i in _forever(len(frame), rng):
            row = frame.iloc[i]
            spans = tagged_spans(row["mt"], row["word_tags"])
            worse = Example(row["mt"], hter_damage(row["hter"]), 1.0, -1, spans)
            yield (Example(row["pe"], 0.0, math.nan, -1, _untouched(row["pe"])), worse)

    return Source(len(frame), units())


def tagged_spans(text: str, tags: str) -> Spans:
    """Put one OK/BAD tag on each white-space token of ``text``; marks of punctuation stay unknown."""
    spans, end = [], 0
    for token, tag in zip(text.split(), tags.split(), strict=False):
        start = text.index(token, end)
        end = start + len(token)
        if any(c.isalnum() for c in token):
            spans.append((start, end, tag == "BAD"))
    return tuple(spans)


def marked_segments(corpora: Path, language: str, *, test: bool) -> list[Example]:
    """Read segments in which people marked errors (MQM), one example each.

    The last fifth of the documents is the test part; its segments are never trained on.
    """
    columns = ("pair", "system", "doc", "seg_id", "rater", "category", "severity", "target", "target_clean")
    frame = read(corpora, "labels/mqm_spans", columns)
    frame = frame[frame["pair"].str.endswith(f"-{language}")]
    documents = sorted(frame["doc"].unique())
    held_out = set(documents[len(documents) - len(documents) // 5 :])
    frame = frame[frame["doc"].isin(held_out) == test]
    examples = []
    for _, rows in frame.groupby(["doc", "seg_id", "system", "target_clean"], sort=True):
        text = rows["target_clean"].iloc[0]
        points = rows["severity"].map({"Major": 5.0, "Minor": 1.0})
        counted = rows[points.notna() & ~rows["category"].str.contains("Punctuation")]
        penalty = points[counted.index].sum() / rows["rater"].nunique()
        marks = np.zeros(len(text) + 1, dtype=bool)
        for target in counted["target"]:
            start, stop = target.find("<v>"), target.find("</v>") - 3
            if 0 <= start < stop and target.replace("<v>", "").replace("</v>", "") == text:
                marks[start:stop] = True
        spans = tuple(
            (w.start, w.end, bool(marks[w.start : w.end].any())) for w in words(text) if not w.is_punctuation
        )
        machine = 0.0 if rows["system"].iloc[0].lower().startswith("ref") else 1.0
        examples.append(Example(text, mqm_damage(float(penalty)), machine, -1, spans))
    return examples


def _marked(corpora: Path, language: str, rng: np.random.Generator) -> Source:
    examples = marked_segments(corpora, language, test=False)
    _need(len(examples), "labels/mqm_spans", language)
    return Source(len(examples), ((examples[i],) for i in _forever(len(examples), rng)))


_MISCUT = 0.12
"""Share of people's sentences that are cut in two or joined with another, as a segmenter may."""


def _miscut(text: str, other: str, rng: np.random.Generator) -> str:
    inner = [w.start for w in words(text)[2:-1] if not w.is_punctuation]
    if not inner or rng.random() < 0.2:
        return f"{text} {other}" if " " in text else text + other
    cut = int(rng.choice(inner))
    return text[:cut].rstrip() if rng.random() < 0.5 else text[cut:]


_HUMAN = ("native", "human_translation", "news_abc", "human_translation", "informal_ewt", "chat")
"""Tables in turn; translations twice: they are what a model most easily takes for a machine's."""
_WEB = "web75"
"""Noisy sentences of web pages: they stand for what is informal in a language that has nothing else."""


def _human(corpora: Path, language: str, rng: np.random.Generator) -> Source:
    """People's text of every kind there is, in the turns of `_HUMAN`: it must not fire."""
    apart = set_apart(corpora, language)["text"]
    kinds: dict[str, npt.NDArray[np.object_]] = {}
    for table in (*dict.fromkeys(_HUMAN), _WEB):
        if table == _WEB and len(kinds.get("informal_ewt", ())):
            break
        try:
            texts = read(corpora, f"human/{table}", ("text",), lang=language, split="train")["text"]
        except FileNotFoundError as error:
            log.warning("left out: %s", error)
            continue
        texts = texts[~texts.isin(apart)]
        kinds[table] = texts[(texts.str.len() >= 12) & (texts.str.len() < 500)].to_numpy()
    turns = [kinds[table] for table in (*_HUMAN, _WEB) if len(kinds.get(table, ()))]
    tables = [(texts, _forever(len(texts), rng)) for texts in turns]
    _need(len(tables), "human/", language)

    def units() -> Iterator[Unit]:
        for texts, order in itertools.cycle(tables):
            text, provenance = texts[next(order)], 0.0
            if rng.random() < _MISCUT:
                # not learnt as a person's: no machine's sentence is cut so
                text, provenance = _miscut(text, texts[next(order)], rng), math.nan
            yield (Example(text, 0.0, provenance, -1, _untouched(text)),)

    return Source(sum(map(len, turns)), units())


def _on_purpose(corpora: Path, language: str, rng: np.random.Generator) -> Source:
    """Native sentences and the same with one damage that sites leave and these corpora lack."""
    texts = read(corpora, "human/native", ("text",), lang=language, split="train")["text"].to_numpy()
    texts = texts[[len(_inner_words(t)) >= _FEWEST_INNER for t in texts]]
    _need(len(texts), "human/native", language)

    def units() -> Iterator[Unit]:
        for i in _forever(len(texts), rng):
            damaged, start, end = damage_on_purpose(texts[i], rng)
            if end:
                spans = tuple((s, e, start <= s < end) for s, e, _ in _untouched(damaged))
                yield (
                    Example(texts[i], 0.0, math.nan, -1, _untouched(texts[i])),
                    Example(damaged, 0.9, math.nan, -1, spans),
                )

    return Source(len(texts), units())


_MOST_HUMAN = 3000
"""Sentences of each table of people's text that pieces are replaced in."""
_DAMAGE_OF_ONE, _DAMAGE_OF_MORE = 0.4, 0.15
"""Damage of a sentence with one replaced piece, and of every further one: about what readers give."""


def _replaced(corpora: Path, pieces: Pieces, language: str, rng: np.random.Generator) -> Source:
    """People's sentences and the same with some pieces replaced (see `replaced`)."""
    tokenizer, vectors = pieces
    apart = set(set_apart(corpora, language)["text"])
    texts = human_text(corpora, language, "train", most=_MOST_HUMAN)
    texts = [t for t in texts if 30 <= len(t) < 300 and t not in apart]
    _need(len(texts), "people's text", language)
    others = stand_ins(tokenizer, vectors, texts)

    def units() -> Iterator[Unit]:
        for i in _forever(len(texts), rng):
            text, places = replace(texts[i], tokenizer, others, rng)
            if places:
                damage = min(1.0, _DAMAGE_OF_ONE + _DAMAGE_OF_MORE * (len(places) - 1))
                yield (
                    Example(texts[i], 0.0, math.nan, -1, _untouched(texts[i])),
                    Example(text, damage, math.nan, -1, marked_words(text, np.ravel(places).tolist())),
                )

    return Source(len(texts), units())


_FEWEST_INNER = 6


def _inner_words(text: str) -> list[Word]:
    return [w for w in words(text)[1:-1] if w.text.isalpha()]


def damage_on_purpose(text: str, rng: np.random.Generator) -> tuple[str, int, int]:
    """Damage one place: link words Capitalised, two words said twice, or four words shuffled.

    Returns:
        The text, and start and end of the damage; 0, 0 and the text itself where it is too short
        or the damage would not show.
    """
    inner = _inner_words(text)
    if len(inner) < _FEWEST_INNER:
        return text, 0, 0
    k = int(rng.integers(0, len(inner) - 4))
    way = rng.choice(["capitals", "twice", "shuffle"])
    if way == "capitals":
        run = inner[k : k + int(rng.integers(1, 4))]
        if not any(w.text[0].islower() for w in run):
            return text, 0, 0
        start, end = run[0].start, run[-1].end
        every = bool(rng.integers(0, 2))
        first = {w.start for w in (run if every else run[:1])}
        capital = "".join(c.upper() if i in first else c for i, c in enumerate(text))
        # a link may begin with a capital of its own, and "ŉ" has no single capital
        return (capital, start, end) if capital != text and len(capital) == len(text) else (text, 0, 0)
    space = " " if " " in text else ""
    if way == "twice":
        start, end = inner[k].start, inner[k + 1].end
        again = end + len(space)
        return text[:end] + space + text[start:], again, again + end - start
    run = inner[k : k + 4]
    order = [run[int(j)].text for j in rng.permutation(4)]
    shuffled = space.join(order)
    if order == [w.text for w in run]:
        return text, 0, 0
    start = run[0].start
    return text[:start] + shuffled + text[run[-1].end :], start, start + len(shuffled)
