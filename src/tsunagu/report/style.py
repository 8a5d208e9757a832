"""How every figure looks: mplhep's style, a colour-blind safe palette, one size, and files equal byte for byte.

mplhep's styles are dictionaries for matplotlib's global settings. Global settings would make the figures depend on what
else the process draws, so the values are read from the dictionary and applied to each Axes; pyplot is never used.
"""

from __future__ import annotations

import csv
import io
import textwrap
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import ArrayLike, NDArray

from tsunagu.files import write_bytes

__all__ = [
    "BACKGROUND",
    "BASELINE",
    "DASHES",
    "PALETTE",
    "SIGNAL",
    "Drawing",
    "Line",
    "canvas",
    "dress",
    "label_rows",
    "line",
    "long_table",
    "picture",
    "save",
]

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette without its yellow, which is too pale for a line on white (https://jfly.uni-koeln.de/color/)."""
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (9, 2)))
SIGNAL, BACKGROUND, BASELINE = PALETTE[1], PALETTE[0], "#777777"
SIZE = (7.2, 5.6)
DPI, SMALL = 150, 66
_FAMILY = ["TeX Gyre Heros", "DejaVu Sans"]
_RENDERING = threading.Lock()


@final
@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A finished figure, the numbers in it as columns of one length, and what had to be left out.

    A page draws some figures anew from their numbers; ``kind`` says how, and ``about`` of what they are.
    """

    figure: Figure
    numbers: Mapping[str, ArrayLike] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    kind: str = ""
    about: str = ""


@final
@dataclass(frozen=True)
class Line:
    """How one method is drawn everywhere in a report: colour and dashes both tell the methods apart."""

    color: str
    dashes: Any = "-"

    @property
    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of ``Axes.plot``."""
        return {"color": self.color, "linestyle": self.dashes}


