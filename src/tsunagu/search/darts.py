"""DARTS: the mixture of all options, with weights that follow the validation loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import Tensor

from tsunagu.search.adam import Adam
from tsunagu.search.alpha import (
    AlphaState,
    alpha_start,
    argmax,
    checked,
    descended,
    probabilities,
    softmaxes,
)
from tsunagu.search.registry import register_searcher
from tsunagu.search.searcher import Distribution, Mixture, Searcher, WeightGradients, require
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Darts", "chain_softmax"]


@register_searcher
@final
@dataclass(frozen=True, kw_only=True)
class Darts(Searcher[AlphaState, Mixture, WeightGradients]):
    """Differentiable search (Liu, Simonyan & Yang, arXiv:1806.09055): every choice outputs ``sum_i softmax(a)_i o_i``.

    Its weak spot is the step from the mixture to one option: the mixture may be good because options cancel, and the
    largest weight then names an option that is bad alone.

    Args:
        order: of the gradient that it wants told: 1 with the weights fixed, 2 through one training step.
        rate: Adam's learning rate for alpha.
        decay: its weight decay.
        spread: of alpha at the start.
        warmup: for how many epochs the weights train before the first question.
        selection: how the driver decides in the end: ``argmax`` of alpha, or ``perturbation``, what hurts most when it
            is removed (:func:`~tsunagu.search.select_by_perturbation`), or ``alone``, what is best alone.
        steps: how many answers it wants.

    >>> import torch
    >>> from tsunagu.spec import choice
    >>> search = Darts(rate=0.1)
    >>> state = search.init(Space({"model": choice("a", "b")}), seed=1)
    >>> state = search.tell(state, search.ask(state), {"model": torch.tensor([1.0, -1.0])})
    >>> search.best(state)
    Architecture({'model': 'b'})
    """

    order: int = 1
    rate: float = 3e-4
    decay: float = 1e-3
    spread: float = 1e-3
    warmup: int = 0
    selection: str = "argmax"
    steps: int = 1000

    def __post_init__(self) -> None:
        require(self.order in (1, 2), f"order must be 1 or 2, found {self.order}")
        require(self.rate > 0.0, f"rate must be positive, found {self.rate}")
        for name in ("decay", "spread", "warmup"):
            require(getattr(self, name) >= 0, f"{name} must be 0 or more, found {getattr(self, name)}")
        known = self.selection in ("argmax", "perturbation", "alone")
        require(known, f"selection must be argmax, perturbation or alone, found '{self.selection}'")
        require(self.steps >= 1, f"steps must be 1 or more, found {self.steps}")

    def init(self, space: Space, seed: int) -> AlphaState:
        return alpha_start(space, seed, self.spread, self._adam)

    def ask(self, state: AlphaState) -> Mixture:
        return Mixture(softmaxes(state))

    def tell(self, state: AlphaState, asked: Mixture, answer: WeightGradients) -> AlphaState:
        found = checked(asked, answer)
        chained = {label: chain_softmax(asked.weights[label], slope) for label, slope in found.items()}
        return descended(state, chained, self._adam)

    def best(self, state: AlphaState) -> Architecture:
        """The largest alpha at each open choice; the driver may select otherwise."""
        return argmax(state)

    def done(self, state: AlphaState) -> bool:
        return state.step >= self.steps

    def distribution(self, state: AlphaState) -> Distribution:
        """The mixture weights."""
        return probabilities(state)

    @property
    def _adam(self) -> Adam:
        return Adam(rate=self.rate, betas=(0.5, 0.999), decay=self.decay)


def chain_softmax(weights: Tensor, gradient: Tensor) -> Tensor:
    """From the gradient by softmax weights to that by what they are the softmax of: ``p_i (g_i - sum_j p_j g_j)``.

    Args:
        weights: p, ``[K]``.
        gradient: g, ``[K]``.

    >>> import torch
    >>> chain_softmax(torch.tensor([0.5, 0.5]), torch.tensor([1.0, -1.0])).tolist()
    [0.5, -0.5]
    """
    return weights * (gradient - (weights * gradient).sum())
