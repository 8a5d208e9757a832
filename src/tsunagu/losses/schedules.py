"""Numbers of a loss that change with the epochs of a stage."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, final

from tsunagu.registry import Registry

__all__ = ["Curve", "find_curve", "known_curves", "register_curve"]


class Curve(ABC):
    """A function of the share of a stage that is over; subclasses are final, frozen and without state."""

    @abstractmethod
    def at(self, share: float) -> float:
        """The number where a share of the epochs is over: 0 in the first epoch, 1 in the last one and in validation."""


ClassT = TypeVar("ClassT", bound=type[Curve])

_curves = Registry[Curve]("schedule", Curve)


def register_curve(key: str) -> Callable[[ClassT], ClassT]:
    """Make a schedule known by a key; a class decorator.

    Raises:
        ValueError: another one has this key.
    """
    return _curves.register(key)


def find_curve(key: str) -> type[Curve]:
    """The schedule that a key names, or that stands at an import path.

    Raises:
        LookupError: there is none; the message names the nearest key.

    >>> find_curve("linear")(0.0, 1.0).at(0.25)
    0.25
    """
    return _curves.find(key)


def known_curves() -> list[str]:
    """All keys.

    >>> known_curves()
    ['cosine', 'exponential', 'linear', 'logistic', 'step']
    """
    return _curves.known()


@register_curve("linear")
@final
@dataclass(frozen=True)
class Linear(Curve):
    """A straight line."""

    start: float
    end: float

    def at(self, share: float) -> float:
        return self.start + (self.end - self.start) * share


@register_curve("cosine")
@final
@dataclass(frozen=True)
class Cosine(Curve):
    """Half a period of a cosine: slow, fast, slow."""

    start: float
    end: float

    def at(self, share: float) -> float:
        return self.end + 0.5 * (self.start - self.end) * (1.0 + math.cos(math.pi * share))


@register_curve("exponential")
@final
@dataclass(frozen=True)
class Exponential(Curve):
    """A straight line of the logarithm; both numbers are positive."""

    start: float
    end: float

    def __post_init__(self) -> None:
        if not (self.start > 0.0 and self.end > 0.0):
            msg = f"an exponential goes between positive numbers, found {self.start} and {self.end}"
            raise ValueError(msg)

    def at(self, share: float) -> float:
        return self.start * (self.end / self.start) ** share if share < 1.0 else self.end


@register_curve("logistic")
@final
@dataclass(frozen=True)
class Logistic(Curve):
    """The upper half of a logistic function: a steep start that levels off, as the strength of an adversary is raised.

    ``2 / (1 + exp(-steepness share)) - 1``, over its value at the end; Ganin et al., JMLR 17 (2016) 59, arXiv:1505.07818.

    Args:
        start: the first number.
        end: the last one.
        steepness: positive.
    """

    start: float
    end: float
    steepness: float = 10.0

    def __post_init__(self) -> None:
        if not self.steepness > 0.0:
            msg = f"steepness must be positive, found {self.steepness}"
            raise ValueError(msg)

    def at(self, share: float) -> float:
        risen = math.tanh(0.5 * self.steepness * share) / math.tanh(0.5 * self.steepness)
        return self.start + (self.end - self.start) * risen


@register_curve("step")
@final
@dataclass(frozen=True)
class Step(Curve):
    """One number, then another.

    Args:
        start: the first one.
        end: the other one.
        after: the share of the epochs before it.
    """

    start: float
    end: float
    after: float = 0.5

    def at(self, share: float) -> float:
        return self.end if share >= self.after else self.start
