"""What data say of the uncertainties of a measurement."""

from __future__ import annotations

import numpy as np

from tsunagu.analysis.fitting import Fit
from tsunagu.analysis.workspace import STATISTICS, STRENGTH
from tsunagu.report.style import PALETTE, Drawing, canvas, dress, label_rows
from tsunagu.studies import Measurement

__all__ = ["draw_pulls"]

MOST = 16
"""Parameters in the figure."""


def draw_pulls(measured: Measurement, found: Fit) -> Drawing:
    """Where the fit to data moves each uncertainty, in units of its error, and what error is left of it.

    Statistical errors of bins are left out.

    Args:
        measured: gives the name.
        found: the fit of its workspace to what was observed.
    """
    shown = [
        each
        for each in found.parameters
        if each.name != STRENGTH and STATISTICS not in each.name and np.isfinite(each.pull)
    ][:MOST]
    strength = found[STRENGTH]
    figure, (axes,) = canvas(size=(7.8, 1.9 + 0.42 * max(len(shown), 3)))
    axes.axvspan(-2.0, 2.0, color="#eeeeee")
    axes.axvspan(-1.0, 1.0, color="#d8d8d8")
    axes.axvline(0.0, color="#333333", linewidth=1.0)
    for row, each in enumerate(shown):
        axes.errorbar(each.pull, row, xerr=each.constraint, fmt="o", color=PALETTE[0], capsize=3)
    reach = max([2.5, *(abs(each.pull) + each.constraint + 0.3 for each in shown)])
    axes.set_xlim(-reach, reach)
    label_rows(axes, [each.name for each in shown], [f"{each.pull:+.2f}" for each in shown], above=1)
    right = f"μ = {strength.value:.2f} ± {strength.error:.2f}"
    dress(axes, x="Pull, in standard deviations before the fit", left=measured.name, right=right)
    names = ("name", "value", "error", "pull", "constraint")
    rows = [strength, *shown]
    return Drawing(figure=figure, numbers={n: np.array([getattr(each, n) for each in rows]) for n in names})
