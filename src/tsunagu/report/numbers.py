"""The numbers behind the figures: pure functions of arrays; ``E`` events, ``N`` objects, ``B`` bins, ``S`` seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from tsunagu.metrics import roc_curve, weighted_quantile
from tsunagu.report.stored import Array

__all__ = [
    "TAU_MASS",
    "across_seeds",
    "binned_quantiles",
    "bins_for",
    "central_range",
    "effective_entries",
    "even_edges",
    "histogram",
    "invariant_mass",
    "mean_rejection",
    "merge_sparse",
    "rejection",
    "widening_edges",
]

TAU_MASS = 1.777
"""GeV, rounded as in the talk's set-up (Particle Data Group 2024: 1.77693)."""


def across_seeds(values: Sequence[Array]) -> tuple[Array, Array]:
    """Mean and sample standard deviation over seeds of ``S`` curves ``[B]``; one seed has no spread, so 0.

    >>> mean, spread = across_seeds([np.array([1.0, 5.0]), np.array([3.0, 5.0])])
    >>> mean.tolist(), spread.round(4).tolist()
    ([2.0, 5.0], [1.4142, 0.0])
    """
    stack = np.stack(values)
    spread = stack.std(axis=0, ddof=1) if len(stack) > 1 else np.zeros_like(stack[0])
    return stack.mean(axis=0), spread


def effective_entries(weight: Array) -> float:
    """The number of unweighted events with the same relative error, ``(sum w)^2 / sum w^2``.

    >>> effective_entries(np.array([2.0, 2.0, 2.0]))
    3.0
    """
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def rejection(score: Array, label: Array, weight: Array, efficiency: Array, least: float = 10.0) -> Array:
    """Background rejection ``1 / background efficiency`` at given signal efficiencies, from a weighted ROC curve.

    Args:
        score: ``[E]``, larger for signal.
        label: ``[E]``, 1 for signal and 0 for background.
        weight: ``[E]`` event weights.
        efficiency: ``[B]`` signal efficiencies in 0..1, rising.
        least: where fewer effective background events pass, the answer is NaN: nothing is known there.

    Returns:
        ``[B]`` rejections, at least 1.

    >>> score, label = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 0.0, 1.0, 1.0])
    >>> rejection(score[[0, 2, 1, 3]], label, np.ones(4), np.array([0.5, 1.0]), least=0).tolist()
    [2.0, 1.0]
    """
    curve = roc_curve(score, label, weight)
    passing = np.interp(efficiency, curve.signal_efficiency, curve.background_efficiency)
    floor = least / max(effective_entries(weight[label < 0.5]), 1.0)
    return np.where(passing > max(floor, 0.0), 1.0 / np.where(passing > 0, passing, np.nan), np.nan)


def mean_rejection(curves: Sequence[Array]) -> tuple[Array, Array, Array]:
    """Geometric mean over seeds, and one standard deviation of the logarithm below and above it, each ``[B]``.

    >>> [part.tolist() for part in mean_rejection([np.array([4.0]), np.array([4.0])])]
    [[4.0], [4.0], [4.0]]
    """
    mean, spread = across_seeds([np.log2(curve) for curve in curves])
    return np.exp2(mean), np.exp2(mean - spread), np.exp2(mean + spread)


def histogram(values: Array, weight: Array, edges: Array) -> tuple[Array, Array]:
    """Fraction of the weight in each bin, and its statistical error ``sqrt(sum w^2) / sum w``.

    Args:
        values: ``[E]``; those outside the edges are in no bin but count in the total.
        weight: ``[E]``.
        edges: ``[B + 1]``, rising.

    Returns:
        Fractions and errors, each ``[B]``.

    >>> fraction, error = histogram(np.array([0.1, 0.2, 0.9, 5.0]), np.ones(4), np.array([0.0, 0.5, 1.0]))
    >>> fraction.tolist(), error.round(4).tolist()
    ([0.5, 0.25], [0.3536, 0.25])
    """
    total = float(weight.sum()) or np.nan
    filled, _ = np.histogram(values, edges, weights=weight)
    squares, _ = np.histogram(values, edges, weights=weight**2)
    return filled / total, np.sqrt(squares) / abs(total)


