"""A study's folder: ``results.csv``, ``summary.json`` and the trials, as the figures want them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tsunagu.errors import DataError, ResumeError
from tsunagu.metrics import MetricCall, parse_metric
from tsunagu.report.outcome import CHOICE, Method, Outcome, Output
from tsunagu.report.scans import Scan, find_scans
from tsunagu.report.stored import Row, StoredTrial, read_rows, read_yaml, unreadable
from tsunagu.spec import validate_study
from tsunagu.studies.selection import Selected, select

__all__ = ["read_outcome"]

Chosen = Sequence[Selected[Row]]


def read_outcome(folder: Path) -> Outcome:
    """Read a study's folder; predictions are read later, when they are drawn.

    Raises:
        ResumeError: a file or folder is missing or damaged; the message names it and the remedy.
        DataError: a file does not hold what it should.
    """
    summary = _read_summary(folder / "summary.json")
    rows = read_rows(folder / "results.csv", ("method", "seed", "digest"))
    study = read_yaml(folder / "study.yaml")  # the expressions of the baselines; a report can do without
    trained = _grouped([row for row in rows if row["digest"]])
    plain = _grouped([row for row in rows if not row["digest"]])
    _check_folders(rows, folder / "trials")
    metric = _metric(folder / "summary.json", str(summary["metric"]), str(study.get("metric", "")))
    short = metric.name if "(" in str(summary["metric"]) else str(summary["metric"])
    chosen = {name: _choose(own, metric, f"validation_{short}") for name, own in trained.items()}
    return Outcome(
        folder=folder,
        name=str(summary.get("name") or folder.resolve().name),
        metric=metric,
        short=short,
        outputs=tuple(_output(name, fields) for name, fields in summary["outputs"].items()),
        methods=_methods(chosen, folder / "trials", summary.get("methods", [])),
        baselines=tuple(
            Method(name=name, number=number, rows=tuple(own), trials=())
            for number, (name, own) in enumerate(plain.items())
        ),
        expressions=study.get("baselines") or {},
        metrics={name: parse_metric(text) for name, text in summary.get("metrics", {}).items()},
        events=summary.get("events", {}),
        columns=tuple(rows[0]),
        options=_options(rows),
        unchosen=_unchosen(chosen),
        agreements=_agreements(folder / "supernet.csv"),
        scans=_scans(study),
        trades=any(map(_is_of_objectives, _varied(study))),
    )


def _varied(study: Mapping[str, Any]) -> list[str]:
    """The paths that a study varies."""
    methods = [path for values in (study.get("methods") or {}).values() for path in values or {}]
    return [*(study.get("vary") or {}), *methods]


def _is_of_objectives(path: str) -> bool:
    """Whether a path says what a loss weighs, or how losses are combined.

    >>> [_is_of_objectives(path) for path in ("tasks.fit.loss.0.weight", "train.aggregate", "train.optimizer.args.lr")]
    [True, True, False]
    """
    steps = path.split(".")
    return steps[:2] == ["train", "aggregate"] or (
        steps[0] == "tasks" and "loss" in steps and steps[-1] == "weight"
    )


def _read_summary(path: Path) -> dict[str, Any]:
    try:
        summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResumeError(unreadable(path, error, "run the study first, or again")) from error
    missing = [key for key in ("metric", "outputs") if key not in summary]
    if missing:
        msg = f"{path}: no {', '.join(missing)} in it; run the study again with this version"
        raise DataError(msg)
    return summary


def _metric(path: Path, *candidates: str) -> MetricCall:
    for text in candidates:
        if "(" in text:
            return parse_metric(text)
    msg = f"{path}: metric: expected a call such as auc(score, label), found {candidates[0]!r}"
    raise DataError(msg)


def _grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["method"], []).append(row)
    return groups


def _choose(rows: Sequence[Row], metric: MetricCall, column: str) -> Chosen:
    """For each seed and fold the architecture that is best on the validation events, as ``chosen.csv`` has it.

    The figures show what a method comes to, as the talk's violins do, and so a search is one method, however many
    architectures it looks at. Single architectures are no methods of their own: with nine of them beside each other on
    the test events the eye takes the best, which is a choice made on the test events. Who wants to compare models, not
    to choose among them, varies them; and ``results.csv`` and ``summary.json`` have every trial.
    """
    return select(
        rows,
        place=lambda row: (row["seed"], row.get("fold", "")),
        cost=lambda row: metric.cost(_number(row, column)),
    )


def _number(row: Row, column: str) -> float:
    try:
        return float(row.get(column) or "nan")
    except ValueError as error:
        msg = f"results.csv: method {row['method']}, column {column}: {error}"
        raise DataError(msg) from error


def _agreements(path: Path) -> tuple[Row, ...]:
    """Of a study without a supernet there is no such file."""
    return tuple(read_rows(path, ("method", "seed", "supernet", "alone"))) if path.exists() else ()


def _scans(data: Any) -> tuple[Scan, ...]:
    """None where the study's file is not there or is of another version."""
    study, _ = validate_study(data)
    return () if study is None else find_scans(study)


def _methods(
    chosen: Mapping[str, Chosen], trials: Path, numbers: Sequence[Mapping[str, Any]]
) -> tuple[Method, ...]:
    told = {each.get("method"): each for each in numbers}
    taken = {name: [each.item for each in places if each.item] for name, places in chosen.items()}
    return tuple(
        _method(name, rows, number, trials, sum(len(each.tried) for each in chosen[name]), told.get(name, {}))
        for number, (name, rows) in enumerate(taken.items())
        if rows
    )


def _method(
    name: str, rows: Sequence[Row], number: int, trials: Path, tried: int, told: Mapping[str, Any]
) -> Method:
    stored = [
        StoredTrial(seed=int(row["seed"]), fold=row.get("fold", ""), folder=trials / row["digest"])
        for row in rows
    ]
    taus = told.get("search", {}).get("kendall", [])
    return Method(
        name=name,
        number=number,
        rows=tuple(rows),
        trials=tuple(stored),
        tried=tried,
        cost=told.get("cost"),
        kendall=tuple(tau for tau in taus if tau is not None),
    )


def _options(rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    names = [name for name in rows[0] if name.startswith(CHOICE)]
    found = {
        name.removeprefix(CHOICE): dict.fromkeys(row[name] for row in rows if row[name]) for name in names
    }
    return {label: tuple(options) for label, options in found.items()}


def _unchosen(chosen: Mapping[str, Chosen]) -> tuple[str, ...]:
    lost = [(name, each.tried) for name, places in chosen.items() for each in places if each.item is None]
    return tuple(
        f"{name}, seed {tried[0]['seed']}: none of {len(tried)} architectures has a number on the validation events"
        for name, tried in lost
    )


def _check_folders(rows: Sequence[Row], trials: Path) -> None:
    absent = [
        str(trials / row["digest"]) for row in rows if row["digest"] and not (trials / row["digest"]).is_dir()
    ]
    if absent:
        msg = f"{', '.join(absent)}: no such folder; run the study again, it trains only what is missing"
        raise ResumeError(msg)


def _output(name: str, fields: Mapping[str, Any]) -> Output:
    return Output(
        name=name,
        loss=str(fields.get("loss", "")),
        target=str(fields.get("target", "")),
        before=fields.get("before"),
    )
