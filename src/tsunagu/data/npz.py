"""Columns from ``.npz`` files."""

from __future__ import annotations

import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, final

import numpy as np

from tsunagu.data.source import Array, Column, Source, beyond, in_memory, memory_dtype, too_large
from tsunagu.errors import DataError

__all__ = ["NpzSource"]

# What zipfile and numpy raise for files that are cut short, overwritten, or packed in a way they do not know.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    SyntaxError,
    EOFError,
    RuntimeError,  # and NotImplementedError
    ArithmeticError,
    MemoryError,
    LookupError,
    TypeError,
    ValueError,
    OSError,
)
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_READ = 1 << 20


@final
class NpzSource(Source):
    """One ``.npz`` file as written by :func:`numpy.savez`: one array ``[E, ...]`` for each column.

    Names, dtypes and shapes come from the headers; an array is read when it is asked for. Pickled objects are
    never loaded.

    Args:
        path: of the file.

    Raises:
        DataError: not an npz file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "events.npz"
    ...     np.savez(path, jet_pt=np.ones((5, 2), dtype="f2"))
    ...     NpzSource(path).names()
    {'jet_pt': Column(dtype=dtype('float32'), shape=(2,))}
    """

    def __init__(self, path: Path) -> None:
        headers = _headers(path)
        found = {name: _describe(header) for name, header in headers.items()}
        unreadable = {n: reason for n, reason in found.items() if isinstance(reason, str)}
        super().__init__(str(path), unreadable, path)
        self._path, self._headers = path, headers
        self._columns = {n: column for n, column in found.items() if isinstance(column, Column)}

    def names(self) -> dict[str, Column]:
        """The columns that can be read."""
        return dict(self._columns)

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """Read these columns and no others."""
        problems: list[str] = []
        found: dict[str, Array] = {}
        with _opened(self._path) as arrays:
            for name in names:
                try:
                    found[name] = in_memory(arrays[name], self._where(name))
                except DataError as error:
                    problems.append(str(error))
                except _DAMAGED as error:
                    problems.append(f"{self._where(name)} cannot be read: {error}")
        if problems:
            raise DataError("\n".join(problems))
        return found

    def rows(self, name: str) -> int:
        """The number of events of a column."""
        return self._headers[name].shape[0]

    def pieces(self, names: Sequence[str], most: int) -> Iterator[dict[str, Array]]:
        """Read these columns, so many events at a time."""
        wrong = dict.fromkeys(names, 0)
        rows = max((self.rows(name) for name in names), default=0)
        with self._streams(names) as streams:
            for start in range(0, rows, most):
                raw = {n: self._next(n, streams[n], min(most, rows - start)) for n in names}
                wrong = {n: wrong[n] + beyond(array) for n, array in raw.items()}
                if not any(wrong.values()):
                    yield {n: in_memory(array, n) for n, array in raw.items()}
        sizes = {n: math.prod(self._headers[n].shape) for n in names}
        if lines := [too_large(self._where(n), count, sizes[n]) for n, count in wrong.items() if count]:
            raise DataError("\n".join(lines))

    @contextmanager
    def _streams(self, names: Sequence[str]) -> Iterator[dict[str, IO[bytes]]]:
        if turned := [n for n in names if self._headers[n].fortran and len(self._headers[n].shape) > 1]:
            found = "is stored in Fortran order, which cannot be read in pieces; save numpy.ascontiguousarray of it"
            raise DataError("\n".join(f"{self._where(n)} {found}" for n in turned))
        with ExitStack() as stack:
            try:
                archive = stack.enter_context(zipfile.ZipFile(self._path))
                streams = {n: stack.enter_context(archive.open(f"{n}.npy")) for n in names}
                for stream in streams.values():
                    _header(stream)
            except _DAMAGED as error:
                raise DataError(_no_npz(self._path, error)) from error
            yield streams

    def _next(self, name: str, stream: IO[bytes], rows: int) -> Array:
        header = self._headers[name]
        shape = (rows, *header.shape[1:])
        buffer = bytearray(math.prod(shape) * header.dtype.itemsize)
        try:
            _fill(stream, buffer)
        except _DAMAGED as error:
            message = f"{self._where(name)} cannot be read: {error}"
            raise DataError(message) from error
        return np.frombuffer(buffer, header.dtype).reshape(shape)

    def _where(self, name: str) -> str:
        return f"{self.name}: column '{name}'"


class _Header(NamedTuple):
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]


def _headers(path: Path) -> dict[str, _Header]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): _open_header(archive, name) for name in members}
    except _DAMAGED as error:
        raise DataError(_no_npz(path, error)) from error


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        arrays = np.load(path, allow_pickle=False)
    except _DAMAGED as error:
        raise DataError(_no_npz(path, error)) from error
    with arrays:
        yield arrays


def _no_npz(path: Path, error: Exception) -> str:
    return f"{path}: cannot be read as an npz file: {error}"


def _open_header(archive: zipfile.ZipFile, name: str) -> _Header:
    with archive.open(name) as stream:
        return _header(stream)


def _header(stream: IO[bytes]) -> _Header:
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        return _Header((), False, np.dtype(object))
    return _Header(*_HEADERS[version](stream))


def _fill(stream: IO[bytes], buffer: bytearray) -> None:
    view, start = memoryview(buffer), 0
    while start < len(view):
        part = stream.read(min(len(view) - start, _READ))
        if not part:
            msg = "the file ends too early"
            raise EOFError(msg)
        view[start : start + len(part)] = part
        start += len(part)


def _describe(header: _Header) -> Column | str:
    memory = memory_dtype(header.dtype)
    if memory is None:
        return f"its type is {header.dtype}"
    return Column(memory, header.shape[1:]) if header.shape else "it is a single value"
