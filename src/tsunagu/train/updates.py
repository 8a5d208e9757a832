"""What optimisers do to the stacked weights of a population: one call for all members with equal settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.spec import Node, Train, canonical
from tsunagu.train.fused import Steps
from tsunagu.train.optimizer import clip, learning_rate, optimizer, placed
from tsunagu.train.stacked import Rows
from tsunagu.train.state import copied, named, under

__all__ = ["Updates"]


@final
@dataclass(frozen=True)
class _Unit:
    """Weights that are updated as one: all rows of some modules, ``[R, P]``, or the row of one member, ``[P]``."""

    task: str
    members: tuple[int, ...]
    parameter: nn.Parameter

    def state_of(self, member: int, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What an optimiser keeps of one member."""
        if self.parameter.ndim == 1:
            return dict(state)
        place = self.members.index(member)
        return {
            n: value[place] if value.shape == self.parameter.shape else value for n, value in state.items()
        }

    def joined(self, states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """The state of all from that of each; what is no row (the number of steps) is the same for all."""
        if self.parameter.ndim == 1:
            return copied(states[0])
        row = self.parameter.shape[1:]
        return {
            name: torch.stack([state[name] for state in states]) if value.shape == row else value.clone()
            for name, value in states[0].items()
        }


@final
@dataclass(frozen=True)
class _Kind:
    steps: Steps
    schedule: Node | None
    rates: list[float]


@final
class Updates:
    """The optimisers of a population in one stage.

    Args:
        settings: of each member.
        stacks: task, members and weights of each group of modules.

    Attributes:
        scheduled: whether a learning rate changes with time.
    """

    def __init__(
        self, settings: Sequence[Train], stacks: Sequence[tuple[str, tuple[int, ...], Rows]]
    ) -> None:
        self._settings, self._stacks = settings, stacks
        kinds = [canonical([train.optimizer, train.schedule]) for train in settings]
        units: dict[str, list[_Unit]] = {}
        for task, members, rows in stacks:
            if rows.count:
                for unit in _units(task, members, rows, kinds):
                    units.setdefault(kinds[unit.members[0]], []).append(unit)
        self._units = [unit for own in units.values() for unit in own]
        self._kinds = [_kind(settings[own[0].members[0]], own) for own in units.values()]
        self.scheduled = any(kind.schedule is not None for kind in self._kinds)
        self._clipped = [number for number, train in enumerate(settings) if train.clip is not None]

    def step(self) -> None:
        """Clip each member's gradient by its own norm, and update all weights."""
        for member in self._clipped:
            self._clip(member)
        for kind in self._kinds:
            kind.steps.step()

    def set_rates(self, done: int, steps: int) -> None:
        """Set the learning rates to where their schedules are after so many of all steps."""
        for kind in self._kinds:
            if kind.schedule is not None:
                factor = learning_rate(kind.schedule, done, steps)
                for group, rate in zip(kind.steps.optimizer.param_groups, kind.rates, strict=True):
                    group["lr"] = rate * factor

    def moments(self, member: int) -> dict[str, Tensor]:
        """The optimiser's own tensors of one member by task and name; not copies."""
        found: dict[str, Tensor] = {}
        for unit in self._units:
            if member in unit.members:
                found |= named(unit.task, unit.state_of(member, self._state(unit)))
        return found

    def restore(self, moments: Sequence[Mapping[str, Tensor]]) -> None:
        """Put the optimisers back to where :meth:`moments` of each member was taken."""
        for unit in self._units:
            states = [under(unit.task, moments[member]) for member in unit.members]
            if states[0]:
                steps = self._steps_of(unit)
                state = placed(unit.joined(states), unit.parameter.device, steps.optimizer)
                steps.replace(unit.parameter, state)

    def _state(self, unit: _Unit) -> dict[str, Tensor]:
        state = self._steps_of(unit).optimizer.state.get(unit.parameter, {})
        return {name: torch.as_tensor(value) for name, value in state.items() if value is not None}

    def _steps_of(self, unit: _Unit) -> Steps:
        return next(kind.steps for kind in self._kinds if kind.steps.has(unit.parameter))

    def _clip(self, member: int) -> None:
        limit = self._settings[member].clip
        assert limit is not None
        gradients = [r.gradients[m.index(member)] for _, m, r in self._stacks if member in m and r.count]
        clip(gradients, limit)


def _units(task: str, members: tuple[int, ...], rows: Rows, kinds: Sequence[str]) -> Iterator[_Unit]:
    if len({kinds[member] for member in members}) == 1:
        yield _Unit(task, members, rows.whole)
        return
    for place, member in enumerate(members):
        row = nn.Parameter(rows.weights[place])
        row.grad = rows.gradients[place]
        yield _Unit(task, (member,), row)


def _kind(train: Train, units: Sequence[_Unit]) -> _Kind:
    made = optimizer(train.optimizer, [unit.parameter for unit in units])
    return _Kind(Steps(made), train.schedule, [group["lr"] for group in made.param_groups])
