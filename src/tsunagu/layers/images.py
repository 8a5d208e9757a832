"""Energy maps as networks read them."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from tsunagu.layers.registry import register

__all__ = ["LogImage", "log_energy"]


@register
@final
class LogImage(nn.Module):
    """A jet's energy map as ``log(1 + pixel / GeV)``, for layers of ``torch.nn`` to go on with; no parameters.

    Shapes: any, in GeV; returns the same.

    >>> LogImage()(torch.tensor([[-1.0, 0.0, 9.0]])).exp().tolist()
    [[1.0, 1.0, 10.0]]
    """

    def forward(self, x: Tensor) -> Tensor:
        return log_energy(x)


def log_energy(image: Tensor) -> Tensor:
    """``log(1 + pixel / GeV)``, pixels below 0 as 0.

    A pixel's energy spans four orders of magnitude; what noise subtraction left below 0 counts as nothing.
    """
    return torch.log1p(image.clamp(min=0.0))
