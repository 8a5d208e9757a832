"""How often each option of a choice was taken: a bar a method, a colour an option."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import MaxNLocator

from tsunagu.report.outcome import CHOICE, Method, Outcome
from tsunagu.report.stored import Undrawable
from tsunagu.report.style import PALETTE, Drawing, canvas, dress, label_rows

__all__ = ["choice_counts", "draw_choices", "short_label"]

COLUMNS = 4
HATCHES = ("", "//", "..", "xx")


def short_label(label: str) -> str:
    """A choice's label as a figure shows it: a task's model by the task's name.

    >>> short_label("tasks.calibrate.model"), short_label("tasks.calibrate.model.cnn.channels"), short_label("width")
    ('calibrate', 'calibrate.cnn.channels', 'width')
    """
    match label.split("."):
        case ["tasks", task, "model", *rest]:
            return ".".join([task, *rest])
    return label


def choice_counts(outcome: Outcome, label: str) -> dict[str, Counter[str]]:
    """How often each option was taken, by method; methods that have no such choice are not there."""
    found = {method.name: _count(method, label) for method in outcome.listed}
    return {name: counts for name, counts in found.items() if counts}


def _count(method: Method, label: str) -> Counter[str]:
    return Counter(row[CHOICE + label] for row in method.rows if row[CHOICE + label])


def draw_choices(outcome: Outcome, label: str) -> Drawing:
    """What the methods chose for one label, each time by the validation events.

    Args:
        outcome: of the study.
        label: of the choice.

    Raises:
        Undrawable: no method that is drawn had that choice.
    """
    counts, options = choice_counts(outcome, label), outcome.options[label]
    if not counts:
        msg = f"no method that is drawn has the choice {label}"
        raise Undrawable(msg)
    figure, (axes,) = canvas()
    for number, option in enumerate(options):
        _draw(
            axes,
            [each[option] for each in counts.values()],
            _before(counts, options[:number]),
            option,
            number,
        )
    axes.set_xlim(0, 1.03 * max(each.total() for each in counts.values()))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    axes.xaxis.minorticks_off()
    label_rows(axes, list(counts), above=1 + (len(options) - 1) // COLUMNS)
    heading = {"left": outcome.name, "right": short_label(label)}
    legend = {"loc": "upper left", "ncols": COLUMNS, "columnspacing": 1.4, "handlelength": 1.4}
    dress(axes, x="Times chosen, by the validation events", **heading, legend=legend)
    pairs = [(name, option) for name in counts for option in options]
    numbers = {
        "method": np.array([name for name, _ in pairs]),
        "option": np.array([option for _, option in pairs]),
        "times": np.array([counts[name][option] for name, option in pairs]),
    }
    return Drawing(figure=figure, numbers=numbers, kind="choices", about=short_label(label))


def _before(counts: Mapping[str, Counter[str]], options: tuple[str, ...]) -> list[int]:
    return [sum(each[option] for option in options) for each in counts.values()]


def _draw(axes: Axes, widths: list[int], starts: list[int], option: str, number: int) -> None:
    color = PALETTE[number % len(PALETTE)]
    look: dict[str, Any] = {"height": 0.62, "color": color, "edgecolor": "white", "linewidth": 1.0}
    bars = axes.barh(range(len(widths)), widths, left=starts, label=option, **look)
    for bar in bars:
        bar.set_hatch(HATCHES[number // len(PALETTE) % len(HATCHES)])
    dark = np.dot(to_rgb(color), (0.299, 0.587, 0.114)) < 0.6
    text: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "fontsize": 12,
        "color": "white" if dark else "black",
    }
    for row, (width, start) in enumerate(zip(widths, starts, strict=True)):
        if width:
            axes.text(start + width / 2, row, str(width), **text)
