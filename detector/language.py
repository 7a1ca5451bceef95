"""Which language a text is in, or that it cannot be told.

Scripts that one language mostly owns decide by themselves; for the others langdetect is asked,
on chunks long enough for it to be right, and the chunks vote with their letters. To the languages
it knows we add some that it takes for a neighbour: Irish for English, Mongolian for Russian.

Reference:
    Shuyo (2010), Language Detection Library for Java; langdetect is its port.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from .report import Sentence

_OWNERS = {
    "ARMENIAN": "hy", "BENGALI": "bn", "ETHIOPIC": "am", "GEORGIAN": "ka", "GREEK": "el", "GUJARATI": "gu",
    "GURMUKHI": "pa", "HANGUL": "ko", "HEBREW": "he", "HIRAGANA": "ja", "KANNADA": "kn", "KATAKANA": "ja",
    "KHMER": "km", "LAO": "lo", "MALAYALAM": "ml", "MYANMAR": "my", "SINHALA": "si", "TAMIL": "ta",
    "TELUGU": "te", "THAI": "th", "TIBETAN": "bo",
}  # fmt: skip
"""First word of a letter's Unicode name -> the language that nearly always goes with it."""

_SHARED = {
    "ARABIC": "ar ckb fa ps sd ug ur",
    "CJK": "ja ko zh",
    "CYRILLIC": "be bg kk ky mk mn ru sah sr tg tt uk",
    "DEVANAGARI": "hi mr ne sa",
}
"""Scripts that langdetect tells apart, with the languages written in them; the rest is Latin."""

_CLOSE = (
    "da nb nn no sv", "bs hr sl sr", "cs sk", "ca es gl pt", "id ms", "bg mk sr", "be uk", "az tr",
    "hi mr ne", "af nl", "st tn", "xh zu", "ja zh",
)  # fmt: skip
"""Languages that short stretches are taken for one another in: never a sign of mixing."""

_SYLLABLES = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff가-힣\U00020000-\U0003ffff]")
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8})*")
_RENAMED = {"iw": "he", "in": "id", "ji": "yi", "mo": "ro", "no": "nb"}
"""Old tags, and Norwegian, which is written as Bokmål wherever it is not said to be Nynorsk."""

_PROFILES = "profiles-1"
"""Name and version of the profiles in ``assets/langdetect``; raise it when one changes."""

_CHUNK_LETTERS = 80
"""Of web sentences of 80 letters (``dev``, 73 languages) 98.9 % are named rightly; of those of
30 to 40 in Latin script 91.9 %."""
_MAX_CHUNKS = 50
_MAX_PIECE = 1_000  # characters; a longer sentence is looked at in pieces
_MIXED = 0.25
"""Share of a second language above which a text is mixed: of 4,307 monolingual dev texts of ten
sentences (66 languages; news, web and FLORES, the web text in four orders) none is."""


@dataclass(frozen=True, slots=True)
class LanguageVote:
    """What language a text is in.

    Attributes:
        language: Primary BCP 47 subtag such as ``"en"`` or ``"zh"``. None where the verdict
            is ``too_short``, and where the letters belong to no language that is known here.
        verdict: None, or why the vote does not count. With ``mixed_language``, ``language``
            still names the one with the most letters.
        share: Share of the letters, weighed by probability, that speak for the winner, from
            0.0 to 1.0; 0.0 without a language.
    """

    language: str | None
    verdict: Literal["too_short", "mixed_language"] | None
    share: float


def identify(sentences: Sequence[Sentence], *, min_letters: int = 40) -> LanguageVote:
    """Name the language of a text by a vote of its sentences.

    The same sentences always give the same vote, and nobody else's langdetect is touched. Of a
    long text 50 chunks are looked at, evenly spread, so that its length costs little.

    Args:
        sentences: Sentences of one text, in order.
        min_letters: Letters below which the text is called ``too_short``; an ideograph, kana or
            Hangul syllable counts as three. At 40 to 60 letters 95.5 % of web sentences in
            Latin script are named rightly and 99.3 % of English ones; at 20 to 30, 91 % of both.
    """
    chunks = list(_chunks(sentences))
    if sum(letters for _, letters in chunks) < min_letters:
        return LanguageVote(None, "too_short", 0.0)
    step = max(1.0, len(chunks) / _MAX_CHUNKS)
    chunks = [chunks[int(i * step)] for i in range(min(len(chunks), _MAX_CHUNKS))]
    total = sum(letters for _, letters in chunks)
    votes: dict[str, float] = {}
    for text, letters in chunks:
        for language, probability in _probabilities(text).items():
            votes[language] = votes.get(language, 0.0) + letters / total * probability
    if not votes:
        return LanguageVote(None, None, 0.0)
    winner = max(votes, key=votes.__getitem__)
    rival = max((share for language, share in votes.items() if not are_close(winner, language)), default=0.0)
    if rival <= _MIXED:
        return LanguageVote(winner, None, min(1.0, votes[winner]))
    if len(chunks) == 1:  # one doubtful chunk is no mixture
        return LanguageVote(None, "too_short", 0.0)
    return LanguageVote(winner, "mixed_language", min(1.0, votes[winner]))


def differs(sentence: Sentence, language: str) -> bool:
    """Tell whether a sentence is clearly in another language than its text.

    Says True only for 20 letters or more in a script the language is not written in, or 100
    or more that langdetect gives, surer than .99, to a language not easily confused with it.

    Args:
        sentence: The sentence; its first 1,000 characters are looked at.
        language: BCP 47 tag of the text.
    """
    text, expected = sentence.text[:_MAX_PIECE], normalise_tag(language)
    letters = count_letters(text)
    script, share = _script(text)
    if letters < 20 or script is None:
        return False
    if share > 0.9 and not _written_in(expected, script):
        return True
    if letters < 100 or not _known(expected):
        return False
    found, probability = max(_probabilities(text).items(), key=lambda item: item[1], default=(expected, 0.0))
    return probability > 0.99 and not are_close(found, expected)


