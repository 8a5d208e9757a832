"""Rows of columns on another device: where they live there, or moved batch by batch."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["SHARE", "fits", "given", "named"]

SHARE = 0.5
"""Of the free memory of a device that a table may take."""


def named(device: torch.device | str) -> torch.device:
    """A device as tensors name theirs, with its number.

    >>> named("cpu")
    device(type='cpu')
    """
    return torch.empty(0, device=device).device


def fits(tensors: Iterable[Tensor], device: torch.device, room: int | None = None) -> bool:
    """Whether tensors take :data:`SHARE` of the free memory of a device at most.

    Args:
        tensors: that would be copied there.
        device: only of a GPU the free memory is asked for; others are taken as large enough.
        room: free bytes; what the device says by default.

    >>> fits([torch.zeros(4)], torch.device("cpu")), fits([torch.zeros(4)], torch.device("cpu"), room=31)
    (True, False)
    """
    if room is None and device.type == "cuda":
        room, _ = torch.cuda.mem_get_info(device)
    return room is None or sum(tensor.nbytes for tensor in tensors) <= SHARE * room


def given(column: Tensor, index: Tensor, device: torch.device) -> Tensor:
    """Rows ``[N, ...]`` of a column ``[E, ...]`` on a device, for an index ``[N]`` on any.

    >>> given(torch.tensor([1.0, 2.0]), torch.tensor([1]), torch.device("cpu"))
    tensor([2.])
    """
    picked = column.index_select(0, index if index.device == column.device else index.to(column.device))
    if picked.device == device:
        return picked
    # Only from pinned memory does a copy go on beside the computation.
    return (picked.pin_memory() if device.type == "cuda" else picked).to(device, non_blocking=True)
