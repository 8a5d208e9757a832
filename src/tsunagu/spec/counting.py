"""How many architectures a value has, without listing them.

An option's own choices count only while that option is taken, so independent choices multiply and options add. A name
that stands in several places is one decision: the ways are kept apart by the options of such names, until the last
place of a name has been seen and its options can be added up. A tied name per layer, as in a supernet whose
neighbouring layers share a width, therefore costs no more than the widths that two layers have in common.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from tsunagu.spec.architecture import choices, labelled_choices
from tsunagu.spec.nodes import Choice, Value, children

__all__ = ["count"]

Ways = dict[frozenset[tuple[str, str]], int]
"""Number of architectures by the options of those tied names that also stand elsewhere."""


def count(value: Value) -> int:
    """The number of architectures; 1 where nothing is left to choose.

    Raises:
        ChoiceError: one name with two definitions.

    >>> from tsunagu.spec import choice
    >>> count({"a": choice(1, 2, 3), "b": choice(x=choice(1, 2), y=0)})
    9
    >>> count([choice(8, 16, name="width"), choice(8, 16, name="width")])
    2
    """
    choices(value)
    places = Counter(label for label, _ in labelled_choices(value))
    tied = {label: number for label, number in places.items() if number > 1}
    ways, _ = _ways(value, tied)
    return ways[frozenset()]


def _ways(value: Value, tied: Mapping[str, int]) -> tuple[Ways, Counter[str]]:
    if isinstance(value, Choice):
        return _added(value, tied)
    ways: Ways = {frozenset(): 1}
    seen: Counter[str] = Counter()
    for _, part in children(value):
        inner, inside = _ways(part, tied)
        seen += inside
        ways = _forget(_multiplied(ways, inner), seen, tied)
    return ways, seen


def _added(value: Choice, tied: Mapping[str, int]) -> tuple[Ways, Counter[str]]:
    name = value.name if value.name in tied else None
    ways: Ways = {}
    seen: Counter[str] = Counter() if name is None else Counter({name: 1})
    for option, part in value.options.items():
        inner, inside = _ways(part, tied)
        seen += inside
        own = set() if name is None else {(name, option)}
        for taken, number in inner.items():
            ways[taken | own] = ways.get(taken | own, 0) + number
    return _forget(ways, seen, tied), seen


def _multiplied(first: Ways, second: Ways) -> Ways:
    product: Ways = {}
    for one, ways in first.items():
        for other, more in second.items():
            both = one | other
            if len(dict(both)) == len(both):  # no name with two options
                product[both] = product.get(both, 0) + ways * more
    return product


def _forget(ways: Ways, seen: Counter[str], tied: Mapping[str, int]) -> Ways:
    shorter: Ways = {}
    for taken, number in ways.items():
        kept = frozenset((name, option) for name, option in taken if seen[name] < tied[name])
        shorter[kept] = shorter.get(kept, 0) + number
    return shorter
