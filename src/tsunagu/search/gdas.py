"""GDAS: one sampled option forward, the gradient of a soft mixture backward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.random import derive_seed
from tsunagu.search.adam import Adam
from tsunagu.search.alpha import AlphaState, alpha_start, argmax, checked, descended, probabilities, softmaxes
from tsunagu.search.darts import chain_softmax
from tsunagu.search.registry import register_searcher
from tsunagu.search.searcher import (
    Distribution,
    Mixture,
    Searcher,
    WeightGradients,
    generator_of,
    require,
)
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Gdas", "gumbel", "soft_weights"]


@register_searcher
@final
@dataclass(frozen=True, kw_only=True)
class Gdas(Searcher[AlphaState, Mixture, WeightGradients]):
    """Gradient-based search with a sampler (Dong & Yang, arXiv:1910.04465).

    The supernet trains on sampled paths. The weights that are asked are one-hot, so the driver may run the taken option only; options that were not run have
    gradient 0 in the answer. The gradient passes straight through to ``softmax((log_softmax(a) + Gumbel) / tau)``,
    and tau falls in a line.

    Args:
        rate: Adam's learning rate for alpha.
        decay: its weight decay.
        spread: of alpha at the start.
        hot: tau at the first step.
        cold: tau at the last step.
        warmup: for how many epochs the weights train before the first question.
        steps: how many answers it wants.

    >>> from tsunagu.spec import choice
    >>> search = Gdas(steps=100)
    >>> state = search.init(Space({"model": choice("a", "b")}), seed=1)
    >>> search.tau(state), search.ask(state).weights["model"].sum().item()
    (10.0, 1.0)
    """

    rate: float = 3e-4
    decay: float = 1e-3
    spread: float = 1e-3
    hot: float = 10.0
    cold: float = 0.1
    warmup: int = 0
    steps: int = 1000

    def __post_init__(self) -> None:
        for name in ("rate", "hot", "cold", "steps"):
            require(getattr(self, name) > 0, f"{name} must be positive, found {getattr(self, name)}")
        for name in ("decay", "spread", "warmup"):
            require(getattr(self, name) >= 0, f"{name} must be 0 or more, found {getattr(self, name)}")

    @property
    def order(self) -> int:
        """Of the gradient that it wants told: the weights are fixed."""
        return 1

    def init(self, space: Space, seed: int) -> AlphaState:
        return alpha_start(space, seed, self.spread, self._adam)

    def ask_training(self, state: AlphaState, step: int) -> list[Architecture]:
        """One path with an option of each choice drawn with its probability."""
        held = {label: weights.tolist() for label, weights in softmaxes(state).items()}
        return [state.space.draw(generator_of(state, "gdas training", step), held)]

    def ask(self, state: AlphaState) -> Mixture:
        return Mixture({label: _one_hot(soft) for label, soft in self._soft(state).items()})

    def tell(self, state: AlphaState, asked: Mixture, answer: WeightGradients) -> AlphaState:
        found, soft, tau = checked(asked, answer), self._soft(state), self.tau(state)
        chained = {label: chain_softmax(soft[label], slope) / tau for label, slope in found.items()}
        return descended(state, chained, self._adam)

    def best(self, state: AlphaState) -> Architecture:
        """The largest alpha at each open choice."""
        return argmax(state)

    def done(self, state: AlphaState) -> bool:
        return state.step >= self.steps

    def distribution(self, state: AlphaState) -> Distribution:
        """The probability with which each option is sampled."""
        return probabilities(state)

    def tau(self, state: AlphaState) -> float:
        """The temperature at the state's step."""
        passed = min(state.step / max(self.steps - 1, 1), 1.0)
        return self.hot + (self.cold - self.hot) * passed

    def _soft(self, state: AlphaState) -> dict[str, Tensor]:
        tau = self.tau(state)
        return {
            label: soft_weights(
                alpha, gumbel(len(alpha), derive_seed(state.seed, "gumbel", state.step, label)), tau
            )
            for label, alpha in state.alpha.items()
        }

    @property
    def _adam(self) -> Adam:
        return Adam(rate=self.rate, betas=(0.5, 0.999), decay=self.decay)


def gumbel(number: int, seed: int) -> Tensor:
    """So many standard Gumbel numbers ``-log(E)``, E exponential: ``[number]`` float64, all finite."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.empty(number, dtype=torch.float64).exponential_(generator=generator)
    return -drawn.clamp(min=torch.finfo(torch.float64).tiny).log()


def soft_weights(alpha: Tensor, noise: Tensor, tau: float) -> Tensor:
    """``softmax((log_softmax(alpha) + noise) / tau)`` over the last axis; its argmax is a sample of ``softmax(alpha)``.

    Args:
        alpha: ``[K]``.
        noise: ``[..., K]``, standard Gumbel.
        tau: the temperature, positive.
    """
    return ((alpha.log_softmax(-1) + noise) / tau).softmax(-1)


def _one_hot(soft: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(soft.argmax(), len(soft)).to(soft.dtype)
