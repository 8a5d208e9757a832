"""Predictions and losses on events that are not trained on: large batches, no gradients, order kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from tsunagu.data import Table, given
from tsunagu.layers import reseed
from tsunagu.metrics import MetricCall, WorkingPoint
from tsunagu.random import derive_seed
from tsunagu.tasks import Graph, Stage
from tsunagu.train.conditioning import at_default, dealt

__all__ = [
    "Evaluation",
    "Points",
    "columns_of",
    "evaluate",
    "measure",
    "predict",
    "reseed_for_evaluation",
    "working_points",
]

Points = Sequence[WorkingPoint | None]

CHUNK = 512
"""Events at a time; a part of the numerics, since a matrix product may round differently for another size."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The stage's loss, and the pipeline's metric or NaN where the stage does not make what it reads."""

    loss: float
    metric: float


def predict(graph: Graph, table: Table, rows: Tensor) -> dict[str, Tensor]:
    """The outputs of all tasks for the given rows, in their order.

    Args:
        graph: is put into evaluation mode; a noise candidate draws on from where :func:`reseed_for_evaluation` or the
            last use left it.
        table: the columns.
        rows: ``[N]`` row numbers.

    Returns:
        ``[N, ...]`` by output name, on the CPU.
    """
    columns = graph.columns()
    graph.eval()
    with torch.no_grad():
        return _joined(
            _on_cpu(graph(table.take(columns, chunk) | default_inputs(graph, len(chunk), table.device)))
            for chunk in torch.split(rows, CHUNK)
        )


def default_inputs(graph: Graph, events: int, device: torch.device) -> dict[str, Tensor]:
    """What a batch holds beside columns where every condition has the middle of its range; nothing without conditions."""
    conditions = graph.conditions
    return conditions.inputs(at_default(conditions, events, device)) if conditions else {}


def evaluate(
    graph: Graph,
    stage: Stage,
    metric: MetricCall,
    table: Table,
    rows: Tensor,
    frozen: Mapping[str, Tensor] | None = None,
) -> Evaluation:
    """The stage's loss with the training weight, and the metric with the physics weight, on the given rows ``[N]``.

    Where there are conditions, events are dealt out to a fixed grid of their values for the loss, and the metric is that of the
    middle of their ranges.

    Only what the metric reads is kept of a chunk: an intermediate output may be far larger than a score.

    Args:
        graph: is put into evaluation mode.
        stage: says which tasks run.
        metric: NaN where it reads what they do not make.
        table: the columns.
        rows: ``[N]`` row numbers.
        frozen: the outputs ``[E, ...]`` of frozen tasks.
    """
    columns, wanted, conditions = columns_of(graph, stage), set(metric.arguments), graph.conditions
    total, size = torch.zeros(2, dtype=torch.float64, device=table.device)
    parts: list[dict[str, Tensor]] = []
    graph.eval()
    # Not inference_mode: what a module keeps of an evaluation (a cached mask) must be of use in the next training step.
    with torch.no_grad():
        for chunk in torch.split(rows, CHUNK):
            known = {name: given(output, chunk, table.device) for name, output in (frozen or {}).items()}
            batch = table.take(columns, chunk) | known
            if conditions:
                batch |= conditions.inputs(dealt(conditions, table, chunk))
            made = known | graph(batch, stage.tasks, stage.substitutes)
            weight = table.weights(chunk).double()
            total += (weight * stage.event_loss(made, batch, weight)).sum()
            size += weight.abs().sum()
            if conditions and wanted & made.keys():
                # The loss is that of many values, the metric that of one: scores of several are not one order of events.
                batch |= default_inputs(graph, len(chunk), table.device)
                made = known | graph(batch, stage.tasks, stage.substitutes)
            parts.append(_on_cpu({name: value for name, value in made.items() if name in wanted}))
    loss = float(total / size)
    predictions = _joined(parts)
    if wanted & (set(graph.outputs.values()) - set(predictions)):
        return Evaluation(loss=loss, metric=math.nan)
    return Evaluation(loss=loss, metric=measure([metric], predictions, table, rows)[0])


def measure(
    metrics: Sequence[MetricCall],
    predictions: dict[str, Tensor],
    table: Table,
    rows: Tensor,
    points: Points | None = None,
) -> list[float]:
    """Metrics of predictions ``[N, ...]`` and of the table's columns at the same rows, with the physics weight.

    Args:
        metrics: what to evaluate.
        predictions: ``[N, ...]`` by output name.
        table: the columns.
        rows: ``[N]`` row numbers.
        points: the working point of each metric, as :func:`working_points` of other events has it.
    """
    arrays, weight = _arrays(metrics, predictions, table, rows)
    each = [None] * len(metrics) if points is None else points
    return [metric.evaluate(arrays, weight, point) for metric, point in zip(metrics, each, strict=True)]


def working_points(
    metrics: Sequence[MetricCall], predictions: dict[str, Tensor], table: Table, rows: Tensor
) -> Points:
    """The working point of each metric by these validation events, for the test events; arguments as for :func:`measure`."""
    arrays, weight = _arrays(metrics, predictions, table, rows)
    return [metric.point(arrays, weight) for metric in metrics]


def columns_of(graph: Graph, stage: Stage) -> list[str]:
    """The table's columns that a stage reads, as inputs or as targets."""
    names = dict.fromkeys([*graph.columns(stage.tasks, stage.substitutes), *stage.targets])
    frozen = {graph.outputs[task] for task in stage.frozen}
    return [name for name in names if name not in frozen]


def reseed_for_evaluation(graph: Graph, seed: int) -> None:
    """Set noise candidates to where every evaluation of a trial begins; ``seed`` is the trial's."""
    reseed(graph, derive_seed(seed, "evaluation"))


def _arrays(
    metrics: Sequence[MetricCall], predictions: dict[str, Tensor], table: Table, rows: Tensor
) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    names = {name for metric in metrics for name in metric.arguments} - set(predictions)
    known = predictions | _on_cpu(table.take(sorted(names), rows))
    arrays = {name: value.numpy() for name, value in known.items()}
    return arrays, table.weight.index_select(0, rows).numpy()


def _on_cpu(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.cpu() for name, value in tensors.items()}


def _joined(parts: Iterable[dict[str, Tensor]]) -> dict[str, Tensor]:
    kept = list(parts)
    return {name: torch.cat([part[name] for part in kept]) for name in kept[0]}
