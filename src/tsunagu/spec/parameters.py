"""Two values that may stand wherever a loss takes a number: one that is drawn for each event, and one that changes with time.

A :class:`Condition` is drawn in training, shown to the network, and chosen after the training. Conditions of one name are
one draw. A :class:`Schedule` is a function of the epoch. Both are plain data; what they do is in :mod:`tsunagu.losses`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from tsunagu.spec.plain import identity, own

__all__ = ["Condition", "Schedule", "parameter_data"]


@final
@dataclass(frozen=True, eq=False)
class Condition:
    """A number that is drawn for each event in training and set by hand afterwards.

    Args:
        name: conditions of one name are one draw, and must be defined alike.
        key: of the distribution: ``uniform``, ``log_uniform``, ``one_minus_log_uniform``, ``simplex``, ``dirichlet``, or
            ``package.module:Class``.
        args: of the distribution.
        part: which of several numbers of one draw, such as one weight of a simplex.
        column: of the table, that holds the value of each event: a physics parameter.
        where: a column that is not 0 for the events that have a value of their own; the others are drawn.

    >>> Condition("one_minus_beta", "log_uniform", [1e-6, 1.0]).name
    'one_minus_beta'
    """

    name: str
    key: str
    args: Mapping[str, Any] | Sequence[Any] = field(default_factory=dict)
    part: str | None = None
    column: str | None = None
    where: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "args", own(self.args) or {})

    def __eq__(self, other: object) -> bool:
        return identity(self) == identity(other) if isinstance(other, Condition) else NotImplemented

    def __hash__(self) -> int:
        return hash(identity(self))

    @property
    def definition(self) -> object:
        """What all conditions of its name share, hashable."""
        return self.key, identity(self.args), self.column, self.where


@final
@dataclass(frozen=True, eq=False)
class Schedule:
    """A number that changes with the epochs of a stage.

    Args:
        key: ``linear``, ``cosine``, ``exponential`` or ``step``, or ``package.module:Class``.
        args: of it.

    >>> Schedule("linear", [0.0, 1.0]).key
    'linear'
    """

    key: str
    args: Mapping[str, Any] | Sequence[Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "args", own(self.args) or {})

    def __eq__(self, other: object) -> bool:
        return identity(self) == identity(other) if isinstance(other, Schedule) else NotImplemented

    def __hash__(self) -> int:
        return hash(identity(self))


def parameter_data(value: Condition | Schedule, args: Any) -> dict[str, Any]:
    """The plain data of a condition or schedule, whose arguments are plain data already.

    >>> parameter_data(Condition("trade", "simplex", ["a", "b"], part="a"), ["a", "b"])
    {'condition': 'trade', 'simplex': ['a', 'b'], 'part': 'a'}
    """
    if isinstance(value, Schedule):
        return {"schedule": value.key, **({"args": args} if args else {})}
    rest = {name: getattr(value, name) for name in ("part", "column", "where")}
    return {"condition": value.name, value.key: args} | {
        n: part for n, part in rest.items() if part is not None
    }
