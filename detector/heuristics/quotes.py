"""What stands in quotes or brackets, where other words, scripts and capitals are at home."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

_QUOTED = re.compile(
    r"\([^()]{1,200}\)|\[[^][]{1,200}\]|（[^（）]{1,200}）"
    r"|\"[^\"]{1,200}\"|[“„«「『《‹][^”“»」』》›]{1,200}[”“»」』》›]|(?<!\w)['‘][^'’]{1,200}['’](?!\w)"
)

Spans = Sequence[tuple[int, int]]
"""Stretches of a text, half-open, in order and apart."""


def quoted_spans(text: str) -> Spans:
    """Give every stretch in quotes or brackets of at most 200 characters, marks included."""
    return [match.span() for match in _QUOTED.finditer(text)]


def within(spans: Spans, position: int) -> bool:
    """Tell whether ``position`` lies in one of ``spans``.

    Example:
        >>> spans = quoted_spans('She said "no" (twice).')
        >>> within(spans, 10), within(spans, 4)
        (True, False)
    """
    i = bisect_right(spans, position, key=lambda span: span[0])
    return i > 0 and position < spans[i - 1][1]
