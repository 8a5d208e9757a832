"""How the losses of a population become its gradients where they are not merely added.

Weights that at least two losses reach (those of *shared* tasks) follow what the aggregator makes of the losses' gradients; those that
one loss alone reaches follow its gradient, as in the algorithms of MGDA and of TorchJD's ``mtl_backward``. An aggregator that reads
losses alone weighs the losses themselves, and so reaches all weights.

Legend: ``R`` members, ``T`` objectives, ``P`` weights of a stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, final

import torch
from torch import Tensor

from tsunagu.losses import Aggregator, Combined, LooksBack, Moment, Seen, State
from tsunagu.tasks import Reach
from tsunagu.train.stacked import Forward, Gradients, Rows

__all__ = ["Features", "Objectives", "Stack", "Total"]

Total = Callable[[Sequence[Tensor]], None]
"""Puts in the place of each tensor its sum over all processes."""


class Stack(Protocol):
    """Modules of one shape at one task."""

    members: tuple[int, ...]
    rows: Rows
    forward: Forward | None


@final
@dataclass(frozen=True)
class Features:
    """The shared features, cut from what reads them: once for each objective.

    Args:
        made: ``[R, B, ...]`` by name, with the graph of the shared tasks.
        read: the same for each objective, as leaves of their own; what an objective does not read is not there.
    """

    made: Mapping[str, Tensor]
    read: Sequence[Mapping[str, Tensor]]

    @classmethod
    def cut(cls, made: Mapping[str, Tensor], names: Sequence[Iterable[str]]) -> Features:
        """The features as each objective reads them by these names."""
        return cls(made, [{name: made[name].detach().requires_grad_() for name in own} for own in names])

    def stacked(self, slopes: Sequence[Mapping[str, Tensor]]) -> list[Tensor]:
        """The gradients of each objective by what it reads, as ``[R, T, N]`` for each feature; 0 by what it does not read."""
        return [
            torch.stack(
                [
                    own[name].flatten(1) if name in own else torch.zeros_like(made).flatten(1)
                    for own in slopes
                ],
                1,
            )
            for name, made in self.made.items()
        ]

    @property
    def leaves(self) -> list[Tensor]:
        """All that are read."""
        return [leaf for own in self.read for leaf in own.values()]


@final
class Objectives:
    """The losses of one stage of a population, and what combines them.

    Args:
        aggregator: of all members.
        reach: which losses reach which tasks.
        stacks: the modules of each task.
        members: how many there are.

    Attributes:
        states: of each member.
    """

    def __init__(
        self, aggregator: Aggregator, reach: Reach, stacks: Mapping[str, Sequence[Stack]], members: int
    ) -> None:
        self.aggregator, self._reach, self._stacks = aggregator, reach, stacks
        self.states: list[State] = [aggregator.begin(len(reach.own)) for _ in range(members)]
        self._shared = self._of(reach.shared)
        self._own = [self._of(tasks) for tasks in reach.own]
        self._writers: dict[tuple[int, ...], Gradients] = {}

    @property
    def reach(self) -> Reach:
        """Which losses reach which tasks."""
        return self._reach

    def write(
        self, losses: Tensor, features: Features | None, moments: Sequence[Moment], total: Total
    ) -> Tensor:
        """Put into the buffers what the weights shall follow.

        Args:
            losses: ``[T, R]``, with their graph.
            features: where the aggregator reads them.
            moments: of each member.
            total: sums over processes, of which each has its part of the batch.

        Returns:
            ``[T, R]``: the losses of the whole batch.
        """
        whole = losses.detach().clone()
        if self.aggregator.reads == "losses":
            self._by_losses(losses, whole, moments, total)
        elif features is not None:
            self._by_features(losses, whole, features, moments, total)
        else:
            self._by_gradients(losses, whole, moments, total)
        return whole

    def look_back(self, before: Tensor, after: Tensor) -> None:
        """Tell the aggregator what its step has done to the losses ``[T, R]`` of a batch."""
        assert isinstance(self.aggregator, LooksBack)
        self.states = list(self.aggregator.look_back(before.double().T, after.double().T, self.states))

    def _by_losses(self, losses: Tensor, whole: Tensor, moments: Sequence[Moment], total: Total) -> None:
        total([whole])
        combined = self._combine(whole, moments, whole.new_zeros(whole.shape[1], 0, 0))
        every = self._of(tuple(self._stacks))
        weights = combined.weights.T.to(losses)
        self._writer(every).write((weights * losses).sum())
        total([stack.rows.gradients for stack in every if stack.rows.count])

    def _by_features(
        self, losses: Tensor, whole: Tensor, features: Features, moments: Sequence[Moment], total: Total
    ) -> None:
        own = [stack for stacks in self._own for stack in stacks]
        # Each objective has leaves of its own, so one pass gives the gradients of all of them.
        found = iter(self._writer(own).through([losses.sum()], None, features.leaves))
        slopes = features.stacked([{name: next(found) for name in names} for names in features.read])
        gramian = torch.stack([slope @ slope.mT for slope in slopes]).double().sum(0)
        total([whole, gramian])
        combined = self._combine(whole, moments, gramian)
        weights, made = combined.weights.to(losses).unsqueeze(1), list(features.made.values())
        ways = [(weights @ slope).view_as(own) for slope, own in zip(slopes, made, strict=True)]
        self._writer(self._shared).through(made, ways)
        self._scale_own(combined)
        total([stack.rows.gradients for stack in (*self._shared, *own) if stack.rows.count])

    def _by_gradients(self, losses: Tensor, whole: Tensor, moments: Sequence[Moment], total: Total) -> None:
        rows = [
            torch.empty(len(s.members), len(losses), s.rows.count).to(s.rows.gradients) for s in self._shared
        ]
        for place, loss in enumerate(losses):
            writer = self._writer([*self._shared, *self._own[place]])
            writer.write(loss.sum(), keep=place < len(losses) - 1)
            for own, stack in zip(rows, self._shared, strict=True):
                own[:, place] = stack.rows.gradients
        alone = [stack.rows.gradients for stacks in self._own for stack in stacks if stack.rows.count]
        total([whole, *(own for own in rows if own.numel()), *alone])
        gramian = whole.new_zeros(whole.shape[1], len(losses), len(losses), dtype=torch.float64)
        for own, stack in zip(rows, self._shared, strict=True):
            wide = own.double()
            gramian[list(stack.members)] += wide @ wide.mT
        jacobian = self._jacobian(rows) if self.aggregator.reads == "jacobian" else []
        combined = self._combine(whole, moments, gramian, jacobian)
        self._write_shared(combined, rows)
        self._scale_own(combined)

    def _write_shared(self, combined: Combined, rows: Sequence[Tensor]) -> None:
        if combined.directions is None:
            for own, stack in zip(rows, self._shared, strict=True):
                weights = combined.weights[list(stack.members)].to(own)
                stack.rows.gradients.copy_((weights.unsqueeze(1) @ own).squeeze(1))
            return
        for member, direction in enumerate(combined.directions):
            places = [stack.rows.gradients[stack.members.index(member)] for stack in self._holding(member)]
            parts = torch.split(direction, [len(place) for place in places])
            torch._foreach_copy_(places, list(parts))

    def _jacobian(self, rows: Sequence[Tensor]) -> list[Tensor]:
        """Of each member ``[T, P]``, over its weights in all shared tasks."""
        pairs = list(zip(rows, self._shared, strict=True))
        members = range(len(self.states))
        return [
            torch.cat([own[s.members.index(m)] for own, s in pairs if m in s.members], 1) for m in members
        ]

    def _scale_own(self, combined: Combined) -> None:
        if combined.own is None:
            return
        for place, stacks in enumerate(self._own):
            for stack in stacks:
                factors = combined.own[list(stack.members), place].to(stack.rows.gradients)
                stack.rows.gradients.mul_(factors.unsqueeze(1))

    def _combine(
        self, whole: Tensor, moments: Sequence[Moment], gramian: Tensor, jacobian: Sequence[Tensor] = ()
    ) -> Combined:
        combined = self.aggregator.combine(
            Seen(
                losses=whole.double().T,
                states=self.states,
                moments=moments,
                gramian=gramian,
                jacobian=jacobian,
            )
        )
        self.states = list(combined.states)
        return combined

    def _holding(self, member: int) -> list[Stack]:
        return [stack for stack in self._shared if member in stack.members]

    def _of(self, tasks: Sequence[str]) -> list[Stack]:
        return [stack for task in tasks for stack in self._stacks[task]]

    def _writer(self, stacks: Sequence[Stack]) -> Gradients:
        # How a stack is run is known after its first batch.
        key = tuple(map(id, stacks))
        if key not in self._writers:
            self._writers[key] = Gradients([(s.rows, s.forward) for s in stacks if s.forward is not None])
        return self._writers[key]
