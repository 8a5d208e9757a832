"""The Asimov discovery significance as a metric of a selection."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsunagu.errors import DataError
from tsunagu.metrics.asimov import asimov_significance
from tsunagu.metrics.events import Array, labels, prepare
from tsunagu.metrics.working_point import WorkingPoint, class_odds, selected, working_point

__all__ = ["ams", "best_cut", "significance"]


def significance(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    class_: int = 1,
    at: float | None = None,
    scale: float = 1.0,
    uncertainty: float = 0.0,
    point: WorkingPoint | None = None,
) -> float:
    r"""Asimov significance :math:`Z_A` of the events above a cut, :func:`asimov_significance` of their sums of weights.

    Args:
        prediction: a score ``[E]`` of class 1, or logits ``[E, C]``.
        target: ``[E]``: the number of the class.
        weight: ``[E]``, signed; None for 1. A sum below 0 counts as 0.
        class_: the signal; all others are background.
        at: cut at this efficiency of the signal; by default at the largest significance.
        scale: multiplies all weights, such as 5 where the events are a fifth of the luminosity.
        uncertainty: of the background, relative.
        point: a cut that was chosen elsewhere: for test events that of the validation events.

    Returns:
        0 or more; infinite where no background is left; NaN if a prediction is NaN.

    Raises:
        DataError: no such class, a negative scale or uncertainty.

    >>> round(significance([0.0, 1.0, 2.0, 3.0], [0, 0, 1, 0], [100, 20, 5, 4], at=0.9), 4)
    2.144
    """
    rule = point or best_cut(
        prediction, target, weight, class_=class_, at=at, scale=scale, uncertainty=uncertainty
    )
    s, b = _counts(prediction, target, weight, class_, rule, scale)
    return float(asimov_significance(s, b, uncertainty * b)) if np.isfinite(s) else float("nan")


def ams(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    class_: int = 1,
    at: float | None = None,
    scale: float = 1.0,
    regular: float = 10.0,
    point: WorkingPoint | None = None,
) -> float:
    r"""Approximate median significance of the HiggsML challenge, :math:`\sqrt{2[(s+b+b_r)\ln(1+s/(b+b_r))-s]}`.

    Args:
        prediction: a score ``[E]`` of class 1, or logits ``[E, C]``.
        target: ``[E]``: the number of the class.
        weight: ``[E]``, signed; None for 1. A sum below 0 counts as 0.
        class_: the signal; all others are background.
        at: cut at this efficiency of the signal; by default at the largest value.
        scale: multiplies all weights.
        regular: :math:`b_r`, events, which keeps selections of a few events from winning.
        point: a cut that was chosen elsewhere: for test events that of the validation events.

    Returns:
        0 or more; NaN if a prediction is NaN.

    Raises:
        DataError: no such class, a negative scale or regularisation.

    Source: Adam-Bourdarios et al., JMLR W&CP 42 (2015) 19.

    >>> round(ams([0.0, 1.0, 2.0, 3.0], [0, 0, 1, 0], [100, 20, 5, 4], at=0.9), 4)
    1.2667
    """
    rule = point or best_cut(prediction, target, weight, class_=class_, at=at, scale=scale, regular=regular)
    s, b = _counts(prediction, target, weight, class_, rule, scale)
    return float(asimov_significance(s, b + regular)) if np.isfinite(s) else float("nan")


def best_cut(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    class_: int = 1,
    at: float | None = None,
    scale: float = 1.0,
    uncertainty: float = 0.0,
    regular: float = 0.0,
    least: float = 10.0,
) -> WorkingPoint:
    """The cut with the largest significance, or at an efficiency; best chosen on validation events.

    Args:
        prediction: a score ``[E]`` of class 1, or logits ``[E, C]``.
        target: ``[E]``: the number of the class.
        weight: ``[E]``, signed; None for 1.
        class_: the signal.
        at: its efficiency, in place of a search.
        scale: multiplies all weights.
        uncertainty: of the background, relative.
        regular: events that are added to the background.
        least: effective background events that a cut must leave, unless ``regular`` keeps small selections from winning;
            else the largest significance is that of the last background event.

    Raises:
        DataError: as :func:`significance`.

    >>> best_cut([0.0, 1.0, 2.0, 3.0], [0, 0, 1, 0], [100, 20, 5, 4], least=0.0).cut
    2.0
    """
    _check_settings(scale=scale, uncertainty=uncertainty, regular=regular)
    if at is not None:
        return working_point(prediction, target, weight, class_=class_, at=at)
    events = prepare(prediction, target, weight, "significance")
    own = labels(events.target, "significance") == class_
    odds = class_odds(events.prediction, class_)
    if not np.isfinite(odds).all():
        return WorkingPoint(class_=class_, cut=float("nan"))
    cuts, s, b, squares = _passing(odds, own, events.weight * scale)
    enough = b**2 >= least * squares if regular == 0.0 else np.ones(len(b), dtype=bool)
    values = np.where(enough & (b + regular > 0), _finite(s, b + regular, uncertainty), -1.0)
    best = values.argmax() if values.max() >= 0.0 else -1  # with too few events for any cut, all of them
    return WorkingPoint(class_=class_, cut=float(cuts[best]))


def _finite(s: Array, b: Array, uncertainty: float) -> Array:
    kept = np.maximum(b, 0.0)
    return np.minimum(asimov_significance(s, kept, uncertainty * kept), 1e300)


def _passing(odds: Array, own: NDArray[np.bool_], weight: Array) -> tuple[Array, Array, Array, Array]:
    """Falling cuts, and what is at or above each: signal, background, and the background's sum of squares."""
    order = np.argsort(-odds, kind="stable")
    falling = odds[order]
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    parts = (np.where(own, weight, 0.0), np.where(own, 0.0, weight), np.where(own, 0.0, weight**2))
    s, b, squares = (np.cumsum(part[order])[last] for part in parts)
    return falling[last], s, b, squares


def _counts(
    prediction: ArrayLike,
    target: ArrayLike,
    weight: ArrayLike | None,
    class_: int,
    rule: WorkingPoint,
    scale: float,
) -> tuple[float, float]:
    events = prepare(prediction, target, weight, "significance")
    own = labels(events.target, "significance") == class_
    if np.isnan(events.prediction).any():
        return float("nan"), float("nan")
    passed = selected(events.prediction, rule)
    sums = (float(events.weight[passed & part].sum()) * scale for part in (own, ~own))
    s, b = (max(value, 0.0) for value in sums)
    return s, b


def _check_settings(**values: float) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) and value >= 0.0):
            message = f"{name} must be 0 or more, found {value}"
            raise DataError(message)
