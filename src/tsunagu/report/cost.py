"""What each method costs, and what it comes to."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from tsunagu.report.outcome import Method, Outcome
from tsunagu.report.stored import Undrawable, each_drawable
from tsunagu.report.style import BASELINE, Drawing, canvas, dress, line, long_table
from tsunagu.studies.statistics import LEVEL, Spread

__all__ = ["draw_cost"]

COLUMNS = 2
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "p")


def draw_cost(outcome: Outcome) -> Drawing:
    """The study's metric on the test events against the cost of a method, in trainings; a point a method.

    Raises:
        Undrawable: no method has both.
    """
    column = outcome.metric_column("test")
    found, left_out = each_drawable(lambda method: _point(method, column), outcome.listed)
    figure, (axes,) = canvas()
    for method, cost, spread in found:
        look: dict[str, Any] = {
            "color": line(method.number).color,
            "marker": MARKERS[method.number % len(MARKERS)],
        }
        ends = spread.interval if len(spread.values) > 2 else None
        bar = None if ends is None else [[spread.mean - ends[0]], [ends[1] - spread.mean]]
        label = f"{method.name}  {cost:.3g}"
        axes.errorbar(
            [cost], [spread.mean], bar, label=label, markersize=8, linestyle="none", linewidth=1.4, **look
        )
    for baseline in outcome.baselines:
        if len(values := baseline.values(column)):
            axes.axhline(
                values.mean(), color=BASELINE, linewidth=1.4, linestyle=(0, (3, 1.5)), label=baseline.name
            )
    low, high = min(cost for _, cost, _ in found), max(cost for _, cost, _ in found)
    axes.set(xscale="log", xlim=(low / 1.35, high * 1.35))
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(y=0.08)
    # Room for the legend, since bars may stand anywhere below it.
    share = 0.06 * (1 + math.ceil(len(axes.get_legend_handles_labels()[0]) / COLUMNS))
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom, top + (top - bottom) * share / (1 - share))
    bars = any(len(spread.values) > 2 for _, _, spread in found)
    y = f"{outcome.metric}" + (f", mean and {100 * LEVEL:.0f} % interval" if bars else ", mean")
    heading = {"left": outcome.name, "right": "test events"}
    legend = {"title": "method and cost", "loc": "upper center", "fontsize": 11, "ncols": COLUMNS}
    dress(axes, x="Cost for each seed [trainings]", y=y, **heading, legend=legend)
    numbers = long_table([_row(*each) for each in found])
    return Drawing(figure=figure, numbers=numbers, left_out=left_out)


def _point(method: Method, column: str) -> tuple[Method, float, Spread]:
    values = method.values(column)
    finite = values[np.isfinite(values)]
    if method.cost is None or not len(finite):
        msg = f"method {method.name} has no {'cost' if method.cost is None else column}"
        raise Undrawable(msg)
    return method, method.cost, Spread(values=tuple(finite.tolist()))


def _row(method: Method, cost: float, spread: Spread) -> dict[str, Any]:
    low, high = spread.interval or (np.nan, np.nan)
    numbers = {"cost": [cost], "mean": [spread.mean], "low": [low], "high": [high]}
    return {"method": method.name, **numbers, "trainings": [len(spread.values)]}
