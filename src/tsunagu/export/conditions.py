"""Conditions of exported chains: their values for events, and what is said of them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tsunagu.errors import DataError, did_you_mean
from tsunagu.export.manifest import Input
from tsunagu.tasks import Conditions

__all__ = ["condition_inputs", "given_values", "spread_over"]

POINTS = 9


def spread_over(conditions: Conditions, events: int) -> dict[str, Tensor]:
    """Values of each condition all over its range, for the events of a check: ``[E]`` or ``[E, W]`` float64.

    >>> from tsunagu.losses.distributions import Uniform
    >>> from tsunagu.tasks.conditions import Declared
    >>> declared = Declared(name="delta", distribution=Uniform(0.0, 4.0), start=0)
    >>> spread_over(Conditions((declared,)), 11)["delta"][:3].tolist()
    [0.0, 0.5, 1.0]
    """
    found = {}
    for place, declared in enumerate(conditions.each):
        grid = declared.distribution.grid(POINTS)
        # Each turns at a speed of its own, so that all combinations come.
        rows = torch.div(torch.arange(events), POINTS**place, rounding_mode="floor") % len(grid)
        found[declared.name] = _narrow(grid[rows], declared.distribution.names)
    return found


def condition_inputs(conditions: Conditions) -> list[Input]:
    """What a manifest says of the open conditions."""
    found = []
    for declared in conditions.each:
        parts = declared.distribution.names
        grid = declared.distribution.grid(POINTS)
        found.append(
            Input(
                name=declared.name,
                dtype="float64",
                shape=[len(parts)] if parts else [],
                columns=list(parts),
                default=declared.distribution.grid(1)[0].tolist(),
                low=grid.min(dim=0).values.tolist(),
                high=grid.max(dim=0).values.tolist(),
            )
        )
    return found


def given_values(inputs: Sequence[Input], at: Mapping[str, Any]) -> dict[str, NDArray[np.float64]]:
    """One value ``[1, ...]`` of each open condition: as given, else the middle of its range.

    A value outside of what was trained gives a warning.

    Args:
        inputs: of a manifest, the conditions among them.
        at: a number by name, or a list or mapping for one of parts.

    Raises:
        DataError: no such condition, or not as many numbers as it has.

    >>> beta = Input(name="beta", dtype="float64", shape=[], default=[0.5], low=[0.0], high=[1.0])
    >>> given_values([beta], {"beta": 0.25}), given_values([beta], {})
    ({'beta': array([0.25])}, {'beta': array([0.5])})
    >>> given_values([beta], {"bta": 0.25})
    Traceback (most recent call last):
    tsunagu.errors.DataError: there is no condition 'bta' (did you mean 'beta'?)
    """
    names = [each.name for each in inputs]
    for name in at:
        if name not in names:
            near = did_you_mean(name, names) if names else "; these models have none"
            msg = f"there is no condition '{name}'{near}"
            raise DataError(msg)
    return {each.name: _given(each, at.get(each.name, each.default)) for each in inputs}


def _given(condition: Input, value: Any) -> NDArray[np.float64]:
    if isinstance(value, Mapping):
        value = [value.get(part) for part in condition.columns]
    try:
        numbers = np.atleast_1d(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        numbers = np.full(0, np.nan)
    if numbers.shape != (len(condition.default),) or not np.isfinite(numbers).all():
        many = f"a number for each of {', '.join(condition.columns)}" if condition.columns else "a number"
        msg = f"{condition.name}: expected {many}, found {value!r}"
        raise DataError(msg)
    if (numbers < condition.low).any() or (numbers > condition.high).any():
        low, high = (", ".join(f"{n:g}" for n in ends) for ends in (condition.low, condition.high))
        warnings.warn(
            f"{condition.name} = {', '.join(f'{n:g}' for n in numbers)} is outside of what was trained, {low} to {high}: the "
            "network has never seen it and may do anything",
            stacklevel=4,
        )
    return numbers if not condition.columns else numbers[None, :]


def _narrow(values: Tensor, parts: Sequence[str]) -> Tensor:
    return values if parts else values[:, 0]
