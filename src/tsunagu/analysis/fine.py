"""The fine bins that the edges of a binning are taken from, and the rules for what may become a bin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsunagu.analysis.counts import Array, as_events, bin_numbers
from tsunagu.errors import DataError
from tsunagu.metrics import weighted_quantile

__all__ = ["Fine", "Rules", "allowed", "fine_bins", "why_not"]


@final
@dataclass(frozen=True, kw_only=True)
class Rules:
    """What every bin must fulfil.

    Args:
        bins: at most so many.
        min_background: effective number of background events, ``(sum w)^2 / sum w^2``.
        max_error: largest relative statistical error of the background.
        uncertainty: of the background, relative; counts in the significance, as does the statistical error.
        fine: bins of equal signal and background from which the edges are taken.

    A bin whose background is not positive is never made.
    """

    bins: int = 10
    min_background: float = 10.0
    max_error: float = 0.3
    uncertainty: float = 0.0
    fine: int = 100

    def __post_init__(self) -> None:
        if self.bins < 1 or self.fine < self.bins:
            msg = f"binning: 1 <= bins <= fine expected, found bins = {self.bins} and fine = {self.fine}"
            raise DataError(msg)
        for name in ("min_background", "max_error", "uncertainty"):
            if not getattr(self, name) >= 0.0:
                msg = f"binning: {name} must be 0 or more, found {getattr(self, name)}"
                raise DataError(msg)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Fine:
    """Fine bins: edges ``[N + 1]`` and sums from the left ``[N + 1]``, so that any run of bins is a difference."""

    edges: Array
    signal: Array
    background: Array
    variance: Array

    def between(
        self, low: NDArray[np.int64] | int, high: NDArray[np.int64] | int
    ) -> tuple[Array, Array, Array]:
        return tuple(np.asarray(a[high] - a[low]) for a in (self.signal, self.background, self.variance))  # type: ignore[return-value]


def fine_bins(score: ArrayLike, signal: ArrayLike, weight: ArrayLike, rules: Rules) -> Fine:
    """Bins of equal signal and of equal background.

    Raises:
        DataError: signal or background has no event.
    """
    values, own, w = as_events("binning", score=score, signal=signal, weight=weight)
    own = own.astype(bool)
    if not own.any() or own.all():
        msg = f"binning: signal and background are needed, found {int(own.sum())} and {int((~own).sum())} events"
        raise DataError(msg)
    edges = _equal_edges(values, own, np.abs(w), rules.fine)
    number = bin_numbers(values, edges)
    parts = (np.where(own, w, 0.0), np.where(own, 0.0, w), np.where(own, 0.0, w**2))
    sums = [np.concatenate([[0.0], np.cumsum(np.bincount(number, p, len(edges) - 1))]) for p in parts]
    return Fine(edges=edges, signal=sums[0], background=sums[1], variance=sums[2])


def _equal_edges(score: Array, signal: NDArray[np.bool_], size: Array, fine: int) -> Array:
    """Half of the edges have equal signal between them and half equal background: fine where either is."""
    shares = np.linspace(0.0, 1.0, max(fine // 2, 1) + 1)[1:-1]
    inner = [weighted_quantile(score[part], size[part], shares) for part in (signal, ~signal) if len(shares)]
    low, high = float(score.min()), float(score.max())
    found = np.unique(np.concatenate(inner)) if inner else np.zeros(0)
    return np.concatenate([[low], found[(found > low) & (found < high)], [high if high > low else low + 1.0]])


def allowed(b: Array, variance: Array, rules: Rules) -> NDArray[np.bool_]:
    """Whether bins of this background and its variance fulfil the rules."""
    positive = b > 1e-9 * np.sqrt(np.maximum(variance, 0.0))  # what only rounding left is no background
    squared = np.where(positive, b, 1.0) ** 2
    enough = squared >= rules.min_background * variance * (1 - 1e-12)
    return np.asarray(positive & enough & (variance <= rules.max_error**2 * squared * (1 + 1e-12)))


def why_not(fine: Fine, rules: Rules) -> str:
    """The sentence about rules that not even a single bin fulfils."""
    b, variance = float(fine.background[-1]), float(fine.variance[-1])
    if b <= 0:
        return f"binning: the background's weights sum to {b:g}; the sum must be positive"
    effective, error = b**2 / variance, variance**0.5 / b
    found = f"all {effective:.1f} effective background events in one bin have a relative error of {error:.2g}"
    return f"binning: {found}; min_background = {rules.min_background:g} and max_error = {rules.max_error:g} leave no bin"
