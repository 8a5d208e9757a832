"""Simulation against data: can a classifier tell them apart, in which variables, and what does a reweighting mend?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch.nn import functional

from tsunagu.analysis.counts import Array, as_events
from tsunagu.analysis.distances import (
    ChiSquare,
    Kolmogorov,
    chi_square,
    common_edges,
    effective_number,
    kolmogorov_smirnov,
)
from tsunagu.data import fold_of
from tsunagu.errors import DataError
from tsunagu.metrics import auc
from tsunagu.random import derive_seed

__all__ = [
    "Closure",
    "Reweighting",
    "Sample",
    "TwoSample",
    "closure",
    "compare_variables",
    "reweight",
    "two_sample_test",
]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Events of simulation or data.

    Args:
        variables: by name, ``[E]``.
        weight: ``[E]``, signed; their sum is positive.
        event_number: ``[E]``, which decides the fold.
    """

    variables: Mapping[str, Array]
    weight: Array
    event_number: NDArray[np.int64]

    def __post_init__(self) -> None:
        as_events("comparison", weight=self.weight, event_number=self.event_number, **self.variables)
        if not self.variables or self.weight.sum() <= 0:
            msg = f"comparison: variables, and weights with a positive sum, are needed; found {len(self.variables)} and {self.weight.sum():g}"
            raise DataError(msg)

    @property
    def matrix(self) -> Array:
        """The variables ``[E, V]``."""
        return np.stack(list(self.variables.values()), axis=1).astype(np.float64)


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


@final
@dataclass(frozen=True, kw_only=True)
class Closure:
    """The comparison before and after a reweighting.

    Args:
        before: of the samples as they are.
        after: with the factors.
        variables_before: by name.
        variables_after: by name.
    """

    before: TwoSample
    after: TwoSample
    variables_before: Mapping[str, tuple[ChiSquare, Kolmogorov]]
    variables_after: Mapping[str, tuple[ChiSquare, Kolmogorov]]


def compare_variables(
    simulation: Sample, data: Sample, bins: int = 20
) -> dict[str, tuple[ChiSquare, Kolmogorov]]:
    """Shapes of each variable: weighted chi-square and Kolmogorov-Smirnov.

    Args:
        simulation: its weights count.
        data: of the same variables.
        bins: of the chi-square.

    Raises:
        DataError: unlike variables.
    """
    _check_alike(simulation, data)
    found = {}
    for name, values in data.variables.items():
        pair = (values, data.weight, simulation.variables[name], simulation.weight)
        found[name] = chi_square(*pair, common_edges(values, data.weight, bins)), kolmogorov_smirnov(*pair)
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
    score, label, weight, fold = _cross_fitted(simulation, data, folds, seed)
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
    score, label, _, _ = _cross_fitted(simulation, data, folds, seed)
    ratio = np.exp(np.clip(score, -30.0, 30.0))
    raw = ratio[label == 0]
    factor = np.clip(raw, 1.0 / largest, largest)
    factor = factor * simulation.weight.sum() / (simulation.weight * factor).sum()
    return Reweighting(
        factor=factor,
        clipped=float(((raw > largest) | (raw < 1.0 / largest)).mean()),
        largest=float(factor.max()),
        effective_before=effective_number(simulation.weight),
        effective_after=effective_number(simulation.weight * factor),
        uncovered=float(data.weight[ratio[label == 1] > largest].sum() / data.weight.sum()),
    )


def closure(
    simulation: Sample,
    data: Sample,
    found: Reweighting,
    *,
    folds: int = 2,
    seed: int = 1,
    permutations: int = 200,
) -> Closure:
    """The comparison before and after a reweighting; the classifier that judges it is trained anew.

    Args:
        simulation: as it was.
        data: the same.
        found: the factors.
        folds: by event number.
        seed: differs from that of the reweighting inside.
        permutations: of each test.
    """
    mended = Sample(
        variables=simulation.variables,
        weight=simulation.weight * found.factor,
        event_number=simulation.event_number,
    )
    other = derive_seed(seed, "closure")
    tests = [
        two_sample_test(each, data, folds=folds, seed=other, permutations=permutations)
        for each in (simulation, mended)
    ]
    return Closure(
        before=tests[0],
        after=tests[1],
        variables_before=compare_variables(simulation, data),
        variables_after=compare_variables(mended, data),
    )


