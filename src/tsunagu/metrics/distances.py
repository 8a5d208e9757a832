"""How far two distributions are apart, with signed event weights."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.errors import DataError
from tsunagu.metrics.events import Array, labels, logits, monotone, positive_sum, prepare

__all__ = ["KsTest", "effective_events", "ks", "ks_test"]


class KsTest(NamedTuple):
    """The Kolmogorov-Smirnov test of two samples.

    Attributes:
        distance: the largest difference of the two cumulative distributions, 0 to 1.
        probability: to find a larger one if both are of the same distribution; by the effective numbers of events.
        effective: ``(sum w)^2 / sum w^2`` of both samples.
    """

    distance: float
    probability: float
    effective: tuple[float, float]


def effective_events(weight: ArrayLike) -> float:
    """``(sum w)^2 / sum w^2``, the number of unweighted events with the same relative error; 0 for no event.

    >>> effective_events([2.0, 2.0, -1.0])
    1.0
    """
    weights = np.asarray(weight, dtype=np.float64)
    largest = np.abs(weights).max(initial=0.0)
    if not largest > 0.0:
        return 0.0
    share = weights / largest  # first, since squares of tiny weights are 0
    return float(share.sum() ** 2 / (share**2).sum())


def ks_test(
    one: ArrayLike, other: ArrayLike, weight: ArrayLike | None = None, other_weight: ArrayLike | None = None
) -> KsTest:
    r"""Compare two samples of one variable.

    The distance is :math:`D = \max_x |F_1(x) - F_2(x)|` with cumulative sums of signed weights, which are made rising as in
    :func:`~tsunagu.metrics.roc_curve`. The probability is that of Kolmogorov's distribution at
    :math:`D \sqrt{n_1 n_2 / (n_1 + n_2)}` with the effective numbers of events
    :math:`n = (\sum w)^2 / \sum w^2`. It holds for many events and fixed weights; it is no proof of overtraining where the samples
    are those of training and test: more events make any difference significant. The number that TMVA prints is another one, from
    pseudo-experiments on binned histograms.

    Args:
        one: ``[N]``, finite.
        other: ``[M]``, finite.
        weight: ``[N]``, signed; None for 1.
        other_weight: ``[M]``, signed; None for 1.

    Raises:
        DataError: an empty sample, values that are not finite, unlike lengths, or weights without a positive sum.

    Source: Smirnov, Ann. Math. Statist. 19 (1948) 279; effective numbers as in ROOT's ``TH1::KolmogorovTest``.

    >>> round(ks_test([1.0, 2.0, 3.0], [2.5, 3.5, 4.5]).distance, 4)
    0.6667
    """
    parts = [_sample(one, weight), _sample(other, other_weight)]
    points = np.unique(np.concatenate([values for values, _ in parts]))
    curves = [_cumulative(values, weights, points) for values, weights in parts]
    distance = min(1.0, float(np.abs(curves[0] - curves[1]).max()))
    first, second = (effective_events(weights) for _, weights in parts)
    scale = math.sqrt(first * second / (first + second))
    return KsTest(distance, _kolmogorov(distance * scale), (first, second))


def ks(prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None) -> float:
    r"""How far signal and background are apart: the largest difference of their efficiencies at any cut.

    :math:`\max_c |\epsilon_1(c) - \epsilon_0(c)|`, with :math:`\epsilon_k(c)` the weighted share of class k above the cut c.

    Args:
        prediction: ``[E]``, ``[E, 1]`` or two logits ``[E, 2]``; any column can be a score.
        target: ``[E]``: 1 for signal, 0 for background.
        weight: ``[E]``, signed; None for 1.

    Returns:
        0 to 1; NaN if a score is NaN.

    Raises:
        DataError: a target that is neither 0 nor 1, or weights of a class that have no positive sum.

    >>> ks([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.5
    """
    events = prepare(prediction, target, weight, "ks")
    score, truth = logits(events.prediction, "ks"), labels(events.target, "ks")
    if wrong := int(((truth != 0) & (truth != 1)).sum()):
        message = f"ks: {wrong} of {len(truth)} targets are neither 0 nor 1"
        raise DataError(message)
    if np.isnan(score).any():
        return math.nan
    # An infinite score is the last one, wherever that is.
    rank = np.unique(score, return_inverse=True)[1].astype(np.float64)
    own = truth == 1
    for name, weights in (("class 1", events.weight[own]), ("class 0", events.weight[~own])):
        positive_sum(weights, f"ks: {name}")
    return ks_test(rank[own], rank[~own], events.weight[own], events.weight[~own]).distance


def _sample(values: ArrayLike, weight: ArrayLike | None) -> tuple[Array, Array]:
    points = np.asarray(values, dtype=np.float64)
    weights = np.ones(points.shape) if weight is None else np.asarray(weight, dtype=np.float64)
    if points.ndim != 1 or points.shape != weights.shape or not np.isfinite(points).all():
        message = f"ks_test: finite values [N] with a weight each expected, found {points.shape} and {weights.shape}"
        raise DataError(message)
    positive_sum(weights, "ks_test")
    return points, weights


def _cumulative(values: Array, weights: Array, points: Array) -> Array:
    sums = np.bincount(np.searchsorted(points, values), weights, minlength=len(points))
    return monotone(np.clip(np.cumsum(sums) / weights.sum(), 0.0, 1.0))


def _kolmogorov(x: float) -> float:
    r"""Kolmogorov's :math:`Q(x) = 2 \sum_{k \ge 1} (-1)^{k-1} e^{-2 k^2 x^2}`.

    >>> round(_kolmogorov(1.0), 4), _kolmogorov(0.0)
    (0.27, 1.0)
    """
    if x < 0.2:  # 1 to 12 digits, where the series converges slowly
        return 1.0
    terms = ((1.0 if k % 2 else -1.0) * math.exp(-2.0 * k * k * x * x) for k in range(1, 101))
    return min(1.0, max(0.0, 2.0 * sum(terms)))
