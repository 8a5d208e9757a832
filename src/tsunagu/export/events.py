"""Columns of event files as the models take them, piece by piece; the same for an export and for what it is applied to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tsunagu.data import Source
from tsunagu.data.checks import NotFinite, check_role
from tsunagu.data.loading import as_column, fill, made_of
from tsunagu.data.recipes import Declared, Plan, leaves, plan_columns, recipe
from tsunagu.data.source import Array
from tsunagu.errors import DataError

__all__ = ["Events", "Needs", "declared_for", "made_from", "read_events", "units"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Events:
    """Some events of a file.

    Args:
        columns: ``[E, ...]`` by name, as models take them.
        number: ``[E]`` int64, or None where the file has none.
        start: the row of the first of them.
    """

    columns: Mapping[str, NDArray[Any]]
    number: NDArray[np.int64] | None
    start: int


@final
@dataclass(frozen=True, kw_only=True)
class Needs:
    """What models need of a file.

    Args:
        names: of the columns that they read.
        declared: how columns are made of columns of the file.
        missing: what stands in place of NaN.
        event_number: the column with the event number.
    """

    names: Sequence[str]
    declared: Declared
    missing: Mapping[str, float]
    event_number: str


def read_events(source: Source, needs: Needs, most: int, *, numbered: bool = True) -> Iterator[Events]:
    """The events of one file in their order.

    Args:
        source: the file.
        needs: what is read of it.
        most: events at a time.
        numbered: whether it is an error if there is no event number.

    Raises:
        DataError: columns that are missing, of the wrong kind, or not finite; with file, column and row.

    >>> from tsunagu.data import ArraySource
    >>> source = ArraySource({"pt": np.ones(3), "eta": np.zeros(3), "event_number": np.arange(3)})
    >>> needs = Needs(names=["p"], declared={"p": ["pt", "eta"]}, missing={}, event_number="event_number")
    >>> [part.columns["p"].shape for part in read_events(source, needs, 2)]
    [(2, 2), (1, 2)]
    """
    has_number = numbered or needs.event_number in source.names()
    plan = _plan(source, needs, [needs.event_number] if has_number else [])
    start, checks = 0, {name: NotFinite() for name in plan.raw}
    for raw in source.pieces(plan.raw, most):
        for name, value in needs.missing.items():
            if name in raw:
                fill(raw[name], value)
        _check_finite(source, raw, checks)
        made = {name: made_of((plan.recipes[name], False), raw) for name in needs.names}
        number = made_of((plan.recipes[needs.event_number], True), raw) if has_number else None
        if number is not None:
            _raise(check_role([source.name], needs.event_number, "event number", number))
        yield Events(columns=made, number=number, start=start)
        start += len(next(iter(made.values())))


def made_from(name: str, declared: Declared) -> list[str]:
    """The columns of the files that a column is made of, in their order.

    >>> made_from("jet_p4", {"jet_p4": ["jet_pt", "jet_eta"], "jet_pt": "pt_up", "is_higgs": "label"})
    ['pt_up', 'jet_eta']
    """
    return list(leaves(recipe(name, declared)))


def declared_for(names: Sequence[str], declared: Declared) -> Declared:
    """The declared columns that these are made of: data have no truth, and must not be asked for it.

    >>> declared_for(["jet_p4"], {"jet_p4": ["jet_pt", "jet_eta"], "jet_pt": "pt_up", "is_higgs": "label"})
    {'jet_p4': ['jet_pt', 'jet_eta'], 'jet_pt': 'pt_up'}
    """
    found: dict[str, str | list[str]] = {}
    todo = list(names)
    while todo:
        name = todo.pop(0)
        if name in declared and name not in found:
            parts = found[name] = declared[name]
            todo += [parts] if isinstance(parts, str) else parts
    return found


def units(source: Source, names: Sequence[str]) -> list[str]:
    """The units of columns, where a Parquet file tells them in a field's metadata; else empty."""
    if source.path is None or source.path.suffix not in (".parquet", ".pq"):
        return [""] * len(names)
    schema = pq.read_schema(source.path)
    notes = [schema.field(name).metadata or {} if name in schema.names else {} for name in names]
    return [note.get(b"unit", b"").decode(errors="replace") for note in notes]


def _plan(source: Source, needs: Needs, roles: Sequence[str]) -> Plan:
    plan = plan_columns([source], needs.declared, needs.names, roles)
    _raise(plan.problems)
    return plan


def _check_finite(source: Source, raw: Mapping[str, Array], checks: Mapping[str, NotFinite]) -> None:
    for name, array in raw.items():
        checks[name].add(as_column(array) if array.dtype.kind == "f" else array)
    _raise([line for name, check in checks.items() for line in check.lines(source.name, name)])


def _raise(lines: Sequence[str]) -> None:
    if lines:
        raise DataError("\n".join(lines))
