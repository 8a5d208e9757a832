"""Where the trials of a study run: in which processes, and on which device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

import torch

from tsunagu.errors import Mistake, SpecError
from tsunagu.train import joined, launched
from tsunagu.trials import Dask, Executor

__all__ = ["Place", "placed"]


@final
@dataclass(frozen=True, kw_only=True)
class Place:
    """Where trials run.

    Args:
        executor: in which processes.
        asked: the device that is asked for, such as ``auto``.
        device: what that means in this process.
    """

    executor: Executor
    asked: str
    device: torch.device


@contextmanager
def placed(executor: Executor, asked: str) -> Iterator[Place]:
    """The place of this process, which trains together with others while the block runs, if ``torchrun`` started them.

    Raises:
        SpecError: the device is not there, or processes would train each trial together and trials beside each other.
    """
    if launched() and executor.remote:
        raise SpecError([Mistake(("executor",), _TWICE)])
    # What a Dask worker computes on is its own matter; this machine may have no GPU.
    with joined("cpu" if isinstance(executor, Dask) else asked) as device:
        yield Place(executor=executor, asked=asked, device=device)


_TWICE = (
    "torchrun has started several processes that train each trial together, and worker processes would train trials "
    "beside each other; leave out one of the two"
)
