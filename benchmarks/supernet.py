"""Supernets as sides: steps of drawn paths, and the judging of all paths as a tree or one by one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from benchmarks.chain import Chain, vectors
from benchmarks.engine import VALIDATION
from benchmarks.measure import Clock
from tsunagu.data import Split
from tsunagu.oneshot import OneShot
from tsunagu.search import Spos
from tsunagu.spec import LossTerm, Node, Pipeline, Task, architectures, choice, node
from tsunagu.tasks import build_supergraph, paths, single_path

__all__ = ["DrawnPaths", "EachPath", "Tree", "candidates"]

JUDGED = 500
"""Events of a batch that paths are judged on."""


class DrawnPaths:
    """One epoch of SPOS, each step of which trains one path of 3 x 3 equal ones.

    Args:
        chain: each of them.
        events: of the epoch.
    """

    def __init__(self, chain: Chain, events: int) -> None:
        self.pipeline = _open(chain, 3)
        self.table = chain.events(events + VALIDATION)
        rows = torch.arange(events + VALIDATION)
        self.split = Split(train=rows[:events], validation=rows[events:], test=rows[:0])

    def __call__(self, clock: Clock) -> float:
        search, ends = OneShot(self.pipeline, Spos(), self.table, self.split, seed=1), []

        def watch(now: OneShot) -> None:
            if now.position.step == now.steps_per_epoch:
                ends.append(clock())

        start = clock()
        search.run(watch)
        return (ends[0] - start) / search.steps_per_epoch


class Tree:
    """All paths of a chain on one batch, what they have in common once.

    Args:
        tasks: how many.
        options: candidates of each.
        hidden: widths of the hidden layers of each.
        repeat: how often it is done.
    """

    def __init__(self, tasks: int, options: int, hidden: Sequence[int], repeat: int = 1) -> None:
        self.pipeline = candidates(tasks, options, hidden)
        self.graph = build_supergraph(self.pipeline, seed=1).eval()
        self.batch = {"jets": vectors(JUDGED).columns["jets"]}
        self.repeat = repeat

    def __call__(self, clock: Clock) -> float:
        start = clock()
        with torch.no_grad():
            for _ in range(self.repeat):
                self.run()
        return (clock() - start) / self.repeat

    def run(self) -> list[dict[str, Tensor]]:
        """The predictions of each path."""
        return [made for _, made in paths(self.graph, self.batch)]


class EachPath:
    """The same paths one after the other, as plain modules that are put together before.

    Args:
        tree: whose paths these are.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.paths = [single_path(tree.graph, each) for each in architectures(tree.pipeline)]

    def __call__(self, clock: Clock) -> float:
        start = clock()
        with torch.no_grad():
            for _ in range(self.tree.repeat):
                self.run()
        return (clock() - start) / self.tree.repeat

    def run(self) -> list[dict[str, Tensor]]:
        """The predictions of each path."""
        return [path(self.tree.batch) for path in self.paths]


def candidates(tasks: int, options: int, hidden: Sequence[int]) -> Pipeline:
    """A chain of tasks with equally large candidates each, 8 -> 8 -> ... -> 8.

    Args:
        tasks: how many.
        options: candidates of each.
        hidden: widths of the hidden layers of each.
    """
    made: dict[str, Task] = {}
    read = "jets"
    for number in range(tasks):
        model = choice(**{f"m{option}": _mlp(8, hidden, 8) for option in range(options)}, name=f"c{number}")
        made[f"t{number}"] = Task(
            inputs=[read], output=f"o{number}", model=model, loss=LossTerm(key="mse", target="jets")
        )
        read = f"o{number}"
    return Pipeline(tasks=made, metric=f"mse({read}, jets)")


def _open(chain: Chain, options: int) -> Pipeline:
    """A chain with so many equal candidates for each task."""
    pipeline = chain.pipeline()
    tasks = {
        name: task.model_copy(
            update={"model": choice(**{f"m{number}": task.model for number in range(options)}, name=name)}
        )
        for name, task in pipeline.tasks.items()
    }
    return pipeline.model_copy(update={"tasks": tasks})


def _mlp(inputs: int, hidden: Sequence[int], outputs: int) -> list[Node]:
    sizes = (inputs, *hidden, outputs)
    layers = [part for a, b in pairwise(sizes) for part in (node("Linear", a, b), node("ReLU"))]
    return layers[:-1]
