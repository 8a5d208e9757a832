"""The check plots a physicist expects of a classifier: inputs, correlations, train against test, importance."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tsunagu.analysis.counts import Array, bin_numbers, count_bins
from tsunagu.analysis.distances import common_edges
from tsunagu.analysis.importance import correlations
from tsunagu.metrics import KsTest, ks_test
from tsunagu.report.style import BACKGROUND, PALETTE, SIGNAL, Drawing, canvas, dress, label_rows, long_table
from tsunagu.studies import Measurement

__all__ = ["CAPTION", "draw_correlations", "draw_importance", "draw_inputs", "draw_overtraining"]

MOST = 12
"""Variables in one figure."""
CAPTION = (
    "KS: weighted Kolmogorov-Smirnov p-value with effective numbers, not TMVA's. A small p-value says that training and test "
    "events get different scores, as every network gives them that learns its training events; it is over-training only where "
    "the validation loss rises, see the learning curves."
)


def draw_inputs(measured: Measurement) -> Drawing:
    """Each variable by class, normalised, of all events."""
    shown = list(measured.variables)[:MOST]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure, panels = canvas(rows, columns, size=(max(3.4 * columns, 5.0), 0.6 + 2.8 * rows))
    parts: list[dict[str, ArrayLike]] = []
    for axes, name in zip(panels, shown, strict=False):
        values = measured.variables[name]
        edges = common_edges(values, measured.variable_weight, 30)
        for signal, label, color, dashes in _LOOKS:
            own = measured.variable_signal == signal
            share, error = _normalised(values[own], measured.variable_weight[own], edges)
            axes.stairs(share, edges, color=color, linestyle=dashes, linewidth=1.6, label=label)
            parts.append(
                {
                    "variable": name,
                    "class": label,
                    "low": edges[:-1],
                    "high": edges[1:],
                    "share": share,
                    "error": error,
                }
            )
        axes.set(ylim=(0, 1.35 * axes.dataLim.ymax))
        first = axes is panels[0]
        dress(
            axes,
            x=name,
            y="Share" if first else "",
            left=measured.name if first else "",
            legend={"fontsize": 9} if first else None,
        )
        axes.xaxis.label.set_parse_math(False)
        axes.tick_params(labelsize=9)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    return Drawing(figure=figure, numbers=long_table(parts))


def draw_correlations(measured: Measurement) -> Drawing:
    """Linear correlation coefficients of the variables, of background and of signal."""
    names = list(measured.variables)[:MOST]
    values = np.stack([measured.variables[name] for name in names], axis=1)
    size = max(3.2, 1.9 + 0.42 * len(names))
    figure, panels = canvas(1, 2, size=(2 * size, size + 0.3))
    parts: list[dict[str, ArrayLike]] = []
    for axes, (signal, label, _, _) in zip(panels, _LOOKS, strict=True):
        own = measured.variable_signal == signal
        found = correlations(values[own], measured.variable_weight[own])
        axes.imshow(found, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest")
        for (i, j), value in np.ndenumerate(found):
            axes.text(
                j,
                i,
                "" if np.isnan(value) else f"{100 * value:.0f}",
                ha="center",
                va="center",
                fontsize=9,
                color="white" if abs(value) > 0.6 else "black",
            )
        axes.minorticks_off()
        axes.tick_params(length=0)
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=9)
        axes.set_yticks(range(len(names)), names if axes is panels[0] else [""] * len(names), fontsize=9)
        dress(axes, left=measured.name if axes is panels[0] else "", right=f"{label}, %")
        parts += [
            {"class": label, "variable": name, "with": np.array(names), "correlation": found[i]}
            for i, name in enumerate(names)
        ]
    return Drawing(figure=figure, numbers=long_table(parts))


def draw_overtraining(measured: Measurement) -> Drawing:
    """Scores of training and test events of the first chain, normalised, with a Kolmogorov-Smirnov test of each class."""
    figure, (axes,) = canvas(size=(7.2, 6.4))
    edges = _score_edges(measured)
    parts: list[dict[str, ArrayLike]] = []
    notes: list[str] = []
    centres = (edges[1:] + edges[:-1]) / 2
    for signal, label, color, dashes in _LOOKS:
        train, test = (_of_class(measured, kind, signal=signal) for kind in ("train", "test"))
        for kind, sample in (("test", test), ("train", train)):
            share, error = _normalised(*sample, edges)
            parts.append(
                {
                    "class": label,
                    "events": kind,
                    "low": edges[:-1],
                    "high": edges[1:],
                    "share": share,
                    "error": error,
                }
            )
            if kind == "test":
                axes.stairs(share, edges, fill=True, facecolor=(color, 0.2), linewidth=0)
                axes.stairs(
                    share, edges, color=color, linestyle=dashes, linewidth=1.8, label=f"{label}, test"
                )
            else:
                points: dict[str, Any] = {
                    "fmt": "o" if signal else "s",
                    "markerfacecolor": "white",
                    "markersize": 4.5,
                    "linewidth": 1.2,
                }
                axes.errorbar(
                    centres,
                    np.where(share == 0, np.nan, share),
                    error,
                    color=color,
                    label=f"{label}, training",
                    **points,
                )
        notes.append(_note(label, ks_test(train[0], test[0], train[1], test[1])))
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.4 * axes.dataLim.ymax))
    dress(
        axes,
        x="Score",
        y="Share of events",
        left=measured.name,
        right=measured.method,
        legend={"loc": "upper center", "ncols": 2},
    )
    figure.supxlabel(
        "\n".join(["; ".join(notes), *textwrap.wrap(CAPTION, 105)]),
        fontsize=9,
        ha="center",
        family=["TeX Gyre Heros", "DejaVu Sans"],
    )
    return Drawing(figure=figure, numbers=long_table(parts))


def draw_importance(measured: Measurement) -> Drawing:
    """What the area under the ROC curve loses where an input of a task is shuffled, by task; the spread is over shuffles."""
    found = sorted(measured.importance, key=lambda each: -each.loss)[: 2 * MOST]
    figure, (axes,) = canvas(size=(7.8, 1.8 + 0.42 * max(len(found), 3)))
    tasks = list(dict.fromkeys(each.task for each in measured.importance))
    for row, each in enumerate(found):
        color = PALETTE[tasks.index(each.task) % len(PALETTE)]
        axes.barh(
            row, each.loss, xerr=each.spread, height=0.55, color=color, alpha=0.8, error_kw={"linewidth": 1.2}
        )
    axes.axvline(0.0, color="#333333", linewidth=1.0)
    label_rows(axes, [f"{each.task}: {each.input}" for each in found], above=0)
    dress(
        axes, x="Loss of AUC where the input is shuffled", left=measured.name, right="permutation importance"
    )
    numbers = {
        "task": np.array([each.task for each in measured.importance]),
        "input": np.array([each.input for each in measured.importance]),
        "loss": np.array([each.loss for each in measured.importance]),
        "spread": np.array([each.spread for each in measured.importance]),
    }
    return Drawing(figure=figure, numbers=numbers)


_LOOKS: Sequence[tuple[bool, str, str, Any]] = (
    (False, "background", BACKGROUND, (0, (4, 1.2))),
    (True, "signal", SIGNAL, "-"),
)


def _note(label: str, found: KsTest) -> str:
    return f"{label}: KS distance {found.distance:.3f}, p = {found.probability:.2g}"


def _normalised(values: Array, weight: Array, edges: Array) -> tuple[Array, Array]:
    counts = count_bins(bin_numbers(values, edges), weight, len(edges) - 1)
    return counts.sums / weight.sum(), counts.errors / abs(weight.sum())


def _score_edges(measured: Measurement) -> Array:
    """From 0 to 1, or only where the scores are: those of a rare signal are all near 0."""
    scores = np.concatenate([measured.nominal.parts[0][kind].score for kind in ("train", "test")])
    low, high = np.quantile(scores, (0.002, 0.998))
    return np.linspace(0.0, 1.0, 31) if high - low > 0.5 or high <= low else np.linspace(low, high, 31)


def _of_class(measured: Measurement, kind: str, *, signal: bool) -> tuple[Array, Array]:
    part = measured.nominal.parts[0][kind]
    rows = measured.templates.rows(signal=signal)
    own = np.isin(part.process, rows)
    return part.score[own], part.weight[own]
