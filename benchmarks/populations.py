"""Many trainings of the chain: ours as one population, theirs by hand one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import torch

from benchmarks.chain import VALIDATION, make_pipeline, make_table
from benchmarks.hand_loop import HandLoop
from benchmarks.measure import Clock
from tsunagu.data import Split
from tsunagu.train import Population, Training

__all__ = ["GRID", "OneByOne", "Together"]

Kind = tuple[int, tuple[str, str]]
ACTIVATIONS = ("ReLU", "Tanh", "SiLU")
GRID = tuple((64, pair) for pair in product(ACTIVATIONS, ACTIVATIONS))
"""Three candidates for each of the two steps, told apart by their activation."""


class Together:
    """Our side: one epoch of all members, from its call to the end of the last step.

    Args:
        events: of the epoch.
        kinds: width and activations of each member.
        seeds: of each kind, so many members.
    """

    def __init__(self, events: int, kinds: Sequence[Kind], seeds: int) -> None:
        self.members = [(make_pipeline(*kind), seed) for seed in range(seeds) for kind in kinds]
        self.table = make_table(events + VALIDATION)
        rows = torch.arange(events + VALIDATION)
        self.split = Split(train=rows[:events], validation=rows[events:], test=rows[:0])

    def __call__(self, clock: Clock) -> float:
        members = [Training(pipeline, self.table, self.split, seed=seed) for pipeline, seed in self.members]
        steps, ends = members[0].steps_per_epoch, []

        def watch() -> None:
            if members[0].position.step == steps:
                ends.append(clock())

        start = clock()
        Population(members).run(watch)
        return (ends[0] - start) / steps


class OneByOne:
    """Their side: the hand-written loop for each kind, times the number of seeds: all cost the same.

    Args:
        events: of the epoch.
        kinds: width and activations.
        seeds: of each kind; so many of them are run, or one of them counts for all.
        sample: how many seeds of each kind are run.
    """

    def __init__(self, events: int, kinds: Sequence[Kind], seeds: int, sample: int) -> None:
        self.loops, self.seeds, self.sample = [HandLoop(events, *kind) for kind in kinds], seeds, sample

    def __call__(self, clock: Clock) -> float:
        return sum(loop(clock) for loop in self.loops for _ in range(self.sample)) * self.seeds / self.sample
