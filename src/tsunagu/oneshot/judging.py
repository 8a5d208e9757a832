"""What the paths of a trained supernet are worth on validation events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tsunagu.data import Table
from tsunagu.layers import reestimate
from tsunagu.metrics import MetricCall
from tsunagu.spec import Architecture
from tsunagu.tasks import Graph
from tsunagu.tasks.supernet import paths, single_path
from tsunagu.train import CHUNK, measure, reseed_for_evaluation

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
        seed: of the search; noise candidates begin where every evaluation begins.
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
        and is run alone.
        """
        if any(isinstance(part, _BatchNorm) for part in self.graph.modules()):
            return [self._alone(architecture) for architecture in architectures]
        found = self._together(architectures)
        return [self._value(found[architecture]) for architecture in architectures]

    def losses(self, architectures: Sequence[Architecture]) -> list[float]:
        """The same, the smaller the better."""
        return [self.metric.cost(value) for value in self.values(architectures)]

    def _together(self, architectures: Sequence[Architecture]) -> dict[Architecture, list[dict[str, Tensor]]]:
        parts: dict[Architecture, list[dict[str, Tensor]]] = {each: [] for each in architectures}
        reseed_for_evaluation(self.graph, self.seed)
        self.graph.eval()
        columns, wanted = self.graph.columns(), set(self.metric.arguments)
        unique = list(parts)
        with torch.no_grad():
            for chunk in torch.split(self.rows, CHUNK):
                batch = self.table.take(columns, chunk)
                for architecture, made in paths(self.graph, batch, wanted=unique):
                    parts[architecture].append({n: v.cpu() for n, v in made.items() if n in wanted})
        return parts

    def _alone(self, architecture: Architecture) -> float:
        path = single_path(self.graph, architecture)
        columns = path.columns()
        batches = torch.split(self.train, self.batch_size)[:REESTIMATED]
        reestimate(path, (self.table.take(columns, rows) for rows in batches))
        reseed_for_evaluation(path, self.seed)
        path.eval()
        with torch.no_grad():
            chunks = torch.split(self.rows, CHUNK)
            parts = [
                {n: v.cpu() for n, v in path(self.table.take(columns, chunk)).items()} for chunk in chunks
            ]
        return self._value(parts)

    def _value(self, parts: Sequence[Mapping[str, Tensor]]) -> float:
        names = set(self.metric.arguments) & set(parts[0])
        predictions = {name: torch.cat([part[name] for part in parts]) for name in names}
        return measure([self.metric], predictions, self.table, self.rows)[0]


@contextmanager
def judging(graph: nn.Module) -> Iterator[None]:
    """Evaluation mode while the block runs, but batch normalisation by the statistics of the batch.

    The running statistics of a supernet are a mixture over its paths that fits none of them.
    """
    layers: list[Any] = [part for part in graph.modules() if isinstance(part, _BatchNorm)]
    momenta = [layer.momentum for layer in layers]
    graph.eval()
    for layer in layers:
        layer.train()
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        graph.train()
