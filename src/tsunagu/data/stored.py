"""Columns that are kept: in memory, or in a file that the system maps into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from tsunagu.data.fingerprint import digest_of
from tsunagu.data.source import Array, Column

__all__ = ["PIECE", "SUMMED", "Keep", "Stored", "in_pieces", "keep_in_memory", "row_bytes", "size_sum"]

PIECE = 1 << 16
"""Rows at a time where a number is made of a number: half a megabyte of each."""

SUMMED = 1 << 20
"""Rows whose sum is one number; the sums depend on it in the last digit, so it is not a matter of memory."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Stored:
    """One column.

    Args:
        array: ``[E, ...]``, in memory or mapped.
        key: says what it is made of; empty where nobody will look for it again.
        known: its digest, where it was found while the column was written.
    """

    array: Array
    key: str = ""
    known: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the bytes."""
        return self.known or digest_of(self.array)


Keep = Callable[[str, int, Column, Iterable[Array]], Stored]
"""Keeps a column: its key, the number of events, dtype and shape, and its pieces in their order."""


def keep_in_memory(key: str, rows: int, column: Column, pieces: Iterable[Array]) -> Stored:
    """Put the pieces of a column together.

    >>> keep_in_memory("", 3, Column(np.dtype("f4"), ()), [np.ones(2), np.zeros(1)]).array
    array([1., 1., 0.], dtype=float32)
    """
    whole = np.empty((rows, *column.shape), column.dtype)
    start = 0
    for piece in pieces:
        whole[start : start + len(piece)] = piece
        start += len(piece)
    return Stored(array=whole, key=key)


def in_pieces(array: Array, rows: int = PIECE) -> Iterator[Array]:
    """An array cut into parts of so many rows; views.

    >>> [len(piece) for piece in in_pieces(np.arange(5), 2)]
    [2, 2, 1]
    """
    for start in range(0, len(array), rows):
        yield array[start : start + rows]


def size_sum(array: Array) -> float:
    """``sum(|x|)`` in double precision, of numbers ``[E]`` in memory or not: equal to the last bit.

    >>> size_sum(np.array([1.0, -2.0]))
    3.0
    """
    return sum(float(np.abs(piece).sum()) for piece in in_pieces(array, SUMMED))


def row_bytes(column: Column) -> int:
    """Bytes of one event.

    >>> row_bytes(Column(np.dtype("f4"), (2, 3)))
    24
    """
    return int(np.prod(column.shape, dtype=np.int64)) * column.dtype.itemsize
