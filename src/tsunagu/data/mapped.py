"""``.npy`` files that are larger than memory: written in pieces, read by mapping."""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tsunagu.data.fingerprint import bytes_of
from tsunagu.data.source import Array, Column
from tsunagu.errors import DataError

__all__ = ["Place", "as_tensor", "map_npy", "place_of", "read_ahead", "write_npy"]

# Linux reads no more at once, however much is asked for.
_AHEAD = 1 << 17


class Place(NamedTuple):
    """Where in a file an array begins, and how many bytes a row has."""

    path: Path
    start: int
    row: int


def write_npy(path: Path, rows: int, column: Column, pieces: Iterable[Array]) -> str:
    """Write an array piece by piece; the file is whole or absent.

    Several processes may write the same file; the last one stays. A process that is killed while it writes leaves a
    file ``<name>.<its number>.part``.

    Args:
        path: of the file; its folder is made.
        rows: events of all pieces together.
        column: dtype and shape of an event; the pieces are cast to this dtype.
        pieces: ``[N, ...]`` each.

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
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            digest = _write(file, rows, column, pieces)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        message = (
            f"{path}: cannot be written ({error.strerror}); another folder or more room is needed: data.cache"
        )
        raise DataError(message) from error
    finally:
        with suppress(OSError):
            part.unlink()
    return digest


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


def _write(file: IO[bytes], rows: int, column: Column, pieces: Iterable[Array]) -> str:
    header = {"descr": column.dtype.str, "fortran_order": False, "shape": (rows, *column.shape)}
    np.lib.format.write_array_header_1_0(file, header)
    digest, written = hashlib.sha256(), 0
    for piece in pieces:
        content = bytes_of(piece.astype(column.dtype, copy=False))
        digest.update(content)
        file.write(content)
        written += len(piece)
    assert written == rows
    return digest.hexdigest()


def _map(path: Path, start: int, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Array:
    try:
        return np.memmap(path, dtype, mode="c", offset=start, shape=shape)
    except OSError:
        # Linux promises memory for every page that could be written to, and refuses a file larger than all it has.
        return np.memmap(path, dtype, mode="r", offset=start, shape=shape)
