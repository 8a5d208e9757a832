"""Adam as a function of its state, for the few numbers that a searcher itself learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

__all__ = ["Adam", "Moments"]

Moments = Mapping[str, Tensor]
"""``[2, ...]`` for each tensor: the means of its gradient and of the gradient's square, with decay."""


@final
@dataclass(frozen=True, kw_only=True)
class Adam:
    """Adam (Kingma & Ba, arXiv:1412.6980) with the weight decay added to the gradient, as ``torch.optim.Adam``.

    Args:
        rate: the learning rate.
        betas: how slowly the two means forget.
        decay: the weight decay.
        epsilon: what keeps the quotient finite.

    >>> x = {"x": torch.tensor([1.0], dtype=torch.float64)}
    >>> adam = Adam(rate=0.1)
    >>> x, moments = adam.step(x, adam.start(x), {"x": torch.tensor([5.0])}, 1)
    >>> round(x["x"].item(), 6)
    0.9
    """

    rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    decay: float = 0.0
    epsilon: float = 1e-8

    def start(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The moments before the first step."""
        return {name: torch.zeros(2, *value.shape, dtype=value.dtype) for name, value in values.items()}

    def step(
        self, values: Mapping[str, Tensor], moments: Moments, gradients: Mapping[str, Tensor], number: int
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Values and moments after step ``number``, counted from 1; nothing is changed in place."""
        updated = {
            name: self._moments(value, moments[name], gradients[name]) for name, value in values.items()
        }
        mean_left, square_left = (1.0 - beta**number for beta in self.betas)
        moved = {
            name: value
            - self.rate
            * (updated[name][0] / mean_left)
            / ((updated[name][1] / square_left).sqrt() + self.epsilon)
            for name, value in values.items()
        }
        return moved, updated

    def _moments(self, value: Tensor, before: Tensor, gradient: Tensor) -> Tensor:
        slope = gradient.to(value) + self.decay * value
        mean, square = (
            beta * old + (1.0 - beta) * new
            for beta, old, new in zip(self.betas, before, (slope, slope**2), strict=True)
        )
        return torch.stack([mean, square])
