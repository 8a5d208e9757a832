"""What a condition is drawn from: numbers for events in training, a grid for validation, a fixed range for the network.

Legend: ``E`` events, ``K`` points, ``W`` numbers of one draw (1, or the parts of a simplex).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, final

import torch
from torch import Tensor

from tsunagu.registry import Registry

__all__ = [
    "Distribution",
    "LogUniform",
    "OneMinusLogUniform",
    "Uniform",
    "find_distribution",
    "known_distributions",
    "make",
    "register_distribution",
]


class Distribution(ABC):
    """Where the numbers of a condition come from; subclasses are final, frozen and without state."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The names of the W numbers of a draw; empty for one number."""

    @abstractmethod
    def sample(self, uniform: Tensor) -> Tensor:
        """Draws.

        Args:
            uniform: ``[E, W]`` float64 numbers between 0 and 1, both excluded.

        Returns:
            ``[E, W]`` float64; a row depends on its own row of ``uniform`` and on nothing else.
        """

    @abstractmethod
    def normalise(self, values: Tensor) -> Tensor:
        """Values ``[E, W]`` as the network sees them, from -1 to 1 within the range, in their dtype."""

    @abstractmethod
    def grid(self, points: int) -> Tensor:
        """Values ``[K, W]`` float64 that span the range, K of them where W is 1; of one point its middle."""

    @abstractmethod
    def contains(self, values: Sequence[float]) -> bool:
        """Whether W numbers are in the range, and so have been trained on."""


ClassT = TypeVar("ClassT", bound=type[Distribution])

_distributions = Registry[Distribution]("distribution", Distribution)


def register_distribution(key: str) -> Callable[[ClassT], ClassT]:
    """Make a distribution known by a key; a class decorator.

    Raises:
        ValueError: another one has this key.
    """
    return _distributions.register(key)


def find_distribution(key: str) -> type[Distribution]:
    """The distribution that a key names, or that stands at an import path ``my_package.my_module:MyPrior``.

    Raises:
        LookupError: there is none; the message names the nearest key.

    >>> find_distribution("log_unifrom")
    Traceback (most recent call last):
    LookupError: unknown distribution 'log_unifrom' (did you mean 'log_uniform'?)
    """
    return _distributions.find(key)


def known_distributions() -> list[str]:
    """All keys.

    >>> known_distributions()
    ['dirichlet', 'log_uniform', 'one_minus_log_uniform', 'simplex', 'uniform']
    """
    return _distributions.known()


def make(cls: Callable[..., Any], args: Mapping[str, Any] | Sequence[Any]) -> Any:
    """What a class makes of arguments by name, or by position.

    >>> make(Uniform, [0.0, 2.0]) == make(Uniform, {"low": 0.0, "high": 2.0})
    True
    """
    return cls(**args) if isinstance(args, Mapping) else cls(*args)


@register_distribution("uniform")
@final
@dataclass(frozen=True)
class Uniform(Distribution):
    """Between two numbers, each as likely as any other.

    >>> Uniform(0.0, 4.0).grid(3).flatten().tolist()
    [0.0, 2.0, 4.0]
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, -math.inf, math.inf)

    @property
    def names(self) -> tuple[str, ...]:
        return ()

    def sample(self, uniform: Tensor) -> Tensor:
        return _between(self.low, self.high, uniform)

    def normalise(self, values: Tensor) -> Tensor:
        return _scaled(values, self.low, self.high)

    def grid(self, points: int) -> Tensor:
        return _steps(self.low, self.high, points)

    def contains(self, values: Sequence[float]) -> bool:
        return self.low <= values[0] <= self.high


@register_distribution("log_uniform")
@final
@dataclass(frozen=True)
class LogUniform(Distribution):
    """Between two positive numbers, each decade as likely as any other; the network sees the logarithm.

    >>> LogUniform(1e-4, 1.0).grid(3).flatten().float().tolist() == torch.tensor([1e-4, 1e-2, 1.0]).tolist()
    True
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, 0.0, math.inf)

    @property
    def names(self) -> tuple[str, ...]:
        return ()

    def sample(self, uniform: Tensor) -> Tensor:
        return _within(_between(*self._logs, uniform).exp(), self.low, self.high)

    def normalise(self, values: Tensor) -> Tensor:
        return _scaled(values.log(), *self._logs)

    def grid(self, points: int) -> Tensor:
        return _ends(_steps(*self._logs, points).exp(), self.low, self.high)

    def contains(self, values: Sequence[float]) -> bool:
        return self.low <= values[0] <= self.high

    @property
    def _logs(self) -> tuple[float, float]:
        return math.log(self.low), math.log(self.high)


@register_distribution("one_minus_log_uniform")
@final
@dataclass(frozen=True)
class OneMinusLogUniform(Distribution):
    """Between two numbers below 1 whose distance to 1 is log-uniform, such as the beta of the class-balanced loss.

    ``1 - x`` loses digits where x is near 1; a loss that takes ``1 - beta`` is better served by ``log_uniform``.

    >>> OneMinusLogUniform(0.9, 0.999).grid(3).flatten().numpy().round(6).tolist()
    [0.9, 0.99, 0.999]
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, -math.inf, 1.0)

    @property
    def names(self) -> tuple[str, ...]:
        return ()

    def sample(self, uniform: Tensor) -> Tensor:
        return _within(1.0 - _between(*self._logs, uniform).exp(), self.low, self.high)

    def normalise(self, values: Tensor) -> Tensor:
        return _scaled(torch.log1p(-values), *self._logs)

    def grid(self, points: int) -> Tensor:
        return _ends(1.0 - _steps(*self._logs, points).exp(), self.low, self.high)

    def contains(self, values: Sequence[float]) -> bool:
        return self.low <= values[0] <= self.high

    @property
    def _logs(self) -> tuple[float, float]:
        return math.log1p(-self.low), math.log1p(-self.high)


def _check_range(low: float, high: float, least: float, most: float) -> None:
    if not (least < low <= high < most and math.isfinite(low) and math.isfinite(high)):
        wanted = {0.0: "0 < low <= high"}.get(least, "low <= high" + (" < 1" if most == 1.0 else ""))
        msg = f"a range has {wanted}, found low {low} and high {high}"
        raise ValueError(msg)


def _between(low: float, high: float, uniform: Tensor) -> Tensor:
    return low + (high - low) * uniform


def _within(values: Tensor, low: float, high: float) -> Tensor:
    # A logarithm and its inverse round; what is outside of the range has not been asked for.
    return values.clamp(low, high)


def _scaled(values: Tensor, low: float, high: float) -> Tensor:
    # The middle is 0 exactly, and so is the only value of a range without a width.
    half = 0.5 * (high - low)
    away = values - 0.5 * (low + high)
    return away / half if half else torch.zeros_like(values)


def _steps(low: float, high: float, points: int) -> Tensor:
    if points == 1:
        return torch.full((1, 1), 0.5 * (low + high), dtype=torch.float64)
    return torch.linspace(low, high, points, dtype=torch.float64).unsqueeze(1)


def _ends(values: Tensor, low: float, high: float) -> Tensor:
    # A logarithm and its inverse round.
    if len(values) > 1:
        values[0], values[-1] = low, high
    return values
