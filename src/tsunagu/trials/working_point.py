"""The models of a finished trial at a working point that is chosen after the training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from tsunagu.data import Table
from tsunagu.errors import Mistake, ResumeError, SpecError
from tsunagu.tasks import Graph
from tsunagu.trials.loading import load_graph, load_pipeline
from tsunagu.trials.path_scan import FILE, PathScan, read_paths
from tsunagu.trials.record import metric_names
from tsunagu.trials.result import Result
from tsunagu.trials.scan import Scan
from tsunagu.trials.scanned import (
    events_of,
    grid,
    make_scans,
    place_of,
    points_of,
    read_scan,
    write_scans,
)

__all__ = ["module_at", "path_scan", "scans_at"]


def module_at(result: Result, conditions: Mapping[str, Any]) -> Graph:
    """The models at one value of the conditions, see :meth:`Result.module`."""
    graph = load_graph(result.path)
    values = points_of(graph.conditions, conditions) if graph.conditions or conditions else None
    if values is None:
        return graph
    if len(values) > 1:
        raise SpecError([Mistake(tuple(conditions), f"a module has one working point, found {len(values)}")])
    return graph.at(values[0]).eval()


def scans_at(
    result: Result, table: Table | None, points: int | None, conditions: Mapping[str, Any]
) -> dict[str, Scan]:
    """The scans of both splits, see :meth:`Result.scan`."""
    graph, calls = load_graph(result.path), metric_names(load_pipeline(result.path))
    if not graph.conditions:
        found = "this trial has no condition that could be scanned; declare one, as {condition: name, log_uniform: [a, b]}"
        raise SpecError([Mistake(("scan",), found)])
    values = points_of(graph.conditions, conditions) if conditions else grid(graph.conditions, points)
    stored = result.path / "scan"
    if values.equal(grid(graph.conditions)):
        return read_scan(stored, calls)
    path = place_of(result.path, values)
    if path.with_suffix(".npz").exists():
        return read_scan(path, calls)
    return _make(result, graph, table, values, path)


def path_scan(result: Result) -> PathScan:
    """The paths of a search along its conditions, see :meth:`Result.paths`."""
    path = result.path / FILE
    if not path.exists():
        msg = f"{result.path}: not the search of a supernet with conditions, so there are no paths along them"
        raise ResumeError(msg)
    return read_paths(path, metric_names(load_pipeline(result.path)))


def _make(result: Result, graph: Graph, table: Table | None, values: Tensor, path: Path) -> dict[str, Scan]:
    if table is None:
        msg = (
            f"{result.path}: these {len(values)} values are not stored yet; hand over the events of the trial, as "
            "result.scan(table, ...), or scan() for those that are"
        )
        raise ResumeError(msg)
    calls = metric_names(load_pipeline(result.path))
    split, graph = events_of(result.path, table), graph.to(table.device)
    made = make_scans(graph, table, split, result.seed, values, result.path, calls)
    write_scans(path, made)
    return made
