"""Conditions and schedules as one writes them in Python."""

from __future__ import annotations

from tsunagu.spec.nodes import Node, Value, node
from tsunagu.spec.parameters import Condition, Schedule

__all__ = ["condition", "dirichlet", "log_uniform", "one_minus_log_uniform", "schedule", "simplex", "uniform"]


def condition(
    name: str,
    distribution: Node,
    *,
    part: str | None = None,
    column: str | None = None,
    where: str | None = None,
) -> Condition:
    """A number that is drawn for each event in training, shown to the network, and set by hand afterwards.

    Args:
        name: conditions of one name are one draw.
        distribution: such as :func:`log_uniform`, or ``node("my_package.my_module:MyPrior", ...)``.
        part: which of several numbers of one draw, such as one weight of a :func:`simplex`.
        column: of the table, that holds the value of each event: a physics parameter.
        where: a column that is not 0 for the events that have a value of their own; the others are drawn.

    >>> condition("one_minus_beta", log_uniform(1e-6, 1.0)).args
    [1e-06, 1.0]
    """
    return Condition(name, distribution.key, distribution.args, part=part, column=column, where=where)


def schedule(key: str, /, *positional: Value, **named: Value) -> Schedule:
    """A number that changes with the epochs of a stage.

    >>> schedule("linear", 0.0, 1.0)
    Schedule(key='linear', args=[0.0, 1.0])
    """
    made = node(key, *positional, **named)
    return Schedule(made.key, made.args)


def uniform(low: float, high: float) -> Node:
    """Between two numbers, each as likely as any other."""
    return node("uniform", low, high)


def log_uniform(low: float, high: float) -> Node:
    """Between two positive numbers, each decade as likely as any other."""
    return node("log_uniform", low, high)


def one_minus_log_uniform(low: float, high: float) -> Node:
    """Between two numbers below 1, the distance to 1 being log-uniform; ``beta`` of the class-balanced loss."""
    return node("one_minus_log_uniform", low, high)


def simplex(*parts: str) -> Node:
    """One draw of several numbers of at least 0 whose sum is 1, each as likely as any other: the weights of several losses."""
    return node("simplex", *parts)


def dirichlet(*parts: str, alpha: float) -> Node:
    """The same with more weight at equal numbers (``alpha`` above 1) or at the corners (below)."""
    return node("dirichlet", parts=list(parts), alpha=alpha)
