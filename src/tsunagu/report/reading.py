"""A study's folder: ``results.csv``, ``summary.json`` and the trials, as the figures want them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, final

import numpy as np

from tsunagu.errors import DataError, ResumeError, did_you_mean
from tsunagu.metrics import MetricCall, parse_metric
from tsunagu.report.stored import (
    Array,
    Row,
    StoredColumns,
    StoredTrial,
    Undrawable,
    each_drawable,
    read_rows,
    read_yaml,
    unreadable,
)

__all__ = ["MOST", "Method", "Outcome", "Output", "read_outcome"]

MOST = 8
"""Methods in one figure; more lines cannot be told apart."""


@final
@dataclass(frozen=True, kw_only=True)
class Method:
    """One variation of a study with one architecture, trained with several seeds; or a baseline, without trials.

    Args:
        name: as the figures show it.
        number: gives it the same look in every figure.
        rows: its lines of ``results.csv``.
        trials: its trials, in the same order.
    """

    name: str
    number: int
    rows: tuple[Row, ...]
    trials: tuple[StoredTrial, ...]

    @property
    def untrained(self) -> frozenset[str]:
        """The outputs that no loss looked at; they may hold anything."""
        return frozenset[str]().union(*(trial.unsupervised for trial in self.trials))

    def values(self, column: str) -> Array:
        """The numbers in one column of ``results.csv``, one a trial; empty cells are left out.

        Raises:
            DataError: a cell is not a number.
        """
        cells = [row[column] for row in self.rows if row[column]]
        try:
            return np.array([float(cell) for cell in cells], np.float64)
        except ValueError as error:
            msg = f"results.csv: method {self.name}, column {column}: {error}"
            raise DataError(msg) from error


@final
@dataclass(frozen=True, kw_only=True)
class Output:
    """A prediction of the pipeline, with the loss and the column that supervise it.

    Args:
        name: of the output.
        loss: its key.
        target: the column.
        before: the input column that the output improves on, such as the jets that a calibration starts from.
    """

    name: str
    loss: str
    target: str
    before: str | None = None

    @property
    def classifies(self) -> bool:
        """Whether it is a score, with the target as the label."""
        return self.loss in ("binary", "cross_entropy")

    @property
    def calibrates(self) -> bool:
        """Whether it holds momenta ``[E, N, 3]`` as (pt, eta, phi)."""
        return self.loss.startswith("four_momentum")


@final
@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a study came to.

    Args:
        folder: where it is stored.
        name: heading of every figure.
        metric: what the study is about.
        short: the metric's name in the columns of ``results.csv``.
        outputs: of the pipeline.
        methods: with trials, in the order of ``results.csv``.
        baselines: without trials.
        expressions: of the baselines, such as ``auc(vis_mass, is_higgs)``, where known.
        metrics: what each short name stands for.
        events: how many there are in each split.
        columns: of ``results.csv``.
    """

    folder: Path
    name: str
    metric: MetricCall
    short: str
    outputs: tuple[Output, ...]
    methods: tuple[Method, ...]
    baselines: tuple[Method, ...]
    expressions: Mapping[str, str]
    metrics: Mapping[str, MetricCall]
    events: Mapping[str, int]
    columns: tuple[str, ...]

    def supervised(self, output: Output) -> tuple[list[Method], tuple[str, ...]]:
        """The drawn methods in which a loss looked at the output, and why the others are left out.

        Raises:
            Undrawable: there is none.
        """
        return each_drawable(partial(_check_supervised, output), self.shown)

    @cached_property
    def stored_baselines(self) -> StoredColumns:
        """The columns of the baselines, for the validation and the test events."""
        return StoredColumns(
            path=self.folder / "baselines.npz", place="baselines.npz", remedy="run the study again"
        )

    @property
    def label(self) -> str | None:
        """The column that tells signal (1) from background (0), if the pipeline classifies."""
        return next((output.target for output in self.outputs if output.classifies), None)

    def metric_column(self, split: str) -> str:
        """The column of ``results.csv`` that holds the study's metric on one split.

        Raises:
            DataError: there is none.
        """
        name = f"{split}_{self.short}"
        if name not in self.columns:
            msg = f"{self.folder / 'results.csv'}: no column {name}{did_you_mean(name, self.columns)}"
            raise DataError(msg)
        return name

    def ranked(self, methods: Sequence[Method], split: str) -> list[Method]:
        """The methods by their mean metric on one split, best first; without a number last."""
        column = self.metric_column(split)
        return sorted(methods, key=lambda method: self.metric.cost(_mean(method.values(column))))

    def means_something(self, method: Method, column: str) -> bool:
        """Whether a column of ``results.csv`` tells about outputs that the method trains."""
        call = self.metrics.get(column.partition("_")[2])
        return call is None or method.untrained.isdisjoint(call.arguments)

    @property
    def shown(self) -> tuple[Method, ...]:
        """The at most :data:`MOST` methods that are drawn: the best on the *validation* events, in their order."""
        best = self.methods if len(self.methods) <= MOST else self.ranked(self.methods, "validation")[:MOST]
        return tuple(sorted(best, key=lambda method: method.number))


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
    return Outcome(
        folder=folder,
        name=str(summary.get("name") or folder.resolve().name),
        metric=metric,
        short=metric.name if "(" in str(summary["metric"]) else str(summary["metric"]),
        outputs=tuple(_output(name, fields) for name, fields in summary["outputs"].items()),
        methods=tuple(
            _method(*item, number, folder / "trials") for number, item in enumerate(trained.items())
        ),
        baselines=tuple(
            _method(*item, number, folder / "trials") for number, item in enumerate(plain.items())
        ),
        expressions=study.get("baselines") or {},
        metrics={name: parse_metric(text) for name, text in summary.get("metrics", {}).items()},
        events=summary.get("events", {}),
        columns=tuple(rows[0]),
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
    """Rows by method and, where a method tried several architectures, by those of its choices that differ."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    groups: dict[str, list[Row]] = {}
    for method in methods:
        own = [row for row in rows if row["method"] == method]
        choices = [
            name for name in own[0] if name.startswith("choice:") and len({row[name] for row in own}) > 1
        ]
        for row in own:
            words = [method] if len(methods) > 1 or not choices else []
            groups.setdefault(" ".join([*words, *(row[name] for name in choices)]), []).append(row)
    return groups


def _check_supervised(output: Output, method: Method) -> Method:
    if output.name in method.trials[0].unsupervised:
        msg = f"method {method.name} does not train {output.name} on {output.target}"
        raise Undrawable(msg)
    return method


def _method(name: str, rows: Sequence[Row], number: int, trials: Path) -> Method:
    stored = [
        StoredTrial(seed=int(row["seed"]), folder=trials / row["digest"]) for row in rows if row["digest"]
    ]
    return Method(name=name, number=number, rows=tuple(rows), trials=tuple(stored))


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


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else math.nan
