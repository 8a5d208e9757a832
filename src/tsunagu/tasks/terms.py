"""One loss of a training: what it reads, and what each event has of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tsunagu.losses import BatchLoss, Loss, given
from tsunagu.spec import Schedule
from tsunagu.tasks.batchwise import batchwise, blanked
from tsunagu.tasks.conditions import VALUES

__all__ = ["Term"]


@dataclass(frozen=True, kw_only=True)
class Term:
    """One loss of a stage: ``weight * weighted_mean(loss(prediction, target))``.

    Args:
        output: what is judged.
        target: the column that judges it.
        where: a column that is not 0 for the events that have this loss.
        weight: in the sum; 1 where it is a condition.
        loss: with its settings; of those that are conditions the middle of their range.
        given: the settings that are conditions, each with its place among their numbers.
        factor: the place of the weight, where that is a condition.
        timed: the settings, ``weight`` among them, that change with time.
    """

    output: str
    target: str
    weight: float
    loss: Loss
    where: str | None = None
    given: tuple[tuple[str, int], ...] = ()
    factor: int | None = None
    timed: tuple[tuple[str, Schedule], ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return (self.target,) if self.where is None else (self.target, self.where)

    def of(self, prediction: Tensor, batch: Mapping[str, Tensor], weight: Tensor) -> Tensor:
        """The losses ``[E]``, but for the weight in the sum; 0 of events that have none.

        Args:
            prediction: ``[E, ...]``.
            batch: ``[E, ...]`` by name: the columns, and the values of conditions where there are any.
            weight: training weights ``[E]``, or ``[R, B]`` of the R members of a population, whose events stand one after the
                other and are compared with none of another member.
        """
        factor = self._factor(batch)
        if isinstance(self.loss, BatchLoss):
            return batchwise(self.loss, prediction, batch[self.target], weight, self._which(batch), factor)
        loss = self.bare(prediction, batch)
        return loss if factor is None else factor.to(loss.dtype) * loss

    def bare(self, prediction: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """The same ``[E]`` without the weight that is a condition, of a loss that compares no events."""
        has, target = self._which(batch), batch[self.target]
        if has is None:
            return self._given(batch)(prediction, target)
        loss = self._given(batch)(prediction, blanked(target, has))
        return loss.where(has, loss.new_zeros(()))

    def factors(self, loss: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """That weight for each event ``[E]``, and 1 where it is none, in float64; ``loss [E]`` says on which device."""
        factor = self._factor(batch)
        return torch.ones_like(loss, dtype=torch.float64) if factor is None else factor

    def _given(self, batch: Mapping[str, Tensor]) -> Loss:
        if VALUES not in batch or not self.given:
            return self.loss
        return given(self.loss, {name: batch[VALUES][:, place] for name, place in self.given})

    def _factor(self, batch: Mapping[str, Tensor]) -> Tensor | None:
        return None if self.factor is None or VALUES not in batch else batch[VALUES][:, self.factor]

    def _which(self, batch: Mapping[str, Tensor]) -> Tensor | None:
        return None if self.where is None else batch[self.where].reshape(-1) != 0
