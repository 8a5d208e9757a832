"""Several numbers of at least 0 whose sum is 1, from one draw: the weights of several losses."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import torch
from torch import Tensor

from tsunagu.losses.distributions import Distribution, register_distribution

__all__ = ["Dirichlet", "Simplex"]

NEAR = 1e-6
KNOTS = 4097
WIDEST = 17.5
"""The logit of a probability of 2.5e-8, beyond which there are no draws."""


@register_distribution("dirichlet")
@final
@dataclass(frozen=True)
class Dirichlet(Distribution):
    """Weights of density ``prod_i w_i^(alpha - 1)``, one alpha for all.

    Args:
        parts: a name for each.
        alpha: 1 for all points alike, above 1 nearer to equal weights, below 1 nearer to the corners.

    >>> Dirichlet(("a", "b"), 1.2).grid(3).tolist()
    [[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]]
    """

    parts: tuple[str, ...]
    alpha: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        if len(set(self.parts)) < max(2, len(self.parts)) or not all(isinstance(p, str) for p in self.parts):
            msg = f"a simplex has two different names or more, found {', '.join(map(str, self.parts)) or 'none'}"
            raise ValueError(msg)
        if not 0.0 < self.alpha < math.inf:
            msg = f"alpha must be positive, found {self.alpha}"
            raise ValueError(msg)

    @property
    def names(self) -> tuple[str, ...]:
        return self.parts

    def sample(self, uniform: Tensor) -> Tensor:
        # Gamma variates over their sum; as logarithms, of which the smallest do not vanish.
        return torch.softmax(_gamma_logs(self.alpha, uniform), dim=1)

    def normalise(self, values: Tensor) -> Tensor:
        return 2.0 * values - 1.0

    def grid(self, points: int) -> Tensor:
        return _lattice(len(self.parts), points)

    def contains(self, values: Sequence[float]) -> bool:
        return min(values) >= -NEAR and abs(math.fsum(values) - 1.0) <= NEAR


@register_distribution("simplex")
@final
class Simplex(Distribution):
    """Weights that are all alike: :class:`Dirichlet` of alpha 1.

    >>> Simplex("calibrate", "classify").names
    ('calibrate', 'classify')
    """

    def __init__(self, *parts: str) -> None:
        self._same = Dirichlet(parts)

    @property
    def names(self) -> tuple[str, ...]:
        return self._same.names

    def sample(self, uniform: Tensor) -> Tensor:
        return self._same.sample(uniform)

    def normalise(self, values: Tensor) -> Tensor:
        return self._same.normalise(values)

    def grid(self, points: int) -> Tensor:
        return self._same.grid(points)

    def contains(self, values: Sequence[float]) -> bool:
        return self._same.contains(values)


def _lattice(parts: int, points: int) -> Tensor:
    """Weights in equal steps, as many as there may be; the first grows fastest at the end."""
    if points == 1:
        return torch.full((1, parts), 1.0 / parts, dtype=torch.float64)
    steps = 1
    while math.comb(steps + parts, parts - 1) <= points:
        steps += 1
    found = [whole for whole in itertools.product(range(steps + 1), repeat=parts) if sum(whole) == steps]
    return torch.tensor(found, dtype=torch.float64) / steps


def _gamma_logs(alpha: float, uniform: Tensor) -> Tensor:
    """The logarithms of the quantiles of the gamma distribution of shape alpha."""
    if alpha == 1.0:
        return torch.log(-torch.log1p(-uniform))
    place = (torch.logit(uniform) / (2.0 * WIDEST) + 0.5).clamp(0.0, 1.0) * (KNOTS - 1)
    left = place.floor().clamp(max=KNOTS - 2).long()
    table = _quantiles(alpha).to(uniform.device)
    return torch.lerp(table[left], table[left + 1], place - left)


@lru_cache(maxsize=8)
def _quantiles(alpha: float) -> Tensor:
    """At equal steps of the logit of the probability, by halving: there is no formula."""
    probability = torch.sigmoid(torch.linspace(-WIDEST, WIDEST, KNOTS, dtype=torch.float64))
    low = (probability.log() + math.lgamma(alpha + 1.0)) / alpha - 1.0
    high = torch.full_like(low, math.log(alpha + 100.0 + 10.0 * math.sqrt(alpha)))
    shape = torch.tensor(alpha, dtype=torch.float64)
    for _ in range(64):
        middle = 0.5 * (low + high)
        below = torch.special.gammainc(shape, middle.exp()) < probability
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return 0.5 * (low + high)
