"""What ``check`` and ``plan`` print of the processes and their files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table as Grid

if TYPE_CHECKING:
    from tsunagu.data import Table
    from tsunagu.data.headers import Headers

__all__ = ["describe_headers", "describe_processes"]


def describe_processes(table: Table) -> Iterator[Grid]:
    """The table of the processes: their events and the sums of their weights; nothing without processes."""
    from tsunagu.data import describe_processes as rows_of

    rows = rows_of(table)
    if not rows:
        return
    grid = Grid("process", title="Processes")
    for name in ("files", "events", "sum w", "sum |w|", "negative", "effective"):
        grid.add_column(name, justify="right")
    for row in rows:
        sums = (f"{row.sum_weight:,.5g}", f"{row.sum_abs_weight:,.5g}")
        shares = (f"{row.negative_share:.1%}", f"{row.effective_events:,.0f}")
        grid.add_row(row.name, f"{row.files}", f"{row.events:,}", *sums, *shares)
    yield grid


def describe_headers(headers: Headers) -> Grid:
    """The table of the processes, or of the files, as their headers tell."""
    names = headers.processes if any(headers.processes) else headers.files
    grid = Grid("process" if any(headers.processes) else "file", title="Before any selection")
    grid.add_column("files", justify="right")
    grid.add_column("events", justify="right")
    for name in dict.fromkeys(names):
        events = [count for owner, count in zip(names, headers.events, strict=True) if owner == name]
        grid.add_row(name, str(len(events)), f"{sum(events):,}")
    return grid
