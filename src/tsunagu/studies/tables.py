"""The tables of a study: ``results.csv``, ``chosen.csv`` and ``summary.json``.

The first has one row a trial; the second the best architecture of each method and seed; the third what a reader of both
needs to know, with every seed's value.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from tsunagu.data import Table
from tsunagu.files import write_bytes
from tsunagu.spec import LossTerm, Study, Task, adversaries
from tsunagu.studies.baselines import Baseline
from tsunagu.studies.chosen import chosen
from tsunagu.studies.rows import EFFORT, Place, Row, fold_field, record, write_records
from tsunagu.studies.statistics import LEVEL, Spread, compare
from tsunagu.studies.supernets import Agreement, kendall
from tsunagu.trials import metric_names

__all__ = ["Row", "write_chosen", "write_results", "write_summary"]


def write_results(path: Path, rows: Sequence[Row], baselines: Sequence[Baseline]) -> None:
    """The tidy table: method, seed, fold and labels where varied, chosen options, metrics, seconds, digest.

    What a search has trained in part, or as a supernet, is no line of its own; the supernet's digest, seconds and values
    stand in the line of what it came to.
    """
    plain = [{"method": b.method, **fold_field(b.fold), **b.metrics} for b in baselines]
    write_records(path, [record(row) for row in rows if row.role == "trial"] + plain, EFFORT)


def write_chosen(path: Path, study: Study, rows: Sequence[Row]) -> None:
    """One row a method, seed and fold: the architecture that is best by the study's metric on the validation events.

    Its columns are those of ``results.csv``, and ``tried``, the number of architectures it was chosen from; ``seconds``
    is the time of all of them, and of what else a search has trained. A study without choices has no such file.
    """
    if not any(row.architecture for row in rows):
        path.unlink(missing_ok=True)  # of an earlier form of the study
        return
    found = [(each, each.item) for each in chosen(study, rows)]
    write_records(
        path,
        [record(item) | _effort(each.tried) for each, item in found if item is not None],
        ("tried", *EFFORT),
    )


def write_summary(
    path: Path,
    study: Study,
    rows: Sequence[Row],
    baselines: Sequence[Baseline],
    table: Table,
    agreements: Sequence[Agreement] = (),
) -> None:
    """What was run and what came of it, for programs; beside it ``chosen.csv``, if the study leaves choices open.

    A method is its chosen trials, one for each seed and fold, and below it all architectures that were tried. A search has
    its own numbers, with Kendall's tau where its supernet and trainings alone can be compared.
    """
    write_chosen(path.with_name("chosen.csv"), study, rows)
    split = table.split(study.data.folds)
    calls = metric_names(study.pipeline)
    methods = list(dict.fromkeys(row.planned.method for row in rows))
    tried = {name: [row for row in rows if row.planned.method == name] for name in methods}
    taken = {name: [e.item for e in chosen(study, tried[name]) if e.item is not None] for name in methods}
    unit, against = _one_training(rows), adversaries(study.pipeline)
    content = {
        "name": study.name or path.resolve().parent.name,
        "metric": next(iter(calls)),
        "metrics": {short: str(call) for short, call in calls.items()},
        "outputs": {
            task.output: _output(name, task, task.losses[0], table)
            for name, task in study.tasks.items()
            # What an adversary finds is no result, and data may have no physics weight.
            if task.losses and name not in against
        },
        "training": {"cpu_seconds": _or_none(unit)},
        "events": {kind: len(getattr(split, kind)) for kind in ("train", "validation", "test")},
        "table": {"files": list(table.files), "fingerprint": table.fingerprint, "notes": list(table.notes)},
        "methods": [_method(name, taken[name], tried[name], agreements, unit) for name in methods],
        "baselines": [
            {"method": b.method, **fold_field(b.fold), "metrics": dict(b.metrics)} for b in baselines
        ],
        "comparisons": _comparisons(study, taken),
    }
    write_bytes(path, (json.dumps(content, indent=2) + "\n").encode())


def _effort(tried: Sequence[Row]) -> dict[str, float]:
    """What a method cost: the candidates, and whatever else its search has trained."""
    once = {row.result.digest: row.result for row in tried}.values()
    return {
        "tried": len({row.result.digest for row in tried if row.role == "trial"}),
        "seconds": sum(result.seconds for result in once),
        "cpu_seconds": sum(result.cpu_seconds for result in once),
    }


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


def _method(
    method: str, chosen: Sequence[Row], tried: Sequence[Row], agreements: Sequence[Agreement], unit: float
) -> dict[str, object]:
    full = [row for row in tried if row.role == "trial"]
    effort = {name: _or_none(value) for name, value in _effort(tried).items()}
    content = {"method": method, **_numbers(chosen), **effort, "cost": _cost(tried, unit)}
    if search := tried[0].planned.study.search:
        own = [each for each in agreements if each.method == method]
        content |= {"search": {"key": search.key, **_search(tried, own)}}
    if counts := _counts(chosen):
        content |= {"choices": counts}
    if len(full) > len(chosen):
        content |= {"architectures": _architectures(full)}
    return content


def _cost(tried: Sequence[Row], unit: float) -> float | None:
    """Processor time for one seed and fold, in units of one training."""
    spent = [_effort(own)["cpu_seconds"] for own in _by_place(tried).values()]
    return _or_none(math.fsum(spent) / len(spent) / unit) if unit else None


def _or_none(value: float) -> float | None:
    """JSON has no word for what is not a number."""
    return value if math.isfinite(value) else None


def _one_training(rows: Sequence[Row]) -> float:
    """Mean processor time of all full trainings of a study, each counted once."""
    spent = {row.result.digest: row.result.cpu_seconds for row in rows if row.role == "trial"}
    return math.fsum(spent.values()) / len(spent) if spent else 0.0


def _by_place(rows: Sequence[Row]) -> dict[Place, list[Row]]:
    places: dict[Place, list[Row]] = {}
    for row in rows:
        places.setdefault(row.place, []).append(row)
    return places


def _search(tried: Sequence[Row], agreements: Sequence[Agreement]) -> dict[str, object]:
    """The supernets of a method, seed by seed; nothing where a search trains each candidate."""
    supernets = [row for row in tried if row.role == "search"]
    if not supernets:
        return {}
    short = f"validation_{next(iter(metric_names(tried[0].planned.study.pipeline)))}"
    own = [[each for each in agreements if each.place == row.place] for row in supernets]
    return {
        "seeds": [row.result.seed for row in supernets],
        "trials": [row.result.digest for row in supernets],
        "confidence": [row.result.metrics.get("confidence") for row in supernets],
        "supernet": [_or_none(row.result.metrics[short]) for row in supernets],
        "kendall": [kendall(each) for each in own],
    }


def _architectures(tried: Sequence[Row]) -> list[dict[str, object]]:
    groups: dict[tuple[tuple[str, str], ...], list[Row]] = {}
    for row in tried:
        groups.setdefault(tuple(row.architecture.items()), []).append(row)
    return [{"architecture": dict(own), **_numbers(rows)} for own, rows in groups.items()]


def _numbers(rows: Sequence[Row]) -> dict[str, object]:
    """Seeds, folds, trials and metrics, all in one order."""
    names = list(rows[0].result.metrics) if rows else []
    folds = [row.planned.fold for row in rows]
    content = {
        "seeds": [row.result.seed for row in rows],
        **({"folds": folds} if any(folds) else {}),
        "trials": [row.result.digest for row in rows],
        "metrics": {name: _spread([row.result.metrics[name] for row in rows]) for name in names},
    }
    if not any(folds):
        return content
    # Seeds are independent, folds are not: the two spreads are never one number.
    apart: dict[str, Sequence[object]] = {
        "over_seeds": [row.result.seed for row in rows],
        "over_folds": folds,
    }
    return content | {
        word: {name: _spread(_means(groups, [row.result.metrics[name] for row in rows])) for name in names}
        for word, groups in apart.items()
    }


def _means(groups: Sequence[object], values: Sequence[float]) -> list[float]:
    """The mean value of each group, in the order in which the groups come."""
    own: dict[object, list[float]] = {}
    for group, value in zip(groups, values, strict=True):
        own.setdefault(group, []).append(value)
    return [math.fsum(each) / len(each) for each in own.values()]


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
