"""All paths of a supergraph on one batch, as a tree: what several paths have in common is run once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import final
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from tsunagu.spec import Architecture
from tsunagu.tasks.graph import Graph, Wiring, call
from tsunagu.tasks.supernet.switch import decisions, labels_of, reached
from tsunagu.tasks.supernet.views import path_of_task

__all__ = ["paths"]

Decided = Mapping[str, str]
Wanted = Sequence[Decided] | None
"""The architectures that are asked for; None for all."""
Way = tuple[Decided, nn.Module, Wiring]
Memory = Mapping[str, dict[frozenset[tuple[str, str]], Tensor]]
"""For tasks whose outputs are read again, the outputs by the decisions that they depend on."""


def paths(
    graph: Graph,
    batch: Mapping[str, Tensor],
    *,
    tasks: Sequence[str] | None = None,
    substitutes: Mapping[str, str] | None = None,
    wanted: Iterable[Mapping[str, str]] | None = None,
) -> Iterator[tuple[Architecture, dict[str, Tensor]]]:
    """The predictions of every path, depth first over the tasks.

    A task depends on its own decisions and on those of the tasks whose outputs it reads, directly or not; it is run once
    for each way to decide these. In a chain one output of each task is held at a time. In another graph a task that does
    not depend on all tasks before it also keeps its earlier outputs until those on which it depends change.

    Args:
        graph: of :func:`build_supergraph`, in evaluation mode unless paths are to be trained; gradients are kept or not
            as the caller says, in evaluation take ``torch.no_grad``.
        batch: columns ``[E, ...]`` by name.
        tasks: which tasks, in order; all by default.
        substitutes: as for :class:`tsunagu.tasks.Graph`.
        wanted: only these architectures; all by default.

    Yields:
        An architecture, and the predictions ``[E, ...]`` by output name; those with the same first decisions follow
        each other. Each comes once.

    >>> import torch
    >>> from tsunagu.spec import LossTerm, Pipeline, Task, choice, node
    >>> from tsunagu.tasks.supernet import build_supergraph
    >>> model = choice(node("Identity"), node("ReLU"), name="model")
    >>> task = Task(inputs=["x"], output="y", model=model, loss=LossTerm(key="mse", target="t"))
    >>> graph = build_supergraph(Pipeline(tasks={"fit": task}, metric="mse(y, t)"), seed=1)
    >>> for architecture, predictions in paths(graph, {"x": torch.tensor([-1.0, 1.0])}):
    ...     print(architecture["model"], predictions["y"].tolist())
    Identity [-1.0, 1.0]
    ReLU [0.0, 1.0]
    """
    tree = _tree(graph, tuple(graph.wiring if tasks is None else tasks))
    known = dict(batch) | {output: batch[column] for output, column in (substitutes or {}).items()}
    yield from tree.below(0, known, {}, {}, None if wanted is None else list(wanted))


@final
@dataclass(frozen=True)
class _Level:
    """One task.

    Args:
        name: of the task.
        model: with its switches.
        wiring: how it reads its inputs.
        output: under which name its prediction is known.
        needs: the labels on which its output depends.
        own: the labels that are decided in it.
        keeps: the tasks whose outputs are kept while the decisions above this level stay as they are.
        open: the ways through the model by what was decided above, where they are few.
    """

    name: str
    model: nn.Module
    wiring: Wiring
    output: str
    needs: frozenset[str]
    own: frozenset[str]
    keeps: tuple[str, ...]
    open: dict[frozenset[tuple[str, str]], list[Way]] = field(default_factory=dict)

    def ways(self, decided: Decided) -> Iterable[Way]:
        """Each way through the model that agrees with what is decided: its own decisions, a path and how that reads."""
        above = frozenset((label, decided[label]) for label in self.own if label in decided)
        if above not in self.open:
            found = list(islice(self._ways(dict(above)), _MOST_KEPT + 1))
            if len(found) > _MOST_KEPT:
                return self._ways(dict(above))
            self.open[above] = found
        return self.open[above]

    def path(self, decided: Decided) -> tuple[nn.Module, Wiring]:
        return path_of_task(self.model, self.wiring, decided)

    def _ways(self, above: Decided) -> Iterator[Way]:
        return ((own, *self.path(own)) for own in decisions(self.model, above))


@final
@dataclass(frozen=True)
class _Tree:
    """The tasks as the levels of a tree; it does not refer to the graph, which keeps it."""

    levels: Sequence[_Level]

    def below(
        self, depth: int, known: Mapping[str, Tensor], decided: Decided, memory: Memory, wanted: Wanted
    ) -> Iterator[tuple[Architecture, dict[str, Tensor]]]:
        if depth == len(self.levels):
            yield Architecture(decided), {level.output: known[level.output] for level in self.levels}
            return
        level = self.levels[depth]
        if level.keeps:
            memory = {**memory, **{task: {} for task in level.keeps}}
        for own, model, wiring, these in _branches(level, decided, wanted):
            made = _run(level, model, wiring, known, own, memory.get(level.name))
            yield from self.below(depth + 1, {**known, level.output: made}, own, memory, these)


def _branches(
    level: _Level, decided: Decided, wanted: Wanted
) -> Iterator[tuple[Decided, nn.Module, Wiring, Wanted]]:
    if wanted is None:
        for own, model, wiring in level.ways(decided):
            yield {**decided, **own}, model, wiring, None
        return
    groups: dict[Architecture, list[Decided]] = {}
    for architecture in wanted:
        own = Architecture({**decided, **reached(level.model, architecture)})
        groups.setdefault(own, []).append(architecture)
    for key, those in groups.items():
        yield key, *level.path(key), those


def _run(
    level: _Level,
    model: nn.Module,
    wiring: Wiring,
    known: Mapping[str, Tensor],
    decided: Decided,
    kept: dict[frozenset[tuple[str, str]], Tensor] | None,
) -> Tensor:
    if kept is None:
        return call(model, *wiring, known)
    key = frozenset((label, option) for label, option in decided.items() if label in level.needs)
    if key not in kept:
        kept[key] = call(model, *wiring, known)
    return kept[key]


# Finding out what depends on what takes as long as a small model runs.
_TREES: WeakKeyDictionary[Graph, dict[tuple[str, ...], _Tree]] = WeakKeyDictionary()
_MOST_KEPT = 256


def _tree(graph: Graph, names: tuple[str, ...]) -> _Tree:
    kept = _TREES.setdefault(graph, {})
    if names not in kept:
        own = {name: labels_of(graph.models[name]) for name in names}
        before = _before(graph, names)
        needs = {name: own[name].union(*(own[other] for other in before[name])) for name in names}
        keeps: dict[str, list[str]] = {name: [] for name in names}
        for depth, name in enumerate(names):
            strange = [other for other in names[:depth] if own[other] - needs[name]]
            if strange:
                keeps[strange[0]].append(name)
        kept[names] = _Tree(
            [
                _Level(
                    name,
                    graph.models[name],
                    graph.wiring[name],
                    graph.outputs[name],
                    needs[name],
                    own[name],
                    tuple(keeps[name]),
                )
                for name in names
            ]
        )
    return kept[names]


def _before(graph: Graph, names: Sequence[str]) -> dict[str, frozenset[str]]:
    """For each task the tasks whose outputs it reads, directly or not."""
    makers: dict[str, str] = {}
    found: dict[str, frozenset[str]] = {}
    for name in names:
        positional, keywords = graph.wiring[name]
        read = [*positional, *(column for _, column in keywords)]
        above = {makers[column] for column in read if column in makers}
        found[name] = frozenset(above).union(*(found[other] for other in above))
        makers[graph.outputs[name]] = name
    return found
