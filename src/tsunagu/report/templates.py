"""Templates of a measurement, nominal and varied."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from tsunagu.analysis.counts import Array
from tsunagu.analysis.templates import DIRECTIONS
from tsunagu.report.style import PALETTE, SIGNAL, Drawing, canvas, dress, long_table
from tsunagu.studies import Measurement

__all__ = ["DOWN", "UP", "draw_observed", "draw_systematic", "draw_templates"]

UP, DOWN = PALETTE[1], PALETTE[0]


def draw_templates(measured: Measurement) -> Drawing:
    """Expected events by bin and process, stacked, with all uncertainties in quadrature, and the significance of each bin."""
    templates = measured.templates
    figure, panels = canvas(2, sharex=True, gridspec_kw={"height_ratios": [3.2, 1]})
    places = np.arange(templates.bins + 1.0)
    below = _stack(measured, panels[0])
    error = _total_error(measured)
    s, b = templates.total(signal=True).sums, templates.total(signal=False).sums
    panels[0].stairs(s, places, color="black", linestyle=(0, (4, 1.2)), linewidth=1.4, label="signal alone")
    panels[0].stairs(below + error, places, baseline=below - error, fill=True, facecolor="none", hatch="////", edgecolor="#555555", linewidth=0, label="uncertainty")  # fmt: skip
    panels[0].set(
        yscale="log",
        xlim=(0, templates.bins),
        ylim=(0.3 * float(min(below.min(), s.min())), 12 * float(below.max())),
    )
    panels[1].stairs(s / b, places, color=SIGNAL, linewidth=1.8)
    panels[1].set(ylim=(0, 1.25 * float((s / b).max())))
    panels[1].set_xticks(places)
    panels[1].set_xticklabels(
        ["" if len(places) > 12 and i % 2 else f"{edge:.3g}" for i, edge in enumerate(templates.edges)]
    )
    panels[1].xaxis.minorticks_off()
    heading = f"Z = {measured.expected.significance:.2f} expected (pyhf)"
    dress(panels[0], y="Events", left=measured.name, right=heading, legend={"ncols": 2, "loc": "upper right"})
    dress(panels[1], x="Edges of the score" if len(measured.nominal.edges) == 1 else "Bin of the score")
    panels[1].set_ylabel("S / B", loc="center", fontsize=12)
    numbers = [
        {
            "process": name,
            "low": templates.edges[:-1],
            "high": templates.edges[1:],
            "events": templates.nominal.sums[p],
            "statistical_error": np.sqrt(templates.nominal.variances[p]),
        }
        for p, name in enumerate(templates.processes)
    ]
    return Drawing(figure=figure, numbers=long_table(numbers))


def draw_observed(measured: Measurement) -> Drawing:
    """Data over the stacked templates, and their ratio; bins with much signal stay blind."""
    assert measured.observed is not None
    templates, error = measured.templates, _total_error(measured)
    places, total = np.arange(templates.bins + 1.0), templates.nominal.sums.sum(0)
    shown = np.where(measured.closed, np.nan, measured.observed)
    figure, panels = canvas(2, sharex=True, gridspec_kw={"height_ratios": [3, 1.2]})
    _stack(measured, panels[0])
    panels[0].stairs(total + error, places, baseline=total - error, fill=True, facecolor="none", hatch="////", edgecolor="#555555", linewidth=0, label="uncertainty")  # fmt: skip
    centres = (places[1:] + places[:-1]) / 2
    points: dict[str, Any] = {"fmt": "o", "markersize": 5, "color": "black", "linewidth": 1.4}
    panels[0].errorbar(centres, shown, np.sqrt(shown), label="data", **points)
    low = 0.3 * float(total[total > 0].min())
    panels[0].set(yscale="log", xlim=(0, templates.bins), ylim=(low, 12 * float(total.max())))
    panels[1].stairs(1 + error / total, places, baseline=1 - error / total, fill=True, color="#cccccc")
    panels[1].axhline(1.0, color="#777777", linewidth=1.0)
    panels[1].errorbar(centres, shown / total, np.sqrt(shown) / total, **points)
    panels[1].set(ylim=(0.5, 1.5))
    for place in np.flatnonzero(measured.closed).tolist():
        for axes in panels:
            axes.axvspan(place, place + 1, color="#eeeeee", zorder=0 if axes is panels[1] else 3, alpha=0.8)
        panels[1].text(place + 0.5, 1.0, "blind", ha="center", va="center", fontsize=11)
    panels[1].set_xticks(places)
    panels[1].xaxis.minorticks_off()
    dress(
        panels[0],
        y="Events",
        left=measured.name,
        right=measured.method,
        legend={"ncols": 2, "loc": "upper right"},
    )
    dress(panels[1], x="Bin of the score")
    panels[1].set_ylabel("Data /\nsimulation", loc="center", fontsize=11)
    numbers = {"bin": np.arange(templates.bins), "data": shown, "simulation": total, "uncertainty": error}
    return Drawing(figure=figure, numbers=numbers)


def draw_systematic(measured: Measurement, name: str) -> Drawing:
    """Varied over nominal templates of each process that varies, up and down; the grey band is the nominal statistical error."""
    templates, shift = measured.templates, measured.templates.shifts[name]
    shown = _concerned(measured, name)
    count = len(shown)
    figure, panels = canvas(count, sharex=True, size=(7.2, 1.2 + 2.2 * count))
    places, parts = np.arange(templates.bins + 1.0), []
    for row, (p, axes) in enumerate(zip(shown, panels, strict=True)):
        nominal = templates.nominal.sums[p]
        error = np.sqrt(templates.nominal.variances[p]) / nominal
        axes.stairs(
            1 + error, places, baseline=1 - error, fill=True, color="#cccccc", label="statistical error"
        )
        for direction, color in zip(DIRECTIONS, (UP, DOWN), strict=True):
            ratio = shift.of(direction).sums[p] / nominal
            change = shift.of(direction).sums[p].sum() / nominal.sum() - 1
            dashes = "-" if direction == "up" else (0, (4, 1.2))
            axes.stairs(
                ratio,
                places,
                baseline=None,
                color=color,
                linestyle=dashes,
                linewidth=1.8,
                label=f"{direction}, yield {100 * change:+.1f} %",
            )
            parts.append(
                {
                    "process": templates.processes[p],
                    "direction": direction,
                    "low": templates.edges[:-1],
                    "high": templates.edges[1:],
                    "ratio": ratio,
                }
            )
        edge = [1 - error, 1 + error, *(shift.of(end).sums[p] / nominal for end in DIRECTIONS)]
        low, high = float(np.min(edge)), float(np.max(edge))
        axes.set_xticks(places)
        axes.xaxis.minorticks_off()
        axes.set(xlim=(0, templates.bins), ylim=(low - 0.1 * (high - low), high + 0.6 * (high - low)))
        last = row == count - 1
        dress(
            axes,
            x="Bin of the score" if last else "",
            left=measured.name if row == 0 else "",
            right=name if row == 0 else "",
            legend={"ncols": 3, "loc": "upper center", "fontsize": 10},
        )
        axes.set_ylabel(
            f"{templates.processes[p]}\nvaried / nominal", loc="center", fontsize=11, parse_math=False
        )
    return Drawing(figure=figure, numbers=long_table(parts))


def _stack(measured: Measurement, axes: Axes) -> Array:
    """The templates on top of each other, signal last; their sum ``[B]``."""
    templates = measured.templates
    places, below = np.arange(templates.bins + 1.0), np.zeros(templates.bins)
    for p in [*templates.rows(signal=False), *templates.rows(signal=True)]:
        top, color = below + templates.nominal.sums[p], _color(measured, p)
        axes.stairs(
            top, places, baseline=below, fill=True, color=color, alpha=0.85, label=templates.processes[p]
        )
        below = top
    return below


def _concerned(measured: Measurement, name: str) -> list[int]:
    """The processes that a variation changes, or all where it changes none."""
    nominal, shift = measured.templates.nominal.sums, measured.templates.shifts[name]
    moved = [
        p
        for p in range(len(nominal))
        if any((shift.of(end).sums[p] != nominal[p]).any() for end in DIRECTIONS)
    ]
    return moved or list(range(len(nominal)))


def _color(measured: Measurement, p: int) -> str:
    name = measured.templates.processes[p]
    if name in measured.templates.signals:
        return SIGNAL
    others = [c for c in PALETTE if c != SIGNAL]
    return others[measured.templates.rows(signal=False).index(p) % len(others)]


def _total_error(measured: Measurement) -> Array:
    templates, luminosity = measured.templates, measured.analysis.luminosity
    total = templates.nominal.sums.sum(0)
    shifts = [(s.up.sums.sum(0) - s.down.sums.sum(0)) / 2 for s in templates.shifts.values()]
    variance = templates.nominal.variances.sum(0) + (luminosity * total) ** 2
    return np.asarray(np.sqrt(sum((shift**2 for shift in shifts), variance)))
