"""Columns of a batch that know what they hold, even where they hold nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class Column(list[Any]):
    """A list that tells Arrow its type, which a batch of Nones or of empty lists cannot show.

    Without it the first batch of a data set, if no text in it has a pivot, fixes the type "null",
    and the next batch cannot be written.

    Reference:
        Arrow asks by ``__arrow_array__``, see "Extending PyArrow" in its manual.
    """

    def __init__(self, values: Iterable[Any], kind: str | Mapping[str, str]) -> None:
        """Keep ``values`` and what they are.

        Args:
            values: The column.
            kind: Arrow's name for the type of a value, such as ``"string"``; where each value is
                a list of dicts, the names of their fields and the fields' types.
        """
        super().__init__(values)
        self._kind = kind

    def __arrow_array__(self, type: Any = None) -> Any:
        """Give an Arrow array."""
        import pyarrow

        kind = self._kind
        own = kind if isinstance(kind, str) else pyarrow.list_(pyarrow.struct(list(kind.items())))
        return pyarrow.array(list(self), type=type or own)
