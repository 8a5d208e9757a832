"""Aggregators by key: our own, those of an analysis, and those of TorchJD by the names that they have there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tsunagu.errors import did_you_mean
from tsunagu.losses.aggregate.aggregator import Aggregator, Sum
from tsunagu.registry import Registry

__all__ = ["SUM", "find_aggregator", "known_aggregators", "make_aggregator", "register_aggregator"]

SUM = "sum"
"""The key of the plain sum, the default."""

Make = Callable[..., Aggregator]
ClassT = TypeVar("ClassT", bound=type[Aggregator])

_aggregators = Registry[Aggregator]("aggregator", Aggregator)
_aggregators.register(SUM)(Sum)


def register_aggregator(key: str) -> Callable[[ClassT], ClassT]:
    """Make an aggregator known by a key; a class decorator.

    Raises:
        ValueError: another aggregator has this key.

    >>> register_aggregator("mgda")(find_aggregator("mgda")).__name__
    'Mgda'
    """
    return _aggregators.register(key)


def find_aggregator(key: str) -> Make:
    """What makes the aggregator that a key names from its settings.

    Raises:
        LookupError: there is none, or it is TorchJD's, which is not installed; a sentence.

    >>> find_aggregator("mgda")(normalisation="loss+")
    Mgda(normalisation='loss+', features=False)
    >>> find_aggregator("mdga")
    Traceback (most recent call last):
    LookupError: unknown aggregator 'mdga' (did you mean 'mgda'?)
    """
    from tsunagu.losses.aggregate.torchjd import NAMES, borrowed

    if ":" in key or key in _aggregators.known():
        return _aggregators.find(key)
    if key in NAMES:
        return borrowed(key)
    msg = f"unknown aggregator '{key}'{did_you_mean(key, known_aggregators())}"
    raise LookupError(msg)


def known_aggregators() -> list[str]:
    """All keys, those of TorchJD included whether it is installed or not.

    >>> known_aggregators()[:3]
    ['AlignedMTL', 'CAGrad', 'COSMOS']
    """
    from tsunagu.losses.aggregate.torchjd import NAMES

    return sorted([*_aggregators.known(), *NAMES])


def make_aggregator(key: str, args: Mapping[str, Any]) -> Aggregator:
    """The aggregator that a key and its settings declare.

    Raises:
        LookupError: as :func:`find_aggregator`.
        TypeError, ValueError: its settings are wrong.
    """
    return find_aggregator(key)(**args)
