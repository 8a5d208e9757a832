"""A chain of a supernet whose sites take a condition."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.layers import Conditioned, FiLMSite, Modulation, Scaling, bent

__all__ = ["Head", "Modulated"]


@final
class Head(nn.Module):
    """What makes scales and shifts of the sites of one leaf.

    Args:
        hidden: size of the trunk.
        sites: of the leaf, in order.
        first: the number of the first of them in the chain.
    """

    def __init__(self, hidden: int, sites: Sequence[FiLMSite], first: int) -> None:
        super().__init__()
        self.sites, self.first = tuple(sites), first
        self.gammas, self.betas = (
            nn.ParameterList(torch.zeros(hidden, site.features) for site in sites) for _ in range(2)
        )

    def forward(self, trunk: Tensor) -> list[Scaling]:
        """What each site does, from ``trunk [E, hidden]``."""
        return [Scaling(trunk, *own) for own in zip(self.gammas, self.betas, strict=True)]


@final
class Modulated(nn.Module):
    """A chain with switches, a path or a mixture of it, and what makes the scales and shifts of its sites of a condition.

    Each leaf has heads of its own, which are trained with it and not with others; the trunk is that of all paths. A path
    computes what :class:`tsunagu.layers.Conditioned` does with the same weights.

    Args:
        model: the chain, or a view of it.
        trunk: of the conditions; None where no site is left.
        heads: of its leaves, in the order of the chain.
        source: what the sites of the chain listen to.

    Shapes: the inputs of the model, and ``condition [E, L]``; returns what the model does.
    """

    def __init__(
        self, model: nn.Module, trunk: nn.Linear | None, heads: Sequence[Head], source: Modulation
    ) -> None:
        super().__init__()
        self.model, self.trunk, self.heads = model, trunk, nn.ModuleList(heads)
        self._all, self._source = tuple(heads), source

    def forward(self, *inputs: Tensor, condition: Tensor, **named: Tensor) -> Tensor:
        with self.modulated(condition):
            made: Tensor = self.model(*inputs, **named)
        return made

    @contextmanager
    def modulated(self, condition: Tensor) -> Iterator[None]:
        """While the block runs, the sites scale and shift by what they are told of ``condition [E, L]``."""
        with self._source.being(self.modulations(condition)):
            yield

    def modulations(self, condition: Tensor) -> list[Scaling]:
        """What each site does, by its number in the chain; what stands for sites that are not here is not read."""
        if self.trunk is None:
            return []
        trunk = bent(self.trunk, condition)
        made: list[Scaling] = self._all[0](trunk)[:1] * max(
            head.first + len(head.sites) for head in self._all
        )
        for head in self._all:
            made[head.first : head.first + len(head.sites)] = head(trunk)
        return made

    def view(self, model: nn.Module) -> Modulated:
        """A path or a mixture of the chain, with the heads of those leaves that it has."""
        own = set(map(id, model.modules()))
        heads = [head for head in self._all if id(head.sites[0]) in own]
        return Modulated(model, self.trunk if heads else None, heads, self._source).train(self.training)

    def alone(self) -> nn.Module:
        """A copy of a path as it would be built alone, ``Conditioned`` where it has a site."""
        model = copy.deepcopy(self.model)
        if self.trunk is None:
            return model
        with torch.random.fork_rng(devices=[]):
            made = Conditioned(model, self.trunk.in_features, self.trunk.out_features).to(self.trunk.weight)
        made.trunk.load_state_dict(self.trunk.state_dict())
        for kind in ("gammas", "betas"):
            ours = [part for head in self._all for part in getattr(head, kind)]
            getattr(made, kind).load_state_dict(nn.ParameterList(ours).state_dict())
        return made
