"""Our engine as a side: one training, or many as one population."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch

from benchmarks.measure import Clock
from tsunagu.data import Split, Table
from tsunagu.spec import Pipeline
from tsunagu.train import Population, Training, probe

__all__ = ["Together"]

VALIDATION = 100


class Trained(Protocol):
    """A kind of training with its events, such as a :class:`~benchmarks.chain.Chain`."""

    @property
    def events(self) -> Callable[[int], Table]:
        """Makes a table of so many events."""

    def pipeline(self, **train: Any) -> Pipeline:
        """What is trained."""


class Together:
    """One epoch of all members, from its call to the end of the last step, before the validation pass.

    Args:
        chains: the members' kinds.
        seeds: of each chain, so many members.
        events: of the epoch.
    """

    def __init__(self, chains: Sequence[Trained], seeds: int, events: int) -> None:
        self.planned = [(chain.pipeline(), seed) for seed in range(seeds) for chain in chains]
        self.table = chains[0].events(events + VALIDATION)
        rows = torch.arange(events + VALIDATION)
        self.split = Split(train=rows[:events], validation=rows[events:], test=rows[:0])

    def members(self) -> list[Training]:
        """Fresh ones."""
        return [Training(pipeline, self.table, self.split, seed=seed) for pipeline, seed in self.planned]

    def backends(self) -> str:
        """How the models are run: ``batched``, or task by task where they differ, such as ``vmap, batched``."""
        found = [" and ".join(dict.fromkeys(ways)) for ways in probe(self.members()).values()]
        return ", ".join(found if len(set(found)) > 1 else found[:1])

    def __call__(self, clock: Clock) -> float:
        members = self.members()
        steps, ends = members[0].steps_per_epoch, []

        def watch() -> None:
            if members[0].position.step == steps:
                ends.append(clock())

        start = clock()
        Population(members).run(watch)
        return (ends[0] - start) / steps
