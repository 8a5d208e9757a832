"""Several trials on one table as one population; each still has its own name, folder and result."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, final

from torch import Tensor

from tsunagu.data import Table
from tsunagu.errors import ResumeError, TsunaguError
from tsunagu.spec import Condition, Pipeline, Schedule, Value, digest, to_data
from tsunagu.train import Population, Position, Training
from tsunagu.train.state import named, under
from tsunagu.trials.clock import Clock
from tsunagu.trials.record import record
from tsunagu.trials.result import Result, Trial
from tsunagu.trials.run import Watched, make_training, run_trial
from tsunagu.trials.shared import StoredStages
from tsunagu.trials.store import CHECKPOINT, Store
from tsunagu.trials.tensors import read_tensors, write_tensors
from tsunagu.trials.together import together

__all__ = ["populations", "run_group"]

_LOG = logging.getLogger(__name__)

Watch = Callable[[Watched], None]
Outcome = Result | Exception


def populations(trials: Sequence[Trial]) -> list[list[int]]:
    """Which trials can go in step: their numbers, in one list for each population.

    Members differ in seed, models, optimiser, loss weights, clipping and patience, and in nothing else. Those of one seed,
    which may share pretrainings, are neighbours. A search goes alone: the next step of its supernet depends on what it has
    found so far.
    """
    kinds: dict[str, list[int]] = {}
    for number, trial in enumerate(trials):
        kind = digest([_shape(trial.pipeline), to_data(trial.folds)]) if trial.search is None else str(number)
        kinds.setdefault(kind, []).append(number)
    return [sorted(own, key=lambda number: trials[number].seed) for own in kinds.values()]


def run_group(
    trials: Sequence[Trial],
    table: Table,
    store: Store,
    *,
    on_step: Watch | None = None,
    on_epoch: Watch | None = None,
) -> list[Outcome]:
    """The results of trials, in their order: from the store where they are there, else trained, in step where they can be.

    A group that was interrupted goes on from its last checkpoint, with the members that it had.

    Args:
        trials: on one table.
        table: the events.
        store: where results and checkpoints live.
        on_step: called after every step with each member that made it, for progress bars.
        on_epoch: called after every epoch of each member that trains.

    Returns:
        For each trial its result, or the error that it ended with; the others are not lost.
    """
    found: dict[int, Outcome] = {}
    for numbers in populations(trials):
        own = [trials[number] for number in numbers]
        found |= dict(zip(numbers, _run(own, table, store, on_step, on_epoch), strict=True))
    return [found[number] for number in range(len(trials))]


def _run(
    trials: Sequence[Trial], table: Table, store: Store, on_step: Watch | None, on_epoch: Watch | None
) -> list[Outcome]:
    outcomes = None if len(trials) == 1 else _in_step(trials, table, store, on_step, on_epoch)
    if outcomes is None:
        return [_alone(trial, table, store, on_step, on_epoch) for trial in trials]
    return outcomes


def _in_step(
    trials: Sequence[Trial], table: Table, store: Store, on_step: Watch | None, on_epoch: Watch | None
) -> list[Outcome] | None:
    """The outcomes of a population, or None where a member stops all of them: alone, only that one fails."""
    named_trials = {trial.digest(table): trial for trial in trials}
    outcomes: dict[str, Outcome] = {}
    with ExitStack() as held:
        todo = [name for name in named_trials if not _is_settled(name, store, held, outcomes)]
        try:
            if todo:
                outcomes |= _Group(named_trials, todo, table, store).run(on_step, on_epoch)
        except ResumeError as error:
            outcomes |= dict.fromkeys(todo, error)
        except Exception as error:  # noqa: BLE001 - which member it was is found by training each alone
            _LOG.warning("%d trials are trained one by one, since together: %r", len(todo), error)
            _remove(_checkpoint(named_trials, store))
            return None
    return [outcomes[trial.digest(table)] for trial in trials]


def _alone(
    trial: Trial, table: Table, store: Store, on_step: Watch | None, on_epoch: Watch | None
) -> Outcome:
    try:
        return run_trial(trial, table, store, on_step=on_step, on_epoch=on_epoch)
    except Exception as error:  # noqa: BLE001 - whatever a user's own network raises must cost no other trial
        return error


def _is_settled(name: str, store: Store, held: ExitStack, outcomes: dict[str, Outcome]) -> bool:
    """Whether a trial is finished or somebody else's; else it is held until the group ends."""
    try:
        done = store.find(name)
        if done is None:
            held.enter_context(store.hold(name))
            done = store.find(name) or store.complete(name)
    except ResumeError as error:
        outcomes[name] = error
        return True
    if done is not None:
        outcomes[name] = done
    return done is not None


