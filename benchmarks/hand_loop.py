"""The loop that an expert would write by hand for two models, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from benchmarks.chain import BATCH, LR, Chain
from benchmarks.measure import Clock

__all__ = ["HandLoop", "OneByOne"]


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
        self._epoch(models["calibrate"], models["classify"], optimizer, generator)
        return (clock() - start) / (len(self.columns[0]) // BATCH)

    def _epoch(
        self,
        first: torch.nn.Module,
        second: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        generator: torch.Generator,
    ) -> Tensor:
        """One pass over the events; the sum of the batches' losses."""
        *inputs, truth, label = self.columns
        total = torch.zeros(())
        order = torch.randperm(len(label), generator=generator)
        for start in range(0, len(label), BATCH):
            index = order[start : start + BATCH]
            taus = first(*[column.index_select(0, index) for column in inputs])
            aims = truth.index_select(0, index), label.index_select(0, index)
            loss = self.chain.by_hand(taus, second(taus), *aims)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return total


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
