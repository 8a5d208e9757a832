"""Finished stages in the store: what one trial has trained, another begins with.

A stage is stored under the hash of all that goes into it, as a trial is, so a trial of another group, worker, run or study
in the same store finds it. All stages are stored but the last of each trial, whose result is the trial's own; a file is as
large as the weights of the stage's tasks. The folder ``stages`` may be removed at any time.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import final

from tsunagu.data import Table
from tsunagu.errors import ResumeError
from tsunagu.spec import Folds, digest
from tsunagu.train import Epoch, Finished, Stages, Training, stage_inputs
from tsunagu.trials.result import circumstances
from tsunagu.trials.store import Store
from tsunagu.trials.tensors import read_tensors, write_tensors

__all__ = ["StoredStages"]

_LOG = logging.getLogger(__name__)


@final
@dataclass(frozen=True, kw_only=True)
class StoredStages(Stages):
    """The finished stages in a store.

    Args:
        store: that of the trials.
        folds: of the trainings.
        table: of the trainings.
        working: the folder of the trainings' checkpoint, where a file is written before it gets its name: what a killed
            process leaves there is removed by the next one that holds them.
        save: writes that checkpoint.
    """

    store: Store
    folds: Folds
    table: Table
    working: Path
    save: Callable[[], None]

    def find(self, training: Training) -> Finished | None:
        path = self._path(training)
        if _is_last(training) or not path.exists():
            return None
        try:
            tensors, note = read_tensors(path)
            history = [Epoch(**line) for line in json.loads(note)]
        except (ResumeError, ValueError, TypeError) as error:
            _LOG.warning("%s: %s is trained again, since: %s", path, training.stage.name, error)
            return None
        # The clock of this trial runs on: these epochs cost it nothing.
        now = round(training.seconds, 3)
        return Finished(weights=tensors, history=[replace(line, seconds=now) for line in history])

    def keep(self, trainings: Sequence[Training]) -> None:
        todo = [training for training in trainings if not _is_last(training)]
        # Killed between two files, they go on from here: a step of those that are not yet stored might round differently.
        if len(todo) > 1:
            self.save()
        for training in todo:
            # Of two workers that trained the same stage the first one's stays, so that who found it finds it again.
            if self.find(training) is None:
                self._write(self._path(training), training.finished())

    def _write(self, path: Path, finished: Finished) -> None:
        part = self.working / "stage.part"
        write_tensors(part, finished.weights, json.dumps([asdict(line) for line in finished.history]))
        # The trial is worth more than what others could take from it.
        with suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            part.replace(path)

    def _path(self, training: Training) -> Path:
        inputs = stage_inputs(training.pipeline, training.position.stage)
        named = {"stage": digest(inputs), "seed": training.seed}
        name = digest(named | circumstances(inputs, self.folds, self.table))
        return self.store.root / "stages" / f"{name}.safetensors"


def _is_last(training: Training) -> bool:
    return training.position.stage == len(training.stages) - 1
