"""Ratios of two costs, taken alternating in one run, so that a busy machine slows both sides alike."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["STEPS", "STUDIES", "Clock", "Comparison", "Scale", "Side", "compare", "quartiles"]

Clock = Callable[[], float]
# Runs once and returns the cost of one step, or of one study, in seconds of the given clock; its own preparation is not
# counted.
Side = Callable[[Clock], float]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What is measured, and how often that has to be done.

    Args:
        clock: in seconds.
        warm_up: rounds that are thrown away.
        least: rounds that have to be kept.
        unit: in which costs are told.
        factor: from seconds to that unit.
        words: after a cost.
    """

    clock: Clock
    warm_up: int
    least: int
    unit: str
    factor: float
    words: str

    def told(self, seconds: float) -> str:
        """A cost without its unit."""
        return f"{self.factor * seconds:.{0 if self.factor > 1.0 else 1}f}"


STEPS = Scale(
    # It stands still while others have the core.
    clock=time.process_time,
    warm_up=2,
    least=9,
    unit="us",
    factor=1e6,
    words="us of CPU time a step",
)
STUDIES = Scale(
    # Worker processes have CPU times of their own; a study takes too long for a warm-up, which it does not need either.
    clock=time.perf_counter,
    warm_up=0,
    least=1,
    unit="s",
    factor=1.0,
    words="s of wall-clock time a study",
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Our cost divided by theirs.

    Args:
        ratio: median of the rounds' ratios.
        low: their first quartile.
        high: their third quartile.
        ours: median cost of one of our steps (or studies), in seconds.
        theirs: the same for the other side.
        rounds: how many were measured, those of the warm-up not counted.
    """

    ratio: float
    low: float
    high: float
    ours: float
    theirs: float
    rounds: int


def compare(ours: Side, theirs: Side, *, rounds: int, scale: Scale = STEPS) -> Comparison:
    """Run both sides once a round, in turns first and second, and take the ratio of each round.

    Args:
        ours: the numerator.
        theirs: the denominator.
        rounds: how many are kept; the warm-up comes before them.
        scale: steps by CPU time of this process, or studies by wall clock.

    Raises:
        ValueError: too few rounds for quartiles to mean anything.

    >>> compare(lambda clock: 3.0, lambda clock: 2.0, rounds=9).ratio
    1.5
    """
    if rounds < scale.least:
        msg = f"at least {scale.least} rounds are needed, found {rounds}"
        raise ValueError(msg)
    with _controlled_collection():
        turns = [
            _round(ours, theirs, scale.clock, swap=number % 2 == 1)
            for number in range(scale.warm_up + rounds)
        ]
    pairs = turns[scale.warm_up :]
    low, middle, high = quartiles([a / b for a, b in pairs])
    mine, other = (statistics.median(side) for side in zip(*pairs, strict=True))
    return Comparison(ratio=middle, low=low, high=high, ours=mine, theirs=other, rounds=rounds)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """First quartile, median and third quartile, interpolated between the order statistics.

    >>> quartiles([4.0, 1.0, 2.0, 3.0, 5.0])
    (2.0, 3.0, 4.0)
    >>> quartiles([2.0])
    (2.0, 2.0, 2.0)
    """
    if len(values) == 1:
        return values[0], values[0], values[0]
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
        msg = f"a side measured {cost} seconds; the clock did not advance"
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
