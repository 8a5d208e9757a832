"""Inputs as systematic shifts have them: in training by random sizes, in validation by the sizes that events are shown.

Legend: ``N`` events, ``L`` numbers of all conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import final

import torch
from torch import Tensor

from tsunagu.data import Table
from tsunagu.data.augment import EventDraws, Systematic
from tsunagu.data.augment.systematic import between
from tsunagu.spec import Pipeline
from tsunagu.tasks import augmentations_of, conditions_of

__all__ = ["Shifts"]


@final
class Shifts:
    """The systematic shifts that a pipeline declares; false without any.

    Args:
        pipeline: without choices.
        table: the events, with the columns up and down.
    """

    def __init__(self, pipeline: Pipeline, table: Table) -> None:
        labels = conditions_of(pipeline).labels
        self._each = [
            (number, each, None if each.size is None else labels.index(each.size.name))
            for number, each in enumerate(augmentations_of(pipeline))
            if isinstance(each, Systematic)
        ]
        self._there = table.columns.keys()

    def __bool__(self) -> bool:
        return bool(self._each)

    def with_ends(self, names: Sequence[str]) -> list[str]:
        """Columns, and what else must be read to shift them."""
        found = dict.fromkeys(names)
        for _, each, _ in self._each:
            ends = [end for pair in each.columns_of(names, self._there).values() for end in pair]
            found |= dict.fromkeys(name for name in (*ends, each.where) if name is not None)
        return list(found)

    def at_random(
        self, batch: Mapping[str, Tensor], names: Sequence[str], draws: EventDraws, values: Tensor | None
    ) -> dict[str, Tensor]:
        """The columns of a training batch, shifted.

        Args:
            batch: ``[N, ...]`` by name, as :meth:`with_ends` has it.
            names: of the columns that are wanted.
            draws: the random numbers of the events.
            values: ``[N, L]`` of the conditions, where there are any.
        """

        def size(number: int, each: Systematic, place: int | None) -> Tensor:
            if place is None or values is None:
                return each.width * draws.of(number).normal()
            return values[:, place]

        return self._shifted(batch, names, size)

    def as_shown(
        self, batch: Mapping[str, Tensor], names: Sequence[str], values: Tensor
    ) -> dict[str, Tensor]:
        """The columns of a validation batch: shifted where the size is a condition, which has these values ``[N, L]``."""
        return self._shifted(batch, names, lambda _, __, place: None if place is None else values[:, place])

    def _shifted(
        self,
        batch: Mapping[str, Tensor],
        names: Sequence[str],
        size: Callable[[int, Systematic, int | None], Tensor | None],
    ) -> dict[str, Tensor]:
        moved = {name: batch[name] for name in names}
        for number, each, place in self._each:
            own = size(number, each, place)
            if own is None:
                continue
            own = own if each.where is None else own * (batch[each.where] != 0)
            for name, (up, down) in each.columns_of(names, self._there).items():
                # From where the nominal event is, so that several shifts add up in any order.
                by = between(batch[name], batch[up], None if down is None else batch[down], own)
                moved[name] = moved[name] ^ by if by.dtype == torch.bool else moved[name] + by
        return moved
