"""``python -m benchmarks [names...]``: measure the rows, print the table, update ``results.json``."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measure import STUDIES
from benchmarks.memory import peak_memory
from benchmarks.peak import gemm_peak
from benchmarks.results import RESULTS, Work, entry, load, machine, merge
from benchmarks.rows import ROWS, Row
from tsunagu.train import for_small_steps

BUSY = 0.5


def main(names: list[str]) -> int:
    """Run the named rows, or all; 2 for an unknown name."""
    console = Console()
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        console.print(f"unknown: {', '.join(unknown)}; known: {', '.join(ROWS)}")
        return 2
    for_small_steps()
    hardware, peak = machine(), gemm_peak()
    ratios, rates = _tables()
    for name in names or ROWS:
        row = ROWS[name]
        with console.status(name):
            made, costs = _measure(name, row, hardware, peak, console)
        # Written row by row: an interrupted run keeps what it has measured.
        merge({name: made})
        ratios.add_row(name, *_ratio(row, made, costs))
        if row.members:
            rates.add_row(name, *_rate(made))
    console.print(ratios)
    if rates.rows:
        console.print(rates)
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
    comparison, backends = row.run()
    work = None
    if row.members:
        work = Work(flops=row.flops, backends=backends, peak=peak, memory=peak_memory(name))
    costs = row.scale.told(comparison.ours), row.scale.told(comparison.theirs)
    return entry(comparison, row.scale, note, hardware, work), costs


def _ratio(row: Row, made: dict[str, Any], costs: tuple[str, str]) -> list[str]:
    spread = f"[{made['low']:.2f}, {made['high']:.2f}]"
    return [f"{made['ratio']:.2f}", spread, f"<= {row.target}", f"{' / '.join(costs)} {row.scale.unit}"]


def _rate(made: dict[str, Any]) -> list[str]:
    rates = f"{made['gflops']:.1f} / {made['their_gflops']:.1f}"
    shares = f"{made['share_of_peak']:.1%} / {made['their_share_of_peak']:.1%}"
    memory = f"{made['peak_memory_mb']:.0f}" if "peak_memory_mb" in made else "-"
    return [made["backends"], rates, shares, memory]


def _tables() -> tuple[Table, Table]:
    ratios = Table(
        caption="median ratio and quartiles of alternating rounds, and the costs of ours / theirs;\n"
        "us: CPU time of one thread for a step, s: wall-clock time of a study"
    )
    rates = Table(
        caption="ours / theirs: arithmetic of dense layers, convolutions and LSTMs, over the core's best rate"
    )
    for table, columns in (
        (ratios, ("ratio", "quartiles", "target", "cost")),
        (rates, ("run", "GFLOP/s", "of the peak", "our MB")),
    ):
        table.add_column("row", no_wrap=True)
        for column in columns:
            table.add_column(column, justify="right", no_wrap=True)
    return ratios, rates


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