def line(number: int) -> Line:
    """The look of the method with this number: seven colours, then other dashes.

    >>> line(0).color, line(0).dashes, line(7).color == line(0).color, line(7) == line(0)
    ('#0072B2', '-', True, False)
    """
    return Line(PALETTE[number % len(PALETTE)], DASHES[(number + number // len(PALETTE)) % len(DASHES)])


@cache
def _settings() -> Mapping[str, Any]:
    import mplhep  # slow to import, and it registers its fonts

    settings: Mapping[str, Any] = (
        mplhep.style.ATLAS
    )  # the style's lines and ticks; no experiment's name is drawn
    return settings


def canvas(
    rows: int = 1, columns: int = 1, *, size: tuple[float, float] = SIZE, **grid: Any
) -> tuple[Figure, list[Axes]]:
    """An empty figure of ``size`` inches with ``rows x columns`` dressed panels, in reading order.

    >>> figure, panels = canvas(1, 2)
    >>> len(panels), figure.get_size_inches().tolist()
    (2, [7.2, 5.6])
    """
    figure = Figure(figsize=size, dpi=DPI, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.09, h_pad=0.05)
    FigureCanvasAgg(figure)
    panels = [axes for row in figure.subplots(rows, columns, squeeze=False, **grid) for axes in row]
    for axes in panels:
        _set_ticks(axes)
    return figure, panels


def _set_ticks(axes: Axes) -> None:
    style = _settings()
    axes.minorticks_on()
    both = {
        "direction": style["xtick.direction"],
        "top": True,
        "right": True,
        "labelfontfamily": _FAMILY,
        "pad": 6,
    }
    axes.tick_params(which="major", length=7, labelsize=13, **both)
    axes.tick_params(which="minor", length=4, **both)
    for spine in axes.spines.values():
        spine.set_linewidth(style["axes.linewidth"])


def dress(
    axes: Axes,
    *,
    x: str = "",
    y: str = "",
    left: str = "",
    right: str = "",
    legend: Mapping[str, Any] | None = None,
) -> None:
    """Label the axes at their ends, write the neutral heading above the frame, and add the legend.

    Args:
        axes: the panel, with everything drawn in it.
        x: the label below, with its unit.
        y: the label at the left, with its unit.
        left: bold heading; right: plain heading.
        right: plain heading at the right.
        legend: arguments of ``Axes.legend``; None draws none.
    """
    style = _settings()
    axes.set_xlabel(x, loc=style["xaxis.labellocation"], fontsize=15)
    axes.set_ylabel(y, loc=style["yaxis.labellocation"], fontsize=15)
    axes.set_title(left, loc="left", fontsize=14, fontweight="bold", parse_math=False)
    axes.set_title(right, loc="right", fontsize=12, parse_math=False)
    if legend is not None:
        axes.legend(
            **{"frameon": False, "fontsize": 12, "title_fontsize": 12, "labelspacing": 0.35} | dict(legend)
        )
    for text in axes.findobj(Text):
        text.set_fontfamily(_FAMILY)
        text.set_math_fontfamily("stixsans")


def label_rows(axes: Axes, names: Sequence[str], notes: Sequence[str] = (), above: int = 1) -> None:
    """Rows from top to bottom, a name at the left and a note at the right of each.

    Args:
        axes: with a row at each of 0, 1, 2, ... on its y axis.
        names: of the rows; long ones are broken.
        notes: one a row, or none.
        above: lines of a legend that need room above the first row.
    """
    size = 13 if max(map(len, names)) < 18 and len(names) < 7 else 11
    axes.set_yticks(range(len(names)), [textwrap.fill(name, 22) for name in names], fontsize=size)
    axes.yaxis.minorticks_off()
    axes.tick_params(axis="y", left=False, right=False)
    share = 0.025 + 0.05 * above  # of the height, for the legend
    rows = max(len(names), 3)  # fewer would be too thick
    bottom = (len(names) - 1 + rows) / 2
    axes.set_ylim(bottom + 0.02 * rows, bottom - rows / (1 - share))
    for row, note in enumerate(notes):
        axes.text(1.02, row, note, transform=axes.get_yaxis_transform(), va="center", fontsize=11)


def long_table(parts: Sequence[Mapping[str, ArrayLike]]) -> dict[str, NDArray[Any]]:
    """Parts with the same names below each other; a part's single values are repeated along its columns.

    >>> {name: column.tolist() for name, column in long_table([{"a": 1, "b": [2, 3]}, {"a": 4, "b": [5]}]).items()}
    {'a': [1, 1, 4], 'b': [2, 3, 5]}
    """
    filled = [np.broadcast_arrays(*part.values()) for part in parts]
    return {name: np.concatenate([part[place] for part in filled]) for place, name in enumerate(parts[0])}


def save(drawing: Drawing, stem: Path) -> list[Path]:
    """Write ``stem.png``, ``stem.pdf`` and, where there are numbers, ``stem.csv``; equal drawings give equal bytes.

    Raises:
        ResumeError: a file cannot be written there.
    """
    contents = {".png": _render(drawing.figure, "png"), ".pdf": _render(drawing.figure, "pdf")}
    if drawing.numbers:
        contents[".csv"] = _csv(drawing.numbers)
    paths = [stem.with_name(stem.name + suffix) for suffix in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        write_bytes(path, content)
    return paths


def picture(drawing: Drawing, dpi: int = SMALL) -> bytes:
    """The figure as a small WebP, for a page that must not grow large."""
    return _render(drawing.figure, "webp", dpi)


def _render(figure: Figure, kind: str, small: int = SMALL) -> bytes:
    dates_and_versions: dict[str, Any] = {
        "png": {"Software": None},
        "pdf": dict.fromkeys(("CreationDate", "Creator", "Producer")),
        "webp": None,
    }
    options = {"pil_kwargs": {"quality": 40, "method": 6}, "dpi": small} if kind == "webp" else {"dpi": DPI}
    stream = io.BytesIO()
    with _RENDERING:  # text layout shares caches between threads
        figure.savefig(stream, format=kind, facecolor="white", metadata=dates_and_versions[kind], **options)
    return stream.getvalue()


def _csv(numbers: Mapping[str, ArrayLike]) -> bytes:
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(numbers)
    table.writerows(zip(*(_cells(np.asarray(column)) for column in numbers.values()), strict=True))
    return stream.getvalue().encode()


def _cells(column: NDArray[Any]) -> Sequence[str]:
    if column.dtype.kind != "f":
        return [str(value) for value in column.tolist()]
    return ["" if np.isnan(value) else f"{value:.9g}" for value in column.tolist()]
