"""How large a supernet is, and what its paths cost: what ``tsunagu plan`` says of it before anything is trained."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn

from tsunagu.data import Table
from tsunagu.errors import Mistake
from tsunagu.machine import available_memory
from tsunagu.spec import Architecture, Pipeline, count
from tsunagu.tasks.fitting import everything, fit_stages
from tsunagu.tasks.graph import Graph
from tsunagu.tasks.stages import Stage, stages
from tsunagu.tasks.supernet.building import COPIES, build_supergraph
from tsunagu.tasks.supernet.checks import check_shapes, models_only
from tsunagu.tasks.supernet.modulated import Modulated
from tsunagu.tasks.supernet.switch import Switch, decisions, inside
from tsunagu.tasks.supernet.views import single_path

__all__ = ["TIMED", "Overview", "describe_space"]

TIMED = 32
"""Up to so many architectures each one is timed; else as many as it takes to see each option once."""
_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Overview:
    """The supernet of a pipeline.

    Args:
        architectures: the ways to decide the choices in the models.
        parameters: of all candidates together.
        largest: parameters of the largest single path; at most so many where one name is used at several places.
        bytes: that a training of the supernet holds: weights, gradients and the two moments of Adam.
        available: bytes that this machine has left.
        unmixed: what keeps the options from being mixed; none where DARTS and GDAS can be used.
        mistakes: what keeps single paths from being trained.
        seconds: of one training step (forward and backward, without the optimiser) by path, the median of 5.
        complete: whether ``seconds`` has every path, and not only as many as it takes to see each option.
    """

    architectures: int
    parameters: int
    largest: int
    bytes: int
    available: float
    unmixed: tuple[Mistake, ...]
    mistakes: tuple[Mistake, ...]
    seconds: Mapping[Architecture, float]
    complete: bool


def describe_space(pipeline: Pipeline, table: Table, *, memory: float | None = None) -> Overview:
    """Build the supernet of a pipeline and measure it.

    Args:
        pipeline: choices outside its models count as decided for their first option.
        table: its first events, a batch of them, are trained on; no optimiser makes a step.
        memory: bytes that a training may fill; by default what this machine has left.

    Raises:
        SpecError: candidates that cannot be built, or more weights than there is memory for.
    """
    plain = models_only(pipeline)
    available = available_memory() if memory is None else memory
    graph = build_supergraph(plain, seed=0, memory=available)
    mistakes = check_shapes(plain, graph, table, mixed=False)
    number = count([task.model for task in plain.tasks.values()])
    timed = [] if mistakes else list(_timed(graph, number))
    return Overview(
        architectures=number,
        parameters=sum(p.numel() for p in graph.parameters()),
        largest=_largest(graph),
        bytes=COPIES * sum(p.numel() * p.element_size() for p in graph.parameters()),
        available=available,
        unmixed=tuple(check_shapes(plain, graph, table, mixed=True)),
        mistakes=tuple(mistakes),
        seconds={path: _seconds(single_path(graph, path), plain, table) for path in timed},
        complete=number <= TIMED,
    )


def _timed(graph: Graph, number: int) -> Iterator[Architecture]:
    """All paths of a small space, else such that each option is on one."""
    if number <= TIMED:
        yield from (Architecture(decided) for decided in decisions(graph, {}))
        return
    seen: set[tuple[str, str]] = set()
    for label, options in _options(graph).items():
        for option in options:
            path = None if (label, option) in seen else _path_with(graph, label, option)
            if path is not None:
                seen |= set(path.items())
                yield Architecture(path)


def _path_with(graph: Graph, label: str, option: str) -> Mapping[str, str] | None:
    """The first path on which a label is decided for an option."""
    ways = _leading(graph, label, option)
    return next((path for way in ways for path in decisions(graph, way)), None)


def _leading(net: nn.Module, label: str, option: str) -> Iterator[dict[str, str]]:
    """What has to be decided for a label to come up, and to be decided for an option."""
    parts = inside(net)
    if isinstance(net, Switch):
        for own, part in zip(net.decisions, net.all, strict=True):
            if own.get(label) == option:
                yield dict(own)
            yield from ({**own, **way} for way in _leading(part, label, option))
    for part in parts:
        yield from _leading(part, label, option)


def _options(net: nn.Module) -> dict[str, tuple[str, ...]]:
    own = dict(net.choices) if isinstance(net, Switch) else {}
    for part in net.all if isinstance(net, Switch) else inside(net):
        own |= _options(part)
    return own


def _largest(net: nn.Module) -> int:
    if isinstance(net, Switch):
        return max(map(_largest, net.all))
    if isinstance(net, Modulated):
        own = [part for part in net.children() if part is not net.model]
        return _largest(net.model) + sum(p.numel() for part in own for p in part.parameters())
    parts = inside(net)
    return sum(map(_largest, parts)) if parts else sum(p.numel() for p in net.parameters())


def _seconds(path: Graph, pipeline: Pipeline, table: Table) -> float:
    rows = torch.arange(min(pipeline.train.batch_size, len(table)))
    (stage,) = fit_stages(stages(pipeline)[-1:], table, everything(table))
    path.train()
    columns = list(dict.fromkeys([*path.columns(), *stage.targets]))
    batch, weight = table.take(columns, rows), table.train_weight.index_select(0, rows)
    batch |= path.conditions.at_default(len(rows), table.device)
    return median([_step(path, stage, batch, weight) for _ in range(_TRIES + 1)][1:])


def _step(path: Graph, stage: Stage, batch: Mapping[str, Tensor], weight: Tensor) -> float:
    began = time.perf_counter()
    loss = stage.loss(path(batch), batch, weight)
    if loss.requires_grad:
        torch.autograd.backward(loss)
    ended = time.perf_counter()
    path.zero_grad()
    return ended - began
