"""The order in which events are shown: one permutation for each (seed, epoch), or one that reads files in parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from tsunagu.random import derive_seed

__all__ = ["BUFFER", "CHUNK", "batches", "chunked_batches"]

CHUNK = 500
"""Neighbouring rows that are read together."""

BUFFER = 80
"""Chunks that the rows of a batch come from, at most."""


def batches(
    indices: Tensor, batch_size: int, seed: int, epoch: int, *, device: torch.device | None = None
) -> Iterator[Tensor]:
    """The rows of one epoch in a random order, cut into batches; the last one may be shorter.

    A pure function of its arguments: a resumed training sees the batches that the uninterrupted one would
    have seen.

    Args:
        indices: ``[N]`` int64 rows of the table.
        batch_size: at least 1.
        seed: of the training.
        epoch: of the training, from 0.
        device: where the rows are given; they are drawn on the CPU and moved once an epoch, so all devices see one order.

    Yields:
        int64 tensors of ``batch_size`` rows; every row of ``indices`` once.

    >>> rows = [batch.tolist() for batch in batches(torch.arange(5), 2, seed=1, epoch=0)]
    >>> [len(row) for row in rows], sorted(sum(rows, []))
    ([2, 2, 1], [0, 1, 2, 3, 4])
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    order = indices[torch.randperm(len(indices), generator=generator)].to(device)
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def chunked_batches(
    indices: Tensor,
    batch_size: int,
    seed: int,
    epoch: int,
    *,
    chunk: int = CHUNK,
    buffer: int = BUFFER,
    start: int = 0,
    ahead: Callable[[Tensor], None] | None = None,
) -> Iterator[Tensor]:
    """:func:`batches` for a table that does not fit into memory, where each random row costs a read of the disk.

    The rows are cut into chunks of neighbours, the chunks put in a random order, and the rows of the next
    ``buffer / 2`` chunks shuffled. So the disk is read in large parts, and no more than ``buffer`` chunks have to be
    in memory at a time.

    Args:
        indices: ``[N]`` int64 rows of the table, sorted.
        batch_size: at least 1.
        seed: of the training.
        epoch: of the training, from 0.
        chunk: rows at most, at least 1.
        buffer: chunks that a batch comes from, at most; a batch larger than ``buffer / 2`` chunks comes from more.
        start: the batches to leave out, for a training that goes on in the middle of an epoch.
        ahead: is given the rows of each chunk, sorted, before they are needed.

    Yields:
        int64 tensors of ``batch_size`` rows, the last one may be shorter; every row of ``indices`` once.

    >>> rows = [batch.tolist() for batch in chunked_batches(torch.arange(5), 2, 1, 0, chunk=2, buffer=2)]
    >>> [len(row) for row in rows], sorted(sum(rows, []))
    ([2, 2, 1], [0, 1, 2, 3, 4])
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, "order", epoch))
    count = -(-len(indices) // chunk)
    groups = torch.split(torch.randperm(count, generator=generator), buffer // 2) if count else ()
    waiting, done, asked = indices[:0], 0, 0
    for number, group in enumerate(groups):
        rows = torch.cat(_rows(indices, group, count))
        done += len(rows)
        if ahead is not None and done > start * batch_size:
            # The next group is read while this one is trained on.
            for other in groups[max(asked, number) : number + 2]:
                for part in _rows(indices, other, count):
                    ahead(part)
            asked = number + 2
        waiting = torch.cat([waiting, rows[torch.randperm(len(rows), generator=generator)]])
        whole = len(waiting) - len(waiting) % batch_size if done < len(indices) else len(waiting)
        first = (done - len(waiting)) // batch_size
        for batch in range(max(first, start), first - (-whole // batch_size)):
            yield waiting[(batch - first) * batch_size : (batch - first + 1) * batch_size]
        waiting = waiting[whole:]


def _rows(indices: Tensor, group: Tensor, count: int) -> list[Tensor]:
    # All chunks as long as each other, or one row longer: a short one could be a group of its own.
    total = len(indices)
    return [indices[n * total // count : (n + 1) * total // count] for n in group.tolist()]
