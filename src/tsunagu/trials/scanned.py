"""The scans of a trial: made, stored beside it, and read again."""

from __future__ import annotations

import csv
import io
import json
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tsunagu.data import Split, Table
from tsunagu.errors import DataError, Mistake, ResumeError, SpecError, did_you_mean
from tsunagu.files import write_bytes
from tsunagu.losses import Distribution
from tsunagu.metrics import MetricCall
from tsunagu.spec import Folds, digest
from tsunagu.tasks import Conditions, Graph, spread
from tsunagu.train import reseed_for_evaluation, scan
from tsunagu.trials.scan import Scan, metric_rows
from tsunagu.trials.store import write_arrays

__all__ = [
    "events_of",
    "grid",
    "make_scans",
    "place_of",
    "point_of",
    "points_of",
    "read_scan",
    "write_scans",
]

SPLITS = ("validation", "test")
POINTS = {1: 21, 2: 11, 3: 6}
"""Of each condition by how many there are."""
SMALL = 32


def grid(conditions: Conditions, points: int | None = None) -> Tensor:
    """All combinations of the grids of all conditions: ``[K, L]``.

    Args:
        conditions: of a pipeline.
        points: of each; by default fewer for more conditions, 21 for one.
    """
    each = points or POINTS.get(len(conditions.each), 4)
    return spread([declared.distribution.grid(each) for declared in conditions.each])


def points_of(conditions: Conditions, given: Mapping[str, Any]) -> Tensor:
    """What a user asks for, ``[K, L]``: values by condition, the middle of the range for the others.

    Values outside of what has been trained give a warning.

    Raises:
        SpecError: no such condition, or values of another kind.
    """
    names = [declared.name for declared in conditions.each]
    if wrong := [name for name in given if name not in names]:
        found = f"there is no condition '{wrong[0]}'{did_you_mean(wrong[0], names) if names else '; this trial has none'}"
        raise SpecError([Mistake((wrong[0],), found)])
    parts: list[Tensor] = []
    for declared in conditions.each:
        values = (
            declared.values(given[declared.name]) if declared.name in given else declared.distribution.grid(1)
        )
        outside = [row for row in values.tolist() if not declared.distribution.contains(row)]
        if outside:
            found = ", ".join(f"{value:g}" for value in outside[0])
            warnings.warn(
                f"{declared.name} = {found} is outside of what was trained, {_range(declared.distribution)}: the network has "
                "never seen it and may do anything",
                stacklevel=3,
            )
        parts.append(values)
    return spread(parts)


def point_of(conditions: Conditions, given: Mapping[str, Any]) -> tuple[float, ...]:
    """One value of all conditions, as :func:`points_of`.

    Raises:
        SpecError: no such condition, more than one value, or one outside of what is trained.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            values = points_of(conditions, given)
        except UserWarning as outside:
            raise SpecError([Mistake((), str(outside))]) from outside
    if len(values) > 1:
        raise SpecError([Mistake((), f"expected one value of each condition, found {len(values)}")])
    return tuple(values[0].tolist())


def _range(distribution: Distribution) -> str:
    low, high = (float(end) for end in (distribution.grid(2).min(), distribution.grid(2).max()))
    return f"{low:g} to {high:g}" + (", with the sum 1" if distribution.names else "")


def make_scans(
    graph: Graph,
    table: Table,
    split: Split,
    seed: int,
    values: Tensor,
    folder: Path,
    calls: Mapping[str, MetricCall],
) -> dict[str, Scan]:
    """The scans of both splits at ``values [K, L]``.

    Args:
        graph: the trained models.
        table: the events.
        split: which are which.
        seed: of the trial.
        values: the points.
        folder: of the trial, with the columns of its predictions.
        calls: the metrics by their short names.
    """
    arrays: dict[str, NDArray[Any]] = {
        f"condition_{label}": values[:, place].numpy() for place, label in enumerate(graph.conditions.labels)
    }
    for name in SPLITS:
        reseed_for_evaluation(graph, seed)
        made = scan(graph, table, getattr(split, name), values)
        arrays |= {f"{name}_{key}": part.numpy() for key, part in made.items() if part[0, 0].numel() <= SMALL}
    return _scans(arrays, folder, calls)


def write_scans(path: Path, scans: Mapping[str, Scan]) -> None:
    """``scan.npz`` with the predictions, and ``scan.csv`` with the metrics."""
    first = scans[SPLITS[0]]
    arrays = {f"condition_{label}": values for label, values in first.conditions.items()}
    arrays |= {f"{s.split}_{name}": values for s in scans.values() for name, values in s.predictions.items()}
    write_arrays(path.with_suffix(".npz"), arrays)
    rows = [
        {"split": s.split, **s.point(k), **row} for s in scans.values() for k, row in enumerate(s.metrics)
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(path.with_suffix(".csv"), text.getvalue().encode())


def read_scan(path: Path, calls: Mapping[str, MetricCall]) -> dict[str, Scan]:
    """The scans that :func:`write_scans` wrote.

    Raises:
        ResumeError: a file is missing or damaged.
    """
    return _scans(_read(path.with_suffix(".npz")), path.parent, calls)


def events_of(folder: Path, table: Table) -> Split:
    """The split of a trial's events.

    Raises:
        ResumeError: a file is missing or damaged.
        DataError: the table has other events.
    """
    note = folder / "scan.json"
    try:
        folds = Folds(**json.loads(note.read_text(encoding="utf-8"))["folds"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{note}: cannot be read ({error}); run the trial again"
        raise ResumeError(msg) from error
    split, stored = table.split(folds), _read(folder / "predictions.npz")
    for name in SPLITS:
        numbers = table.event_number.index_select(0, getattr(split, name)).cpu().numpy()
        if not np.array_equal(numbers, stored[f"{name}_event_number"]):
            msg = f"{', '.join(table.files) or 'this table'}: not the {name} events of {folder}; open those"
            raise DataError(msg)
    return split


def place_of(folder: Path, values: Tensor) -> Path:
    """Where the scan at ``values [K, L]`` is stored, without a suffix."""
    return folder / f"scan-{digest(values.tolist())[:12]}"


def _scans(
    arrays: Mapping[str, NDArray[Any]], folder: Path, calls: Mapping[str, MetricCall]
) -> dict[str, Scan]:
    stored = _read(folder / "predictions.npz")
    conditions = {n.removeprefix("condition_"): a for n, a in arrays.items() if n.startswith("condition_")}
    made: dict[str, Scan] = {}
    for split in SPLITS:
        predictions = _of_split(arrays, split)
        columns = {n: a for n, a in _of_split(stored, split).items() if n not in predictions}
        bare = Scan(
            split=split,
            conditions=conditions,
            predictions=predictions,
            columns={name: array for name, array in columns.items() if name != "weight"},
            weight=columns["weight"],
            metrics=(),
        )
        rows = metric_rows(calls, bare, made.get("validation", bare))
        made[split] = Scan(**{**vars(bare), "metrics": rows})
    return made


def _of_split(arrays: Mapping[str, NDArray[Any]], split: str) -> dict[str, NDArray[Any]]:
    return {n.removeprefix(f"{split}_"): array for n, array in arrays.items() if n.startswith(f"{split}_")}


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        msg = f"{path}: cannot be read ({error}); run the trial again"
        raise ResumeError(msg) from error
