"""The conditions of events: drawn in training, dealt out in validation, set by hand afterwards.

Legend: ``S`` orders of events, ``B`` events in a batch, ``L`` numbers of all conditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.data import Table, given
from tsunagu.data.augment import EventDraws
from tsunagu.tasks.conditions import Conditions

__all__ = ["Drawn", "Turn", "at_default", "dealt"]

BLOCK = 4096
"""Events whose numbers are made at once: small tensors would cost more time than a step of a small network."""


@final
@dataclass(frozen=True)
class Turn:
    """Which draws a batch gets.

    Args:
        keys: for each of the S orders, a number of seed, stage and epoch.
        step: of the epoch.
    """

    keys: tuple[int, ...]
    step: int


@final
class Drawn:
    """What events are trained with: each its own numbers, a function of its order, its epoch and its place there.

    Not of the event: one that is shown twice in an epoch is shown with two conditions.

    Args:
        conditions: of a pipeline.
        table: the events.
        size: of a batch; the last one of an epoch may be smaller.
    """

    def __init__(self, conditions: Conditions, table: Table, size: int) -> None:
        self._conditions, self._table, self._size = conditions, table, size
        self._steps = max(1, BLOCK // size)
        self._block: tuple[tuple[int, ...], int] = ((), -1)
        self._values = self._seen = torch.zeros(0)

    def take(self, index: Tensor, turn: Turn | None) -> tuple[Tensor, Tensor]:
        """The values of a batch, and what a network sees of them.

        Args:
            index: ``[S, B]`` rows of the table.
            turn: None for the middle of every range.

        Returns:
            ``[S, B, L]`` float64 and float32, on the table's device.
        """
        orders, events = index.shape
        if turn is None:
            values = at_default(self._conditions, index.numel(), self._table.device)
            values, seen = values.view(orders, events, -1), self._conditions.normalise(values)
        else:
            place = slice(turn.step % self._steps * self._size, None)
            self._draw(turn)
            values, seen = (each[:, place][:, :events] for each in (self._values, self._seen))
        if not self._conditions.columns:
            return values, seen.reshape(orders, events, -1)
        own = _filled(self._conditions, self._table, index.reshape(-1), values.flatten(0, 1))
        return own.view(values.shape), self._conditions.normalise(own).view(values.shape)

    def _draw(self, turn: Turn) -> None:
        block = (turn.keys, turn.step // self._steps)
        if block == self._block:
            return
        events, device = self._steps * self._size, self._table.device
        places = torch.arange(block[1] * events, (block[1] + 1) * events, device=device)
        keys = torch.tensor(turn.keys, device=device).repeat_interleave(events)
        flat = self._conditions.sample(EventDraws(places.repeat(len(turn.keys)), keys))
        self._values = flat.view(len(turn.keys), events, -1)
        self._seen = self._conditions.normalise(flat).view(self._values.shape)
        self._block = block


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
