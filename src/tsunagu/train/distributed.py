"""Several processes that train together, as ``torchrun`` starts them; mostly there is one, and nothing happens here.

Each takes its part of every batch. What they add up is what one process would have: gradients and losses, and the sums
inside batch normalisation. The order of events is a pure function of seed and epoch, so nobody has to tell it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, final

import torch
import torch.distributed as dist
from torch import Tensor

from tsunagu.layers import Part
from tsunagu.train.devices import choose_device

__all__ = ["ALONE", "World", "here", "joined", "launched"]

PATIENCE = timedelta(minutes=30)
"""How long a process waits for the others, as while the first one evaluates, before it takes them for lost."""
GRACE = 30.0
"""Seconds in which all processes must have failed, if one did."""
TOLD = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")

T = TypeVar("T")


@final
class World:
    """The processes that share a training.

    Args:
        rank: the number of this one; the first one writes and prints.
        size: how many there are.
        store: where they can leave word for each other.

    >>> World().size
    1
    """

    def __init__(self, rank: int = 0, size: int = 1, store: Any = None) -> None:
        self.rank, self.size = rank, size
        self._store, self._tasks = store, 0

    def part(self, events: int) -> Part:
        """The events of a batch that this process takes: all, where there are not enough for everybody.

        >>> [World(rank, 2).part(5) for rank in (0, 1)]
        [Part(start=0, stop=2, events=5), Part(start=2, stop=5, events=5)]
        """
        if events < self.size:
            return Part(0, events, events)
        return Part(self.rank * events // self.size, (self.rank + 1) * events // self.size, events)

    def sum(self, tensors: Sequence[Tensor]) -> None:
        """Put in the place of each tensor its sum over all processes: one call for all of them."""
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        torch._foreach_copy_(
            list(tensors), [part.view(own.shape) for part, own in zip(parts, tensors, strict=True)]
        )

    def first_says(self, value: T) -> T:
        """The value that the first process has, in all of them."""
        if self.size == 1:
            return value
        told = [value]
        dist.broadcast_object_list(told, src=0)
        return told[0]

    def begin(self) -> None:
        """Another training begins."""
        self._tasks += 1

    def failed(self, error: Exception) -> None:
        """Go on where all processes have failed alike; else end this one, as the others wait for it in vain.

        Raises:
            SystemExit: the others have not failed in time. ``torchrun`` then ends them.
        """
        word, deadline = f"failed/{self._tasks}", time.monotonic() + GRACE
        self._store.add(word, 1)
        while self._store.add(word, 0) < self.size or self._store.add("over", 0):
            if time.monotonic() > deadline or self._store.add("over", 0):
                self._store.add("over", 1)
                msg = f"process {self.rank} of {self.size} fails where others do not, so all end: {error}"
                raise SystemExit(msg) from error
            time.sleep(0.05)


ALONE = World()
_here = [ALONE]


def here() -> World:
    """The processes that this one trains with."""
    return _here[-1]


def launched() -> bool:
    """Whether a launcher such as ``torchrun`` has started this process as one of several."""
    return all(name in os.environ for name in TOLD) and int(os.environ["WORLD_SIZE"]) > 1


@contextmanager
def joined(asked: str = "auto") -> Iterator[torch.device]:
    """Train together with the other processes while the block runs, if there are any; the device of this one.

    Args:
        asked: the device, see :func:`~tsunagu.train.choose_device`.

    Raises:
        SpecError: the device is not there.

    >>> with joined("cpu") as device:
    ...     device, here().size
    (device(type='cpu'), 1)
    """
    if not launched():
        yield choose_device(asked)
        return
    device = choose_device(asked, place=int(os.environ["LOCAL_RANK"]))
    # A torch that is built without it has no such modules.
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    store, rank, size = next(iter(rendezvous("env://", timeout=PATIENCE)))
    backend = "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
        # Objects, which are bytes of the CPU, go by gloo.
        backend = "cpu:gloo,cuda:nccl"
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    _here.append(World(rank, size, PrefixStore(f"tsunagu/{attempt}", store)))
    try:
        yield device
    finally:
        _here.pop()
        dist.destroy_process_group()
