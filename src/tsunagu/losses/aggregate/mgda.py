"""The multiple-gradient descent algorithm, exact for any number of losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final, get_args

from torch import Tensor

from tsunagu.losses.aggregate.aggregator import Aggregator, Combined, Reads, Seen, State
from tsunagu.losses.aggregate.min_norm import min_norm
from tsunagu.losses.aggregate.registry import register_aggregator

__all__ = ["Mgda", "Normalisation"]

Normalisation = Literal["none", "l2", "loss", "loss+"]
TINY = 1e-30


@register_aggregator("mgda")
@final
@dataclass(frozen=True, kw_only=True)
class Mgda(Aggregator):
    """The shortest combination of the gradients: a direction along which no loss grows, and 0 where there is none.

    ``min_{a in simplex} ||sum_t a_t g_t / s_t||^2`` (Désidéri 2012; Sener and Koltun, NeurIPS 2018), solved exactly. With a normalisation
    the shared weights follow ``w_t = (a_t / s_t) / sum_u (a_u / s_u)``: still a common descent direction, and still an average of gradients. (The
    authors' code puts a_t before the gradients as they are, which need not lower every loss.)

    Without a normalisation it favours the loss with the smallest gradient, mostly the one that has converged.

    Args:
        normalisation: s_t is 1 (``none``), the gradient's norm (``l2``), the loss (``loss``), or both multiplied (``loss+``).
        features: take the gradients by the shared features, ``MGDA-UB`` of the paper: one backward pass through the shared
            tasks in place of one a loss.

    >>> import torch
    >>> seen = Seen(losses=torch.ones(1, 2), states=[{}], moments=[], gramian=torch.tensor([[[18.0, -22.0], [-22.0, 38.0]]]))
    >>> Mgda().combine(seen).weights.round(decimals=9).tolist()
    [[0.6, 0.4]]
    """

    normalisation: Normalisation = "none"
    features: bool = False

    def __post_init__(self) -> None:
        if self.normalisation not in get_args(Normalisation):
            known = ", ".join(get_args(Normalisation))
            msg = f"the normalisation is one of {known}; found {self.normalisation!r}"
            raise ValueError(msg)

    @property
    def reads(self) -> Reads:
        return "features" if self.features else "gradients"

    def begin(self, _: int, /) -> State:
        return {}

    def combine(self, seen: Seen) -> Combined:
        if self.normalisation == "none":
            return Combined(weights=min_norm(seen.gramian), states=seen.states)
        scale = self._scale(seen).clamp(min=TINY)
        shares = min_norm(seen.gramian / scale.unsqueeze(-1) / scale.unsqueeze(-2)) / scale
        return Combined(weights=shares / shares.sum(-1, keepdim=True), states=seen.states)

    def _scale(self, seen: Seen) -> Tensor:
        norms = seen.gramian.diagonal(dim1=-2, dim2=-1).clamp(min=0.0).sqrt()
        # A loss may be below 0, as one with a margin or with events of negative weight.
        sizes = seen.losses.abs().to(norms)
        return {"l2": norms, "loss": sizes, "loss+": norms * sizes}[self.normalisation]
