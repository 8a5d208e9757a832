"""What every metric does first: events of one shape, in float64, with a usable sum of weights."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsunagu.errors import DataError

__all__ = ["Array", "Events", "labels", "logits", "monotone", "positive_sum", "prepare"]

Array = NDArray[np.float64]


class Events(NamedTuple):
    """Prediction ``[E, ...]``, target ``[E, ...]`` and weight ``[E]``, all float64."""

    prediction: Array
    target: Array
    weight: Array


def prepare(prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None, metric: str) -> Events:
    """Events as float64 arrays.

    Raises:
        DataError: unlike numbers of events, no event, or a target that is not finite.

    >>> prepare([1, 2], [True, False], None, "mse").weight
    array([1., 1.])
    """
    values, truth = np.asarray(prediction, dtype=np.float64), np.asarray(target, dtype=np.float64)
    weights = np.ones(len(truth)) if weight is None else np.asarray(weight, dtype=np.float64)
    lengths = (len(values), len(truth), len(weights))
    if len(set(lengths)) != 1 or not lengths[0]:
        message = f"{metric}: {lengths[0]} predictions, {lengths[1]} targets and {lengths[2]} weights"
        raise DataError(message)
    if bad := int((~np.isfinite(truth)).sum()):
        message = f"{metric}: {bad} of {truth.size} values of the target are NaN or infinite"
        raise DataError(message)
    return Events(values, truth, weights)


def logits(prediction: Array, metric: str) -> Array:
    """One score ``[E]``, larger for class 1: of ``[E]``, ``[E, 1]``, or two logits ``[E, 2]``.

    Two logits give their difference, the logarithm of the odds.

    Raises:
        DataError: any other shape.

    >>> logits(np.array([[0.5, 2.0]]), "auc")
    array([1.5])
    """
    if prediction.ndim == 1:
        return prediction
    if prediction.ndim == 2 and prediction.shape[1] == 1:
        return prediction[:, 0]
    if prediction.ndim == 2 and prediction.shape[1] == 2:
        difference: Array = prediction[:, 1] - prediction[:, 0]
        return difference
    message = f"{metric}: a score must be [E], [E, 1] or [E, 2], found {shape_text(prediction)}"
    raise DataError(message)


def labels(target: Array, metric: str) -> Array:
    """One number ``[E]`` for each event, of ``[E]`` or ``[E, 1]``.

    Raises:
        DataError: any other shape.
    """
    if target.size != len(target):
        message = f"{metric}: the target must be one number for each event, found {list(target.shape[1:])}"
        raise DataError(message)
    return target.reshape(-1)


def shape_text(array: NDArray[Any]) -> str:
    """The shape as it is written in this project: ``[E, 2, 3]``."""
    return f"[{', '.join(['E', *map(str, array.shape[1:])])}]"


def positive_sum(weight: Array, of: str) -> float:
    """The sum of weights, which a metric divides by.

    Raises:
        DataError: it is not positive: with negative weights this happens where there are too few events.

    >>> positive_sum(np.array([2.0, -0.5]), "auc: class 1")
    1.5
    """
    total = float(weight.sum())
    if total > 0:
        return total
    negative = int((weight < 0).sum())
    found = f"the weights of {len(weight)} events ({negative} negative) sum to {total:g}"
    message = f"{of}: {found}; the sum must be positive"
    raise DataError(message)


def monotone(curve: Array) -> Array:
    """The mean of the smallest rising curve above and the largest rising curve below.

    Sums of signed weights wiggle. A running maximum alone would take every upward fluctuation and none of the
    downward ones; the mean of the two treats both alike. A curve that rises is not changed.

    >>> monotone(np.array([0.0, 0.5, 0.25, 1.0])).tolist()
    [0.0, 0.375, 0.375, 1.0]
    """
    above = np.maximum.accumulate(curve)
    below = np.minimum.accumulate(curve[::-1])[::-1]
    return np.asarray(0.5 * (above + below))
