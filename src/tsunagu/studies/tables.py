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
from tsunagu.files import write_bytes
from tsunagu.spec import LossTerm, Study, Task
from tsunagu.studies.baselines import Baseline
from tsunagu.studies.plan import Planned
from tsunagu.trials import Result, metric_names

__all__ = ["Row", "write_results", "write_summary"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A finished trial and what it was planned as."""

    planned: Planned
    result: Result


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
        "name": study.name or path.resolve().parent.name,
        "metric": next(iter(metric_names(study.pipeline))),
        "metrics": {short: str(call) for short, call in metric_names(study.pipeline).items()},
        "outputs": {
            task.output: _output(name, task, task.losses[0], table)
            for name, task in study.tasks.items()
            if task.losses
        },
        "events": {kind: len(getattr(split, kind)) for kind in ("train", "validation", "test")},
        "table": {"files": list(table.files), "fingerprint": table.fingerprint},
        "methods": [
            _method(method, [row for row in rows if row.planned.method == method]) for method in methods
        ],
        "baselines": [{"method": b.method, "metrics": dict(b.metrics)} for b in baselines],
    }
    write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def _output(name: str, task: Task, loss: LossTerm, table: Table) -> dict[str, object]:
    """What a report needs to know of an output; ``before`` is the input column that it improves on, if there is one."""
    inputs = list(task.inputs.values() if isinstance(task.inputs, Mapping) else task.inputs)
    alike = [column for column in inputs if _is_like(table, column, str(loss.target))]
    return {"task": name, "loss": loss.key, "target": loss.target, "before": alike[0] if alike else None}


def _is_like(table: Table, column: str, target: str) -> bool:
    """Whether a column holds the same objects as the target: ``[E, N, F or more]`` beside ``[E, N, F]``."""
    if column not in table.columns:
        return False
    own, wanted = table.columns[column].shape[1:], table.columns[target].shape[1:]
    return len(own) == len(wanted) > 1 and own[:-1] == wanted[:-1] and own[-1] >= wanted[-1]


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
