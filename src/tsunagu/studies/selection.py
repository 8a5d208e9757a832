"""Which of several architectures a method takes: for each seed and fold the one that is best on the validation events.

The test events decide nothing here. Their numbers are only carried along, since whoever takes the best of nine test
results reports the luckiest of nine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar, final

__all__ = ["Selected", "select"]

T = TypeVar("T")


@final
@dataclass(frozen=True, kw_only=True)
class Selected(Generic[T]):
    """What was taken at one place.

    Args:
        tried: everything that there was, in its order.
        item: the best of it; None where nothing had a number to be chosen by.
    """

    tried: tuple[T, ...]
    item: T | None


def select(
    items: Iterable[T], place: Callable[[T], Hashable], cost: Callable[[T], float]
) -> list[Selected[T]]:
    """Of all items that share a place, the one with the smallest cost; of equal ones the first.

    Args:
        items: such as trials.
        place: where an item competes, such as method, seed and fold; places come in the order of their first items.
        cost: on the *validation* events; what is not finite is never chosen.

    An item that is alone at its place was not chosen, and is taken whatever its cost.

    >>> trials = [("cnn", 1, -0.81), ("mlp", 1, -0.79), ("cnn", 2, -0.80), ("mlp", 2, -0.83)]
    >>> [each.item for each in select(trials, place=lambda trial: trial[1], cost=lambda trial: trial[2])]
    [('cnn', 1, -0.81), ('mlp', 2, -0.83)]
    """
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(place(item), []).append(item)
    return [Selected(tried=tuple(group), item=_best(group, cost)) for group in groups.values()]


def _best(group: list[T], cost: Callable[[T], float]) -> T | None:
    if len(group) == 1:
        return group[0]
    return min((item for item in group if math.isfinite(cost(item))), key=cost, default=None)
