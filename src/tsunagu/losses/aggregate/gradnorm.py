"""GradNorm: weights that make the losses learn at one pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.losses.aggregate.aggregator import Aggregator, Combined, Reads, Seen, State
from tsunagu.losses.aggregate.registry import register_aggregator

__all__ = ["GradNorm"]

TINY = 1e-30
BETAS = (0.9, 0.999)


@register_aggregator("gradnorm")
@final
@dataclass(frozen=True, kw_only=True)
class GradNorm(Aggregator):
    """Weights w_t such that ``w_t ||g_t||`` comes to its mean times ``r_t^alpha`` (Chen et al., ICML 2018, arXiv:1711.02257).

    r_t is the pace of loss t, L_t over what it was in the first step, relative to the mean pace: what has learned less is pulled
    harder. w follows ``d/dw sum_t |w_t ||g_t|| - mean r_t^alpha|`` (the target counts as a constant) by an Adam of its own; the
    sum of the weights stays T. All weights follow ``sum_t w_t L_t``, those that one loss alone reaches too, as in the paper.

    Args:
        alpha: 0 for equal norms; larger pulls harder. The paper has 0.12 to 1.5.
        learning_rate: of w.
        features: take the norms by the shared features in place of the shared weights, which costs one backward pass.
    """

    alpha: float = 1.5
    learning_rate: float = 0.025
    features: bool = False

    def __post_init__(self) -> None:
        if self.alpha < 0.0 or self.learning_rate <= 0.0:
            msg = f"alpha is 0 or more and the learning rate above 0; found {self.alpha} and {self.learning_rate}"
            raise ValueError(msg)

    @property
    def reads(self) -> Reads:
        return "features" if self.features else "gradients"

    def begin(self, objectives: int, /) -> State:
        zeros = torch.zeros(objectives, dtype=torch.float64)
        # Adam's moments; the losses of the first step are noted there.
        return {
            "weights": zeros + 1.0,
            "mean": zeros,
            "square": zeros,
            "steps": torch.zeros((), dtype=torch.float64),
        }

    def combine(self, seen: Seen) -> Combined:
        norms = seen.gramian.diagonal(dim1=-2, dim2=-1).clamp(min=0.0).sqrt().cpu()
        each = zip(norms, seen.losses.cpu(), seen.states, strict=True)
        weights = torch.stack([state["weights"] for state in seen.states]).to(seen.losses)
        return Combined(weights=weights, own=weights, states=[self._after(*one) for one in each])

    def _after(self, norms: Tensor, losses: Tensor, state: State) -> State:
        first, weights = state.get("first", losses), state["weights"]
        ratio = losses / first.clamp(min=TINY)
        pace = ratio / ratio.mean().clamp(min=TINY)
        own = weights * norms
        slope = norms * torch.sign(own - own.mean() * pace.clamp(min=0.0).pow(self.alpha))
        return {**self._stepped(weights, slope, state), "first": first.clone()}

    def _stepped(self, weights: Tensor, slope: Tensor, state: State) -> dict[str, Tensor]:
        steps = state["steps"] + 1.0
        mean = torch.lerp(slope, state["mean"], BETAS[0])
        square = torch.lerp(slope.square(), state["square"], BETAS[1])
        way = (mean / (1.0 - BETAS[0] ** steps)) / ((square / (1.0 - BETAS[1] ** steps)).sqrt() + 1e-12)
        moved = (weights - self.learning_rate * way).clamp(min=TINY)
        return {"weights": moved * len(moved) / moved.sum(), "mean": mean, "square": square, "steps": steps}
