"""Which architecture wins at which value of a condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from tsunagu.report.along import Along
from tsunagu.report.outcome import Method, Outcome
from tsunagu.report.stored import Array
from tsunagu.report.style import PALETTE, Drawing, canvas, dress, long_table
from tsunagu.spec import Architecture
from tsunagu.trials.path_scan import LOSS

__all__ = ["draw_winners", "winning"]

SIZE = (7.6, 6.4)
OTHER = "#9a9a9a"
ROWS = 12
"""Searches with a row of their own."""


def draw_winners(outcome: Outcome, method: Method, along: Along) -> Drawing:
    """Above every architecture along the condition, the best at each value thick; below the best of each search.

    Lines are means over searches, the band is one standard deviation around the best. Thin lines in colour are architectures that win
    elsewhere or in one search, grey ones win nowhere.

    Args:
        outcome: of the study.
        method: that searched.
        along: of its searches.
    """
    rows = 1 + min(len(along.numbers), ROWS) if len(along.numbers) > 1 else 1
    ratios = {"height_ratios": [9.0, 0.55 + 0.42 * rows]}
    figure, (above, below) = canvas(2, 1, size=SIZE, sharex=True, gridspec_kw=ratios)
    colors = _colors(along)
    _draw_lines(above, along, colors)
    _draw_strips(below, along, colors)
    for axes in (above, below):
        axes.set_xscale(along.scale)
        axes.set_xlim(along.values[0], along.values[-1])
        if along.point is not None and np.isfinite(along.point):
            axes.axvline(along.point, color="black", linewidth=0.9, linestyle=":", zorder=5)
    _label(outcome, method, along, colors, above, below)
    return Drawing(
        figure=figure, numbers=long_table(list(_numbers(along))), kind="winners", about=_about(along)
    )


def winning(along: Along) -> list[tuple[Architecture, float, float]]:
    """The stretches of the condition in which one architecture wins in the mean: it, the first and the last value."""
    return [
        (along.architectures[number], float(along.values[first]), float(along.values[last]))
        for number, first, last in _runs(along.winners)
    ]


def named(architecture: Architecture) -> str:
    """Its options, in few words.

    >>> named(Architecture({"trunk": "conv", "head": "small"}))
    'conv, small'
    """
    return ", ".join(architecture.values())


def _colors(along: Along) -> dict[int, str]:
    """A colour for each architecture that wins somewhere, also in one search only, in their order along the condition."""
    found = dict.fromkeys([*along.winners.tolist(), *along.of_each.ravel().tolist()])
    return {number: PALETTE[place % len(PALETTE)] for place, number in enumerate(found)}


def _draw_lines(axes: Axes, along: Along, colors: Mapping[int, str]) -> None:
    mean = along.numbers.mean(axis=0)
    for number, line in enumerate(mean):
        look: dict[str, Any] = {"color": colors.get(number, OTHER), "linewidth": 1.1, "zorder": 2}
        axes.plot(along.values, line, alpha=0.8 if number in colors else 0.6, **look)
    edges = _edges(along)
    spread = along.numbers.std(axis=0, ddof=1) if len(along.numbers) > 1 else np.zeros_like(mean)
    for number, first, last in _runs(along.winners):
        x = np.array([edges[first], *along.values[first : last + 1], edges[last + 1]])
        y, width = (_between(along, x, each[number]) for each in (mean, spread))
        axes.fill_between(x, y - width, y + width, color=colors[number], alpha=0.18, linewidth=0, zorder=1)
        axes.plot(x, y, color=colors[number], linewidth=4.0, solid_capstyle="butt", zorder=3)
    axes.margins(y=0.08)
    if along.metric == LOSS and len(mean) > 1:
        # What comes near the best can be told apart; what is far above it leaves the frame.
        near = float(np.sort(mean, axis=0)[1].max())
        axes.set_ylim(-0.2 * near, max(4.0 * near, 1e-12))


def _draw_strips(axes: Axes, along: Along, colors: Mapping[int, str]) -> None:
    edges = _edges(along)
    own = along.of_each[:ROWS] if len(along.of_each) > 1 else along.of_each[:0]
    for row, winners in enumerate([along.winners, *own]):
        for number, first, last in _runs(winners):
            where = {"left": edges[first], "width": edges[last + 1] - edges[first]}
            axes.barh(row, height=0.78 if row else 0.9, color=colors[number], linewidth=0, **where)
    names = ["mean", *along.places[: len(own)]]
    axes.set_yticks(range(len(names)), names if len(own) else ["best"], fontsize=10)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.yaxis.minorticks_off()
    axes.tick_params(axis="y", which="both", left=False, right=False)


def _label(
    outcome: Outcome, method: Method, along: Along, colors: Mapping[int, str], above: Axes, below: Axes
) -> None:
    lines = [
        Line2D([], [], color=c, linewidth=4.0, label=named(along.architectures[n])) for n, c in colors.items()
    ]
    if len(colors) < len(along.architectures):
        lines.append(Line2D([], [], color=OTHER, linewidth=1.1, label="best nowhere"))
    if along.point is not None and np.isfinite(along.point):
        lines.append(Line2D([], [], color="black", linewidth=0.9, linestyle=":", label="compared here"))
    searches = f"mean of {len(along.numbers)} searches, " if len(along.numbers) > 1 else ""
    title = f"{method.name}: {searches}validation events"
    legend = {"handles": lines, "loc": "best", "title": title, "fontsize": 11}
    metric = "Loss above that of the best" if along.metric == LOSS else str(outcome.metric)
    dress(above, y=metric, left=outcome.name, legend=legend)
    dress(below, x=along.condition)


def _runs(winners: NDArray[np.intp]) -> Iterator[tuple[int, int, int]]:
    """Each stretch of one winner: who, the first and the last place."""
    starts = [0, *(np.flatnonzero(np.diff(winners)) + 1).tolist()]
    for first, after in zip(starts, [*starts[1:], len(winners)], strict=True):
        yield int(winners[first]), first, after - 1


def _edges(along: Along) -> Array:
    """Where a value's stretch begins and ends: half-way between the values, on the scale of the axis; ``[K + 1]``."""
    places = _scaled(along, along.values)
    middles = (places[1:] + places[:-1]) / 2
    edges = np.array([places[0], *middles, places[-1]])
    return np.exp(edges) if along.scale == "log" else edges


def _between(along: Along, x: Array, line: Array) -> Array:
    found: Array = np.interp(_scaled(along, x), _scaled(along, along.values), line)
    return found


def _scaled(along: Along, values: Array) -> Array:
    scaled: Array = np.log(values) if along.scale == "log" else values
    return scaled


def _about(along: Along) -> str:
    return f"{'loss' if along.metric == LOSS else along.metric.replace('_', ' ')} along {along.condition}"


def _numbers(along: Along) -> Iterator[Mapping[str, ArrayLike]]:
    several = len(along.numbers) > 1
    for number, architecture in enumerate(along.architectures):
        own = along.numbers[:, number]
        yield {
            "architecture": named(architecture),
            along.condition: along.values,
            "mean": own.mean(axis=0),
            "deviation": own.std(axis=0, ddof=1) if several else np.full(len(along.values), np.nan),
            "searches": len(along.numbers),
            "best": (along.winners == number).astype(int),
            "times_best": (along.of_each == number).sum(axis=0),
        }
