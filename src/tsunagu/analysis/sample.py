"""Events of simulation or of data, to be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tsunagu.analysis.counts import Array, as_events
from tsunagu.errors import DataError

__all__ = ["Sample", "check_alike"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Events of simulation or data.

    Args:
        variables: by name, ``[E]``.
        weight: ``[E]``, signed; their sum is positive.
        event_number: ``[E]``, which decides the fold.
    """

    variables: Mapping[str, Array]
    weight: Array
    event_number: NDArray[np.int64]

    def __post_init__(self) -> None:
        as_events("comparison", weight=self.weight, event_number=self.event_number, **self.variables)
        if not self.variables or self.weight.sum() <= 0:
            msg = f"comparison: variables, and weights with a positive sum, are needed; found {len(self.variables)} and {self.weight.sum():g}"
            raise DataError(msg)

    @property
    def matrix(self) -> Array:
        """The variables ``[E, V]``."""
        return np.stack(list(self.variables.values()), axis=1).astype(np.float64)


def check_alike(simulation: Sample, data: Sample) -> None:
    """See that both have the same variables, in the same order.

    Raises:
        DataError: they have not.
    """
    if list(simulation.variables) != list(data.variables):
        msg = f"comparison: simulation has {', '.join(simulation.variables)} and data {', '.join(data.variables)}; give both the same"
        raise DataError(msg)
