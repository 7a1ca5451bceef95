"""Harmless changes of the wording's surface: by how much do they move the figures?

Nobody's text is more laundered for being typed in capitals or for a typo. What is measured on the
very same sentences before and after a change should not move.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from detector.fuse import Fusion
from training.corpora import SEED
from training.examine import runs

from .figures import Scored, Section, people, probability, separate, share
from .metrics import Rows
from .texts import honest

Change = Callable[[pd.DataFrame], pd.DataFrame]

AS_WRITTEN = "as written"
POINTS = ("fpr_5e-2", "fpr_1e-2")
_ASCII = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‘’‚‛‹›′", "'"),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        "…": "...",
        "\u00a0": " ",
        "\u202f": " ",
    }
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_LEAST_BYTES_TO_SPLIT = 60
"""Halves of shorter sentences are ones that the detector abstains on."""


def ascii_marks(text: str) -> str:
    r"""Write quotes, dashes, dots and spaces as a plain keyboard does.

    Example:
        >>> ascii_marks("“It’s late” – 5 km…")
        '"It\'s late" - 5 km...'
    """
    return text.translate(_ASCII)


def double_spaces(text: str) -> str:
    """Double every third space; spaces around a sentence are no part of it.

    Example:
        >>> double_spaces("The old mill had burned down twice.")
        'The old mill  had burned down  twice.'
    """
    words = text.split(" ")
    gaps = (" " if k % 3 else "  " for k in range(1, len(words)))
    return "".join([words[0], *(part for pair in zip(gaps, words[1:], strict=True) for part in pair)])


def slip(text: str) -> str:
    """Swap two neighbouring letters inside one word of four letters or more, the same ones every time.

    A text without two such letters that differ stays as it is.

    Example:
        >>> slip("The old mill had burned.")
        'The old mill had bunred.'
    """
    places = [
        i
        for word in _WORD.finditer(text)
        for i in range(word.start() + 1, word.end() - 2)
        if text[i].lower() != text[i + 1].lower()
    ]
    if not places:
        return text
    i = places[zlib.crc32(text.encode("utf-8", "replace")) % len(places)]
    return text[:i] + text[i + 1] + text[i] + text[i + 2 :]


def halves(text: str) -> tuple[str, ...]:
    """Cut a sentence in two at the space nearest to its middle, or in its middle where it has none.

    A sentence of fewer than 60 bytes in UTF-8 stays whole.

    Example:
        >>> halves("The council of the old town voted for a smaller budget on Monday.")
        ('The council of the old town voted', 'for a smaller budget on Monday.')
    """
    if len(text.encode("utf-8", "replace")) < _LEAST_BYTES_TO_SPLIT:
        return (text,)
    middle = len(text) // 2
    at = min((m.start() for m in re.finditer(" ", text)), key=lambda i: abs(i - middle), default=middle)
    return text[:at].rstrip(), text[at:].lstrip()


def split(frame: pd.DataFrame) -> pd.DataFrame:
    """Cut every sentence in two; a half may hold none of the damage that its row states."""
    some = frame.assign(text=[halves(t) for t in frame["text"]]).explode("text")
    second = some.index.duplicated()
    return some.assign(line=some["line"] + 0.5 * second).reset_index(drop=True)


def join(frame: pd.DataFrame) -> pd.DataFrame:
    """Make one sentence of every two that follow each other, as damaged as the worse of them."""
    first, second = (frame.iloc[rows].reset_index(drop=True) for rows in _pairs(frame).T)
    # half the line: what stood one pair apart must still read as neighbours
    joined = first.assign(text=first["text"] + " " + second["text"], line=first["line"] / 2)
    if "damage" in joined:
        joined["damage"] = np.fmax(first["damage"], second["damage"])
    return joined


def _each(change: Callable[[str], str]) -> Change:
    return lambda frame: frame.assign(text=frame["text"].map(change))


CHANGES: dict[str, tuple[Change, int]] = {
    "lower-cased": (_each(str.lower), 10),
    "upper-cased": (_each(str.upper), 10),
    "plain quotes and dashes": (_each(ascii_marks), 10),
    "doubled spaces": (_each(double_spaces), 10),
    "one typo a sentence": (_each(slip), 10),
    "joined with the neighbour": (join, 5),
    "split in the middle": (split, 20),
}
"""Each change of a frame of sentences, and how many of its sentences were ten before."""


def robustness(
    roundtrips: Scored,
    humans: Mapping[str, Scored],
    score: Callable[[pd.DataFrame], Scored],
    texts: Callable[[pd.DataFrame, int, Sequence[int]], pd.DataFrame],
    fusion: Fusion,
    *,
    most: int,
    resamples: int,
) -> Section:
    """Change sentences harmlessly, score them again, and take the same figures as before.

    Every row is taken from the same articles: those sentences that have a neighbour. Errors are those
    that readers marked in the sentences as written; a typo is a real slip, which a reader marks too,
    but no trace of a translator.

    Args:
        roundtrips: With a column ``damage``.
        humans: By kind, ``originals`` among them.
        score: Scores a frame of `samples`, as `Judge.score` does.
        texts: Builds and scores texts, at most so many of one length, as `Judge.texts` does.
        fusion: Operating points.
        most: At most so many sentences of one kind, whole articles.
        resamples: Draws of a bootstrap.

    Returns:
        For each change what tells errors, and texts of ten, from people's; and for
        each kind of people's text and change the shares flagged at the stored points.
    """
    trips = _some(roundtrips, most)
    written = {kind: found for kind, scored in humans.items() if len((found := _some(scored, most)).frame)}
    if trips.frame.empty or "originals" not in written:
        return {}
    read = _with_errors(roundtrips, most)
    separated: Section = {}
    flagged: Section = {}
    for name, (change, ten) in {AS_WRITTEN: (None, 10), **CHANGES}.items():

        def again(scored: Scored, change: Change | None = change) -> Scored:
            return scored if change is None or scored.frame.empty else score(change(scored.frame))

        laundered, marked = again(trips).frame, again(read).frame
        human = {kind: again(scored) for kind, scored in written.items()}
        human_texts = {kind: texts(scored.frame, most, [ten]) for kind, scored in human.items()}
        separated[f"an error or worse, {name}"] = separate(
            marked[marked["damage"] >= 0.5], people(human)["human text"], "fused", resamples=resamples
        )
        separated[f"texts of 10, {name}"] = separate(
            texts(laundered, most, [ten]),
            honest(human_texts),
            "fused",
            cluster="document",
            resamples=resamples,
        )
        for kind, scored in human.items():
            row = flagged[f"{kind.replace('_', ' ')}, {name}"] = {}
            for point_name in POINTS:
                point, of_texts = fusion.operating_points[point_name], human_texts[kind]
                for which, frame, threshold, groups in (
                    ("sentences", scored.frame, point.sentence, "cluster"),
                    ("texts of 10", of_texts, point.text, "document"),
                ):
                    if threshold is not None:
                        flags = probability(frame["fused"].to_numpy(float)) >= threshold
                        row[f"{which} {point_name}"] = share(flags, frame[groups].to_numpy(), resamples)
    by_kind = sorted(flagged, key=lambda row: row.split(",")[0])  # stable: changes keep their order
    return {**separated, **{row: flagged[row] for row in by_kind}}


def _some(scored: Scored, most: int) -> Scored:
    """Draw whole articles until there are ``most`` sentences, and keep those that have a neighbour."""
    pairs = _pairs(scored.frame)
    document = scored.frame["document"].to_numpy()[pairs[:, 0]]
    size = pd.Series(document).value_counts(sort=False).sort_index()
    size = 2 * size.iloc[np.random.default_rng(SEED).permutation(len(size))]
    drawn = set(size.index[size.cumsum() - size < most])
    kept = np.sort(pairs[[d in drawn for d in document]].ravel())
    return Scored(scored.frame.iloc[kept].reset_index(drop=True), tuple(scored.logits[i] for i in kept))


def _with_errors(scored: Scored, most: int) -> Scored:
    """Keep sentences in which a reader marked an error, and a neighbour of each."""
    pairs = _pairs(scored.frame)
    error = (scored.frame["damage"] >= 0.5).to_numpy()
    kept = np.sort(pairs[error[pairs].any(1)][: most // 2].ravel())
    return Scored(scored.frame.iloc[kept].reset_index(drop=True), tuple(scored.logits[i] for i in kept))


def _pairs(frame: pd.DataFrame) -> Rows:
    """Give rows of neighbouring sentences, none used twice. Shape (pairs, 2)."""
    article = frame["article"].to_numpy()
    found = [pair for pair in runs(frame, ["article"], 2) if article[pair[0]]]
    return np.array(found, dtype=np.int64).reshape(-1, 2)
