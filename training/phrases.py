"""Mine the tables in ``detector/assets/phrases``: what machines write where people wrote otherwise.

``python -m training.phrases --corpora ../shared/corpora --languages en``

Round trips of ``train`` are aligned with their originals, and single hops with a person's
translation of the same source. A phrase of one to five words is kept where

- it stands changed in several originals, articles and engines, in none of them mostly;
- machines write it more often than people, both those who write the language and those who
  translate into it, by its log-odds under an informative Dirichlet prior;
- and that surely: native text is little, and what it lacks by chance is most of what seems rare.

Where several authors had put it the same way, that wording is suggested. The bar is high: of 7,356
English phrases that native text lacks and three originals support, readers of dev had marked 15 %
where they stood (of any words 12 %), and they stood in native news as often as in round trips.

Reference:
    Monroe, Colaresi and Quinn (2008), Fightin' Words, Political Analysis 16(4).
"""

from __future__ import annotations

import argparse
import gzip
import logging
import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import groupby
from pathlib import Path

import pandas as pd

from detector.alignment import Word, align, fold_form, words
from detector.heuristics.lexicon import UNSPACED, lexicon
from detector.heuristics.phrases import MAX_WORDS, SCIENCE, Phrase, runs

from .corpora import SEED, read, roundtrips

log = logging.getLogger(__name__)

ASSETS = Path(__file__).parents[1] / "detector" / "assets" / "phrases"
LANGUAGES = ("cs", "de", "en", "es", "fi", "fr", "it", "lv", "ro", "ru", "tr", "zh")
"""Those with round trips to learn from."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a phrase must reach; chosen on dev.

    Attributes:
        originals: In so many of them it stands changed.
        articles: They come from so many articles.
        article_share: At most this share of them is of one article.
        engines: So many engines wrote it.
        changed: Where it stands in machine text, people's had other words in this share.
        odds: Machines write it so many times as often as people.
        z: That many standard errors the log of these odds is above 0.
        prior: Words that the Dirichlet prior weighs as.
        wording_originals: In so many originals a wording stood in its place.
        wording_share: That is surely this share of all: the lower bound of one standard error.
    """

    originals: int = 4
    articles: int = 3
    article_share: float = 0.4
    engines: int = 2
    changed: float = 0.8
    odds: float = 4.5
    z: float = 1.2
    prior: int = 50_000
    wording_originals: int = 3
    wording_share: float = 0.1


_ROWS = {"newstest": 16, "flores": 40}
_HOPS = 3
_MAX_LETTERS = 400
_SAME_LETTERS = 0.8
_MOSTLY = 0.8
_CAPITAL_NOUNS = ("de",)
_MIN_UNSPACED = 2
_SCIENCE_SCORE = 0.7
_PLAIN = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Pair:
    """A machine's sentence beside a person's, aligned.

    Attributes:
        unit: The person's sentence; its pairs follow each other and count as one.
        article: What it was part of.
        pivot: Language that it was translated from.
        engine: Who translated.
        person: The original, or the person's translation.
        machine: The round trip, or the machine's.
        links: See `alignment.Alignment`.
        changed: See there.
    """

    unit: str
    article: str
    pivot: str
    engine: str
    person: str
    machine: str
    links: tuple[int, ...]
    changed: tuple[bool, ...]


@dataclass(slots=True)
class _Seen:
    """What is counted of a phrase over all pairs."""

    present: float = 0.0
    names: int = 0
    units: int = 0
    articles: Counter[str] = field(default_factory=Counter)
    engines: set[str] = field(default_factory=set)
    pivots: set[str] = field(default_factory=set)
    wordings: Counter[str] = field(default_factory=Counter)
    surfaces: dict[str, Counter[str]] = field(default_factory=dict)


def aligned(corpora: Path, language: str) -> list[Pair]:
    """Read the round trips and the single hops of ``train``, aligned, some of each person's sentence."""
    frames = [roundtrips(corpora, language, "train", per_original=_ROWS)]
    if (corpora / f"single_hop/{language}.parquet").is_file():
        columns = ("human_id", "source_lang", "engine", "origin", "year", "docid", "line", "human", "machine")
        hops = read(corpora, f"single_hop/{language}", columns, split="train")
        hops = hops[(hops["human"].str.len() < _MAX_LETTERS) & (hops["human"] != hops["machine"])]
        hops = hops.sample(frac=1, random_state=SEED)
        hops = hops[hops.groupby("human_id").cumcount() < _HOPS]
        names = {
            "human_id": "original_id",
            "source_lang": "pivot",
            "human": "original",
            "machine": "roundtrip",
        }
        frames.append(hops.rename(columns=names))
    frame = pd.concat(frames).sort_values("original_id", kind="stable")
    pairs = []
    for row in frame.itertuples():
        alignment = align(row.original, row.roundtrip, language)
        # FLORES names no articles; its lines follow each other in groups of three to five
        article = f"flores-{row.line // 5}" if row.origin == "flores" else f"{row.year}-{row.docid}"
        pairs.append(
            Pair(
                row.original_id, article, row.pivot, row.engine, row.original, row.roundtrip,
                alignment.links, alignment.changed,
            )
        )  # fmt: skip
    return pairs


