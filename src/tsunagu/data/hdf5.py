"""Columns from HDF5 files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

from tsunagu.data.checks import check_lengths
from tsunagu.data.chunked import Chunk, ChunkedSource, Jagged, Layout, described, reading
from tsunagu.data.jagged import Objects
from tsunagu.data.source import Array, Column, memory_dtype
from tsunagu.errors import DataError, did_you_mean

__all__ = ["Hdf5Source"]

_KIND = "an HDF5 file"


@final
class Hdf5Source(ChunkedSource):
    """The datasets of an HDF5 file, or of one group of it; one dataset with fields is as many columns.

    A column of a dataset in a group is ``group/name``. A file that holds nothing but one dataset with fields has the
    fields as columns, without a prefix. Lists of varying length are padded as those of
    :class:`~tsunagu.data.root.RootSource`.

    Args:
        path: of the file.
        place: a group, or a dataset with fields; None for the whole file.
        objects: how many objects are kept, such as ``{"Jet": 4}``.

    Raises:
        DataError: not an HDF5 file, no such group, columns of unequal lengths; h5py is not installed.
    """

    def __init__(self, path: Path, place: str | None = None, objects: Objects | None = None) -> None:
        with reading(str(path), _KIND):
            import h5py

            with h5py.File(path) as file:
                self._where = _columns(path, file, place)
                found = {name: _type(file, *where) for name, where in self._where.items()}
                lengths = {
                    n: len(file[self._where[n][0]]) for n, kind in found.items() if not isinstance(kind, str)
                }
        if lines := check_lengths(str(path), lengths):
            raise DataError("\n".join(lines))
        self._rows = next(iter(lengths.values()), 0)
        layout = Layout(
            flat={n: kind for n, kind in found.items() if isinstance(kind, Column)},
            jagged={n: kind for n, kind in found.items() if isinstance(kind, np.dtype)},
            unreadable={n: kind for n, kind in found.items() if isinstance(kind, str)},
        )
        super().__init__(path, place or "", layout, objects or {})
        self._file = path

    def _events(self) -> int:
        return self._rows

    def _chunks(self, names: Sequence[str], most: int) -> Iterator[Chunk]:
        with reading(self.name, _KIND):
            import h5py

            with h5py.File(self._file) as file:
                for start in range(0, self._rows, most):
                    rows = slice(start, start + most)
                    yield {name: _rows(file, *self._where[name], rows) for name in names}


_Where = tuple[str, str | None]
"""A dataset, and a field of it."""


def _columns(path: Path, file: Any, place: str | None) -> dict[str, _Where]:
    import h5py

    if place is not None and place not in file:
        names: list[str] = []
        file.visit(names.append)
        message = f"{path}: there is no group or dataset '{place}'{did_you_mean(place, names)}"
        raise DataError(message)
    root = file if place is None else file[place]
    if isinstance(root, h5py.Dataset):
        return {field: (root.name, field) for field in root.dtype.names or ()}
    datasets: dict[str, Any] = {}
    root.visititems(
        lambda name, item: datasets.update({name: item} if isinstance(item, h5py.Dataset) else {})
    )
    if len(datasets) == 1 and (fields := next(iter(datasets.values())).dtype.names):
        only = next(iter(datasets.values()))
        return {field: (only.name, field) for field in fields}
    found: dict[str, _Where] = {}
    for name, item in datasets.items():
        if item.dtype.names is None:
            found[name] = (item.name, None)
        found |= {f"{name}/{field}": (item.name, field) for field in item.dtype.names or ()}
    return found


def _type(file: Any, name: str, field: str | None) -> Column | np.dtype[Any] | str:
    import h5py

    dataset = file[name]
    dtype: np.dtype[Any] = dataset.dtype if field is None else dataset.dtype[field]
    if dataset.ndim == 0:
        return "it is a single value"
    vlen = h5py.check_vlen_dtype(dtype)
    if vlen is not None:
        is_number = isinstance(vlen, np.dtype) and dataset.ndim == 1 and field is None
        memory = memory_dtype(vlen) if is_number else None
        return f"its type is {dtype}" if memory is None else memory
    inner, shape = dtype.subdtype or (dtype, ())
    return described(inner, (*dataset.shape[1:], *shape))


def _rows(file: Mapping[str, Any], name: str, field: str | None, rows: slice) -> Array | Jagged:
    dataset = file[name]
    array: Array = dataset[rows] if field is None else dataset.fields(field)[rows]
    if array.dtype != object:
        return array
    counts = np.array([len(part) for part in array], dtype=np.int64)
    return Jagged(np.concatenate([*array, array[0][:0]]) if len(array) else np.zeros(0), counts)
