"""Simulation against data: each variable with a ratio panel, before and after a reweighting."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.analysis.counts import Array, bin_numbers, count_bins
from tsunagu.analysis.distances import chi_square, common_edges
from tsunagu.analysis.sample import Sample
from tsunagu.metrics import ks_test
from tsunagu.report.style import BACKGROUND, BASELINE, SIGNAL, Drawing, canvas, dress, long_table

__all__ = ["draw_comparison"]


def draw_comparison(
    simulation: Sample, data: Sample, factor: Array | None = None, *, name: str = "", bins: int = 20
) -> dict[str, Drawing]:
    """A figure for each variable: data as points, simulation as lines, and their ratio; shapes are compared.

    Args:
        simulation: with its weights.
        data: of the same variables.
        factor: ``[E]``, of a reweighting of the simulation; drawn beside it.
        name: the heading.
        bins: of each variable.
    """
    weights = {"simulation": simulation.weight}
    if factor is not None:
        weights["reweighted"] = simulation.weight * factor
    return {each: _draw(each, simulation, data, weights, name, bins) for each in data.variables}


def _draw(
    variable: str, simulation: Sample, data: Sample, weights: Mapping[str, Array], name: str, bins: int
) -> Drawing:
    values, simulated = data.variables[variable], simulation.variables[variable]
    edges = common_edges(values, data.weight, bins)
    centres, total = (edges[1:] + edges[:-1]) / 2, float(data.weight.sum())
    seen = count_bins(bin_numbers(values, edges), data.weight, len(edges) - 1)
    parts: list[dict[str, ArrayLike]] = [_rows("data", edges, seen.sums, seen.errors)]
    figure, panels = canvas(2, sharex=True, gridspec_kw={"height_ratios": [3, 1.2]})
    looks = {"simulation": (BACKGROUND, (0, (4, 1.2))), "reweighted": (SIGNAL, "-")}
    notes = []
    for label, weight in weights.items():
        scaled = weight * total / weight.sum()
        made = count_bins(bin_numbers(simulated, edges), scaled, len(edges) - 1)
        color, dashes = looks[label]
        panels[0].stairs(made.sums, edges, color=color, linestyle=dashes, linewidth=1.8, label=label)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio, error = seen.sums / made.sums, seen.errors / made.sums
            band = made.errors / made.sums
        panels[1].errorbar(centres, ratio, error, fmt="o", markersize=4, color=color, linewidth=1.2)
        if label == list(weights)[-1]:
            panels[1].stairs(1 + band, edges, baseline=1 - band, fill=True, color="#cccccc", zorder=0)
        test = chi_square(values, data.weight, simulated, weight, edges)
        tail = ks_test(values, simulated, data.weight, weight).probability
        notes.append(f"{label}: chi2 {test.value:.1f} / {test.degrees}, KS p = {tail:.2g}")
        parts.append(_rows(label, edges, made.sums, made.errors))
    panels[0].errorbar(centres, seen.sums, seen.errors, fmt="o", markersize=4.5, color="black", label="data")
    panels[0].set(xlim=(edges[0], edges[-1]), ylim=(0, 1.4 * panels[0].dataLim.ymax))
    panels[1].axhline(1.0, color=BASELINE, linewidth=1.0)
    panels[1].set(ylim=(0.5, 1.5))
    dress(
        panels[0], y="Events", left=name, right="shapes", legend={"title": "\n".join(notes), "fontsize": 10}
    )
    dress(panels[1], x=variable)
    panels[1].xaxis.label.set_parse_math(False)
    panels[1].set_ylabel("Data /\nsimulation", loc="center", fontsize=11)
    return Drawing(figure=figure, numbers=long_table(parts))


def _rows(sample: str, edges: Array, events: Array, error: Array) -> dict[str, ArrayLike]:
    return {"sample": sample, "low": edges[:-1], "high": edges[1:], "events": events, "error": error}
