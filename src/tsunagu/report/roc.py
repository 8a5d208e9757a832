"""The ROC curve of every method: background rejection against signal efficiency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike

from tsunagu.metrics import auc, parse_metric
from tsunagu.report.numbers import mean_rejection, rejection
from tsunagu.report.outcome import Method, Outcome, Output
from tsunagu.report.scores import Sample, labelled_scores
from tsunagu.report.stored import Array, Undrawable, each_drawable
from tsunagu.report.style import BASELINE, Drawing, Line, canvas, dress, line, long_table

__all__ = ["AREAS", "Curve", "Y", "draw_roc", "plot_rejections", "roc_curves"]

EFFICIENCY = np.linspace(0.01, 1.0, 100)
AREAS: Mapping[str, object] = {"title": "area under the curve", "loc": "best"}


@final
@dataclass(frozen=True, kw_only=True)
class Curve:
    """Background rejection of one method at :data:`EFFICIENCY`: mean and band over seeds, and each seed's area.

    ``plain`` marks a baseline, a column that is a score without training.
    """

    name: str
    line: Line
    middle: Array
    low: Array
    high: Array
    areas: Array
    plain: bool = False

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
    plain: list[Curve] = []
    for name, expression in outcome.expressions.items() if signal == 1 else ():
        try:
            plain.append(_baseline_curve(outcome, output, name, expression))
        except Undrawable as reason:
            absent += (f"baseline {name}: {reason}",)
    return trained + plain, absent


def _method_curve(output: Output, signal: int, method: Method) -> Curve:
    samples = [labelled_scores(trial, "test", output, signal) for trial in method.trials]
    return _curve(method.name, line(method.number), samples)


def _baseline_curve(outcome: Outcome, output: Output, name: str, expression: str) -> Curve:
    call = parse_metric(expression)
    sample = Sample(*outcome.stored_baselines.take("test", *call.arguments, "weight"))
    if call.name != "auc" or call.arguments[1] != output.target or not np.isin(sample.label, (0, 1)).all():
        msg = f"{expression} is no area under a curve of {output.target} = 1"
        raise Undrawable(msg)
    return _curve(name, Line(BASELINE, (0, (3, 1.5))), [sample], plain=True)


def _curve(name: str, look: Line, samples: Sequence[Sample], *, plain: bool = False) -> Curve:
    middle, low, high = mean_rejection([rejection(*sample, EFFICIENCY) for sample in samples])
    areas = np.array([auc(*sample) for sample in samples])
    return Curve(name=name, line=look, middle=middle, low=low, high=high, areas=areas, plain=plain)


def draw_roc(outcome: Outcome, output: Output, signal: int = 1) -> Drawing:
    """Background rejection against signal efficiency, with the ratio to a baseline, or else to the first method.

    Raises:
        Undrawable: no method has the score.
    """
    curves, left_out = roc_curves(outcome, output, signal)
    rows = min(len(curves), 2)
    figure, panels = canvas(rows, sharex=True, gridspec_kw={"height_ratios": [3.2, 1][:rows]})
    plot_rejections(panels[0], curves)
    about = f"{output.target} = {signal}"
    heading = {"left": outcome.name, "right": f"test events, signal: {about}"}
    dress(panels[0], x="" if rows == 2 else _X, y=Y, **heading, legend=AREAS)
    if rows == 2:
        reference = next((curve for curve in curves if curve.plain), curves[0])
        _plot_ratios(panels[1], curves, reference)
        dress(panels[1], x=_X)
        panels[1].set_ylabel(f"Ratio to\n{reference.name}", loc="center", fontsize=12, parse_math=False)
        figure.align_ylabels()
    numbers = long_table([_rows(curve) for curve in curves])
    return Drawing(figure=figure, numbers=numbers, left_out=left_out, kind="roc", about=about)


_X, Y = "Signal efficiency", "Background rejection (1 / efficiency)"


def plot_rejections(axes: Axes, curves: Sequence[Curve]) -> None:
    """One line a method, on a logarithmic axis, with the band of one standard deviation over seeds."""
    for curve in curves:
        axes.fill_between(EFFICIENCY, curve.low, curve.high, color=curve.line.color, alpha=0.2, linewidth=0)
        axes.plot(EFFICIENCY, curve.middle, label=curve.label, linewidth=1.8, **curve.line.arguments)
    top = 2.0 * _top(curves)
    axes.set(xlim=(0, 1), yscale="log", ylim=(1, top))
    _label_logarithm(axes, fine=top < 200)


def _top(curves: Sequence[Curve]) -> float:
    highest = np.concatenate([curve.high for curve in curves])
    return float(highest[np.isfinite(highest)].max(initial=5.0))


def _plot_ratios(axes: Axes, curves: Sequence[Curve], reference: Curve) -> None:
    for curve in curves:
        low, middle, high = (part / reference.middle for part in (curve.low, curve.middle, curve.high))
        axes.fill_between(EFFICIENCY, low, high, color=curve.line.color, alpha=0.2, linewidth=0)
        axes.plot(EFFICIENCY, middle, linewidth=1.8, **curve.line.arguments)
    shown = axes.dataLim
    if shown.ymin > 0 and shown.ymax > 4 * shown.ymin:
        axes.set(yscale="log", ylim=(0.85 * shown.ymin, 1.2 * shown.ymax))
        _label_logarithm(axes, fine=shown.ymax < 20 * shown.ymin)


def _label_logarithm(axes: Axes, *, fine: bool) -> None:
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if fine else (1,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


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
