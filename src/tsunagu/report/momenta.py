"""The transverse momentum before and after the calibration: response and resolution against the true one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from tsunagu.report.numbers import across_seeds, binned_quantiles, central_range, merge_sparse, widening_edges
from tsunagu.report.outcome import Method, Outcome, Output
from tsunagu.report.stored import Array, StoredColumns, Undrawable, each_drawable
from tsunagu.report.style import Drawing, Line, canvas, dress, line, long_table

__all__ = ["PT_TRUE", "Response", "draw_response", "plot_response", "responses"]

PT_TRUE = r"True $p_\mathrm{T}$ [GeV]"
_BEFORE = Line("#555555", (0, (4, 1.5)))


@final
@dataclass(frozen=True, kw_only=True)
class Response:
    """The pt response (predicted over true) in bins of true pt, mean over seeds, and its spread over seeds.

    Args:
        name: as the legend shows it.
        line: how it is drawn.
        edges: ``[B + 1]`` of true pt in GeV.
        quantiles: ``[3, B]``, 16 %, 50 % and 84 % of the response.
        resolution: ``[B]``, half the distance of the outer two over the median.
        spread: ``[2, B]`` standard deviations of median and resolution.
    """

    name: str
    line: Line
    edges: Array
    quantiles: Array
    resolution: Array
    spread: Array


def responses(output: Output, methods: Sequence[Method]) -> tuple[list[Response], tuple[str, ...]]:
    """The response of the reconstructed objects, if stored, then of the methods; and what is left out.

    Raises:
        Undrawable: no method has its output and the truth stored.
    """
    pairs, absent = each_drawable(partial(_momenta, output), methods)
    true, _, weight = pairs[0][1][0]
    edges = merge_sparse(widening_edges(*central_range(true, np.abs(weight), step=1.0)), true)
    found = [_response(method.name, line(method.number), samples, edges) for method, samples in pairs]
    first = pairs[0][0].trials[0].predictions
    if output.before is None:
        return found, absent
    if not first.has(output.before):
        return found, (*absent, f"{first.place} has no column test_{output.before} to compare with")
    samples = [_pt(trial.predictions, output.before, output.target) for trial in pairs[0][0].first_of_folds]
    return [_response(f"before ({output.before})", _BEFORE, samples, edges), *found], absent


def _momenta(output: Output, method: Method) -> tuple[Method, list[tuple[Array, Array, Array]]]:
    return method, [_pt(trial.predictions, output.name, output.target) for trial in method.trials]


def _pt(stored: StoredColumns, column: str, target: str) -> tuple[Array, Array, Array]:
    truth, predicted, weight = stored.take("test", target, column, "weight")
    if truth.ndim < 2 or predicted.shape[:-1] != truth.shape[:-1]:
        msg = (
            f"test_{column} {predicted.shape} and test_{target} {truth.shape} of {stored.place} are not alike"
        )
        raise Undrawable(msg)
    true, pt = truth[..., 0].ravel(), predicted[..., 0].ravel()
    repeated = np.repeat(weight, len(true) // max(len(weight), 1))
    known = (true > 0) & np.isfinite(pt)  # a padded object has no true momentum
    if not known.any():
        msg = f"no object of {stored.place} has a true pt and a finite test_{column}"
        raise Undrawable(msg)
    return true[known], pt[known], repeated[known]


def _response(name: str, look: Line, samples: Sequence[tuple[Array, Array, Array]], edges: Array) -> Response:
    found = [binned_quantiles(pt / true, weight, true, edges) for true, pt, weight in samples]
    resolutions = [_width(quantiles) for quantiles in found]
    (middle, spread), (resolution, wobble) = across_seeds(found), across_seeds(resolutions)
    deviations = np.stack([spread[1], wobble])
    return Response(
        name=name, line=look, edges=edges, quantiles=middle, resolution=resolution, spread=deviations
    )


def _width(quantiles: Array) -> Array:
    low, median, high = quantiles
    return np.asarray((high - low) / (2 * np.where(median > 0, median, np.nan)))


def draw_response(outcome: Outcome, output: Output) -> Drawing:
    """Median response above, relative resolution below, against the true pt; before and after the calibration.

    Raises:
        Undrawable: no method has its output and the truth stored.
    """
    methods, untrained = outcome.supervised(output)
    curves, absent = responses(output, methods)
    figure, (upper, lower) = canvas(2, sharex=True)
    for curve in curves:
        _points(upper, curve, curve.quantiles[1], curve.spread[0])
        _points(lower, curve, curve.resolution, curve.spread[1])
    upper.axhline(1.0, color="black", linewidth=0.8, linestyle=":")
    for axes, above in ((upper, 0.45), (lower, 0.1)):
        low, high = axes.dataLim.ymin, axes.dataLim.ymax
        axes.set_ylim(max(0.0, low - 0.15 * (high - low)), high + above * (high - low))
    heading = {"left": outcome.name, "right": f"test events, {output.name}"}
    dress(upper, y="Median response", **heading, legend={"ncols": 2, "loc": "upper right"})
    dress(lower, x=PT_TRUE, y="Relative resolution")
    figure.align_ylabels()
    return Drawing(
        figure=figure, numbers=long_table([_rows(curve) for curve in curves]), left_out=untrained + absent
    )


def _points(axes: Axes, curve: Response, values: Array, spread: Array) -> None:
    centres = (curve.edges[1:] + curve.edges[:-1]) / 2
    style = {"fmt": "o", "markersize": 5, "linewidth": 1.8, "elinewidth": 1.2, **curve.line.arguments}
    axes.errorbar(centres, values, spread, np.diff(curve.edges) / 2, label=curve.name, **style)
    axes.set_xlim(curve.edges[0], curve.edges[-1])


def plot_response(axes: Axes, curves: Sequence[Response]) -> None:
    """In each bin the median as a line and the central 68 % as a band."""
    for curve in curves:
        low, median, high = curve.quantiles
        axes.stairs(
            high, curve.edges, baseline=low, fill=True, facecolor=(curve.line.color, 0.22), linewidth=0
        )
        axes.stairs(median, curve.edges, baseline=None, label=curve.name, linewidth=2, **curve.line.arguments)
    axes.axhline(1.0, color="black", linewidth=0.8, linestyle=":")
    top = np.concatenate([curve.quantiles[2] for curve in curves])
    axes.set(xlim=(curves[0].edges[0], curves[0].edges[-1]), ylim=(0, 1.3 * np.nanmax(top, initial=1.0)))


def _rows(curve: Response) -> dict[str, ArrayLike]:
    low, median, high = curve.quantiles
    return {
        "method": curve.name,
        "true_pt_low": curve.edges[:-1],
        "true_pt_high": curve.edges[1:],
        "response_16": low,
        "response_50": median,
        "response_84": high,
        "response_50_spread": curve.spread[0],
        "resolution": curve.resolution,
        "resolution_spread": curve.spread[1],
    }
