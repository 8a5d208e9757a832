"""Those of TorchJD that read gradients: their inner products where that is enough, else the gradients themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from tsunagu.losses.aggregate.aggregator import Aggregator, Combined, Moment, Reads, Seen, State
from tsunagu.losses.aggregate.memory import recall, remember
from tsunagu.losses.aggregate.torchjd import build, seeded

__all__ = ["OfGradients", "reads_products"]

Settings = tuple[tuple[str, Any], ...]


def reads_products(cls: Any) -> bool:
    """Whether one of TorchJD's classes needs no more than the inner products of the gradients."""
    from torchjd.aggregation import GramianWeightedAggregator

    return issubclass(cls, GramianWeightedAggregator)


@final
@dataclass(frozen=True, kw_only=True)
class OfGradients(Aggregator):
    """An aggregator of TorchJD's. It sees float64 on the CPU, member by member.

    Args:
        name: there.
        settings: its arguments; and ``features``, as of :class:`~tsunagu.losses.Mgda`, where inner products are enough.
    """

    name: str
    settings: Settings = ()

    @property
    def reads(self) -> Reads:
        if dict(self.settings).get("features", False):
            return "features"
        return "gradients" if reads_products(type(self._built(2))) else "jacobian"

    def begin(self, objectives: int, /) -> State:
        # A list of another length is found here and not in the first step.
        rows = torch.eye(objectives, dtype=torch.float64)
        self._asked(rows @ rows.T, rows, {}, Moment(0, 0))
        return {}

    def combine(self, seen: Seen) -> Combined:
        products, jacobian = seen.gramian.cpu().double(), seen.jacobian or [seen.losses] * len(seen.states)
        asked = [
            self._asked(products[member], jacobian[member], state, moment)
            for member, (state, moment) in enumerate(zip(seen.states, seen.moments, strict=True))
        ]
        states = [state for _, state in asked]
        if self.reads == "jacobian":
            directions = [made.to(own) for (made, _), own in zip(asked, jacobian, strict=True)]
            return Combined(weights=torch.ones_like(seen.losses), states=states, directions=directions)
        weights = torch.stack([made for made, _ in asked])
        return Combined(weights=weights.to(seen.losses), states=states)

    def _built(self, objectives: int) -> Any:
        return build(self.name, dict(self.settings), objectives)

    def _asked(
        self, products: Tensor, jacobian: Tensor, state: State, moment: Moment
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        module = self._built(len(products))
        rows = jacobian.detach().cpu().double()
        recall(self.name, module, state, rows)
        with seeded(moment.seed), torch.no_grad():
            made = module.gramian_weighting(products) if reads_products(type(module)) else module(rows)
        return made, remember(self.name, module)
