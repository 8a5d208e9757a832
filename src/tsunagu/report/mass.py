"""The mass of all objects of an event together, before and after the calibration, for each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from tsunagu.report.numbers import (
    across_seeds,
    bins_for,
    central_range,
    effective_entries,
    even_edges,
    histogram,
    invariant_mass,
)
from tsunagu.report.outcome import Method, Outcome, Output
from tsunagu.report.stored import Array, StoredColumns, Undrawable
from tsunagu.report.style import BACKGROUND, PALETTE, SIGNAL, Drawing, canvas, dress, long_table

__all__ = ["LEGEND", "MassHistogram", "draw_mass", "mass_histograms", "mass_labels", "plot_mass"]


@final
@dataclass(frozen=True, kw_only=True)
class MassHistogram:
    """Fractions of the events of one class in bins of mass, mean over seeds.

    Args:
        when: before or after the calibration.
        kind: signal, background, or all where there are no classes.
        edges: ``[B + 1]`` in GeV.
        fraction: ``[B]``.
        spread: ``[B]``, standard deviation over seeds.
        objects: how many there are in an event.
    """

    when: str
    kind: str
    edges: Array
    fraction: Array
    spread: Array
    objects: int


def mass_histograms(outcome: Outcome, output: Output, method: Method) -> list[MassHistogram]:
    """The mass before (if the reconstructed objects are stored) and after the calibration.

    Raises:
        Undrawable: a column is not stored, or an event holds a single object.
    """
    first = method.trials[0].predictions
    samples = {"after": [_sample(outcome, trial.predictions, output.name) for trial in method.trials]}
    if output.before is not None and first.has(output.before):
        before = [_sample(outcome, trial.predictions, output.before) for trial in method.first_of_folds]
        samples = {"before": before, **samples}
    objects = first.take("test", output.name)[0].shape[1]
    edges = _edges([sample for part in samples.values() for sample in part])
    return [
        MassHistogram(when=when, kind=kind, edges=edges, fraction=fraction, spread=spread, objects=objects)
        for when, part in samples.items()
        for kind in part[0].kinds
        for fraction, spread in [_fractions(part, kind, edges)]
    ]


class _Sample(NamedTuple):
    mass: Array
    weight: Array
    kinds: Mapping[str, NDArray[np.bool_]]


def _sample(outcome: Outcome, stored: StoredColumns, column: str) -> _Sample:
    return _Sample(_mass(stored, column), stored.take("test", "weight")[0], _kinds(outcome, stored))


def _fractions(samples: Sequence[_Sample], kind: str, edges: Array) -> tuple[Array, Array]:
    filled = [
        histogram(mass[kinds[kind]], weight[kinds[kind]], edges)
        for mass, weight, kinds in samples
        if kind in kinds  # a fold may have no event of a class
    ]
    return across_seeds([fraction for fraction, _ in filled])


def _mass(stored: StoredColumns, column: str) -> Array:
    momenta = stored.take("test", column, "weight")[0]
    if momenta.ndim != 3 or momenta.shape[1] < 2 or momenta.shape[2] not in {3, 4}:
        shape = ", ".join(["E", *map(str, momenta.shape[1:])])
        msg = f"a mass needs two or more objects as [E, N, 3] or [E, N, 4], test_{column} is [{shape}]"
        raise Undrawable(msg)
    return invariant_mass(momenta)


def _kinds(outcome: Outcome, stored: StoredColumns) -> dict[str, NDArray[np.bool_]]:
    if outcome.label is None:
        return {"all": np.ones(len(stored.take("test", "weight")[0]), bool)}
    label = np.rint(stored.take("test", outcome.label)[0].ravel())
    values = np.unique(label)
    names = ("background", "signal") if np.isin(values, (0, 1)).all() else ()
    return {
        names[int(v)] if names else f"{outcome.label} = {v:g}": label == v for v in values[: len(PALETTE)]
    }


def _edges(samples: Sequence[_Sample]) -> Array:
    ends = [_ends(mass, np.abs(weight)) for mass, weight, _ in samples]
    most = bins_for(effective_entries(samples[0].weight) / 2)  # for each of two classes
    return even_edges(min(low for low, _ in ends), max(high for _, high in ends), most)


def _ends(mass: Array, weight: Array) -> tuple[float, float]:
    known = np.isfinite(mass)
    if not known.any():
        msg = "no mass is finite"
        raise Undrawable(msg)
    return central_range(mass[known], weight[known], step=10.0)


LEGEND: Mapping[str, object] = {"loc": "upper right", "ncols": 2, "columnspacing": 1.2}


def draw_mass(outcome: Outcome, output: Output, method: Method) -> Drawing:
    """Both classes, before and after the calibration of one method.

    Raises:
        Undrawable: a column is not stored, or an event holds a single object.
    """
    figure, (axes,) = canvas()
    histograms = mass_histograms(outcome, output, method)
    plot_mass(axes, histograms)
    right = f"test events, {method.name}"
    dress(axes, **mass_labels(histograms), left=outcome.name, right=right, legend=LEGEND)
    return Drawing(figure=figure, numbers=long_table([_rows(each) for each in histograms]))


def mass_labels(histograms: Sequence[MassHistogram]) -> dict[str, str]:
    """The labels of the axes, with the width of the bins."""
    width = histograms[0].edges[1] - histograms[0].edges[0]
    what = "the pair" if histograms[0].objects == 2 else "all objects"
    return {"x": f"Invariant mass of {what} [GeV]", "y": f"Fraction of events / {width:.3g} GeV"}


def plot_mass(axes: Axes, histograms: Sequence[MassHistogram]) -> None:
    """Before as dashed outlines, after as filled areas."""
    colors = dict(zip(dict.fromkeys(each.kind for each in histograms), PALETTE, strict=False))
    for each in histograms:
        color = {"background": BACKGROUND, "signal": SIGNAL}.get(each.kind, colors[each.kind])
        after = each.when == "after"
        if after:
            axes.stairs(
                each.fraction, each.edges, fill=True, facecolor=(color, 0.25), linewidth=0, zorder=0.5
            )
        style: dict[str, Any] = {
            "linestyle": "-" if after else (0, (3, 1.5)),
            "linewidth": 1.8,
            "color": color,
        }
        axes.stairs(each.fraction, each.edges, label=f"{each.kind}, {each.when}", **style)
    edges = histograms[0].edges
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.25 * axes.dataLim.ymax))


def _rows(each: MassHistogram) -> dict[str, ArrayLike]:
    return {
        "when": each.when,
        "class": each.kind,
        "mass_low": each.edges[:-1],
        "mass_high": each.edges[1:],
        "fraction": each.fraction,
        "spread_over_seeds": each.spread,
    }
