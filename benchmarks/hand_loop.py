"""The loop that an expert would write by hand for these two models, and nothing else."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.chain import BATCH, COLUMNS, LR, WIDTH, make_graph, make_table, torch_loss
from benchmarks.measure import Clock

__all__ = ["HandLoop", "epoch"]


class HandLoop:
    """One epoch with ``randperm``, ``index_select`` and fused Adam, from the shuffling to the last step.

    Args:
        events: of the epoch.
        width: of the hidden layers.
        activations: of the two models.
    """

    def __init__(
        self, events: int, width: int = WIDTH, activations: tuple[str, str] = ("ReLU", "ReLU")
    ) -> None:
        table = make_table(events)
        self.columns = tuple(table.columns[name] for name in COLUMNS)
        self.kind = (width, activations)

    def __call__(self, clock: Clock) -> float:
        models = make_graph(*self.kind).models
        first, second = models["calibrate"], models["classify"]
        optimizer = torch.optim.Adam([*first.parameters(), *second.parameters()], lr=LR, fused=True)
        generator = torch.Generator().manual_seed(1)
        start = clock()
        epoch(first, second, optimizer, self.columns, generator)
        return (clock() - start) / (len(self.columns[0]) // BATCH)


def epoch(
    first: nn.Module,
    second: nn.Module,
    optimizer: torch.optim.Optimizer,
    columns: tuple[torch.Tensor, ...],
    generator: torch.Generator,
) -> torch.Tensor:
    """One pass over the events; the sum of the batches' losses."""
    jets, true_taus, label = columns
    total = torch.zeros(())
    order = torch.randperm(len(jets), generator=generator)
    for start in range(0, len(jets), BATCH):
        index = order[start : start + BATCH]
        taus = first(jets.index_select(0, index))
        aims = true_taus.index_select(0, index), label.index_select(0, index)
        loss = torch_loss(taus, second(taus), *aims)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.detach()
    return total
