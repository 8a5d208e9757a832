"""A method that was trained with conditions, as a method for each point of its scans."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from tsunagu.errors import ResumeError
from tsunagu.report.outcome import Method
from tsunagu.report.stored import Array, Row, StoredTrial, unreadable

__all__ = ["Points", "points_of"]

REMEDY = "run the study again"


@final
@dataclass(frozen=True, kw_only=True)
class Points:
    """The K points of a method's scans.

    Args:
        conditions: ``[K]`` by label, such as ``one_minus_beta`` or ``trade.calibrate``.
        methods: at each point the method, as if it had been trained with these values only.
    """

    conditions: Mapping[str, Array]
    methods: tuple[Method, ...]


def points_of(method: Method) -> Points | None:
    """The points of a method; None where it has no conditions, or trials with other points.

    Raises:
        ResumeError: a scan cannot be read.
    """
    if not method.trials or not all((trial.folder / "scan.csv").exists() for trial in method.trials):
        return None
    tables = [_lines(trial) for trial in method.trials]
    labels = _labels(method.trials[0])
    values = np.array([[float(line[label]) for label in labels] for line in tables[0]])
    if any(len(table) != len(tables[0]) for table in tables):
        return None
    made = [
        replace(
            method,
            rows=tuple(_row(own, table[point]) for own, table in zip(method.rows, tables, strict=True)),
            trials=tuple(replace(trial, point=point) for trial in method.trials),
        )
        for point in range(len(values))
    ]
    return Points(conditions=dict(zip(labels, values.T, strict=True)), methods=tuple(made))


def _lines(trial: StoredTrial) -> list[Row]:
    path = trial.folder / "scan.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [line for line in csv.DictReader(file) if line["split"] == "test"]
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise ResumeError(unreadable(path, error, REMEDY)) from error


def _labels(trial: StoredTrial) -> list[str]:
    with np.load(trial.folder / "scan.npz", allow_pickle=False) as arrays:
        return [name.removeprefix("condition_") for name in arrays.files if name.startswith("condition_")]


def _row(own: Row, line: Row) -> Row:
    return {name: own[name] for name in ("method", "seed", "fold") if name in own} | {
        f"test_{name}": value for name, value in line.items()
    }
