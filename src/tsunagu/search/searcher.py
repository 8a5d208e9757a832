"""What a searcher is: frozen settings, and pure functions of a state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, final, runtime_checkable

import numpy as np
from torch import Tensor

from tsunagu.random import derive_seed
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = [
    "Distribution",
    "HasDistribution",
    "Losses",
    "Mixture",
    "Paths",
    "Searcher",
    "State",
    "TrainsPaths",
    "WantsGradients",
    "WeightGradients",
    "confidence",
    "generator_of",
    "require",
]

Losses = Sequence[float]
"""One loss for each architecture that was asked, the smaller the better; not a number counts as the worst."""
WeightGradients = Mapping[str, Tensor]
"""The gradient of the validation loss by the mixture weights, ``[K]`` for each label."""
Distribution = dict[str, dict[str, float]]
"""The probability of each option of each label."""


@final
@dataclass(frozen=True)
class Paths:
    """Architectures to be judged.

    Args:
        architectures: each holds its open labels.
        budget: the share of a full training that each of them is given, above 0 and at most 1.
    """

    architectures: tuple[Architecture, ...]
    budget: float = 1.0


@final
@dataclass(frozen=True)
class Mixture:
    """Mixture weights whose gradient is asked for.

    Args:
        weights: ``[K]`` float64 for each label, in the order of the options, with sum 1.
    """

    weights: Mapping[str, Tensor]


class State(Protocol):
    """What every state holds; it is a frozen dataclass of numbers, texts, tuples, mappings and tensors."""

    @property
    def space(self) -> Space:
        """What is searched."""

    @property
    def seed(self) -> int:
        """The seed of all draws."""

    @property
    def step(self) -> int:
        """How many answers it has been told."""


S = TypeVar("S", bound=State)
Q = TypeVar("Q", Paths, Mixture)
A = TypeVar("A")


class Searcher(ABC, Generic[S, Q, A]):
    """Asks and is told; subclasses are final, frozen and without state.

    Everything that changes is in the state, and all randomness comes from (seed, purpose, step). So the same state
    always asks the same, and a search that is continued from a stored state is the uninterrupted one.

    There are two families. *Samplers* ask :class:`Paths` and are told one loss for each. *Mixtures* ask a
    :class:`Mixture` and are told the gradient of the validation loss by its weights.
    """

    @abstractmethod
    def init(self, space: Space, seed: int) -> S:
        """The state before the first question.

        Raises:
            ChoiceError: this space cannot be searched like this.
        """

    @abstractmethod
    def ask(self, state: S) -> Q:
        """What to judge next: a pure function of the state."""

    @abstractmethod
    def tell(self, state: S, asked: Q, answer: A) -> S:
        """The state after an answer.

        Raises:
            ValueError: the answer does not belong to what was asked.
        """

    @abstractmethod
    def best(self, state: S) -> Architecture:
        """The architecture that the search would choose now.

        Raises:
            ValueError: nothing is known yet.
        """

    @abstractmethod
    def done(self, state: S) -> bool:
        """True once there is nothing left to ask."""


@runtime_checkable
class HasDistribution(Protocol):
    """A searcher that holds a distribution over the options."""

    def distribution(self, state: Any) -> Distribution:
        """The probability of each option of each label."""


@runtime_checkable
class TrainsPaths(Protocol):
    """A searcher that says which paths of the supernet are trained."""

    def ask_training(self, state: Any, step: int) -> list[Architecture]:
        """The paths that training step ``step`` trains at once: a pure function of both.

        Each weight follows the mean gradient of those that hold it.
        """


@runtime_checkable
class WantsGradients(Protocol):
    """A searcher that asks a :class:`Mixture` and is told the gradient by its weights."""

    @property
    def order(self) -> int:
        """1 for the gradient at fixed weights, 2 for that through one step of their training."""


def confidence(distribution: Distribution) -> float:
    """How sure the least sure choice is: the smallest, over labels, of the largest probability of an option.

    >>> confidence({"model": {"cnn": 0.9, "mlp": 0.1}, "lr": {"0.1": 0.4, "0.01": 0.6}})
    0.6
    """
    return min(max(options.values()) for options in distribution.values())


def generator_of(state: State, purpose: str, step: int | None = None) -> np.random.Generator:
    """The generator of one purpose at the state's step, or at another."""
    return np.random.default_rng(derive_seed(state.seed, purpose, state.step if step is None else step))


def require(right: bool, text: str) -> None:
    """Refuse a setting.

    Raises:
        ValueError: it is not right; the text says what would be.
    """
    if not right:
        raise ValueError(text)
