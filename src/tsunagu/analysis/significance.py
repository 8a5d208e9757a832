"""Significance in bins and against a cut, in closed form; what pyhf says of the same events stands beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.analysis.counts import Array, as_events, positive_sum
from tsunagu.analysis.templates import Templates
from tsunagu.metrics import asimov_significance, class_odds

__all__ = ["Quadrature", "Scan", "combined", "in_quadrature", "scan_cuts", "signal_probability"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Scan:
    """What is left above each cut, ``[N]``.

    Args:
        cut: rising.
        signal_efficiency: share of the signal.
        background_efficiency: share of the background.
        purity: share of signal in what is left; NaN where there is no significance.
        significance: Asimov significance of what is left; NaN where fewer effective background events are than asked for.
    """

    cut: Array
    signal_efficiency: Array
    background_efficiency: Array
    purity: Array
    significance: Array

    @property
    def best(self) -> int:
        """The place of the largest significance; 0 where there is none."""
        return int(np.nanargmax(self.significance)) if np.isfinite(self.significance).any() else 0


@final
@dataclass(frozen=True, kw_only=True)
class Quadrature:
    """The bins of templates in quadrature, which takes no correlation into account.

    Args:
        known: with a background that is known exactly.
        statistics: with the statistical errors of the simulated background.
        all_errors: with the systematic ones added in quadrature in each bin as well.
    """

    known: float
    statistics: float
    all_errors: float


def combined(signal: ArrayLike, background: ArrayLike, error: ArrayLike = 0.0) -> float:
    r"""Independent bins together, :math:`\sqrt{\sum_b Z_b^2}`.

    Args:
        signal: ``[B]`` events.
        background: ``[B]``.
        error: ``[B]``, absolute.

    Raises:
        DataError: as :func:`~tsunagu.metrics.asimov_significance`.

    >>> round(combined([3.0, 4.0], [1e4, 1e4]), 3)
    0.05
    """
    return float(np.sqrt((asimov_significance(signal, background, error) ** 2).sum()))


def in_quadrature(templates: Templates, luminosity: float = 0.0) -> Quadrature:
    """The three numbers that need no fit.

    Args:
        templates: with positive backgrounds.
        luminosity: relative uncertainty of all yields.

    Raises:
        DataError: a negative background.
    """
    s, b = templates.total(signal=True).sums, templates.total(signal=False)
    shifts = [templates.background_error(name) for name in templates.shifts]
    variance = sum((shift**2 for shift in shifts), b.variances + (luminosity * b.sums) ** 2)
    return Quadrature(
        known=combined(s, b.sums),
        statistics=combined(s, b.sums, b.errors),
        all_errors=combined(s, b.sums, np.sqrt(variance)),
    )


def scan_cuts(
    score: ArrayLike,
    signal: ArrayLike,
    weight: ArrayLike,
    *,
    uncertainty: float = 0.0,
    points: int = 101,
    least: float = 10.0,
) -> Scan:
    """Efficiencies, purity and significance above a cut, on a grid from the smallest to the largest score.

    Args:
        score: ``[E]``.
        signal: ``[E]``, whether an event is signal.
        weight: ``[E]``, expected events, signed. Efficiencies are of signed sums and may leave 0 to 1.
        uncertainty: of the background, relative; its statistical error counts as well.
        points: N.
        least: effective background events below which no significance is told.

    Raises:
        DataError: unlike lengths, no event, numbers that are not finite, a class without a positive sum.

    >>> scan_cuts([0.0, 1.0, 1.0], [0, 0, 1], [8.0, 2.0, 1.0], points=2).background_efficiency.tolist()
    [1.0, 0.2]
    """
    values, own, w = as_events("cuts", score=score, signal=signal, weight=weight)
    own = own.astype(bool)
    for name, part in (("signal", own), ("background", ~own)):
        positive_sum(w[part], f"cuts: {name}")
    cuts = np.linspace(values.min(), values.max(), points)
    order = np.argsort(values, kind="stable")
    first = np.searchsorted(values[order], cuts, side="left")
    parts = (np.where(own, w, 0.0), np.where(own, 0.0, w), np.where(own, 0.0, w**2))
    s, b, squares = (_above(part[order])[first] for part in parts)
    known = (b > 0) & (b**2 >= least * squares)
    error = np.sqrt(squares + (uncertainty * b) ** 2)
    told = asimov_significance(np.where(known, s, 0.0), np.where(known, b, 1.0), np.where(known, error, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        purity = np.where(s + b > 0, s / (s + b), np.nan)
        shares = s / s[0], b / b[0]
    return Scan(
        cut=cuts,
        signal_efficiency=shares[0],
        background_efficiency=shares[1],
        purity=np.where(known, purity, np.nan),
        significance=np.where(known, told, np.nan),
    )


def signal_probability(prediction: Array, class_: int = 1) -> Array:
    """The predicted probability of a class, of any form of a score.

    Args:
        prediction: ``[E]`` or ``[E, 1]`` for class 1 against 0, or logits ``[E, C]``.
        class_: the class.

    Returns:
        ``[E]``, 0 to 1.

    >>> signal_probability(np.array([0.0, 800.0, -800.0])).tolist()
    [0.5, 1.0, 0.0]
    """
    return np.exp(-np.logaddexp(0.0, -class_odds(np.asarray(prediction, dtype=np.float64), class_)))


def _above(sorted_weights: Array) -> Array:
    """The sum from each place to the end, and 0 behind it."""
    return np.concatenate([np.cumsum(sorted_weights[::-1])[::-1], [0.0]])
