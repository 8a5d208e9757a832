"""Candidates that cannot learn: controls that every search should turn down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.layers.registry import register
from tsunagu.layers.stochastic import Draws

__all__ = ["Noise", "Zero"]


@register
@final
class Zero(nn.Module):
    """Zeros, whatever comes in; without parameters.

    Args:
        output: the shape per event, such as ``[2, 3]``; empty for one number.

    Shapes: any inputs ``[E, ...]``, by position or by name; returns ``[E, *output]`` in the first input's dtype.

    >>> Zero(output=[2])(torch.rand(3, 5), torch.rand(3)).tolist()
    [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    """

    def __init__(self, output: Sequence[int] = ()) -> None:
        super().__init__()
        self.output = tuple(output)

    def forward(self, *inputs: Tensor, **named: Tensor) -> Tensor:
        first = (*inputs, *named.values())[0]
        return torch.zeros(first.shape[:1] + self.output, dtype=_dtype(first), device=first.device)


@register
@final
class Noise(nn.Module):
    """Normal noise of mean 0 and width 1, whatever comes in, also in evaluation; without parameters.

    Args:
        output: the shape per event, such as ``[2, 3]``; empty for one number.

    Shapes: any inputs ``[E, ...]``, by position or by name; returns ``[E, *output]`` in the first input's dtype.

    >>> noise = Noise()
    >>> noise.reseed(1)
    >>> first = noise(torch.rand(4, 2))
    >>> noise.reseed(1)
    >>> torch.equal(first, noise(torch.rand(4, 2)))
    True
    """

    def __init__(self, output: Sequence[int] = ()) -> None:
        super().__init__()
        self.output = tuple(output)
        self._draws = Draws()

    def reseed(self, seed: int) -> None:
        """Start all later draws from this seed."""
        self._draws = Draws(seed)

    def forward(self, *inputs: Tensor, **named: Tensor) -> Tensor:
        first = (*inputs, *named.values())[0]
        drawn = self._draws.normal(first.shape[:1] + self.output, _dtype(first))
        return drawn.to(first.device)


def _dtype(first: Tensor) -> torch.dtype:
    return first.dtype if first.is_floating_point() else torch.get_default_dtype()
