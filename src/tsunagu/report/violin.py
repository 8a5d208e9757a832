"""A violin a method: every seed's number as a point, their mean with its interval, and the baselines as lines.

The methods stand below each other, so that their names need no turning and eight of them have room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from tsunagu.report.outcome import Method, Outcome
from tsunagu.report.stored import Array, Undrawable, each_drawable
from tsunagu.report.style import BASELINE, DASHES, PALETTE, Drawing, canvas, dress, label_rows, long_table
from tsunagu.studies.statistics import LEVEL, Spread

__all__ = ["Violin", "density", "draw_violins", "scattered", "violins"]

LEAST = 4
"""Values that make a violin; the shape of fewer would be the kernel's, not theirs."""
HALF, COLUMNS = 0.36, 2
_MEAN: Mapping[str, Any] = {
    "color": "black",
    "markerfacecolor": "white",
    "markersize": 5.5,
    "markeredgewidth": 1.3,
}


@final
@dataclass(frozen=True, kw_only=True)
class Violin:
    """The numbers of one method or baseline in one column.

    Args:
        name: of the method.
        color: of the method, in every figure.
        seeds: ``[S]``; empty texts for a baseline.
        folds: ``[S]``; empty texts where folds are not varied.
        spread: of the values ``[S]``, in that order.
    """

    name: str
    color: str
    seeds: tuple[str, ...]
    folds: tuple[str, ...]
    spread: Spread

    @property
    def values(self) -> Array:
        """``[S]``."""
        return np.array(self.spread.values)


def density(values: Array, at: Array) -> Array:
    """A Gaussian kernel density estimate with Scott's bandwidth, ``deviation * S^(-1/5)``, scaled to 1 at its highest.

    Args:
        values: ``[S]``, not all equal.
        at: ``[B]``.

    Returns:
        ``[B]`` in 0..1, where the highest is that of ``at`` and of the values together.

    Source: D. W. Scott, "Multivariate Density Estimation", Wiley 1992.

    >>> density(np.array([1.0, 2.0, 3.0]), np.array([2.0, 5.0])).round(3).tolist()
    [1.0, 0.024]
    """
    width = values.std(ddof=1) * len(values) ** -0.2
    both = np.concatenate([at, values])
    height = np.exp(-0.5 * ((both[:, None] - values) / width) ** 2).sum(axis=1)
    scaled: Array = height[: len(at)] / height.max()
    return scaled


def scattered(values: Array) -> Array:
    """Where the points stand across a violin: neighbours far apart, and all within the violin.

    Args:
        values: ``[S]``.

    Returns:
        ``[S]`` in -1..1, from van der Corput's sequence along the sorted values: no draw, the same every time.

    >>> scattered(np.array([0.1, 0.3, 0.2, 0.4, 0.5])).round(2).tolist()
    [0.0, 0.5, -0.47, -0.7, 0.17]
    """
    rank = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    turns = np.array([_reversed_bits(number + 1) for number in rank.tolist()])
    return (2 * turns - 1) * (density(values, values) if _has_shape(values) else 0.5 * (len(values) > 1))


def _reversed_bits(number: int) -> float:
    """In 0..1: the binary digits of the number, mirrored at the point."""
    return int(f"{number:b}"[::-1], 2) / (1 << number.bit_length())


def violins(outcome: Outcome, column: str) -> tuple[list[Violin], list[Violin], tuple[str, ...]]:
    """Those of the drawn methods, those of the baselines, and what is left out.

    Raises:
        Undrawable: no method has a number in that column that means something.
    """

    def trained(method: Method) -> Violin:
        if not outcome.means_something(method, column):
            msg = f"method {method.name}: no loss looks at what {column} is taken of"
            raise Undrawable(msg)
        return _violin(method, column, PALETTE[method.number % len(PALETTE)])

    drawn, absent = each_drawable(trained, outcome.listed)
    plain = [_violin(method, column, BASELINE) for method in outcome.baselines if len(method.values(column))]
    return drawn, plain, absent


def _violin(method: Method, column: str, color: str) -> Violin:
    finite = {place: value for place, value in method.by_place(column).items() if np.isfinite(value)}
    if not finite:
        msg = f"method {method.name} has no number in {column}"
        raise Undrawable(msg)
    seeds, folds = zip(*finite, strict=True)
    spread = Spread(values=tuple(finite.values()))
    return Violin(name=method.name, color=color, seeds=seeds, folds=folds, spread=spread)


