"""Metrics by name: ``auc(score, is_higgs)``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, final

from numpy.typing import ArrayLike, NDArray

from tsunagu.errors import DataError, Mistake, SpecError, did_you_mean
from tsunagu.metrics.known import find_metric
from tsunagu.metrics.working_point import WorkingPoint

__all__ = ["MetricCall", "parse_metric"]

_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\(([^()]*)\)\s*")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_SETTING = re.compile(r"([A-Za-z_]\w*)\s*=\s*([\w.+-]+)")
_READ = {"int": re.compile(r"\d{1,9}"), "float": re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")}


@final
@dataclass(frozen=True, kw_only=True)
class MetricCall:
    """A metric and the names of what it is taken of; made by :func:`parse_metric`.

    Args:
        name: of the metric.
        arguments: prediction and target: outputs of tasks or columns.
        settings: of the metric, such as ``("class", 1)``.

    >>> import numpy as np
    >>> call = parse_metric("auc(vis_mass, is_higgs)")
    >>> call.evaluate({"vis_mass": np.array([91.0, 125.0]), "is_higgs": np.array([0, 1])}, None)
    1.0
    """

    name: str
    arguments: tuple[str, str]
    settings: tuple[tuple[str, float], ...] = ()

    @property
    def label(self) -> str:
        """The name of the result, such as ``auc``."""
        return self.name

    @property
    def words(self) -> tuple[str, ...]:
        """The name, the settings and the arguments: what may tell it from others, in this order.

        >>> parse_metric("rejection(score, y, class=1, at=0.5)").words
        ('rejection', 'class1', 'at0.5', 'score', 'y')
        """
        return (self.name, *(f"{name}{value:g}" for name, value in self.settings), *self.arguments)

    @property
    def larger_is_better(self) -> bool:
        """Whether a larger value is a better one."""
        return find_metric(self.name).larger_is_better

    def __str__(self) -> str:
        settings = (f"{name}={value!r}" for name, value in self.settings)
        return f"{self.name}({', '.join((*self.arguments, *settings))})"

    def point(self, values: Mapping[str, NDArray[Any]], weight: ArrayLike | None) -> WorkingPoint | None:
        """The working point that these events give, to be used on others; None for a metric without one.

        Args:
            values: as for :meth:`evaluate`; of validation events.
            weight: ``[E]``, signed; None for 1.

        Raises:
            DataError: values that it is not defined for; the message names the call.
        """
        metric = find_metric(self.name)
        if not metric.has_point:
            return None
        prediction, target = (values[name] for name in self.arguments)
        defaults = {"at": 0.5} if self.name == "rejection" else {}
        try:
            return metric.choose(prediction, target, weight, **defaults | self._keywords)
        except DataError as error:
            message = f"{self}: {error}"
            raise DataError(message) from error

    @property
    def _keywords(self) -> dict[str, Any]:
        return {"class_" if name == "class" else name: value for name, value in self.settings}

    def evaluate(
        self,
        values: Mapping[str, NDArray[Any]],
        weight: ArrayLike | None,
        point: WorkingPoint | None = None,
    ) -> float:
        """The metric of these events.

        Args:
            values: name to array ``[E, ...]``; the arguments must be among them.
            weight: ``[E]``, signed; None for 1.
            point: a working point that was chosen on other events; by default these events choose it.

        Raises:
            DataError: values that the metric is not defined for; the message names the call.
        """
        prediction, target = (values[name] for name in self.arguments)
        chosen = {} if point is None else {"point": point}
        try:
            return find_metric(self.name).function(prediction, target, weight, **self._keywords, **chosen)
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


def parse_metric(text: str) -> MetricCall:
    """Read ``name(prediction, target, setting=number)``; nothing is evaluated as code.

    Args:
        text: the name of a metric, two names of columns or outputs, and settings where the metric has some.

    Raises:
        SpecError: the text has another form, or there is no such metric or setting.

    >>> parse_metric("auc(score, is_higgs)").arguments
    ('score', 'is_higgs')
    >>> parse_metric("efficiency(logits, flavour, class=2)").settings
    (('class', 2),)
    """
    found = _CALL.fullmatch(text)
    if found is None:
        _refuse(f"expected a metric such as 'auc(score, is_higgs)', found '{text}'")
    name, parts = found[1], [part.strip() for part in found[2].split(",")]
    find_metric(name)
    written = [part for part in parts if "=" in part]
    arguments = [part for part in parts if "=" not in part]
    if len(arguments) != 2 or parts[:2] != arguments or not all(map(_NAME.fullmatch, arguments)):
        _refuse(f"{name} takes two names, its prediction and its target, found '{found[2].strip()}'")
    settings = tuple(_read(name, part) for part in written)
    if len(dict(settings)) < len(settings):
        _refuse(f"{name}: a setting is given twice in '{text}'")
    return MetricCall(name=name, arguments=(arguments[0], arguments[1]), settings=settings)


def _read(metric: str, text: str) -> tuple[str, float]:
    found, known = _SETTING.fullmatch(text), find_metric(metric).settings
    if found is None:
        _refuse(f"{metric}: expected a setting such as class=1, found '{text}'")
    if found[1] not in known:
        nearest = did_you_mean(found[1], known) if known else "; it has none"
        _refuse(f"{metric}: unknown setting '{found[1]}'{nearest}")
    kind = "int" if "int" in known[found[1]] else "float"
    if not _READ[kind].fullmatch(found[2]):
        wanted = "a whole number from 0" if kind == "int" else "a number"
        _refuse(f"{metric}: {found[1]} must be {wanted}, found '{found[2]}'")
    return found[1], int(found[2]) if kind == "int" else float(found[2])


def _refuse(message: str) -> NoReturn:
    raise SpecError([Mistake(("metric",), message)])
