"""The conditions of a pipeline: which there are, their draws, and their values on validation events.

Legend: ``E`` events, ``L`` numbers of all conditions together, ``K`` points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from tsunagu.data.augment import EventDraws
from tsunagu.errors import Mistake, SpecError
from tsunagu.losses import Distribution, find_distribution, make
from tsunagu.random import derive_seed
from tsunagu.spec import Condition, Pipeline, walk
from tsunagu.tasks.scalarising import scalarisation_of, weights_of

__all__ = [
    "CONDITION",
    "VALUES",
    "Conditions",
    "Declared",
    "conditions_of",
    "distribution_of",
    "label_of",
    "middle",
    "spread",
]

CONDITION = "condition"
"""Under this name ``[E, L]``, what a network sees, joins a batch: -1 to 1 within the range of each."""
VALUES = "condition values"
"""The same as losses see it, ``[E, L]`` float64."""
VALIDATION = 9
"""Points of the grid that validation events are dealt out to."""
_HALF = 2.0**-25
"""Half of the step of the uniform numbers, which then exclude 0 as well as 1."""


@final
@dataclass(frozen=True, kw_only=True)
class Declared:
    """One condition.

    Args:
        name: of it.
        distribution: of its draws.
        start: its first one among the L numbers.
        column: of the table, that holds the values of events.
        where: a column that is not 0 for events that have one.
        events: how many in a row share one draw.
    """

    name: str
    distribution: Distribution
    start: int
    column: str | None = None
    where: str | None = None
    events: int = 1

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for each of its numbers: its own, or ``trade.calibrate`` for a part."""
        return tuple(f"{self.name}.{part}" for part in self.distribution.names) or (self.name,)

    @property
    def places(self) -> slice:
        """Its numbers among the L."""
        return slice(self.start, self.start + len(self.labels))

    def shared(self, uniform: Tensor) -> Tensor:
        """Its own of the uniform numbers ``[E, L]``: those of the first of the events that share a draw."""
        if self.events == 1:
            return uniform[:, self.places]
        return uniform[:: self.events, self.places].repeat_interleave(self.events, 0)[: len(uniform)]

    def values(self, given: object) -> Tensor:
        """Values ``[K, W]`` float64 from what a user writes: a number or several, for parts also a mapping, or several.

        Raises:
            SpecError: not as many numbers as it has parts, or other names.
        """
        parts = self.distribution.names
        if isinstance(given, Mapping):
            if set(given) != set(parts):
                self._refuse(given)
            found = torch.stack([torch.as_tensor(given[part], dtype=torch.float64) for part in parts], dim=-1)
        else:
            found = torch.as_tensor(given, dtype=torch.float64)
        found = found.reshape(-1, 1) if not parts else found.reshape(-1, found.shape[-1] if found.ndim else 1)
        if parts and found.shape[1] != len(parts):
            self._refuse(given)
        return found

    def _refuse(self, given: object) -> None:
        found = f"expected a number for each of {', '.join(self.distribution.names)}, found {given!r}"
        raise SpecError([Mistake((self.name,), found)])


