"""The tables of a study: ``results.csv``, one row a trial, and ``summary.json``, what a reader of it needs to know."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tsunagu.data import Table
from tsunagu.spec import Study
from tsunagu.studies.plan import Planned
from tsunagu.trials import Result, metric_names, write_bytes

__all__ = ["Baseline", "Row", "write_results", "write_summary"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A finished trial and what it was planned as."""

    planned: Planned
    result: Result


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A number to beat: a metric of a column that is read off the table."""

    method: str
    metrics: Mapping[str, float]


def write_results(path: Path, rows: Sequence[Row], baselines: Sequence[Baseline]) -> None:
    """The tidy table: method, seed, varied labels, chosen options (``choice:LABEL``), metrics, seconds, digest."""
    records = [_record(row) for row in rows] + [{"method": b.method, **b.metrics} for b in baselines]
    names = dict.fromkeys(name for record in records for name in record)
    first, last = ["method", "seed"], ["seconds", "digest"]
    fields = [*first, *(name for name in names if name not in first + last), *last]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=fields, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(records)
    write_bytes(path, text.getvalue().encode())


def write_summary(
    path: Path, study: Study, rows: Sequence[Row], baselines: Sequence[Baseline], table: Table
) -> None:
    """What was run and what came of it, for programs: methods with mean, spread and every seed's value."""
    split = table.split(study.data.folds)
    methods = list(dict.fromkeys(row.planned.method for row in rows))
    content = {
        "metric": next(iter(metric_names(study.pipeline))),
        "outputs": {
            task.output: {"task": name, "loss": task.losses[0].key, "target": task.losses[0].target}
            for name, task in study.tasks.items()
        },
        "events": {kind: len(getattr(split, kind)) for kind in ("train", "validation", "test")},
        "table": {"files": list(table.files), "fingerprint": table.fingerprint},
        "methods": [
            _method(method, [row for row in rows if row.planned.method == method]) for method in methods
        ],
        "baselines": [{"method": b.method, "metrics": dict(b.metrics)} for b in baselines],
    }
    write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def _record(row: Row) -> dict[str, object]:
    result, planned = row.result, row.planned
    return {
        "method": planned.method,
        "seed": result.seed,
        **(planned.labels if len(planned.labels) > 1 else {}),
        **{f"choice:{label}": option for label, option in result.architecture.items()},
        **result.metrics,
        "seconds": result.seconds,
        "digest": result.digest,
    }


def _method(method: str, rows: Sequence[Row]) -> dict[str, object]:
    names = list(rows[0].result.metrics)
    return {
        "method": method,
        "trials": [row.result.digest for row in rows],
        "metrics": {name: _spread([row.result.metrics[name] for row in rows]) for name in names},
        "seconds": sum(row.result.seconds for row in rows),
    }


def _spread(values: Sequence[float]) -> dict[str, object]:
    # The standard deviation of one value is not known, which is not the same as 0.
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "deviation": deviation, "values": list(values)}
