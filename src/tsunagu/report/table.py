"""The table of a study for the terminal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.table import Table
from rich.text import Text

from tsunagu.report.outcome import SEARCH, Method, Outcome
from tsunagu.report.reading import read_outcome
from tsunagu.report.stored import Array

__all__ = ["DASH", "mean_and_spread", "results_table"]

DASH = "\N{EN DASH}"
KENDALL = "Kendall \N{GREEK SMALL LETTER TAU}"
EXTRA = ("cost", "confidence", KENDALL)
"""Of searches: trainings that one took, how sure it was, and how far its supernet ranks as trainings alone do."""


def results_table(out: Path | str) -> Table:
    """Methods and baselines, best first, with every metric on the test events.

    Args:
        out: a study's folder, with ``results.csv`` and ``summary.json``.

    Returns:
        A row a method: its trials, "10 of 90" where those are the chosen ones, and mean and standard deviation over
        seeds of the study's metric, then of the others. A dash stands where there is no number, or none that means
        anything since no loss looks at the output.

    Raises:
        ResumeError: a file is missing or damaged.
        DataError: a file does not hold what it should.
    """
    outcome = read_outcome(Path(out))
    columns = outcome.test_columns
    table = Table(
        title=outcome.name,
        title_justify="left",
        caption="mean \N{PLUS-MINUS SIGN} standard deviation over seeds",
    )
    table.add_column("method")
    table.add_column("trials", justify="right")
    extra = [name for name in EXTRA if any(_extra(method, name) is not None for method in outcome.methods)]
    for name in extra:
        table.add_column(name, justify="right")
    for column in columns:
        table.add_column(Text(column.replace("_", " ", 1)), justify="right")
    for method in outcome.ranked([*outcome.methods, *outcome.baselines], "test"):
        table.add_row(*_cells(outcome, method, columns, extra))
    return table


def _cells(outcome: Outcome, method: Method, columns: list[str], extra: list[str]) -> list[Text]:
    trials = str(len(method.trials)) if method.trials else DASH
    if method.tried > len(method.trials):
        trials += f" of {method.tried}"
    numbers = [
        mean_and_spread(method.values(column)) if outcome.means_something(method, column) else DASH
        for column in columns
    ]
    more = [_extra(method, name) or DASH for name in extra]
    return [Text(cell) for cell in (method.name, trials, *more, *numbers)]


def _extra(method: Method, name: str) -> str | None:
    """What a table of searches says beside the metrics; None where a method has no such number."""
    if name == "cost":
        worth_telling = method.searches or method.tried > len(method.trials)
        return f"{method.cost:.3g}" if method.cost is not None and worth_telling else None
    values = np.array(method.kendall) if name == KENDALL else method.values(SEARCH + "confidence")
    return f"{values.mean():.2f}" if len(values) else None


def mean_and_spread(values: Array) -> str:
    """A cell: the mean of ``[S]``, with the sample standard deviation where there are several.

    >>> mean_and_spread(np.array([0.5, 0.7])), mean_and_spread(np.array([]))
    ('0.6000 \u00b1 0.1414', '\u2013')
    """
    if not len(values):
        return DASH
    mean = f"{values.mean():.4f}"
    return f"{mean} \N{PLUS-MINUS SIGN} {values.std(ddof=1):.4f}" if len(values) > 1 else mean
