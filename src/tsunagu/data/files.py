"""From what the user wrote as ``files`` to opened sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tsunagu.data.npz import NpzSource
from tsunagu.data.parquet import ParquetSource
from tsunagu.data.source import Source
from tsunagu.errors import DataError, did_you_mean

__all__ = ["FileLike", "find_files", "listed", "open_source", "open_sources"]

FileLike = str | Path | Source

_READERS: dict[str, Callable[[Path], Source]] = {
    ".npz": NpzSource,
    ".parquet": ParquetSource,
    ".pq": ParquetSource,
}


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


def open_source(path: Path) -> Source:
    """The reader for a file, chosen by its ending.

    Raises:
        DataError: an ending that no reader knows, or a file that its reader cannot read.

    >>> open_source(Path("events.csv"))
    Traceback (most recent call last):
    tsunagu.errors.DataError: events.csv: no reader for the ending '.csv' (valid: .npz, .parquet, .pq)
    """
    reader = _READERS.get(path.suffix)
    if reader is None:
        message = f"{path}: no reader for the ending '{path.suffix}'{did_you_mean(path.suffix, _READERS)}"
        raise DataError(message)
    return reader(path)


def open_sources(files: FileLike | Sequence[FileLike]) -> list[Source]:
    """Open every file once, in the order they are written down; the files of a glob in alphabetical order.

    Raises:
        DataError: everything that is wrong with the files, one line each.

    >>> from tsunagu.data import ArraySource
    >>> [source.name for source in open_sources(ArraySource({}, "memory"))]
    ['memory']
    """
    wanted = [files] if isinstance(files, str | Path | Source) else list(files)
    found: dict[Path | Source, Source] = {}
    problems: list[str] = [] if wanted else ["no file is named"]
    for item in wanted:
        try:
            for file in [item] if isinstance(item, Source) else find_files(item):
                found[file] = found.get(file) or (file if isinstance(file, Source) else open_source(file))
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n".join(problems))
    return list(found.values())


def listed(names: Sequence[str], most: int = 3) -> str:
    """File names for a message.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


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
