"""What an aggregator is: several losses become one update.

Legend: ``R`` members of a population, ``T`` objectives (one loss of one task each, times its weight), ``P`` shared weights: those
of the tasks that at least two objectives reach.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, final, runtime_checkable

import torch
from torch import Tensor

__all__ = ["Aggregator", "Combined", "LooksBack", "Moment", "Reads", "Seen", "State", "Sum"]

State = Mapping[str, Tensor]
"""What an aggregator keeps of one member between two steps; a checkpoint holds it."""

Reads = Literal["losses", "features", "gradients", "jacobian"]
"""What an aggregator is shown, each with what stands before it: the losses alone; the inner products of their gradients by the
shared features, or by the shared weights; these gradients themselves."""


@final
@dataclass(frozen=True)
class Moment:
    """A step of one member.

    Args:
        seed: of whatever is drawn at random in it.
        epoch: from 0.
    """

    seed: int
    epoch: int


@final
@dataclass(frozen=True, kw_only=True)
class Seen:
    """What an aggregator is shown of a step; all of it without a graph.

    Args:
        losses: ``[R, T]``, float64.
        states: of each member.
        moments: of each member.
        gramian: ``[R, T, T]``, float64: the inner products of the gradients; empty ``[R, 0, 0]`` where it reads losses alone.
        jacobian: for each member ``[T, P]``, its gradients by the shared weights; only where it reads them.
    """

    losses: Tensor
    states: Sequence[State]
    moments: Sequence[Moment]
    gramian: Tensor
    jacobian: Sequence[Tensor] = ()


@final
@dataclass(frozen=True, kw_only=True)
class Combined:
    """What an aggregator makes of it.

    Args:
        weights: ``[R, T]``: the update follows ``sum_t w_t g_t``.
        states: for the next step.
        own: ``[R, T]``: the weights of each loss for what it alone reaches; 1 by default where gradients are read, and
            ``weights`` where losses are, since these are the loss then.
        directions: for each member ``[P]``, what the shared weights follow in place of that sum.
    """

    weights: Tensor
    states: Sequence[State]
    own: Tensor | None = None
    directions: Sequence[Tensor] | None = None


class Aggregator(ABC):
    """How several losses become one update; subclasses are final, frozen dataclasses, and their state is a value."""

    @property
    @abstractmethod
    def reads(self) -> Reads:
        """What it must be shown, and so what a step costs."""

    @abstractmethod
    def begin(self, objectives: int, /) -> State:
        """The state of one member before its first step.

        Raises:
            ValueError: its settings do not fit so many objectives; a sentence.
        """

    @abstractmethod
    def combine(self, seen: Seen) -> Combined:
        """One step of all members, none of which sees another."""


@runtime_checkable
class LooksBack(Protocol):
    """An aggregator that wants to know what its step has done."""

    def look_back(self, before: Tensor, after: Tensor, states: Sequence[State]) -> Sequence[State]:
        """The states after a step, given the losses ``[R, T]`` of the same events before and after it."""


@final
@dataclass(frozen=True, kw_only=True)
class Sum(Aggregator):
    """The sum of the losses, each times its weight: the default. A training with it never asks.

    >>> seen = Seen(losses=torch.tensor([[1.0, 2.0]]), states=[{}], moments=[Moment(1, 0)], gramian=torch.zeros(1, 0, 0))
    >>> Sum().combine(seen).weights.tolist()
    [[1.0, 1.0]]
    """

    @property
    def reads(self) -> Reads:
        return "losses"

    def begin(self, _: int, /) -> State:
        return {}

    def combine(self, seen: Seen) -> Combined:
        return Combined(weights=torch.ones_like(seen.losses), states=seen.states)
