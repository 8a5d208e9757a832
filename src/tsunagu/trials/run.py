"""Run one trial: a pure function of (pipeline, table, seed), stored under the hash of its inputs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tsunagu.data import Split, Table
from tsunagu.oneshot import OneShot
from tsunagu.train import Training
from tsunagu.trials.clock import Clock
from tsunagu.trials.record import record
from tsunagu.trials.result import Result, Trial
from tsunagu.trials.searching import path_weights, run_search
from tsunagu.trials.shared import StoredStages
from tsunagu.trials.store import Store
from tsunagu.trials.together import together

__all__ = ["Watched", "make_training", "run_trial"]

Watched = Training | OneShot
"""What those who watch are shown: a pipeline or a supernet that is being trained."""
Watch = Callable[[Watched], None]


def run_trial(
    trial: Trial,
    table: Table,
    store: Store,
    *,
    on_step: Watch | None = None,
    on_epoch: Watch | None = None,
) -> Result:
    """The result of a trial: from the store if it is there, else trained, from its checkpoint if it has one.

    Args:
        trial: what to train.
        table: the events.
        store: where results and checkpoints live.
        on_step: called after every step, for progress bars.
        on_epoch: called after every epoch.

    Raises:
        ResumeError: a damaged checkpoint, a full disk, another process at work on it; nothing finished is lost.
        TsunaguError: the training diverged.
    """
    name = trial.digest(table)
    found = store.find(name)
    if found is not None:
        return found
    with store.hold(name):
        # Another process may have finished it just now, or an earlier one been killed while it named the folder.
        return (
            store.find(name) or store.complete(name) or _train(name, trial, table, store, on_step, on_epoch)
        )


def make_training(trial: Trial, table: Table, split: Split, store: Store) -> Training:
    """The training of a trial at its beginning.

    Raises:
        ResumeError: it begins with the weights of a search that is not in the store.
    """
    training = Training(trial.pipeline, table, split, seed=trial.seed)
    if trial.begin is not None:
        training.begin_with(path_weights(store, trial.begin)[1], trial.begin)
    return training


def _train(
    name: str, trial: Trial, table: Table, store: Store, on_step: Watch | None, on_epoch: Watch | None
) -> Result:
    if trial.search is not None:
        return run_search(name, trial, table, store, on_step=on_step, on_epoch=on_epoch)
    training = make_training(trial, table, table.split(trial.folds), store)
    store.load_checkpoint(name, training)
    save = partial(store.save_checkpoint, name, training)
    clock = Clock(every=trial.pipeline.train.checkpoint_seconds, save=save)

    def step(now: Training) -> None:
        clock.tick()
        if on_step is not None:
            on_step(now)

    stages = StoredStages(store=store, folds=trial.folds, table=table, working=store.working(name), save=save)
    with together([trial], [training]):
        training.run(step, on_epoch, stages)
    return store.finish(record(trial, training, name, store.working(name)))
