"""Flat branches of a ROOT TTree as columns, and new branches beside them. Needs the extra ``tsunagu[root]``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np

from tsunagu.data import Column, Source
from tsunagu.data.source import Array, in_memory, memory_dtype
from tsunagu.errors import DataError, TsunaguError, did_you_mean

__all__ = ["TreeSource", "add_branches", "write_friend"]

FRIEND = "scores"
"""The tree of a friend file."""


@final
class TreeSource(Source):
    """One TTree: branches of numbers, one or a fixed number of them for each event.

    Args:
        path: of the file.
        tree: its name; the only one of the file by default.

    Raises:
        DataError: no ROOT file, or there is no such tree, or there are several.
        TsunaguError: uproot is not installed.
    """

    def __init__(self, path: Path, tree: str | None = None) -> None:
        with _reading(path), _uproot().open(path) as file:
            trees = sorted({key.split(";")[0] for key, kind in file.classnames().items() if kind == "TTree"})
            self.tree = _chosen(path, trees, tree)
            own = file[self.tree]
            found = {name: _describe(own[name]) for name in own.keys(recursive=False)}
            self._rows = int(own.num_entries)
        unreadable = {name: reason for name, reason in found.items() if isinstance(reason, str)}
        super().__init__(f"{path}:{self.tree}", unreadable, path)
        self._columns = {name: column for name, column in found.items() if isinstance(column, Column)}
        self._path = path

    def names(self) -> dict[str, Column]:
        """The branches that can be read."""
        return dict(self._columns)

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """Read these branches and no others."""
        parts = list(self.pieces(names, max(1, self._rows)))
        return {
            n: parts[0][n] if parts else np.empty((0, *self._columns[n].shape), self._columns[n].dtype)
            for n in names
        }

    def rows(self, name: str) -> int:  # noqa: ARG002 - a tree has one number for all its branches
        """The number of events."""
        return self._rows

    def pieces(self, names: Sequence[str], most: int) -> Iterator[dict[str, Array]]:
        """Read these branches, so many events at a time."""
        with _reading(self._path), _uproot().open(self._path) as file:
            for start in range(0, self._rows, most):
                stop = min(start + most, self._rows)
                read = file[self.tree].arrays(list(names), library="np", entry_start=start, entry_stop=stop)
                yield {n: in_memory(_native(read[n]), f"{self.name}: branch '{n}'") for n in names}


def add_branches(path: Path, tree: str, columns: Mapping[str, Array]) -> bool:
    """Put new branches into a tree of a file, in place; whether uproot can. If it cannot, the file may be damaged.

    Args:
        path: of the file, a copy.
        tree: its name.
        columns: ``[E, ...]`` by name.
    """
    uproot = _uproot()
    try:
        with uproot.update(path) as file:
            file[tree].add_branches(dict(columns))
        with uproot.open(path) as file:
            back = file[tree].arrays(list(columns), library="np")
    except Exception:  # noqa: BLE001 - uproot has many ways to say that a tree is not of its own kind
        return False
    return all(np.array_equal(back[name], values, equal_nan=True) for name, values in columns.items())


def write_friend(path: Path, columns: Mapping[str, Array]) -> None:
    """A file with nothing but these branches, in the order of the events: ``tree->AddFriend("scores", file)``."""
    with _uproot().recreate(path) as file:
        file.mktree(FRIEND, {name: np.dtype((a.dtype, a.shape[1:])) for name, a in columns.items()})
        file[FRIEND].extend(dict(columns))


def _uproot() -> Any:
    try:
        import uproot
    except ImportError as error:
        msg = "ROOT files need a further package: pip install 'tsunagu[root]'"
        raise TsunaguError(msg) from error
    return uproot


@final
class _reading:
    """Errors of uproot as ours, with the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, TsunaguError):
            reason = " ".join(str(error).split())[:200]
            msg = f"{self._path}: cannot be read as a ROOT file: {reason or type(error).__name__}"
            raise DataError(msg) from error


def _chosen(path: Path, trees: Sequence[str], wanted: str | None) -> str:
    if wanted is not None and wanted not in trees:
        msg = f"{path}: no tree '{wanted}'{did_you_mean(wanted, trees)}"
        raise DataError(msg)
    if wanted is None and len(trees) != 1:
        found = (
            f"has {len(trees)} trees ({', '.join(trees)}); say which with --tree" if trees else "has no TTree"
        )
        msg = f"{path}: {found}"
        raise DataError(msg)
    return wanted or trees[0]


def _describe(branch: Any) -> Column | str:
    kind = getattr(branch.interpretation, "to_dtype", None)
    if kind is None:
        return f"its type is {branch.typename}, not a fixed number of numbers"
    leaf, shape = kind.subdtype or (kind, ())
    dtype = memory_dtype(leaf.newbyteorder("="))
    return f"its type is {branch.typename}" if dtype is None else Column(dtype, tuple(shape))


def _native(array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder("="), copy=False)
