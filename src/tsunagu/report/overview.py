"""One wide picture of a study: how well it separates, and what its calibration does to mass and response."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from matplotlib.axes import Axes

from tsunagu.report.mass import LEGEND, mass_histograms, mass_labels, plot_mass
from tsunagu.report.momenta import PT_TRUE, plot_response, responses
from tsunagu.report.outcome import Method, Outcome, Output
from tsunagu.report.roc import AREAS, Y, plot_rejections, roc_curves
from tsunagu.report.stored import Undrawable
from tsunagu.report.style import Drawing, canvas, dress

__all__ = ["draw_overview"]

SIZE = (18.0, 5.2)
Panel = Callable[[Axes], None]


def draw_overview(outcome: Outcome) -> Drawing:
    """ROC curves of all methods, then mass and response of the one that is best on the validation events.

    Raises:
        Undrawable: one of the three cannot be drawn.
    """
    score = next((output for output in outcome.outputs if output.classifies), None)
    momenta = next((output for output in outcome.outputs if output.calibrates), None)
    if score is None or momenta is None:
        msg = "it needs an output that classifies and one that calibrates momenta"
        raise Undrawable(msg)
    best = outcome.ranked(outcome.supervised(momenta)[0], "validation")[0]
    figure, panels = canvas(1, 3, size=SIZE)
    for draw, axes in zip(_panels(outcome, score, momenta, best), panels, strict=True):
        draw(axes)
    return Drawing(figure=figure)


def _panels(outcome: Outcome, score: Output, momenta: Output, best: Method) -> list[Panel]:
    return [
        partial(_roc, outcome, score),
        partial(_mass, outcome, momenta, best),
        partial(_response, momenta, best),
    ]


def _roc(outcome: Outcome, output: Output, axes: Axes) -> None:
    plot_rejections(axes, roc_curves(outcome, output)[0])
    heading = {"left": outcome.name, "right": f"signal: {output.target} = 1"}
    dress(axes, x="Signal efficiency", y=Y, **heading, legend=AREAS)


def _mass(outcome: Outcome, output: Output, best: Method, axes: Axes) -> None:
    histograms = mass_histograms(outcome, output, best)
    plot_mass(axes, histograms)
    dress(axes, **mass_labels(histograms), right=f"{output.name}, {best.name}", legend=LEGEND)


def _response(output: Output, best: Method, axes: Axes) -> None:
    curves, _ = responses(output, [best])
    plot_response(axes, curves)
    legend = {"loc": "upper right", "title": "median and central 68 %"}
    dress(
        axes,
        x=PT_TRUE,
        y=r"$p_\mathrm{T}$ / true $p_\mathrm{T}$",
        right=f"{output.name}, {best.name}",
        legend=legend,
    )
