"""What the headers of files tell, before an event is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from tsunagu.data.checks import check_lengths, check_role
from tsunagu.data.files import FileLike
from tsunagu.data.processes import SCALE, Opened, Opening, open_files
from tsunagu.data.recipes import Declared, Recipe, build, check_names, leaves, plan_columns
from tsunagu.data.selecting import selected
from tsunagu.data.source import Array, Source
from tsunagu.data.treating import TreatedSource
from tsunagu.errors import DataError
from tsunagu.spec.data import Process

__all__ = ["Headers", "read_headers"]


@final
@dataclass(frozen=True, kw_only=True)
class Headers:
    """Files whose headers fit.

    Args:
        files: their names.
        processes: of each file; empty names without processes.
        events: of each file, before any selection.
        columns: how many columns are needed, with those that processes make.
    """

    files: tuple[str, ...]
    processes: tuple[str, ...]
    events: tuple[int, ...]
    columns: int


def read_headers(
    files: FileLike | Sequence[FileLike] | None,
    processes: Mapping[str, Process],
    how: Opening,
    *,
    columns: Declared,
    needed: Sequence[str],
    roles: Mapping[str, str | None],
    select: str | None = None,
    missing: Mapping[str, float] | None = None,
) -> Headers:
    """Open files and check that every column is there, of one type and shape, and equally long.

    Args:
        files, processes, how: see :func:`~tsunagu.data.processes.open_files`.
        columns: derived columns.
        needed: the columns to be read.
        roles: the columns for ``weight``, ``event number`` and so on.
        select: which events are to be read.
        missing: what stands in place of NaN.

    Raises:
        DataError: everything that is wrong with them, one line each.

    >>> from tsunagu.data import ArraySource
    >>> file = ArraySource({"event_number": np.arange(9), "pt": np.ones(9)}, "a.npz")
    >>> roles = {"event number": "event_number"}
    >>> read_headers([file], {}, Opening(), columns={"ht": "2 * pt"}, needed=["ht"], roles=roles).events
    (9,)
    """
    opened = _with_scale(open_files(files, processes, how), processes)
    named = {role: name for role, name in roles.items() if name is not None}
    plan = plan_columns(opened.sources, columns, needed, list(named.values()))
    problems = [*plan.problems, *check_names(opened.sources, missing or {})]
    if select is not None:
        problems += _unselectable(opened, select, columns, missing or {})
    for source in opened.sources:
        problems += check_lengths(source.name, {name: source.rows(name) for name in plan.raw})
        for role, name in named.items():
            if name in plan.recipes:
                problems += check_role([source.name], name, role, _nothing(plan.recipes[name], source))
    if problems:
        raise DataError("\n".join(dict.fromkeys(problems)))
    return Headers(
        files=tuple(source.name for source in opened.sources),
        processes=opened.processes,
        events=tuple(source.rows(next(iter(plan.raw))) for source in opened.sources),
        columns=len(plan.raw),
    )


def _with_scale(opened: Opened, processes: Mapping[str, Process]) -> Opened:
    """With the column of the scale, whose value would take reading."""
    if not any(process.is_scaled for process in processes.values()):
        return opened
    sources = tuple(TreatedSource(source, constants={SCALE: 1.0}) for source in opened.sources)
    return Opened(sources=sources, processes=opened.processes)


def _unselectable(opened: Opened, select: str, columns: Declared, missing: Mapping[str, float]) -> list[str]:
    try:
        selected(opened, select, columns, missing)
    except DataError as error:
        return str(error).splitlines()
    return []


def _nothing(made: Recipe, source: Source) -> Array:
    types = source.names()
    return build(made, {n: np.empty((0, *types[n].shape), types[n].dtype) for n in leaves(made)})
