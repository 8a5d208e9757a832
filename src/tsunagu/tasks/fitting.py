"""Losses that must know something of the training events, such as how many of each class there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from tsunagu.data import Split, Table
from tsunagu.data.listing import listed
from tsunagu.errors import DataError
from tsunagu.losses import FitsEvents, Loss
from tsunagu.tasks.stages import Stage

__all__ = ["everything", "fit_loss", "fit_stages"]


def fit_stages(stages: Sequence[Stage], table: Table, split: Split) -> tuple[Stage, ...]:
    """The stages with losses that know the training events; the others stay as they are.

    Equal losses on the same events are counted once, so that a population of many members costs what one does.

    Args:
        stages: of a pipeline.
        table: the events.
        split: its training rows are read.

    Raises:
        DataError: a class without training events; the message names the file, the column, the class and all counts.
    """
    return tuple(
        replace(
            stage,
            terms=tuple(
                replace(t, loss=fit_loss(t.loss, t.target, table, split, t.where)) for t in stage.terms
            ),
        )
        for stage in stages
    )


def fit_loss(loss: Loss, target: str, table: Table, split: Split, where: str | None = None) -> Loss:
    """A loss that knows the training events, itself where it does not ask.

    Args:
        loss: any.
        target: the column that supervises it.
        table: the events.
        split: its training rows are read.
        where: a column that is not 0 for those that have this loss.

    Raises:
        DataError: the events are unfit.
    """
    if not isinstance(loss, FitsEvents):
        return loss
    known = _fitted.setdefault(split, WeakKeyDictionary()).setdefault(table, {})
    key = loss, target, where
    if key not in known:
        rows = split.train
        if where is not None:
            rows = rows[table.take([where], rows)[where].cpu() != 0]
        known[key] = _fit(loss, target, table, rows)
    return known[key]


def everything(table: Table) -> Split:
    """A split with all events for training, where nobody says which they are."""
    rows = torch.arange(len(table))
    return Split(train=rows, validation=rows[:0], test=rows[:0])


# By split and table, which are compared by identity and are forgotten with them.
_fitted: WeakKeyDictionary[Split, WeakKeyDictionary[Table, dict[tuple[Loss, str, str | None], Loss]]] = (
    WeakKeyDictionary()
)


def _fit(loss: FitsEvents, target: str, table: Table, rows: Tensor) -> Loss:
    try:
        found = loss.fitted(table.take([target], rows)[target].cpu(), table.weights(rows).cpu())
    except ValueError as error:
        message = f"{listed(table.files)}: column '{target}': {error}"
        raise DataError(message) from error
    assert isinstance(found, Loss)
    return found
