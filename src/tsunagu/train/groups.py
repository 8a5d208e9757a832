"""The members of a population and their modules, those of one shape together.

Legend: ``R`` members, ``B`` events in a batch, ``P`` weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

from torch import Tensor, nn

from tsunagu.spec import Pipeline, canonical
from tsunagu.tasks import Graph
from tsunagu.train.frozen import Frozen
from tsunagu.train.stacked import Forward, Inputs, Pick, Rows, choose

__all__ = ["Group", "Member", "backends", "grouped"]


@final
@dataclass(frozen=True, kw_only=True)
class Member:
    """What the steps of one member need.

    Args:
        pipeline: without choices.
        graph: its models.
        rows: its weights by task, ``[P]`` each; a stepper puts others in their place that are rows of a shared buffer.
        frozen: the outputs that its stage reads of frozen tasks.
    """

    pipeline: Pipeline
    graph: Graph
    rows: dict[str, Tensor]
    frozen: dict[str, Frozen] = field(default_factory=dict)


@final
@dataclass
class Group:
    """The modules of one shape at one task.

    Args:
        members: that have them.
        modules: of the task, in this order.
        rows: their weights.
        positional: the columns that go in by place.
        keywords: the arguments that go in by name, each with its column.
        forward: how they are run; chosen with the first batch.
    """

    members: tuple[int, ...]
    modules: list[nn.Module]
    rows: Rows
    positional: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]
    forward: Forward | None = None

    def run(self, known: Mapping[str, Pick]) -> Tensor:
        """Their outputs ``[members, B, ...]``, of what is known of a batch."""
        inputs = Inputs(
            [self._pick(known[column]) for column in self.positional],
            {argument: self._pick(known[column]) for argument, column in self.keywords},
        )
        if self.forward is None:
            self.forward = choose(self.modules, self.rows, inputs)
        return self.forward.run(inputs)

    def _pick(self, all_members: Pick) -> Pick:
        return Pick(all_members.tensor, tuple(all_members.rows[member] for member in self.members))


def backends(groups: Sequence[Group]) -> tuple[str, ...]:
    """How the module of each member is run, once a batch has been seen."""
    found = {member: group.forward for group in groups for member in group.members}
    return tuple(forward.backend for _, forward in sorted(found.items()) if forward is not None)


def grouped(members: Sequence[Member], task: str) -> list[Group]:
    """The modules of a task by their shape; the members' ``rows`` are replaced by rows of the stacked buffers."""
    kinds: dict[str, list[int]] = {}
    for number, member in enumerate(members):
        kinds.setdefault(canonical(member.pipeline.tasks[task].model), []).append(number)
    groups = []
    for numbers in kinds.values():
        modules = [members[number].graph.models[task] for number in numbers]
        rows = Rows(modules)
        for number, row in zip(numbers, rows.weights, strict=True):
            members[number].rows[task] = row
        groups.append(Group(tuple(numbers), modules, rows, *members[numbers[0]].graph.wiring[task]))
    return groups
