"""Select options by what changes when the mixture is disturbed, not by the size of their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from tsunagu.search.searcher import require
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Evaluate", "select_by_perturbation"]

Evaluate = Callable[[Mapping[str, Tensor]], float]
"""The validation loss of the trained mixture under mixture weights ``[K]`` for each label."""


def select_by_perturbation(
    space: Space,
    weights: Mapping[str, Tensor],
    evaluate: Evaluate,
    *,
    by: str = "removal",
    settle: Callable[[Mapping[str, Tensor]], None] | None = None,
) -> Architecture:
    """Decide one choice after the other, outer before inner, and fix each decision before the next.

    Args:
        space: what is decided.
        weights: ``[K]`` for each label, those of the trained mixture.
        evaluate: the loss under other weights.
        by: ``removal`` sets the weight of each option to 0 in turn and keeps the option whose absence hurts most
            (DARTS-PT, arXiv:2108.04392); ``alone`` gives each option all the weight in turn and keeps the one with
            the smallest loss. Where options cancel each other in the mixture, removal keeps one of the cancelling pair.
        settle: called with the weights after each decision, to train the rest for a while.

    >>> from tsunagu.spec import choice
    >>> space, outputs = Space({"model": choice("a", "b")}), torch.tensor([0.1, 0.9])
    >>> def evaluate(weights):
    ...     return float((weights["model"] @ outputs - 1.0) ** 2)
    >>> select_by_perturbation(space, {"model": torch.tensor([0.5, 0.5])}, evaluate)
    Architecture({'model': 'b'})
    """
    require(by in ("removal", "alone"), f"by must be removal or alone, found '{by}'")
    current = dict(weights)

    def loss_without(label: str, index: int) -> float:
        kept = torch.arange(len(current[label])) != index
        return -evaluate({**current, label: current[label] * kept})

    def loss_alone(label: str, index: int) -> float:
        return evaluate({**current, label: _one_hot(current[label], index)})

    def decide(label: str, options: tuple[str, ...]) -> str:
        cost = loss_without if by == "removal" else loss_alone
        chosen = min(range(len(options)), key=lambda index: cost(label, index))
        current[label] = _one_hot(current[label], chosen)
        if settle is not None:
            settle(current)
        return options[chosen]

    return space.walk(decide)


def _one_hot(like: Tensor, index: int) -> Tensor:
    return (torch.arange(len(like)) == index).to(like)
