"""Bins of a score that are best for a significance, found on other events than those they are used on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsunagu.analysis.counts import Array, as_events, bin_numbers
from tsunagu.analysis.fine import Fine, Rules, allowed, fine_bins, why_not
from tsunagu.errors import DataError
from tsunagu.metrics import asimov_significance

__all__ = [
    "Binning",
    "Objective",
    "best_binning",
    "cross_fitted_binning",
    "greedy_binning",
    "number_in_folds",
]

Objective = Callable[[Array, Array, Array], float]
"""What a binning is judged by: of signal, background and background variance in its bins, each ``[B]``."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Binning:
    """Edges and what they promise.

    Args:
        edges: ``[B + 1]``, rising, from the smallest to the largest score; what lies outside belongs to the first and last bin.
        significance: of the events that they were found on.
        by_number: ``[bins]``, the same for the best binning of 1, 2, ... bins; -inf where the rules leave none.
    """

    edges: Array
    significance: float
    by_number: Array

    @property
    def bins(self) -> int:
        """B."""
        return len(self.edges) - 1


def best_binning(
    score: ArrayLike,
    signal: ArrayLike,
    weight: ArrayLike,
    rules: Rules | None = None,
    bins: int | None = None,
) -> Binning:
    r"""The binning with the largest combined Asimov significance, :math:`Z^2 = \sum_b Z_A^2(s_b, b_b, \sigma_b)`.

    Exact for all edges between the fine bins, by dynamic programming: the best of k bins that end at an edge is the best of
    k - 1 bins that end at an earlier one, and the last bin. Of binnings with the same significance to 0.1 % the one with the
    fewest bins is taken.

    Args:
        score: ``[E]``, larger for signal.
        signal: ``[E]``, whether an event is signal.
        weight: ``[E]``, signed.
        rules: of every bin.
        bins: exactly so many, in place of the best number.

    Raises:
        DataError: the rules leave no binning, not even a single bin; the message says which of them fails.

    >>> draw = np.random.default_rng(1)
    >>> y = draw.integers(0, 2, 2000)
    >>> found = best_binning(draw.normal(y), y, np.where(y, 0.1, 1.0), Rules(bins=4))
    >>> found.bins, bool(found.significance > found.by_number[0] > 0)
    (4, True)
    """
    rules = rules or Rules()
    fine = fine_bins(score, signal, weight, rules)
    gains = _gains(fine, rules)
    best, came_from = _programme(gains, rules.bins)
    totals = best[:, -1]
    if totals[0] == -np.inf:
        raise DataError(why_not(fine, rules))
    number = _number(totals) if bins is None else bins
    if not 1 <= number <= len(totals) or totals[number - 1] == -np.inf:
        msg = f"binning: no {number} bins fulfil the rules; at most {int(np.flatnonzero(totals > -np.inf)[-1]) + 1} do"
        raise DataError(msg)
    edges = fine.edges[_trace(came_from, number)]
    roots = np.where(totals > -np.inf, np.sqrt(np.maximum(totals, 0.0)), -np.inf)
    return Binning(edges=edges, significance=float(roots[number - 1]), by_number=roots)


def greedy_binning(
    score: ArrayLike, signal: ArrayLike, weight: ArrayLike, objective: Objective, rules: Rules | None = None
) -> Binning:
    """A binning for any objective: the edge that gains most is added until none gains 0.1 %.

    Args:
        score: ``[E]``, larger for signal.
        signal: ``[E]``, whether an event is signal.
        weight: ``[E]``, signed.
        objective: of signal, background and its variance ``[B]``; larger is better.
        rules: of every bin.

    Raises:
        DataError: the rules leave not even a single bin.
    """
    rules = rules or Rules()
    fine = fine_bins(score, signal, weight, rules)
    chosen, value = [0, len(fine.edges) - 1], 0.0
    if not allowed(*fine.between(0, len(fine.edges) - 1)[1:], rules):
        raise DataError(why_not(fine, rules))
    value = _judge(fine, chosen, objective, rules)
    found = [value]
    while len(chosen) <= rules.bins:
        tries = [sorted([*chosen, edge]) for edge in range(1, len(fine.edges) - 1) if edge not in chosen]
        values = [_judge(fine, each, objective, rules) for each in tries]
        best = int(np.argmax(values)) if values else 0
        if not values or not values[best] > value * (1 + np.sign(value) * 1e-3):
            break
        chosen, value = tries[best], values[best]
        found.append(value)
    by_number = np.array(found + [-np.inf] * (rules.bins - len(found)))
    return Binning(edges=fine.edges[chosen], significance=value, by_number=by_number)


