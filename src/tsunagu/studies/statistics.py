"""Statistics over seeds that keep every seed: mean and spread of a method, paired comparison of two.

Two methods that are trained with the same seeds on the same folds meet the same events in the same order, and their
numbers go up and down together. So differences are taken pair by pair before anything is averaged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar, final

__all__ = ["LEVEL", "Comparison", "Spread", "compare", "student_factor"]

K = TypeVar("K", bound=Hashable)
LEVEL = 0.95
"""Of every confidence interval."""


@final
@dataclass(frozen=True, kw_only=True)
class Spread:
    """The values of one number, one a seed, and what is read off them; None is what one value cannot tell.

    Args:
        values: ``[S]``, at least one.

    >>> auc = Spread(values=(0.80, 0.82, 0.81, 0.83))
    >>> round(auc.mean, 4), round(auc.deviation, 4), round(auc.error, 4)
    (0.815, 0.0129, 0.0065)
    >>> [round(end, 4) for end in auc.interval], Spread(values=(0.8,)).interval
    ([0.7945, 0.8355], None)
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        return math.fsum(self.values) / len(self.values)

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation, with ``S - 1`` degrees of freedom."""
        if len(self.values) < 2:
            return None
        mean = self.mean
        return math.sqrt(math.fsum((value - mean) ** 2 for value in self.values) / (len(self.values) - 1))

    @property
    def error(self) -> float | None:
        """The standard error of the mean, ``deviation / sqrt(S)``."""
        return None if self.deviation is None else self.deviation / math.sqrt(len(self.values))

    @property
    def interval(self) -> tuple[float, float] | None:
        """The confidence interval of the mean, by Student's t; it holds for seeds, which are independent."""
        if self.error is None:
            return None
        half = student_factor(LEVEL, len(self.values) - 1) * self.error
        return self.mean - half, self.mean + half


@final
@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One method against another, pair by pair.

    Args:
        differences: first minus second, one for each common pair; None where there is none.
        better: pairs in which the first is better.
        worse: pairs in which the second is; equal ones count for neither.
    """

    differences: Spread | None
    better: int
    worse: int

    @property
    def pairs(self) -> int:
        """How many there are."""
        return 0 if self.differences is None else len(self.differences.values)


def compare(
    first: Mapping[K, float], second: Mapping[K, float], cost: Callable[[float], float]
) -> Comparison:
    """Compare two methods over what both were trained with.

    Args:
        first: value by seed and fold.
        second: the same of the other method.
        cost: smaller for a better value, such as ``MetricCall.cost``.

    A pair with a number that is not finite is left out, and ``pairs`` tells how many remain.

    >>> found = compare({1: 0.80, 2: 0.82, 3: 0.81}, {1: 0.79, 2: 0.80, 4: 0.99}, lambda auc: -auc)
    >>> found.pairs, round(found.differences.mean, 3), found.better
    (2, 0.015, 2)
    """
    common = [(value, second[place]) for place, value in first.items() if place in second]
    pairs = [(one, other) for one, other in common if math.isfinite(one) and math.isfinite(other)]
    return Comparison(
        differences=Spread(values=tuple(one - other for one, other in pairs)) if pairs else None,
        better=sum(cost(one) < cost(other) for one, other in pairs),
        worse=sum(cost(one) > cost(other) for one, other in pairs),
    )


@lru_cache
def student_factor(level: float, degrees: int) -> float:
    """How many standard errors to each side of the mean hold the share ``level`` of Student's t.

    Args:
        level: in 0..1, such as 0.95.
        degrees: of freedom, 1 or more.

    Source: the distribution is the finite sum 26.7.3-4 of Abramowitz & Stegun, "Handbook of Mathematical Functions",
    in the angle ``arctan(t / sqrt(degrees))``, which is halved in until no double lies between.

    >>> round(student_factor(0.95, 9), 6), round(student_factor(0.95, 1), 4)
    (2.262157, 12.7062)
    """
    low, high = 0.0, math.pi / 2
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if _central_share(middle, degrees) < level else (low, middle)
    return math.sqrt(degrees) * math.tan(low)


def _central_share(angle: float, degrees: int) -> float:
    """The probability of ``|t| < sqrt(degrees) tan(angle)``."""
    odd, cosine = degrees % 2, math.cos(angle)
    term = cosine if odd else 1.0
    terms = [term] if degrees > 1 else []
    for number in range(1 + odd, degrees - 2, 2):
        term *= cosine**2 * number / (number + 1)
        terms.append(term)
    share = math.sin(angle) * math.fsum(terms)
    return (angle + share) * 2 / math.pi if odd else share
