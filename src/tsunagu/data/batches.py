"""The order in which events are shown: one permutation for each (seed, epoch)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from tsunagu.random import derive_seed

__all__ = ["batches"]


def batches(indices: Tensor, batch_size: int, seed: int, epoch: int) -> Iterator[Tensor]:
    """The rows of one epoch in a random order, cut into batches; the last one may be shorter.

    A pure function of its arguments: a resumed training sees the batches that the uninterrupted one would
    have seen.

    Args:
        indices: ``[N]`` int64 rows of the table.
        batch_size: at least 1.
        seed: of the training.
        epoch: of the training, from 0.

    Yields:
        int64 tensors of ``batch_size`` rows; every row of ``indices`` once.

    >>> rows = [batch.tolist() for batch in batches(torch.arange(5), 2, seed=1, epoch=0)]
    >>> [len(row) for row in rows], sorted(sum(rows, []))
    ([2, 2, 1], [0, 1, 2, 3, 4])
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    order = indices[torch.randperm(len(indices), generator=generator)]
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
