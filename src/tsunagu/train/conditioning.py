"""The conditions of events: drawn in training, dealt out in validation, set by hand afterwards.

Legend: ``S`` orders of events, ``B`` events in a batch, ``L`` numbers of all conditions.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tsunagu.data import Table, given
from tsunagu.data.augment import EventDraws
from tsunagu.random import derive_seed
from tsunagu.tasks.conditions import Conditions

__all__ = ["at_default", "dealt", "drawn"]

PURPOSE = derive_seed("condition")


def drawn(conditions: Conditions, table: Table, index: Tensor, keys: Sequence[int]) -> Tensor:
    """What the events of a batch are trained with: each its own numbers, which are those of its place and of nothing else.

    Args:
        conditions: of the pipeline.
        table: the events.
        index: ``[S, B]`` rows of it.
        keys: for each of the S a number of seed, stage, epoch and step; none for the middle of every range.

    Returns:
        ``[S, B, L]`` float64 on the table's device.
    """
    orders, events = index.shape
    if not keys:
        values = conditions.default.to(table.device).expand(index.numel(), -1)
    else:
        # By the place and not by the event: one that is shown twice in a batch is shown with two conditions.
        places = torch.arange(events, device=table.device).repeat(orders)
        each = torch.tensor([key ^ PURPOSE for key in keys], device=table.device).repeat_interleave(events)
        values = conditions.sample(EventDraws(places, each))
    return _filled(conditions, table, index.reshape(-1), values).view(orders, events, -1)


def dealt(conditions: Conditions, table: Table, rows: Tensor) -> Tensor:
    """What events ``[N]`` are validated with: points of a fixed grid, ``[N, L]`` float64."""
    numbers = given(table.event_number, rows, table.device)
    return _filled(conditions, table, rows, conditions.dealt(numbers))


def at_default(conditions: Conditions, events: int, device: torch.device) -> Tensor:
    """The middle of every range for all events, ``[N, L]`` float64."""
    return conditions.default.to(device).expand(events, -1)


def _filled(conditions: Conditions, table: Table, rows: Tensor, values: Tensor) -> Tensor:
    names = conditions.columns
    return conditions.filled(values, table.take(names, rows)) if names else values
