"""New columns into copies of CSV and HDF5 files."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tsunagu.data.source import Array
from tsunagu.errors import DataError
from tsunagu.export.reading import EventFile

__all__ = ["write_csv", "write_hdf5"]

Columns = Mapping[str, Array]
_ROWS = 1 << 16


def write_csv(events: EventFile, part: Path, columns: Columns) -> None:
    """Every line as it is, and further entries behind it.

    Raises:
        DataError: a column that is more than one number for each event.
    """
    if wide := [name for name, values in columns.items() if values.ndim > 1]:
        msg = f"{events.path}: '{wide[0]}' is several numbers, and an entry of CSV is one; choose others with --output"
        raise DataError(msg)
    delimiter = "\t" if events.path.suffix == ".tsv" else ","
    rows = zip(*(_texts(values) for values in columns.values()), strict=True)
    with events.path.open("rb") as old, part.open("wb") as new:
        head = old.readline()
        new.write(_longer(head, [*columns], delimiter))
        for line in old:
            new.write(_longer(line, next(rows), delimiter) if line.strip() else line)
    if next(rows, None) is not None:
        msg = f"{events.path}: has fewer lines than events; an entry has a line break in it, which cannot be copied"
        raise DataError(msg)


def _texts(values: Array) -> Iterator[str]:
    return map(str, values)  # numpy's shortest form that reads as the same number


def _longer(line: bytes, entries: Any, delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="").writerow(entries)
    end = line[len(line.rstrip(b"\r\n")) :]
    return line.rstrip(b"\r\n") + delimiter.encode() + text.getvalue().encode() + end


def write_hdf5(events: EventFile, part: Path, columns: Columns) -> None:
    """Datasets beside those of the file, or fields more in a dataset that has fields."""
    import h5py

    shutil.copyfile(events.path, part)
    with h5py.File(part, "r+") as file:
        root = file[events.place or "/"]
        table = root if isinstance(root, h5py.Dataset) else _only_table(root)
        if table is not None:
            _with_fields(file, table, columns)
            return
        for name, values in columns.items():
            root.create_dataset(name, data=values)


def _only_table(group: Any) -> Any:
    """The dataset with fields, where a group holds nothing else: its fields are the columns."""
    import h5py

    found: list[Any] = []
    group.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    return found[0] if len(found) == 1 and found[0].dtype.names else None


def _with_fields(file: Any, table: Any, columns: Columns) -> None:
    kinds: list[Any] = [(name, table.dtype.fields[name][0]) for name in table.dtype.names]
    kinds += [(name, values.dtype, values.shape[1:]) for name, values in columns.items()]
    place, attributes = table.name, dict(table.attrs)
    wide = file.create_dataset(f"{place}.part", table.shape, np.dtype(kinds), chunks=True)
    for start in range(0, len(table), _ROWS):
        rows = slice(start, start + _ROWS)
        old = table[rows]
        new = np.empty(len(old), wide.dtype)
        for name in old.dtype.names:
            new[name] = old[name]
        for name, values in columns.items():
            new[name] = values[rows]
        wide[rows] = new
    wide.attrs.update(attributes)
    del file[place]
    file.move(f"{place}.part", place)
