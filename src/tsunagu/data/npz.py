"""Columns from ``.npz`` files."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, final

import numpy as np

from tsunagu.data.source import Array, Column, Source, in_memory, memory_dtype
from tsunagu.errors import DataError

__all__ = ["NpzSource"]

# What zipfile and numpy raise for files that are cut short, overwritten, or packed in a way they do not know.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError)
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


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
        super().__init__(str(path), {n: reason for n, reason in found.items() if isinstance(reason, str)})
        self._path = path
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
                    found[name] = in_memory(arrays[name], f"{self.name}: column '{name}'")
                except DataError as error:
                    problems.append(str(error))
                except _DAMAGED as error:
                    problems.append(f"{self.name}: column '{name}' cannot be read: {error}")
        if problems:
            raise DataError("\n".join(problems))
        return found


_Header = tuple[tuple[int, ...], np.dtype[Any]]


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
        return (), np.dtype(object)
    shape, _, dtype = _HEADERS[version](stream)
    return shape, dtype


def _describe(header: _Header) -> Column | str:
    shape, dtype = header
    memory = memory_dtype(dtype)
    if memory is None:
        return f"its type is {dtype}"
    return Column(memory, shape[1:]) if shape else "it is a single value"
