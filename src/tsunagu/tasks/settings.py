"""Settings of losses that are conditions or schedules, as plain numbers."""

from __future__ import annotations

from typing import Any

from torch import nn

from tsunagu.layers import reversals
from tsunagu.losses import Curve, Loss, find_curve, find_loss, make
from tsunagu.spec import Condition, LossTerm, Schedule
from tsunagu.tasks.conditions import middle

__all__ = ["at_share", "curve_of", "plain", "plain_loss", "plain_weight", "reverse_at"]


def plain(value: Any) -> Any:
    """A setting as a number: a condition as the middle of its range, a schedule as its end; others as they are.

    >>> from tsunagu.spec import condition, schedule, uniform
    >>> plain(condition("delta", uniform(0.0, 4.0))), plain(schedule("linear", 1.0, 3.0)), plain(0.5)
    (2.0, 3.0, 0.5)
    """
    if isinstance(value, Condition):
        return middle(value)
    return at_share(value, 1.0) if isinstance(value, Schedule) else value


def plain_loss(term: LossTerm) -> Loss:
    """The loss of a term without choices, with plain settings."""
    return find_loss(term.key)(**{name: plain(value) for name, value in term.args.items()})


def plain_weight(weight: Any) -> float:
    """The weight of a loss as a number, or 1 where it is a condition, which multiplies event by event."""
    return 1.0 if isinstance(weight, Condition) else float(plain(weight))


def curve_of(schedule: Schedule) -> Curve:
    """The function that a schedule names.

    Raises:
        LookupError, ValueError, TypeError: there is none, or its arguments do not fit.
    """
    made: Curve = make(find_curve(schedule.key), schedule.args)
    return made


def at_share(schedule: Schedule, share: float) -> float:
    """The number where a share of the epochs of a stage, or all of them, are over."""
    return float(curve_of(schedule).at(min(1.0, share)))


def reverse_at(module: nn.Module, epoch: int, epochs: int) -> None:
    """Give each ``GradientReversal`` whose strength is a schedule that of an epoch, from 0, of a stage of at most ``epochs``."""
    for layer in reversals(module):
        if isinstance(layer.strength, Schedule):
            layer.be(at_share(layer.strength, epoch / max(1, epochs - 1)))
