"""A few architectures that stand for all, where all would be too many to go through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tsunagu.spec.architecture import Architecture, Branches, architectures, branches
from tsunagu.spec.counting import count
from tsunagu.spec.nodes import Value

__all__ = ["MANY", "some_architectures"]

MANY = 1000
"""More architectures than this are not gone through one by one."""


def some_architectures(value: Value, most: int = MANY) -> Iterator[Architecture]:
    """Every architecture of a value; of more than ``most`` as many as it takes to see each option once.

    >>> from tsunagu.spec import choice
    >>> space = {"a": choice(1, 2, 3), "b": choice(x=choice(1, 2), y=0)}
    >>> [len(list(some_architectures(space, most))) for most in (9, 8)]
    [9, 5]
    """
    if count(value) <= most:
        yield from architectures(value)
        return
    tree = branches(value)
    seen: set[tuple[str, str]] = set()
    for label, option, above in _options(tree, {}):
        if (label, option) not in seen:
            decided = {**above, label: option}
            found: dict[str, str] = {}
            _complete(tree, decided, found)
            seen |= set(found.items())
            yield Architecture(found)


def _options(tree: Branches, above: Mapping[str, str]) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Every option with what has to be decided for it to come up."""
    for label, inside in tree:
        for option, further in inside.items():
            if above.get(label, option) == option:
                yield label, option, above
                yield from _options(further, {**above, label: option})


def _complete(tree: Branches, decided: Mapping[str, str], found: dict[str, str]) -> None:
    """What is not decided is its first option."""
    for label, inside in tree:
        found.setdefault(label, decided.get(label, next(iter(inside))))
        _complete(inside[found[label]], decided, found)
