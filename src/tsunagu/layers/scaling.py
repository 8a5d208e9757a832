"""What a condition does at one site, in as few passes over the features as it takes.

Legend: ``E`` events, ``C`` features, ``K`` numbers of a trunk, ``O`` outputs of the dense layer behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

__all__ = ["Scaling", "modulated"]


@final
@dataclass(frozen=True)
class Scaling:
    """``gamma = h G`` and ``beta = h B`` of a site, for ``(1 + gamma) x + beta``.

    Args:
        trunk: h, ``[E, K]``.
        gamma: G, ``[K, C]``.
        beta: B, ``[K, C]``.
    """

    trunk: Tensor
    gamma: Tensor
    beta: Tensor

    @property
    def scale(self) -> Tensor:
        """``1 + gamma``, ``[E, C]``."""
        # The 1 is added within the product, not in a pass of its own.
        return torch.addmm(self.gamma.new_ones(1), self.trunk, self.gamma)

    @property
    def shift(self) -> Tensor:
        """beta, ``[E, C]``."""
        return self.trunk @ self.beta

    def __call__(self, x: Tensor, axis: int) -> Tensor:
        """``(1 + gamma) x + beta``, for ``x`` and ``axis`` as in :func:`modulated`."""
        if self.is_flat(x):
            # Not in place, which vmap has no rule for.
            return torch.addmm(self.scaled(x), self.trunk, self.beta)
        return modulated(x, self.scale, self.shift, axis)

    def is_flat(self, x: Tensor) -> bool:
        """Whether x is ``[E, C]``, so that beta need not stand in the memory."""
        # Not len, which would be one number for all sizes of a batch in an exported network.
        return x.ndim == 2 and x.shape[0] == self.trunk.shape[0]

    def scaled(self, x: Tensor) -> Tensor:
        """``(1 + gamma) x`` of ``[E, C]``."""
        return x * self.scale

    def shifted(self, made: Tensor, weight: Tensor) -> Tensor:
        """What a dense layer made of :meth:`scaled`, ``[E, O]``, with what it makes of beta.

        Args:
            made: ``[E, O]``.
            weight: of the layer, ``[O, C]``.
        """
        return torch.addmm(made, self.trunk, self.beta @ weight.t())


def modulated(x: Tensor, scale: Tensor, shift: Tensor, axis: int) -> Tensor:
    """``scale x + shift``.

    Args:
        x: ``[E, ...]``, or ``[E N, ...]`` with the N parts of an event one after the other.
        scale: ``[E, C]``, or ``[1, C]``.
        shift: of the same shape.
        axis: of C in ``x``, 1 or -1.
    """
    if x.ndim > 2:
        shape = [scale.shape[0], *[1] * (x.ndim - 1)]
        shape[axis] = scale.shape[1]
        scale, shift = scale.view(shape), shift.view(shape)
    if x.shape[0] != scale.shape[0] != 1:
        parts = x.view(scale.shape[0], -1, *x.shape[1:])
        scale, shift = scale.unsqueeze(1), shift.unsqueeze(1)
        return torch.addcmul(shift, parts, scale).flatten(0, 1)
    return torch.addcmul(shift, x, scale)
