"""Quantiles of weighted events."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.errors import DataError
from tsunagu.metrics.events import Array, monotone, positive_sum

__all__ = ["weighted_quantile"]


def weighted_quantile(values: ArrayLike, weight: ArrayLike | None, q: ArrayLike) -> Array:
    """The smallest value below or at which lies at least the share ``q`` of the weight.

    The inverse of the cumulative distribution: an event of weight 2 counts like two events of weight 1. With
    negative weights the cumulative sum is made rising first, see ``monotone``.

    Args:
        values: ``[N]``, finite.
        weight: ``[N]``, signed; None for 1.
        q: any shape, 0 to 1.

    Returns:
        The shape of ``q``.

    Raises:
        DataError: a value that is not finite, unlike lengths, or a sum of weights that is not positive.

    Source: definition 1 of Hyndman & Fan, Am. Stat. 50 (1996) 361, with weights; numpy's ``inverted_cdf``.

    >>> weighted_quantile([3.0, 1.0, 2.0], [1.0, 1.0, 2.0], [0.25, 0.5, 1.0]).tolist()
    [1.0, 2.0, 3.0]
    """
    points = np.asarray(values, dtype=np.float64)
    weights = np.ones(len(points)) if weight is None else np.asarray(weight, dtype=np.float64)
    if points.shape != weights.shape or not np.isfinite(points).all():
        message = (
            f"weighted_quantile: {points.shape} values, which must be finite, and {weights.shape} weights"
        )
        raise DataError(message)
    total = positive_sum(weights, "weighted_quantile")
    distinct, inverse = np.unique(points, return_inverse=True)
    share = np.cumsum(np.bincount(inverse, weights)) / total
    rising = monotone(np.clip(share, 0.0, 1.0))
    # Rounding in the sums must not move a quantile to the next value.
    index = np.searchsorted(rising, np.asarray(q, dtype=np.float64) - 1e-12)
    return np.asarray(distinct[np.minimum(index, len(distinct) - 1)])
