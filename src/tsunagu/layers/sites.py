"""The places in a network where a condition scales and shifts features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.layers.registry import register

__all__ = ["FiLMSite", "Modulation", "film_sites", "modulated"]


@final
class Modulation:
    """What the sites of a network read while it runs; nothing before and after.

    A copy of a network, deep or of its modules only, keeps its sites and their network together.
    """

    def __init__(self) -> None:
        self._values: Sequence[tuple[Tensor, Tensor]] | None = None

    @contextmanager
    def being(self, values: Sequence[tuple[Tensor, Tensor]]) -> Iterator[None]:
        """While the block runs, the sites read these: gamma and beta, ``[E, C]`` each."""
        self._values = values
        try:
            yield
        finally:
            self._values = None

    def of(self, number: int) -> tuple[Tensor, Tensor] | None:
        """That of one site."""
        return None if self._values is None else self._values[number]


@register
@final
class FiLMSite(nn.Module):
    """A place inside a network where a condition can scale and shift; the identity while there is none.

    Args:
        features: C, of one axis of the input.
        axis: which one; 1, or -1 for the last.

    Shapes: ``[E, C, ...]`` (or ``[E, ..., C]``) to the same; where events are folded, ``[E N, ...]``, all N of an event get its
    condition.

    >>> x = torch.rand(5, 8)
    >>> FiLMSite(8)(x) is x
    True
    """

    gamma: Tensor | None
    beta: Tensor | None

    def __init__(self, features: int, axis: int = 1) -> None:
        super().__init__()
        self.gamma = self.beta = None
        self.features, self.axis = features, axis
        self._source: Modulation | None = None
        self._number = 0

    def listen(self, source: Modulation, number: int) -> None:
        """Take scales and shifts from there from now on."""
        self._source, self._number = source, number

    def fix(self, gamma: Tensor, beta: Tensor) -> None:
        """Scale and shift all events by the same ``[1, C]`` from now on."""
        self._source = None
        del self.gamma, self.beta
        self.register_buffer("gamma", gamma.clone())
        self.register_buffer("beta", beta.clone())

    def forward(self, x: Tensor) -> Tensor:
        own = None if self._source is None else self._source.of(self._number)
        if own is not None:
            return modulated(x, *own, self.axis)
        return (
            x if self.gamma is None or self.beta is None else modulated(x, self.gamma, self.beta, self.axis)
        )

    def extra_repr(self) -> str:
        return str(self.features)


def modulated(x: Tensor, gamma: Tensor, beta: Tensor, axis: int) -> Tensor:
    """``(1 + gamma) x + beta``.

    Args:
        x: ``[E, ...]``, or ``[E N, ...]`` with the N parts of an event one after the other.
        gamma: ``[E, C]``, or ``[1, C]``.
        beta: of the same shape.
        axis: of C in ``x``, 1 or -1.
    """
    if x.ndim > 2:
        shape = [gamma.shape[0], *[1] * (x.ndim - 1)]
        shape[axis] = gamma.shape[1]
        gamma, beta = gamma.view(shape), beta.view(shape)
    if x.shape[0] != gamma.shape[0] != 1:
        parts = x.view(gamma.shape[0], -1, *x.shape[1:])
        gamma, beta = gamma.unsqueeze(1), beta.unsqueeze(1)
        return torch.addcmul(beta, parts, 1.0 + gamma).flatten(0, 1)
    return torch.addcmul(beta, x, 1.0 + gamma)


def film_sites(module: nn.Module) -> dict[str, FiLMSite]:
    """The sites of a network by their path.

    >>> film_sites(nn.Sequential(nn.Linear(2, 8), FiLMSite(8)))
    {'1': FiLMSite(8)}
    """
    return {path: part for path, part in module.named_modules() if isinstance(part, FiLMSite)}
