"""From what the user wrote as ``files`` to opened sources."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from tsunagu.data.csv import CsvSource
from tsunagu.data.hdf5 import Hdf5Source
from tsunagu.data.jagged import Objects
from tsunagu.data.listing import listed
from tsunagu.data.npz import NpzSource
from tsunagu.data.parquet import ParquetSource
from tsunagu.data.root import RootSource
from tsunagu.data.source import Source
from tsunagu.errors import DataError, did_you_mean

__all__ = ["FileLike", "find_files", "listed", "open_source", "open_sources", "split_place"]

FileLike = str | Path | Source

# With the tree or group in the file, and how many objects are kept; many formats have neither.
_READERS: dict[str, Callable[[Path, str | None, Objects], Source]] = {
    ".npz": lambda path, _, __: NpzSource(path),
    ".parquet": lambda path, _, objects: ParquetSource(path, objects),
    ".pq": lambda path, _, objects: ParquetSource(path, objects),
    ".root": RootSource,
    ".h5": Hdf5Source,
    ".hdf5": Hdf5Source,
    ".csv": lambda path, _, __: CsvSource(path),
    ".tsv": lambda path, _, __: CsvSource(path),
}
_PLACE = re.compile(r"(.*\.(?:root|h5|hdf5)):(.+)", re.DOTALL)


def split_place(name: str | Path) -> tuple[str, str | None]:
    """A file or glob, and the tree or group that is named behind it.

    >>> split_place("mc/*.root:Events"), split_place("a.parquet")
    (('mc/*.root', 'Events'), ('a.parquet', None))
    """
    found = _PLACE.fullmatch(str(name))
    return (found[1], found[2]) if found else (str(name), None)


def find_files(pattern: str | Path) -> list[Path]:
    """The files that a path or a glob means (``**`` goes into folders), sorted.

    Args:
        pattern: ``~`` is the home folder; a path that exists is never taken for a glob.

    Raises:
        DataError: none matches; the message names the nearest file.

    >>> find_files("no_such_folder/*.npz")
    Traceback (most recent call last):
    tsunagu.errors.DataError: no file matches 'no_such_folder/*.npz': there is no folder 'no_such_folder'
    """
    path = Path(pattern).expanduser()
    if path.is_file():
        return [path]
    files = sorted(
        file for file in Path(path.anchor).glob(str(path.relative_to(path.anchor))) if file.is_file()
    )
    if not files:
        raise DataError(_no_match(path))
    return files


def open_source(path: Path, tree: str | None = None, objects: Objects | None = None) -> Source:
    """The reader for a file, chosen by its ending.

    Args:
        path: of the file.
        tree: in a ROOT file, or the group in an HDF5 file; None for the only one.
        objects: for a kind of object whose number differs between events, how many are kept, such as ``{"Jet": 4}``.

    Raises:
        DataError: an ending that no reader knows, or a file that its reader cannot read.

    >>> open_source(Path("events.prquet"))
    Traceback (most recent call last):
    tsunagu.errors.DataError: events.prquet: no reader for the ending '.prquet' (did you mean '.parquet'?)
    """
    reader = _READERS.get(path.suffix)
    if reader is None:
        message = f"{path}: no reader for the ending '{path.suffix}'{did_you_mean(path.suffix, _READERS)}"
        raise DataError(message)
    return reader(path, tree, objects or {})


def open_sources(
    files: FileLike | Sequence[FileLike], tree: str | None = None, objects: Objects | None = None
) -> list[Source]:
    """Open every file once, in the order they are written down; the files of a glob in alphabetical order.

    Args:
        files: paths and globs, also with a tree behind them (``mc/*.root:Events``), and sources.
        tree, objects: see :func:`open_source`.

    Raises:
        DataError: everything that is wrong with the files, one line each.

    >>> from tsunagu.data import ArraySource
    >>> [source.name for source in open_sources(ArraySource({}, "memory"))]
    ['memory']
    """
    wanted = [files] if isinstance(files, str | Path | Source) else list(files)
    found: dict[tuple[Path, str | None] | Source, Source] = {}
    problems: list[str] = [] if wanted else ["no file is named"]
    for item in wanted:
        if isinstance(item, Source):
            found[item] = item
            continue
        pattern, place = split_place(item)
        for file in _found(pattern, problems):
            if (file, place or tree) not in found:
                _open(file, place or tree, objects, found, problems)
    if problems:
        raise DataError("\n".join(problems))
    return list(found.values())


def _found(pattern: str, problems: list[str]) -> list[Path]:
    try:
        return find_files(pattern)
    except DataError as error:
        problems.append(str(error))
        return []


def _open(
    file: Path,
    tree: str | None,
    objects: Objects | None,
    found: dict[tuple[Path, str | None] | Source, Source],
    problems: list[str],
) -> None:
    try:
        found[file, tree] = open_source(file, tree, objects)
    except DataError as error:
        problems.append(str(error))


def _no_match(path: Path) -> str:
    if path.is_dir():
        endings = sorted({file.suffix for file in path.glob("*")} & _READERS.keys())
        wanted = " or ".join(f"'{path}/*{ending}'" for ending in endings)
        return f"'{path}' is a folder{f'; write {wanted}' if wanted else ' without event files'}"
    folder = path.parent
    if not folder.is_dir() and not any(letter in str(folder) for letter in "*?["):
        return f"no file matches '{path}': there is no folder '{folder}'"
    near = [str(file) for file in folder.glob("*") if file.suffix in _READERS]
    return f"no file matches '{path}'{did_you_mean(str(path), near, most=4)}"
