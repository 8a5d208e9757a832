"""Architecture parameters: a number for each option, whose softmax is a distribution over the options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from tsunagu.random import derive_seed
from tsunagu.search.adam import Adam
from tsunagu.search.searcher import Distribution, Mixture, WeightGradients
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["AlphaState", "alpha_start", "argmax", "checked", "descended", "probabilities", "softmaxes"]


@final
@dataclass(frozen=True, kw_only=True)
class AlphaState:
    """The state of a searcher that learns architecture parameters.

    Args:
        space: what is searched.
        seed: of all draws.
        step: how many answers it has been told.
        alpha: ``[K]`` float64 for each label.
        moments: ``[2, K]`` float64 for each label, Adam's.
    """

    space: Space
    seed: int
    step: int = 0
    alpha: Mapping[str, Tensor]
    moments: Mapping[str, Tensor]


def alpha_start(space: Space, seed: int, spread: float, adam: Adam) -> AlphaState:
    """Normal around 0 with a spread, as in the code of DARTS."""
    alpha = {}
    for label, options in space.options.items():
        generator = torch.Generator().manual_seed(derive_seed(seed, "alpha", label))
        alpha[label] = spread * torch.randn(len(options), generator=generator, dtype=torch.float64)
    return AlphaState(space=space, seed=seed, alpha=alpha, moments=adam.start(alpha))


def descended(state: AlphaState, gradients: Mapping[str, Tensor], adam: Adam) -> AlphaState:
    """The state after one step of Adam along the gradient by alpha."""
    alpha, moments = adam.step(state.alpha, state.moments, gradients, state.step + 1)
    return replace(state, step=state.step + 1, alpha=alpha, moments=moments)


def softmaxes(state: AlphaState) -> dict[str, Tensor]:
    """The softmax of alpha, ``[K]`` float64 for each label."""
    return {label: values.softmax(0) for label, values in state.alpha.items()}


def argmax(state: AlphaState) -> Architecture:
    """The option of the largest alpha at each open choice."""
    return state.space.walk(lambda label, options: options[int(state.alpha[label].argmax())])


def probabilities(state: AlphaState) -> Distribution:
    """The softmax of alpha, by the names of the options."""
    weights = softmaxes(state)
    return {
        label: dict(zip(options, weights[label].tolist(), strict=True))
        for label, options in state.space.options.items()
    }


def checked(asked: Mixture, gradients: WeightGradients) -> dict[str, Tensor]:
    """The gradients by the weights in float64; a label that the loss does not depend on has 0.

    Raises:
        ValueError: an unknown label, an unlike shape, or a number that is not finite.
    """
    unknown = sorted(gradients.keys() - asked.weights.keys())
    if unknown:
        msg = f"a gradient for '{unknown[0]}', which was not asked"
        raise ValueError(msg)
    found = {label: gradients.get(label, torch.zeros_like(w)).to(w) for label, w in asked.weights.items()}
    for label, gradient in found.items():
        if gradient.shape != asked.weights[label].shape or not gradient.isfinite().all():
            msg = f"{label}: {len(asked.weights[label])} finite numbers expected, found {gradient.tolist()}"
            raise ValueError(msg)
    return found
