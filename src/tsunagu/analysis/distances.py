"""How far two weighted histograms are apart, with signed weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike

from tsunagu.analysis.counts import Array, as_events, bin_numbers, count_bins
from tsunagu.errors import DataError
from tsunagu.metrics import weighted_quantile

__all__ = ["ChiSquare", "chi_square", "common_edges"]


class ChiSquare(NamedTuple):
    """The sum over bins, its degrees of freedom, and its p-value."""

    value: float
    degrees: int
    p_value: float


def chi_square(
    one: ArrayLike,
    one_weight: ArrayLike,
    other: ArrayLike,
    other_weight: ArrayLike,
    edges: ArrayLike,
    *,
    shape: bool = True,
    least: float = 10.0,
) -> ChiSquare:
    r""":math:`\chi^2 = \sum_b (n_b - m_b)^2 / (\sigma_{n,b}^2 + \sigma_{m,b}^2)` of two weighted histograms.

    Args:
        one: ``[E]``.
        one_weight: ``[E]``.
        other: ``[F]``.
        other_weight: ``[F]``.
        edges: ``[B + 1]``, rising; what is outside counts in the first and last bin.
        shape: scale the second to the sum of the first, which takes one degree of freedom.
        least: bins with fewer effective events of both together are left out, since there the sum follows no chi-square.

    Raises:
        DataError: no event, numbers that are not finite, or weights without a positive sum where the shape is compared.
    """
    first, w = as_events("chi-square", values=one, weights=one_weight)
    second, v = as_events("chi-square", values=other, weights=other_weight)
    if shape and min(w.sum(), v.sum()) <= 0:
        msg = f"chi-square: the weights sum to {w.sum():g} and {v.sum():g}; both sums must be positive"
        raise DataError(msg)
    scale = float(w.sum() / v.sum()) if shape else 1.0
    bins = len(np.asarray(edges)) - 1
    n = count_bins(bin_numbers(first, edges), w, bins)
    m = count_bins(bin_numbers(second, edges), v * scale, bins)
    variance = n.variances + m.variances
    kept = n.effective + m.effective >= least
    value = float(((n.sums - m.sums)[kept] ** 2 / variance[kept]).sum())
    degrees = int(kept.sum()) - int(shape)
    return ChiSquare(value, degrees, _chi_square_tail(value, degrees))


def common_edges(values: ArrayLike, weight: ArrayLike, bins: int = 20) -> Array:
    """Edges of equal width between the 0.5 % and the 99.5 % quantile, or at the values where there are few.

    Args:
        values: ``[E]``.
        weight: ``[E]``; their size counts.
        bins: B.

    >>> common_edges([0, 1, 1, 2], [1, 1, 1, 1]).tolist()
    [-0.5, 0.5, 1.5, 2.5]
    """
    found, size = as_events("histogram", values=values, weight=np.abs(np.asarray(weight, dtype=np.float64)))
    distinct = np.unique(found)
    if len(distinct) <= 10 and np.array_equal(distinct, np.round(distinct)):
        return np.arange(distinct[0] - 0.5, distinct[-1] + 1.0)
    low, high = weighted_quantile(found, size, (0.005, 0.995))
    if not high > low:
        low, high = float(distinct[0]), float(distinct[-1])
    return np.linspace(low, high, bins + 1) if high > low else np.array([low - 0.5, low + 0.5])


def _chi_square_tail(value: float, degrees: int) -> float:
    if degrees < 1:
        return float("nan")
    half = torch.tensor([degrees / 2.0, value / 2.0], dtype=torch.float64)
    return float(torch.special.gammaincc(half[0], half[1]))
