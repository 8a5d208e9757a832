"""The methods of a study as points of several metrics: which no other beats, the volume below these, and the chosen one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tsunagu.metrics import MetricCall, hypervolume, pareto_front
from tsunagu.report.outcome import Method, Outcome
from tsunagu.report.stored import Array, Undrawable, each_drawable

__all__ = ["Front", "front_of", "objectives", "table_of"]

MOST_OBJECTIVES = 3


@final
@dataclass(frozen=True, kw_only=True)
class Front:
    """The methods of a study as points of several metrics.

    Legend: ``N`` methods, ``T`` metrics.

    Args:
        names: of the metrics, as in the columns of ``results.csv``.
        methods: those with a number of every metric on both splits.
        test: ``[N, T]``, means over seeds on the test events.
        validation: the same on the validation events.
        spread: ``[N, T]``, standard deviations over seeds on the test events; 0 for one seed.
        errors: ``[N, T]``, standard errors of the means on the test events, ``spread`` over the root of the number of seeds.
        on: ``[N]``: whether no other is better in everything, by the *validation* events.
        chosen: the number of the point on the front that is nearest to the best value of each metric, in units of the front's
            width, by the validation events.
        reference: ``[T]``: the worst mean of each metric on the test events, from which volumes are counted.
        volume: of what the front dominates on the test events, in the product of the metrics' units.
        volumes: the same seed by seed, where every method on the front has that seed.
    """

    names: tuple[str, ...]
    methods: tuple[Method, ...]
    test: Array
    validation: Array
    spread: Array
    errors: Array
    on: NDArray[np.bool_]
    chosen: int
    reference: Array
    volume: float
    volumes: Array


def objectives(outcome: Outcome) -> dict[str, MetricCall]:
    """The metrics that are traded against each other: the first one of each output, at most three.

    Raises:
        Undrawable: there are fewer than two.
    """
    outputs = [output.name for output in outcome.outputs]
    known = {outcome.short: outcome.metric} | dict(outcome.metrics)
    found: dict[str, tuple[str, MetricCall]] = {}
    for name, call in known.items():
        judged = next((argument for argument in call.arguments if argument in outputs), None)
        if judged is not None and f"test_{name}" in outcome.columns:
            found.setdefault(judged, (name, call))
    if len(found) < 2:
        msg = "a Pareto front needs a metric of each of two outputs; add one to metrics"
        raise Undrawable(msg)
    return dict(list(found.values())[:MOST_OBJECTIVES])


def front_of(outcome: Outcome) -> tuple[Front, tuple[str, ...]]:
    """The front of a study's methods, and why others are left out.

    Raises:
        Undrawable: there are fewer than two metrics or methods.
    """
    calls = objectives(outcome)
    pairs, left_out = each_drawable(lambda method: (method, _numbers(method, calls)), outcome.methods)
    if len(pairs) < 2:
        msg = "a Pareto front needs at least two methods"
        raise Undrawable(msg)
    numbers = np.array(
        [[each[split] for split in ("test", "validation", "spread", "count")] for _, each in pairs]
    )
    test, validation, spread = numbers[:, 0], numbers[:, 1], numbers[:, 2]
    on = pareto_front(_costs(validation, calls))
    costs = _costs(test, calls)
    reference = costs.max(0)
    methods = tuple(method for method, _ in pairs)
    return Front(
        names=tuple(calls),
        methods=methods,
        test=test,
        validation=validation,
        spread=spread,
        errors=spread / np.sqrt(numbers[:, 3]),
        on=on,
        chosen=_nearest(_costs(validation, calls), on),
        reference=test[costs.argmax(0), range(len(calls))],
        volume=hypervolume(costs[on], reference),
        volumes=_volumes(
            [method for method, is_on in zip(methods, on, strict=True) if is_on], calls, reference
        ),
    ), left_out


def _numbers(method: Method, calls: dict[str, MetricCall]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"test": [], "validation": [], "spread": [], "count": []}
    for name in calls:
        test, validation = (method.values(f"{split}_{name}") for split in ("test", "validation"))
        test, validation = test[np.isfinite(test)], validation[np.isfinite(validation)]
        if not len(test) or not len(validation):
            msg = f"method {method.name} has no {name}"
            raise Undrawable(msg)
        found["test"].append(float(test.mean()))
        found["validation"].append(float(validation.mean()))
        found["count"].append(float(len(test)))
        found["spread"].append(float(test.std(ddof=1)) if len(test) > 1 else 0.0)
    return found


def _costs(values: Array, calls: dict[str, MetricCall]) -> Array:
    each = [
        [call.cost(float(value)) for value in column]
        for call, column in zip(calls.values(), values.T, strict=True)
    ]
    return np.array(each, np.float64).T


def _nearest(costs: Array, on: NDArray[np.bool_]) -> int:
    front = costs[on]
    width = np.ptp(front, axis=0)
    away = (costs - front.min(0)) / np.where(width > 0.0, width, 1.0)
    distance = np.where(on, np.linalg.norm(away, axis=1), np.inf)
    return int(distance.argmin())


def _volumes(methods: Sequence[Method], calls: dict[str, MetricCall], reference: Array) -> Array:
    tables = [[method.by_place(f"test_{name}") for name in calls] for method in methods]
    places = set.intersection(*(set(column) for table in tables for column in table))
    each = [np.array([[column[place] for column in table] for table in tables]) for place in sorted(places)]
    return np.array([hypervolume(_costs(points, calls), reference) for points in each])


def table_of(front: Front) -> dict[str, Any]:
    """Its numbers, a line for each method."""
    numbers: dict[str, Any] = {"method": np.array([method.name for method in front.methods])}
    for place, name in enumerate(front.names):
        numbers[f"test_{name}"] = front.test[:, place]
        numbers[f"spread_{name}"] = front.spread[:, place]
        numbers[f"validation_{name}"] = front.validation[:, place]
        numbers[f"reference_{name}"] = np.full(len(front.methods), front.reference[place])
    return numbers | {
        "on_front": front.on.astype(int),
        "chosen": (np.arange(len(front.methods)) == front.chosen).astype(int),
        "hypervolume": np.full(len(front.methods), front.volume),
    }
