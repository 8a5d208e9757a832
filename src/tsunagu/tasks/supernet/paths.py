"""All paths of a supergraph on one batch, as a tree: what several paths have in common is run once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from torch import Tensor

from tsunagu.spec import Architecture
from tsunagu.tasks.graph import Graph, call
from tsunagu.tasks.supernet.switch import decisions, labels_of, reached
from tsunagu.tasks.supernet.views import path_of_task

__all__ = ["paths"]

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
    names = list(graph.wiring if tasks is None else tasks)
    known = dict(batch) | {output: batch[column] for output, column in (substitutes or {}).items()}
    tree = _Tree(graph, names, *_dependences(graph, names))
    yield from tree.below(0, known, {}, {}, None if wanted is None else list(wanted))


@final
@dataclass(frozen=True)
class _Tree:
    """The tasks as the levels of a tree.

    Args:
        graph: the supergraph.
        names: the tasks, a level each.
        labels: for each task, the labels on which its output depends.
        kept: for each level, the tasks whose outputs are kept while the decisions above it stay as they are.
    """

    graph: Graph
    names: Sequence[str]
    labels: Mapping[str, frozenset[str]]
    kept: Sequence[Sequence[str]]

    @property
    def outputs(self) -> list[str]:
        return [self.graph.outputs[name] for name in self.names]

    def below(
        self,
        level: int,
        known: Mapping[str, Tensor],
        decided: Mapping[str, str],
        memory: Memory,
        wanted: Sequence[Mapping[str, str]] | None,
    ) -> Iterator[tuple[Architecture, dict[str, Tensor]]]:
        if level == len(self.names):
            yield Architecture(decided), {output: known[output] for output in self.outputs}
            return
        name = self.names[level]
        if self.kept[level]:
            memory = {**memory, **{task: {} for task in self.kept[level]}}
        for own, these in self._ways(name, decided, wanted):
            made = self._run(name, known, own, memory.get(name))
            yield from self.below(level + 1, {**known, self.graph.outputs[name]: made}, own, memory, these)

    def _ways(
        self, name: str, decided: Mapping[str, str], wanted: Sequence[Mapping[str, str]] | None
    ) -> Iterator[tuple[Mapping[str, str], Sequence[Mapping[str, str]] | None]]:
        model = self.graph.models[name]
        if wanted is None:
            yield from ((own, None) for own in decisions(model, decided))
            return
        groups: dict[Architecture, list[Mapping[str, str]]] = {}
        for architecture in wanted:
            groups.setdefault(Architecture({**decided, **reached(model, architecture)}), []).append(
                architecture
            )
        yield from groups.items()

    def _run(
        self,
        name: str,
        known: Mapping[str, Tensor],
        decided: Mapping[str, str],
        kept: dict[frozenset[tuple[str, str]], Tensor] | None,
    ) -> Tensor:
        if kept is None:
            model, wiring = path_of_task(self.graph, name, decided)
            return call(model, *wiring, known)
        key = frozenset((label, option) for label, option in decided.items() if label in self.labels[name])
        if key not in kept:
            kept[key] = self._run(name, known, decided, None)
        return kept[key]


def _dependences(graph: Graph, names: Sequence[str]) -> tuple[dict[str, frozenset[str]], list[list[str]]]:
    """The labels and the kept tasks of a :class:`_Tree`."""
    own = {name: labels_of(graph.models[name]) for name in names}
    makers: dict[str, str] = {}
    needs: dict[str, frozenset[str]] = {}
    kept: list[list[str]] = [[] for _ in names]
    for level, name in enumerate(names):
        positional, keywords = graph.wiring[name]
        read = [*positional, *(column for _, column in keywords)]
        above = {makers[column] for column in read if column in makers}
        needs[name] = frozenset(above).union(*(needs[other] for other in above))
        makers[graph.outputs[name]] = name
        labels = own[name].union(*(own[other] for other in needs[name]))
        strange = [i for i in range(level) if own[names[i]] - labels]
        if strange:
            kept[strange[0]].append(name)
    return {name: own[name].union(*(own[other] for other in needs[name])) for name in names}, kept
