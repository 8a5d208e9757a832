"""A small network that tells data from simulation, each event judged by one that has not seen it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from tsunagu.analysis.counts import Array
from tsunagu.analysis.sample import Sample, check_alike
from tsunagu.data import fold_of
from tsunagu.errors import DataError
from tsunagu.random import derive_seed

__all__ = ["cross_fitted"]


def cross_fitted(
    simulation: Sample, data: Sample, folds: int, seed: int
) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Logit of data against simulation of all events, simulation first, each by a classifier of the other folds.

    Args:
        simulation: its signed weights count; both samples get the same sum.
        data: of the same variables.
        folds: by event number.
        seed: of first weights and order.

    Returns:
        Logit, label (1 for data), weight and fold of each event, ``[E]``.

    Raises:
        DataError: unlike variables, a fold without events of both samples.
    """
    check_alike(simulation, data)
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