def draw_violins(outcome: Outcome, column: str) -> Drawing:
    """The test numbers of every method in one metric, in the order of the study.

    Args:
        outcome: of the study.
        column: of ``results.csv``, such as ``test_auc``.

    Raises:
        Undrawable: no method has such a number.
    """
    drawn, plain, left_out = violins(outcome, column)
    figure, (axes,) = canvas()
    for row, each in enumerate(drawn):
        _draw(axes, each, row)
    _limit(axes, drawn, plain)
    lines = _draw_baselines(axes, plain, len(drawn))
    handles = [*_keys(drawn), *lines]
    above = 1 + (len(handles) - 1) // COLUMNS
    label_rows(axes, [each.name for each in drawn], [_words(each) for each in drawn], above)
    call = outcome.metrics.get(column.partition("_")[2])
    legend = {"handles": handles, "loc": "upper left", "ncols": COLUMNS, "fontsize": 11, "columnspacing": 1.6}
    x = str(call or column.replace("_", " "))
    dress(axes, x=x, left=outcome.name, right="test events", legend=legend)
    folds = any(any(each.folds) for each in drawn)
    numbers = long_table([_rows(each, folds=folds) for each in drawn + plain])
    return Drawing(figure=figure, numbers=numbers, left_out=left_out, kind="violin", about=x)


def _keys(drawn: Sequence[Violin]) -> list[Line2D]:
    folds, bars = any(any(each.folds) for each in drawn), any(len(each.values) > 2 for each in drawn)
    point: dict[str, Any] = {"marker": "o", "color": "#555555", "markeredgecolor": "white", "markersize": 6.5}
    mean: dict[str, Any] = {**_MEAN, "marker": "D", "linestyle": "-" if bars else "none", "linewidth": 1.8}
    return [
        Line2D([], [], label="a training" if folds else "a seed", linestyle="none", **point),
        Line2D([], [], label=f"mean, {100 * LEVEL:.0f} % interval" if bars else "mean", **mean),
    ]


def _draw(axes: Axes, violin: Violin, row: int) -> None:
    values = violin.values
    if _has_shape(values):
        at = np.linspace(values.min(), values.max(), 200)
        half = HALF * density(values, at)
        axes.fill_between(at, row - half, row + half, color=violin.color, alpha=0.22, linewidth=0)
        for side in (row - half, row + half):
            axes.plot(at, side, color=violin.color, linewidth=1.2)
    point: dict[str, Any] = {"s": 26, "color": violin.color, "edgecolors": "white", "linewidths": 0.6}
    axes.scatter(values, row + 0.8 * HALF * scattered(values), zorder=3, **point)
    if len(values) > 1:
        low, high = _bar(violin)
        bar: dict[str, Any] = {"fmt": "D", "elinewidth": 1.8, "capsize": 4, "capthick": 1.5, "zorder": 4}
        mean = violin.spread.mean
        axes.errorbar([mean], [row], xerr=[[mean - low], [high - mean]], **_MEAN, **bar)


def _bar(violin: Violin) -> tuple[float, float]:
    """The ends of the interval that is drawn; that of two seeds is six times as long as their distance, and is not."""
    interval = violin.spread.interval
    return interval if interval is not None and len(violin.values) > 2 else (violin.spread.mean,) * 2


def _has_shape(values: Array) -> bool:
    return len(values) >= LEAST and bool(np.ptp(values) > 0)


def _limit(axes: Axes, drawn: Sequence[Violin], plain: Sequence[Violin]) -> None:
    """The axis shows all points, and the baselines unless they would press the violins into less than half of it."""
    every = np.concatenate([part for each in drawn for part in (each.values, np.array(_bar(each)))])
    low, high = float(every.min()), float(every.max())
    width = (high - low) or abs(high) * 0.02 or 0.02
    near = [v for each in plain for v in [each.spread.mean] if low - width <= v <= high + width]
    low, high = min([low, *near]), max([high, *near])
    axes.set_xlim(low - 0.06 * (high - low or width), high + 0.06 * (high - low or width))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6))


def _draw_baselines(axes: Axes, plain: Sequence[Violin], rows: int) -> list[Line2D]:
    """Lines across all rows, and what the legend says of them; one beyond the axis is only named there."""
    low, high = axes.get_xlim()
    found: list[Line2D] = []
    for number, each in enumerate(plain):
        value = each.spread.mean
        look: dict[str, Any] = {"color": BASELINE, "linestyle": DASHES[1 + number % (len(DASHES) - 1)]}
        beyond = "\N{LEFTWARDS ARROW}" if value < low else "\N{RIGHTWARDS ARROW}" if value > high else ""
        if beyond:
            found.append(Line2D([], [], label=f"{each.name} ({beyond} {value:.4f})", **look))
        else:
            found += axes.plot([value] * 2, [-0.5, rows - 0.5], label=each.name, zorder=0.5, **look)
    return found


def _words(violin: Violin) -> str:
    mean, half = violin.spread.mean, _bar(violin)[1] - violin.spread.mean
    text = f"{mean:.4f} \N{PLUS-MINUS SIGN} {half:.4f}" if len(violin.values) > 2 else f"{mean:.4f}"
    return text.replace("-", "\N{MINUS SIGN}")


def _rows(violin: Violin, *, folds: bool) -> dict[str, ArrayLike]:
    low, high = violin.spread.interval or (np.nan, np.nan)
    return {
        "method": violin.name,
        "seed": np.array(violin.seeds),
        **({"fold": np.array(violin.folds)} if folds else {}),
        "value": violin.values,
        "mean": violin.spread.mean,
        "interval_low": low,
        "interval_high": high,
    }
