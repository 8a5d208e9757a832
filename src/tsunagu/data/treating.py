"""What is done to the columns of a file before anything is made of them: units, codes for missing values, constants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, final

import numpy as np

from tsunagu.data.source import Array, Column, Source
from tsunagu.errors import DataError, did_you_mean
from tsunagu.spec.quantities import UNITS

__all__ = ["Codes", "TreatedSource", "Units", "fitting", "treated", "unmatched"]

Units = Mapping[str, str]
"""For a column or a pattern such as ``*_pt``, the unit that the file has."""

Codes = Mapping[str, Sequence[float]]
"""For a column or a pattern, the values that mean that there is none."""


@final
class TreatedSource(Source):
    """Another source, with columns in our units, NaN in place of codes, and columns of one value.

    Args:
        source: the file.
        factors: what columns are multiplied by.
        codes: the values of columns that become NaN; whole numbers become floats by that.
        constants: further columns, one value in all events: int64 or float64.

    >>> from tsunagu.data import ArraySource
    >>> file = ArraySource({"pt": np.array([30_000.0, -999.0])}, "a.npz")
    >>> source = TreatedSource(file, factors={"pt": 1e-3}, codes={"pt": (-999.0,)}, constants={"label": 1})
    >>> source.read(["pt", "label"])
    {'pt': array([30., nan]), 'label': array([1, 1])}
    """

    def __init__(
        self,
        source: Source,
        *,
        factors: Mapping[str, float] | None = None,
        codes: Codes | None = None,
        constants: Mapping[str, float] | None = None,
    ) -> None:
        done = [sorted((part or {}).items()) for part in (factors, codes, constants)]
        super().__init__(source.name, source.unreadable, source.path, repr((source.treatment, done)))
        self._source, self._factors, self._codes = source, factors or {}, codes or {}
        self._constants = constants or {}

    def names(self) -> dict[str, Column]:
        """The columns that can be read."""
        found = self._source.names()
        floats = {name for name in (*self._factors, *self._codes) if found[name].dtype.kind != "f"}
        found |= {name: Column(np.dtype(np.float64), found[name].shape) for name in floats}
        constants = {name: np.asarray(value).dtype for name, value in self._constants.items()}
        return found | {name: Column(dtype, ()) for name, dtype in constants.items()}

    def rows(self, name: str) -> int:
        """The number of events of a column."""
        return self._source.rows(self._stored([name])[0])

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """Read these columns and no others."""
        return self._made(names, self._source.read(self._stored(names)))

    def pieces(self, names: Sequence[str], most: int) -> Iterator[dict[str, Array]]:
        """Read these columns, so many events at a time."""
        for piece in self._source.pieces(self._stored(names), most):
            yield self._made(names, piece)

    def _stored(self, names: Sequence[str]) -> list[str]:
        stored = [name for name in names if name not in self._constants]
        # A constant alone: any column tells how many events there are.
        return stored or [min(self._source.names().items(), key=lambda item: len(item[1].shape))[0]]

    def _made(self, names: Sequence[str], read: Mapping[str, Array]) -> dict[str, Array]:
        events = len(next(iter(read.values())))
        made: dict[str, Array] = {}
        for name in names:
            if name in self._constants:
                made[name] = np.full(events, self._constants[name])
            else:
                made[name] = self._treated(name, read[name])
        return made

    def _treated(self, name: str, array: Array) -> Array:
        if name in self._codes or name in self._factors:
            array = array if array.dtype.kind == "f" else array.astype(np.float64)
        if name in self._codes:
            array[np.isin(array, np.asarray(self._codes[name], dtype=array.dtype))] = np.nan
        if name in self._factors:
            array *= array.dtype.type(self._factors[name])
        return array


def treated(source: Source, units: Units, codes: Codes, constants: Mapping[str, float]) -> Source:
    """The source itself, or one that treats it; a name that it does not have is passed over.

    Raises:
        DataError: a constant that the file has a column for already.
    """
    names = source.names()
    if taken := [name for name in constants if name in names]:
        found = f"there is a column '{taken[0]}' in the file already, and data.processes makes one"
        message = f"{source.name}: {found}; give it another name there, or leave out the label"
        raise DataError(message)
    factors = {name: UNITS[unit] for name, unit in fitting(units, names).items()}
    factors = {name: factor for name, factor in factors.items() if factor != 1.0}
    absent = fitting(codes, names)
    if factors or absent or constants:
        return TreatedSource(source, factors=factors, codes=absent, constants=constants)
    return source


def unmatched(patterns: Iterable[str], sources: Sequence[Source], where: str) -> list[str]:
    """The sentences about names and patterns that fit no column of any file.

    >>> from tsunagu.data import ArraySource
    >>> unmatched(["*_pt", "mett"], [ArraySource({"jet_pt": np.ones(2), "met": np.ones(2)})], "data.units")
    ["data.units: no column 'mett' (did you mean 'met'?)"]
    """
    names = {name for source in sources for name in (*source.names(), *source.unreadable)}
    return [
        f"{where}: no column '{pattern}'{did_you_mean(pattern, names)}"
        for pattern in patterns
        if not any(_fits(name, pattern) for name in names)
    ]


def fitting(declared: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The declaration of each column; its own name goes before a pattern, and the longer pattern first."""
    found: dict[str, Any] = {}
    for name in names:
        patterns = [pattern for pattern in declared if _fits(name, pattern)]
        if patterns:
            found[name] = declared[max(patterns, key=lambda pattern: (pattern == name, len(pattern)))]
    return found


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)
