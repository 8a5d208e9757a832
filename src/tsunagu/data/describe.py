"""The numbers about a sample that a report prints first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.data.table import Table

__all__ = ["SampleRow", "describe", "describe_files", "describe_processes"]


@final
@dataclass(frozen=True, kw_only=True)
class SampleRow:
    """A set of events in numbers.

    Args:
        name: of the set: a class of the label, a file, or ``all``.
        events: how many.
        sum_weight: the expected number of events, ``sum(w)``.
        sum_abs_weight: ``sum(|w|)``.
        negative_share: the share of the events whose weight is negative.
        effective_events: ``sum(w)^2 / sum(w^2)``: that many events of equal weights have the same relative
            error.
        files: how many files they are in, where it is told.
    """

    name: str
    events: int
    sum_weight: float
    sum_abs_weight: float
    negative_share: float
    effective_events: float
    files: int = 0


def describe(table: Table, label: str | None) -> list[SampleRow]:
    """Events and sums of the physical weights: for each class of a label, and for all events.

    Args:
        table: the events.
        label: a column ``[E]`` with few values, such as ``is_higgs``; None for all events only.

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from tsunagu.data import ArraySource, open_table
    >>> events = {"w": np.tile([3.0, 1.0, -1.0], 20), "y": np.tile([1, 0, 0], 20)}
    >>> events["event_number"] = np.arange(60)
    >>> table = open_table(ArraySource(events), weight="w", folds=SimpleNamespace(k=3, test=0, validation=1))
    >>> for row in describe(table, "y"):
    ...     print(row.name, row.events, row.sum_weight, row.negative_share, round(row.effective_events, 1))
    y = 0 40 0.0 0.5 0.0
    y = 1 20 60.0 0.0 20.0
    all 60 60.0 0.3333333333333333 16.4
    """
    rows = [_row("all", table.weight)]
    if label is None:
        return rows
    values = table.take([label], torch.arange(len(table)))[label]
    classes = torch.unique(values).tolist()
    return [_row(f"{label} = {value:g}", table.weight[values == value]) for value in classes] + rows


def describe_files(table: Table) -> list[SampleRow]:
    """Events and sums of the physical weights for each file, in the order of the files.

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from tsunagu.data import ArraySource, open_table
    >>> files = [ArraySource({"event_number": np.arange(n, n + 20)}, f"part{n}.npz") for n in (0, 20)]
    >>> table = open_table(files, folds=SimpleNamespace(k=3, test=0, validation=1))
    >>> [(row.name, row.events) for row in describe_files(table)]
    [('part0.npz', 20), ('part20.npz', 20)]
    """
    parts = torch.split(table.weight, list(table.file_rows))
    return [_row(name, part) for name, part in zip(table.files, parts, strict=True)]


def describe_processes(table: Table) -> list[SampleRow]:
    """Events and sums of the physical weights for each process, in their order; empty without processes.

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from tsunagu.data import ArraySource, open_table
    >>> files = [ArraySource({"event_number": np.arange(n, n + 20)}, f"part{n}.npz") for n in (0, 20)]
    >>> processes = {"higgs": SimpleNamespace(files=files, tree=None, label=1, is_scaled=False)}
    >>> table = open_table(processes=processes, folds=SimpleNamespace(k=3, test=0, validation=1))
    >>> [(row.name, row.events, row.files) for row in describe_processes(table)]
    [('higgs', 40, 2)]
    """
    parts = torch.split(table.weight, list(table.file_rows))
    return [
        _row(name, torch.cat(own), files=len(own))
        for name in dict.fromkeys(table.processes)
        if (own := [part for part, process in zip(parts, table.processes, strict=True) if process == name])
    ]


def _row(name: str, weight: Tensor, files: int = 0) -> SampleRow:
    squares = float(weight.square().sum())
    return SampleRow(
        name=name,
        files=files,
        events=len(weight),
        sum_weight=float(weight.sum()),
        sum_abs_weight=float(weight.abs().sum()),
        negative_share=float((weight < 0).double().mean()) if len(weight) else 0.0,
        effective_events=float(weight.sum()) ** 2 / squares if squares else 0.0,
    )
