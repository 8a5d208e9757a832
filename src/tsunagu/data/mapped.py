"""``.npy`` files that are larger than memory: written in pieces, read by mapping."""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, final

import numpy as np
import torch
from torch import Tensor

from tsunagu.data.fingerprint import bytes_of
from tsunagu.data.source import Array, Column
from tsunagu.errors import DataError

__all__ = ["NpyWriter", "Place", "as_tensor", "map_npy", "place_of", "read_ahead", "write_npy"]

# Linux reads no more at once, however much is asked for.
_AHEAD = 1 << 17


class Place(NamedTuple):
    """Where in a file an array begins, and how many bytes a row has."""

    path: Path
    start: int
    row: int


@final
class NpyWriter:
    """Writes an array piece by piece; the file is whole or absent.

    Several processes may write the same file; the last one stays. A process that is killed while it writes leaves a
    file ``<name>.<its number>.part``.

    Args:
        path: of the file; its folder is made.
        rows: events of all pieces together.
        column: dtype and shape of an event; the pieces are cast to this dtype.

    Raises:
        DataError: the file cannot be written; so do the methods.
    """

    def __init__(self, path: Path, rows: int, column: Column) -> None:
        self._path, self._rows, self._column = path, rows, column
        self._part = path.with_name(f"{path.name}.{os.getpid()}.part")
        self._digest, self._written = hashlib.sha256(), 0
        with self._writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._part.open("wb")
            header = {"descr": column.dtype.str, "fortran_order": False, "shape": (rows, *column.shape)}
            np.lib.format.write_array_header_1_0(self._file, header)

    def add(self, piece: Array) -> None:
        """Write the next events ``[N, ...]``."""
        content = bytes_of(piece.astype(self._column.dtype, copy=False))
        self._digest.update(content)
        with self._writing():
            self._file.write(content)
        self._written += len(piece)

    def finish(self) -> str:
        """Give the file its name, and tell the SHA-256 (hexadecimal) of the array's bytes."""
        assert self._written == self._rows
        with self._writing():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(self._path)
        return self._digest.hexdigest()

    def drop(self) -> None:
        """Leave nothing behind of a file that is not finished; one that is stays."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._part.unlink()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            remedy = "another folder or more room is needed: data.cache"
            message = f"{self._path}: cannot be written ({error.strerror}); {remedy}"
            raise DataError(message) from error


def write_npy(path: Path, rows: int, column: Column, pieces: Iterable[Array]) -> str:
    """Write an array of its pieces ``[N, ...]``, see :class:`NpyWriter`.

    Returns:
        SHA-256 (hexadecimal) of the array's bytes.

    Raises:
        DataError: the file cannot be written; and whatever the pieces raise.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "x.npy"
    >>> digest = write_npy(path, 3, Column(np.dtype("f4"), ()), [np.ones(2), np.zeros(1)])
    >>> np.load(path)
    array([1., 1., 0.], dtype=float32)
    """
    writer = NpyWriter(path, rows, column)
    try:
        for piece in pieces:
            writer.add(piece)
        return writer.finish()
    finally:
        writer.drop()


def map_npy(path: Path, rows: int, column: Column) -> Array | None:
    """The array of a file as a part of the address space; None if there is no file of this dtype and shape.

    What is written into the array stays with this process: the file is never changed.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "x.npy"
    >>> np.save(path, np.arange(3))
    >>> map_npy(path, 3, Column(np.dtype("i8"), ())), map_npy(path, 4, Column(np.dtype("i8"), ()))
    (memmap([0, 1, 2]), None)
    """
    wanted = ((rows, *column.shape), False, column.dtype)
    try:
        with path.open("rb") as file:
            if (
                np.lib.format.read_magic(file) != (1, 0)
                or np.lib.format.read_array_header_1_0(file) != wanted
            ):
                return None
            start, size = file.tell(), os.fstat(file.fileno()).st_size
    except (OSError, ValueError):
        return None
    whole = start + int(np.prod(wanted[0], dtype=np.int64)) * column.dtype.itemsize == size
    return _map(path, start, wanted[0], column.dtype) if whole else None


def as_tensor(array: Array) -> Tensor:
    """The tensor of an array, without a copy where it lies in C order.

    >>> as_tensor(np.arange(2))
    tensor([0, 1])
    """
    with warnings.catch_warnings():
        # torch knows no tensor that may not be written to; nothing here writes to one.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(np.ascontiguousarray(array))


def place_of(array: Array) -> Place | None:
    """The place of a mapped array; None for one in memory.

    >>> place_of(np.arange(2))
    """
    if not isinstance(array, np.memmap) or array.filename is None:
        return None
    return Place(Path(array.filename), array.offset, array.nbytes // max(1, len(array)))


def read_ahead(places: Sequence[Place], rows: Tensor) -> None:
    """Ask the system to read rows that will be needed soon, and go on; does nothing where it cannot be asked.

    A row of a mapped file that is not in memory is read when it is touched, a few pages at a time, and whoever
    touches it waits.

    Args:
        places: of the arrays.
        rows: ``[N]``, sorted and near to each other: all between the first and the last are read.
    """
    if sys.platform != "linux" or not len(rows):
        return
    first, last = int(rows[0]), int(rows[-1]) + 1
    for place in places:
        with suppress(OSError), place.path.open("rb") as file:
            stop = place.start + last * place.row
            for start in range(place.start + first * place.row, stop, _AHEAD):
                os.posix_fadvise(file.fileno(), start, min(_AHEAD, stop - start), os.POSIX_FADV_WILLNEED)


def _map(path: Path, start: int, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Array:
    try:
        return np.memmap(path, dtype, mode="c", offset=start, shape=shape)
    except OSError:
        # Linux promises memory for every page that could be written to, and refuses a file larger than all it has.
        return np.memmap(path, dtype, mode="r", offset=start, shape=shape)
