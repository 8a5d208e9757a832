"""Metrics of each class, with signed event weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsunagu.metrics.events import Events, labels, positive_sum, prepare
from tsunagu.metrics.working_point import WorkingPoint, class_odds, columns, selected, working_point

__all__ = ["average_precision", "balanced_accuracy", "efficiency", "purity", "rejection"]


def efficiency(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    class_: int = 1,
    at: float | None = None,
    prior: float | None = None,
    point: WorkingPoint | None = None,
) -> float:
    r"""Share of a class that is called that class (its recall), :math:`\sum_{i: y_i = c} w_i [\hat y_i = c] / \sum_{i: y_i = c} w_i`.

    Args:
        prediction: a score ``[E]`` of class 1, or logits ``[E, C]``.
        target: ``[E]``: the number of the class.
        weight: ``[E]``, signed; None for 1. A value outside 0 to 1 is set to the border.
        class_: c; ``class=1`` in a study file.
        at: choose the cut for this efficiency; the largest logit wins by default.
        prior: call events as for this share of the class; see :func:`~tsunagu.metrics.working_point`.
        point: a rule that was chosen elsewhere, in place of ``at`` and ``prior``: for test events that of the validation events.

    Returns:
        0 to 1; NaN if a prediction is NaN.

    Raises:
        DataError: no such class, or weights of the class without a positive sum.

    >>> efficiency([2.0, -1.0, 3.0, 1.0], [1, 1, 1, 0])
    0.6666666666666666
    """
    events, called = _called(prediction, target, weight, "efficiency", class_, at, prior, point)
    return _share(
        events, called, labels(events.target, "efficiency") == class_, f"efficiency: class {class_}"
    )


def purity(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    class_: int = 1,
    at: float | None = None,
    prior: float | None = None,
    point: WorkingPoint | None = None,
) -> float:
    r"""Share of what is called a class that is of that class (precision), :math:`\sum_{i: \hat y_i = c} w_i [y_i = c] / \sum_{i: \hat y_i = c} w_i`.

    Args:
        prediction: a score ``[E]`` of class 1, or logits ``[E, C]``.
        target: ``[E]``: the number of the class.
        weight: ``[E]``, signed; None for 1. A value outside 0 to 1 is set to the border.
        class_: c; ``class=1`` in a study file.
        at: as for :func:`efficiency`.
        prior: as for :func:`efficiency`.
        point: as for :func:`efficiency`.

    Returns:
        0 to 1; NaN if a prediction is NaN, or where nothing of positive weight is called the class.

    Raises:
        DataError: no such class.

    >>> purity([2.0, -1.0, 3.0, 1.0], [1, 1, 1, 0])
    0.6666666666666666
    """
    events, called = _called(prediction, target, weight, "purity", class_, at, prior, point)
    total = float(events.weight[called].sum())
    if np.isnan(events.prediction).any() or total <= 0.0:
        return float("nan")
    own = labels(events.target, "purity") == class_
    return float(np.clip(events.weight[called & own].sum() / total, 0.0, 1.0))


def rejection(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    class_: int = 1,
    at: float = 0.5,
    point: WorkingPoint | None = None,
) -> float:
    r"""Background rejection at an efficiency of the class, :math:`\sum_{i: y_i \ne c} w_i / \sum_{i: y_i \ne c} w_i [\hat y_i = c]`.

    Args:
        prediction: a score ``[E]`` of class 1, or logits ``[E, C]``.
        target: ``[E]``: the number of the class.
        weight: ``[E]``, signed; None for 1.
        class_: c; ``class=1`` in a study file.
        at: the efficiency.
        point: as for :func:`efficiency`.

    Returns:
        1 or more; infinite where no background is left; NaN if a prediction is NaN.

    Raises:
        DataError: no such class, or weights of the background without a positive sum.

    >>> rejection([0.0, 1.0, 2.0, 3.0, 0.5, 2.5], [0, 0, 0, 0, 1, 1], at=0.5)
    4.0
    """
    events, called = _called(prediction, target, weight, "rejection", class_, at, None, point)
    background = labels(events.target, "rejection") != class_
    left = _share(events, called, background, f"rejection: not class {class_}")
    return 1.0 / left if left > 0.0 or np.isnan(left) else float("inf")


def balanced_accuracy(prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None) -> float:
    r"""Mean over classes of the share that is given its own class, :math:`\frac1C \sum_c \epsilon_c`; the largest logit wins.

    Args:
        prediction: a logit ``[E]`` of class 1, or logits ``[E, C]``.
        target: ``[E]``: the number of the class.
        weight: ``[E]``, signed; None for 1.

    Returns:
        0 to 1; NaN if a prediction is NaN.

    Raises:
        DataError: a class whose weights have no positive sum.

    >>> balanced_accuracy([2.0, 1.0, 3.0, -1.0], [0, 1, 1, 0])
    0.75
    """
    events = prepare(prediction, target, weight, "balanced_accuracy")
    classes = range(columns(events.prediction).shape[1])
    return float(np.mean([efficiency(*events, class_=c) for c in classes]))


def average_precision(
    prediction: ArrayLike, target: ArrayLike, weight: ArrayLike | None = None, *, class_: int = 1
) -> float:
    r"""Mean purity over the efficiencies of a class, :math:`\sum_n (\epsilon_n - \epsilon_{n-1}) p_n` for a falling threshold n.

    Unlike the area under the ROC curve it depends on the shares of the classes.

    Args:
        prediction: a score ``[E]`` of class 1, or logits ``[E, C]``.
        target: ``[E]``: the number of the class.
        weight: ``[E]``, signed; None for 1. A purity outside 0 to 1 is set to the border, and the mean as well.
        class_: c; ``class=1`` in a study file.

    Returns:
        0 to 1; NaN if a prediction is NaN.

    Raises:
        DataError: no such class, or weights of the class without a positive sum.

    >>> round(average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), 4)
    0.8333
    """
    events = prepare(prediction, target, weight, "average_precision")
    odds, own = class_odds(events.prediction, class_), labels(events.target, "average_precision") == class_
    total = positive_sum(events.weight[own], f"average_precision: class {class_}")
    if np.isnan(odds).any():
        return float("nan")
    order = np.argsort(-odds, kind="stable")
    falling = odds[order]
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    kept, passed = (
        np.cumsum(values[order])[last] for values in (np.where(own, events.weight, 0.0), events.weight)
    )
    purities = np.clip(np.where(passed > 0, kept / np.where(passed > 0, passed, 1.0), 0.0), 0.0, 1.0)
    return float(np.clip(np.sum(np.diff(kept, prepend=0.0) / total * purities), 0.0, 1.0))


def _called(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None,
    metric: str,
    class_: int,
    at: float | None,
    prior: float | None,
    point: WorkingPoint | None,
) -> tuple[Events, NDArray[np.bool_]]:
    events = prepare(prediction, target, weight, metric)
    rule = point or working_point(*events, class_=class_, at=at, prior=prior)
    return events, selected(events.prediction, rule)


def _share(events: Events, called: NDArray[np.bool_], of: NDArray[np.bool_], name: str) -> float:
    total = positive_sum(events.weight[of], name)
    if np.isnan(events.prediction).any():
        return float("nan")
    return float(np.clip(events.weight[called & of].sum() / total, 0.0, 1.0))
