"""How the searcher of a supernet made up its mind: the probability of each option after each epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from tsunagu.errors import DataError
from tsunagu.report.chosen import short_label
from tsunagu.report.outcome import SEARCH, Method, Outcome
from tsunagu.report.stored import Array, StoredTrial, Undrawable, read_rows
from tsunagu.report.style import SIZE, Drawing, canvas, dress, line, long_table

__all__ = ["Trajectory", "draw_search", "trajectories"]

COLUMNS, PANELS = 3, 12


@final
@dataclass(frozen=True, kw_only=True)
class Trajectory:
    """The probability of one option in one search, ``[epochs]``."""

    label: str
    option: str
    seed: int
    fold: str
    epoch: Array
    probability: Array


def trajectories(search: StoredTrial) -> list[Trajectory]:
    """All of one search, in the order of its space.

    Raises:
        ResumeError: ``trajectory.csv`` is missing or damaged.
        DataError: it holds something that is not a number.
    """
    path = search.folder / "trajectory.csv"
    groups: dict[tuple[str, str], list[tuple[float, float]]] = {}
    try:
        for row in read_rows(path, ("epoch", "label", "option", "probability")):
            pair = float(row["epoch"]), float(row["probability"])
            groups.setdefault((row["label"], row["option"]), []).append(pair)
    except ValueError as error:
        msg = f"{path}: {error}; remove the trial's folder and run again"
        raise DataError(msg) from error
    return [
        Trajectory(
            label=label,
            option=option,
            seed=search.seed,
            fold=search.fold,
            epoch=np.array([epoch for epoch, _ in pairs]),
            probability=np.array([probability for _, probability in pairs]),
        )
        for (label, option), pairs in groups.items()
    ]


def draw_search(outcome: Outcome, method: Method) -> Drawing:
    """A panel a choice, a colour an option; searches as thin lines, their mean as a thick one.

    Raises:
        Undrawable: the searcher holds no distribution.
    """
    if not len(method.values(SEARCH + "confidence")):
        msg = f"the searcher of method {method.name} holds no probabilities of options"
        raise Undrawable(msg)
    found = [each for search in method.searches for each in trajectories(search)]
    labels = list(dict.fromkeys(each.label for each in found))
    shown, hidden = labels[:PANELS], labels[PANELS:]
    columns = min(len(shown), COLUMNS)
    rows = math.ceil(len(shown) / columns)
    size = (SIZE[0] * (1 + 0.55 * (columns - 1)), SIZE[1] * (1 + 0.8 * (rows - 1)))
    most = max(len({each.option for each in found if each.label == label}) for label in shown)
    figure, panels = canvas(rows, columns, size=size, sharex=True, sharey=True)
    for axes, label in zip(panels, shown, strict=False):
        _plot(axes, [each for each in found if each.label == label], most)
        left = f"{outcome.name}, {method.name}" if axes is panels[0] else ""
        y = "Probability" if panels.index(axes) % columns == 0 else ""
        legend = {"loc": "upper left", "ncols": COLUMNS, "columnspacing": 1.2, "handlelength": 1.8}
        dress(axes, x="Epoch", y=y, left=left, right=short_label(label), legend=legend)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    numbers = long_table([_rows(each) for each in found])
    more = (f"only the first {PANELS} of {len(labels)} choices are drawn",) if hidden else ()
    return Drawing(figure=figure, numbers=numbers, left_out=more)


def _plot(axes: Axes, found: Sequence[Trajectory], most: int) -> None:
    options = list(dict.fromkeys(each.option for each in found))
    for number, option in enumerate(options):
        own = [each for each in found if each.option == option]
        look = line(number).arguments
        if len(own) > 1:
            for each in own:
                axes.plot(each.epoch, each.probability, **look, linewidth=0.8, alpha=0.4)
        common = min(len(each.epoch) for each in own)
        mean = np.mean([each.probability[:common] for each in own], axis=0)
        thick: dict[str, Any] = {"linewidth": 2.2, "marker": "o", "markersize": 3.5 if common < 60 else 0}
        axes.plot(own[0].epoch[:common], mean, label=option, **look, **thick)
    axes.axhline(1 / len(options), color="black", linewidth=0.8, linestyle=":")
    # Room for the legend above what can be a probability.
    axes.set_ylim(0, 1.06 + 0.075 * math.ceil(most / COLUMNS))
    axes.set_yticks(np.arange(6) / 5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.xaxis.minorticks_off()
    axes.margins(x=0.03)


def _rows(each: Trajectory) -> dict[str, ArrayLike]:
    return {
        "seed": each.seed,
        **({"fold": each.fold} if each.fold else {}),
        "label": each.label,
        "option": each.option,
        "epoch": each.epoch.astype(int),
        "probability": each.probability,
    }