def normalise_tag(tag: str) -> str:
    """Give the primary subtag of a BCP 47 tag, in small letters.

    Raises:
        TypeError: If the tag is not a str.
        ValueError: If it is not a tag, such as ``"english"`` or ``""``.

    Example:
        >>> normalise_tag("EN_us")
        'en'
    """
    if not isinstance(tag, str):
        raise TypeError(f"expected a language tag as str, got {type(tag).__name__}")
    match = _TAG.fullmatch(tag.strip())
    if match is None or match[1].lower() == "und":
        raise ValueError(f"expected a BCP 47 language tag such as 'en' or 'zh-Hant', got {tag!r}")
    primary = match[1].lower()
    return _RENAMED.get(primary, primary)


def script_of(text: str) -> str:
    """Name the script most letters of a text are in, as Unicode does, such as ``"LATIN"``; "" without any.

    Example:
        >>> script_of("Привет, Ann"), script_of("ひらがなと漢字")
        ('CYRILLIC', 'HIRAGANA')
    """
    return _script(text)[0] or ""


@lru_cache(maxsize=1)
def identifier_name() -> str:
    """Name the identifier and its version for the signature, such as ``"langdetect-1.0.9+profiles-1"``."""
    return f"langdetect-{version('langdetect')}+{_PROFILES}"


def _chunks(sentences: Sequence[Sentence]) -> Iterator[tuple[str, int]]:
    """Yield neighbouring sentences joined to _CHUNK_LETTERS or more, with their letters."""
    pieces = [s.text[i : i + _MAX_PIECE] for s in sentences for i in range(0, len(s.text), _MAX_PIECE)]
    reach = 20  # sentences from which one chunk can surely be made
    runs = [pieces]
    if len(pieces) > reach * _MAX_CHUNKS:
        runs = [pieces[k * len(pieces) // _MAX_CHUNKS :][:reach] for k in range(_MAX_CHUNKS)]
    for run in runs:
        yield from islice(_join(run), None if len(runs) == 1 else 1)


def _join(pieces: Sequence[str]) -> Iterator[tuple[str, int]]:
    chunk: list[str] = []
    letters = 0
    for piece in pieces:
        chunk.append(piece)
        letters += count_letters(piece)
        if letters >= _CHUNK_LETTERS:
            yield " ".join(chunk), letters
            chunk, letters = [], 0
    if letters:
        yield " ".join(chunk), letters


def count_letters(text: str) -> int:
    """Count letters, an ideograph, kana or Hangul syllable as three."""
    return sum(map(str.isalpha, text)) + 2 * len(_SYLLABLES.findall(text))


def _probabilities(text: str) -> dict[str, float]:
    """Give languages and their probabilities above .1; none where nothing is known."""
    script, _ = _script(text)
    if script is None:
        return {}
    if script in _OWNERS:
        return {_OWNERS[script]: 1.0}
    if script == "CJK":
        return {"zh": 1.0}
    if script != "LATIN" and script not in _SHARED:
        return {}
    from langdetect.lang_detect_exception import LangDetectException

    detector = _factory().create()
    detector.append(text.lower() if text.isupper() else text)  # it skips words in capitals
    try:
        return {normalise_tag(found.lang): found.prob for found in detector.get_probabilities()}
    except LangDetectException:  # no n-gram it knows
        return {}


def _script(text: str) -> tuple[str | None, float]:
    """Give the script most letters are in and its share of them; kana make Han Japanese."""
    scripts = Counter(script for c in text if c.isalpha() and (script := _script_of(c)))
    total = sum(scripts.values())
    kana = scripts.pop("HIRAGANA", 0) + scripts.pop("KATAKANA", 0)
    if kana > 0.1 * (kana + scripts["CJK"]):
        scripts["HIRAGANA"] = kana + scripts.pop("CJK")
    if not total:
        return None, 0.0
    script = max(scripts, key=scripts.__getitem__)
    return script, scripts[script] / total


@lru_cache(maxsize=4096)
def _script_of(character: str) -> str:
    first = unicodedata.name(character, "").split(" ")[0]
    return "LATIN" if first == "FULLWIDTH" else first


def _written_in(language: str, script: str) -> bool:
    if language in _OWNERS.values():
        return _OWNERS.get(script) == language or (script == "CJK" and language in ("ja", "ko"))
    if script in _SHARED:
        return language in _SHARED[script].split()
    return script == "LATIN" and (
        language == "sr" or not any(language in n.split() for n in _SHARED.values())
    )


def are_close(one: str, other: str) -> bool:
    """Tell whether two languages are one, or short stretches of them are taken for one another."""
    return one == other or any({one, other} <= set(group.split()) for group in _CLOSE)


def _known(language: str) -> bool:
    return any(normalise_tag(tag) == language for tag in _factory().get_lang_list())


@lru_cache(maxsize=1)
def _factory() -> Any:
    """Load langdetect's 55 profiles and ours, about half a second; a factory and a seed of our own."""
    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

    folders = (Path(PROFILES_DIRECTORY), files(__package__) / "assets" / "langdetect")
    profiles = (file for folder in folders for file in sorted(folder.iterdir(), key=lambda file: file.name))
    factory = DetectorFactory()
    factory.load_json_profile([file.read_text("utf-8") for file in profiles if file.is_file()])
    factory.set_seed(0)
    return factory
