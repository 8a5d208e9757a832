"""Whole studies by wall clock: many trials in worker processes, into a fresh folder, start-up and tables included."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp
from weakref import finalize

import numpy as np

from benchmarks.chain import ACTIVATIONS, GRID, mlps, vectors
from benchmarks.lightning_loop import LightningStudy
from benchmarks.measure import Clock
from tsunagu.spec import Data, Folds, Study, choice
from tsunagu.studies import open_study_table, run_study
from tsunagu.trials import Processes

__all__ = ["GridStudy", "on_lightning"]

FOLDS = Folds(k=10)
"""Eight of ten events train."""


class GridStudy:
    """Three candidates for each of the two steps with so many seeds, in worker processes.

    Args:
        events: all of them; 80 % train, 10 % validate after every epoch, 10 % test at the end.
        seeds: of each of the nine pairs.
        epochs: of each training.
        workers: processes; as many as there are usable cores by default.
    """

    def __init__(self, *, events: int, seeds: int, epochs: int, workers: int | None) -> None:
        self.events, self.seeds, self.epochs, self.workers = events, seeds, epochs, workers
        self.folder = Path(mkdtemp())
        finalize(self, rmtree, self.folder, ignore_errors=True)

    @property
    def trainings(self) -> int:
        return len(GRID) * self.seeds

    @cached_property
    def study(self) -> Study:
        """Its events are written when it is first asked for."""
        columns = vectors(self.events).columns
        arrays = {name: column.numpy() for name, column in columns.items()}
        path = self.folder / "events.npz"
        np.savez(path, **arrays, event_number=np.arange(self.events))
        alike = [mlps(64, (activation, activation)) for activation in ACTIVATIONS]
        tasks = GRID[0].tasks
        for name, models in {
            "calibrate": [chain.first for chain in alike],
            "classify": [chain.second for chain in alike],
        }.items():
            options = choice(**dict(zip(ACTIVATIONS, models, strict=True)))
            tasks[name] = tasks[name].model_copy(update={"model": options})
        pipeline = GRID[0].pipeline(epochs=self.epochs)
        data = Data(files=str(path), folds=FOLDS)
        return Study(data=data, tasks=tasks, train=pipeline.train, metric=pipeline.metric, seeds=self.seeds)

    def __call__(self, clock: Clock) -> float:
        study = self.study
        with TemporaryDirectory() as out:
            start = clock()
            outcome = run_study(study, out, executor=Processes(workers=self.workers))
            cost = clock() - start
        if len(outcome.rows) != self.trainings:
            msg = f"{len(outcome.rows)} of {self.trainings} trials ended well: {outcome.failures}"
            raise RuntimeError(msg)
        return cost


def on_lightning(ours: GridStudy, sample: int) -> LightningStudy:
    """The same trainings under Lightning, of which some seeds of three pairs with every activation are run.

    Args:
        ours: the study.
        sample: how many seeds of the three pairs.
    """
    table = open_study_table(ours.study, Path())
    chains = [mlps(64, (activation, activation)) for activation in ACTIVATIONS] * sample
    return LightningStudy(chains, table, table.split(FOLDS), epochs=ours.epochs, trainings=ours.trainings)
