"""The events of a file that pass a selection."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import final

import numpy as np

from tsunagu.data.loading import fill
from tsunagu.data.processes import Opened
from tsunagu.data.recipes import Declared, Recipe, build, leaves, plain, plan_columns
from tsunagu.data.source import Array, Column, Source
from tsunagu.errors import DataError

__all__ = ["SelectedSource", "kept_notes", "selected"]

_ROWS = 1 << 16


@final
class SelectedSource(Source):
    """The events of another source that pass a selection, in their order.

    Whatever the memory, only so many events are there at a time as a piece has. A comparison with a missing value is not
    passed.

    Args:
        source: the file.
        selection: what is true for the events that stay.
        missing: for a column of the file, what stands in place of NaN, in the selection as everywhere.

    >>> from tsunagu.data import ArraySource
    >>> from tsunagu.data.recipes import recipe
    >>> file = ArraySource({"pt": np.array([30.0, 10.0, 20.0])}, "a.npz")
    >>> SelectedSource(file, recipe("pt >= 20", {}), {}).read(["pt"])
    {'pt': array([30., 20.])}
    """

    def __init__(self, source: Source, selection: Recipe, missing: Mapping[str, float]) -> None:
        names = list(dict.fromkeys(leaves(selection)))
        self._missing = {name: missing[name] for name in names if name in missing}
        done = json.dumps([source.treatment, plain(selection), self._missing])
        super().__init__(source.name, source.unreadable, source.path, done)
        self._source, self._selection, self._leaves = source, selection, names
        self._kept: int | None = None

    @property
    def read_events(self) -> int:
        """The number of events before the selection."""
        return self._source.rows(self._leaves[0])

    def names(self) -> dict[str, Column]:
        """The columns that can be read."""
        return self._source.names()

    def rows(self, name: str) -> int:
        """The number of events that pass; the first time, the columns of the selection are read for it."""
        if self._kept is None:
            self._kept = sum(len(piece[name]) for piece in self.pieces([name], _ROWS))
        return self._kept

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """Read these columns of the events that pass."""
        parts: dict[str, list[Array]] = {name: [] for name in names}
        for piece in self.pieces(names, _ROWS):
            for name, array in piece.items():
                parts[name].append(array)
        types = self.names()
        none = {n: np.empty((0, *types[n].shape), types[n].dtype) for n in names}
        return {n: np.concatenate(arrays or [none[n]]) for n, arrays in parts.items()}

    def pieces(self, names: Sequence[str], most: int) -> Iterator[dict[str, Array]]:
        """The next events that pass, at most so many."""
        for piece in self._source.pieces(list(dict.fromkeys([*names, *self._leaves])), most):
            passed = self._passed(piece)
            yield {name: piece[name][passed] for name in names}

    def _passed(self, piece: Mapping[str, Array]) -> Array:
        columns = {name: piece[name] for name in self._leaves}
        for name, value in self._missing.items():
            columns[name] = columns[name].copy()
            fill(columns[name], value)
        try:
            return build(self._selection, columns)
        except DataError as error:
            message = f"{self.name}: data.select: {error}"
            raise DataError(message) from error


def selected(opened: Opened, select: str, columns: Declared, missing: Mapping[str, float]) -> Opened:
    """The events of all files that pass a selection; nothing is read yet.

    Args:
        opened: the files.
        select: a formula of columns, also of derived ones.
        columns: the derived ones.
        missing: what stands in place of NaN.

    Raises:
        DataError: columns that are not there, and a selection that is no condition.
    """
    name = "data.select"
    plan = plan_columns(opened.sources, {**columns, name: select}, [name], [])
    if plan.problems:
        raise DataError("\n".join(plan.problems))
    selection = plan.recipes[name]
    for source in opened.sources:
        types = source.names()
        made = build(
            selection, {n: np.empty((0, *types[n].shape), types[n].dtype) for n in leaves(selection)}
        )
        if made.dtype != np.bool_ or made.ndim != 1:
            found = (
                "numbers"
                if made.dtype != np.bool_
                else f"{made.shape[1]} answers for each event; any() or all() makes one"
            )
            message = f"{source.name}: {name}: '{select}' is no condition: it gives {found}"
            raise DataError(message)
    sources = tuple(SelectedSource(source, selection, missing) for source in opened.sources)
    return Opened(sources=sources, processes=opened.processes)


def kept_notes(sources: Sequence[Source], rows: Sequence[int]) -> list[str]:
    """The sentences about how many events of each file a selection keeps."""
    return [
        f"{source.name}: select keeps {kept:,} of {source.read_events:,} events"
        for source, kept in zip(sources, rows, strict=True)
        if isinstance(source, SelectedSource)
    ]
