"""A layer that turns gradients around: what is before it learns against what is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from torch import Tensor, nn

from tsunagu.layers.registry import register
from tsunagu.spec import Schedule

__all__ = ["GradientReversal", "reversals"]


@register
@final
class GradientReversal(nn.Module):
    """The identity, whose gradient is ``-strength`` times what comes from behind it.

    A task that begins with it is an *adversary*: it learns to tell something (a domain, a mass) from what it reads, and the tasks before it
    learn that this cannot be told.

    Args:
        strength: lambda, 0 or more, or a schedule of it. The adversary itself learns at full rate, whatever it is.

    Shapes: ``[E, ...]`` to the same.

    Source: Ganin et al., JMLR 17 (2016) 59, arXiv:1505.07818.

    >>> import torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (3.0 * GradientReversal(0.5)(x)).sum().backward()
    >>> x.grad.tolist()
    [-1.5, -1.5]
    """

    def __init__(self, strength: float | Schedule = 1.0) -> None:
        super().__init__()
        if not isinstance(strength, Schedule) and not strength >= 0.0:
            msg = f"strength must be 0 or more, found {strength}"
            raise ValueError(msg)
        self.strength = strength
        # A list, which stacked copies of the layer share.
        self._now = [0.0 if isinstance(strength, Schedule) else float(strength)]

    def be(self, strength: float) -> None:
        """Reverse with this strength from now on."""
        self._now[0] = strength

    def forward(self, x: Tensor) -> Tensor:
        plain = x.detach()
        # Of a difference that is 0, so that the value stays what it is to the last bit.
        return plain + self._now[0] * (plain - x)

    def extra_repr(self) -> str:
        return f"strength={self.strength}"


def reversals(module: nn.Module) -> Iterator[GradientReversal]:
    """All such layers of a module."""
    return (part for part in module.modules() if isinstance(part, GradientReversal))
