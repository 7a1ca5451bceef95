"""Train the Punkt parameters that `detector.segment` uses, and measure what they are worth.

The corpora hold one sentence a line, so the true boundaries are known: they are used to keep
only abbreviations that really stand inside sentences, and to find those (Mr, Dr) that Punkt's
own statistic misses because the language also writes them without a stop.

    python -m training.segmenter --corpora ../shared/corpora             # train
    python -m training.segmenter --corpora ../shared/corpora --measure   # on dev
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from detector.segment import segment

LANGUAGES = tuple("cs de en es fi fr hr hu is it lt lv nl pl pt ro ru sv tr uk".split())
"""Languages with cased letters and text enough in the corpora for parameters to be learnt."""

KNOWN = {
    "cs": "atd apod např tzv tzn tj resp popř mj ing mgr mudr judr phdr bc doc prof dr sv str čl odst "
    "tel ul nám",
    "de": "abs allg bspw bzgl bzw ca d.h dr etc evtl ggf hrsg i.d.r inkl jh max min mio mrd nr o.ä prof "
    "sog st str tel u.a usw v.a vgl z.b z.t zzgl",
    "en": "al approx apr assn aug ave blvd bros capt cf cmdr co col corp dec dept dr e.g ed est etc feb "
    "fig ft gen gov hon i.e inc jan jr lt ltd maj mr mrs ms mt nov oct p.m a.m pres prof rep rev "
    "sen sept sgt sr st supt u.k u.n u.s u.s.a v vol vs",
    "es": "av d da dña dr dra ee.uu etc excmo ing lic núm pág p.ej prof sr sra sres srta ud uds",
    "fi": "alk ent esim fil ym jne klo ks mm mrd ml n nk ns os prof puh s.o tri ts vrt v",
    "fr": "art av bd cf dr env etc ex fig me mgr mm mlle mme p.ex prof st ste tél vol",
    "it": "avv art cfr dott dr ecc ing on pag prof sen sig sig.ra ss",
    "nl": "a.u.b bijv blz bv ca dhr d.w.z dr drs enz etc evt ing ir jl mevr mr nl nr o.a prof resp t.a.v zgn",
    "pl": "al bp dr godz im in inż itd itp ks lek m.in mgr min mjr np nr ok os płk prof św tel tys tzw "
    "ul ur zob zł",
    "pt": "art av dr dra etc eng exa exma fig gov n núm p.ex pág prof profa sr sra srs sta sto tel",
    "ro": "art dl dna dr etc ing lt nr op pag prof str ş.a",
    "ru": "г гг ул д стр см т.д т.п т.е т.к т.н др пр проф акад им напр млн млрд тыс руб долл св ред рис",
    "sv": "bl.a ca dr d.v.s dvs etc ev f.d fr.o.m kl m.m nr o.d osv prof resp s.k st t.ex t.o.m",
    "tr": "alb av bkz cad çev dr doç hz mah no örn prof sok st vb vd yrd",
    "uk": "р рр вул див ст т.д т.п ін ім напр млн млрд тис грн проф акад св ред рис",
}
"""Abbreviations that a grammar of the language lists and that news seldom prints."""

MAX_SENTENCES = 30_000
_INSIDE_CAPITAL = 1 << 2  # the flag of nltk.tokenize.punkt for "capital inside a sentence"


def sentences(corpora: Path, language: str, split: str, *, last_year: int = 9999) -> list[str]:
    """Give human sentences of a language and split, native news first, at most MAX_SENTENCES."""
    found: list[str] = []
    for name in ("native", "human_translation", "web75"):
        filters: list[tuple[str, str, str | int]] = [("lang", "==", language), ("split", "==", split)]
        if name != "web75":
            filters.append(("year", "<=", last_year))
        found.extend(
            pd.read_parquet(corpora / "human" / f"{name}.parquet", columns=["text"], filters=filters)["text"]
        )
    return found[:MAX_SENTENCES]


def train(lines: Sequence[str], known: Iterable[str], *, max_words: int = 2_000) -> dict[str, object]:
    """Learn the parameters of one language from one sentence a line.

    Args:
        lines: Sentences; a line break is a true boundary.
        known: Abbreviations to keep in any case, small, without their last stop.
        max_words: How many words, most frequent first, ``small_inside`` may hold.

    Returns:
        JSON-ready parameters, words separated by a space: ``abbrev_types``; ``sent_starters``,
        words that often open a sentence and are otherwise small; ``small_inside``, words never
        seen with a capital inside a sentence; ``collocations``, a list of "first second".
    """
    from nltk.tokenize.punkt import PunktTrainer

    trainer = PunktTrainer()
    trainer.train("\n\n".join(lines))
    learnt = trainer.get_params()

    stopped, final, opening, small, capital = (Counter[str]() for _ in range(5))
    for line in lines:
        words = [bare for word in line.split() if (bare := word.strip("\"'“”„«»()[],;:"))]
        if not words:
            continue
        opening[words[0].lower()] += words[0][0].isupper()
        final[words[-1].lower().removesuffix(".")] += words[-1].endswith(".")
        stopped.update(w[:-1].lower() for w in words[:-1] if w.endswith(".") and not w.endswith(".."))
        small.update(w for w in words[1:] if w[0].islower())
        capital.update(w.lower() for w in words[1:] if w[0].isupper())
    abbreviations = {a for a in learnt.abbrev_types if stopped[a] >= 2 and stopped[a] >= final[a]}
    abbreviations |= {
        a
        for a, n in stopped.items()
        if n >= 5 and n >= 4 * final[a] and len(a) <= 6 and a.replace(".", "").isalpha()
    }
    starters = {w for w, n in opening.items() if n >= 20 and small[w] >= n / 4 and capital[w] < n}
    capitals = {w for w, flags in learnt.ortho_context.items() if flags & _INSIDE_CAPITAL}
    inside = [w for w, n in small.most_common() if n >= 5 and w.isalpha() and w not in capitals]
    return {
        "abbrev_types": " ".join(sorted({a for a in abbreviations if len(a) > 1} | set(known))),
        "sent_starters": " ".join(sorted(starters)),
        "collocations": sorted(" ".join(pair) for pair in learnt.collocations),
        "small_inside": " ".join(sorted(inside[:max_words])),
    }


def boundaries(lines: Sequence[str], language: str | None) -> tuple[int, int, int]:
    """Join lines with a space, segment, and count.

    Returns:
        Boundaries both true and found; found; true.
    """
    true: set[int] = set()
    at = 0
    for line in lines[:-1]:
        at += len(line) + 1
        true.add(at)
    found = {s.start for s in segment(" ".join(lines), language)[1:]}
    return len(true & found), len(found), len(true)


def measure(corpora: Path, language: str, *, group: int = 20, limit: int = 5_000) -> dict[str, float]:
    """Score boundaries on `dev`, with the language's parameters and with the neutral rules.

    Only sentences that end in a stop count: nothing can find the end of a headline once its
    line break is gone. News to 2019 and web text, as later lines are paragraphs. Precision is
    a lower bound: some lines still hold two sentences.
    """
    lines = [" ".join(t.split()) for t in sentences(corpora, language, "dev", last_year=2019)]
    stopped = [t for t in lines if t and t.rstrip("\"'”’»“)")[-1:] in tuple(".!?")][:limit]
    result: dict[str, float] = {"sentences": len(stopped)}
    for name, tag in (("punkt", language), ("neutral", None)):
        counts = [boundaries(stopped[i : i + group], tag) for i in range(0, len(stopped), group)]
        hit, found, true = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
        result[f"{name} precision"] = hit / max(found, 1)
        result[f"{name} recall"] = hit / max(true, 1)
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Train into ``--out``, or print what the parameters there gain on dev."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--out", type=Path, default=Path("detector/assets/punkt"))
    parser.add_argument("--languages", nargs="+", default=LANGUAGES, metavar="TAG")
    parser.add_argument("--measure", action="store_true", help="measure on dev instead of training")
    options = parser.parse_args(arguments)
    for language in options.languages:
        if options.measure:
            figures = measure(options.corpora, language)
            sys.stdout.write(f"{language} " + " ".join(f"{k} {v:.4g}" for k, v in figures.items()) + "\n")
            continue
        lines = sentences(options.corpora, language, "train")
        random.Random(0).shuffle(lines)
        parameters = train(lines, KNOWN.get(language, "").split())
        file = options.out / f"{language}.json"
        file.write_text(
            json.dumps(parameters, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
        )
        logging.info("%s: %d sentences, %.1f kB", language, len(lines), file.stat().st_size / 1000)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    main()
