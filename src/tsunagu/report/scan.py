"""What the methods of a scan come to along their number, and beside them the study's other methods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import ArrayLike

from tsunagu.report.outcome import Method, Outcome
from tsunagu.report.points import points_of
from tsunagu.report.rates import Quantity, rates
from tsunagu.report.scans import Scan
from tsunagu.report.stored import Array, Undrawable
from tsunagu.report.style import PALETTE, Drawing, canvas, dress, long_table

__all__ = ["Measured", "draw_scan", "measure"]

MARKERS = ("o", "s", "D", "^", "v", "P", "X")
WIDTH, COLUMN = 7.6, 0.42
"""Inches of the scan, and of another method beside it."""
HEIGHTS = {1: 5.6, 2: 7.6}
"""Inches, by the number of rows."""


@final
@dataclass(frozen=True, kw_only=True)
class Measured:
    """One quantity of K methods: mean and sample standard deviation over seeds, each ``[K]``; NaN where nothing is known."""

    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    mean: Array
    deviation: Array


@final
@dataclass(frozen=True, kw_only=True)
class _Row:
    """Quantities of one axis, each with its color and marker."""

    label: str
    quantities: Sequence[tuple[Quantity, str, str]]


def measure(methods: Sequence[Method], quantity: Quantity) -> Measured:
    """The quantity of each method; a trial without a finite number is left out."""
    found = [_finite(method, quantity) for method in methods]
    return Measured(
        methods=tuple(method.name for method in methods),
        seeds=tuple(map(len, found)),
        mean=np.array([values.mean() if len(values) else np.nan for values in found]),
        deviation=np.array([values.std(ddof=1) if len(values) > 1 else 0.0 for values in found]),
    )


def _finite(method: Method, quantity: Quantity) -> Array:
    try:
        values = quantity.of(method)
    except Undrawable:
        return np.array([])
    kept: Array = values[np.isfinite(values)]
    return kept


def draw_scan(outcome: Outcome, scan: Scan) -> Drawing:
    """The accuracy of each class and of all events, and below it the study's metric, against the number that is varied.

    Bands and bars are one standard deviation over seeds. A method that has this number as its only condition is a line with a band, and those
    with one value are points on it; without one, these are the line. The methods that are no part of either stand at the right.
    Without an output that classifies there is the metric alone.

    Raises:
        Undrawable: fewer than two methods of the scan have results.
    """
    inside = {
        value: method for value, name in scan.points for method in outcome.methods if method.name == name
    }
    if len(inside) < 2:
        msg = f"fewer than two values of {scan.parameter} have results"
        raise Undrawable(msg)
    others = [method for method in outcome.methods if method not in inside.values()]
    lines = dict(_lines(others, scan.parameter))
    others = [method for method in others if method.name not in lines]
    rows, left_out = _rows_of(outcome)
    figure, panels = _panels(len(rows), len(others))
    numbers: list[Mapping[str, ArrayLike]] = []
    for row, (along, *beside) in zip(rows, panels, strict=True):
        for line in lines.values():
            numbers += _draw_line(along, row, line)
        numbers += _draw_points(along, row, inside) if lines else _draw_line(along, row, inside, marked=True)
        _scale(along, scan)
        for axes in beside:
            numbers += _draw_beside(axes, row, others)
    _label(outcome, scan, rows, panels, others, ", ".join(lines))
    figure.align_ylabels()
    return Drawing(figure=figure, numbers=long_table(numbers), left_out=left_out)


def _rows_of(outcome: Outcome) -> tuple[list[_Row], tuple[str, ...]]:
    column = outcome.metric_column("test")
    metric = Quantity(name=str(outcome.metric), short=outcome.short, of=lambda method: method.values(column))
    last = _Row(label=str(outcome.metric), quantities=[(metric, "black", "P")])
    output = next((output for output in outcome.outputs if output.classifies), None)
    try:
        found = [] if output is None else rates(outcome, output)
    except Undrawable as reason:
        return [last], (str(reason),)
    looks = [(each, PALETTE[n % len(PALETTE)], MARKERS[n % len(MARKERS)]) for n, each in enumerate(found)]
    return [*([_Row(label="Accuracy", quantities=looks)] if looks else []), last], ()


def _panels(rows: int, others: int) -> tuple[Figure, list[list[Axes]]]:
    """For each row the panel of the scan and, where there are other methods, the one of these."""
    # A heading needs the room of three.
    widths = [WIDTH, *([COLUMN * max(others, 3)] if others else [])]
    ratios = {"width_ratios": widths, "height_ratios": [2.0, 1.0][-rows:] if rows > 1 else [1.0]}
    size = (sum(widths), HEIGHTS[rows])
    figure, panels = canvas(rows, len(widths), size=size, sharex="col", sharey="row", gridspec_kw=ratios)
    return figure, [panels[start : start + len(widths)] for start in range(0, len(panels), len(widths))]


def _lines(methods: Sequence[Method], parameter: str) -> Iterator[tuple[str, dict[float, Method]]]:
    """The methods whose only condition is the number, at each of their values."""
    for method in methods:
        found = points_of(method)
        if found is not None and list(found.conditions) == [parameter]:
            yield method.name, dict(zip(found.conditions[parameter].tolist(), found.methods, strict=True))


def _draw_line(
    axes: Axes, row: _Row, inside: Mapping[float, Method], *, marked: bool = False
) -> Iterator[Mapping[str, ArrayLike]]:
    values = np.array(list(inside))
    for quantity, color, marker in row.quantities:
        found = measure(list(inside.values()), quantity)
        low, high = found.mean - found.deviation, found.mean + found.deviation
        look: dict[str, Any] = {"marker": marker, "markersize": 6} if marked else {}
        axes.fill_between(values, low, high, color=color, alpha=0.2, linewidth=0)
        axes.plot(values, found.mean, color=color, linewidth=1.8, label=quantity.name, **look)
        yield _numbers(quantity, found, values)


def _draw_points(axes: Axes, row: _Row, inside: Mapping[float, Method]) -> Iterator[Mapping[str, ArrayLike]]:
    values = np.array(list(inside))
    for quantity, color, marker in row.quantities:
        found = measure(list(inside.values()), quantity)
        axes.errorbar(
            values, found.mean, found.deviation, fmt=marker, markersize=6, linewidth=1.4, color=color
        )
        yield _numbers(quantity, found, values)


def _scale(axes: Axes, scan: Scan) -> None:
    least = {"linthresh": scan.values[scan.values > 0].min()} if scan.scale == "symlog" else {}
    axes.set_xscale(scan.scale, **least)


def _draw_beside(axes: Axes, row: _Row, others: Sequence[Method]) -> Iterator[Mapping[str, ArrayLike]]:
    places, last = np.arange(len(others)), len(row.quantities) - 1
    for number, (quantity, color, marker) in enumerate(row.quantities):
        found = measure(others, quantity)
        bar: dict[str, Any] = {"fmt": marker, "markersize": 6, "linewidth": 1.6, "color": color}
        axes.errorbar(places + 0.16 * (number - last / 2), found.mean, found.deviation, **bar)
        yield _numbers(quantity, found, np.full(len(others), np.nan))


def _label(
    outcome: Outcome,
    scan: Scan,
    rows: Sequence[_Row],
    panels: Sequence[Sequence[Axes]],
    others: Sequence[Method],
    lines: str,
) -> None:
    seeds = len(outcome.methods[0].trials)
    for row, (axes, *_) in zip(rows, panels, strict=True):
        _make_room(axes, len(row.quantities) if row is rows[0] else 0)
        dress(axes, y=row.label)
    spread = f"mean and deviation of {seeds} {outcome.methods[0].unit}" if seeds > 1 else ""
    spread += f"\nlines: {lines}; points: one value each" if lines else ""
    legend = {"title": spread.strip(), "loc": "upper left"}
    dress(panels[0][0], y=rows[0].label, left=outcome.name, right="test events", legend=legend)
    dress(panels[-1][0], x=scan.parameter, y=rows[-1].label)
    if others:
        _name(panels, [each.name for each in others])


def _make_room(axes: Axes, lines: int) -> None:
    """Space above the points for a legend with so many lines and a title."""
    axes.margins(y=0.08)
    bottom, top = axes.get_ylim()
    share = 0.06 * (lines + 1) if lines else 0.0
    axes.set_ylim(bottom, top + (top - bottom) * share / (1 - share))
    ticks = np.asarray(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(bottom, top))
    axes.set_yticks(ticks[(ticks >= bottom) & (ticks <= top)])
    axes.yaxis.minorticks_off()


def _name(panels: Sequence[Sequence[Axes]], names: Sequence[str]) -> None:
    dress(panels[0][1], right="other methods")
    axes = panels[-1][1]
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=11)
    for panel in (row[1] for row in panels):
        panel.xaxis.set_minor_locator(NullLocator())
        panel.tick_params(axis="x", top=False)
        for place in range(1, len(names)):
            panel.axvline(place - 0.5, color="#dddddd", linewidth=0.8, zorder=0)


def _numbers(quantity: Quantity, found: Measured, values: Array) -> Mapping[str, ArrayLike]:
    return {
        "quantity": quantity.short,
        "method": np.array(found.methods),
        "value": values,
        "mean": found.mean,
        "deviation": found.deviation,
        "seeds": np.array(found.seeds),
    }