def cross_fitted_binning(
    score: ArrayLike, signal: ArrayLike, weight: ArrayLike, fold: ArrayLike, rules: Rules | None = None
) -> dict[int, Binning]:
    """For each fold the best binning of the *other* folds, all with the same number of bins.

    Args:
        score: ``[E]``, larger for signal.
        signal: ``[E]``, whether an event is signal.
        weight: ``[E]``, signed.
        fold: ``[E]``, whole numbers; two folds or more.
        rules: of every bin; a fold is judged by the others, so it may itself fall a little short of them.

    Raises:
        DataError: one fold only, or the rules leave no binning.
    """
    score, signal, weight, fold = as_events("binning", score=score, signal=signal, weight=weight, fold=fold)
    folds = np.unique(fold).tolist()
    if len(folds) < 2:
        msg = f"binning: two folds or more are needed to find edges on other events, found fold {folds[0]} alone"
        raise DataError(msg)
    number = min(_of_others(score, signal, weight, fold != each, rules).bins for each in folds)
    return {each: _of_others(score, signal, weight, fold != each, rules, number) for each in folds}


def _of_others(
    score: Array,
    signal: Array,
    weight: Array,
    other: NDArray[np.bool_],
    rules: Rules | None,
    bins: int | None = None,
) -> Binning:
    return best_binning(score[other], signal[other], weight[other], rules, bins)


def number_in_folds(score: ArrayLike, fold: ArrayLike, binnings: Mapping[int, Binning]) -> NDArray[np.int64]:
    """The bin of each event by the edges of its fold: ``[E]``.

    Raises:
        DataError: a fold without edges.
    """
    values, folds = as_events("binning", score=score, fold=fold)
    if missing := set(np.unique(folds).tolist()) - set(binnings):
        msg = f"binning: no edges for fold {min(missing)}"
        raise DataError(msg)
    numbers = np.zeros(len(values), dtype=np.int64)
    for each, binning in binnings.items():
        numbers[folds == each] = bin_numbers(values[folds == each], binning.edges)
    return numbers


def _gains(fine: Fine, rules: Rules) -> Array:
    """``Z^2`` of a bin from edge i to edge j, ``[N + 1, N + 1]``; -inf where the rules forbid it."""
    places = np.arange(len(fine.edges))
    low, high = np.meshgrid(places, places, indexing="ij")
    s, b, variance = fine.between(low, high)
    good = (low < high) & allowed(b, variance, rules)
    gains = np.full(s.shape, -np.inf)
    sigma = np.sqrt(variance[good] + (rules.uncertainty * b[good]) ** 2)
    gains[good] = asimov_significance(s[good], b[good], sigma) ** 2
    return gains


def _programme(gains: Array, most: int) -> tuple[Array, NDArray[np.int64]]:
    """Best sum of k bins that end at edge j, ``[most, N + 1]``, and the edge where the last of them begins."""
    best = np.full((most, len(gains)), -np.inf)
    came_from = np.zeros((most, len(gains)), dtype=np.int64)
    best[0] = gains[0]
    for k in range(1, most):
        through = best[k - 1][:, None] + gains
        came_from[k] = through.argmax(axis=0)
        best[k] = through.max(axis=0)
    return best, came_from


def _number(totals: Array) -> int:
    roots = np.sqrt(np.maximum(totals, 0.0))
    roots[totals == -np.inf] = -np.inf
    return int(np.flatnonzero(roots >= roots.max() * (1 - 1e-3))[0]) + 1


def _trace(came_from: NDArray[np.int64], number: int) -> list[int]:
    places = [came_from.shape[1] - 1]
    for k in range(number - 1, 0, -1):
        places.append(int(came_from[k, places[-1]]))
    return [*reversed([*places, 0])]


def _judge(fine: Fine, chosen: list[int], objective: Objective, rules: Rules) -> float:
    low, high = np.array(chosen[:-1]), np.array(chosen[1:])
    s, b, variance = fine.between(low, high)
    return float(objective(s, b, variance)) if allowed(b, variance, rules).all() else -np.inf
