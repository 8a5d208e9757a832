"""Heads of classifiers that compare directions or distances: for the losses ``ldam`` and ``affinity``."""

from __future__ import annotations

from functools import lru_cache
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from tsunagu.layers.registry import register

__all__ = ["Affinity", "Cosine"]


@register
@final
class Cosine(nn.Module):
    """The cosine of the angle between the features and a direction for each class; for the loss ``ldam``.

    Args:
        features: F.
        classes: C.

    Shapes: ``x [E, F]``; returns ``[E, C]`` from -1 to 1.

    >>> Cosine(4, 3)(torch.rand(5, 4)).shape
    torch.Size([5, 3])
    """

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.empty(classes, features))
        nn.init.xavier_uniform_(self.directions)

    def forward(self, x: Tensor) -> Tensor:
        # The products are normalised and not their factors, which have more numbers.
        squares = x.square().sum(1, keepdim=True) * self.directions.square().sum(1)
        made: Tensor = functional.linear(x, self.directions) * squares.clamp(min=1e-24).rsqrt()
        return made


@register
@final
class Affinity(nn.Module):
    """Similarities to learned prototypes, ``d_j = max_t exp(-|x - w_jt|^2 / sigma)``; for the loss ``affinity``.

    In training the last column is the regulariser of the prototypes, for the loss to add: over all pairs of the
    ``M = m C`` prototypes, ``R = mean((|w_a - w_b|^2 - mu)^2)``, mu the mean of ``|w_a - w_b|^2``. In evaluation it is absent.

    Far from all prototypes the similarities, and their gradients, are 0: put a ``BatchNorm1d(F, affine=False)`` before.

    Args:
        features: F.
        classes: C.
        prototypes: m, for each class.
        sigma: the width, in squared units of the features; by default F, the mean of ``|x|^2`` of normalised features.

    Shapes: ``x [E, F]``; returns ``[E, C]`` from 0 to 1, in training ``[E, C + 1]``.

    Source: Hayat et al., ICCV 2019, arXiv:1901.07711.

    >>> head = Affinity(4, 3)
    >>> head(torch.rand(5, 4)).shape, head.eval()(torch.rand(5, 4)).shape
    (torch.Size([5, 4]), torch.Size([5, 3]))
    """

    def __init__(self, features: int, classes: int, prototypes: int = 1, sigma: float | None = None) -> None:
        super().__init__()
        if sigma is not None and not sigma > 0.0:
            msg = f"sigma must be positive, found {sigma}"
            raise ValueError(msg)
        self.classes, self.sigma = classes, sigma or float(features)
        self.prototypes = nn.Parameter(torch.empty(classes * prototypes, features))
        # As far from 0 as normalised features are.
        nn.init.orthogonal_(self.prototypes, gain=features**0.5)

    def forward(self, x: Tensor) -> Tensor:
        # |x|^2 - 2 x w + |w|^2, which needs no [E, mC, F]; rounding may leave it just below 0.
        squares = x.square().sum(1, keepdim=True) + self.prototypes.square().sum(1)
        distances = torch.add(squares, functional.linear(x, self.prototypes), alpha=-2.0).clamp(min=0.0)
        similar = torch.exp(distances / -self.sigma)
        if len(self.prototypes) > self.classes:
            similar = similar.reshape(len(x), self.classes, -1).amax(2)
        if not self.training:
            return similar
        return torch.cat([similar, self.diversity().expand(len(x), 1)], dim=1)

    def diversity(self) -> Tensor:
        """R, a scalar: how unlike the distances between prototypes are."""
        first, second = _pairs(len(self.prototypes), self.prototypes.device)
        between = self.prototypes.index_select(0, first) - self.prototypes.index_select(0, second)
        squares = between.square().sum(1)
        return (squares - squares.mean()).square().mean()


@lru_cache(maxsize=64)
def _pairs(number: int, device: torch.device) -> tuple[Tensor, Tensor]:
    with torch.inference_mode(mode=False):
        first, second = torch.triu_indices(number, number, 1, device=device)
    return first, second
