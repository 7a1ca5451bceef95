"""Learn what a span is from what round trips made of their originals: `python -m training.kinds`.

Nobody labels kinds: what a changed word replaced tells its kind (`word_kinds`), on ``train``.
"""

from __future__ import annotations

import argparse
import logging
import warnings
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from detector.alignment import Alignment, Word, align, words
from detector.heads import read_heads
from detector.heuristics.lexicon import lexicon
from detector.kinds import BUCKETS, CLASSES, FILE, Kinds, buckets
from detector.language import script_of
from detector.report import Kind

from .ngrams import pairs, some_of_each

log = logging.getLogger(__name__)

MOST = 9_000
PER_ORIGINAL = 4
# of .1 and 1 the better on dev
_STRENGTH = 0.1

_FUNCTION_WORDS = {
    "en": frozenset(
        """
        a an the this that these those some any each every no all both either neither such another other
        i you he she it we they me him her us them my your his its our their mine yours hers ours theirs
        myself yourself himself herself itself ourselves themselves one who whom whose which what there
        of to in for on with at by from as into about after over under between through during before
        against without within among around behind beyond near since until upon across along toward towards
        despite per via up down out off onto than like
        and or but nor so yet if because although though while whereas when where why how whether unless
        is are was were be been being am has have had having do does did done will would shall should can
        could may might must not n't also too very just only even then thus hence therefore however here
        more most much many few less least own same
        """.split()
    )
}
_COMMONEST = 40
"""So many of the commonest words of a language without a list are taken for its function words."""
_FORMS_OF_ONE = (
    frozenset("is are was were be been being am".split()),
    frozenset("has have had having".split()),
    frozenset("do does did done doing".split()),
    frozenset("a an the".split()),
)
"""English forms that bend without a common stem, and the articles."""
_NUMBER_WORDS = {
    "en": frozenset(
        """
        two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
        eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds thousand
        thousands million millions billion billions trillion dozen dozens half third quarter first second
        double triple twice once percent
        """.split()
    )
}
_ROUNDS = 60
_SHORTEST_STEM = 4


def word_kinds(original: str, roundtrip: str, language: str, pivot: str = "") -> tuple[Kind | None, ...]:
    """Tell what became of each word of a round trip, by what it replaced; None where nothing has.

    A changed word is held against the original's words that are lost between the same neighbours. A
    word that moved is `syntax`; a changed mark is `punctuation`; a word that differs by a capital alone
    is `casing`, but not where a sentence begins.

    Args:
        original: The author's sentence.
        roundtrip: What came back.
        language: BCP 47 tag.
        pivot: The language it went through.

    Returns:
        One for each of ``align(...).roundtrip``.

    Example:
        >>> word_kinds("He wanted lethal aid on Monday.", "He wants assisted dying in Monday.", "en")
        (None, 'agreement', 'term', 'term', 'syntax', None, None)
    """
    pair = _Pair(align(original, roundtrip, language), language, pivot)
    return tuple(pair.kind(j) for j in range(len(pair.alignment.roundtrip)))


@dataclass(frozen=True, slots=True)
class _Pair:
    alignment: Alignment
    language: str
    pivot: str

    def kind(self, j: int) -> Kind | None:
        word, link = self.alignment.roundtrip[j], self.alignment.links[j]
        if link >= 0:
            return self._linked(j, self.alignment.original[link])
        if word.is_punctuation:
            return "punctuation"
        lost = self._replaced(j)
        if self._is_foreign(word):
            return "untranslated"
        if _is_number(word, self.language) and (
            word.text[0].isdigit() or any(_is_number(w, self.language) for w in lost)
        ):
            return "number"
        if self._is_repeated(j):
            return "repetition"
        if self._is_name(word, self.alignment.roundtrip) and any(
            self._is_name(w, self.alignment.original) for w in lost
        ):
            return "name"
        if any(_is_bent(w.text, word.text, self.language) for w in lost):
            return "agreement"
        return "syntax" if is_function_word(word.text, self.language) else "term"

    def _linked(self, j: int, counterpart: Word) -> Kind | None:
        word, moved = self.alignment.roundtrip[j], self.alignment.moved[j]
        if self.alignment.inflected[j]:
            return "syntax" if moved else "agreement"
        begins = _begins(word, self.alignment.roundtrip) or _begins(counterpart, self.alignment.original)
        if not word.is_punctuation and not begins and _case(word.text) != _case(counterpart.text):
            return "casing"
        return "syntax" if moved else None

    def _replaced(self, j: int) -> list[Word]:
        """Give the words of the original that are lost between the same neighbours."""
        links, moved = self.alignment.links, self.alignment.moved
        still = [k for k, link in enumerate(links) if link >= 0 and not moved[k]]
        before = max((links[k] for k in still if k < j), default=-1)
        after = min((links[k] for k in still if k > j), default=len(self.alignment.original))
        return [self.alignment.original[i] for i in self.alignment.lost if before < i < after]

    def _is_foreign(self, word: Word) -> bool:
        """Whether a word is of another script than its sentence, or a word of the pivot alone."""
        scripts = [script_of(w.text) for w in self.alignment.original if not w.is_punctuation]
        script = script_of(word.text)
        if script and scripts and script not in scripts:
            return True
        own, other = lexicon(self.language), lexicon(self.pivot)
        if not own or not other or not word.text.islower():
            return False
        return not own[word.text].total and other[word.text].small >= 20

    def _is_repeated(self, j: int) -> bool:
        """Whether a word stands in a run of words said twice on end, which the original says once."""
        forms = [w.text.casefold() for w in self.alignment.roundtrip]
        said = " ".join(w.text.casefold() for w in self.alignment.original)
        for length in range(1, 5):
            for start in range(max(0, j - length + 1), j + 1):
                run = forms[start : start + length]
                again = run in (forms[start - length : start], forms[start + length : start + 2 * length])
                if again and j < start + length and " ".join([*run, *run]) not in said:
                    return True
        return False

    def _is_name(self, word: Word, sentence: Sequence[Word]) -> bool:
        """Whether a word is written as a name; where nouns are, only one that native text hardly has."""
        if not word.text[0].isupper() or is_function_word(word.text, self.language):
            return False
        table = lexicon(self.language)
        if self.language == "de":
            return table is not None and not table[word.text].total
        return not _begins(word, sentence) or (table is not None and table.capital_rate(word.text) > 0.5)


