"""Tables of a page, each line with a strip: every seed a point, the mean and its interval, drawn without a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from tsunagu.report.outcome import Method, Outcome
from tsunagu.report.table import DASH, results_cells
from tsunagu.report.words import gains
from tsunagu.studies.statistics import Spread

__all__ = ["Line", "Strip", "comparison_lines", "result_lines", "strips"]

WIDTH = 180.0
"""Of a strip, in its own units."""
MINUS = str.maketrans("-", "\N{MINUS SIGN}")


@final
@dataclass(frozen=True, kw_only=True)
class Strip:
    """Where the marks of one line stand, in 0..:data:`WIDTH`; ``zero`` is where no difference is."""

    points: tuple[float, ...]
    mean: float
    interval: tuple[float, float] | None
    zero: float | None = None


@final
@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a table: the name, the texts of its cells, and the strip; None where there is nothing to mark."""

    name: str
    cells: tuple[str, ...]
    strip: Strip | None
    plain: bool = False


def strips(spreads: Sequence[Spread | None], *, zero: bool = False) -> list[Strip | None]:
    """Marks on one common scale, which holds all values and intervals.

    Args:
        spreads: of the lines.
        zero: whether 0 is marked and lies on the scale.

    >>> strips([Spread(values=(0.0, 2.0)), None])[0].points
    (1.0, 179.0)
    """
    there = [spread for spread in spreads if spread is not None]
    ends = np.array([end for spread in there for end in (*spread.values, *(_shown(spread) or ()))])
    if not len(ends):
        return [None] * len(spreads)
    low, high = (
        min(ends.min(), *([0.0] if zero else [ends.min()])),
        max(ends.max(), 0.0 if zero else ends.max()),
    )
    scale = (WIDTH - 2) / ((high - low) or 1.0)
    return [None if spread is None else _strip(spread, low, scale, zero=zero) for spread in spreads]


def _strip(spread: Spread, low: float, scale: float, *, zero: bool) -> Strip:
    def at(value: float) -> float:
        return round(float(1 + (value - low) * scale), 1)

    shown = _shown(spread)
    return Strip(
        points=tuple(at(value) for value in spread.values),
        mean=at(spread.mean),
        interval=None if shown is None else (at(shown[0]), at(shown[1])),
        zero=at(0.0) if zero else None,
    )


def _shown(spread: Spread) -> tuple[float, float] | None:
    """That of two seeds is six times as long as their distance, and would press all else together."""
    return spread.interval if len(spread.values) > 2 else None


def result_lines(outcome: Outcome) -> tuple[list[str], list[Line]]:
    """The table of the study, as the terminal shows it, with the 95 % interval of its metric in a further column."""
    header, rows = results_cells(outcome)
    column = outcome.metric_column("test")
    spreads = [_spread(method, column) for method, _ in rows]
    at = header.index(column.replace("_", " ", 1))
    lines = [
        Line(
            name=method.name,
            cells=(*cells[1 : at + 1], _ends(spread), *cells[at + 1 :]),
            strip=strip,
            plain=not method.trials,
        )
        for (method, cells), spread, strip in zip(rows, spreads, strips(spreads), strict=True)
    ]
    return [*header[: at + 1], "95 % interval", *header[at + 1 :]], lines


def _spread(method: Method, column: str) -> Spread | None:
    values = method.values(column)
    finite = values[np.isfinite(values)]
    return Spread(values=tuple(finite.tolist())) if len(finite) else None


def _ends(spread: Spread | None) -> str:
    interval = spread.interval if spread else None
    return DASH if interval is None else f"{interval[0]:.4f} to {interval[1]:.4f}".translate(MINUS)


def comparison_lines(outcome: Outcome) -> tuple[str, list[Line]]:
    """The method that is best on the validation events, and a line for each rival: the differences seed by seed."""
    best, found = gains(outcome)
    if best is None:
        return "", []
    spreads = [result.differences for _, result in found]
    lines = [
        Line(
            name=rival.name,
            cells=_difference(spread, f"{result.better} of {result.pairs}"),
            strip=strip,
            plain=not rival.trials,
        )
        for (rival, result), spread, strip in zip(found, spreads, strips(spreads, zero=True), strict=True)
    ]
    return best.name, lines


def _difference(spread: Spread | None, better: str) -> tuple[str, ...]:
    if spread is None:
        return DASH, DASH, DASH
    interval = spread.interval
    ends = DASH if interval is None else f"{interval[0]:+.4f} to {interval[1]:+.4f}"
    return f"{spread.mean:+.4f}".translate(MINUS), ends.translate(MINUS), better
