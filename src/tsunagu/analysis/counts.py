"""Sums of signed weights in bins; ``E`` events, ``B`` bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsunagu.errors import DataError

__all__ = ["Array", "Counts", "as_events", "bin_numbers", "count_bins", "positive_sum"]

Array = NDArray[np.float64]
LARGEST = 1e100
"""The square of what is larger, such as a weight, would be infinite in the sum of many."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Counts:
    """Events in bins.

    Args:
        sums: ``[..., B]``, the sums of weights.
        variances: ``[..., B]``, the sums of squared weights.
    """

    sums: Array
    variances: Array

    @property
    def effective(self) -> Array:
        """The numbers of unweighted events with the same relative errors, ``(sum w)^2 / sum w^2``; 0 for no event.

        >>> count_bins([0, 0, 1], [2.0, 2.0, 1.0], 3).effective.tolist()
        [2.0, 1.0, 0.0]
        """
        return np.divide(self.sums**2, self.variances, out=np.zeros_like(self.sums), where=self.variances > 0)

    @property
    def errors(self) -> Array:
        """Statistical standard deviations."""
        return np.asarray(np.sqrt(self.variances))


def count_bins(number: ArrayLike, weight: ArrayLike, bins: int) -> Counts:
    """Sums of weights by bin.

    Args:
        number: ``[E]``, 0 to ``bins - 1``.
        weight: ``[E]``, signed.
        bins: B.
    """
    place, w = np.asarray(number), np.asarray(weight, dtype=np.float64)
    sums, variances = (np.bincount(place, each, bins).astype(np.float64) for each in (w, w**2))
    return Counts(sums=sums, variances=variances)


def bin_numbers(score: ArrayLike, edges: ArrayLike) -> NDArray[np.int64]:
    """The bin of each event; what lies outside the edges counts in the first or the last bin.

    Args:
        score: ``[E]``, finite.
        edges: ``[B + 1]``, rising; a bin has its lower edge.

    >>> bin_numbers([-1.0, 0.0, 0.5, 2.0], [0.0, 0.5, 1.0]).tolist()
    [0, 0, 1, 1]
    """
    inner = np.asarray(edges, dtype=np.float64)[1:-1]
    return np.searchsorted(inner, np.asarray(score, dtype=np.float64), side="right")


def positive_sum(weight: ArrayLike, what: str) -> float:
    """The sum of weights.

    Raises:
        DataError: it is not positive.

    >>> positive_sum([1.0, -1.0], "cuts: signal")
    Traceback (most recent call last):
    tsunagu.errors.DataError: cuts: signal: the weights sum to 0; the sum must be positive
    """
    total = float(np.asarray(weight, dtype=np.float64).sum())
    if not total > 0.0:
        msg = f"{what}: the weights sum to {total:g}; the sum must be positive"
        raise DataError(msg)
    return total


def as_events(what: str, **arrays: ArrayLike) -> list[NDArray[Any]]:
    """Arrays of one length, with numbers that can be squared and summed.

    Raises:
        DataError: unlike lengths, no event, or numbers that are not finite or too large; the message names the array.

    >>> as_events("binning", score=[1.0], weight=[1.0, 2.0])
    Traceback (most recent call last):
    tsunagu.errors.DataError: binning: arrays of one length expected, found score: 1, weight: 2
    """
    found = {name: np.asarray(array) for name, array in arrays.items()}
    if len({len(array) for array in found.values()}) != 1 or not len(next(iter(found.values()))):
        lengths = ", ".join(f"{name}: {len(array)}" for name, array in found.items())
        msg = f"{what}: arrays of one length expected, found {lengths}"
        raise DataError(msg)
    for name, array in found.items():
        bad = 0 if array.dtype.kind in "USOb" else int((~(np.abs(array) <= LARGEST)).sum())
        if bad:
            msg = f"{what}: {bad} of {array.size} values of {name} are NaN, infinite or above {LARGEST:g} in size"
            raise DataError(msg)
    return list(found.values())