@final
class _Group:
    """A population and its checkpoint, which is named after all trials that were asked for together.

    The checkpoint says which of them are members. They stay members after a restart, the finished ones too, since a
    step of fewer members might round differently.
    """

    def __init__(self, trials: dict[str, Trial], todo: Sequence[str], table: Table, store: Store) -> None:
        self._trials, self._todo, self._store = trials, set(todo), store
        self._path = _checkpoint(trials, store)
        # What a killed process was writing; the members are held, so nobody is writing now.
        for part in self._path.parent.glob("*.part"):
            part.unlink(missing_ok=True)
        tensors, note = self._stored()
        self._names: list[str] = note.get("members", list(todo))
        self._table, self._folds = table, next(iter(trials.values())).folds
        split = table.split(self._folds)
        self._members = [make_training(trials[name], table, split, store) for name in self._names]
        for number, (member, place) in enumerate(zip(self._members, note.get("places", ()), strict=False)):
            member.restore(Position.loads(place), under(str(number), tensors))
        left = {int(number): TsunaguError(reason) for number, reason in note.get("failures", {}).items()}
        self._population = Population(self._members, left)

    def run(self, on_step: Watch | None, on_epoch: Watch | None) -> dict[str, Outcome]:
        """Train all, and store the results of those that were asked for."""
        population = self._population
        every = min(trial.pipeline.train.checkpoint_seconds for trial in self._trials.values())
        clock = Clock(every=every, save=self._save)

        def step() -> None:
            clock.tick()
            if on_step is not None:
                # Those that wait for the others stand at the beginning of an epoch.
                for member in self._members:
                    if member.position.step:
                        on_step(member)

        stored = StoredStages(
            store=self._store,
            folds=self._folds,
            table=self._table,
            working=self._path.parent,
            save=self._save,
        )
        with together([self._trials[name] for name in self._names], self._members):
            population.run(step, on_epoch, stored)
        outcomes: dict[str, Outcome] = {self._names[n]: error for n, error in population.failures.items()}
        for name, member in zip(self._names, self._members, strict=True):
            if name in self._todo and name not in outcomes:
                outcomes[name] = self._finish(name, member)
        _remove(self._path)
        return outcomes

    def _finish(self, name: str, member: Training) -> Outcome:
        try:
            return self._store.finish(record(self._trials[name], member, name, self._store.working(name)))
        except TsunaguError as error:
            return error

    def _stored(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        if not self._path.exists():
            return {}, {}
        tensors, note = read_tensors(self._path)
        kept: dict[str, Any] = json.loads(note)
        return tensors, kept

    def _save(self) -> None:
        tensors: dict[str, Tensor] = {}
        for number, member in enumerate(self._members):
            tensors |= named(str(number), member.tensors())
        places = [member.position_now.dumps() for member in self._members]
        failures = {number: str(error) for number, error in self._population.failures.items()}
        note = {"members": self._names, "places": places, "failures": failures}
        write_tensors(self._path, tensors, json.dumps(note))


def _checkpoint(names: Iterable[str], store: Store) -> Path:
    return store.root / f"{digest(sorted(names))[:32]}.population" / CHECKPOINT


def _remove(checkpoint: Path) -> None:
    with suppress(OSError):
        checkpoint.unlink(missing_ok=True)
        checkpoint.parent.rmdir()


def _shape(pipeline: Pipeline) -> object:
    """What members of a population share."""
    tasks = {
        name: [
            to_data(task.inputs),
            task.output,
            [
                [to_data(loss.args), loss.key, loss.target, _shape_of_weight(loss.weight)]
                for loss in task.losses
            ],
        ]
        for name, task in pipeline.tasks.items()
    }
    train = pipeline.train
    stages = [
        train.pretrain,
        train.intermediate,
        train.joint,
        train.epochs,
        train.pretrain_epochs,
        train.batch_size,
        to_data(train.sampling),
        to_data(train.augment),
        to_data(train.aggregate),
        to_data(train.scalarise),
    ]
    conditions = [to_data(pipeline.conditions)] if pipeline.conditions else []
    return [tasks, stages, pipeline.metric, list(pipeline.metrics), *conditions]


def _shape_of_weight(weight: Value) -> Value:
    """Numbers may differ from member to member; what is drawn or changes with time may not."""
    return to_data(weight) if isinstance(weight, Condition | Schedule) else bool(weight)
