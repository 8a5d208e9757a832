"""Simulation against data: each variable with a ratio panel, before and after a reweighting."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.analysis.counts import Array, bin_numbers, count_bins
from tsunagu.analysis.distances import chi_square, common_edges
from tsunagu.analysis.sample import Sample
from tsunagu.files import write_bytes
from tsunagu.metrics import ks_test
from tsunagu.report.album import write_album
from tsunagu.report.slugs import slugs_of
from tsunagu.report.style import BACKGROUND, BASELINE, SIGNAL, Drawing, canvas, dress, long_table
from tsunagu.studies import Comparison

__all__ = ["draw_comparison", "write_comparison"]


def write_comparison(compared: Comparison, folder: Path) -> list[Path]:
    """Write ``summary.json``, ``factors.npz`` and a figure for each variable and for the factors.

    Raises:
        ResumeError: a file cannot be written.
    """
    stream = io.BytesIO()
    np.savez(stream, event_number=compared.simulation.event_number, factor=compared.reweighting.factor)
    write_bytes(folder / "factors.npz", stream.getvalue())
    write_bytes(folder / "summary.json", (json.dumps(_summary(compared), indent=2) + "\n").encode())
    names = list(compared.data.variables)
    figures: dict[str, tuple[Callable[[], Drawing], str]] = {
        f"data_{slug}": (
            partial(_of_comparison, compared, name),
            f"{name} in data and simulation, as it is and reweighted, and the ratio. The simulation is scaled to the data; bands are its statistical errors.",
        )
        for slug, name in zip(slugs_of(names), names, strict=True)
    }
    figures["factors"] = (partial(draw_factors, compared), _factors_caption(compared))
    return [folder / "factors.npz", folder / "summary.json", *write_album(figures, folder)]


def _of_comparison(compared: Comparison, variable: str) -> Drawing:
    weight = compared.simulation.weight
    weights = {"simulation": weight, "reweighted": weight * compared.reweighting.factor}
    return _draw(variable, compared.simulation, compared.data, weights, compared.name, 20)


def draw_factors(compared: Comparison) -> Drawing:
    """The factors of the reweighting, of all simulated events."""
    factor, weight = compared.reweighting.factor, compared.simulation.weight
    high = max(2.0, 1.05 * float(factor.max()))
    edges = np.linspace(0.0, high, 51)
    counts = count_bins(bin_numbers(factor, edges), weight / weight.sum(), 50)
    figure, (axes,) = canvas()
    axes.stairs(counts.sums, edges, color=SIGNAL, linewidth=1.8)
    axes.axvline(1.0, color=BASELINE, linewidth=1.0)
    axes.set(xlim=(0, high), ylim=(0, 1.15 * float(counts.sums.max())))
    found = compared.reweighting
    right = f"effective events {found.effective_before:,.0f}, then {found.effective_after:,.0f}"
    dress(axes, x="Factor of a simulated event", y="Share of the weight", left=compared.name, right=right)
    return Drawing(figure=figure, numbers={"low": edges[:-1], "high": edges[1:], "share": counts.sums})


def _factors_caption(compared: Comparison) -> str:
    found = compared.reweighting
    return (
        f"Each factor is from a classifier that has not seen the event; {100 * found.clipped:.1f} % were clipped, and "
        f"{100 * found.uncovered:.1f} % of the data are where the simulation has too few events to make up for it."
    )


def _summary(compared: Comparison) -> dict[str, object]:
    found, tests = compared.reweighting, compared.closure
    pairs = (("before", tests.before, tests.variables_before), ("after", tests.after, tests.variables_after))
    return {
        "name": compared.name,
        "expected": compared.expected,
        "observed": compared.observed,
        "notes": list(compared.notes),
        "reweighting": {
            name: getattr(found, name)
            for name in ("clipped", "largest", "effective_before", "effective_after", "uncovered")
        },
    } | {
        label: {
            "classifier": asdict(classifier),
            "variables": {
                name: {
                    "chi2": chi.value,
                    "degrees": chi.degrees,
                    "chi2_p": _finite(chi.p_value),
                    "ks": test.distance,
                    "ks_p": test.probability,
                }
                for name, (chi, test) in variables.items()
            },
        }
        for label, classifier, variables in pairs
    }


def _finite(value: float) -> float | None:
    """None where there is no degree of freedom: JSON has no NaN."""
    return value if np.isfinite(value) else None


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
    aside = np.diff(edges) * (0.08 if len(weights) > 1 else 0.0)
    for label, weight in weights.items():
        scaled = weight * total / weight.sum()
        made = count_bins(bin_numbers(simulated, edges), scaled, len(edges) - 1)
        color, dashes = looks[label]
        panels[0].stairs(made.sums, edges, color=color, linestyle=dashes, linewidth=1.8, label=label)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio, error = seen.sums / made.sums, seen.errors / made.sums
            band = made.errors / made.sums
        places = centres - aside if label == "simulation" else centres + aside
        panels[1].errorbar(places, ratio, error, fmt="o", markersize=4, color=color, linewidth=1.2)
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