def invariant_mass(momenta: Array, mass: float = TAU_MASS) -> Array:
    """Invariant mass of the sum of ``N`` four-momenta, in GeV.

    Args:
        momenta: ``[E, N, 3]`` as (pt GeV, eta, phi), or ``[E, N, 4]`` with the mass in GeV as fourth.
        mass: in GeV, of each object where there is no fourth component.

    Returns:
        ``[E]``; not finite where a momentum is not, or lies beyond any detector.

    >>> back_to_back = np.array([[[45.0, 0.0, 0.0], [45.0, 0.0, np.pi]]])
    >>> invariant_mass(back_to_back, mass=0.0).round(6).tolist()
    [90.0]
    """
    pt, eta, phi = momenta[..., 0], momenta[..., 1], momenta[..., 2]
    own = momenta[..., 3] if momenta.shape[-1] > 3 else np.full_like(pt, mass)
    with np.errstate(over="ignore", invalid="ignore"):  # an output that nothing supervised may be anything
        x, y, z = (part.sum(axis=1) for part in (pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)))
        energy = np.sqrt((pt * np.cosh(eta)) ** 2 + own**2).sum(axis=1)
        square = energy**2 - x**2 - y**2 - z**2
        return np.asarray(
            np.sqrt(np.maximum(square, 0.0))
        )  # rounding may leave a light-like sum just below zero


def central_range(values: Array, weight: Array, step: float) -> tuple[float, float]:
    """The 0.5 % and 99.5 % quantiles, widened to multiples of ``step``.

    Raises:
        DataError: a value that is not finite, or a sum of weights that is not positive.

    >>> central_range(np.arange(1001) / 10, np.ones(1001), step=5.0)
    (0.0, 100.0)
    """
    low, high = weighted_quantile(values, weight, (0.005, 0.995))
    first, last = np.floor(low / step) * step, np.ceil(high / step) * step
    return float(first), float(max(last, first + step))


def even_edges(low: float, high: float, most: int) -> Array:
    """Edges of at most ``most`` bins of a round width, from ``low`` to ``high`` or just above.

    >>> even_edges(40.0, 150.0, most=60)[[0, 1, -1]].tolist()
    [40.0, 42.0, 150.0]
    """
    least = (high - low) / most
    power = 10.0 ** np.floor(np.log10(least))
    width = power * next(
        digits for digits in (1.0, 2.0, 2.5, 5.0, 10.0) if digits * power >= least * (1 - 1e-9)
    )
    return np.asarray(low + width * np.arange(np.ceil((high - low) / width - 1e-9) + 1))


def widening_edges(low: float, high: float, bins: int = 8) -> Array:
    """Whole-numbered edges in even steps of the logarithm: wide bins where momenta are large and events few.

    >>> widening_edges(20.0, 90.0, 4).tolist()
    [20.0, 29.0, 42.0, 62.0, 90.0]
    """
    return np.unique(np.round(np.geomspace(max(low, 1.0), max(high, 2.0), bins + 1)))


def merge_sparse(edges: Array, values: Array, least: int = 40) -> Array:
    """The edges, less those that would leave a bin with fewer than ``least`` entries; at least one bin stays.

    >>> merge_sparse(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.5, 0.6, 1.5, 2.2, 2.3]), least=2).tolist()
    [0.0, 1.0, 3.0]
    """
    kept = [edges[0]]
    for edge in edges[1:-1]:
        below, above = (values >= kept[-1]) & (values < edge), (values >= edge) & (values < edges[-1])
        if min(below.sum(), above.sum()) >= least:
            kept.append(edge)
    return np.array([*kept, edges[-1]])


def bins_for(entries: float) -> int:
    """Rice's rule, ``2 n^(1/3)`` bins, between 10 and 60.

    >>> bins_for(1000.0), bins_for(10.0), bins_for(1e9)
    (20, 10, 60)
    """
    return int(np.clip(round(2 * entries ** (1 / 3)), 10, 60))


def binned_quantiles(values: Array, weight: Array, at: Array, edges: Array, least: int = 20) -> Array:
    """Weighted 16 %, 50 % and 84 % quantiles of ``values`` in bins of ``at``.

    Args:
        values: ``[E]``.
        weight: ``[E]``.
        at: ``[E]``, what is binned.
        edges: ``[B + 1]``, rising.
        least: bins with fewer entries are NaN.

    Returns:
        ``[3, B]``.

    >>> values = np.arange(101.0)
    >>> binned_quantiles(values, np.ones(101), np.zeros(101), np.array([-1.0, 1.0, 2.0]))[1].tolist()
    [50.0, nan]
    """
    inside = [(at >= low) & (at < high) for low, high in pairwise(edges)]
    return np.stack([_central(values[chosen], weight[chosen], least) for chosen in inside], axis=1)


def _central(values: Array, weight: Array, least: int) -> Array:
    if len(values) < least:
        return np.full(3, np.nan)
    return weighted_quantile(values, weight, (0.16, 0.5, 0.84))
