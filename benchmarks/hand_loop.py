"""The loop that an expert would write by hand for two models, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import repeat

import torch
from torch import Tensor, nn

from benchmarks.chain import BATCH, LR, Chain
from benchmarks.measure import Clock

__all__ = ["DrawnByHand", "HandLoop", "OneByOne"]


class HandLoop:
    """One epoch with ``randperm``, ``index_select`` and fused Adam, from the shuffling to the last step.

    Args:
        chain: to train.
        events: of the epoch.
    """

    def __init__(self, chain: Chain, events: int) -> None:
        table = chain.events(events)
        self.chain, self.columns = chain, [table.columns[name] for name in chain.columns]

    def __call__(self, clock: Clock) -> float:
        models = self.chain.graph().models
        optimizer = torch.optim.Adam(models.parameters(), lr=LR, fused=True)
        generator = torch.Generator().manual_seed(1)
        start = clock()
        self.epoch(repeat((models["calibrate"], models["classify"])), optimizer, generator)
        return (clock() - start) / (len(self.columns[0]) // BATCH)

    def epoch(
        self,
        pairs: Iterable[tuple[nn.Module, nn.Module]],
        optimizer: torch.optim.Optimizer,
        generator: torch.Generator,
    ) -> Tensor:
        """One pass over the events with the models of each step; the sum of the batches' losses."""
        *inputs, truth, label = self.columns
        total = torch.zeros(())
        order = torch.randperm(len(label), generator=generator)
        for start, (first, second) in zip(range(0, len(label), BATCH), pairs, strict=False):
            index = order[start : start + BATCH]
            taus = first(*[column.index_select(0, index) for column in inputs])
            aims = truth.index_select(0, index), label.index_select(0, index)
            loss = self.chain.by_hand(taus, second(taus), *aims)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return total


class DrawnByHand:
    """The same loop over a supernet of equal candidates: each step draws one for either task and trains these.

    Args:
        chain: each of the candidates.
        options: how many for either task.
        events: of the epoch.
    """

    def __init__(self, chain: Chain, options: int, events: int) -> None:
        self.loop, self.options = HandLoop(chain, events), options

    def __call__(self, clock: Clock) -> float:
        graphs = [self.loop.chain.graph() for _ in range(self.options)]
        first, second = ([graph.models[name] for graph in graphs] for name in ("calibrate", "classify"))
        weights = [weight for model in (*first, *second) for weight in model.parameters()]
        optimizer = torch.optim.Adam(weights, lr=LR, fused=True)
        generator, draw = torch.Generator().manual_seed(1), random.Random(1)
        start = clock()
        drawn = ((draw.choice(first), draw.choice(second)) for _ in iter(int, 1))
        self.loop.epoch(drawn, optimizer, generator)
        return (clock() - start) / (len(self.loop.columns[0]) // BATCH)


class OneByOne:
    """Hand-written loops one after the other: the sum of their costs.

    Args:
        chains: to train.
        seeds: of each chain; so many of them are run, or a sample of them counts for all: they cost the same.
        events: of the epoch.
        sample: how many seeds of each chain are run.
    """

    def __init__(self, chains: Sequence[Chain], seeds: int, events: int, sample: int) -> None:
        self.loops, self.seeds, self.sample = [HandLoop(chain, events) for chain in chains], seeds, sample

    def __call__(self, clock: Clock) -> float:
        return sum(loop(clock) for loop in self.loops for _ in range(self.sample)) * self.seeds / self.sample
