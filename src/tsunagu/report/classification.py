"""Figures of a score: the ROC curve of every method, and each method's score distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from tsunagu.metrics import auc, parse_metric
from tsunagu.report.numbers import across_seeds, histogram, mean_rejection, rejection
from tsunagu.report.reading import Method, Outcome, Output
from tsunagu.report.stored import Array, StoredTrial, Undrawable
from tsunagu.report.style import BACKGROUND, BASELINE, SIGNAL, Drawing, Line, canvas, dress, line

__all__ = ["Curve", "classes", "draw_roc", "draw_scores", "plot_rejections", "probability", "roc_curves"]

EFFICIENCY = np.linspace(0.01, 1.0, 100)
SCORE_EDGES = np.linspace(0.0, 1.0, 41)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Background rejection of one method at :data:`EFFICIENCY`, mean and band over seeds, with its areas."""

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


def classes(outcome: Outcome, output: Output) -> list[int]:
    """The classes that are drawn as signal: 1 alone of two, each in turn of more."""
    for method in outcome.shown:
        values = method.trials[0].columns.get(f"test_{output.name}")
        if values is not None and values.ndim == 2 and values.shape[1] > 2:
            return list(range(values.shape[1]))
    return [1]


def probability(values: Array, signal: int = 1) -> Array:
    """The predicted probability of the signal class.

    Args:
        values: logits ``[E]`` of two classes, or ``[E, C]`` of C classes.
        signal: which class is the signal.

    Returns:
        ``[E]`` in 0..1.

    >>> probability(np.array([0.0, 30.0])).round(6).tolist(), probability(np.zeros((1, 4)), 2).tolist()
    ([0.5, 1.0], [0.25])
    """
    logits = np.stack([np.zeros_like(values), values], axis=1) if values.ndim == 1 else values
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Array = exponentials[:, signal] / exponentials.sum(axis=1)
    return shares


def roc_curves(outcome: Outcome, output: Output, signal: int = 1) -> list[Curve]:
    """The curve of every method that has the score, then of every baseline whose column is stored.

    Raises:
        Undrawable: no method has it.
    """
    found = [_method_curve(method, output, signal) for method in outcome.shown]
    return found + [
        curve for name, text in outcome.expressions.items() if (curve := _baseline(outcome, name, text))
    ]


def _method_curve(method: Method, output: Output, signal: int) -> Curve:
    parts = [_sample(trial, "test", output, signal) for trial in method.trials]
    return _curve(method.name, line(method.number), parts)


def _baseline(outcome: Outcome, name: str, expression: str) -> Curve | None:
    call = parse_metric(expression)
    if call.name != "auc":
        return None
    try:
        score, label, weight = outcome.shown[0].trials[0].take("test", *call.arguments[:2], "weight")
    except Undrawable:
        return None
    return _curve(name, Line(BASELINE, (0, (3, 1.5))), [(score, label, weight)])


def _curve(name: str, look: Line, samples: Sequence[tuple[Array, Array, Array]]) -> Curve:
    middle, low, high = mean_rejection([rejection(*sample, EFFICIENCY) for sample in samples])
    areas = np.array([auc(*sample) for sample in samples])
    return Curve(name=name, line=look, middle=middle, low=low, high=high, areas=areas)


def _sample(trial: StoredTrial, split: str, output: Output, signal: int) -> tuple[Array, Array, Array]:
    values, target, weight = trial.take(split, output.name, output.target, "weight")
    label = (np.rint(target.reshape(len(target))) == signal).astype(np.float64)
    if len(np.unique(label)) < 2:
        raise Undrawable(f"the {split} events of {trial.folder} hold only one class of {output.target}")
    return probability(values, signal), label, weight


def draw_roc(outcome: Outcome, output: Output, signal: int = 1) -> Drawing:
    """Background rejection against signal efficiency, with the ratio to the first method where there are several."""
    curves = roc_curves(outcome, output, signal)
    rows = 2 if len(curves) > 1 else 1
    ratios = {"height_ratios": [3, 1][:rows]}
    figure, panels = canvas(rows, sharex=True, gridspec_kw=ratios)
    plot_rejections(panels[0], curves)
    right = f"test events, {output.target} = {signal} as signal"
    efficiency = "" if rows == 2 else "Signal efficiency"
    dress(panels[0], x=efficiency, y="Background rejection", left=outcome.name, right=right, legend=_AREAS)
    if rows == 2:
        _plot_ratios(panels[1], curves)
        dress(panels[1], x="Signal efficiency", y=f"Ratio to\n{curves[0].name}")
        panels[1].yaxis.label.set_parse_math(False)
    return Drawing(figure=figure, numbers=_roc_numbers(curves))


