"""Which methods of a study are the points of a scan: they differ in one number of a loss, and in nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from tsunagu.errors import Path
from tsunagu.report.stored import Array
from tsunagu.spec import Study, canonical, to_data, variations, walk
from tsunagu.spec.validation import set_value
from tsunagu.studies.plan import method_name

__all__ = ["Scan", "find_scans"]

LEAST = 3
"""Values that make a scan."""
DECADES = 30.0
"""The ratio of the largest value to the smallest above which an axis is logarithmic."""


@final
@dataclass(frozen=True, kw_only=True)
class Scan:
    """Methods along one number of a loss.

    Args:
        parameter: the name of the number, such as ``one_minus_beta``.
        points: the numbers, rising, each with the name of its method.
    """

    parameter: str
    points: tuple[tuple[float, str], ...]

    @property
    def values(self) -> Array:
        """The numbers, ``[K]``."""
        return np.array([value for value, _ in self.points])

    @property
    def scale(self) -> str:
        """Of the axis: ``log`` where the numbers span decades, ``symlog`` if 0 is one of them, else ``linear``."""
        sizes = self.values[self.values > 0.0]
        if not len(sizes) or self.values[0] < 0.0 or sizes[-1] < DECADES * sizes[0]:
            return "linear"
        return "log" if len(sizes) == len(self.values) else "symlog"


def find_scans(study: Study) -> tuple[Scan, ...]:
    """The scans in the methods and variations of a study, in the order in which they begin.

    >>> from tsunagu.spec import Data, Task, loss, node
    >>> task = Task(inputs=["x"], output="y", model=node("MLP"), loss=loss("focal", target="t"))
    >>> varied = {"tasks.fit.loss.args.gamma": {"none": 0, "some": 1.0, "much": 2.0}}
    >>> study = Study(data=Data(files="a"), tasks={"fit": task}, metric="auc(y, t)", vary=varied)
    >>> find_scans(study)
    (Scan(parameter='gamma', points=((0.0, 'none'), (1.0, 'some'), (2.0, 'much'))),)
    """
    found: dict[tuple[Path, str], dict[float, str]] = {}
    for labels, varied in variations(study):
        # Other folds make no other method.
        data = set_value(to_data(varied), ("data", "folds"), None)
        for path, value in _numbers(varied):
            rest = canonical(set_value(data, path, None))
            found.setdefault((path, rest), {})[value] = method_name(labels)
    return tuple(
        Scan(parameter=str(path[-1]), points=tuple(sorted(points.items())))
        for (path, _), points in found.items()
        if len(points) >= LEAST
    )


def _numbers(study: Study) -> Iterator[tuple[Path, float]]:
    """The numbers among the settings of all losses, with their paths."""
    for name, task in study.tasks.items():
        for path, value in walk(task.loss, ("tasks", name, "loss")):
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield path, float(value)
