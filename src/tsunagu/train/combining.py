"""The steps of a population whose losses are combined by an aggregator, in place of being added.

Legend: ``R`` members, ``T`` objectives, ``B`` events in a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.losses import LooksBack, Moment, weighted_mean
from tsunagu.train.augmenting import Shown
from tsunagu.train.objectives import Features, Objectives, Total
from tsunagu.train.stacked import Pick
from tsunagu.train.state import named, under

__all__ = ["Combining", "Known", "Passes"]

Known = dict[str, Pick]
AGGREGATE = "<aggregate>"
"""Before the names of what an aggregator keeps; no task is called so."""


@final
@dataclass(frozen=True)
class Passes:
    """What a stepper does in a step.

    Args:
        read: what the tasks read, by name, and the training weights ``[R, B]``.
        make: adds the outputs of tasks to it, in order.
        losses: ``[R, B]`` of each objective, given what each reads and the training weights ``[R, B]``.
        update: one step of the optimisers.
    """

    read: Callable[[Shown, tuple[int, ...]], tuple[Known, Tensor]]
    make: Callable[[Known, Sequence[str]], None]
    losses: Callable[[Sequence[Known], Tensor], list[Tensor]]
    update: Callable[[], None]


@final
class Combining:
    """Steps by an aggregator.

    Args:
        objectives: of the stage.
        graphs: of each member.
        tasks: of the stage, in order.
        passes: what a step is made of.
    """

    def __init__(
        self, objectives: Objectives, graphs: Sequence[nn.Module], tasks: Sequence[str], passes: Passes
    ) -> None:
        self._objectives, self._graphs, self._tasks, self._passes = objectives, graphs, tasks, passes

    def moments(self, member: int) -> dict[str, Tensor]:
        """What the aggregator keeps of one member, by name; not copies."""
        return named(AGGREGATE, self._objectives.states[member])

    def restore(self, moments: Sequence[Mapping[str, Tensor]]) -> None:
        """Put it back to where :meth:`moments` of each member was taken."""
        each = zip(moments, self._objectives.states, strict=True)
        self._objectives.states = [under(AGGREGATE, own) or begun for own, begun in each]

    def step(
        self,
        shown: Shown,
        orders: tuple[int, ...],
        moments: Sequence[Moment],
        sizes: Tensor | None = None,
        total: Total = lambda _: None,
    ) -> Tensor:
        """One optimiser step.

        Args:
            shown: the events.
            orders: for each member, which of them it sees.
            moments: of each member.
            sizes: ``[R]``, what divides the losses where these are some of the events only.
            total: sums over processes.

        Returns:
            ``[R]``: the sums of the losses before the step.
        """
        losses, features = self._each_loss(shown, orders, sizes)
        before = self._objectives.write(losses, features, moments, total)
        self._passes.update()
        if isinstance(self._objectives.aggregator, LooksBack):
            with torch.no_grad(), _unmoved(self._graphs):
                after, _ = self._each_loss(shown, orders, sizes)
            total([after])
            self._objectives.look_back(before, after)
        return before.sum(0)

    def _each_loss(
        self, shown: Shown, orders: tuple[int, ...], sizes: Tensor | None
    ) -> tuple[Tensor, Features | None]:
        """The losses one by one ``[T, R]``, and the features that they share, where these are asked for."""
        known, weight = self._passes.read(shown, orders)
        if self._objectives.aggregator.reads == "features":
            read, features = self._cut(known)
        else:
            self._passes.make(known, self._tasks)
            read, features = [known] * len(self._objectives.reach.own), None
        return torch.stack(
            [weighted_mean(each, weight, sizes) for each in self._passes.losses(read, weight)]
        ), features

    def _cut(self, known: Known) -> tuple[list[Known], Features]:
        """What each objective reads: shared tasks are run once, and its own tasks on features of its own."""
        reach = self._objectives.reach
        self._passes.make(known, reach.shared)
        names = dict.fromkeys(name for own in reach.features for name in own)
        features = Features.cut({name: known[name].tensor for name in names}, reach.features)
        read = [known | {n: Pick(leaf, known[n].rows) for n, leaf in own.items()} for own in features.read]
        for own, tasks in zip(read, reach.own, strict=True):
            self._passes.make(own, tasks)
        return read, features


@contextmanager
def _unmoved(graphs: Sequence[nn.Module]) -> Iterator[None]:
    """The running numbers of modules are, after the block, as they were before it."""
    buffers = [buffer for graph in graphs for buffer in graph.buffers()]
    kept = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        for buffer, value in zip(buffers, kept, strict=True):
            buffer.copy_(value)
