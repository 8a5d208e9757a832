"""``python -m benchmarks [names...]``: measure the rows, print the table, update ``results.json``."""

from __future__ import annotations

import sys
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.measure import STUDIES
from benchmarks.memory import peak_memory
from benchmarks.peak import gemm_peak
from benchmarks.results import RESULTS, Work, entry, load, machine, merge
from benchmarks.rows import ROWS, Row

BUSY = 0.5


def main(names: list[str]) -> int:
    """Run the named rows, or all; 2 for an unknown name."""
    console = Console()
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        console.print(f"unknown: {', '.join(unknown)}; known: {', '.join(ROWS)}")
        return 2
    torch.set_num_threads(1)
    hardware, table = machine(), _table()
    peak = gemm_peak()
    for name in names or ROWS:
        row = ROWS[name]
        with console.status(name):
            made, costs = _measure(name, row, hardware, peak, console)
        # Written row by row: an interrupted run keeps what it has measured.
        merge({name: made})
        table.add_row(name, *_cells(row, made, costs))
    console.print(table)
    console.print(f"{hardware}, {peak / 1e9:.0f} GFLOP/s at best", highlight=False)
    console.print(f"written to benchmarks/{RESULTS.name}", highlight=False)
    return 0


def _measure(
    name: str, row: Row, hardware: str, peak: float, console: Console
) -> tuple[dict[str, Any], tuple[str, str]]:
    note = row.note
    if row.scale is STUDIES:
        busy = load()
        note = f"{note}; load average {busy:.2f} at the start"
        if busy > BUSY:
            console.print(f"{name}: the load average is {busy:.2f}; by wall clock this row means little")
    comparison = row.run()
    work = Work(flops=row.flops, peak=peak, memory=peak_memory(name)) if row.members else None
    costs = row.scale.told(comparison.ours), row.scale.told(comparison.theirs)
    return entry(comparison, row.scale, note, hardware, work), costs


def _cells(row: Row, made: dict[str, Any], costs: tuple[str, str]) -> list[str]:
    spread = f"[{made['low']:.2f}, {made['high']:.2f}]"
    cells = [f"{made['ratio']:.2f}", spread, f"<= {row.target}", f"{' / '.join(costs)} {row.scale.unit}"]
    if not row.members:
        return cells
    rates = f"{made['gflops']:.1f} / {made['their_gflops']:.1f}"
    shares = f"{made['share_of_peak']:.1%} / {made['their_share_of_peak']:.1%}"
    return [*cells, rates, shares, f"{made['peak_memory_mb']:.0f}" if "peak_memory_mb" in made else "-"]


def _table() -> Table:
    caption = "median ratio and quartiles of alternating rounds; steps by CPU time of one thread, studies by wall clock"
    table = Table(caption=f"{caption}; a / b: ours / theirs")
    for column in ("row", "ratio", "quartiles", "target", "cost", "GFLOP/s", "of the peak", "our MB"):
        table.add_column(column, justify="left" if column == "row" else "right", no_wrap=True)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