def native_text(corpora: Path, language: str) -> list[str]:
    """Read what people wrote in the language itself: news, and the originals of ``train``."""
    tables = [("human/native", "text"), ("human/news_abc", "text"), (f"roundtrip/{language}", "original")]
    return _texts(corpora, language, tables)


def translated_text(corpora: Path, language: str) -> list[str]:
    """Read what people translated into the language, ``train``."""
    return _texts(
        corpora, language, [("human/human_translation", "text"), (f"single_hop/{language}", "human")]
    )


def _texts(corpora: Path, language: str, tables: Iterable[tuple[str, str]]) -> list[str]:
    known: dict[str, None] = {}
    for table, column in tables:
        if (corpora / f"{table}.parquet").is_file():
            known.update(dict.fromkeys(read(corpora, table, (column,), lang=language, split="train")[column]))
    return list(known)


def grams(found: Sequence[Word]) -> Iterator[tuple[int, int, str]]:
    """Give every phrase of a sentence: first word, one past the last, folded words."""
    forms = [fold_form(word.text) for word in found]
    for start, stop in runs(found):
        for i in range(start, stop):
            for j in range(i + 1, min(stop, i + MAX_WORDS) + 1):
                yield i, j, " ".join(forms[i:j])


def stood(person: Sequence[Word], links: Sequence[int], i: int, j: int) -> tuple[int, int] | None:
    """Give the characters of a person's sentence that stand for words ``i`` to ``j`` of a machine's.

    The phrase's outer words, or their neighbours outside, must have counterparts: inside a longer
    change nobody can say which part stands for which.

    Args:
        person: Words of the person's sentence.
        links: See `alignment.Alignment`.
        i: First word of the phrase.
        j: One past its last.
    """
    if links[i] >= 0:
        first = links[i]
    elif i == 0 or links[i - 1] >= 0:
        first = links[i - 1] + 1 if i else 0
    else:
        return None
    if links[j - 1] >= 0:
        last = links[j - 1] + 1
    elif j == len(links) or links[j] >= 0:
        last = links[j] if j < len(links) else len(person)
    else:
        return None
    return (person[first].start, person[last - 1].end) if first < last <= first + MAX_WORDS else None


def log_odds(
    machine: float, size: int, people: float, people_size: int, *, rate: float, prior: int
) -> tuple[float, float]:
    """Give the log of how many times as often machines write a phrase as people, and its standard error.

    Both counts are smoothed by a Dirichlet prior of ``prior`` words at ``rate``, the phrase's
    share of all text (Monroe, Colaresi and Quinn 2008).
    """
    a, b = machine + prior * rate, people + prior * rate
    ratio = math.log(a / (size + prior - a)) - math.log(b / (people_size + prior - b))
    return ratio, math.sqrt(1 / a + 1 / b)


def mine(
    pairs: Sequence[Pair], native: Sequence[str], translated: Sequence[str], language: str, bar: Bar
) -> dict[str, Phrase]:
    """Mine the phrases of a language.

    Args:
        pairs: Those of one unit follow each other.
        native: What people wrote in the language.
        translated: What people translated into it.
        language: ISO 639 code.
        bar: What a phrase must reach.

    Returns:
        Phrases by their folded words.
    """
    plain = _function_words(language)
    weights, size = _weights(pairs, bar.originals)
    people = [_count(texts, weights) for texts in (native, translated)]
    total = size + sum(n for _, n in people)
    odds: dict[str, float] = {}
    for phrase, weight in weights.items():
        rate = (weight + sum(counts[phrase] for counts, _ in people)) / total
        found = [
            log_odds(weight, size, counts[phrase], n, rate=rate, prior=bar.prior) for counts, n in people if n
        ]
        if all(d >= max(math.log(bar.odds), bar.z * error) for d, error in found) and not plain.issuperset(
            phrase.split(" ")
        ):
            odds[phrase] = math.exp(min(d for d, _ in found))
    phrases = {}
    for phrase, s in _seen(pairs, odds, language).items():
        if not _stands(s, weights[phrase], bar):
            continue
        common = [(w, n) for w, n in s.wordings.most_common() if n >= bar.wording_originals]
        if common and _is_form(phrase, common[0][0], plain):
            continue  # a region's spelling, or an ending that grammar asked for
        wordings = tuple(
            (s.surfaces[w].most_common(1)[0][0], n)
            for w, n in common
            if _at_least(n, s.units) >= bar.wording_share
            and not _is_part(phrase, w)
            and not _is_form(phrase, w, plain)
        )
        share = odds[phrase] / (1 + odds[phrase])
        phrases[phrase] = Phrase(s.units, len(s.engines), len(s.pivots), share, wordings[:3])
    return _whole(phrases)


