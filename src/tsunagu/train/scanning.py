"""Predictions at many values of the conditions at once: what no condition changes is computed once.

Legend: ``N`` events, ``K`` points, ``L`` numbers of all conditions.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from tsunagu.data import Table
from tsunagu.layers import Conditioned, film_sites
from tsunagu.tasks import CONDITION, Graph
from tsunagu.train.evaluation import CHUNK

__all__ = ["scan"]

AT_ONCE = 8 * CHUNK
"""Events times points that a network sees at once."""


def scan(graph: Graph, table: Table, rows: Tensor, values: Tensor) -> dict[str, Tensor]:
    """The outputs of all tasks for the given rows, at each of several values of the conditions.

    A task that reads no condition, itself or through another one, runs once for all points; of one that is a sequence of
    layers, those before the first one with a site do.

    Args:
        graph: with conditions; is put into evaluation mode.
        table: the columns.
        rows: ``[N]`` row numbers.
        values: ``[K, L]``.

    Returns:
        ``[K, N, ...]`` by output name, on the CPU.
    """
    graph.eval()
    condition = graph.conditions.normalise(values.to(table.device))
    size = max(1, AT_ONCE // len(values))
    columns = graph.columns()
    with torch.no_grad():
        parts = [_chunk(graph, table.take(columns, chunk), condition) for chunk in torch.split(rows, size)]
    return {name: torch.cat([part[name] for part in parts], dim=1) for name in parts[0]}


def _chunk(graph: Graph, batch: Mapping[str, Tensor], condition: Tensor) -> dict[str, Tensor]:
    """Of one chunk ``[C, ...]``: ``[K, C, ...]``."""
    points, events = len(condition), len(next(iter(batch.values())))
    # The points stand one after the other, each with all events.
    each = condition.repeat_interleave(events, 0)
    shared: dict[str, Tensor] = dict(batch)
    own: dict[str, Tensor] = {}
    for name, model in graph.models.items():
        positional, keywords = graph.wiring[name]
        output = graph.outputs[name]
        named = [(argument, column) for argument, column in keywords if column != CONDITION]
        read = [*positional, *(column for _, column in named)]
        conditioned = isinstance(model, Conditioned)
        if not conditioned and not any(column in own for column in read):
            shared[output] = model(*(shared[c] for c in positional), **{a: shared[c] for a, c in named})
            continue
        if isinstance(model, Conditioned) and not any(column in own for column in read) and not named:
            own[output] = _from_first_site(model, [shared[c] for c in positional], each, points)
            continue
        wide = {c: own[c] if c in own else _repeated(shared[c], points) for c in read}
        inputs = {a: wide[c] for a, c in named} | ({CONDITION: each} if conditioned else {})
        own[output] = model(*(wide[c] for c in positional), **inputs)
    made = {
        name: own[name] if name in own else _repeated(shared[name], points) for name in graph.outputs.values()
    }
    return {name: value.view(points, events, *value.shape[1:]).cpu() for name, value in made.items()}


def _from_first_site(model: Conditioned, inputs: list[Tensor], condition: Tensor, points: int) -> Tensor:
    layers = list(model.model) if isinstance(model.model, nn.Sequential) else []
    first = next((place for place, layer in enumerate(layers) if film_sites(layer)), 0)
    if not first:
        made: Tensor = model(*(_repeated(value, points) for value in inputs), condition=condition)
        return made
    x = layers[0](*inputs)
    for layer in layers[1:first]:
        x = layer(x)
    return model.behind(first, _repeated(x, points), condition)


def _repeated(value: Tensor, points: int) -> Tensor:
    return value.repeat(points, *[1] * (value.ndim - 1))
