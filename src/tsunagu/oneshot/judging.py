"""What the paths of a trained supernet are worth on validation events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tsunagu.data import Table
from tsunagu.layers import Dropout, Stochastic, reestimate
from tsunagu.metrics import MetricCall
from tsunagu.random import derive_seed
from tsunagu.spec import Architecture
from tsunagu.tasks import VALUES, Graph, Stage
from tsunagu.tasks.supernet import path_alone, paths, single_path
from tsunagu.train import CHUNK, dealt, measure, predict, reseed_for_evaluation, scan

__all__ = ["Judge", "judging"]

REESTIMATED = 20
"""Batches of training events from which the statistics of batch normalisation are taken anew for each path."""


@final
@dataclass(frozen=True, kw_only=True)
class Judge:
    """Judges paths by the pipeline's metric.

    Args:
        graph: a supergraph; is put into evaluation mode.
        metric: of predictions and columns.
        table: the events.
        train: ``[N]`` rows for the statistics of batch normalisation.
        rows: ``[N]`` rows of the validation events.
        batch_size: of the training.
        seed: of the search; what draws random numbers begins where every evaluation begins.

    Running statistics are changed by it, as is the mode.
    """

    graph: Graph
    metric: MetricCall
    table: Table
    train: Tensor
    rows: Tensor
    batch_size: int
    seed: int

    def values(self, architectures: Sequence[Architecture]) -> list[float]:
        """The metric of each path, in their order.

        Paths of equal beginning share it. Where something is normalised by running statistics every path needs its own,
        and where something draws random numbers every path draws from the beginning; so they are run alone.
        """
        if any(_needs_its_own(part) for part in self.graph.modules()):
            return [self._alone(architecture) for architecture in architectures]
        found = self._together(architectures)
        return [self._value(found[architecture]) for architecture in architectures]

    def compare(
        self,
        architectures: Sequence[Architecture],
        values: Tensor,
        metrics: Sequence[MetricCall],
        stage: Stage,
    ) -> NDArray[np.float64]:
        """Metrics and loss of A paths at K values of the conditions.

        A path computes once what no condition changes. Its running statistics are those of all values, as in a training.

        Args:
            architectures: A of them.
            values: ``[K, L]`` float64.
            metrics: M of them.
            stage: with the losses.

        Returns:
            ``[A, K, M + 1]``, the loss at the end.
        """
        found = [self._along(architecture, values, metrics, stage) for architecture in architectures]
        return np.array(found, np.float64).reshape(len(found), len(values), len(metrics) + 1)

    def _along(
        self, architecture: Architecture, values: Tensor, metrics: Sequence[MetricCall], stage: Stage
    ) -> list[list[float]]:
        path = self._prepared(path_alone(self.graph, architecture))
        read = {name for metric in metrics for name in metric.arguments} | {t.output for t in stage.terms}
        made = {n: v for n, v in scan(path, self.table, self.rows, values).items() if n in read}
        weight = self.table.weights(self.rows).cpu()
        batch = {name: column.cpu() for name, column in self.table.take(stage.targets, self.rows).items()}
        points = [{name: value[place] for name, value in made.items()} for place in range(len(values))]
        return [
            [
                *measure(metrics, each, self.table, self.rows),
                float(stage.loss(each, batch | {VALUES: value.expand(len(weight), -1)}, weight)),
            ]
            for each, value in zip(points, values.cpu(), strict=True)
        ]

    def _together(self, architectures: Sequence[Architecture]) -> dict[Architecture, list[dict[str, Tensor]]]:
        parts: dict[Architecture, list[dict[str, Tensor]]] = {each: [] for each in architectures}
        self.graph.eval()
        columns, wanted = self.graph.columns(), set(self.metric.arguments)
        unique = list(parts)
        with torch.no_grad():
            for chunk in torch.split(self.rows, CHUNK):
                batch = self.table.take(columns, chunk)
                batch |= self.graph.conditions.at_default(len(chunk), self.table.device)
                for architecture, made in paths(self.graph, batch, wanted=unique):
                    parts[architecture].append({n: v.cpu() for n, v in made.items() if n in wanted})
        return parts

    def _alone(self, architecture: Architecture) -> float:
        path = self._prepared(single_path(self.graph, architecture))
        return self._value([predict(path, self.table, self.rows)])

    def _prepared(self, path: Graph) -> Graph:
        """With running statistics of its own, and where every evaluation begins."""
        columns = path.columns()
        reseed_for_evaluation(path, self.seed)
        reestimate(path, (self.table.take(columns, rows) | self._shown(rows) for rows in self._batches()))
        reseed_for_evaluation(path, self.seed)
        return path

    def _shown(self, rows: Tensor) -> dict[str, Tensor]:
        """The conditions of training events, all values of a fixed grid among them."""
        conditions = self.graph.conditions
        return conditions.inputs(dealt(conditions, self.table, rows)) if conditions else {}

    def _batches(self) -> Iterator[Tensor]:
        """Batches of training events; a short one at the end would count as much as a whole one."""
        whole = max(1, len(self.train) // self.batch_size)
        order = derive_seed(self.seed, "statistics")
        drawn = self.table.batches(self.train, self.batch_size, order, 0)
        return islice(drawn, min(whole, REESTIMATED))

    def _value(self, parts: Sequence[Mapping[str, Tensor]]) -> float:
        names = set(self.metric.arguments) & set(parts[0])
        predictions = {name: torch.cat([part[name] for part in parts]) for name in names}
        return measure([self.metric], predictions, self.table, self.rows)[0]


def _needs_its_own(part: nn.Module) -> bool:
    draws = isinstance(part, Stochastic) and not isinstance(part, Dropout)  # which draws in training only
    return draws or (isinstance(part, _BatchNorm) and part.track_running_stats)


@contextmanager
def judging(net: nn.Module) -> Iterator[None]:
    """Evaluation mode while the block runs, but batch normalisation by the statistics of the batch.

    The running statistics of a supernet are a mixture over its paths that fits none of them; they are not changed.

    >>> layer = nn.BatchNorm1d(1)
    >>> with judging(layer):
    ...     layer(torch.tensor([[1.0], [3.0]])).tolist()
    [[-0.9999949932098389], [0.9999949932098389]]
    >>> layer.running_mean, layer.num_batches_tracked
    (tensor([0.]), tensor(0))
    """
    before = net.training
    layers = [part for part in net.modules() if isinstance(part, _BatchNorm) and part.track_running_stats]
    net.eval()
    for layer in layers:
        layer.train()
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True
        net.train(before)