def _at_least(hits: int, of: int) -> float:
    """Give the lower bound of a share at one standard error (Wilson 1927)."""
    share = hits / of
    return (share + 0.5 / of - math.sqrt(share * (1 - share) / of + 0.25 / of**2)) / (1 + 1 / of)


def _weights(pairs: Sequence[Pair], originals: int) -> tuple[dict[str, float], int]:
    """Count in how many units each phrase stands changed, each pair a part of its unit; and all words."""
    weights: defaultdict[str, float] = defaultdict(float)
    support: Counter[str] = Counter()
    size = 0.0
    for _, group in groupby(pairs, key=lambda pair: pair.unit):
        of_unit = list(group)
        changed: Counter[str] = Counter()
        for pair in of_unit:
            found = words(pair.machine)
            size += len(found) / len(of_unit)
            changed.update({p for i, j, p in grams(found) if any(pair.changed[i:j])})
        support.update(changed.keys())
        for phrase, n in changed.items():
            weights[phrase] += n / len(of_unit)
    return {p: weights[p] for p, n in support.items() if n >= originals}, round(size)


def _count(texts: Iterable[str], asked: Collection[str]) -> tuple[Counter[str], int]:
    """Count the texts that hold each phrase ``asked``, and all words."""
    counts: Counter[str] = Counter()
    size = 0
    for text in texts:
        found = words(text)
        size += len(found)
        counts.update({p for _, _, p in grams(found) if p in asked})
    return counts, size


def _seen(pairs: Sequence[Pair], asked: Collection[str], language: str) -> dict[str, _Seen]:
    seen = {phrase: _Seen() for phrase in asked}
    for _, group in groupby(pairs, key=lambda pair: pair.unit):
        of_unit = list(group)
        changed: set[str] = set()
        wordings: set[tuple[str, str, str]] = set()
        for pair in of_unit:
            found, person = words(pair.machine), words(pair.person)
            present = [(i, j, p) for i, j, p in grams(found) if p in seen]
            for phrase in {p for _, _, p in present}:
                seen[phrase].present += 1 / len(of_unit)
            for i, j, phrase in present:
                if not any(pair.changed[i:j]):
                    continue
                s = seen[phrase]
                s.engines.add(pair.engine)
                s.pivots.add(pair.pivot)
                if phrase not in changed:
                    capitals = any(w.text[0].isupper() for w in found[max(i, 1) : j])
                    s.names += capitals and language not in _CAPITAL_NOUNS
                changed.add(phrase)
                if (span := stood(person, pair.links, i, j)) and _PLAIN.fullmatch(
                    surface := pair.person[slice(*span)]
                ):
                    # the capital of a sentence's start is not the wording's own
                    surface = surface[0].lower() + surface[1:] if span[0] == 0 else surface
                    if surface != surface.lower() and language not in _CAPITAL_NOUNS:
                        continue  # a name is right in its own article only
                    wordings.add((phrase, " ".join(fold_form(w.text) for w in words(surface)), surface))
        for phrase in changed:
            seen[phrase].units += 1
            seen[phrase].articles[of_unit[0].article] += 1
        for phrase, wording in {(p, w) for p, w, _ in wordings}:
            seen[phrase].wordings[wording] += 1
        for phrase, wording, surface in wordings:
            seen[phrase].surfaces.setdefault(wording, Counter())[surface] += 1
    return seen


def _stands(seen: _Seen, weight: float, bar: Bar) -> bool:
    """Tell whether a phrase is neither a topic's, nor a name, nor mostly the author's own."""
    return (
        len(seen.articles) >= bar.articles
        and max(seen.articles.values()) <= bar.article_share * seen.units
        and len(seen.engines) >= bar.engines
        and seen.names < 0.3 * seen.units
        and weight >= bar.changed * seen.present
    )


def _function_words(language: str) -> frozenset[str]:
    known = lexicon(language)
    return frozenset(known.function_words) if known else frozenset()