@final
@dataclass(frozen=True)
class Conditions:
    """All conditions of a pipeline, in the order in which they are declared.

    Args:
        each: of them.
        point: L numbers where events are judged that are shown at one value only; the middle of every range by default.
    """

    each: tuple[Declared, ...]
    point: tuple[float, ...] | None = None

    def __bool__(self) -> bool:
        return bool(self.each)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The names of the L numbers."""
        return tuple(label for declared in self.each for label in declared.labels)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table that hold values."""
        named = (name for declared in self.each for name in (declared.column, declared.where))
        return tuple(dict.fromkeys(name for name in named if name is not None))

    @cached_property
    def default(self) -> Tensor:
        """The middle of every range, or the point, ``[L]`` float64."""
        if self.point is not None:
            return torch.tensor(self.point, dtype=torch.float64)
        return torch.cat([declared.distribution.grid(1)[0] for declared in self.each])

    def sample(self, draws: EventDraws) -> Tensor:
        """Draws ``[E, L]`` float64, each event's own but for conditions that several in a row share."""
        uniform = draws.uniform((len(self.labels),)).double() + _HALF
        return torch.cat([d.distribution.sample(d.shared(uniform)) for d in self.each], dim=1)

    def dealt(self, numbers: Tensor) -> Tensor:
        """Points of a fixed grid, dealt out to events by their numbers ``[E]``: ``[E, L]`` float64."""
        key = torch.tensor(derive_seed("validation", "condition"), device=numbers.device)
        uniform = EventDraws(numbers, key).uniform((len(self.each),)).double()
        found = []
        for place, declared in enumerate(self.each):
            grid = declared.distribution.grid(VALIDATION).to(numbers.device)
            found.append(grid[(uniform[:, place] * len(grid)).long()])
        return torch.cat(found, dim=1)

    def normalise(self, values: Tensor) -> Tensor:
        """What a network sees of values ``[E, L]``, float32."""
        parts = [d.distribution.normalise(values[:, d.places]) for d in self.each]
        return torch.cat(parts, dim=1).float()

    def inputs(self, values: Tensor) -> dict[str, Tensor]:
        """What joins a batch, of values ``[E, L]``."""
        return {CONDITION: self.normalise(values), VALUES: values}

    def at_default(self, events: int, device: torch.device) -> dict[str, Tensor]:
        """What joins a batch of so many events that all have the default; nothing without conditions."""
        return self.inputs(self.default.to(device).expand(events, -1)) if self else {}

    def filled(self, values: Tensor, columns: Mapping[str, Tensor]) -> Tensor:
        """Values ``[E, L]`` with those of the columns ``[E]`` where events have their own."""
        for declared in self.each:
            if declared.column is not None:
                own = columns[declared.column].double()
                has = torch.isfinite(own)
                if declared.where is not None:
                    has = has & (columns[declared.where] != 0)
                mixed = torch.where(has, own, values[:, declared.start])
                values = values.index_copy(
                    1, torch.tensor([declared.start], device=values.device), mixed.unsqueeze(1)
                )
        return values


def conditions_of(pipeline: Pipeline) -> Conditions:
    """The conditions of a pipeline without choices: that its losses read, that size a shift of inputs, and that it declares.

    >>> from tsunagu.spec import LossTerm, Task, condition, log_uniform, node
    >>> loss = LossTerm(key="huber", target="t", args={"delta": condition("delta", log_uniform(0.1, 10.0))})
    >>> task = Task(inputs=["x"], output="y", model=node("MLP"), loss=loss)
    >>> conditions_of(Pipeline(tasks={"fit": task}, metric="mse(y, t)")).labels
    ('delta',)
    """
    found: dict[str, Condition] = {}
    for _, value in walk([pipeline.tasks, pipeline.train.augment, pipeline.conditions]):
        if isinstance(value, Condition):
            found.setdefault(value.name, value)
    scalarisation = scalarisation_of(pipeline)
    together = {} if scalarisation is None else dict.fromkeys(weights_of(pipeline), scalarisation.events)
    made, start = [], 0
    for name, value in found.items():
        declared = Declared(
            name=name,
            distribution=distribution_of(value),
            start=start,
            column=value.column,
            where=value.where,
            events=together.get(name, 1),
        )
        start += len(declared.labels)
        made.append(declared)
    return Conditions(tuple(made))


def distribution_of(condition: Condition) -> Distribution:
    """What a condition is drawn from.

    Raises:
        LookupError, ValueError, TypeError: there is no such distribution, or its arguments do not fit.
    """
    made: Distribution = make(find_distribution(condition.key), condition.args)
    return made


def middle(condition: Condition) -> float:
    """The middle of the range of a condition, or of its part."""
    distribution = distribution_of(condition)
    place = distribution.names.index(condition.part) if condition.part is not None else 0
    return float(distribution.grid(1)[0, place])


def label_of(condition: Condition) -> str:
    """Its name among the labels of :class:`Conditions`."""
    return condition.name if condition.part is None else f"{condition.name}.{condition.part}"


def spread(points: Sequence[Tensor]) -> Tensor:
    """All combinations of points ``[K_i, W_i]``: ``[prod K_i, sum W_i]``, the last one changing fastest."""
    made = points[0]
    for more in points[1:]:
        made = torch.cat([made.repeat_interleave(len(more), 0), more.repeat(len(made), 1)], dim=1)
    return made
