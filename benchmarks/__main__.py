"""``python -m benchmarks [names...]``: measure the rows, print the table, update ``results.json``."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from benchmarks.results import RESULTS, entry, machine, merge
from benchmarks.rows import ROWS
from tsunagu.train import for_small_steps


def main(names: list[str]) -> int:
    """Run the named rows, or all; 2 for an unknown name."""
    console = Console()
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        console.print(f"unknown: {', '.join(unknown)}; known: {', '.join(ROWS)}")
        return 2
    for_small_steps()
    hardware, table = machine(), _table()
    for name in names or ROWS:
        with console.status(name):
            comparison = ROWS[name].run()
        # Written row by row: an interrupted run keeps what it has measured.
        merge({name: entry(comparison, ROWS[name].note, hardware)})
        spread = f"[{comparison.low:.2f}, {comparison.high:.2f}]"
        costs = f"{1e6 * comparison.ours:.0f} / {1e6 * comparison.theirs:.0f}"
        table.add_row(name, f"{comparison.ratio:.2f}", spread, f"<= {ROWS[name].target}", costs)
    console.print(table)
    console.print(f"{hardware}\nwritten to benchmarks/{RESULTS.name}", highlight=False)
    return 0


def _table() -> Table:
    table = Table(caption="median ratio and quartiles of alternating rounds; CPU time of one thread")
    for column in ("row", "ratio", "quartiles", "target", "us a step"):
        table.add_column(column, justify="left" if column == "row" else "right", no_wrap=True)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
