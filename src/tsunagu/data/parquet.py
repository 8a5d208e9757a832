"""Columns from Parquet files."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tsunagu.data.chunked import reading
from tsunagu.data.jagged import Objects, columns_of_counts, groups, pad
from tsunagu.data.source import Array, Column, Source, in_memory, memory_dtype
from tsunagu.errors import DataError

__all__ = ["ParquetSource"]

_KIND = "a Parquet file"
# Rows that are decoded at once: 8192 events of two 3x16x16 images in float16 are 25 MB.
_ROWS = 8192


@final
class ParquetSource(Source):
    """One Parquet file: numbers, booleans, and lists of them that have the same length in every event.

    A list column with the field metadata ``shape`` (JSON, such as ``[2, 3, 16, 16]``) gets that shape for
    each event; without it, lists in lists become axes. Missing numbers (null) in a column of floats read as
    NaN. Lists whose length differs between events are padded with 0 where ``objects`` tells to how many, as those of
    :class:`~tsunagu.data.root.RootSource`.

    Args:
        path: of the file.
        objects: how many objects are kept, such as ``{"Jet": 4}``.

    Raises:
        DataError: not a Parquet file.

    >>> import tempfile
    >>> image = pa.FixedSizeListArray.from_arrays(np.arange(12, dtype="f2"), 6)
    >>> schema = pa.schema([pa.field("image", image.type, metadata={"shape": "[2, 3]"})])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "events.parquet"
    ...     pq.write_table(pa.table([image], schema=schema), path)
    ...     ParquetSource(path).names()
    {'image': Column(dtype=dtype('float32'), shape=(2, 3))}
    """

    def __init__(self, path: Path, objects: Objects | None = None) -> None:
        objects = objects or {}
        with reading(str(path), _KIND), pq.ParquetFile(path) as file:
            self._rows: int = file.metadata.num_rows
            jagged = {f.name: m for f in file.schema_arrow if (m := _of_objects(f.type)) is not None}
            self._padded = _padded(jagged, objects)
            rest = [field for field in file.schema_arrow if field.name not in self._padded]
            found = {field.name: _describe(file, field) for field in rest}
            twice = {name for name, count in Counter(file.schema_arrow.names).items() if count > 1}
        found |= dict.fromkeys(twice, "there are two columns of this name")
        unreadable = {n: reason for n, reason in found.items() if isinstance(reason, str)}
        treatment = repr(sorted(objects.items())) if objects else ""
        super().__init__(str(path), unreadable, path, treatment)
        self._path = path
        layouts = {n: layout for n, layout in found.items() if not isinstance(layout, str)}
        self._columns = {n: column for n, (column, _) in layouts.items()}
        self._padded = {n: made for n, made in self._padded.items() if n not in found}
        self._columns |= {n: made.column for n, made in self._padded.items()}
        # How long the lists are on disk, from the outermost inwards: not the shape, where that is declared.
        self._lengths = {n: lengths for n, (_, lengths) in layouts.items()} | dict.fromkeys(self._padded, ())

    def names(self) -> dict[str, Column]:
        """The columns that can be read."""
        return dict(self._columns)

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """Read these columns and no others, a few thousand rows at a time."""
        arrays = {n: np.empty((self._rows, *self._columns[n].shape), self._columns[n].dtype) for n in names}
        bad = dict.fromkeys(names, 0)
        start = 0
        for batch in self._batches(names, _ROWS, use_threads=True):
            rows = slice(start, start + len(batch))
            for name in names:
                bad[name] += self._fill(arrays[name][rows], batch.column(self._real(name)), name)
            start = rows.stop
        self._report(bad)
        return arrays

    def rows(self, name: str) -> int:  # noqa: ARG002 - a file has one number for all its columns
        """The number of events."""
        return self._rows

    def pieces(self, names: Sequence[str], most: int) -> Iterator[dict[str, Array]]:
        """Read these columns, so many rows at a time."""
        # Without threads: each of them would keep memory of its own.
        bad = dict.fromkeys(names, 0)
        for batch in self._batches(names, most, use_threads=False):
            piece: dict[str, Array] = {}
            for name in names:
                column = self._columns[name]
                piece[name] = np.empty((len(batch), *column.shape), column.dtype)
                bad[name] += self._fill(piece[name], batch.column(self._real(name)), name)
            # After the first bad event there is only counting left to do.
            if not any(bad.values()):
                yield piece
        self._report(bad)

    def _batches(self, names: Sequence[str], most: int, *, use_threads: bool) -> Iterator[Any]:
        real = list(dict.fromkeys(map(self._real, names)))
        # Mapped, so that a row group that is larger than memory need not be read at once.
        with reading(self.name, _KIND), pq.ParquetFile(self._path, memory_map=True) as file:
            yield from file.iter_batches(batch_size=most, columns=real, use_threads=use_threads)

    def _real(self, name: str) -> str:
        return self._padded[name].real if name in self._padded else name

    def _fill(self, target: Array, values: Any, name: str) -> int:
        if name in self._padded:
            return _fill_padded(target, values, f"{self.name}: column '{name}'", self._padded[name])
        flat, bad = _flatten(values, self._lengths[name])
        if not bad:
            where = f"{self.name}: column '{name}'"
            target[...] = in_memory(flat.to_numpy(zero_copy_only=False), where).reshape(target.shape)
        return bad

    def _report(self, bad: dict[str, int]) -> None:
        lines = [
            f"{self.name}: column '{n}': {count} of {self._rows} events have a missing value (null)"
            + (f" or a list of another length than {list(self._lengths[n])}" if self._lengths[n] else "")
            for n, count in bad.items()
            if count
        ]
        if lines:
            raise DataError("\n".join(lines))


class _Padded(NamedTuple):
    """A column of objects, or one that counts them, and the list in the file that it is made of."""

    real: str
    column: Column
    counts: bool


def _padded(jagged: Mapping[str, np.dtype[Any]], objects: Objects) -> dict[str, _Padded]:
    found: dict[str, _Padded] = {}
    for group, names in groups(jagged, objects).items():
        made = {n: Column(jagged[n], (objects[group],)) for n in names}
        counts = columns_of_counts(group, objects[group])
        found |= {n: _Padded(names[0], column, counts=True) for n, column in counts.items()}
        found |= {n: _Padded(n, column, counts=False) for n, column in made.items()}
    return found


def _of_objects(kind: Any) -> np.dtype[Any] | None:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return _memory(kind.value_type) if is_list else None


def _fill_padded(target: Array, values: Any, where: str, made: _Padded) -> int:
    counts = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
    if made.counts:
        target[...] = np.arange(target.shape[1]) < counts[:, None] if made.column.shape else counts
        return 0
    flat = values.flatten()
    if flat.null_count and not pa.types.is_floating(flat.type):
        return min(int(flat.null_count), len(values))
    target[...] = pad(in_memory(flat.to_numpy(zero_copy_only=False), where), counts, target.shape[1])
    return 0


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _describe(file: Any, field: Any) -> tuple[Column, tuple[int, ...]] | str:
    leaf = field.type
    while _is_list(leaf):
        leaf = leaf.value_type
    dtype = _memory(leaf)
    if dtype is None:
        return f"its type is {field.type}"
    stored = _stored_shape(file, field)
    text = (field.metadata or {}).get(b"shape")
    if text is None:
        return Column(dtype, stored), stored
    declared = _declared_shape(text)
    if declared is None or math.prod(declared) != math.prod(stored):
        found = text.decode(errors="replace")
        return f"its metadata tell the shape {found}, but a list has {math.prod(stored)} values"
    return Column(dtype, declared), stored


def _declared_shape(text: bytes) -> tuple[int, ...] | None:
    try:
        shape = json.loads(text)
    except ValueError:
        return None
    whole = isinstance(shape, list) and all(isinstance(n, int) and n >= 0 for n in shape)
    return tuple(shape) if whole else None


def _memory(leaf: Any) -> np.dtype[Any] | None:
    is_number = pa.types.is_integer(leaf) or pa.types.is_floating(leaf) or pa.types.is_boolean(leaf)
    return memory_dtype(np.dtype(leaf.to_pandas_dtype())) if is_number else None


def _stored_shape(file: Any, field: Any) -> tuple[int, ...]:
    shape: list[int] = []
    kind = field.type
    while pa.types.is_fixed_size_list(kind):
        shape.append(kind.list_size)
        kind = kind.value_type
    return _first_shape(file, field.name) if _is_list(kind) else tuple(shape)


def _first_shape(file: Any, name: str) -> tuple[int, ...]:
    # A list without a fixed size tells its length in the data only: the first event decides, reading checks
    # the rest.
    values = next(file.iter_batches(batch_size=1, columns=[name]), None)
    shape: list[int] = []
    array = pa.array([]) if values is None else values.column(name)
    while _is_list(array.type):
        rows, array = len(array), array.flatten()
        shape.append(len(array) // max(rows, 1))
    return tuple(shape)


def _flatten(values: Any, lengths: tuple[int, ...]) -> tuple[Any, int]:
    events = len(values)
    for length in lengths:
        found = pc.fill_null(pc.list_value_length(values), -1).to_numpy(zero_copy_only=False)
        if wrong := int((found != length).sum()):
            return values, min(wrong, events)
        values = values.flatten()
    nulls = 0 if pa.types.is_floating(values.type) else values.null_count
    return values, min(nulls, events)
