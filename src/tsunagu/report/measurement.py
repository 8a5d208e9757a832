"""The figures and tables of a measurement: templates, systematic uncertainties, and what a physicist checks first."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from tsunagu.analysis.counts import Array
from tsunagu.analysis.significance import scan_cuts
from tsunagu.analysis.systematics import Scored
from tsunagu.analysis.templates import DIRECTIONS, to_uhi
from tsunagu.files import write_bytes
from tsunagu.report.checks import (
    draw_correlations,
    draw_importance,
    draw_inputs,
    draw_overtraining,
)
from tsunagu.report.style import (
    BACKGROUND,
    PALETTE,
    SIGNAL,
    Drawing,
    canvas,
    dress,
    label_rows,
    long_table,
    save,
)
from tsunagu.studies import Measurement

__all__ = ["draw_cuts", "draw_ranking", "draw_systematic", "draw_templates", "write_measurement"]

MOST = 12
"""Systematic uncertainties in the figure of the ranking."""
UP, DOWN = PALETTE[1], PALETTE[0]


def write_measurement(measured: Measurement, folder: Path) -> list[Path]:
    """Write ``workspace.json``, ``templates.json``, ``summary.json`` and all figures with their numbers.

    Raises:
        ResumeError: a file cannot be written.
        DataError: hist is not installed.
    """
    texts = {
        "workspace.json": json.dumps(measured.workspace, indent=2) + "\n",
        "templates.json": to_uhi(measured.templates) + "\n",
        "summary.json": json.dumps(_summary(measured), indent=2) + "\n",
    }
    for path in folder.glob("systematic_*"):  # of an earlier analysis, with other uncertainties
        path.unlink(missing_ok=True)
    for name, text in texts.items():
        write_bytes(folder / name, text.encode())
    written = [folder / name for name in texts]
    for name, draw in _drawings(measured).items():
        written += save(draw(), folder / name)
    return written


def _drawings(measured: Measurement) -> dict[str, Callable[[], Drawing]]:
    found: dict[str, Callable[[], Drawing]] = {
        "templates": partial(draw_templates, measured),
        "cuts": partial(draw_cuts, measured),
        "overtraining": partial(draw_overtraining, measured),
        "importance": partial(draw_importance, measured),
    }
    if measured.variables:
        found |= {
            "inputs": partial(draw_inputs, measured),
            "correlations": partial(draw_correlations, measured),
        }
    if measured.ranking:
        found["ranking"] = partial(draw_ranking, measured)
    return found | {
        f"systematic_{name}": partial(draw_systematic, measured, name) for name in measured.templates.shifts
    }


def _summary(measured: Measurement) -> dict[str, object]:
    return {
        "name": measured.name,
        "method": measured.method,
        "trials": [each.trial.folder.name for each in measured.nominal.trained],
        "expected": asdict(measured.expected),
        "in_quadrature": asdict(measured.quadrature),
        "ranking": [asdict(each) for each in measured.ranking],
        "effects": [asdict(each) for each in measured.effects],
        "yields": dict(
            zip(measured.templates.processes, measured.templates.nominal.sums.sum(1).tolist(), strict=True)
        ),
        "notes": list(measured.templates.notes),
    }


def draw_templates(measured: Measurement) -> Drawing:
    """Expected events by bin and process, stacked, with all uncertainties in quadrature, and the significance of each bin."""
    templates = measured.templates
    figure, panels = canvas(2, sharex=True, gridspec_kw={"height_ratios": [3.2, 1]})
    order = [*templates.rows(signal=False), *templates.rows(signal=True)]
    places = np.arange(templates.bins + 1.0)
    below = np.zeros(templates.bins)
    for p in order:
        top = below + templates.nominal.sums[p]
        color = _color(measured, p)
        panels[0].stairs(
            top, places, baseline=below, fill=True, color=color, alpha=0.85, label=templates.processes[p]
        )
        below = top
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


def draw_systematic(measured: Measurement, name: str) -> Drawing:
    """Varied over nominal templates of each process, up and down; the grey band is the nominal statistical error."""
    templates, shift = measured.templates, measured.templates.shifts[name]
    count = len(templates.processes)
    figure, panels = canvas(count, sharex=True, size=(7.2, 1.2 + 2.2 * count))
    places, parts = np.arange(templates.bins + 1.0), []
    for p, axes in enumerate(panels):
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
        last = p == count - 1
        dress(
            axes,
            x="Bin of the score" if last else "",
            left=measured.name if p == 0 else "",
            right=name if p == 0 else "",
            legend={"ncols": 3, "loc": "upper center", "fontsize": 10},
        )
        axes.set_ylabel(
            f"{templates.processes[p]}\nvaried / nominal", loc="center", fontsize=11, parse_math=False
        )
    return Drawing(figure=figure, numbers=long_table(parts))


def draw_ranking(measured: Measurement) -> Drawing:
    """The systematic uncertainties by their impact on the fitted signal strength, and what each costs in significance."""
    shown = list(measured.ranking[:MOST])
    figure, (axes,) = canvas(size=(7.8, 1.9 + 0.42 * max(len(shown), 3)))
    for row, each in enumerate(shown):
        for impact, color, hatch, label in ((each.impact_up, UP, "", "+1 standard deviation"), (each.impact_down, DOWN, "///", "-1 standard deviation")):  # fmt: skip
            axes.barh(
                row,
                impact,
                height=0.55,
                color=color,
                alpha=0.75,
                hatch=hatch,
                edgecolor="white",
                label=label if row == 0 else None,
            )
    axes.axvline(0.0, color="#333333", linewidth=1.0)
    size = 1.15 * max((max(abs(each.impact_up), abs(each.impact_down)) for each in shown), default=1.0)
    axes.set_xlim(-size, size)
    label_rows(axes, [each.name for each in shown], [f"{-each.cost:+.3f}" for each in shown], above=2)
    dress(
        axes,
        x="Impact on the signal strength",
        left=measured.name,
        right="Change of Z",
        legend={"loc": "upper left", "ncols": 2, "fontsize": 11},
    )
    return Drawing(figure=figure, numbers=_columns([asdict(each) for each in measured.ranking]))


def draw_cuts(measured: Measurement) -> Drawing:
    """Efficiencies and purity above a cut on the score, and the Asimov significance of what is left."""
    events, uncertainty = measured.events, measured.analysis.binning.uncertainty
    scan = scan_cuts(events.score, is_signal(measured, events), events.weight, uncertainty=uncertainty)
    figure, panels = canvas(2, sharex=True, gridspec_kw={"height_ratios": [1.2, 1]})
    for values, label, color, dashes in (
        (scan.signal_efficiency, "signal efficiency", SIGNAL, "-"),
        (scan.background_efficiency, "background efficiency", BACKGROUND, (0, (4, 1.2))),
        (scan.purity, "purity S / (S + B)", PALETTE[2], (0, (1.2, 1.2))),
    ):
        panels[0].plot(scan.cut, values, color=color, linestyle=dashes, linewidth=1.8, label=label)
    panels[0].set(ylim=(0, 1.35))
    panels[1].plot(scan.cut, scan.significance, color=PALETTE[6], linewidth=1.8)
    panels[1].axvline(scan.cut[scan.best], color="#777777", linewidth=1.0, linestyle=":")
    _limit_y(panels[1], scan.significance)
    best = f"best cut {scan.cut[scan.best]:.3f}: Z = {scan.significance[scan.best]:.2f}"
    dress(
        panels[0],
        left=measured.name,
        right=f"{measured.method}, test events",
        legend={"loc": "upper center", "ncols": 3, "fontsize": 10},
    )
    dress(panels[1], x="Cut on the score", y="Significance", right=best)
    return Drawing(
        figure=figure,
        numbers={
            name: getattr(scan, name)
            for name in ("cut", "signal_efficiency", "background_efficiency", "purity", "significance")
        },
    )


def is_signal(measured: Measurement, events: Scored) -> NDArray[np.bool_]:
    """Whether each event is of a signal process."""
    return np.isin(events.process, measured.templates.rows(signal=True))


def _limit_y(axes: Axes, values: Array) -> None:
    if np.isfinite(values).any():
        axes.set(ylim=(0, 1.2 * float(np.nanmax(values))))


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


def _columns(rows: Sequence[Mapping[str, ArrayLike]]) -> dict[str, ArrayLike]:
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