def _check_alike(simulation: Sample, data: Sample) -> None:
    if list(simulation.variables) != list(data.variables):
        msg = f"comparison: simulation has {', '.join(simulation.variables)} and data {', '.join(data.variables)}; give both the same"
        raise DataError(msg)


def _cross_fitted(
    simulation: Sample, data: Sample, folds: int, seed: int
) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Logit of data against simulation of all events, simulation first, each by a classifier of the other folds."""
    _check_alike(simulation, data)
    label = np.concatenate([np.zeros(len(simulation.weight)), np.ones(len(data.weight))])
    weight = np.concatenate([s.weight / s.weight.sum() for s in (simulation, data)])
    fold = fold_of(np.concatenate([simulation.event_number, data.event_number]), folds)
    values = _standardised(np.concatenate([simulation.matrix, data.matrix]))
    score = np.zeros(len(label))
    for each in range(folds):
        own = fold == each
        if (
            min(_sum_of(label, weight, own, k) for k in (0, 1)) <= 0
            or min(_sum_of(label, weight, ~own, k) for k in (0, 1)) <= 0
        ):
            msg = f"comparison: fold {each} of {folds} or the others lack simulation or data; take fewer folds or more events"
            raise DataError(msg)
        score[own] = _classify(
            values[~own], label[~own], weight[~own], values[own], derive_seed(seed, "fold", each)
        )
    return score, label, weight, fold


def _sum_of(label: Array, weight: Array, own: NDArray[np.bool_], of: int) -> float:
    return float(weight[own & (label == of)].sum())


def _standardised(values: Array) -> Array:
    """Standardised, and bounded where the tails are long: no event pulls the classifier."""
    middle = np.median(values, axis=0)
    low, high = np.quantile(values, [0.16, 0.84], axis=0)
    width = np.where(high > low, (high - low) / 2, 1.0)
    return np.arcsinh((values - middle) / width)


def _classify(x: Array, label: Array, weight: Array, other: Array, seed: int, epochs: int = 30) -> Array:
    """Logits of a small network that is trained with the signed weights, both samples with the same sum."""
    draw = torch.Generator().manual_seed(seed)
    inputs, target = torch.from_numpy(x).float(), torch.from_numpy(label).float()
    sums = [float(weight[label == k].sum()) for k in (0, 1)]
    balanced = torch.from_numpy(weight / np.where(label == 1, sums[1], sums[0])).float() * len(label) / 2
    weights = _first_weights(x.shape[1], draw)
    optimiser = torch.optim.Adam(weights, lr=1e-2, weight_decay=1e-4)
    batch = max(64, min(512, len(label) // 8))
    for epoch in range(epochs):
        for group in optimiser.param_groups:
            group["lr"] = 1e-2 * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        for rows in torch.split(torch.randperm(len(label), generator=draw), batch):
            logits = _network(inputs[rows], weights)
            losses = functional.binary_cross_entropy_with_logits(logits, target[rows], reduction="none")
            optimiser.zero_grad()
            (losses * balanced[rows]).mean().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    with torch.no_grad():
        return np.asarray(_network(torch.from_numpy(other).float(), weights).numpy(), dtype=np.float64)


def _first_weights(inputs: int, draw: torch.Generator, hidden: int = 24) -> list[torch.Tensor]:
    sizes = (inputs, hidden, hidden, 1)
    made: list[torch.Tensor] = []
    for before, after in pairwise(sizes):
        made += [torch.randn(after, before, generator=draw) / before**0.5, torch.zeros(after)]
    return [each.requires_grad_() for each in made]


def _network(x: torch.Tensor, weights: list[torch.Tensor]) -> torch.Tensor:
    for place in range(0, len(weights) - 2, 2):
        x = torch.tanh(functional.linear(x, weights[place], weights[place + 1]))
    return functional.linear(x, weights[-2], weights[-1])[:, 0]


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
