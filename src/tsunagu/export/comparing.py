"""How far numbers of one model in two programs are apart, in a measure that suits what they are.

A logit is compared as the probability that it stands for, absolutely. Everything else (a momentum, an energy) is compared
relative to its size, or absolutely where it is below 1.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tsunagu.errors import TsunaguError
from tsunagu.export.module import PROBABILITY, Deployed

__all__ = ["LIMIT", "check_difference", "difference", "rounding"]

LIMIT = 1e-6
"""The largest difference of two programs in single precision."""
Array = NDArray[Any]


def difference(kind: str, one: Array, other: Array) -> float:
    """The largest difference of ``[E, ...]`` numbers; infinite where one is not a number and the other is.

    >>> one, other = np.array([0.0, 3.0]), np.array([4e-6, 3.0])
    >>> f"{difference('logit', one, other):.1e}", f"{difference('plain', 50 + one, 50 + other):.1e}"
    ('1.0e-06', '8.0e-08')
    """
    if one.shape != other.shape or not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return float("inf")
    parts = (np.where(np.isfinite(x), x, 0.0).astype(np.float64) for x in (one, other))
    first, second = parts
    if kind == PROBABILITY:
        first, second = _probability(first), _probability(second)
        return float(np.abs(first - second).max(initial=0.0))
    size = np.maximum(1.0, np.maximum(np.abs(first), np.abs(second)))
    return float((np.abs(first - second) / size).max(initial=0.0))


def rounding(
    module: Deployed, columns: Mapping[str, Tensor], kinds: Mapping[str, str], made: Mapping[str, Tensor]
) -> dict[str, float]:
    """How well torch itself knows its numbers in single precision: their difference to double precision.

    Args:
        module: in single precision.
        columns: ``[E, ...]`` by name.
        kinds: of the outputs.
        made: what the module makes of the columns.

    Returns:
        For each output; 0 where a model cannot be run in double precision.
    """
    double = {n: c.double() if c.is_floating_point() else c for n, c in columns.items()}
    try:
        exact = copy.deepcopy(module).double().outputs_for(double)
    except (RuntimeError, TypeError, TsunaguError):
        return dict.fromkeys(made, 0.0)
    return {name: difference(kinds[name], value.numpy(), exact[name].numpy()) for name, value in made.items()}


def check_difference(
    where: str, found: Mapping[str, float], known: Mapping[str, float], limit: float = LIMIT
) -> list[str]:
    """Sentences about outputs that differ by more than the limit, and by more than twice what torch itself rounds away.

    >>> check_difference("a.onnx", {"score": 3e-6}, {"score": 1e-7})
    ['a.onnx: score differs from torch by 3.0e-06; 1.0e-06 is the limit (torch itself rounds to 1.0e-07)']
    >>> check_difference("a.onnx", {"score": 3e-6}, {"score": 2e-6})
    []
    """
    return [
        f"{where}: {name} differs from torch by {value:.1e}; {max(limit, 2 * known.get(name, 0.0)):.1e} is the limit "
        f"(torch itself rounds to {known.get(name, 0.0):.1e})"
        for name, value in found.items()
        if not value <= max(limit, 2 * known.get(name, 0.0))
    ]


def _probability(values: Array) -> Array:
    if values.ndim == 1 or values.shape[1] == 1:
        chance: Array = 1.0 / (1.0 + np.exp(-np.clip(values, -700.0, 700.0)))
        return chance
    shares: Array = np.exp(values - values.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares
