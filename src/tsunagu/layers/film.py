"""Feature-wise linear modulation: how a condition reaches inside a network."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from tsunagu.layers.dense import activate
from tsunagu.layers.init import initialise
from tsunagu.layers.registry import register

__all__ = ["FiLM", "FiLMSite", "film_sites"]


@register
@final
class FiLM(nn.Module):
    """Scale and shift each feature by what a condition says: ``(1 + gamma(c)) x + beta(c)``.

    Perez et al., AAAI 2018 (arXiv:1709.07871). gamma and beta come from dense layers whose last weights begin at 0, so
    that the network begins as if there were no condition.

    Args:
        features: C, of the second axis of the input.
        conditions: numbers per event that it depends on.
        hidden: size of the layer between the conditions and gamma and beta.
        activation: behind that layer, a class of ``torch.nn`` by name.

    Shapes: ``x [E, C, ...]``, ``condition [E, conditions]``; returns the shape of ``x``.

    Raises:
        ValueError: in ``forward``, for another number of features.

    >>> x = torch.rand(5, 8, 4, 4)
    >>> bool((FiLM(8, 1)(x, torch.rand(5, 1)) == x).all())
    True
    """

    def __init__(
        self, features: int, conditions: int = 1, hidden: int = 64, activation: str | nn.Module = "ReLU"
    ) -> None:
        super().__init__()
        self.features = features
        last = nn.Linear(hidden, 2 * features)
        self.generator = initialise(nn.Sequential(nn.Linear(conditions, hidden), activate(activation), last))
        nn.init.zeros_(last.weight)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        if x.ndim < 2 or x.shape[1] != self.features:
            msg = f"FiLM({self.features}) modulates [E, {self.features}, ...], found {list(x.shape)}"
            raise ValueError(msg)
        gamma, beta = self.generator(condition).chunk(2, dim=-1)
        shape = (*gamma.shape, *[1] * (x.ndim - 2))
        return torch.addcmul(x + beta.view(shape), x, gamma.view(shape))


@register
@final
class FiLMSite(nn.Module):
    """A place inside a network where a condition can scale and shift; the identity while there is none.

    Args:
        features: C, of the second axis of the input.

    Shapes: ``[E, C, ...]`` to the same.

    >>> x = torch.rand(5, 8)
    >>> FiLMSite(8)(x) is x
    True
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.features = features

    def forward(self, x: Tensor) -> Tensor:
        return x

    def extra_repr(self) -> str:
        return str(self.features)


def film_sites(module: nn.Module) -> dict[str, FiLMSite]:
    """The sites of a network by their path.

    >>> film_sites(nn.Sequential(nn.Linear(2, 8), FiLMSite(8)))
    {'1': FiLMSite(8)}
    """
    return {path: part for path, part in module.named_modules() if isinstance(part, FiLMSite)}
