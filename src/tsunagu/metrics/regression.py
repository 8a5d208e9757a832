"""Metrics of regressions and of the energy calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.errors import DataError
from tsunagu.metrics.events import Array, positive_sum, prepare, shape_text
from tsunagu.metrics.quantile import weighted_quantile

__all__ = ["bias", "mae", "mse", "resolution"]


def mse(prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None) -> float:
    r"""Mean squared error :math:`\sum_i w_i \langle(\hat y_i - y_i)^2\rangle / \sum_i w_i`.

    Args:
        prediction: ``[E, ...]``; the mean over all but the first axis is taken for each event.
        target: of the same shape.
        weight: ``[E]``, signed; None for 1. A negative result, possible with few events, is set to 0.

    Raises:
        DataError: unlike shapes, or a sum of weights that is not positive.

    >>> mse([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 6.0]])
    1.0
    """
    difference, weights = _difference(prediction, target, weight, "mse")
    return _mean(difference**2, weights, "mse")


def mae(prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None) -> float:
    r"""Mean absolute error :math:`\sum_i w_i \langle|\hat y_i - y_i|\rangle / \sum_i w_i`.

    Args:
        prediction: ``[E, ...]``; angles are differences like any other, not wrapped.
        target: of the same shape.
        weight: ``[E]``, signed; None for 1. A negative result, possible with few events, is set to 0.

    Raises:
        DataError: unlike shapes, or a sum of weights that is not positive.

    >>> mae([1.0, 2.0], [1.0, 5.0], [2.0, 1.0])
    1.0
    """
    difference, weights = _difference(prediction, target, weight, "mae")
    return _mean(np.abs(difference), weights, "mae")


def resolution(prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None) -> float:
    r"""Relative width of the response :math:`r = p_T^\text{pred} / p_T^\text{true}` of the taus.

    Half the central interval of 68 % of the weight over the median, :math:`(q_{0.84}(r) - q_{0.16}(r)) /
    (2\,q_{0.5}(r))`: the standard deviation over the mean for a Gaussian response, and blind to the tails.

    Args:
        prediction: ``[E, T, 3]`` for T taus or ``[E, 3]``: transverse momentum, then angles; each tau has the
            event's weight.
        target: of the same shape, transverse momenta positive; a tau of 0 is not there and is left out.
        weight: ``[E]``, signed; None for 1.

    Returns:
        Not negative; infinite where the median is not positive; NaN if a prediction is not finite.

    Raises:
        DataError: unlike shapes, a negative true transverse momentum, or a sum of weights that is
            not.

    >>> truth = np.full((5, 3), 100.0)
    >>> resolution(truth * [[0.5], [0.75], [1.0], [1.25], [1.5]], truth)
    0.5
    """
    low, median, high = _response_quantiles(prediction, target, weight, "resolution", (0.16, 0.5, 0.84))
    if np.isnan(median):
        return float("nan")
    return float(0.5 * (high - low) / median) if median > 0 else float("inf")


def bias(prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None) -> float:
    r"""Median response minus one, :math:`q_{0.5}(p_T^\text{pred} / p_T^\text{true}) - 1`: 0.02 is 2 % high.

    Args:
        prediction: ``[E, T, 3]`` for T taus or ``[E, 3]``: transverse momentum, then angles; each tau has the
            event's weight.
        target: of the same shape, transverse momenta positive; a tau of 0 is not there and is left out.
        weight: ``[E]``, signed; None for 1.

    Returns:
        Best at 0; NaN if a prediction is not finite.

    Raises:
        DataError: unlike shapes, a negative true transverse momentum, or a sum of weights that is
            not.

    >>> bias([[50.0, 0.0, 0.0]], [[40.0, 0.0, 0.0]])
    0.25
    """
    return float(_response_quantiles(prediction, target, weight, "bias", (0.5,))[0] - 1.0)


def _difference(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None, metric: str
) -> tuple[Array, Array]:
    events = prepare(prediction, target, weight, metric)
    _check_shapes(events.prediction, events.target, metric)
    return events.prediction - events.target, events.weight


def _check_shapes(prediction: Array, target: Array, metric: str) -> None:
    if prediction.shape != target.shape:
        message = (
            f"{metric}: prediction {shape_text(prediction)} and target {shape_text(target)} differ in shape"
        )
        raise DataError(message)


def _mean(errors: Array, weight: Array, metric: str) -> float:
    each = errors.reshape(len(errors), -1).mean(axis=1)
    mean = float((weight * each).sum()) / positive_sum(weight, metric)
    return mean if np.isnan(mean) else max(mean, 0.0)


def _response_quantiles(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None, metric: str, q: tuple[float, ...]
) -> Array:
    events = prepare(prediction, target, weight, metric)
    _check_shapes(events.prediction, events.target, metric)
    if events.target.ndim not in {2, 3} or events.target.shape[-1] != 3:
        message = f"{metric}: expected momenta [E, 3] or [E, taus, 3], found {shape_text(events.target)}"
        raise DataError(message)
    truth = events.target[..., 0]
    if bad := int((truth < 0).sum()):
        message = f"{metric}: {bad} of {truth.size} true transverse momenta are negative"
        raise DataError(message)
    there = truth > 0
    response = events.prediction[..., 0][there] / truth[there]
    if not np.isfinite(response).all():
        return np.full(len(q), np.nan)
    weights = np.broadcast_to(events.weight.reshape(-1, *[1] * (truth.ndim - 1)), truth.shape)
    return weighted_quantile(response, weights[there], q)
