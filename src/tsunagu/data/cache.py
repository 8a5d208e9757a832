"""The folder of mapped columns: one ``.npy`` file for each, and beside it a note of what it is.

Notable decisions: a column is found by what it is made of (its files, recipe and replaced NaN), so that studies share
it whatever they call it; its note is written after it, so that what has a note is whole; and the note holds the
digest, so that the fingerprint of a table larger than memory needs no second pass over it. The folder may be deleted at
any time when no study runs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

from tsunagu.data.mapped import NpyWriter, map_npy
from tsunagu.data.source import Array, Column, Source
from tsunagu.data.stored import Stored
from tsunagu.errors import DataError, ResumeError
from tsunagu.files import write_bytes

__all__ = ["Cache", "ColumnWriter", "cache_folder"]

FORMAT = 1
"""Raised when columns are made in another way, so that older ones are not found."""


@final
class Cache:
    """Mapped columns of one list of files.

    Args:
        folder: of these files only.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, key: str, rows: int, column: Column) -> tuple[Stored, Any] | None:
        """A column that was kept before, and what was noted about it.

        Args:
            key: what it is made of.
            rows: number of events.
            column: dtype and shape.
        """
        path = self._path(key)
        note = _read(path.with_suffix(".json"))
        if note.get("key") != key or not isinstance(note.get("digest"), str):
            return None
        array = map_npy(path, rows, column)
        return None if array is None else (Stored(array=array, key=key, known=note["digest"]), note["about"])

    def keep(self, key: str, rows: int, column: Column, pieces: Iterable[Array]) -> Stored:
        """A column, found or made of its pieces; a :data:`~tsunagu.data.stored.Keep`."""
        found = self.find(key, rows, column)
        return self.write(key, rows, column, pieces, {}) if found is None else found[0]

    def write(
        self, key: str, rows: int, column: Column, pieces: Iterable[Array], about: Mapping[str, Any]
    ) -> Stored:
        """Write a column and map it.

        Args:
            key: what it is made of.
            rows: number of events.
            column: dtype and shape.
            pieces: ``[N, ...]`` each, in the order of the events.
            about: a note for who finds it; may be filled in by the pieces.

        Raises:
            DataError: the file cannot be written; and whatever the pieces raise.
        """
        with self.begin(key, rows, column) as writer:
            for piece in pieces:
                writer.add(piece)
            return writer.finish(about)

    @contextmanager
    def begin(self, key: str, rows: int, column: Column) -> Iterator[ColumnWriter]:
        """Write a column piece by piece; what is not finished inside the block leaves nothing behind."""
        writer = ColumnWriter(self._path(key), key, rows, column)
        try:
            yield writer
        finally:
            writer.drop()

    def _path(self, key: str) -> Path:
        words = "-".join(re.findall(r"\w+", key, re.ASCII))[:40]
        return self.folder / f"{words}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"


@final
class ColumnWriter:
    """A column of a cache while it is written; made by :meth:`Cache.begin`."""

    def __init__(self, path: Path, key: str, rows: int, column: Column) -> None:
        self._path, self._key, self._rows, self._column = path, key, rows, column
        self._writer = NpyWriter(path, rows, column)
        self.add, self.drop = self._writer.add, self._writer.drop

    def finish(self, about: Mapping[str, Any]) -> Stored:
        """Keep it with a note, and map it.

        Raises:
            DataError: the file cannot be written.
        """
        digest = self._writer.finish()
        try:
            note = {"key": self._key, "digest": digest, "about": dict(about)}
            write_bytes(self._path.with_suffix(".json"), json.dumps(note, indent=1).encode())
        except ResumeError as error:
            raise DataError(str(error)) from error
        array = map_npy(self._path, self._rows, self._column)
        if array is None:
            message = f"{self._path}: was changed or removed while it was being written"
            raise DataError(message)
        return Stored(array=array, key=self._key, known=digest)


def cache_folder(sources: Sequence[Source], cache: Path | None) -> Path | None:
    """The folder for the columns of these files: another one after any file has changed.

    Args:
        sources: the files.
        cache: the folder that holds it; None for ``<first file>.columns`` beside that file.

    Returns:
        None if a source is no file: what is in memory already is not mapped.

    >>> from tsunagu.data import ArraySource
    >>> cache_folder([ArraySource({})], None)
    """
    paths = [source.path.resolve() for source in sources if source.path is not None]
    if not paths or len(paths) < len(sources):
        return None
    files = [
        (
            str(path),
            path.stat().st_size,
            path.stat().st_mtime_ns,
            *([source.treatment] if source.treatment else []),
        )
        for path, source in zip(paths, sources, strict=True)
    ]
    name = hashlib.sha256(json.dumps([FORMAT, files]).encode()).hexdigest()[:16]
    return (cache or paths[0].with_name(f"{paths[0].name}.columns")) / name


def _read(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) and isinstance(note.get("about"), dict) else {}