_INSIDE = frozenset(",;-–/'’(")


def _begins(word: Word, sentence: Sequence[Word]) -> bool:
    """Whether a word stands first, or after a mark that may end or begin a sentence."""
    i = bisect_left(sentence, word.start, key=lambda w: w.start)
    return i == 0 or (sentence[i - 1].is_punctuation and sentence[i - 1].text not in _INSIDE)


def is_function_word(word: str, language: str) -> bool:
    """Whether a word holds a sentence together: of a closed list, or among the commonest of its language."""
    form = word.casefold().replace("’", "'")
    known = _function_words(language)
    return form in known or form.split("'")[0] in known or form.removesuffix("n't") in known


@cache
def _function_words(language: str) -> frozenset[str]:
    table = lexicon(language)
    common = table.function_words[:_COMMONEST] if table else ()
    return _FUNCTION_WORDS.get(language, frozenset(common))


def _is_number(word: Word, language: str) -> bool:
    form = word.text.casefold()
    return form[0].isdigit() or form in _NUMBER_WORDS.get(language, ())


def _is_bent(a: str, b: str, language: str) -> bool:
    """Whether two words are forms of one: all but the ends alike, or by a list."""
    a, b = a.casefold(), b.casefold()
    if language == "en":
        return any(a in forms and b in forms for forms in _FORMS_OF_ONE)
    same = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return same >= max(_SHORTEST_STEM, 2 * max(len(a), len(b)) / 3)


def _case(word: str) -> tuple[bool, ...]:
    return tuple(c.isupper() for c in word if c.isalpha())


def fit(frame: pd.DataFrame, language: str) -> Kinds:
    """Learn what became of a word from round trips beside their originals, and from these alone.

    Every pair teaches two sentences: the words of the round trip with their kinds, and those of the
    original, to which nothing has happened.

    Args:
        frame: Columns original, roundtrip and pivot.
        language: BCP 47 tag.
    """
    rows: list[npt.NDArray[np.int32]] = []
    label: list[int] = []
    for original, roundtrip, pivot in zip(frame["original"], frame["roundtrip"], frame["pivot"], strict=True):
        own, other = words(original), words(roundtrip)
        told = word_kinds(original, roundtrip, language, pivot)
        for sentence, kinds in ((own, [None] * len(own)), (other, told)):
            spoken = [i for i, word in enumerate(sentence) if not word.is_punctuation]
            rows.append(np.array(list(buckets(sentence, language)), dtype=np.int32)[spoken])
            label += [CLASSES.index(kinds[i]) for i in spoken]
    hashed = np.concatenate([r for r in rows if r.size])
    starts = np.arange(0, hashed.size + 1, hashed.shape[1])
    ones = np.ones(hashed.size, dtype=np.float32)
    x = csr_matrix((ones, hashed.ravel(), starts), shape=(len(hashed), BUCKETS))
    model: Any = LogisticRegression(C=_STRENGTH, max_iter=_ROUNDS, tol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # after so many rounds dev gains no more
        model.fit(x, label)
    weights, bias = np.zeros((BUCKETS, len(CLASSES))), np.full(len(CLASSES), -20.0)
    weights[:, model.classes_] = model.coef_.T
    bias[model.classes_] = model.intercept_
    scale = float(np.abs(weights).max()) / 127 or 1.0
    return Kinds(language, np.rint(weights / scale).astype(np.int8), scale, bias)


def main() -> None:
    """Write ``kinds.npz`` into the folder of a model."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--gold", type=Path, default=Path("runs/gold"))
    parser.add_argument("--output", type=Path, default=Path("runs/default"), help="folder with heads.json")
    parser.add_argument("--languages", help="BCP 47 tags with commas between them; the model's by default")
    parser.add_argument("--most", type=int, default=MOST, help="pairs of a language that are learnt from")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    arrays: dict[str, npt.NDArray[Any]] = {}
    languages = args.languages.split(",") if args.languages else read_heads(args.output).languages
    for language in languages:
        frame, claim = pairs(args.corpora, args.gold, language)
        if claim != "round_trip":
            log.warning("%s: train holds no round trips to learn kinds from", language)
            continue
        some = some_of_each(frame[frame["changed"] > 0], PER_ORIGINAL).head(args.most)
        found = fit(some, language)
        arrays |= {language: found.weights, f"{language}.scale": np.array([found.scale, *found.bias])}
        log.info("%s: %d pairs, %d weights used", language, len(some), np.count_nonzero(found.weights))
    np.savez_compressed(args.output / FILE, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main()
