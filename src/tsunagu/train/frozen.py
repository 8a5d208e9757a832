"""The outputs of frozen tasks: made once, kept, and gathered for each batch as the table's columns are.

They take ``F x E x numbers x 4`` bytes: F distinct frozen models of a population, E events of the table, and as many
numbers as an event's output has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from tsunagu.data import given
from tsunagu.metrics import parse_metric
from tsunagu.train.evaluation import CHUNK, reseed_for_evaluation
from tsunagu.train.sharing import frozen_key
from tsunagu.train.stacked import Pick

if TYPE_CHECKING:
    from tsunagu.train.training import Training

__all__ = ["Frozen", "freeze", "gathered"]


@final
@dataclass(frozen=True)
class Frozen:
    """A frozen output of one member.

    Args:
        stack: ``[F, E, ...]``, of all distinct frozen models of the population; NaN for events that are not trained or
            validated on.
        row: which of the F is the member's.
    """

    stack: Tensor
    row: int

    @property
    def own(self) -> Tensor:
        """``[E, ...]``, a view."""
        return self.stack[self.row]


def freeze(members: Sequence[Training], number: int, rows: Sequence[Tensor]) -> None:
    """Make the outputs that a stage reads of frozen tasks, in evaluation mode; members with the same models share them.

    Args:
        members: whose stages of this number are alike; their ``member.frozen`` is filled.
        number: of the stage.
        rows: the events, ``[N]`` each; the noise of a candidate begins anew with each, as in every evaluation.
    """
    if not members or not members[0].stages[number].frozen:
        return
    keys = [frozen_key(member.pipeline, member.seed, number) for member in members]
    unique = list(dict.fromkeys(keys))
    stacks: dict[str, Tensor] = {}
    for place, key in enumerate(unique):
        _fill(stacks, place, len(unique), members[keys.index(key)], number, rows)
    for member, key in zip(members, keys, strict=True):
        member.member.frozen.update({name: Frozen(s, unique.index(key)) for name, s in stacks.items()})


def gathered(outputs: Sequence[Frozen], index: Tensor, orders: Sequence[int]) -> Pick:
    """The outputs of R members for one batch.

    Args:
        outputs: of each member, in one stack.
        index: ``[S, B]`` rows of the table.
        orders: for each member, which of the S it sees.

    >>> stack = torch.arange(6.0).view(2, 3)
    >>> gathered([Frozen(stack, 1), Frozen(stack, 0)], torch.tensor([[2, 0]]), (0, 0)).all()
    tensor([[5., 3.],
            [2., 0.]])
    """
    stack = outputs[0].stack
    wanted = [(output.row, order) for output, order in zip(outputs, orders, strict=True)]
    unique = list(dict.fromkeys(wanted))
    flat = torch.cat([index[order] + row * stack.shape[1] for row, order in unique])
    taken = given(stack.flatten(0, 1), flat, stack.device)
    tensor = taken.view(len(unique), index.shape[1], *stack.shape[2:])
    return Pick(tensor, tuple(unique.index(each) for each in wanted))


def _fill(
    stacks: dict[str, Tensor], place: int, count: int, training: Training, number: int, rows: Sequence[Tensor]
) -> None:
    graph, table, stage = training.graph.eval(), training.table, training.stages[number]
    columns, metric = graph.columns(stage.frozen), parse_metric(training.pipeline.metric)
    wanted = {*graph.columns(stage.tasks), *metric.arguments}
    for part in rows:
        reseed_for_evaluation(graph, training.seed)
        for chunk in torch.split(part, CHUNK):
            with torch.no_grad():
                made: Mapping[str, Tensor] = graph(table.take(columns, chunk), stage.frozen)
            for name in wanted & made.keys():
                value = made[name]
                if name not in stacks:
                    blank = math.nan if value.is_floating_point() else 0
                    stacks[name] = value.new_full((count, len(table), *value.shape[1:]), blank)
                stacks[name][place].index_copy_(0, chunk, value)
