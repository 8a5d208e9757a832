"""Losses for numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor
from torch.nn import functional

from tsunagu.losses.loss import Loss, align, event_mean, register_loss
from tsunagu.losses.parameters import Number, wide

__all__ = ["Huber", "MeanSquared", "check_finite"]


@register_loss("mse")
@final
@dataclass(frozen=True, kw_only=True)
class MeanSquared(Loss):
    """``mean_i (p_i - t_i)^2`` over the components i of an event.

    >>> MeanSquared()(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 0.0]])).tolist()
    [2.5]
    """

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        aimed = target.to(prediction.dtype)
        return event_mean(functional.mse_loss(align(prediction, aimed), aimed, reduction="none"))

    def check(self, target: Tensor) -> str | None:
        return check_finite(target)


@register_loss("huber")
@final
@dataclass(frozen=True, kw_only=True)
class Huber(Loss):
    """Quadratic for small differences d and linear for large ones (Huber, Ann. Math. Statist. 35 (1964) 73).

    ``d^2 / 2`` where ``|d| <= delta``, else ``delta (|d| - delta / 2)``; mean over the components of an event.

    Args:
        delta: where the linear part starts, in the target's units; positive.

    >>> Huber()(torch.tensor([[0.5, 3.0]]), torch.tensor([[0.0, 0.0]])).tolist()
    [1.3125]
    """

    parameters: ClassVar[tuple[str, ...]] = ("delta",)
    delta: Number = 1.0

    def __post_init__(self) -> None:
        if not self.delta > 0.0:
            msg = f"delta must be positive, found {self.delta}"
            raise ValueError(msg)

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        aimed = target.to(prediction.dtype)
        return event_mean(_huber(align(prediction, aimed), aimed, wide(self.delta, aimed)))

    def check(self, target: Tensor) -> str | None:
        return check_finite(target)


def _huber(prediction: Tensor, target: Tensor, delta: Number) -> Tensor:
    if not isinstance(delta, Tensor):
        return functional.huber_loss(prediction, target, reduction="none", delta=delta)
    size = (prediction - target).abs()
    near = torch.minimum(size, delta)
    return near * (size - 0.5 * near)


def check_finite(target: Tensor) -> str | None:
    """A sentence on values that are not finite, or None.

    >>> check_finite(torch.tensor([1.0, float("nan")]))
    '1 of 2 values are not finite'
    """
    bad = int((~torch.isfinite(target)).sum())
    return f"{bad} of {target.numel()} values are not finite" if bad else None
