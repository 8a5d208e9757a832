"""New columns into a copy of an event file: whole or not at all."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tsunagu.data import RootSource
from tsunagu.data.source import Array
from tsunagu.errors import DataError, ResumeError, TsunaguError
from tsunagu.export.branches import add_branches, write_friend
from tsunagu.export.reading import EventFile
from tsunagu.export.tables import write_csv, write_hdf5

__all__ = ["ENDINGS", "can_write", "target_of", "write_with"]

Columns = Mapping[str, Array]
FRIEND = ".friend.root"


def can_write(path: Path) -> bool:
    """Whether columns can be written into files of this ending.

    >>> can_write(Path("events.parquet")), can_write(Path("events.txt"))
    (True, False)
    """
    return path.suffix in ENDINGS


def target_of(path: Path) -> tuple[Path, Path]:
    """The file that is written for a target, and the friend file that takes its place where it cannot be."""
    return path, path.with_name(path.stem + FRIEND)


def write_with(events: EventFile, path: Path, columns: Columns, number: Array | None) -> Path:
    """Write a copy of a file with further columns, under a temporary name first.

    Args:
        events: the file.
        path: of the copy.
        columns: ``[E, ...]`` by name, none of which the file has.
        number: ``[E]`` event numbers, for a friend tree where a ROOT file cannot take new branches.

    Returns:
        What was written: ``path``, or a friend file ``<name>.friend.root`` beside it.

    Raises:
        DataError: a column of such a name is there already, or a file of this kind cannot hold it.
        ResumeError: it cannot be written; nothing is left behind.
    """
    known = {*events.file.names(), *events.file.unreadable}
    if lines := [f"{events.path}: there is a column '{name}' already" for name in columns if name in known]:
        raise DataError("\n".join([*lines, "give the new ones another name with --prefix"]))
    with _part(path) as part:
        if isinstance(events.file, RootSource):
            return _root(events.path, events.file.tree, path, part, columns, number)
        _WRITERS[events.path.suffix](events, part, columns)
        part.replace(path)
        return path


def _root(source: Path, tree: str, path: Path, part: Path, columns: Columns, number: Array | None) -> Path:
    shutil.copyfile(source, part)
    if add_branches(part, tree, columns):
        part.replace(path)
        return path
    friend = target_of(path)[1]
    write_friend(part, ({} if number is None else {"event_number": number}) | dict(columns))
    part.replace(friend)
    return friend


def _parquet(events: EventFile, part: Path, columns: Columns) -> None:
    """Row group by row group; what is there is decoded and encoded again, and stays the same numbers."""
    with pq.ParquetFile(events.path) as file:
        fields = [_field(name, values) for name, values in columns.items()]
        old = file.schema_arrow
        schema = pa.schema([*old, *fields], metadata=old.metadata)
        codec = _codec(file)
        start = 0
        with pq.ParquetWriter(part, schema, compression=codec) as writer:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                stop = start + table.num_rows
                for field, values in zip(fields, columns.values(), strict=True):
                    table = table.append_column(field, _flat(values[start:stop], field.type))
                writer.write_table(table.cast(schema))
                start = stop


def _codec(file: Any) -> str:
    metadata = file.metadata
    if not metadata.num_row_groups or not metadata.num_columns:
        return "zstd"
    found = str(metadata.row_group(0).column(0).compression).lower()
    return "none" if found == "uncompressed" else found


def _field(name: str, values: Array) -> Any:
    kind = pa.from_numpy_dtype(values.dtype)
    size = int(np.prod(values.shape[1:], dtype=np.int64))
    if values.ndim == 1:
        return pa.field(name, kind)
    shape = str(list(values.shape[1:]))
    return pa.field(name, pa.list_(kind, size), metadata={"shape": shape})


def _flat(values: Array, kind: Any) -> Any:
    flat = pa.array(values.reshape(-1))
    return flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, kind.list_size)


def _npz(events: EventFile, part: Path, columns: Columns) -> None:
    """The archive as it is, and entries more."""
    shutil.copyfile(events.path, part)
    with zipfile.ZipFile(events.path) as archive:
        kinds = {entry.compress_type for entry in archive.infolist()}
    kind = zipfile.ZIP_DEFLATED if kinds - {zipfile.ZIP_STORED} else zipfile.ZIP_STORED
    with zipfile.ZipFile(part, "a", compression=kind) as archive:
        for name, values in columns.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.ascontiguousarray(values), allow_pickle=False)


_WRITERS: dict[str, Callable[[EventFile, Path, Columns], None]] = {
    ".npz": _npz,
    ".parquet": _parquet,
    ".pq": _parquet,
    ".h5": write_hdf5,
    ".hdf5": write_hdf5,
    ".csv": write_csv,
    ".tsv": write_csv,
}
ENDINGS = sorted([*_WRITERS, ".root"])
"""Of files that scores can be written into."""


@contextmanager
def _part(path: Path) -> Iterator[Path]:
    """A temporary name beside a file; what is left under it is removed, and a folder that was made for it."""
    part = path.with_name(f"{path.stem}.{os.getpid()}.part{path.suffix}")
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
    except TsunaguError:
        raise
    except Exception as error:
        # The libraries of five formats raise just anything where a file is damaged or the disk is full.
        text = " ".join(str(error).split())[:200] or type(error).__name__
        msg = f"{path}: cannot be written ({text}); nothing is left of it"
        raise ResumeError(msg) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        with suppress(OSError):
            for folder in made:
                folder.rmdir()  # where it is empty
