"""Columns of event files as the models take them, piece by piece; the same for an export and for what it is applied to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from tsunagu.data import Source
from tsunagu.data.checks import NotFinite, check_role
from tsunagu.data.loading import as_column, exact_columns, fill, made_of
from tsunagu.data.processes import LABEL, NUMBER
from tsunagu.data.recipes import (
    Declared,
    Plan,
    Recipe,
    build,
    computed,
    leaves,
    plan_columns,
    recipe,
    title,
)
from tsunagu.data.source import Array
from tsunagu.errors import DataError
from tsunagu.spec.formulas import is_formula, parse_formula

__all__ = ["Events", "Needs", "declared_for", "made_from", "read_events"]

SELECT = "data.select"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Events:
    """Some events of a file.

    Args:
        columns: ``[P, ...]`` by name, as models take them, of the events that pass the selection.
        number: ``[E]`` int64 of all events, or None where the file has none.
        passed: ``[E]`` which of them pass.
    """

    columns: Mapping[str, NDArray[Any]]
    number: NDArray[np.int64] | None
    passed: NDArray[np.bool_]


@final
@dataclass(frozen=True, kw_only=True)
class Needs:
    """What models need of a file.

    Args:
        names: of the columns that they read.
        declared: how columns are made of columns of the file.
        missing: what stands in place of NaN.
        event_number: the column or formula of the event number.
        select: which events the models are for.
    """

    names: Sequence[str]
    declared: Declared
    missing: Mapping[str, float]
    event_number: str
    select: str | None = None


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
    >>> source = ArraySource({"pt": np.array([30.0, 10, 20]), "eta": np.zeros(3), "event_number": np.arange(3)})
    >>> needs = Needs(
    ...     names=["p"], declared={"p": ["pt", "eta"]}, missing={}, event_number="event_number", select="pt > 15"
    ... )
    >>> [(part.columns["p"].shape, part.passed.tolist()) for part in read_events(source, needs, 2)]
    [((1, 2), [True, False]), ((1, 2), [True])]
    """
    has_number = numbered or _has(source, needs)
    plan = _plan(source, needs, [needs.event_number] if has_number else [])
    made = {name: plan.recipes[name] for name in needs.names}
    number = plan.recipes[needs.event_number] if has_number else None
    exact = set() if number is None else exact_columns([(number, True)])
    checks = {leaf: NotFinite() for each in made.values() for leaf in leaves(each)}
    checks |= {title(each): NotFinite() for each in made.values() if computed(each)}
    for raw in source.pieces(plan.raw, most):
        for name, value in needs.missing.items():
            if name in raw:
                fill(raw[name], value)
        passed = _passed(source, plan.recipes.get(SELECT), raw)
        own = {n: a[passed] for n, a in raw.items()}
        own = {n: a if n in exact else as_column(a) for n, a in own.items()}
        columns = {name: _column(source, each, own) for name, each in made.items()}
        derived = {title(each): columns[name] for name, each in made.items() if computed(each)}
        _check_finite(source, own | derived, checks, set(derived))
        numbers = None if number is None else made_of((number, True), raw)
        if numbers is not None:
            _raise(check_role([source.name], needs.event_number, "event number", numbers))
        yield Events(columns=columns, number=numbers, passed=passed)


def made_from(name: str, declared: Declared) -> list[str]:
    """The columns of the files that a column is made of, in their order.

    >>> made_from("jet_p4", {"jet_p4": ["jet_pt", "jet_eta"], "jet_pt": "pt_up", "is_higgs": "label"})
    ['pt_up', 'jet_eta']
    """
    return list(leaves(recipe(name, declared)))


def declared_for(names: Sequence[str], declared: Declared) -> Declared:
    """The declared columns that these are made of: data have no truth, and must not be asked for it.

    >>> declared_for(["jet_p4"], {"jet_p4": ["jet_pt", "2 * eta"], "eta": "eta_up", "is_higgs": "label"})
    {'jet_p4': ['jet_pt', '2 * eta'], 'eta': 'eta_up'}
    """
    found: dict[str, str | list[str]] = {}
    todo = list(names)
    while todo:
        name = todo.pop(0)
        if name in found:
            continue
        if name in declared:
            parts = found[name] = declared[name]
            todo += [parts] if isinstance(parts, str) else parts
        elif is_formula(name):
            todo += _names_in(name)
    return found


def _names_in(formula: str) -> list[str]:
    try:
        return list(parse_formula(formula).names)
    except DataError:  # the name of a column with an operator in it
        return []


def _has(source: Source, needs: Needs) -> bool:
    known = source.names()
    return all(leaf in known for leaf in leaves(recipe(needs.event_number, needs.declared, known)))


def _plan(source: Source, needs: Needs, roles: Sequence[str]) -> Plan:
    declared, names = dict(needs.declared), list(needs.names)
    if needs.select is not None:
        declared, names = declared | {SELECT: needs.select}, [*names, SELECT]
    plan = plan_columns([source], declared, names, roles)
    lines = list(plan.problems)
    if any(f"'{name}'" in line for line in lines for name in (NUMBER, LABEL)):
        lines.append(
            f"{source.name}: say whose events they are with --process; that tells {NUMBER} and {LABEL}"
        )
    _raise(lines)
    return plan


def _passed(source: Source, selection: Recipe | None, raw: Mapping[str, Array]) -> NDArray[np.bool_]:
    events = len(next(iter(raw.values())))
    if selection is None:
        return np.ones(events, dtype=np.bool_)
    try:
        passed = build(selection, raw)
    except DataError as error:
        msg = f"{source.name}: {SELECT}: {error}"
        raise DataError(msg) from error
    if passed.dtype != np.bool_ or passed.ndim != 1:
        msg = f"{source.name}: {SELECT}: it is no condition on an event of this file; found {passed.dtype} {list(passed.shape)}"
        raise DataError(msg)
    return passed


def _column(source: Source, made: Recipe, raw: Mapping[str, Array]) -> Array:
    try:
        return made_of((made, False), raw)
    except DataError as error:
        msg = f"{source.name}: column {error}"
        raise DataError(msg) from error


def _check_finite(
    source: Source, columns: Mapping[str, Array], checks: Mapping[str, NotFinite], derived: set[str]
) -> None:
    for name, check in checks.items():
        check.add(columns[name])
    _raise(
        [
            line
            for name, check in checks.items()
            for line in check.lines(source.name, name, is_stored=name not in derived)
        ]
    )


def _raise(lines: Sequence[str]) -> None:
    if lines:
        raise DataError("\n".join(lines))
