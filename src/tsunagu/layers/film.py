"""Feature-wise linear modulation: how a condition reaches inside a network.

A :class:`FiLMSite` is a place in a network where features can be scaled and shifted. :class:`Conditioned` is a network
together with what makes the scales and shifts of its sites from the condition, which it takes as one input more.
"""

from __future__ import annotations

import copy
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.layers.dense import activate
from tsunagu.layers.init import initialise
from tsunagu.layers.registry import register
from tsunagu.layers.scaling import Scaling, modulated
from tsunagu.layers.sites import Modulation, film_sites

__all__ = ["Conditioned", "FiLM", "bent"]

HIDDEN = 16


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
        gamma, beta = self.generator(condition).chunk(2, dim=1)
        return modulated(x, 1.0 + gamma, beta, 1)


@final
class Conditioned(nn.Module):
    """A network with sites, and what makes their scales and shifts of a condition.

    ``h(c) = t(c) - t(0)`` with ``t(c) = relu(u(c))``, a trunk that all sites share; each site has two matrices for ``gamma = h G`` and
    ``beta = h B``. All of it vanishes at ``c = 0``, the middle of the trained range, where the network is what it is
    without a condition; and G and B begin at 0, so that it begins as that everywhere. The kinks of the trunk begin spread over the range.

    Args:
        model: with one site at least; its sites listen to this module from now on.
        conditions: L.
        hidden: size of the trunk.

    Shapes: the inputs of the model, and ``condition [E, L]``, -1 to 1 within the trained range; returns what the model does.

    Raises:
        ValueError: the model has no site.

    >>> from tsunagu.layers import FiLMSite
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), FiLMSite(8), nn.Linear(8, 1))
    >>> Conditioned(model, 1)(torch.zeros(5, 2), condition=torch.rand(5, 1)).shape
    torch.Size([5, 1])
    """

    def __init__(self, model: nn.Module, conditions: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        sites = list(film_sites(model).values())
        if not sites:
            msg = f"{type(model).__name__} has no place where a condition could enter"
            raise ValueError(msg)
        self.model = model
        self.trunk = _spread(nn.Linear(conditions, hidden))
        # Each a matrix of its own: the parts of a common one would be put together again for every gradient.
        self.gammas, self.betas = (
            nn.ParameterList(torch.zeros(hidden, site.features) for site in sites) for _ in range(2)
        )
        self._modulation = Modulation()
        for number, site in enumerate(sites):
            site.listen(self._modulation, number)

    def forward(self, *inputs: Tensor, condition: Tensor, **named: Tensor) -> Tensor:
        with self._modulation.being(self.modulations(condition)):
            made: Tensor = self.model(*inputs, **named)
        return made

    def modulations(self, condition: Tensor) -> list[Scaling]:
        """What each site does, for ``condition [E, L]``."""
        trunk = bent(self.trunk, condition)
        return [Scaling(trunk, *own) for own in zip(self.gammas, self.betas, strict=True)]

    def behind(self, first: int, x: Tensor, condition: Tensor) -> Tensor:
        """What the layers of a sequence from a place on make of ``x [E, ...]``; no site may stand before it."""
        assert isinstance(self.model, nn.Sequential)
        with self._modulation.being(self.modulations(condition)):
            behind: Tensor = self.model[first:](x)
        return behind

    def at(self, condition: Tensor) -> nn.Module:
        """A copy of the model at one condition ``[L]``, whose sites scale and shift by constants."""
        plain = copy.deepcopy(self.model)
        with torch.no_grad():
            made = self.modulations(condition.unsqueeze(0))
            for site, own in zip(film_sites(plain).values(), made, strict=True):
                site.fix(own.scale, own.shift)
        return plain


def bent(trunk: nn.Linear, condition: Tensor) -> Tensor:
    """``h(c) = t(c) - t(0)``, see :class:`Conditioned`: ``[E, hidden]`` for ``condition [E, L]``."""
    made: Tensor = trunk(condition).relu() - trunk.bias.relu()
    return made


def _spread(layer: nn.Linear) -> nn.Linear:
    # Kinks elsewhere than in the range make straight lines, and steps along it are then learnt slowly and badly. So each number of
    # the condition meets them at even distances, in an order of its own.
    hidden = layer.out_features
    with torch.no_grad():
        sign = 1.0 - 2.0 * (torch.arange(hidden) % 2).unsqueeze(1)
        nn.init.uniform_(layer.weight, 0.5, 1.0).mul_(sign)
        order = nn.init.uniform_(torch.empty_like(layer.weight)).argsort(0)
        places = torch.linspace(-1.0, 1.0, hidden)[order]
        layer.bias.copy_(-(layer.weight * places).sum(1))
    return layer
