"""Losses with class weights: what they share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from torch import Tensor

from tsunagu.losses.classes import CountedLoss, PerClass
from tsunagu.losses.counts import class_balanced_weights, event_weights
from tsunagu.losses.parameters import Number, constant

__all__ = ["ClassWeighted", "Reduction", "balanced", "check_share"]

Reduction = Literal["events", "weights"]


@dataclass(frozen=True, kw_only=True)
class ClassWeighted(CountedLoss):
    """A loss that multiplies each event's by the weight of its class.

    Args:
        reduction: what the sum over events is divided by. ``events``: the event weights, as ever, so the class weights are
            plain factors. ``weights``: the products of event and class weight, which is what
            ``torch.nn.CrossEntropyLoss(weight=...)`` does; but not batch by batch: the mean class weight of all training
            events divides, one constant, so that events do not see each other and a batch of rare events counts for
            more. On all training events at once the two are equal.
    """

    reduction: Reduction = "events"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reduction not in get_args(Reduction):
            msg = f"reduction must be one of {', '.join(get_args(Reduction))}, found {self.reduction!r}"
            raise ValueError(msg)

    @abstractmethod
    def weigh(self, sizes: tuple[float, ...]) -> PerClass:
        """The weights ``[C]`` or ``[E, C]`` for classes of these sizes; their sum is C."""

    @cached_property
    def weights(self) -> PerClass:
        """The factor of each class, ``[C]`` or ``[E, C]``: with ``reduction: weights`` over their mean on the training events."""
        weights = self.weigh(self.known_sizes)
        if self.reduction == "events":
            return weights
        if isinstance(weights, Tensor):
            return weights / (weights @ constant(self.known_shares, weights)).unsqueeze(-1)
        mean = sum(share * weight for share, weight in zip(self.known_shares, weights, strict=True))
        return tuple(weight / mean for weight in weights)

    @property
    def per_class(self) -> Mapping[str, PerClass]:
        return {"weight": self.weights}


def balanced(sizes: tuple[float, ...], one_minus_beta: Number) -> PerClass:
    """The class-balanced weights for one ``1 - beta``, ``[C]``, or for that of each event, ``[E, C]``."""
    if isinstance(one_minus_beta, Tensor):
        return event_weights(sizes, one_minus_beta)
    return class_balanced_weights(sizes, one_minus_beta)


def check_share(name: str, value: Number) -> None:
    """Raise a ValueError for a number outside 0 to 1."""
    if not 0.0 <= value <= 1.0:
        msg = f"{name} must be 0 to 1, found {value}"
        raise ValueError(msg)
