"""Asimov discovery significance: closed forms, and as metrics of a selection."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsunagu.errors import DataError
from tsunagu.metrics.events import Array, labels, prepare
from tsunagu.metrics.working_point import WorkingPoint, class_odds, selected, working_point

__all__ = ["ams", "asimov_significance", "best_cut", "significance"]

SERIES = 0.5
"""Below this argument a logarithm is taken as a series, above it as it is."""


def asimov_significance(signal: ArrayLike, background: ArrayLike, error: ArrayLike = 0.0) -> Array:
    r"""Median discovery significance of a counting experiment with a background that is known to an error.

    .. math::

        Z_A^2 = 2\left[(s+b)\ln\frac{(s+b)(b+\sigma^2)}{b^2+(s+b)\sigma^2}
        - \frac{b^2}{\sigma^2}\ln\left(1+\frac{\sigma^2 s}{b(b+\sigma^2)}\right)\right],
        \qquad \sigma \to 0:\ 2\left[(s+b)\ln(1+s/b)-s\right]

    As written it loses all digits for a small signal. Here the terms linear in the signal are taken out and added up in closed
    form, :math:`s^2 b^2 / (D (b+\sigma^2))` with :math:`D = b^2 + (s+b)\sigma^2`, and the rest is a series; nothing
    divides by :math:`\sigma`.

    Args:
        signal: s, events; no significance where it is not positive.
        background: b, events, 0 or more. Without any, it is infinite for :math:`\sigma = 0`, and 0 for a background of which
            nothing is known (:math:`b \to 0` at a fixed error).
        error: :math:`\sigma`, events, 0 or more: of the background, absolute. All three are broadcast.

    Returns:
        :math:`Z_A`, in standard deviations, in the common shape.

    Raises:
        DataError: a number that is not finite, a negative background or a negative error.

    Source: Cowan, Cranmer, Gross & Vitells, Eur. Phys. J. C 71 (2011) 1554, eq. 97 for a known background; G. Cowan,
    "Discovery sensitivity for a counting experiment with background uncertainty" (2012), eq. 20, for one with an error.

    >>> asimov_significance([10.0, 1e-9], [100.0, 100.0], [0.0, 10.0])
    array([9.83991645e-01, 7.07106781e-11])
    >>> float(asimov_significance(1.0, 0.0))
    inf
    """
    s, b, sigma = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (signal, background, error)))
    _check_counts(s, b, sigma)
    known = (s > 0) & (b > 0)
    squared = np.zeros(s.shape)
    squared[known] = _squared(s[known], b[known], sigma[known] ** 2)
    squared[(s > 0) & (b == 0) & (sigma == 0)] = np.inf
    return np.asarray(np.sqrt(squared))


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


def _check_counts(s: Array, b: Array, sigma: Array) -> None:
    for name, values in (("signal", s), ("background", b), ("error", sigma)):
        if not np.isfinite(values).all():
            message = (
                f"significance: {int((~np.isfinite(values)).sum())} values of the {name} are NaN or infinite"
            )
            raise DataError(message)
        if name != "signal" and (values < 0).any():
            message = f"significance: the {name} must be 0 or more, found {values.min():g}; merge bins or add events"
            raise DataError(message)


def _squared(s: Array, b: Array, variance: Array) -> Array:
    # D and b + sigma^2 over b, so that nothing underflows for a small background.
    wide = 1.0 + variance / b
    inner = 1.0 + (s / b + 1.0) * (variance / b)
    x, y = (s / b) / inner, (s / b) * (variance / b) / wide
    share = s / wide
    direct = (s + b) * np.log1p(x) - share * _ratio(y)
    small = s * (s / b) / (inner * wide) + (s + b) * _rest(x) + share * -_rest_ratio(y)
    return np.asarray(2.0 * np.maximum(np.where(x < SERIES, small, direct), 0.0))


def _rest(x: Array) -> Array:
    """``ln(1 + x) - x``, with all digits."""
    u = np.minimum(x, SERIES) / (2.0 + np.minimum(x, SERIES))
    odd = sum(u ** (2 * k + 1) / (2 * k + 1) for k in range(1, 14))
    return np.where(
        x < SERIES, -(np.minimum(x, SERIES) ** 2) / (2.0 + np.minimum(x, SERIES)) + 2.0 * odd, np.log1p(x) - x
    )


def _rest_ratio(y: Array) -> Array:
    """``(ln(1 + y) - y) / y``, and 0 at 0."""
    return np.where(y > 0, _rest(y) / np.where(y > 0, y, 1.0), 0.0)


def _ratio(y: Array) -> Array:
    """``ln(1 + y) / y``, and 1 at 0."""
    return np.where(y > 0, np.log1p(y) / np.where(y > 0, y, 1.0), 1.0)
