"""Batches as a training sees them: rows of the table, changed by the augmentations of the pipeline.

Legend: ``S`` orders of events, ``B`` events in a batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from tsunagu.data import Table, given
from tsunagu.data.augment import Augmentation, EventDraws, Mixup
from tsunagu.data.augment.mixup import blended
from tsunagu.layers import Part
from tsunagu.spec import Pipeline
from tsunagu.tasks import augmentations_of
from tsunagu.tasks.conditions import CONDITION, VALUES, conditions_of
from tsunagu.train.conditioning import Drawn, Turn
from tsunagu.train.shifting import Shifts

__all__ = ["Augmented", "Shown"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """The events of a batch.

    Args:
        index: ``[S, B]`` rows of the table.
        keys: ``[S]`` int64, of the random numbers; None for events as they are.
        partner: ``[S, B]`` rows that each is mixed with, or None.
        share: ``[S, B]``, of the event itself in the mixture.
        conditions: ``[S, B, L]`` float64 and float32, where the pipeline has any; see :meth:`Drawn.take`.
    """

    index: Tensor
    keys: Tensor | None = None
    partner: Tensor | None = None
    share: Tensor | None = None
    conditions: tuple[Tensor, Tensor] | None = None

    def part(self, part: Part) -> Shown:
        """The events of one process."""
        rows = slice(part.start, part.stop)
        partner = None if self.partner is None else self.partner[:, rows]
        share = None if self.share is None else self.share[:, rows]
        values, seen = self.conditions or (None, None)
        conditions = None if values is None or seen is None else (values[:, rows], seen[:, rows])
        return replace(self, index=self.index[:, rows], partner=partner, share=share, conditions=conditions)


@final
class Augmented:
    """A table whose batches are changed; nothing happens here where the pipeline declares no augmentation.

    Args:
        pipeline: without choices.
        table: the events.
    """

    def __init__(self, pipeline: Pipeline, table: Table) -> None:
        self._table = table
        found = augmentations_of(pipeline)
        self._each = [each for each in found if isinstance(each, Augmentation)]
        self._mixup = next((each for each in found if isinstance(each, Mixup)), None)
        self._shifts = Shifts(pipeline, table)
        self._on = bool(found)
        conditions = conditions_of(pipeline)
        self._drawn = Drawn(conditions, table, pipeline.train.batch_size) if conditions else None
        # Beside the columns, so that a batch on a GPU need not wait for the CPU.
        resident = self._on and table.is_resident
        self._numbers = table.event_number.to(table.device) if resident else table.event_number

    def show(self, index: Tensor, keys: Sequence[int], turn: Turn | None = None) -> Shown:
        """A batch, with what is decided for all of its events together.

        Args:
            index: ``[S, B]`` rows of the table.
            keys: for each of the S a number of seed, epoch and step; none leaves the events as they are.
            turn: which draws of the conditions it gets; None for the middle of each range.
        """
        conditions = None if self._drawn is None else self._drawn.take(index, turn)
        if not self._on or not keys:
            return Shown(index=index, conditions=conditions)
        device = self._table.device
        shown = Shown(index=index, keys=torch.tensor(list(keys), device=device), conditions=conditions)
        if self._mixup is None:
            return shown
        pairs = [self._mixup.pairs(index.shape[1], key) for key in keys]
        partner = torch.stack(
            [rows[place.to(index.device)] for rows, (place, _) in zip(index, pairs, strict=True)]
        )
        share = torch.stack([share for _, share in pairs]).to(device)
        return replace(shown, partner=partner, share=share)

    def take(self, names: Sequence[str], shown: Shown) -> dict[str, Tensor]:
        """Columns of a batch, the S orders one after the other: ``[S B, ...]`` on the table's device."""
        batch = self._changed(names, shown, shown.index)
        if shown.conditions is not None:
            values, seen = (each.flatten(0, 1) for each in shown.conditions)
            batch |= {VALUES: values, CONDITION: seen}
        if self._mixup is None or shown.partner is None or shown.share is None:
            return batch
        other = self._changed(names, shown, shown.partner)
        return batch | self._mixup.mixed(batch, other, shown.share.reshape(-1))

    def weights(self, shown: Shown) -> Tensor:
        """Training weights ``[S, B]``, mixed as the events are."""
        own = self._weights(shown.index)
        if shown.partner is None or shown.share is None:
            return own
        share = shown.share.reshape(-1)
        return blended(own.reshape(-1), self._weights(shown.partner).reshape(-1), share).view(own.shape)

    def _changed(self, names: Sequence[str], shown: Shown, index: Tensor) -> dict[str, Tensor]:
        flat = index.reshape(-1)
        if shown.keys is None or not (self._each or self._shifts):
            return self._table.take(names, flat)
        numbers = given(self._numbers, flat, self._table.device)
        draws = EventDraws(numbers, shown.keys.repeat_interleave(index.shape[1]))
        batch = self._table.take(self._shifts.with_ends(names) if self._shifts else names, flat)
        with torch.no_grad():
            if self._shifts:
                values = None if shown.conditions is None else shown.conditions[0].flatten(0, 1)
                batch = self._shifts.at_random(batch, names, draws, values)
            for place, each in enumerate(self._each):
                batch |= self._applied(each, batch, draws.of(place))
        return batch

    def _applied(
        self, each: Augmentation, batch: Mapping[str, Tensor], draws: EventDraws
    ) -> dict[str, Tensor]:
        return each(batch, draws) if batch.keys() & set(each.columns) else {}

    def _weights(self, index: Tensor) -> Tensor:
        return self._table.weights(index.reshape(-1)).view(index.shape)
