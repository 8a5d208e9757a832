"""Trials that several processes train together: the first one says which, and from where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import final

from torch import Tensor

from tsunagu.data import Split, Table
from tsunagu.train import Population, Position, Training, here
from tsunagu.trials.result import Trial

__all__ = ["follow", "leading", "together"]


@final
@dataclass(frozen=True, kw_only=True)
class _Work:
    """What is trained next: trials on one table, and the state of each."""

    trials: Sequence[Trial]
    fingerprint: str
    states: Sequence[tuple[str, dict[str, Tensor]]]


@contextmanager
def together(trials: Sequence[Trial], members: Sequence[Training]) -> Iterator[None]:
    """While the block trains these members, the other processes train them too; without any, nothing happens.

    Args:
        trials: on one table and split.
        members: their trainings, restored.

    Raises:
        SystemExit: it fails here and not there, or the other way round.
    """
    world = here()
    if world.size == 1:
        yield
        return
    states = [(m.position_now.dumps(), {n: v.cpu() for n, v in m.tensors().items()}) for m in members]
    world.first_says(_Work(trials=trials, fingerprint=members[0].table.fingerprint, states=states))
    with _failing_alike():
        yield


@contextmanager
def leading() -> Iterator[None]:
    """The first process, while the block runs; then the others may go."""
    try:
        yield
    except Exception:
        here().first_says(None)
        raise
    here().first_says(None)


def follow(table: Callable[[str], Table]) -> None:
    """Train what the first process says, until it says no more; nothing is stored.

    Args:
        table: the events with a fingerprint.
    """
    while (work := here().first_says(_none())) is not None:
        events = table(work.fingerprint)
        split = events.split(work.trials[0].folds)
        members = [
            _member(trial, state, events, split)
            for trial, state in zip(work.trials, work.states, strict=True)
        ]
        # All processes have failed alike then, and the first one reports it.
        with suppress(Exception), _failing_alike():
            Population(members).run()


@contextmanager
def _failing_alike() -> Iterator[None]:
    here().begin()
    try:
        yield
    except Exception as error:
        here().failed(error)
        raise


def _none() -> _Work | None:
    return None


def _member(trial: Trial, state: tuple[str, dict[str, Tensor]], table: Table, split: Split) -> Training:
    place, tensors = state
    member = Training(trial.pipeline, table, split, seed=trial.seed)
    # Its weights are among the tensors.
    member.origin = trial.begin or ""
    member.restore(Position.loads(place), tensors)
    return member
