"""What the searches of a method know of their paths along a condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from tsunagu.report.outcome import Method, Outcome
from tsunagu.report.scans import DECADES
from tsunagu.report.stored import Array, StoredTrial, read_yaml
from tsunagu.spec import Architecture
from tsunagu.trials import PathScan
from tsunagu.trials.path_scan import FILE, LOSS, read_paths

__all__ = ["Along", "alongs"]

LEAST = 3
"""Values that make a line."""


@final
@dataclass(frozen=True, kw_only=True)
class Along:
    """One number of A architectures along a condition, in S searches.

    Args:
        condition: its name, or that of its first part.
        metric: short name, or ``loss``.
        values: ``[K]`` of the condition, rising.
        architectures: A of them.
        numbers: ``[S, A, K]``; of the loss what is above that of the best architecture of the search.
        costs: ``[S, A, K]``, smaller for a better one.
        point: the value at which the searches compared their paths, where that is known.
        places: seed and fold of each search.
    """

    condition: str
    metric: str
    values: Array
    architectures: tuple[Architecture, ...]
    numbers: Array
    costs: Array
    point: float | None
    places: tuple[str, ...]

    @property
    def winners(self) -> NDArray[np.intp]:
        """Which architecture is best in the mean over searches, ``[K]``."""
        return np.asarray(self.costs.mean(axis=0).argmin(axis=0))

    @property
    def of_each(self) -> NDArray[np.intp]:
        """Which is best in each search, ``[S, K]``."""
        return np.asarray(self.costs.argmin(axis=1))

    @property
    def scale(self) -> str:
        """Of the axis: ``log`` where the values span decades, else ``linear``."""
        return "log" if self.values[0] > 0.0 and self.values[-1] > DECADES * self.values[0] else "linear"


def alongs(outcome: Outcome, method: Method) -> list[Along]:
    """For each condition the study's metric and the loss; nothing without conditions.

    Of several conditions the others have the values at which paths were compared, or those of the grid next to them. Architectures
    that not all searches have judged are left out.

    Raises:
        ResumeError: a file is damaged.
    """
    searches = [search for search in method.searches if (search.folder / FILE).exists()]
    if not searches:
        return []
    scans = [read_paths(search.folder / FILE, outcome.metrics) for search in searches]
    point = _point(searches[0], scans[0])
    names = tuple(f"seed {each.seed}" + (f", {each.fold}" if each.fold else "") for each in searches)
    return [
        _along(scans, places, label, metric, point, names)
        for label, places in _axes(scans[0], point)
        for metric in (outcome.short, LOSS)
    ]


def _axes(scan: PathScan, point: Mapping[str, float]) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """The first number of each condition, and the points where the others stand still; none of a simplex of three."""
    groups: dict[str, list[str]] = {}
    for label in scan.conditions:
        groups.setdefault(label.partition(".")[0], []).append(label)
    for name, labels in groups.items():
        if len(labels) < 3:
            still = np.ones(len(scan), dtype=bool)
            for other in (label for group, own in groups.items() if group != name for label in own):
                distance = np.abs(scan.conditions[other] - point[other])
                still &= distance == distance[still].min()
            places = np.flatnonzero(still)
            values = scan.conditions[labels[0]][places]
            if len(np.unique(values)) >= LEAST:
                yield labels[0], places[values.argsort(kind="stable")]


def _along(
    scans: Sequence[PathScan],
    places: NDArray[np.intp],
    label: str,
    metric: str,
    point: Mapping[str, float],
    names: tuple[str, ...],
) -> Along:
    shared = [
        each for each in scans[0].architectures if all(each in scan.architectures for scan in scans[1:])
    ]
    rows = [[scan.architectures.index(each) for each in shared] for scan in scans]
    taken = [np.ix_(np.array(own), places) for own in rows]
    costs = np.array([scan.costs(metric)[own] for scan, own in zip(scans, taken, strict=True)])
    numbers = np.array([scan.metrics[metric][own] for scan, own in zip(scans, taken, strict=True)])
    return Along(
        condition=label,
        metric=metric,
        values=scans[0].conditions[label][places],
        architectures=tuple(shared),
        numbers=numbers - numbers.min(axis=1, keepdims=True) if metric == LOSS else numbers,
        costs=costs,
        point=point[label],
        places=names,
    )


def _point(search: StoredTrial, scan: PathScan) -> Mapping[str, float]:
    found = read_yaml(search.folder / "search.yaml").get("at", {})
    return {label: float(found.get(label, np.nan)) for label in scan.conditions}
