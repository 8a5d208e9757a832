"""What a study came to: methods, outputs and the figures' rules about them; nothing here opens a file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import final

import numpy as np

from tsunagu.errors import DataError, did_you_mean
from tsunagu.losses import ClassLoss, find_loss
from tsunagu.metrics import MetricCall
from tsunagu.report.scans import Scan
from tsunagu.report.stored import Array, Row, StoredColumns, StoredTrial, Undrawable, each_drawable

__all__ = ["CHOICE", "MOST", "SEARCH", "Method", "Outcome", "Output"]

CHOICE, SEARCH = "choice:", "search:"
"""Before the label of a choice, and before what is of the search that made it, in the columns of ``results.csv``."""

MOST, MOST_ROWS = 8, 24
"""Methods in one figure: over each other, since more lines cannot be told apart; and with a row each."""


@final
@dataclass(frozen=True, kw_only=True)
class Method:
    """One variation of a study, trained with several seeds; or a baseline, without trials.

    A method that tried several architectures is, for each seed, the one that is best on the validation events.

    Args:
        name: as the figures show it.
        number: gives it the same look in every figure.
        rows: its lines of ``results.csv``.
        trials: its trials, in the same order.
        tried: how many trials the rows were chosen from.
        cost: processor time for each seed, in units of one training; None where that is not known.
        kendall: for each search of a supernet, how far it ranks architectures as trainings alone do; where both are known.
    """

    name: str
    number: int
    rows: tuple[Row, ...]
    trials: tuple[StoredTrial, ...]
    tried: int = 0
    cost: float | None = None
    kendall: tuple[float, ...] = ()

    @property
    def searches(self) -> tuple[StoredTrial, ...]:
        """The supernets that its rows were chosen by; none where it trained each candidate."""
        column = SEARCH + "digest"
        # A baseline has rows and no trials.
        pairs = [(row, trial) for row, trial in zip(self.rows, self.trials, strict=False) if row.get(column)]
        return tuple(replace(trial, folder=trial.folder.parent / row[column]) for row, trial in pairs)

    @property
    def unit(self) -> str:
        """What it was repeated over: seeds, or seeds and folds."""
        return "trainings" if any(trial.fold for trial in self.trials) else "seeds"

    @property
    def first_of_folds(self) -> tuple[StoredTrial, ...]:
        """A trial for each fold; the others of a fold have the same events."""
        found: dict[str, StoredTrial] = {}
        for trial in self.trials:
            found.setdefault(trial.fold, trial)
        return tuple(found.values())

    @property
    def untrained(self) -> frozenset[str]:
        """The outputs that no loss looked at; they may hold anything."""
        return frozenset[str]().union(*(trial.unsupervised for trial in self.trials))

    def values(self, column: str) -> Array:
        """The numbers in one column of ``results.csv``, one a trial; empty cells are left out.

        Raises:
            DataError: a cell is not a number.
        """
        return np.array(list(self.by_place(column).values()), np.float64)

    def by_place(self, column: str) -> dict[tuple[str, str], float]:
        """The same by seed and fold, which say what can be compared with another method's.

        Raises:
            DataError: a cell is not a number.
        """
        filled = [row for row in self.rows if row.get(column)]
        try:
            return {(row["seed"], row.get("fold", "")): float(row[column]) for row in filled}
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
        try:
            return issubclass(find_loss(self.loss), ClassLoss)
        except LookupError:  # a loss of an analysis that is not here
            return False

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
        options: of every choice, by label, in the order in which they were tried.
        trades: whether it varies what its losses weigh, or how they are combined.
        agreements: lines of ``supernet.csv``, which compares supernets with trainings alone.
        scans: the methods that are points along one number of a loss.
        unchosen: the methods and seeds of which no architecture had a number to be chosen by.
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
    options: Mapping[str, tuple[str, ...]]
    unchosen: tuple[str, ...]
    agreements: tuple[Row, ...] = ()
    scans: tuple[Scan, ...] = ()
    trades: bool = False

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

    @property
    def test_columns(self) -> list[str]:
        """The columns of ``results.csv`` with numbers of the test events, the study's metric first.

        Raises:
            DataError: there is none of the study's metric.
        """
        main = self.metric_column("test")
        return [main, *(name for name in self.columns if name.startswith("test_") and name != main)]

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
        """At most :data:`MOST`, to be drawn over each other: the best on the *validation* events, in their order."""
        return self._best(MOST)

    @property
    def listed(self) -> tuple[Method, ...]:
        """The same where each has a row of its own: at most :data:`MOST_ROWS`."""
        return self._best(MOST_ROWS)

    def _best(self, most: int) -> tuple[Method, ...]:
        if len(self.methods) <= most:
            return self.methods
        best = sorted(self.ranked(self.methods, "validation")[:most], key=lambda method: method.number)
        # Numbered anew, since the looks of eight in a row differ most.
        return tuple(replace(method, number=number) for number, method in enumerate(best))


def _check_supervised(output: Output, method: Method) -> Method:
    if output.name in method.trials[0].unsupervised:
        msg = f"method {method.name} does not train {output.name} on {output.target}"
        raise Undrawable(msg)
    return method


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else math.nan