_AREAS: Mapping[str, object] = {"title": "area under the curve", "loc": "upper right"}


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
    finite = np.concatenate([curve.high[np.isfinite(curve.high)] for curve in curves])
    return float(finite.max(initial=5.0))


def _plot_ratios(axes: Axes, curves: Sequence[Curve]) -> None:
    reference = curves[0].middle
    for curve in curves:
        low, high = curve.low / reference, curve.high / reference
        axes.fill_between(EFFICIENCY, low, high, color=curve.line.color, alpha=0.2, linewidth=0)
        axes.plot(EFFICIENCY, curve.middle / reference, linewidth=1.8, **curve.line.arguments)


def _roc_numbers(curves: Sequence[Curve]) -> dict[str, Array]:
    every = len(EFFICIENCY)
    return {
        "method": np.repeat([curve.name for curve in curves], every),
        "signal_efficiency": np.tile(EFFICIENCY, len(curves)),
        "background_rejection": np.concatenate([curve.middle for curve in curves]),
        "low": np.concatenate([curve.low for curve in curves]),
        "high": np.concatenate([curve.high for curve in curves]),
        "auc": np.repeat([curve.areas.mean() for curve in curves], every),
        "seeds": np.repeat([len(curve.areas) for curve in curves], every),
    }


def draw_scores(outcome: Outcome, output: Output, method: Method, signal: int = 1) -> Drawing:
    """Score distributions of signal and background: test events filled, validation events as points."""
    figure, (axes,) = canvas()
    centres = (SCORE_EDGES[1:] + SCORE_EDGES[:-1]) / 2
    numbers: list[dict[str, Array]] = []
    for kind, name, color, hatch in ((0, "background", BACKGROUND, None), (1, "signal", SIGNAL, "////")):
        for split in ("test", "validation"):
            shares, errors, spread = _shares(method, split, output, signal, kind)
            if split == "test":
                axes.stairs(
                    shares, SCORE_EDGES, fill=True, facecolor=(color, 0.18), edgecolor=color, hatch=hatch
                )
                axes.stairs(shares, SCORE_EDGES, color=color, linewidth=1.8, label=f"{name}, test")
            else:
                style = {
                    "fmt": "o" if kind else "s",
                    "markerfacecolor": "white",
                    "markersize": 4.5,
                    "linewidth": 1.2,
                }
                axes.errorbar(centres, shares, errors, color=color, label=f"{name}, validation", **style)
            numbers.append(_score_rows(split, name, shares, errors, spread))
    axes.set(xlim=(0, 1), ylim=(0, 1.38 * axes.dataLim.ymax))
    right = f"{method.name}, mean of {len(method.trials)} seeds" if len(method.trials) > 1 else method.name
    x = f"Predicted probability of {output.target} = {signal}"
    dress(
        axes,
        x=x,
        y=f"Fraction of events / {SCORE_EDGES[1]:g}",
        left=outcome.name,
        right=right,
        legend=_SPLITS,
    )
    return Drawing(
        figure=figure, numbers={key: np.concatenate([part[key] for part in numbers]) for key in numbers[0]}
    )


_SPLITS: Mapping[str, object] = {"loc": "upper center", "ncols": 2}


def _shares(method: Method, split: str, output: Output, signal: int, kind: int) -> tuple[Array, Array, Array]:
    filled = []
    for trial in method.trials:
        score, label, weight = _sample(trial, split, output, signal)
        chosen = label == kind
        filled.append(histogram(score[chosen], weight[chosen], SCORE_EDGES))
    shares, spread = across_seeds([share for share, _ in filled])
    # The seeds share their events, so their mean has the statistical error of one of them.
    return shares, across_seeds([error for _, error in filled])[0], spread


def _score_rows(split: str, name: str, shares: Array, errors: Array, spread: Array) -> dict[str, Array]:
    bins = len(shares)
    return {
        "split": np.repeat([split], bins),
        "class": np.repeat([name], bins),
        "low": SCORE_EDGES[:-1],
        "high": SCORE_EDGES[1:],
        "fraction": shares,
        "statistical_error": errors,
        "spread_over_seeds": spread,
    }
