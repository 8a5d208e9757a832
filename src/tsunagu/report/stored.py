"""What one finished trial left in its folder; nothing is executed, and arrays are read when they are drawn."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, final

import numpy as np
import yaml
from numpy.typing import NDArray

from tsunagu.errors import DataError, ResumeError, did_you_mean

__all__ = [
    "Array",
    "Row",
    "StoredColumns",
    "StoredTrial",
    "Undrawable",
    "each_drawable",
    "read_rows",
    "read_yaml",
    "unreadable",
]

Array = NDArray[np.float64]
Row = Mapping[str, str]
T = TypeVar("T")
U = TypeVar("U")


class Undrawable(Exception):
    """Why one figure is left out; the other figures are drawn. Never leaves the report."""


@final
@dataclass(frozen=True, kw_only=True)
class StoredColumns:
    """The arrays of an npz file, by ``<split>_<name>``; read when they are first asked for.

    Args:
        path: of the file.
        place: where that is within the study's folder, for notes that stay true when the study is moved.
        remedy: what to do where it cannot be used.
        over: another file, and the point of its first axis that takes the place of columns of this name.
    """

    path: Path
    place: str
    remedy: str
    over: tuple[Path, int] | None = None

    @cached_property
    def columns(self) -> Mapping[str, Array]:
        """All numbers, as float64.

        Raises:
            ResumeError: the file is missing or damaged.
        """
        loaded = self._load(self.path)
        if self.over is not None:
            path, point = self.over
            loaded |= {name: array[point] for name, array in self._load(path).items() if name in loaded}
        return {name: array.astype(np.float64) for name, array in loaded.items() if _is_numeric(array)}

    def _load(self, path: Path) -> dict[str, NDArray[Any]]:
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
            raise ResumeError(unreadable(path, error, self.remedy)) from error

    def take(self, split: str, *names: str) -> list[Array]:
        """Columns of one split, such as ``take("test", "score", "weight")``.

        Raises:
            Undrawable: a column is not there.
            DataError: columns of unlike lengths; the message names file and columns.
        """
        missing = [f"{split}_{name}" for name in names if f"{split}_{name}" not in self.columns]
        if missing:
            near = did_you_mean(missing[0], self.columns)
            msg = f"{self.place} has no column {', '.join(missing)}{near}"
            raise Undrawable(msg)
        found = [self.columns[f"{split}_{name}"] for name in names]
        if len({len(column) for column in found}) > 1:
            counts = ", ".join(f"{split}_{n}: {len(c)}" for n, c in zip(names, found, strict=True))
            msg = f"{self.path}: columns of unlike lengths ({counts}); {self.remedy}"
            raise DataError(msg)
        return found

    def has(self, *names: str) -> bool:
        """Whether the columns are stored for the test events."""
        return all(f"test_{name}" in self.columns for name in names)


@final
@dataclass(frozen=True, kw_only=True)
class StoredTrial:
    """One finished training.

    Args:
        seed: as ``results.csv`` says.
        folder: where its files are.
        fold: the label of its folds, where the study varies them; trials of one fold have the same events.
        point: of the scan along its conditions; None for the middle of their ranges.
    """

    seed: int
    folder: Path
    fold: str = ""
    point: int | None = None

    @property
    def place(self) -> str:
        """Where it is within the study's folder."""
        return f"{self.folder.parent.name}/{self.folder.name}"

    @cached_property
    def predictions(self) -> StoredColumns:
        """The predictions of the validation and the test events, with the columns that a figure needs beside them."""
        return StoredColumns(
            path=self.folder / "predictions.npz",
            place=f"{self.place}/predictions.npz",
            remedy="remove the trial's folder and run the study again",
            over=None if self.point is None else (self.folder / "scan.npz", self.point),
        )

    @cached_property
    def scan(self) -> Mapping[str, Array] | None:
        """Along its conditions, ``condition_<name> [K]`` and ``<split>_<output> [K, E, ...]``; None where it has none.

        Raises:
            ResumeError: the file is damaged.
        """
        path = self.folder / "scan.npz"
        if not path.exists():
            return None
        place, remedy = f"{self.place}/scan.npz", "remove the trial's folder and run the study again"
        return StoredColumns(path=path, place=place, remedy=remedy).columns

    @cached_property
    def scan_rows(self) -> Sequence[Row]:
        """The lines of ``scan.csv``, one for a split and a point; none where it has no condition."""
        path = self.folder / "scan.csv"
        return read_rows(path, ("split",)) if path.exists() else ()

    @cached_property
    def unsupervised(self) -> frozenset[str]:
        """The outputs that no loss looked at: end to end, those that another task reads. They may hold anything."""
        spec = read_yaml(self.folder / "spec.yaml")
        if spec.get("train", {}).get("intermediate", True):
            return frozenset()
        tasks = list(spec.get("tasks", {}).values())
        read = {name for task in tasks for name in _names(task.get("inputs", []))}
        return frozenset(task["output"] for task in tasks) & read

    @cached_property
    def history(self) -> Sequence[Row]:
        """The lines of ``history.csv``, one an epoch; none where nothing learns."""
        needed = ("stage", "epoch", "train_loss", "valid_loss")
        return read_rows(self.folder / "history.csv", needed, least=0)


def each_drawable(draw: Callable[[T], U], items: Sequence[T]) -> tuple[list[U], tuple[str, ...]]:
    """What can be drawn of the items, and why the others cannot.

    Raises:
        Undrawable: none can be.
    """
    drawn: list[U] = []
    reasons: list[str] = []
    for item in items:
        try:
            drawn.append(draw(item))
        except Undrawable as reason:
            reasons.append(str(reason))
    if not drawn:
        raise Undrawable("; ".join(reasons) or "there is no trial")
    return drawn, tuple(reasons)


def read_rows(path: Path, needed: Sequence[str], *, least: int = 1) -> list[Row]:
    """The lines of a CSV file, by column.

    Args:
        path: of the file.
        needed: columns.
        least: lines below the header.

    Raises:
        ResumeError: the file is missing or cannot be read.
        DataError: fewer lines, a needed column is missing, or lines of unlike lengths.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise ResumeError(unreadable(path, error, "run the study first, or again")) from error
    if len(lines) < 1 + least:
        msg = f"{path}: no line of numbers in it; run the study again"
        raise DataError(msg)
    header = lines[0]
    missing = [name for name in needed if name not in header]
    if missing:
        msg = f"{path}: no column {', '.join(missing)}{did_you_mean(missing[0], header)}"
        raise DataError(msg)
    bad = [number for number, cells in enumerate(lines, 1) if len(cells) != len(header)]
    if bad:
        msg = f"{path}:{bad[0]}: {len(lines[bad[0] - 1])} cells where the header has {len(header)}; run the study again"
        raise DataError(msg)
    return [dict(zip(header, cells, strict=True)) for cells in lines[1:]]


def read_yaml(path: Path) -> dict[str, Any]:
    """What a YAML file maps; nothing where there is no file.

    Raises:
        ResumeError: the file cannot be read.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ResumeError(unreadable(path, error, "run the study again")) from error
    return found if isinstance(found, dict) else {}


def unreadable(path: Path, error: Exception, remedy: str) -> str:
    """What is wrong with a file, in one sentence with the remedy."""
    why = "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
    return f"{path}: {why}; {remedy}"


def _names(inputs: Sequence[str] | Mapping[str, str]) -> Sequence[str]:
    return list(inputs.values()) if isinstance(inputs, Mapping) else inputs


def _is_numeric(array: NDArray[Any]) -> bool:
    return array.dtype.kind in "bifu"
