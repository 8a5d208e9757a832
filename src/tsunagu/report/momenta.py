"""Figures of calibrated four-momenta: pt response and resolution, and the mass of all objects together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from tsunagu.report.numbers import across_seeds, binned_quantiles, histogram, invariant_mass, round_edges
from tsunagu.report.reading import Method, Outcome, Output
from tsunagu.report.stored import Array, StoredTrial, Undrawable
from tsunagu.report.style import BACKGROUND, SIGNAL, Drawing, Line, canvas, dress, line

__all__ = [
    "MassHistogram",
    "Response",
    "draw_mass",
    "draw_response",
    "mass_histograms",
    "plot_mass",
    "plot_response",
    "responses",
]

RECONSTRUCTED = "jet_p4"
BEFORE = Line("#555555", (0, (4, 1.5)))


@dataclass(frozen=True, kw_only=True)
class Response:
    """The pt response (predicted over true) in bins of true pt: 16 %, 50 % and 84 % quantiles, mean over seeds."""

    name: str
    line: Line
    edges: Array
    quantiles: Array
    resolution: Array
    median_spread: Array
    resolution_spread: Array


@dataclass(frozen=True, kw_only=True)
class MassHistogram:
    """Fractions of the events of one class in bins of mass; ``when`` is before or after the calibration."""

    when: str
    kind: str
    fraction: Array
    spread: Array


def responses(outcome: Outcome, output: Output, methods: Sequence[Method] | None = None) -> list[Response]:
    """The response of the reconstructed objects, if stored, and of every method that has the truth beside its output.

    Raises:
        Undrawable: no method has both.
    """
    drawable = [method for method in methods or outcome.trained if _has_truth(method, output)]
    if not drawable:
        (methods or outcome.trained)[0].trials[0].take("test", output.name, output.target, "weight")
    first = drawable[0].trials[0]
    truth, weight = _pt_and_weight(first, output.target)
    edges = round_edges(truth, weight, bins=10, step=1.0)
    after = [
        _response(method.name, line(method.number), method.trials, output.name, output, edges)
        for method in drawable
    ]
    if f"test_{RECONSTRUCTED}" not in first.columns:
        return after
    return [_response(f"before ({RECONSTRUCTED})", BEFORE, [first], RECONSTRUCTED, output, edges), *after]


def _has_truth(method: Method, output: Output) -> bool:
    stored = method.trials[0].columns
    return f"test_{output.name}" in stored and f"test_{output.target}" in stored


def _pt_and_weight(trial: StoredTrial, column: str) -> tuple[Array, Array]:
    momenta, weight = trial.take("test", column, "weight")
    pt = momenta.reshape(len(momenta), -1, momenta.shape[-1])[..., 0]
    return pt.ravel(), np.repeat(weight, pt.shape[1])


def _response(
    name: str, look: Line, trials: Sequence[StoredTrial], column: str, output: Output, edges: Array
) -> Response:
    found = [_quantiles(trial, column, output, edges) for trial in trials]
    median, median_spread = across_seeds([each[1] for each in found])
    resolution, resolution_spread = across_seeds([(each[2] - each[0]) / (2 * each[1]) for each in found])
    return Response(
        name=name,
        line=look,
        edges=edges,
        quantiles=np.stack(
            [
                across_seeds([each[0] for each in found])[0],
                median,
                across_seeds([each[2] for each in found])[0],
            ]
        ),
        resolution=resolution,
        median_spread=median_spread,
        resolution_spread=resolution_spread,
    )


def _quantiles(trial: StoredTrial, column: str, output: Output, edges: Array) -> Array:
    predicted, weight = _pt_and_weight(trial, column)
    true, _ = _pt_and_weight(trial, output.target)
    known = true > 0  # a padded object has no true momentum
    return binned_quantiles(predicted[known] / true[known], weight[known], true[known], edges)


def draw_response(outcome: Outcome, output: Output) -> Drawing:
    """Median response above, relative resolution below, against the true pt; before and after the calibration."""
    curves = responses(outcome, output)
    figure, (upper, lower) = canvas(2, sharex=True)
    for curve in curves:
        _steps(upper, curve, curve.quantiles[1], curve.median_spread, label=curve.name)
        _steps(lower, curve, curve.resolution, curve.resolution_spread)
    upper.axhline(1.0, color="black", linewidth=0.8, linestyle=":")
    for axes in (upper, lower):
        low, high = axes.dataLim.ymin, axes.dataLim.ymax
        axes.set_ylim(max(0.0, low - 0.15 * (high - low)), high + 0.3 * (high - low))
    ratio = r"$p_\mathrm{T}$ / true $p_\mathrm{T}$"
    dress(
        upper,
        y=f"Median {ratio}",
        left=outcome.name,
        right=f"test events, {output.name}",
        legend={"ncols": 2},
    )
    dress(lower, x=r"True $p_\mathrm{T}$ [GeV]", y="Relative resolution")
    return Drawing(figure=figure, numbers=_response_numbers(curves))


def plot_response(axes: Axes, curves: Sequence[Response]) -> None:
    """The median as a line and the central 68 % as a band."""
    for curve in curves:
        low, median, high = curve.quantiles
        band = {"color": curve.line.color, "alpha": 0.2, "linewidth": 0}
        axes.fill_between(
            curve.edges, *(np.append(edge, edge[-1]) for edge in (low, high)), step="post", **band
        )
        _steps(axes, curve, median, curve.median_spread, label=curve.name)
    axes.axhline(1.0, color="black", linewidth=0.8, linestyle=":")


def _steps(axes: Axes, curve: Response, values: Array, spread: Array, label: str | None = None) -> None:
    centres = (curve.edges[1:] + curve.edges[:-1]) / 2
    axes.errorbar(centres, values, spread, fmt="o", markersize=4.5, linewidth=1.2, color=curve.line.color)
    axes.plot(centres, values, linewidth=1.8, label=label, **curve.line.arguments)
    axes.set_xlim(curve.edges[0], curve.edges[-1])


def _response_numbers(curves: Sequence[Response]) -> dict[str, Array]:
    columns: Mapping[str, list[Array]] = {
        "method": [np.repeat([curve.name], len(curve.edges) - 1) for curve in curves],
        "true_pt_low": [curve.edges[:-1] for curve in curves],
        "true_pt_high": [curve.edges[1:] for curve in curves],
        "response_16": [curve.quantiles[0] for curve in curves],
        "response_50": [curve.quantiles[1] for curve in curves],
        "response_84": [curve.quantiles[2] for curve in curves],
        "response_50_spread": [curve.median_spread for curve in curves],
        "resolution": [curve.resolution for curve in curves],
        "resolution_spread": [curve.resolution_spread for curve in curves],
    }
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def mass_histograms(outcome: Outcome, output: Output, method: Method) -> tuple[Array, list[MassHistogram]]:
    """Bin edges in GeV, and the mass before and after the calibration for each class.

    Raises:
        Undrawable: a column is not stored, or an event holds a single object.
    """
    after = [_masses(trial, output.name) for trial in method.trials]
    before = [_masses(method.trials[0], RECONSTRUCTED)] if _has(method, RECONSTRUCTED) else []
    kinds = _kinds(outcome, method.trials[0])
    weight = method.trials[0].take("test", "weight")[0]
    edges = _mass_edges([*before, *after], weight)
    found = []
    for when, masses in (("before", before), ("after", after)):
        for kind, chosen in kinds.items() if masses else ():
            shares = [histogram(mass[chosen], weight[chosen], edges)[0] for mass in masses]
            fraction, spread = across_seeds(shares)
            found.append(MassHistogram(when=when, kind=kind, fraction=fraction, spread=spread))
    return edges, found


def _has(method: Method, column: str) -> bool:
    return f"test_{column}" in method.trials[0].columns


def _masses(trial: StoredTrial, column: str) -> Array:
    momenta = trial.take("test", column)[0]
    if momenta.ndim != 3 or momenta.shape[1] < 2 or momenta.shape[2] not in (3, 4):
        shape = ", ".join(map(str, momenta.shape[1:]))
        raise Undrawable(
            f"a mass needs two objects or more as [E, N, 3] or [E, N, 4], test_{column} is [E, {shape}]"
        )
    return invariant_mass(momenta)


def _kinds(outcome: Outcome, trial: StoredTrial) -> dict[str, Array]:
    if outcome.label is None:
        return {"all": np.ones(len(trial.take("test", "weight")[0]), bool)}
    signal = trial.take("test", outcome.label)[0].ravel() > 0.5
    return {"background": ~signal, "signal": signal}


def _mass_edges(masses: Sequence[Array], weight: Array) -> Array:
    ends = round_edges(np.concatenate(masses), np.tile(weight, len(masses)), bins=1, step=10.0)
    return np.linspace(ends[0], ends[-1], 41)


def draw_mass(outcome: Outcome, output: Output, method: Method) -> Drawing:
    """The mass of all objects of an event together, of both classes, before and after the calibration."""
    figure, (axes,) = canvas()
    edges, histograms = mass_histograms(outcome, output, method)
    plot_mass(axes, edges, histograms)
    dress(
        axes,
        **_mass_labels(edges),
        left=outcome.name,
        right=f"test events, {method.name}",
        legend={"ncols": 1},
    )
    numbers: dict[str, list[Array]] = {
        "when": [np.repeat([each.when], len(edges) - 1) for each in histograms],
        "class": [np.repeat([each.kind], len(edges) - 1) for each in histograms],
        "mass_low": [edges[:-1] for _ in histograms],
        "mass_high": [edges[1:] for _ in histograms],
        "fraction": [each.fraction for each in histograms],
        "spread_over_seeds": [each.spread for each in histograms],
    }
    return Drawing(figure=figure, numbers={name: np.concatenate(parts) for name, parts in numbers.items()})


def _mass_labels(edges: Array) -> dict[str, str]:
    return {"x": "Invariant mass [GeV]", "y": f"Fraction of events / {edges[1] - edges[0]:.3g} GeV"}


def plot_mass(axes: Axes, edges: Array, histograms: Sequence[MassHistogram]) -> None:
    """Before as dashed outlines, after as filled areas."""
    colors = {"background": BACKGROUND, "signal": SIGNAL}
    for each in histograms:
        color = colors.get(each.kind, BACKGROUND)
        if each.when == "after":
            axes.stairs(each.fraction, edges, fill=True, facecolor=(color, 0.2), linewidth=0)
        style = {"linestyle": "-" if each.when == "after" else (0, (3, 1.5)), "linewidth": 1.8}
        axes.stairs(each.fraction, edges, color=color, label=f"{each.kind}, {each.when}", **style)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.15 * axes.dataLim.ymax))
