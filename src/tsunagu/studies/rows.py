"""A finished trial of a study as a line of its tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tsunagu.files import write_bytes
from tsunagu.studies.plan import Planned, method_labels
from tsunagu.studies.searching import Role
from tsunagu.trials import Result

__all__ = ["EFFORT", "Place", "Row", "fold_field", "record", "write_records"]

EFFORT = ("seconds", "cpu_seconds", "digest")
"""The last columns of the tables of trials."""
Place = tuple[int, str]
"""Seed and fold: the trials of two methods at one place met the same events in the same order."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A finished trial, what it was planned as, and the search of a supernet that came to it, if there was one."""

    planned: Planned
    result: Result
    search: Result | None = None

    @property
    def place(self) -> Place:
        """Its seed and its fold."""
        return self.result.seed, self.planned.fold

    @property
    def role(self) -> Role:
        """What it was trained for."""
        return self.planned.role

    @property
    def architecture(self) -> Mapping[str, str]:
        """The options that its method took; another method may come to the same trial without a choice."""
        return self.planned.trial.architecture


def record(row: Row) -> dict[str, object]:
    """A row by column."""
    result, planned = row.result, row.planned
    labels = method_labels(planned.labels)
    return {
        "method": planned.method,
        "seed": result.seed,
        **fold_field(planned.fold),
        **(labels if len(labels) > 1 else {}),
        **{f"choice:{label}": option for label, option in row.architecture.items()},
        **result.metrics,
        **({} if row.search is None else _of_search(row.search)),
        "seconds": result.seconds,
        "cpu_seconds": result.cpu_seconds,
        "digest": result.digest,
    }


def _of_search(search: Result) -> dict[str, object]:
    found = {"digest": search.digest, "seconds": search.seconds, "cpu_seconds": search.cpu_seconds}
    return {f"search:{name}": value for name, value in (found | dict(search.metrics)).items()}


def fold_field(label: str) -> dict[str, str]:
    """The label of the folds, where there is one."""
    return {"fold": label} if label else {}


def write_records(
    path: Path, records: Sequence[Mapping[str, object]], last: Sequence[str] = ("digest",)
) -> None:
    """Lines of a CSV file, these columns last; what a line does not have stays empty."""
    names = dict.fromkeys(name for each in records for name in each)
    first = ["method", "seed"]
    fields = [*first, *(name for name in names if name not in {*first, *last}), *last]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=fields, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(records)
    write_bytes(path, text.getvalue().encode())
