"""What every reader of event files offers, and the rules for what a column becomes in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
import torch
from numpy.typing import NDArray

from tsunagu.errors import DataError

__all__ = ["Array", "ArraySource", "Column", "Source", "beyond", "in_memory", "memory_dtype", "too_large"]

Array = NDArray[Any]


class Column(NamedTuple):
    """What a column is in memory: its dtype, and its shape for one event (``()`` for a single number)."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class Source(ABC):
    """A reader of columns. A new file format is a new leaf of this class.

    Args:
        name: of the file, for messages.
        unreadable: columns that exist but cannot be arrays, each with the reason (``"its type is string"``).
        path: of the file; None for what is no file.
        treatment: what is done to its content on the way to columns, such as padding; columns that were kept are found
            by it.
    """

    def __init__(
        self,
        name: str,
        unreadable: Mapping[str, str] | None = None,
        path: Path | None = None,
        treatment: str = "",
    ) -> None:
        self.name, self.path, self.treatment = name, path, treatment
        self.unreadable = dict(unreadable or {})

    @abstractmethod
    def names(self) -> dict[str, Column]:
        """The columns that can be read, without reading them."""

    @abstractmethod
    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """Read these columns and no others.

        Args:
            names: all of them in :meth:`names`.

        Returns:
            C-contiguous, writable arrays ``[E, ...]`` of the dtypes that :meth:`names` tells.

        Raises:
            DataError: all columns that cannot be read, one line each: ``file: column 'x': ...``.
        """

    @abstractmethod
    def rows(self, name: str) -> int:
        """The number of events of a column, without reading it."""

    @abstractmethod
    def pieces(self, names: Sequence[str], most: int) -> Iterator[dict[str, Array]]:
        """Read these columns piece by piece, from the first event to the last.

        Args:
            names: all of them in :meth:`names`, with equally many events.
            most: events of a piece; only so many are in memory.

        Yields:
            What :meth:`read` gives, of the next events.

        Raises:
            DataError: as :meth:`read`, at the latest after the last piece.
        """


def memory_dtype(dtype: np.dtype[Any]) -> np.dtype[Any] | None:
    """The dtype in memory of a dtype on disk; None if it cannot be a column.

    float16 is a format for disks only (it doubles the time of a batch to convert it there), whole numbers
    become int64, booleans stay; float64 stays here, since weights need it.

    >>> [str(memory_dtype(np.dtype(name))) for name in ("f2", "f4", "f8", "i1", "u4", "?", "U3")]
    ['float32', 'float32', 'float64', 'int64', 'int64', 'bool', 'None']
    """
    if dtype.kind in "iu":
        return np.dtype(np.int64)
    known = {"f2": np.float32, "f4": np.float32, "f8": np.float64, "b1": np.bool_}
    found = known.get(f"{dtype.kind}{dtype.itemsize}")
    return None if found is None else np.dtype(found)


def in_memory(array: Array, where: str) -> Array:
    """An array as :func:`memory_dtype` wants it, C-contiguous.

    Args:
        array: of any readable dtype.
        where: the beginning of the message, ``file: column 'x'``.

    Raises:
        DataError: unsigned numbers beyond the range of int64.

    >>> in_memory(np.array([1, 2], dtype="u1"), "a.npz: column 'n'")
    array([1, 2])
    """
    if found := beyond(array):
        raise DataError(too_large(where, found, array.size))
    if array.dtype.kind == "f" and array.dtype.itemsize == 2:
        return _single(array)
    return np.ascontiguousarray(array, dtype=memory_dtype(array.dtype))


def beyond(array: Array) -> int:
    """How many values are beyond the range of int64.

    >>> beyond(np.array([1, 2**63], dtype="u8"))
    1
    """
    unsigned = array.dtype.kind == "u" and array.dtype.itemsize == 8
    return int((array > np.iinfo(np.int64).max).sum()) if unsigned else 0


def too_large(where: str, count: int, size: int) -> str:
    """The sentence about values beyond the range of int64."""
    return f"{where}: {count} of {size} values are larger than {np.iinfo(np.int64).max}, the largest int64"


def _single(half: Array) -> Array:
    # The processor converts eight numbers at once; torch asks it to, numpy (2.4) takes six times as long.
    owned = np.require(half, dtype=np.float16, requirements=["C", "W"])
    single: Array = torch.from_numpy(owned).float().numpy()
    return single


@final
class ArraySource(Source):
    """Columns that are in memory already; the table gets copies.

    Args:
        arrays: name to array ``[E, ...]``.
        name: for messages.

    >>> source = ArraySource({"pt": np.array([30.0, 40.0]), "process": np.array(["ggH", "Z"])})
    >>> source.names(), source.unreadable
    ({'pt': Column(dtype=dtype('float64'), shape=())}, {'process': 'its type is <U3'})
    """

    def __init__(self, arrays: Mapping[str, Array], name: str = "arrays") -> None:
        unreadable = {n: f"its type is {a.dtype}" for n, a in arrays.items() if memory_dtype(a.dtype) is None}
        super().__init__(
            name, unreadable | {n: "it is a single value" for n, a in arrays.items() if a.ndim == 0}
        )
        self._arrays = {n: a for n, a in arrays.items() if n not in self.unreadable}

    def names(self) -> dict[str, Column]:
        """The columns that can be read."""
        return {n: _column(array) for n, array in self._arrays.items()}

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """Copies of these columns."""
        return {n: in_memory(self._arrays[n].copy(), f"{self.name}: column '{n}'") for n in names}

    def rows(self, name: str) -> int:
        """The number of events of a column."""
        return len(self._arrays[name])

    def pieces(self, names: Sequence[str], most: int) -> Iterator[dict[str, Array]]:
        """Copies of the next events of these columns."""
        read = self.read(names)
        for start in range(0, max((len(array) for array in read.values()), default=0), most):
            yield {name: array[start : start + most] for name, array in read.items()}


def _column(array: Array) -> Column:
    dtype = memory_dtype(array.dtype)
    assert dtype is not None
    return Column(dtype, array.shape[1:])
