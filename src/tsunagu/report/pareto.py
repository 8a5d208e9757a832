"""What each weight or aggregator makes of two objectives at once: the Pareto front, its volume and the chosen point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tsunagu.metrics import MetricCall
from tsunagu.report.front import Front, front_of, objectives, table_of
from tsunagu.report.outcome import Method, Outcome
from tsunagu.report.points import Points, points_of
from tsunagu.report.stored import Array
from tsunagu.report.style import PALETTE, SIZE, Drawing, canvas, dress

__all__ = ["bulk", "draw_pareto"]

GREY = "#777777"
LETTER, HIGH = 0.013, 0.036
"""How much room a letter and a line of a name take, as shares of the frame."""
BESIDE = (
    (1, 0.5),
    (-1, 0.5),
    (0, 1.3),
    (0, -1.3),
    (1, 1.5),
    (-1, 1.5),
    (1, -1.5),
    (-1, -1.5),
    (0, 2.4),
    (0, -2.4),
)
"""Where a name may stand, best first: right, middle or left of its point; by how many lines above it."""
FAR = 1.5
"""Points are outside of the bulk beyond so many times its width."""

Limits = tuple[tuple[float, float], tuple[float, float]]


def draw_pareto(outcome: Outcome) -> Drawing:
    """Every pair of metrics: all methods, the front by the validation events, the chosen point; methods with conditions as a line.

    Bars are standard deviations over seeds. Of one pair whose points crowd there is a second panel with these alone, where bars are
    standard errors of the means; there both ends of a line have the value of its first condition.

    Raises:
        Undrawable: there is no front.
    """
    front, left_out = front_of(outcome)
    pairs = list(combinations(range(len(front.names)), 2))
    scans = [(method, points) for method in front.methods if (points := points_of(method)) is not None]
    lines = [_along(front, points, 0, 1) for _, points in scans]
    near = bulk(front.test, front.errors, lines) if len(pairs) == 1 else None
    panels = len(pairs) + (near is not None)
    figure, drawn = canvas(1, panels, size=(SIZE[0] * (1.0 if panels == 1 else 2.2), SIZE[1]))
    calls = objectives(outcome)
    for axes, (x, y) in zip(drawn, [*pairs, *pairs], strict=False):
        is_near = near is not None and axes is drawn[-1]
        _draw_conditioned(axes, front, scans, x, y)
        _draw(axes, front, x, y, front.errors if is_near else front.spread)
        _frame(axes, near if is_near else None)
        lines = [_along(front, points, x, y) for _, points in scans]
        _name_points(axes, front, (x, y), lines, near if axes is drawn[0] else None)
        if is_near:
            _name_ends(axes, [points for _, points in scans], lines)
        _dress(
            axes,
            front,
            [calls[front.names[place]] for place in (x, y)],
            outcome.name if axes is drawn[0] else "",
            is_near,
        )
    if near is not None:
        _outline(drawn[0], near)
    return Drawing(figure=figure, numbers=table_of(front), left_out=left_out)


def bulk(points: Array, errors: Array, lines: Sequence[Array] = ()) -> Limits | None:
    """The limits of where most of the points ``[N, 2]`` are, if the others are far from there; None where all belong together.

    Args:
        points: of the methods.
        errors: of the points, ``[N, 2]``: what is nearer than two of them is not far.
        lines: points ``[K, 2]`` that are shown too as far as they are near.

    >>> crowd = np.array([[0.90, 0.20], [0.91, 0.21], [0.92, 0.22], [0.93, 0.21], [0.94, 0.20]])
    >>> more = np.vstack([crowd, [[0.5, 0.7]]])
    >>> bulk(crowd, 0.0 * crowd) is None, bulk(more, 0.0 * more) is None
    (True, False)
    """
    low, high = np.quantile(points, [0.25, 0.75], axis=0)
    room = np.maximum(FAR * (high - low), 2.0 * np.median(errors, axis=0))
    low, high = low - room, high + room
    inside = ((points >= low) & (points <= high)).all(1)
    if inside.all() or inside.sum() < 3:
        return None
    every = np.vstack([points, *lines])
    kept = every[((every >= low) & (every <= high)).all(1)]
    edge = 0.25 * np.maximum(np.ptp(kept, axis=0), 1e-3 * np.abs(kept).max(0))
    (left, bottom), (right, top) = kept.min(0) - edge, kept.max(0) + edge
    return (float(left), float(right)), (float(bottom), float(top))


def _draw(axes: Axes, front: Front, x: int, y: int, ends: Array) -> None:
    points, on = front.test, front.on
    look: dict[str, Any] = {"linestyle": "none", "capsize": 0, "elinewidth": 0.6, "markersize": 5}
    for chosen, color, marker, label in (
        (~on, GREY, "o", "others"),
        (on, PALETTE[0], "s", "front, by the validation events"),
    ):
        if chosen.any():
            bars = {"xerr": ends[chosen, x], "yerr": ends[chosen, y]}
            _, _, lines = axes.errorbar(
                points[chosen, x], points[chosen, y], **bars, color=color, marker=marker, label=label, **look
            )
            for line in lines:
                line.set_alpha(0.5)
    order = np.argsort(points[on, x])
    axes.plot(points[on, x][order], points[on, y][order], color=PALETTE[0], linewidth=1.0, alpha=0.6)
    best = front.chosen
    axes.plot(
        *(points[best, place] for place in (x, y)),
        color=PALETTE[1],
        marker="*",
        markersize=16,
        linestyle="none",
        label=f"chosen: {front.methods[best].name}",
        zorder=5,
    )


def _draw_conditioned(
    axes: Axes, front: Front, scans: Sequence[tuple[Method, Points]], x: int, y: int
) -> None:
    """What a method with conditions comes to along its scan."""
    for number, (method, points) in enumerate(scans[: len(PALETTE) - 2]):
        label = f"{method.name}, along its conditions"
        look: dict[str, Any] = {"marker": ".", "linewidth": 1.6, "linestyle": ("-", "--")[number % 2]}
        axes.plot(*_along(front, points, x, y).T, color=PALETTE[2 + number], label=label, **look)


def _along(front: Front, points: Points, x: int, y: int) -> Array:
    columns = [f"test_{front.names[place]}" for place in (x, y)]
    return np.array([[own.values(column).mean() for column in columns] for own in points.methods])


def _frame(axes: Axes, limits: Limits | None) -> None:
    if limits is not None:
        axes.set_xlim(*limits[0])
        axes.set_ylim(*limits[1])
        return
    axes.margins(0.12)
    # Room for the legend, since bars may stand anywhere below it.
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top + 0.5 * (top - bottom))


def _outline(axes: Axes, limits: Limits) -> None:
    """Where the other panel is."""
    (left, right), (bottom, top) = limits
    look: dict[str, Any] = {"fill": False, "edgecolor": GREY, "linewidth": 0.8, "linestyle": ":"}
    axes.add_patch(Rectangle((left, bottom), right - left, top - bottom, **look))


def _dress(axes: Axes, front: Front, calls: Sequence[MetricCall], name: str, is_near: bool) -> None:
    heading = {"left": name, "right": "test events"} if name else {}
    if is_near:
        heading = {"right": "the dotted part; bars are standard errors of the means"}
    legend = {"loc": "upper left", "fontsize": 11, "title": _words(front)} if name else None
    dress(axes, x=str(calls[0]), y=str(calls[1]), **heading, legend=legend)


def _name_points(
    axes: Axes, front: Front, pair: tuple[int, int], lines: Sequence[Array], elsewhere: Limits | None
) -> None:
    """The name of each method beside its point, where there is room for it; first the chosen one and the front.

    Args:
        axes: with its limits.
        front: the methods.
        pair: the metric that goes to the right, and the one that goes up.
        lines: points ``[K, 2]`` that no name shall cover.
        elsewhere: points within are named in another panel.
    """
    points = front.test[:, pair]
    places = axes.transAxes.inverted().transform(axes.transData.transform(np.vstack([points, *lines])))
    taken = _Taken(places)
    for number in sorted(range(len(points)), key=lambda n: (n != front.chosen, not front.on[n], n)):
        if not _is_within(places[number], ((0.0, 1.0), (0.0, 1.0))):
            continue
        if elsewhere is not None and _is_within(points[number], elsewhere):
            continue
        taken.put(axes, front.methods[number].name, places[number])


def _name_ends(axes: Axes, scans: Sequence[Points], lines: Sequence[Array]) -> None:
    """The first condition at both ends of each line."""
    for number, (points, along) in enumerate(zip(scans, lines, strict=True)):
        values = next(iter(points.conditions.values()))
        for place in (int(values.argmin()), int(values.argmax())):
            at: dict[str, Any] = {"xytext": (4, -12), "textcoords": "offset points", "annotation_clip": True}
            color = PALETTE[2 + number % (len(PALETTE) - 2)]
            axes.annotate(f"{values[place]:g}", along[place], color=color, fontsize=9, **at)


class _Taken:
    """Where names cannot stand: on points and on other names."""

    def __init__(self, places: NDArray[Any]) -> None:
        self._boxes = [(x - 0.008, x + 0.008, y - 0.01, y + 0.01) for x, y in places]

    def put(self, axes: Axes, name: str, place: NDArray[Any]) -> None:
        for box in _boxes(name, *map(float, place)):
            if not any(_meet(box, other) for other in self._boxes):
                self._boxes.append(box)
                axes.text(box[0], box[2], name, transform=axes.transAxes, fontsize=9)
                return


def _boxes(name: str, across: float, up: float) -> Iterator[tuple[float, float, float, float]]:
    wide = LETTER * len(name)
    for side, lines in BESIDE:
        left = across + (0.015 if side > 0 else -0.5 * wide if side == 0 else -0.015 - wide)
        bottom = up + HIGH * (lines - 0.5) - 0.5 * HIGH
        if left >= 0.01 and left + wide <= 0.99 and bottom >= 0.01 and bottom + HIGH <= 0.99:
            yield left, left + wide, bottom, bottom + HIGH


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def _is_within(point: NDArray[Any], limits: Limits) -> bool:
    return all(low <= float(value) <= high for value, (low, high) in zip(point, limits, strict=True))


def _words(front: Front) -> str:
    corner = ", ".join(f"{value:.4g}" for value in front.reference)
    spread = f" ± {front.volumes.std(ddof=1):.1g}" if len(front.volumes) > 1 else ""
    return f"hypervolume {front.volume:.3g}{spread} from ({corner})"
