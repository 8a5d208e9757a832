"""Metrics by name: ``auc(score, is_higgs)``."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

from numpy.typing import ArrayLike, NDArray

from tsunagu.errors import DataError, Mistake, SpecError, did_you_mean
from tsunagu.metrics.classification import accuracy, auc
from tsunagu.metrics.regression import bias, mae, mse, resolution

__all__ = ["Metric", "MetricCall", "find_metric", "known_metrics", "parse_metric"]

_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\(([^()]*)\)\s*")
_NAME = re.compile(r"[A-Za-z_][\w.]*")


@final
@dataclass(frozen=True, kw_only=True)
class Metric:
    """A function of prediction ``[E, ...]``, target ``[E, ...]``, weight ``[E]``, and what is a good value.

    Args:
        function: called with numpy arrays.
        meaning: half a sentence for whoever reads the number in a table.
        larger_is_better: False for errors.
        best: the value that nothing beats; None for the end of the scale. A bias is best at 0, not at its
            smallest.
    """

    function: Callable[[ArrayLike, ArrayLike, ArrayLike | None], float]
    meaning: str
    larger_is_better: bool
    best: float | None = None


_METRICS: dict[str, Metric] = {
    "accuracy": Metric(
        function=accuracy, meaning="the share of events that are given their own class", larger_is_better=True
    ),
    "auc": Metric(
        function=auc,
        meaning="how often a signal event scores above a background event; 0.5 is chance, 1 is perfect",
        larger_is_better=True,
    ),
    "bias": Metric(
        function=bias,
        meaning="the median of predicted over true pt, minus 1; 0.02 is 2 % too high",
        larger_is_better=False,
        best=0.0,
    ),
    "mae": Metric(function=mae, meaning="the mean absolute error", larger_is_better=False),
    "mse": Metric(function=mse, meaning="the mean squared error", larger_is_better=False),
    "resolution": Metric(
        function=resolution,
        meaning="half the width of the central 68 % of predicted over true pt, over its median; 0.1 is 10 %",
        larger_is_better=False,
    ),
}


@final
@dataclass(frozen=True, kw_only=True)
class MetricCall:
    """A metric and the names of what it is taken of; made by :func:`parse_metric`.

    Args:
        name: of the metric.
        arguments: prediction and target: outputs of tasks or columns.

    >>> import numpy as np
    >>> call = parse_metric("auc(vis_mass, is_higgs)")
    >>> call.evaluate({"vis_mass": np.array([91.0, 125.0]), "is_higgs": np.array([0, 1])}, None)
    1.0
    """

    name: str
    arguments: tuple[str, str]

    @property
    def label(self) -> str:
        """The name of the result, such as ``auc``."""
        return self.name

    @property
    def larger_is_better(self) -> bool:
        """Whether a larger value is a better one."""
        return find_metric(self.name).larger_is_better

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"

    def evaluate(self, values: Mapping[str, NDArray[Any]], weight: ArrayLike | None) -> float:
        """The metric of these events.

        Args:
            values: name to array ``[E, ...]``; the arguments must be among them.
            weight: ``[E]``, signed; None for 1.

        Raises:
            DataError: values that the metric is not defined for; the message names the call.
        """
        prediction, target = (values[name] for name in self.arguments)
        try:
            return find_metric(self.name).function(prediction, target, weight)
        except DataError as error:
            message = f"{self}: {error}"
            raise DataError(message) from error

    def cost(self, value: float) -> float:
        """What a choice of the best value minimises: smaller for a better value, infinite for NaN.

        >>> parse_metric("auc(score, y)").cost(0.9), parse_metric("bias(p, t)").cost(-0.2)
        (-0.9, 0.2)
        """
        metric = find_metric(self.name)
        if math.isnan(value):
            return math.inf
        if metric.best is not None:
            return abs(value - metric.best)
        return -value if metric.larger_is_better else value

    def check(self, names: Iterable[str]) -> list[Mistake]:
        """The arguments that are not among these names.

        >>> for mistake in parse_metric("auc(scor, is_higgs)").check({"score", "is_higgs"}):
        ...     print(mistake)
        metric: unknown column or output 'scor' in auc(scor, is_higgs) (did you mean 'score'?)
        """
        valid = set(names)
        return [
            Mistake(("metric",), f"unknown column or output '{name}' in {self}{did_you_mean(name, valid)}")
            for name in self.arguments
            if name not in valid
        ]


def known_metrics() -> list[str]:
    """The names of all metrics.

    >>> known_metrics()
    ['accuracy', 'auc', 'bias', 'mae', 'mse', 'resolution']
    """
    return sorted(_METRICS)


def find_metric(name: str) -> Metric:
    """A metric by its name.

    Raises:
        SpecError: no metric has this name.

    >>> find_metric("auc").larger_is_better
    True
    """
    if name not in _METRICS:
        message = f"unknown metric '{name}'{did_you_mean(name, _METRICS)}"
        raise SpecError([Mistake(("metric",), message)])
    return _METRICS[name]


def parse_metric(text: str) -> MetricCall:
    """Read ``name(prediction, target)``; nothing is evaluated as code.

    Args:
        text: the name of a metric and two names of columns or outputs.

    Raises:
        SpecError: the text has another form, or no metric has this name.

    >>> parse_metric("auc(score, is_higgs)").arguments
    ('score', 'is_higgs')
    """
    found = _CALL.fullmatch(text)
    if found is None:
        message = f"expected a metric such as 'auc(score, is_higgs)', found '{text}'"
        raise SpecError([Mistake(("metric",), message)])
    name, arguments = found[1], [part.strip() for part in found[2].split(",")]
    find_metric(name)
    if len(arguments) != 2 or not all(_NAME.fullmatch(argument) for argument in arguments):
        message = f"{name} takes two names, its prediction and its target, found '{found[2].strip()}'"
        raise SpecError([Mistake(("metric",), message)])
    return MetricCall(name=name, arguments=(arguments[0], arguments[1]))
