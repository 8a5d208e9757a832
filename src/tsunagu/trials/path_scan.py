"""What the paths of a supernet are worth at each value of its conditions.

Legend: ``A`` architectures, ``K`` points.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tsunagu.errors import Mistake, ResumeError, SpecError, did_you_mean
from tsunagu.files import write_bytes
from tsunagu.metrics import MetricCall
from tsunagu.spec import Architecture

__all__ = ["FILE", "LOSS", "PathScan", "read_paths", "write_paths"]

FILE = "paths.csv"
LOSS = "loss"
"""Beside the metrics, the sum of the losses at each value: of architectures it can be compared, of values not."""
CHOICE, CONDITION = "choice:", "condition:"
Array = NDArray[np.float64]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class PathScan:
    """Architectures at values of the conditions: metrics on validation events, with the weights of one supernet.

    Args:
        architectures: A of them.
        conditions: ``[K]`` by name, ``trade.calibrate`` for a part.
        metrics: ``[A, K]`` by short name, that of the study first and the loss last.
        calls: what the short names stand for.
    """

    architectures: tuple[Architecture, ...]
    conditions: Mapping[str, Array]
    metrics: Mapping[str, Array]
    calls: Mapping[str, MetricCall]

    def __len__(self) -> int:
        return len(next(iter(self.conditions.values())))

    def winners(self, metric: str | None = None) -> tuple[Architecture, ...]:
        """The best architecture at each of the K points; of equal ones the first.

        Args:
            metric: by short name, or ``loss``; that of the study by default.

        Raises:
            SpecError: there is no such metric.
        """
        short = next(iter(self.metrics)) if metric is None else metric
        if short not in self.metrics:
            found = f"there is no metric '{short}'{did_you_mean(short, self.metrics)}"
            raise SpecError([Mistake(("winners",), found)])
        return tuple(self.architectures[number] for number in self.costs(short).argmin(axis=0))

    def costs(self, metric: str) -> Array:
        """What is smaller for a better architecture, ``[A, K]``."""
        values = self.metrics[metric]
        if metric == LOSS:
            return np.nan_to_num(values, nan=np.inf)
        costs: Array = np.vectorize(self.calls[metric].cost, otypes=[float])(values)
        return costs


def write_paths(path: Path, scan: PathScan) -> None:
    """A line for each architecture and point."""
    labels = list(dict.fromkeys(label for each in scan.architectures for label in each))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            *(CHOICE + label for label in labels),
            *(CONDITION + label for label in scan.conditions),
            *scan.metrics,
        ]
    )
    for number, architecture in enumerate(scan.architectures):
        decided = [architecture.get(label, "") for label in labels]
        for point in range(len(scan)):
            values = [float(each[point]) for each in scan.conditions.values()]
            writer.writerow([*decided, *values, *(float(m[number, point]) for m in scan.metrics.values())])
    write_bytes(path, text.getvalue().encode())


def read_paths(path: Path, calls: Mapping[str, MetricCall]) -> PathScan:
    """What :func:`write_paths` wrote.

    Args:
        path: of the file.
        calls: the metrics by short name, as they were written.

    Raises:
        ResumeError: the file is missing or damaged.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        return _scan(lines, calls)
    except (OSError, ValueError, KeyError, TypeError, IndexError, csv.Error) as error:
        msg = f"{path}: cannot be read ({error}); remove the trial's folder to search again"
        raise ResumeError(msg) from error


def _scan(lines: Sequence[Mapping[str, Any]], calls: Mapping[str, MetricCall]) -> PathScan:
    decided = [_named(line, CHOICE) for line in lines]
    architectures = tuple(
        dict.fromkeys(Architecture({k: v for k, v in each.items() if v}) for each in decided)
    )
    points = len(lines) // len(architectures)
    conditions = [_named(line, CONDITION) for line in lines[:points]]
    return PathScan(
        architectures=architectures,
        conditions={name: np.array([float(each[name]) for each in conditions]) for name in conditions[0]},
        metrics={
            short: np.array([float(line[short]) for line in lines]).reshape(len(architectures), points)
            for short in (*calls, LOSS)
        },
        calls=dict(calls),
    )


def _named(line: Mapping[str, str], start: str) -> dict[str, str]:
    return {name.removeprefix(start): value for name, value in line.items() if name.startswith(start)}
