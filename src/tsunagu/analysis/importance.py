"""How much each task needs each of its inputs: a metric with that input shuffled among events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from tsunagu.analysis.counts import Array, as_events, positive_sum
from tsunagu.random import derive_seed
from tsunagu.tasks import Graph

__all__ = ["Importance", "correlations", "permutation_importance"]


@final
@dataclass(frozen=True, kw_only=True)
class Importance:
    """One input of one task.

    Args:
        task: its name.
        input: a column, or the output of another task.
        loss: how much the metric falls, mean over shuffles.
        spread: standard deviation over shuffles.
    """

    task: str
    input: str
    loss: float
    spread: float


def permutation_importance(
    graph: Graph,
    columns: Mapping[str, Tensor],
    judge: Callable[[Mapping[str, Tensor]], float],
    *,
    seed: int = 1,
    shuffles: int = 3,
) -> list[Importance]:
    """Shuffle each input of each task among the events, for that task alone, and see what the whole chain loses.

    What several inputs know together is counted for none of them: a shuffled one is then replaced by the others.

    Args:
        graph: trained.
        columns: ``[E, ...]`` by name, what the graph reads; of test events.
        judge: a metric of the outputs ``[E, ...]`` by name; larger is better.
        seed: of the shuffles.
        shuffles: how many of each input.

    Source: Breiman, Machine Learning 45 (2001) 5, sec. 10, applied to the inputs of each task.
    """
    graph.eval()
    with torch.no_grad():
        known = dict(columns) | graph(columns)
        best, events = judge(known), len(next(iter(columns.values())))
        names, found = list(graph.outputs), []
        for place, task in enumerate(names):
            for name in graph.columns([task]):
                losses = [
                    best
                    - judge(
                        known | _shuffled(graph, names[place:], known, name, derive_seed(seed, task, name, k))
                    )
                    for k in range(shuffles if events > 1 else 0)
                ]
                spread = float(np.std(losses, ddof=1)) if shuffles > 1 else 0.0
                found.append(Importance(task=task, input=name, loss=float(np.mean(losses)), spread=spread))
    return found


def _shuffled(
    graph: Graph, tasks: Sequence[str], known: Mapping[str, Tensor], name: str, seed: int
) -> dict[str, Tensor]:
    order = torch.randperm(len(known[name]), generator=torch.Generator().manual_seed(seed))
    first: dict[str, Tensor] = graph(
        dict(known) | {name: known[name][order.to(known[name].device)]}, tasks[:1]
    )
    rest: dict[str, Tensor] = graph(dict(known) | first, tasks[1:])
    return first | rest


def correlations(values: ArrayLike, weight: ArrayLike) -> Array:
    """Linear correlation coefficients of variables, with signed weights.

    Args:
        values: ``[E, V]``.
        weight: ``[E]``.

    Returns:
        ``[V, V]``, -1 to 1; NaN for a variable that does not vary, or whose signed variance is not positive.

    Raises:
        DataError: unlike lengths, numbers that are not finite, weights without a positive sum.

    >>> correlations([[0.0, 1.0], [1.0, 0.0], [2.0, -1.0]], [1.0, 1.0, 1.0]).round(6).tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    x, w = as_events("correlations", values=np.asarray(values, dtype=np.float64), weight=weight)
    positive_sum(w, "correlations")
    centred = x - np.average(x, axis=0, weights=w)
    covariance = (centred * w[:, None]).T @ centred / w.sum()
    variances = np.diag(covariance)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(covariance / np.sqrt(np.outer(variances, variances)))
