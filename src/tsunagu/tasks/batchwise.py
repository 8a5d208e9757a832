"""Losses of some events only, and losses that compare the events of a batch: each member's, and those of like conditions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from tsunagu.layers import current_part
from tsunagu.losses import BatchLoss

__all__ = ["batchwise", "blanked"]

TOGETHER = 128
"""Events of like condition that are compared: fewer would say little, and more be less alike."""


def batchwise(
    loss: BatchLoss,
    prediction: Tensor,
    target: Tensor,
    weight: Tensor,
    has: Tensor | None = None,
    factor: Tensor | None = None,
) -> Tensor:
    """The loss of each member's batch, for each of its events: their :func:`~tsunagu.losses.weighted_mean` is again that loss.

    Where the weight of the loss is a condition, an event of a weight is compared with those of like weights, since
    the network is another one for the others.

    Args:
        loss: of a batch.
        prediction: ``[R B, ...]``, the R members one after the other.
        target: ``[R B, ...]``.
        weight: training weights ``[B]`` or ``[R, B]``.
        has: ``[R B]``, the events that are compared; all without.
        factor: ``[R B]``, a weight of the loss for each event; 1 without.

    Returns:
        ``[R B]``.

    Raises:
        ValueError: several processes have a part of the batch each.
    """
    if current_part() is not None:
        msg = f"{type(loss).__name__} is of all events of a batch, of which each process has a part; train in one process"
        raise ValueError(msg)
    signed = weight.reshape(-1).to(prediction.dtype)
    size = signed if loss.signed else signed.abs()
    size = size if has is None else size * has
    each = torch.cat(
        [
            loss.of_batch(prediction[rows], target[rows], size[rows]).expand(len(rows))
            for rows in _compared(weight, factor)
        ]
    )
    if factor is not None:
        order = torch.cat(list(_compared(weight, factor)))
        each = factor.to(each.dtype) * torch.zeros_like(each).index_copy(0, order, each)
    # The weighted mean has signed weights above, and their size below.
    return each * signed.sign()


def _compared(weight: Tensor, factor: Tensor | None) -> Sequence[Tensor]:
    """The rows of each group of events that are compared with each other."""
    events = weight.shape[-1]
    members = torch.split(torch.arange(weight.numel(), device=weight.device), events)
    if factor is None:
        return members
    groups = max(1, events // TOGETHER)
    ordered = (rows[factor[rows].argsort(stable=True)] for rows in members)
    return [part for rows in ordered for part in rows.tensor_split(groups)]


def blanked(target: Tensor, has: Tensor) -> Tensor:
    """A target ``[E, ...]`` with 0 for the events that have none, which are 0 in ``has [E]``.

    Whatever stands there, such as NaN or a label of no class, must not spoil what is computed beside it.
    """
    return target.where((has != 0).view(-1, *[1] * (target.ndim - 1)), target.new_zeros(()))