def _is_form(phrase: str, wording: str, plain: Collection[str]) -> bool:
    """Tell whether a wording is the phrase in another spelling, ending or order of its content words."""
    if re.fullmatch(f"[{UNSPACED}]+", phrase.replace(" ", "")):
        return phrase.count(" ") + 1 < _MIN_UNSPACED
    both = [p.split(" ") for p in (phrase, wording)]
    content = [sorted(w for w in side if w not in plain and "'" not in w) for side in both]
    return any(
        SequenceMatcher(None, "".join(a), "".join(b), autojunk=False).ratio() >= _SAME_LETTERS
        for a, b in (content, both)
    )


def _is_part(phrase: str, wording: str) -> bool:
    """Tell whether a wording is what is left of the phrase without some words, or hardly more."""
    more = Counter(wording.split(" ")) - Counter(phrase.split(" "))
    return not more or wording in phrase or phrase in wording


def _whole(phrases: Mapping[str, Phrase]) -> dict[str, Phrase]:
    """Leave out phrases that hardly ever stand outside one longer phrase."""
    parts = {
        " ".join(spoken[i:j])
        for phrase, known in phrases.items()
        for spoken in [phrase.split(" ")]
        for i in range(len(spoken))
        for j in range(i + 1, len(spoken) + 1)
        if j - i < len(spoken)
        and (part := phrases.get(" ".join(spoken[i:j])))
        and known.stood >= _MOSTLY * part.stood
    }
    return {phrase: known for phrase, known in phrases.items() if phrase not in parts}


def science(corpora: Path, people: Sequence[str]) -> dict[str, Phrase]:
    """Read the scientific list: phrases of two words and more that nobody in ``people`` writes.

    What begins or ends in a function word is a stretch of a sentence and no term.
    """
    columns = ("tortured", "correct", "requires", "bad_correct")
    frame = read(corpora, "labels/tortured_phrases", columns)
    found: dict[str, Phrase] = {}
    plain = _function_words("en")
    for row in frame.itertuples():
        spoken = words(row.tortured)
        whole = len(spoken) > 1 and list(runs(spoken)) == [(0, len(spoken))] and len(spoken) <= MAX_WORDS
        if whole and not row.requires and not row.bad_correct and _PLAIN.fullmatch(row.correct):
            forms = [fold_form(w.text) for w in spoken]
            if plain.isdisjoint((forms[0], forms[-1])):
                found.setdefault(" ".join(forms), Phrase(0, 0, 0, _SCIENCE_SCORE, ((row.correct, 0),)))
    ordinary, _ = _count(people, found)
    return {phrase: known for phrase, known in found.items() if not ordinary[phrase]}


def rows(phrases: Mapping[str, Phrase]) -> str:
    """Write a table as `detector.heuristics.phrases.parse` reads it, sorted."""
    lines = []
    for phrase, known in sorted(phrases.items()):
        stood_in = str(known.stood) if known.stood else SCIENCE
        wordings = [str(part) for pair in known.wordings for part in pair]
        counts = (stood_in, str(known.engines), str(known.pivots), str(round(100 * known.score)))
        lines.append("\t".join((phrase, *counts, *wordings)))
    return "".join(line + "\n" for line in lines)


def main() -> None:
    """Mine and write the table of every language."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--languages", default=",".join(LANGUAGES), help="ISO 639 codes, with commas between")
    parser.add_argument("--out", type=Path, default=ASSETS, help="folder the tables go to")
    parser.add_argument(
        "--science-only",
        action="store_true",
        help="English only: the scientific list alone, which is what ships: readers of dev and test marked\n"
        "hardly any place where a mined phrase stands (make evaluate-phrases)",
    )
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    args.out.mkdir(parents=True, exist_ok=True)
    for language in args.languages.split(","):
        try:
            pairs = [] if args.science_only else aligned(args.corpora, language)
            native, translated = native_text(args.corpora, language), translated_text(args.corpora, language)
            phrases = mine(pairs, native, translated, language, Bar()) if pairs else {}
            mined = len(phrases)
            if language == "en":
                phrases = science(args.corpora, [*native, *translated, *_informal(args.corpora)]) | phrases
        except FileNotFoundError as error:
            parser.error(str(error))
        if not phrases:
            log.info("%s: nothing reaches the bar, no table", language)
            continue
        packed = gzip.compress(rows(phrases).encode(), mtime=0)
        (args.out / f"{language}.tsv.gz").write_bytes(packed)
        log.info(
            "%s: %d pairs, %d phrases mined, %d in all, %d bytes",
            language,
            len(pairs),
            mined,
            len(phrases),
            len(packed),
        )


def _informal(corpora: Path) -> list[str]:
    return _texts(corpora, "en", [(f"human/{table}", "text") for table in ("informal_ewt", "chat", "web75")])


if __name__ == "__main__":
    main()
