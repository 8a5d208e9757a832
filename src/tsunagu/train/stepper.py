"""The optimiser steps of one stage, of all members of a population at once.

Legend: ``R`` members, ``S`` orders of events (members of one seed share theirs), ``B`` events in a batch, ``P`` weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.data import Table, given
from tsunagu.layers import sharing
from tsunagu.losses import Moment
from tsunagu.tasks import Graph, Stage, aggregator_of, reach
from tsunagu.tasks.settings import reverse_at
from tsunagu.train.augmenting import Augmented, Shown
from tsunagu.train.combining import Combining, Known, Passes
from tsunagu.train.conditioning import Turn
from tsunagu.train.distributed import World
from tsunagu.train.evaluation import columns_of
from tsunagu.train.frozen import gathered
from tsunagu.train.groups import Member, backends, grouped
from tsunagu.train.judged import Judged
from tsunagu.train.objectives import Objectives
from tsunagu.train.stacked import Gradients, Pick
from tsunagu.train.updates import Updates

__all__ = ["Batch", "Stepper", "alike"]


@final
@dataclass(frozen=True)
class Batch:
    """The events of one step.

    Args:
        index: ``[S, B]`` rows of the table.
        orders: for each member, which of the S it sees.
        keys: for each of the S, what the random numbers of augmentations derive from; none for events as they are.
        turn: which draws of conditions it gets; None for the middle of every range.
        moments: of each member, where an aggregator combines the losses.
    """

    index: Tensor
    orders: tuple[int, ...]
    keys: Sequence[int] = ()
    turn: Turn | None = None
    moments: Sequence[Moment] = ()


def alike(first: Stage, second: Stage) -> bool:
    """Whether two stages differ in nothing but the weights of their losses, epochs and patience."""
    names = (
        (first.name, first.tasks, first.frozen, dict(first.substitutes), first.scalarise),
        (second.name, second.tasks, second.frozen, dict(second.substitutes), second.scalarise),
    )
    terms = [
        [(t.output, *t.columns, t.loss, t.given, t.factor, t.timed) for t in stage.terms]
        for stage in (first, second)
    ]
    return names[0] == names[1] and terms[0] == terms[1]


@final
class Stepper:
    """Members that make their steps together, with stacked modules.

    Args:
        members: of the population; their ``rows`` are replaced by rows of the stacked buffers.
        stages: the stage that each is in; all are :func:`alike`.
        table: the events.

    Attributes:
        columns: of the table, that are read.
        updates: the optimisers.
    """

    def __init__(self, members: Sequence[Member], stages: Sequence[Stage], table: Table) -> None:
        self._members, self._stage, self._table = members, stages[0], table
        # A model reads only what its arguments name, so members of other models may read other columns.
        read = (columns_of(member.graph, stages[0]) for member in members)
        self.columns = list(dict.fromkeys(column for columns in read for column in columns))
        self._stages = list(stages)
        self._judged = Judged(stages, table.device)
        self._groups = {task: grouped(members, task) for task in stages[0].tasks}
        self._every = [group for groups in self._groups.values() for group in groups]
        self._gradients: Gradients | None = None
        self._events = Augmented(members[0].pipeline, table)
        stacks = [(task, g.members, g.rows) for task, groups in self._groups.items() for g in groups]
        self.updates = Updates([member.pipeline.train for member in members], stacks)
        self._combining = self._combined(members, stages[0])
        self._alone = members[0].graph if len(members) == 1 and self._combining is None else None

    @property
    def aggregates(self) -> bool:
        """Whether an aggregator combines the losses, in place of their sum."""
        return self._combining is not None

    def moments(self, member: int) -> dict[str, Tensor]:
        """What optimiser and aggregator keep of one member, by name; not copies."""
        kept = self.updates.moments(member)
        return kept if self._combining is None else kept | self._combining.moments(member)

    def restore(self, moments: Sequence[Mapping[str, Tensor]]) -> None:
        """Put both back to where :meth:`moments` of each member was taken."""
        self.updates.restore(moments)
        if self._combining is not None:
            self._combining.restore(moments)

    def begin_epoch(self, epoch: int) -> None:
        """Take the losses of an epoch, and the strengths of adversaries, where they change with time."""
        for member in self._members if self._stage.saddle else ():
            reverse_at(member.graph, epoch, self._stage.epochs)
        now = [stage.at(epoch) for stage in self._stages]
        if now[0].terms != self._stage.terms:
            self._stage, self._judged = now[0], Judged(now, self._table.device)

    def probe(self, index: Tensor, orders: tuple[int, ...]) -> dict[str, tuple[str, ...]]:
        """How the models are run, found with one batch and without a step; running statistics may change by it.

        Args:
            index: ``[S, B]`` rows of the table.
            orders: for each member, which of the S it sees.

        Returns:
            By task, for each member ``alone``, ``loop``, ``batched`` or ``vmap``.
        """
        with torch.no_grad():
            self._losses(self._events.show(index, []), orders)
        return {task: backends(groups) for task, groups in self._groups.items()}

    def step(self, batch: Batch) -> Tensor:
        """One optimiser step.

        Returns:
            ``[R]``: the losses before the step.
        """
        shown = self._events.show(batch.index, batch.keys, batch.turn)
        if self._combining is not None:
            return self._combining.step(shown, batch.orders, batch.moments)
        losses = self._differentiated(shown, batch.orders)
        self.updates.step()
        return losses

    def step_in(self, world: World, batch: Batch) -> Tensor:
        """The same step, of which each process makes its part; all of them end in the same weights.

        Args:
            world: the processes.
            batch: the whole one.

        Returns:
            ``[R]``: the losses of the whole batch before the step.
        """
        shown, orders = self._events.show(batch.index, batch.keys, batch.turn), batch.orders
        part = world.part(batch.index.shape[1])
        sizes = self._events.weights(shown).abs().sum(1)
        # A batch that is too small to be shared is everybody's, and everybody's share of it is the same.
        sizes = sizes * world.size if part.is_whole else sizes
        with sharing(part):
            every = Pick(sizes, orders).all()
            if self._combining is not None:
                return self._combining.step(shown.part(part), orders, batch.moments, every, world.sum)
            losses = self._differentiated(shown.part(part), orders, every)
        world.sum([*(group.rows.gradients for group in self._every if group.rows.count), losses])
        self.updates.step()
        return losses

    def _differentiated(self, shown: Shown, orders: tuple[int, ...], sizes: Tensor | None = None) -> Tensor:
        if self._alone is not None:
            loss = self._loss_alone(self._alone, shown, sizes)
            self._backward(loss)
            return loss.detach().unsqueeze(0)
        losses = self._losses(shown, orders, sizes)
        # The members' losses are summed, never averaged, so each member's gradient is that of its own loss.
        self._differentiate(losses.sum())
        return losses.detach()

    def _combined(self, members: Sequence[Member], stage: Stage) -> Combining | None:
        pipeline = members[0].pipeline
        aggregator = aggregator_of(pipeline, stage)
        if aggregator is None:
            return None
        objectives = Objectives(aggregator, reach(pipeline, stage), self._groups, len(members))
        passes = Passes(self._read, self._make, self._each, self.updates.step)
        return Combining(objectives, [member.graph for member in members], stage.tasks, passes)

    def _losses(self, shown: Shown, orders: tuple[int, ...], sizes: Tensor | None = None) -> Tensor:
        known, weight = self._read(shown, orders)
        self._make(known, self._stage.tasks)
        return self._judged.losses(known, weight, sizes)

    def _read(self, shown: Shown, orders: tuple[int, ...]) -> tuple[Known, Tensor]:
        """What the tasks read, and the training weights ``[R, B]``."""
        index = shown.index
        batch = {
            name: Pick(column.view(*index.shape, *column.shape[1:]), orders)
            for name, column in self._events.take(self.columns, shown).items()
        }
        read = {out: batch[column] for out, column in self._stage.substitutes.items() if column in batch}
        known = batch | read
        for name in self._members[0].frozen:
            known[name] = gathered([member.frozen[name] for member in self._members], index, orders)
        return known, Pick(self._events.weights(shown), orders).all()

    def _make(self, known: Known, tasks: Sequence[str]) -> None:
        """Add the outputs of tasks, in order."""
        for task in tasks:
            output = self._members[0].graph.outputs[task]
            known[output] = Pick(self._run(task, known), tuple(range(len(self._members))))

    def _loss_alone(self, graph: Graph, shown: Shown, sizes: Tensor | None) -> Tensor:
        """The same for one member, without the axis that small models would feel."""
        stage, batch, index = self._stage, self._events.take(self.columns, shown), shown.index[0]
        batch |= {n: given(f.own, index, self._table.device) for n, f in self._members[0].frozen.items()}
        predictions = graph(batch, stage.tasks, stage.substitutes)
        size = None if sizes is None else sizes[0]
        return stage.loss(predictions, batch, self._events.weights(shown)[0], size)

    def _run(self, task: str, known: Mapping[str, Pick]) -> Tensor:
        groups = self._groups[task]
        if len(groups) == 1:
            return groups[0].run(known)
        order = [member for group in groups for member in group.members]
        back = sorted(range(len(order)), key=order.__getitem__)
        return torch.cat([group.run(known) for group in groups]).index_select(
            0, torch.tensor(back, device=self._table.device)
        )

    def _each(self, read: Sequence[Known], weight: Tensor) -> list[Tensor]:
        # The losses of an epoch, which may be others than when the passes were put together.
        return self._judged.each(read, weight)

    def _differentiate(self, total: Tensor) -> None:
        if self._gradients is None:
            self._gradients = Gradients([(g.rows, g.forward) for g in self._every if g.forward is not None])
        self._gradients.write(total)

    def _backward(self, total: Tensor) -> None:
        for group in self._every:
            group.rows.gradients.zero_()
        # Constant candidates (controls such as Zero) at the end of the chain give a loss that nothing can lower.
        if total.requires_grad:
            torch.autograd.backward(total)
