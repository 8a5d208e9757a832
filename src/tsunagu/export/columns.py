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

from tsunagu.data import Source
from tsunagu.data.source import Array
from tsunagu.errors import DataError, ResumeError, TsunaguError
from tsunagu.export.tree import TreeSource, add_branches, write_friend

__all__ = ["can_write", "target_of", "write_with"]

Columns = Mapping[str, Array]
FRIEND = ".friend.root"


def can_write(path: Path) -> bool:
    """Whether columns can be written into files of this ending.

    >>> can_write(Path("events.parquet")), can_write(Path("events.csv"))
    (True, False)
    """
    return path.suffix in _WRITERS


def target_of(path: Path) -> tuple[Path, Path]:
    """The file that is written for a target, and the friend file that takes its place where it cannot be."""
    return path, path.with_name(path.stem + FRIEND)


def write_with(source: Source, path: Path, columns: Columns, number: Array | None) -> Path:
    """Write a copy of a file with further columns, under a temporary name first.

    Args:
        source: of the file.
        path: of the copy.
        columns: ``[E, ...]`` by name, none of which the file has.
        number: ``[E]`` event numbers, for a friend tree where a ROOT file cannot take new branches.

    Returns:
        What was written: ``path``, or a friend file ``<name>.friend.root`` beside it.

    Raises:
        DataError: a column of such a name is there already.
        ResumeError: it cannot be written; nothing is left behind.
    """
    assert source.path is not None
    known = {*source.names(), *source.unreadable}
    if lines := [f"{source.name}: there is a column '{name}' already" for name in columns if name in known]:
        raise DataError("\n".join([*lines, "give the new ones another name with --prefix"]))
    with _part(path) as part:
        if isinstance(source, TreeSource):
            return _root(source, path, part, columns, number)
        _WRITERS[source.path.suffix](source.path, part, columns)
        part.replace(path)
        return path


def _root(source: TreeSource, path: Path, part: Path, columns: Columns, number: Array | None) -> Path:
    assert source.path is not None
    shutil.copyfile(source.path, part)
    if add_branches(part, source.tree, columns):
        part.replace(path)
        return path
    friend = target_of(path)[1]
    write_friend(part, ({} if number is None else {"event_number": number}) | dict(columns))
    part.replace(friend)
    return friend


def _parquet(source: Path, part: Path, columns: Columns) -> None:
    """Row group by row group; what is there is decoded and encoded again, and stays the same numbers."""
    with pq.ParquetFile(source) as file:
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


def _npz(source: Path, part: Path, columns: Columns) -> None:
    """The archive as it is, and entries more."""
    shutil.copyfile(source, part)
    with zipfile.ZipFile(source) as archive:
        kinds = {entry.compress_type for entry in archive.infolist()}
    kind = zipfile.ZIP_DEFLATED if kinds - {zipfile.ZIP_STORED} else zipfile.ZIP_STORED
    with zipfile.ZipFile(part, "a", compression=kind) as archive:
        for name, values in columns.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, np.ascontiguousarray(values), allow_pickle=False)


_WRITERS: dict[str, Callable[[Path, Path, Columns], None]] = {
    ".npz": _npz,
    ".parquet": _parquet,
    ".pq": _parquet,
    ".root": _npz,  # never called: a tree has branches
}


@contextmanager
def _part(path: Path) -> Iterator[Path]:
    """A temporary name beside a file; what is left under it is removed."""
    part = path.with_name(f"{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
    except TsunaguError:
        raise
    except (OSError, ValueError, pa.ArrowException) as error:
        msg = f"{path}: cannot be written ({' '.join(str(error).split())}); nothing is left of it"
        raise ResumeError(msg) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
