"""Whether a probability is what it says: the calibration curve."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.errors import DataError
from tsunagu.metrics.events import Array, labels, positive_sum, prepare

__all__ = ["Reliability", "reliability"]


class Reliability(NamedTuple):
    """The calibration curve in B bins of the predicted probability; NaN where a bin has no positive weight.

    Attributes:
        predicted: ``[B]``: the mean probability.
        observed: ``[B]``: the share of the class.
        error: ``[B]``: the statistical error of the share.
        share: ``[B]``: of the weight; its sum is 1.
    """

    predicted: Array
    observed: Array
    error: Array
    share: Array

    @property
    def expected_error(self) -> float:
        """The mean of ``|observed - predicted|`` over events (the expected calibration error)."""
        known = np.isfinite(self.observed)
        distance = np.abs(self.observed - self.predicted)[known]
        return float((distance * self.share[known]).sum() / self.share[known].sum())


def reliability(
    probability: ArrayLike, label: ArrayLike, weight: ArrayLike | None = None, edges: ArrayLike | None = None
) -> Reliability:
    """How often events of a predicted probability are of the class.

    Args:
        probability: ``[E]`` of the class, 0 to 1.
        label: ``[E]``: 1 for the class, 0 for the others.
        weight: ``[E]``, signed; None for 1.
        edges: ``[B + 1]`` of bins; by default ten from 0 to 1.

    Raises:
        DataError: a probability outside 0 to 1, or a sum of weights that is not positive.

    >>> curve = reliability([0.2, 0.2, 0.2, 0.2, 0.8], [0, 0, 0, 1, 1], edges=[0.0, 0.5, 1.0])
    >>> curve.observed.tolist(), curve.predicted.round(6).tolist(), round(curve.expected_error, 4)
    ([0.25, 1.0], [0.2, 0.8], 0.08)
    """
    events = prepare(probability, label, weight, "reliability")
    p, y = events.prediction.reshape(-1), labels(events.target, "reliability")
    if len(p) != len(y) or not ((p >= 0.0) & (p <= 1.0)).all():
        message = "reliability: one probability from 0 to 1 for each event expected"
        raise DataError(message)
    bounds = np.linspace(0.0, 1.0, 11) if edges is None else np.asarray(edges, dtype=np.float64)
    place = np.clip(np.searchsorted(bounds, p, side="right") - 1, 0, len(bounds) - 2)
    sums, squares, expected, own = (
        np.bincount(place, values, minlength=len(bounds) - 1)
        for values in (events.weight, events.weight**2, events.weight * p, events.weight * y)
    )
    total = np.where(sums > 0.0, sums, np.nan)
    observed = np.clip(own / total, 0.0, 1.0)
    # Binomial, with the effective number of events; half an event keeps the error of 0 and 1 above 0.
    number = total**2 / squares
    kept = (observed * number + 0.5) / (number + 1.0)
    error = np.sqrt(kept * (1.0 - kept) / number)
    return Reliability(expected / total, observed, error, sums / positive_sum(events.weight, "reliability"))
