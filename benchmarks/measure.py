"""Ratios of two costs, taken alternating in one run, so that a busy machine slows both sides alike."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Clock", "Comparison", "Side", "compare", "quartiles"]

Clock = Callable[[], float]
# Runs once and returns the cost of one step in seconds of the given clock; its own preparation is not counted.
Side = Callable[[Clock], float]

WARM_UP = 2
LEAST_ROUNDS = 9


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Our cost divided by theirs.

    Args:
        ratio: median of the rounds' ratios.
        low: their first quartile.
        high: their third quartile.
        ours: median cost of one of our steps, in seconds.
        theirs: the same for the other side.
        rounds: how many were measured, those of the warm-up not counted.
    """

    ratio: float
    low: float
    high: float
    ours: float
    theirs: float
    rounds: int


def compare(ours: Side, theirs: Side, *, rounds: int, clock: Clock = time.process_time) -> Comparison:
    """Run both sides once a round, in turns first and second, and take the ratio of each round.

    Args:
        ours: the numerator.
        theirs: the denominator.
        rounds: at least 9; the warm-up comes before them and is thrown away.
        clock: CPU time of this process by default, which stands still while others have the core.

    Raises:
        ValueError: too few rounds for quartiles to mean anything.

    >>> compare(lambda clock: 3.0, lambda clock: 2.0, rounds=9).ratio
    1.5
    """
    if rounds < LEAST_ROUNDS:
        msg = f"at least {LEAST_ROUNDS} rounds are needed, found {rounds}"
        raise ValueError(msg)
    with _controlled_collection():
        turns = [_round(ours, theirs, clock, swap=number % 2 == 1) for number in range(WARM_UP + rounds)]
    pairs = turns[WARM_UP:]
    low, middle, high = quartiles([a / b for a, b in pairs])
    mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Comparison(ratio=middle, low=low, high=high, ours=mine, theirs=other, rounds=rounds)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """First quartile, median and third quartile, interpolated between the order statistics.

    >>> quartiles([4.0, 1.0, 2.0, 3.0, 5.0])
    (2.0, 3.0, 4.0)
    """
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def _round(ours: Side, theirs: Side, clock: Clock, *, swap: bool) -> tuple[float, float]:
    if swap:
        second = _once(theirs, clock)
        return _once(ours, clock), second
    return _once(ours, clock), _once(theirs, clock)


def _once(side: Side, clock: Clock) -> float:
    # Each side starts without the other's garbage, and neither pays for a collection by chance.
    gc.collect()
    cost = side(clock)
    if not (math.isfinite(cost) and cost > 0.0):
        msg = f"a side measured {cost} seconds a step; the clock did not advance"
        raise ValueError(msg)
    return cost


@contextmanager
def _controlled_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    # What is there already (torch's modules) stays: walking it for every collection takes longer than a side.
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_on:
            gc.enable()
