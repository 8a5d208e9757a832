"""All metrics, by the name under which a study file calls them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import final

from tsunagu.errors import Mistake, SpecError, did_you_mean
from tsunagu.metrics.classes import (
    average_precision,
    balanced_accuracy,
    efficiency,
    purity,
    rejection,
)
from tsunagu.metrics.classification import accuracy, auc
from tsunagu.metrics.distances import ks
from tsunagu.metrics.regression import bias, mae, mse, resolution
from tsunagu.metrics.significance import ams, best_cut, significance
from tsunagu.metrics.working_point import WorkingPoint, working_point

__all__ = ["Metric", "find_metric", "known_metrics"]


@final
@dataclass(frozen=True, kw_only=True)
class Metric:
    """A function of prediction ``[E, ...]``, target ``[E, ...]``, weight ``[E]``, and what is a good value.

    Args:
        function: called with numpy arrays, and with the settings of a call as keyword arguments. One that takes ``point`` is
            given the working point that was chosen on validation events.
        meaning: half a sentence for whoever reads the number in a table.
        larger_is_better: False for errors.
        best: the value that nothing beats; None for the end of the scale. A bias is best at 0, not at its
            smallest.
        choose: chooses the working point on validation events; called with what ``function`` is called with, settings included.
    """

    function: Callable[..., float]
    meaning: str
    larger_is_better: bool
    best: float | None = None
    choose: Callable[..., WorkingPoint] = working_point

    @property
    def settings(self) -> dict[str, str]:
        """What a call may set, with its type: ``{"class": "int"}``."""
        found = list(signature(self.function).parameters.values())[3:]
        return {p.name.removesuffix("_"): str(p.annotation) for p in found if p.name != "point"}

    @property
    def has_point(self) -> bool:
        """Whether it is taken at a working point."""
        return "point" in signature(self.function).parameters


_METRICS: dict[str, Metric] = {
    "accuracy": Metric(
        function=accuracy, meaning="the share of events that are given their own class", larger_is_better=True
    ),
    "ams": Metric(
        function=ams,
        meaning="the approximate median significance above a cut, in standard deviations, with events added to the background",
        larger_is_better=True,
        choose=best_cut,
    ),
    "auc": Metric(
        function=auc,
        meaning="how often a signal event scores above a background event; 0.5 is chance, 1 is perfect",
        larger_is_better=True,
    ),
    "average_precision": Metric(
        function=average_precision,
        meaning="the purity, averaged over all efficiencies; the share of the class is chance",
        larger_is_better=True,
    ),
    "balanced_accuracy": Metric(
        function=balanced_accuracy,
        meaning="the share of events that are given their own class, averaged over classes",
        larger_is_better=True,
    ),
    "bias": Metric(
        function=bias,
        meaning="the median of predicted over true pt, minus 1; 0.02 is 2 % too high",
        larger_is_better=False,
        best=0.0,
    ),
    "efficiency": Metric(
        function=efficiency, meaning="the share of a class that is called that class", larger_is_better=True
    ),
    "ks": Metric(
        function=ks,
        meaning="the largest distance of the efficiencies of signal and background at any cut",
        larger_is_better=True,
    ),
    "mae": Metric(function=mae, meaning="the mean absolute error", larger_is_better=False),
    "mse": Metric(function=mse, meaning="the mean squared error", larger_is_better=False),
    "purity": Metric(
        function=purity,
        meaning="the share of what is called a class that is of that class",
        larger_is_better=True,
    ),
    "rejection": Metric(
        function=rejection,
        meaning="1 over the share of the other classes that passes, at an efficiency of the class",
        larger_is_better=True,
    ),
    "resolution": Metric(
        function=resolution,
        meaning="half the width of the central 68 % of predicted over true pt, over its median; 0.1 is 10 %",
        larger_is_better=False,
    ),
    "significance": Metric(
        function=significance,
        meaning="the Asimov significance of what is above a cut, in standard deviations, without systematic uncertainties but that of the background",
        larger_is_better=True,
        choose=best_cut,
    ),
}


def known_metrics() -> list[str]:
    """The names of all metrics.

    >>> known_metrics()[:3]
    ['accuracy', 'ams', 'auc']
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
