"""Simulation against data: can a classifier tell them apart, in which variables, and what does a reweighting mend?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsunagu.analysis.classifier import cross_fitted
from tsunagu.analysis.counts import Array
from tsunagu.analysis.distances import ChiSquare, chi_square, common_edges
from tsunagu.analysis.sample import Sample, check_alike
from tsunagu.errors import DataError
from tsunagu.metrics import KsTest, auc, effective_events, ks_test
from tsunagu.random import derive_seed

__all__ = [
    "Reweighting",
    "TwoSample",
    "compare_variables",
    "reweight",
    "two_sample_test",
]


@final
@dataclass(frozen=True, kw_only=True)
class TwoSample:
    """Whether a classifier tells two samples apart.

    Args:
        auc: 0.5 where it does not.
        error: its standard deviation.
        p_value: the share of permuted labels with an AUC as far from 0.5.
    """

    auc: float
    error: float
    p_value: float

    @property
    def interval(self) -> tuple[float, float]:
        """68 % of the AUC."""
        return self.auc - self.error, self.auc + self.error


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Reweighting:
    """Factors that make simulation look like data.

    Args:
        factor: ``[E]``, of each simulated event; the sum of its weights stays.
        clipped: share of the events whose factor was at a limit.
        largest: factor.
        effective_before: number of simulated events, ``(sum w)^2 / sum w^2``.
        effective_after: the same with the factors.
        uncovered: share of the data where the classifier sees fewer simulated events than the limit allows to make up for.
    """

    factor: Array
    clipped: float
    largest: float
    effective_before: float
    effective_after: float
    uncovered: float


def compare_variables(
    simulation: Sample, data: Sample, bins: int = 20
) -> dict[str, tuple[ChiSquare, KsTest]]:
    """Shapes of each variable: weighted chi-square and Kolmogorov-Smirnov.

    Args:
        simulation: its weights count.
        data: of the same variables.
        bins: of the chi-square.

    Raises:
        DataError: unlike variables.
    """
    check_alike(simulation, data)
    found = {}
    for name, values in data.variables.items():
        other = simulation.variables[name]
        edges = common_edges(values, data.weight, bins)
        test = chi_square(values, data.weight, other, simulation.weight, edges)
        found[name] = test, ks_test(values, other, data.weight, simulation.weight)
    return found


def two_sample_test(
    simulation: Sample, data: Sample, *, folds: int = 2, seed: int = 1, permutations: int = 200
) -> TwoSample:
    r"""A classifier that is trained to tell simulation from data, judged on events that it has not seen.

    Within a fold the labels of the judged events are exchangeable if the samples are of one distribution, since its classifier
    saw the other folds only; so permuting them there gives the p-value. Weights are permuted with the labels' positions
    kept, which is exact for equal weights of both samples; with weights that depend on the sample it is approximate. The error is that of DeLong with weights.

    Args:
        simulation: as expected.
        data: of the same variables.
        folds: by event number; every event is judged by a classifier that has not seen it.
        seed: of first weights, order and permutations.
        permutations: the smallest p-value is 1 over their number plus 1.

    Raises:
        DataError: unlike variables, a fold without events of both samples.

    Source: Lopez-Paz & Oquab, ICLR 2017, arXiv:1610.06545; DeLong et al., Biometrics 44 (1988) 837.
    """
    score, label, weight, fold = cross_fitted(simulation, data, folds, seed)
    value = _mean_auc(score, label, weight, fold)
    draw = np.random.default_rng(derive_seed(seed, "permutations"))
    far = 0
    for _ in range(permutations):
        permuted = label.copy()
        for each in range(folds):
            own = np.flatnonzero(fold == each)
            permuted[own] = label[draw.permutation(own)]
        far += abs(_mean_auc(score, permuted, weight, fold) - 0.5) >= abs(value - 0.5) - 1e-12
    error = (
        float(
            np.sqrt(sum(_delong(score[fold == k], label[fold == k], weight[fold == k]) for k in range(folds)))
        )
        / folds
    )
    return TwoSample(auc=value, error=error, p_value=(far + 1) / (permutations + 1))


def reweight(
    simulation: Sample, data: Sample, *, folds: int = 2, seed: int = 1, largest: float = 5.0
) -> Reweighting:
    r"""Cross-fitted factors :math:`p / (1 - p)` of a classifier, clipped, and normalised explicitly.

    Every simulated event gets its factor from a classifier that has seen neither it nor its fold. Factors are clipped to
    ``1 / largest`` to ``largest`` and then divided by their weighted mean, so yields stay as they are.

    Args:
        simulation: to be reweighted.
        data: of the same variables.
        folds: by event number.
        seed: of first weights and order.
        largest: factor, before the normalisation; more than 1.

    Raises:
        DataError: unlike variables, a limit that is not above 1, a fold without events of both samples.

    Source: A. Rogozhnikov, J. Phys. Conf. Ser. 762 (2016) 012036, with a network and folds.
    """
    if not largest > 1.0:
        msg = f"reweight: the largest factor must be above 1, found {largest}"
        raise DataError(msg)
    score, label, _, _ = cross_fitted(simulation, data, folds, seed)
    ratio = np.exp(np.clip(score, -30.0, 30.0))
    raw = ratio[label == 0]
    factor = np.clip(raw, 1.0 / largest, largest)
    factor = factor * simulation.weight.sum() / (simulation.weight * factor).sum()
    return Reweighting(
        factor=factor,
        clipped=float(((raw > largest) | (raw < 1.0 / largest)).mean()),
        largest=float(factor.max()),
        effective_before=effective_events(simulation.weight),
        effective_after=effective_events(simulation.weight * factor),
        uncovered=float(data.weight[ratio[label == 1] > largest].sum() / data.weight.sum()),
    )


def _mean_auc(score: Array, label: Array, weight: Array, fold: NDArray[np.int64]) -> float:
    """Of each fold, since the scores of two classifiers have no common scale."""
    found = [auc(score[fold == k], label[fold == k], weight[fold == k]) for k in np.unique(fold)]
    return float(np.mean(found))


def _delong(score: Array, label: Array, weight: Array) -> float:
    """The variance of the AUC: how much the placements of single events scatter, with their weights."""
    own, rest = label == 1, label == 0
    above = _placement(score[own], score[rest], weight[rest])
    below = 1.0 - _placement(score[rest], score[own], weight[own])
    return sum(
        float((w**2 * (v - np.average(v, weights=w)) ** 2).sum() / w.sum() ** 2)
        for v, w in ((above, weight[own]), (below, weight[rest]))
    )


def _placement(values: ArrayLike, among: Array, weight: Array) -> Array:
    """The share of the weight below each value, ties half."""
    order = np.argsort(among, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(weight[order])]) / weight.sum()
    left, right = (np.searchsorted(among[order], values, side=side) for side in ("left", "right"))
    return np.asarray((sums[left] + sums[right]) / 2)
