"""All methods of a study as two tables in Markdown: their numbers on the test events, and what each differs by from the first."""

from __future__ import annotations

from collections.abc import Sequence

from tsunagu.report.outcome import Method, Outcome
from tsunagu.report.table import DASH, mean_and_spread
from tsunagu.studies.statistics import LEVEL, compare

__all__ = ["methods_page"]


def methods_page(outcome: Outcome) -> str:
    """The two tables, in the order of the study; the second where there are two methods with seeds in common.

    The figures draw some of many methods; here are all of them.
    """
    columns = outcome.test_columns
    names = [column.removeprefix("test_") for column in columns]
    numbers = [
        [
            method.name,
            str(len(method.trials) or DASH),
            *(_number(outcome, method, column) for column in columns),
        ]
        for method in [*outcome.methods, *outcome.baselines]
    ]
    parts = [
        "Test events, mean \N{PLUS-MINUS SIGN} standard deviation over seeds:",
        _table(["method", "trials", *names], numbers),
    ]
    if differences := _differences(outcome, columns):
        first = outcome.methods[0].name
        parts += [
            f"Differences to {first}, seed by seed, with {100 * LEVEL:.0f} % intervals of their mean:",
            _table(["method", *names], differences),
        ]
    return "\n\n".join(parts) + "\n"


def _number(outcome: Outcome, method: Method, column: str) -> str:
    return mean_and_spread(method.values(column)) if outcome.means_something(method, column) else DASH


def _differences(outcome: Outcome, columns: Sequence[str]) -> list[list[str]]:
    first, *others = outcome.methods
    rows = [
        [method.name, *(_difference(outcome, method, first, column) for column in columns)]
        for method in others
    ]
    return [row for row in rows if set(row[1:]) != {DASH}]


def _difference(outcome: Outcome, method: Method, first: Method, column: str) -> str:
    if not all(outcome.means_something(each, column) for each in (method, first)):
        return DASH
    found = compare(method.by_place(column), first.by_place(column), lambda value: value).differences
    if found is None:
        return DASH
    ends = "" if found.interval is None else f" [{found.interval[0]:+.4f}, {found.interval[1]:+.4f}]"
    return f"{found.mean:+.4f}{ends}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; a bar in a name would end its cell."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
