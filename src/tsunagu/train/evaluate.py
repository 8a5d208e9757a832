"""Predictions and losses on events that are not trained on: large batches, no gradients, order kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tsunagu.data import Table
from tsunagu.metrics import MetricCall
from tsunagu.tasks import Graph, Stage

__all__ = ["Evaluation", "evaluate", "measure", "predict"]

CHUNK = 2048


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The stage's loss, and the pipeline's metric or NaN where the stage does not make what it reads."""

    loss: float
    metric: float


def predict(graph: Graph, table: Table, rows: Tensor, stage: Stage | None = None) -> dict[str, Tensor]:
    """The outputs of a graph for the given rows, in their order.

    Args:
        graph: is put into evaluation mode.
        table: the columns.
        rows: ``[N]`` row numbers.
        stage: run only its tasks, with its substitutes; all tasks by default.

    Returns:
        ``[N, ...]`` by output name.
    """
    tasks = None if stage is None else stage.tasks
    substitutes = {} if stage is None else stage.substitutes
    columns = graph.columns(tasks, substitutes)
    graph.eval()
    with torch.inference_mode():
        parts = [graph(table.take(columns, chunk), tasks, substitutes) for chunk in torch.split(rows, CHUNK)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def evaluate(graph: Graph, stage: Stage, metric: MetricCall, table: Table, rows: Tensor) -> Evaluation:
    """The stage's loss and the metric on the given rows."""
    predictions = predict(graph, table, rows, stage)
    with torch.inference_mode():
        targets = table.take(stage.targets, rows)
        loss = stage.loss(predictions, targets, table.train_weight.index_select(0, rows))
    outputs = set(graph.outputs.values())
    if any(name in outputs and name not in predictions for name in metric.arguments):
        return Evaluation(loss=float(loss), metric=math.nan)
    return Evaluation(loss=float(loss), metric=measure([metric], predictions, table, rows)[0])


def measure(
    metrics: Sequence[MetricCall], predictions: dict[str, Tensor], table: Table, rows: Tensor
) -> list[float]:
    """Metrics of predictions ``[N, ...]`` and of the table's columns at the same rows, with the physics weight."""
    names = {name for metric in metrics for name in metric.arguments} - set(predictions)
    known = predictions | table.take(sorted(names), rows)
    arrays = {name: value.numpy() for name, value in known.items()}
    weight = table.weight.index_select(0, rows).numpy()
    return [metric.evaluate(arrays, weight) for metric in metrics]
