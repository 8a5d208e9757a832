"""Files whose columns are changed while they are read, for systematic variations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import final

import numpy as np

from tsunagu.data.source import Array, Column, Source
from tsunagu.errors import DataError

__all__ = ["Change", "ShiftedSource", "scaled_by"]

Change = Callable[[Mapping[str, Array]], Mapping[str, Array]]
"""A function of columns ``[E, ...]`` that gives some of them changed; each event by itself."""


@final
class ShiftedSource(Source):
    """The same events with some columns changed: everything that is made of them, and every cut, follows.

    Args:
        source: the files as they are.
        change: gives the changed columns.
        columns: that it changes.
        reads: that it is given beside these.

    >>> from tsunagu.data import ArraySource
    >>> events = ArraySource({"jet_pt": np.array([30.0, 40.0]), "jet_eta": np.zeros(2)})
    >>> shifted = ShiftedSource(events, scaled_by(["jet_pt"], 1.1), ["jet_pt"])
    >>> shifted.read(["jet_pt"])["jet_pt"].round(6).tolist()
    [33.0, 44.0]
    """

    def __init__(
        self, source: Source, change: Change, columns: Sequence[str], reads: Sequence[str] = ()
    ) -> None:
        # Without a path: its columns are never mistaken for those of the file itself that were mapped before.
        super().__init__(source.name, source.unreadable)
        self._source, self._change = source, change
        self._columns, self._given = tuple(columns), tuple(dict.fromkeys([*columns, *reads]))

    def names(self) -> dict[str, Column]:
        """The columns that can be read."""
        return self._source.names()

    def rows(self, name: str) -> int:
        """The number of events of a column."""
        return self._source.rows(name)

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """These columns, changed where they are to be."""
        return self._changed(self._source.read(self._wanted(names)), names)

    def pieces(self, names: Sequence[str], most: int) -> Iterator[dict[str, Array]]:
        """The next events of these columns."""
        for piece in self._source.pieces(self._wanted(names), most):
            yield self._changed(piece, names)

    def _wanted(self, names: Sequence[str]) -> list[str]:
        more = self._given if set(names) & set(self._columns) else ()
        return list(dict.fromkeys([*names, *more]))

    def _changed(self, read: dict[str, Array], names: Sequence[str]) -> dict[str, Array]:
        if set(names).isdisjoint(self._columns):
            return read
        found = self._change({name: read[name].copy() for name in self._given})
        for name in self._columns:
            read[name] = self._checked(name, found, read[name])
        return {name: read[name] for name in names}

    def _checked(self, name: str, found: Mapping[str, Array], before: Array) -> Array:
        where = f"{self.name}: column '{name}'"
        if name not in found:
            msg = f"{where}: the variation gives {', '.join(found) or 'nothing'}, but not this column"
            raise DataError(msg)
        after = np.asarray(found[name])
        if after.shape != before.shape:
            msg = f"{where}: the variation makes {list(after.shape)} of {list(before.shape)}; the shape must stay"
            raise DataError(msg)
        return np.ascontiguousarray(after, dtype=before.dtype)


def scaled_by(columns: Sequence[str], factor: float) -> Change:
    """The change that multiplies columns.

    >>> scaled_by(["pt"], 2.0)({"pt": np.array([1.0]), "eta": np.array([1.0])})
    {'pt': array([2.])}
    """
    return lambda given: {name: given[name] * factor for name in columns}
