"""What limits a measurement, and what a cut on the score would do instead of bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from tsunagu.analysis.counts import Array
from tsunagu.analysis.significance import scan_cuts
from tsunagu.report.style import BACKGROUND, PALETTE, SIGNAL, Drawing, canvas, dress, label_rows
from tsunagu.report.templates import DOWN, UP
from tsunagu.studies import Measurement

__all__ = ["draw_cuts", "draw_ranking"]

MOST = 12
"""Systematic uncertainties in the figure of the ranking."""


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
    scan = scan_cuts(
        events.score,
        np.isin(events.process, measured.templates.rows(signal=True)),
        events.weight,
        uncertainty=uncertainty,
    )
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


def _limit_y(axes: Axes, values: Array) -> None:
    if np.isfinite(values).any():
        axes.set(ylim=(0, 1.2 * float(np.nanmax(values))))


def _columns(rows: Sequence[Mapping[str, ArrayLike]]) -> dict[str, ArrayLike]:
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
