"""The ROC curve of every method: background rejection against signal efficiency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike

from tsunagu.metrics import auc, parse_metric
from tsunagu.report.numbers import mean_rejection, rejection
from tsunagu.report.reading import Method, Outcome, Output
from tsunagu.report.scores import Sample, labelled_scores
from tsunagu.report.stored import Array, Undrawable, each_drawable
from tsunagu.report.style import BASELINE, Drawing, Line, canvas, dress, line, long_table

__all__ = ["AREAS", "Curve", "draw_roc", "plot_rejections", "roc_curves"]

EFFICIENCY = np.linspace(0.01, 1.0, 100)
AREAS: Mapping[str, object] = {"title": "area under the curve", "loc": "upper right"}


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Background rejection of one method at :data:`EFFICIENCY`: mean and band over seeds, and each seed's area."""

    name: str
    line: Line
    middle: Array
    low: Array
    high: Array
    areas: Array

    @property
    def label(self) -> str:
        """As the legend shows it."""
        spread = f" \N{PLUS-MINUS SIGN} {self.areas.std(ddof=1):.4f}" if len(self.areas) > 1 else ""
        return f"{self.name}  {self.areas.mean():.4f}{spread}"


def roc_curves(outcome: Outcome, output: Output, signal: int = 1) -> tuple[list[Curve], tuple[str, ...]]:
    """The curve of every method that has the score and of every baseline whose column is stored, and what is left out.

    Raises:
        Undrawable: no method has it.
    """
    trained, absent = each_drawable(partial(_method_curve, output, signal), outcome.shown)
    plain = [_baseline_curve(outcome, *item) for item in outcome.expressions.items() if signal == 1]
    return trained + [curve for curve in plain if curve is not None], absent


def _method_curve(output: Output, signal: int, method: Method) -> Curve:
    samples = [labelled_scores(trial, "test", output, signal) for trial in method.trials]
    return _curve(method.name, line(method.number), samples)


def _baseline_curve(outcome: Outcome, name: str, expression: str) -> Curve | None:
    call = parse_metric(expression)
    if call.name != "auc":
        return None
    try:
        sample = Sample(*outcome.shown[0].trials[0].take("test", *call.arguments, "weight"))
    except Undrawable:
        return None
    return _curve(name, Line(BASELINE, (0, (3, 1.5))), [sample])


def _curve(name: str, look: Line, samples: Sequence[Sample]) -> Curve:
    middle, low, high = mean_rejection([rejection(*sample, EFFICIENCY) for sample in samples])
    areas = np.array([auc(*sample) for sample in samples])
    return Curve(name=name, line=look, middle=middle, low=low, high=high, areas=areas)


def draw_roc(outcome: Outcome, output: Output, signal: int = 1) -> Drawing:
    """Background rejection against signal efficiency, with the ratio to the first method where there are several.

    Raises:
        Undrawable: no method has the score.
    """
    curves, left_out = roc_curves(outcome, output, signal)
    rows = min(len(curves), 2)
    figure, panels = canvas(rows, sharex=True, gridspec_kw={"height_ratios": [3.2, 1][:rows]})
    plot_rejections(panels[0], curves)
    heading = {"left": outcome.name, "right": f"test events, signal: {output.target} = {signal}"}
    dress(panels[0], x="" if rows == 2 else _X, y="Background rejection", **heading, legend=AREAS)
    if rows == 2:
        _plot_ratios(panels[1], curves)
        dress(panels[1], x=_X, y=f"Ratio to\n{curves[0].name}")
        figure.align_ylabels()
    return Drawing(figure=figure, numbers=long_table([_rows(curve) for curve in curves]), left_out=left_out)


_X = "Signal efficiency"


def plot_rejections(axes: Axes, curves: Sequence[Curve]) -> None:
    """One line a method, on a logarithmic axis, with the band of one standard deviation over seeds."""
    for curve in curves:
        axes.fill_between(EFFICIENCY, curve.low, curve.high, color=curve.line.color, alpha=0.2, linewidth=0)
        axes.plot(EFFICIENCY, curve.middle, label=curve.label, linewidth=1.8, **curve.line.arguments)
    axes.set(xlim=(0, 1), yscale="log", ylim=(1, 2.0 * _top(curves)))
    axes.yaxis.set_major_locator(LogLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _top(curves: Sequence[Curve]) -> float:
    highest = np.concatenate([curve.high for curve in curves])
    return float(highest[np.isfinite(highest)].max(initial=5.0))


def _plot_ratios(axes: Axes, curves: Sequence[Curve]) -> None:
    reference = curves[0].middle
    for curve in curves:
        band = (curve.low / reference, curve.high / reference)
        axes.fill_between(EFFICIENCY, *band, color=curve.line.color, alpha=0.2, linewidth=0)
        axes.plot(EFFICIENCY, curve.middle / reference, linewidth=1.8, **curve.line.arguments)


def _rows(curve: Curve) -> dict[str, ArrayLike]:
    return {
        "method": curve.name,
        "signal_efficiency": EFFICIENCY,
        "background_rejection": curve.middle,
        "low": curve.low,
        "high": curve.high,
        "auc": float(curve.areas.mean()),
        "seeds": len(curve.areas),
    }
