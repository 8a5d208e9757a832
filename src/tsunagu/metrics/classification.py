"""Metrics of classifiers, with signed event weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsunagu.errors import DataError
from tsunagu.metrics.classes import efficiency
from tsunagu.metrics.events import Array, labels, logits, monotone, positive_sum, prepare
from tsunagu.metrics.working_point import class_odds

__all__ = ["RocCurve", "accuracy", "auc", "roc_curve"]


class RocCurve(NamedTuple):
    """Efficiencies ``[P]`` above a falling threshold: both rise from 0 to 1."""

    signal_efficiency: Array
    background_efficiency: Array


class _Steps(NamedTuple):
    """Sums of weights at each distinct score, in rising order, as shares of the class."""

    signal: Array
    background: Array


def auc(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None, *, class_: int | None = None
) -> float:
    r"""Area under the ROC curve: how often a signal event has the higher score than a background event.

    .. math::

        \mathrm{AUC} = \frac{\sum_{i \in S} \sum_{j \in B} w_i w_j \left([s_i > s_j] + \tfrac12 [s_i = s_j]\right)}
        {\sum_{i \in S} w_i \, \sum_{j \in B} w_j}

    Events with negative weights enter the sums with their sign, as in any distribution: an event and its copy
    with the opposite weight cancel exactly, and the value is an unbiased estimate of the one for positive
    weights. No curve is needed for it, so nothing is made monotone. Where few events leave it outside 0 to 1,
    it is set to the border.

    Args:
        prediction: ``[E]``, ``[E, 1]`` or two logits ``[E, 2]``; any column can be a score.
        target: ``[E]``: 1 for signal, 0 for background.
        weight: ``[E]``, signed; None for 1.
        class_: that class against all others, for logits ``[E, C]`` and any target; ``class=2`` in a study file.

    Returns:
        0 to 1; NaN if a score is NaN.

    Raises:
        DataError: a target that is neither 0 nor 1, or weights of a class that have no positive sum.

    Source: Mann & Whitney, Ann. Math. Statist. 18 (1947) 50, with the weights of both events.

    >>> auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    if class_ is not None:
        events = prepare(prediction, target, weight, "auc")
        own = labels(events.target, "auc") == class_
        return auc(class_odds(events.prediction, class_), own, events.weight)
    steps = _steps(prediction, target, weight, "auc")
    if steps is None:
        return float("nan")
    below = np.cumsum(steps.background) - steps.background
    return float(np.clip(np.sum(steps.signal * (below + 0.5 * steps.background)), 0.0, 1.0))


def roc_curve(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None, points: int = 1000
) -> RocCurve:
    """Signal and background efficiency for a falling threshold, both rising even with signed weights.

    Where there are more distinct scores than points, neighbours are put together in steps of equal ``|w|``,
    half of it counted in each class: the corner of small background efficiencies is as fine as the rest. Then
    each efficiency is limited to 0 to 1 and made rising without favour, see ``monotone``. With positive
    weights and enough points it is the exact curve, and the area under it is :func:`auc`.

    Args:
        prediction: ``[E]``, ``[E, 1]`` or two logits ``[E, 2]``.
        target: ``[E]``: 1 for signal, 0 for background.
        weight: ``[E]``, signed; None for 1.
        points: at most this many, and 2 for the ends.

    Raises:
        DataError: as for :func:`auc`, and a score that is NaN.

    >>> curve = roc_curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> curve.signal_efficiency.tolist(), curve.background_efficiency.tolist()
    ([0.0, 0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5, 1.0])
    """
    steps = _steps(prediction, target, weight, "roc_curve")
    if steps is None:
        message = "roc_curve: a score is NaN"
        raise DataError(message)
    signal, background = steps.signal[::-1], steps.background[::-1]
    last = _last_of_each_point(signal, background, points)
    return RocCurve(_efficiency(signal, last), _efficiency(background, last))


def accuracy(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None, *, class_: int | None = None
) -> float:
    r"""Share of the weight that is given its own class, :math:`\sum_i w_i [\hat y_i = y_i] / \sum_i w_i`.

    Args:
        prediction: logits: ``[E]`` or ``[E, 1]`` for two classes (1 where positive), ``[E, C]`` for C (the
            largest).
        target: ``[E]``: the number of the class.
        weight: ``[E]``, signed; None for 1. A value outside 0 to 1 is set to the border.
        class_: of the events of that class only, which is its :func:`~tsunagu.metrics.efficiency`; ``class=1`` in a
            study file.

    Returns:
        0 to 1; NaN if a logit is NaN.

    Raises:
        DataError: a sum of weights that is not positive, or more than one target for each event.

    >>> accuracy([[2.0, 1.0, 0.0], [0.0, 0.5, 3.0]], [0, 1], [3.0, 1.0])
    0.75
    """
    if class_ is not None:
        return efficiency(prediction, target, weight, class_=class_)
    events = prepare(prediction, target, weight, "accuracy")
    if np.isnan(events.prediction).any():
        return float("nan")
    many = events.prediction.ndim == 2 and events.prediction.shape[1] > 1
    chosen = events.prediction.argmax(axis=1) if many else logits(events.prediction, "accuracy") > 0
    right = float(events.weight[chosen == labels(events.target, "accuracy")].sum())
    return float(np.clip(right / positive_sum(events.weight, "accuracy"), 0.0, 1.0))


def _steps(prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None, metric: str) -> _Steps | None:
    events = prepare(prediction, target, weight, metric)
    score, truth = logits(events.prediction, metric), labels(events.target, metric)
    is_signal = truth == 1
    if wrong := int((~is_signal & (truth != 0)).sum()):
        message = f"{metric}: {wrong} of {len(truth)} targets are neither 0 nor 1"
        raise DataError(message)
    signal = np.where(is_signal, events.weight, 0.0) / positive_sum(
        events.weight[is_signal], f"{metric}: class 1"
    )
    background = np.where(is_signal, 0.0, events.weight) / positive_sum(
        events.weight[~is_signal], f"{metric}: class 0"
    )
    if np.isnan(score).any():
        return None
    order = np.argsort(score)
    rising = score[order]
    # Compared and not subtracted: two infinite scores are equal, but have no difference.
    first = np.flatnonzero(np.concatenate([[True], rising[1:] != rising[:-1]]))
    return _Steps(np.add.reduceat(signal[order], first), np.add.reduceat(background[order], first))


def _last_of_each_point(signal: Array, background: Array, points: int) -> NDArray[np.intp]:
    if len(signal) <= points:
        return np.arange(len(signal))
    size = np.cumsum(np.abs(signal) / np.abs(signal).sum() + np.abs(background) / np.abs(background).sum())
    inner = np.searchsorted(size, np.linspace(0.0, 2.0, points + 1)[1:-1])
    return np.unique(np.append(inner, len(size) - 1))


def _efficiency(share: Array, last: NDArray[np.intp]) -> Array:
    inner = np.clip(np.cumsum(share)[last], 0.0, 1.0)
    return monotone(np.concatenate([[0.0], inner[:-1], [1.0]]))
