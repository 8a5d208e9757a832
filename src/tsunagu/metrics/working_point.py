"""Which events are called a class: by the largest logit, at an efficiency, or for other class shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsunagu.errors import DataError
from tsunagu.metrics.events import Array, Events, labels, positive_sum, prepare, shape_text
from tsunagu.metrics.quantile import weighted_quantile

__all__ = ["WorkingPoint", "class_odds", "columns", "selected", "working_point"]


@final
@dataclass(frozen=True, kw_only=True)
class WorkingPoint:
    """A decision rule; chosen on some events and applied to others.

    Args:
        class_: the class in question.
        cut: an event is called that class where its :func:`class_odds` are at least this.
        shift: without a cut: ``[C]``, added to the logits before the largest is taken; empty for nothing.
    """

    class_: int
    cut: float | None = None
    shift: tuple[float, ...] = ()


def working_point(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    class_: int = 1,
    at: float | None = None,
    prior: float | None = None,
) -> WorkingPoint:
    """Choose a rule on some events, best validation events.

    Args:
        prediction: a score ``[E]`` of class 1, or logits ``[E, C]``.
        target: ``[E]``: the number of the class.
        weight: ``[E]``, signed; None for 1.
        class_: the class in question.
        at: its efficiency: the share of its weight that the rule keeps. Without ``at`` and ``prior`` the largest logit wins.
        prior: its share where the rule is to be used, in place of the share in these events; the others keep their
            proportions. Right for logits that were trained on the shares of these events by a proper loss.

    Raises:
        DataError: both of them, a number outside 0 to 1, a class that is not there, or weights without a positive sum.

    >>> working_point([0.0, 1.0, 2.0, 3.0], [0, 1, 1, 1], at=0.6)
    WorkingPoint(class_=1, cut=2.0, shift=())
    >>> working_point([0.0, 1.0], [0, 1], prior=0.5).shift
    (0.0, 0.0)
    """
    for name, value in (("at", at), ("prior", prior)):
        if value is not None and not 0.0 < value < 1.0:
            message = f"{name} must be between 0 and 1, found {value}"
            raise DataError(message)
    if at is None and prior is None:
        return WorkingPoint(class_=class_)
    events = prepare(prediction, target, weight, "working point")
    if at is None:
        assert prior is not None
        return WorkingPoint(class_=class_, shift=_shift(events, class_, prior))
    if prior is not None:
        message = "a working point has an efficiency (at) or class shares (prior), not both"
        raise DataError(message)
    own = labels(events.target, "working point") == class_
    odds = class_odds(events.prediction, class_)[own]
    if not np.isfinite(odds).all():
        return WorkingPoint(class_=class_, cut=float("nan"))
    positive_sum(events.weight[own], f"working point: class {class_}")
    return WorkingPoint(class_=class_, cut=-float(weighted_quantile(-odds, events.weight[own], at)))


def selected(prediction: Array, point: WorkingPoint) -> NDArray[np.bool_]:
    """Which events ``[E]`` are called the class of a working point.

    >>> selected(np.array([[2.0, 1.0], [0.0, 0.5]]), WorkingPoint(class_=1)).tolist()
    [False, True]
    """
    if point.cut is not None:
        return np.asarray(class_odds(prediction, point.class_) >= point.cut)
    logits = columns(prediction)
    _check_class(logits, point.class_)
    return np.asarray(
        (logits + (np.asarray(point.shift) if point.shift else 0.0)).argmax(axis=1) == point.class_
    )


def class_odds(prediction: Array, class_: int) -> Array:
    """``z_c - log sum_{k != c} exp(z_k)``: the logarithm of the odds of a class against all others, ``[E]``.

    Args:
        prediction: ``[E]`` or ``[E, 1]`` for class 1 against 0, or logits ``[E, C]``.
        class_: c.

    Raises:
        DataError: there is no such class.

    >>> class_odds(np.array([[0.0, 0.0, 0.0]]), 1).round(4).tolist(), class_odds(np.array([2.0]), 0).tolist()
    ([-0.6931], [-2.0])
    """
    logits = columns(prediction)
    _check_class(logits, class_)
    others = np.delete(logits, class_, axis=1)
    odds: Array = logits[:, class_] - np.logaddexp.reduce(others, axis=1)
    return odds


def columns(prediction: Array) -> Array:
    """Logits as ``[E, C]``: a single one is that of class 1, beside 0 for class 0.

    Raises:
        DataError: another shape.
    """
    if prediction.ndim == 1 or (prediction.ndim == 2 and prediction.shape[1] == 1):
        return np.stack([np.zeros(len(prediction)), prediction.reshape(len(prediction))], axis=1)
    if prediction.ndim == 2:
        return prediction
    message = f"a score must be [E], [E, 1] or [E, C], found {shape_text(prediction)}"
    raise DataError(message)


def _shift(events: Events, class_: int, prior: float) -> tuple[float, ...]:
    logits = columns(events.prediction)
    _check_class(logits, class_)
    label = labels(events.target, "working point")
    shares = np.array([events.weight[label == c].sum() for c in range(logits.shape[1])])
    shares = shares / positive_sum(events.weight, "working point")
    if not 0.0 < shares[class_] < 1.0:
        message = f"working point: class {class_} has the share {shares[class_]:g} of these events"
        raise DataError(message)
    moved = np.full(len(shares), np.log((1.0 - prior) / (1.0 - shares[class_])))
    moved[class_] = np.log(prior / shares[class_])
    found: list[float] = moved.tolist()
    return tuple(found)


def _check_class(logits: Array, class_: int) -> None:
    if not 0 <= class_ < logits.shape[1]:
        message = f"class {class_} of {logits.shape[1]} classes, which are 0 to {logits.shape[1] - 1}"
        raise DataError(message)
