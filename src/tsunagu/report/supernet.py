"""What architectures are worth in a supernet, against what they are worth when each is trained alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from tsunagu.errors import DataError
from tsunagu.metrics import kendall_tau
from tsunagu.report.outcome import CHOICE, Method, Outcome
from tsunagu.report.stored import Array, Row, Undrawable
from tsunagu.report.style import PALETTE, Drawing, canvas, dress, long_table

__all__ = ["Cloud", "clouds", "draw_supernet"]

MARKERS = ("o", "s", "D", "^")
MOST = 12
"""Searches that the legend names one by one."""


@final
@dataclass(frozen=True, kw_only=True)
class Cloud:
    """The architectures of one search that were trained alone too, with the same seed.

    Args:
        place: seed and fold, as the legend shows them.
        supernet: ``[A]`` validation metrics with the weights of the supernet.
        alone: ``[A]`` of the trainings alone.
        chosen: ``[A]``, true for what the search came to.
        architectures: as text.
    """

    place: str
    supernet: Array
    alone: Array
    chosen: NDArray[np.bool_]
    architectures: tuple[str, ...]

    @property
    def tau(self) -> float:
        """Kendall's tau of the two, or not a number where they are no rankings."""
        finite = np.isfinite(self.supernet) & np.isfinite(self.alone)
        return kendall_tau(self.supernet[finite], self.alone[finite]) if finite.sum() > 1 else np.nan


def clouds(outcome: Outcome, method: Method) -> list[Cloud]:
    """One for each search of a method.

    Raises:
        Undrawable: no two architectures of a search have both values.
        DataError: a value is not a number.
    """
    places: dict[str, list[Row]] = {}
    for row in outcome.agreements:
        if row["method"] == method.name:
            places.setdefault(_place(row), []).append(row)
    if not any(len(rows) > 1 for rows in places.values()):
        msg = (
            f"method {method.name}: no two of its architectures were trained alone with the same settings and seed, or it "
            "compared them at other values of the conditions"
        )
        raise Undrawable(msg)
    taken = {_place(row): row["digest"] for row in method.rows}
    return [_cloud(place, rows, taken.get(place, "")) for place, rows in places.items()]


def _place(row: Row) -> str:
    return ", ".join([f"seed {row['seed']}", *([row["fold"]] if row.get("fold") else [])])


def _cloud(place: str, rows: Sequence[Row], chosen: str) -> Cloud:
    try:
        supernet, alone = (np.array([float(row[name]) for row in rows]) for name in ("supernet", "alone"))
    except ValueError as error:
        msg = f"supernet.csv: {place}: {error}; run the study again"
        raise DataError(msg) from error
    return Cloud(
        place=place,
        supernet=supernet,
        alone=alone,
        chosen=np.array([row["digest"] == chosen for row in rows]),
        architectures=tuple(_words(row) for row in rows),
    )


def _words(row: Row) -> str:
    return ", ".join(option for name, option in row.items() if name.startswith(CHOICE) and option)


def draw_supernet(outcome: Outcome, method: Method) -> Drawing:
    """A point an architecture, a colour a search; what a search came to has a ring.

    Raises:
        Undrawable: no two architectures of a search have both values.
    """
    found = clouds(outcome, method)
    figure, (axes,) = canvas()
    for number, cloud in enumerate(found):
        _plot(axes, cloud, number, named=len(found) <= MOST)
    _draw_diagonal(axes)
    axes.scatter([], [], s=110, facecolors="none", edgecolors="black", linewidths=1.2, label="chosen")
    taus = np.array([cloud.tau for cloud in found])
    known = taus[np.isfinite(taus)]
    mean = f"mean \N{GREEK SMALL LETTER TAU} {known.mean():.2f}" if len(known) else "no ranking"
    metric = f"validation {outcome.short.replace('_', ' ')}"
    legend: Mapping[str, Any] = {
        "title": "Kendall's \N{GREEK SMALL LETTER TAU} of each seed",
        "loc": "best",
        "fontsize": 10,
    }
    heading = {"left": outcome.name, "right": f"{method.name}, {mean}"}
    dress(axes, x=f"In the supernet: {metric}", y=f"Trained alone: {metric}", **heading, legend=legend)
    return Drawing(figure=figure, numbers=long_table([_rows(cloud) for cloud in found]))


def _plot(axes: Axes, cloud: Cloud, number: int, *, named: bool) -> None:
    look: dict[str, Any] = {
        "color": PALETTE[number % len(PALETTE)],
        "marker": MARKERS[number // len(PALETTE) % len(MARKERS)],
        "edgecolors": "white",
        "linewidths": 0.6,
    }
    tau = f"{cloud.tau:.2f}" if np.isfinite(cloud.tau) else "\N{EN DASH}"
    label = f"{cloud.place}  {tau}" if named else None
    axes.scatter(cloud.supernet, cloud.alone, s=36, label=label, zorder=3, **look)
    ring = cloud.supernet[cloud.chosen], cloud.alone[cloud.chosen]
    axes.scatter(*ring, s=110, facecolors="none", edgecolors=look["color"], linewidths=1.2, zorder=2)


def _draw_diagonal(axes: Axes) -> None:
    """Where both values are equal."""
    axes.margins(0.08)
    x, y = axes.get_xlim(), axes.get_ylim()
    ends = [max(x[0], y[0]), min(x[1], y[1])]
    if ends[0] < ends[1]:
        axes.plot(ends, ends, color="black", linewidth=0.8, linestyle=":")
    axes.set(xlim=x, ylim=y)


def _rows(cloud: Cloud) -> dict[str, ArrayLike]:
    return {
        "search": cloud.place,
        "architecture": np.array(cloud.architectures),
        "supernet": cloud.supernet,
        "alone": cloud.alone,
        "chosen": cloud.chosen.astype(int),
        "kendall_tau": cloud.tau,
    }
