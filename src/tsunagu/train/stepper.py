"""The optimiser steps of one stage: what does not change from step to step is looked up once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.data import Table
from tsunagu.spec import Train
from tsunagu.tasks import Graph, Stage
from tsunagu.train.evaluation import columns_of
from tsunagu.train.flat import FlatModel
from tsunagu.train.optimizer import optimizer
from tsunagu.train.state import copied, named, under

__all__ = ["Stepper"]


@final
class Stepper:
    """One optimiser and the models that it moves.

    Args:
        graph: the models of all tasks.
        flats: their weights, by task.
        stage: which tasks run, and their losses.
        settings: optimiser and clipping.
        table: the events.
    """

    def __init__(
        self, graph: Graph, flats: Mapping[str, FlatModel], stage: Stage, settings: Train, table: Table
    ) -> None:
        self._graph, self._stage, self._table, self._clip = graph, stage, table, settings.clip
        self._columns = columns_of(graph, stage)
        self._flats = [flats[name] for name in stage.tasks if flats[name].count]
        # A stage of constant models (controls such as Zero) has nothing to learn and no optimiser.
        weights = [flat.weights for flat in self._flats]
        self._optimizer = optimizer(settings.optimizer, weights) if weights else None
        self._rates = [group["lr"] for group in self._optimizer.param_groups] if self._optimizer else []

    @property
    def learns(self) -> bool:
        """Whether there is a weight to train."""
        return self._optimizer is not None

    def step(self, index: Tensor) -> Tensor:
        """One optimiser step on the events ``index [B]``; the loss before it, a scalar on the device."""
        assert self._optimizer is not None
        stage, table = self._stage, self._table
        rows = table.take(self._columns, index)
        predictions = self._graph(rows, stage.tasks, stage.substitutes)
        loss = stage.loss(predictions, rows, table.train_weight.index_select(0, index))
        for flat in self._flats:
            flat.gradient.zero_()
        # A control without parameters at the end of the chain gives a loss that nothing can lower.
        if loss.requires_grad:
            torch.autograd.backward(loss)
        if self._clip is not None:
            nn.utils.clip_grad_norm_([flat.weights for flat in self._flats], self._clip)
        self._optimizer.step()
        return loss.detach()

    def set_rate(self, factor: float) -> None:
        """Set the learning rates to this multiple of what was declared."""
        groups = self._optimizer.param_groups if self._optimizer else []
        for group, rate in zip(groups, self._rates, strict=True):
            group["lr"] = rate * factor

    def moments(self) -> dict[str, Tensor]:
        """The optimiser's own tensors by name; not copies."""
        found: dict[str, Tensor] = {}
        for number, flat in enumerate(self._flats):
            state = self._optimizer.state.get(flat.weights, {}) if self._optimizer else {}
            kept = {name: torch.as_tensor(value) for name, value in state.items() if value is not None}
            found |= named(str(number), kept)
        return found

    def restore(self, moments: Mapping[str, Tensor]) -> None:
        """Put the optimiser back to where :meth:`moments` was taken."""
        for number, flat in enumerate(self._flats):
            state = under(str(number), moments)
            if state and self._optimizer is not None:
                self._optimizer.state[flat.weights] = copied(state)
