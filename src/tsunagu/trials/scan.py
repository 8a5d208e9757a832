"""Predictions of a trained network at many values of its conditions, and the choice among them.

Legend: ``K`` points, ``E`` events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tsunagu.errors import Mistake, SpecError
from tsunagu.metrics import MetricCall, parse_metric

__all__ = ["Chosen", "Objective", "Scan", "choose", "metric_rows"]

Array = NDArray[Any]
Objective = str | Callable[[Mapping[str, Array]], float]
"""A metric such as ``efficiency(logits, is_tau, class=1)``, or a function of arrays ``[E, ...]`` by name, outputs, columns
and ``weight``, that is the larger the better."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Scan:
    """One split of the events, at K values of the conditions.

    Args:
        split: ``validation`` or ``test``.
        conditions: ``[K]`` by name, ``trade.calibrate`` for a part.
        predictions: ``[K, E, ...]`` by output.
        columns: ``[E, ...]`` by name: targets, and what else was small enough to be kept.
        weight: ``[E]``, the physics weight.
        metrics: for each point the pipeline's metrics; working points are those of validation events.
    """

    split: str
    conditions: Mapping[str, Array]
    predictions: Mapping[str, Array]
    columns: Mapping[str, Array]
    weight: Array
    metrics: Sequence[Mapping[str, float]]

    def __len__(self) -> int:
        return len(next(iter(self.conditions.values())))

    def at(self, place: int) -> dict[str, Array]:
        """All arrays ``[E, ...]`` of one point, by name."""
        own = {name: values[place] for name, values in self.predictions.items()}
        return {**self.columns, **own, "weight": self.weight}

    def point(self, place: int) -> dict[str, float]:
        """The values of the conditions at one point, by name."""
        return {name: float(values[place]) for name, values in self.conditions.items()}


@final
@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The point that is best on validation events.

    Args:
        conditions: its values by name.
        validation: the objective there, on the events that chose it.
        test: the same on the test events, which had no part in the choice.
        values: the objective on validation events at all points, ``[K]``.
    """

    conditions: Mapping[str, float]
    validation: float
    test: float
    values: tuple[float, ...]


def choose(objective: Objective, validation: Scan, test: Scan) -> Chosen:
    """The point of a scan with the best objective on validation events, and what it is on test events.

    Args:
        objective: a metric, whose direction is known, or a function to be maximised.
        validation: the points.
        test: the same points.

    Raises:
        SpecError: no such metric, or names that are not in the scan.
    """
    measure = _Measure(objective, [*validation.predictions, *validation.columns])
    found = [measure(validation, validation, place) for place in range(len(validation))]
    costs = [measure.cost(value) for value in found]
    best = int(np.argmin(costs))
    return Chosen(
        conditions=validation.point(best),
        validation=found[best],
        test=measure(test, validation, best),
        values=tuple(found),
    )


def metric_rows(calls: Mapping[str, MetricCall], scan: Scan, validation: Scan) -> list[dict[str, float]]:
    """The metrics at each point, by their short names."""
    return [
        {short: _evaluated(call, scan, validation, place) for short, call in calls.items()}
        for place in range(len(scan))
    ]


@final
class _Measure:
    def __init__(self, objective: Objective, names: Sequence[str]) -> None:
        self._call = parse_metric(objective) if isinstance(objective, str) else None
        self._function = objective
        if self._call is not None and (mistakes := self._call.check(names)):
            raise SpecError([Mistake(("objective",), mistake.message) for mistake in mistakes])

    def __call__(self, scan: Scan, validation: Scan, place: int) -> float:
        if self._call is not None:
            return _evaluated(self._call, scan, validation, place)
        assert callable(self._function)
        return float(self._function(scan.at(place)))

    def cost(self, value: float) -> float:
        """What is minimised."""
        if self._call is not None:
            return self._call.cost(value)
        return np.inf if np.isnan(value) else -value


def _evaluated(call: MetricCall, scan: Scan, validation: Scan, place: int) -> float:
    point = call.point(validation.at(place), validation.weight)
    return call.evaluate(scan.at(place), scan.weight, point)
