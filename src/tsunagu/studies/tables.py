"""The tables of a study: ``results.csv``, ``chosen.csv`` and ``summary.json``.

The first has one row a trial; the second the best architecture of each method and seed; the third what a reader of both
needs to know, with every seed's value.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from tsunagu.data import Table
from tsunagu.files import write_bytes
from tsunagu.spec import LossTerm, Study, Task
from tsunagu.studies.baselines import Baseline
from tsunagu.studies.plan import Planned, method_labels
from tsunagu.studies.selection import Selected, select
from tsunagu.studies.statistics import LEVEL, Spread, compare
from tsunagu.trials import Result, metric_names

__all__ = ["Row", "write_chosen", "write_results", "write_summary"]

Place = tuple[int, str]
"""Seed and fold: the trials of two methods at one place met the same events in the same order."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A finished trial and what it was planned as."""

    planned: Planned
    result: Result

    @property
    def place(self) -> Place:
        """Its seed and its fold."""
        return self.result.seed, self.planned.fold

    @property
    def architecture(self) -> Mapping[str, str]:
        """The options that its method took; another method may come to the same trial without a choice."""
        return self.planned.trial.architecture


def write_results(path: Path, rows: Sequence[Row], baselines: Sequence[Baseline]) -> None:
    """The tidy table: method, seed, fold and labels where varied, chosen options, metrics, seconds, digest."""
    plain = [{"method": b.method, **_fold(b.fold), **b.metrics} for b in baselines]
    _write_csv(path, [_record(row) for row in rows] + plain)


def write_chosen(path: Path, study: Study, rows: Sequence[Row]) -> None:
    """One row a method, seed and fold: the architecture that is best by the study's metric on the validation events.

    Its columns are those of ``results.csv``, and ``tried``, the number of architectures it was chosen from; ``seconds``
    is the time of all of them. A study without choices has no such file.
    """
    if not any(row.architecture for row in rows):
        path.unlink(missing_ok=True)  # of an earlier form of the study
        return
    found = [(each, each.item) for each in _chosen(study, rows)]
    _write_csv(path, [_record(item) | _effort(each.tried) for each, item in found if item is not None])


def write_summary(
    path: Path, study: Study, rows: Sequence[Row], baselines: Sequence[Baseline], table: Table
) -> None:
    """What was run and what came of it, for programs; beside it ``chosen.csv``, if the study leaves choices open.

    A method is its chosen trials, one for each seed and fold, and below it all architectures that were tried.
    """
    write_chosen(path.with_name("chosen.csv"), study, rows)
    split = table.split(study.data.folds)
    calls = metric_names(study.pipeline)
    methods = list(dict.fromkeys(row.planned.method for row in rows))
    tried = {name: [row for row in rows if row.planned.method == name] for name in methods}
    chosen = {name: [e.item for e in _chosen(study, tried[name]) if e.item is not None] for name in methods}
    content = {
        "name": study.name or path.resolve().parent.name,
        "metric": next(iter(calls)),
        "metrics": {short: str(call) for short, call in calls.items()},
        "outputs": {
            task.output: _output(name, task, task.losses[0], table)
            for name, task in study.tasks.items()
            if task.losses
        },
        "events": {kind: len(getattr(split, kind)) for kind in ("train", "validation", "test")},
        "table": {"files": list(table.files), "fingerprint": table.fingerprint},
        "methods": [_method(name, chosen[name], tried[name]) for name in methods],
        "baselines": [{"method": b.method, **_fold(b.fold), "metrics": dict(b.metrics)} for b in baselines],
        "comparisons": _comparisons(study, chosen),
    }
    write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def _write_csv(path: Path, records: Sequence[Mapping[str, object]]) -> None:
    names = dict.fromkeys(name for record in records for name in record)
    first, last = ["method", "seed"], ["tried"] * ("tried" in names) + ["seconds", "digest"]
    fields = [*first, *(name for name in names if name not in first + last), *last]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=fields, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(records)
    write_bytes(path, text.getvalue().encode())


def _chosen(study: Study, rows: Sequence[Row]) -> list[Selected[Row]]:
    short, call = next(iter(metric_names(study.pipeline).items()))
    column = f"validation_{short}"
    return select(
        rows, lambda row: (row.planned.method, row.place), lambda row: call.cost(row.result.metrics[column])
    )


def _effort(tried: Sequence[Row]) -> dict[str, object]:
    return {"tried": len(tried), "seconds": sum(row.result.seconds for row in tried)}


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
    labels = method_labels(planned.labels)
    return {
        "method": planned.method,
        "seed": result.seed,
        **_fold(planned.fold),
        **(labels if len(labels) > 1 else {}),
        **{f"choice:{label}": option for label, option in row.architecture.items()},
        **result.metrics,
        "seconds": result.seconds,
        "digest": result.digest,
    }


def _fold(label: str) -> dict[str, str]:
    return {"fold": label} if label else {}


def _method(method: str, chosen: Sequence[Row], tried: Sequence[Row]) -> dict[str, object]:
    content = {"method": method, **_numbers(chosen), **_effort(tried)}
    if counts := _counts(chosen):
        content |= {"choices": counts}
    if len(tried) > len(chosen):
        content |= {"architectures": _architectures(tried)}
    return content


def _architectures(tried: Sequence[Row]) -> list[dict[str, object]]:
    groups: dict[tuple[tuple[str, str], ...], list[Row]] = {}
    for row in tried:
        groups.setdefault(tuple(row.architecture.items()), []).append(row)
    return [{"architecture": dict(own), **_numbers(rows)} for own, rows in groups.items()]


def _numbers(rows: Sequence[Row]) -> dict[str, object]:
    """Seeds, folds, trials and metrics, all in one order."""
    names = list(rows[0].result.metrics) if rows else []
    folds = [row.planned.fold for row in rows]
    return {
        "seeds": [row.result.seed for row in rows],
        **({"folds": folds} if any(folds) else {}),
        "trials": [row.result.digest for row in rows],
        "metrics": {name: _spread([row.result.metrics[name] for row in rows]) for name in names},
    }


def _spread(values: Sequence[float]) -> dict[str, object]:
    # What one value does not tell is null, which is not the same as 0.
    spread = Spread(values=tuple(values))
    return {
        "mean": spread.mean,
        "deviation": spread.deviation,
        "error": spread.error,
        "interval": spread.interval,
        "values": list(values),
    }


def _counts(chosen: Sequence[Row]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for label, option in (pair for row in chosen for pair in row.architecture.items()):
        counts.setdefault(label, {}).setdefault(option, 0)
        counts[label][option] += 1
    return counts


def _comparisons(study: Study, chosen: Mapping[str, Sequence[Row]]) -> list[dict[str, Any]]:
    """Every two methods in every metric of the test events, over the seeds and folds that both have."""
    calls = {f"test_{short}": call for short, call in metric_names(study.pipeline).items()}
    found: list[dict[str, Any]] = []
    for first, second in combinations(chosen, 2):
        for column, call in calls.items():
            result = compare(_values(chosen[first], column), _values(chosen[second], column), call.cost)
            if result.differences is not None:
                content = _spread(result.differences.values)
                counts = {"pairs": result.pairs, "better": result.better, "worse": result.worse}
                names = {"metric": column, "first": first, "second": second, "level": LEVEL}
                found.append(names | counts | content)
    return found


def _values(rows: Sequence[Row], column: str) -> dict[Place, float]:
    return {row.place: row.result.metrics[column] for row in rows}
