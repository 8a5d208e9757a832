"""From files to a table, or to one error that names everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from tsunagu.data.checks import check_duplicates, check_parts, check_role, check_sum
from tsunagu.data.files import FileLike, open_sources
from tsunagu.data.fingerprint import fingerprint
from tsunagu.data.folds import FoldChoice, fold_of, split_rows
from tsunagu.data.loading import Loaded, as_column, load
from tsunagu.data.recipes import Declared, Plan, build, check_names, plan_columns
from tsunagu.data.source import Array
from tsunagu.data.table import Table
from tsunagu.errors import DataError

__all__ = ["open_table"]


def open_table(
    files: FileLike | Sequence[FileLike],
    *,
    columns: Declared | None = None,
    missing: Mapping[str, float] | None = None,
    weight: str | None = None,
    train_weight: str | None = None,
    event_number: str = "event_number",
    folds: FoldChoice,
    needed: Sequence[str] | None = None,
) -> Table:
    """Read events, check all that can be checked before a training, and keep them in memory.

    Args:
        files: paths, globs, or :class:`~tsunagu.data.Source` objects; several are put one after the other.
        columns: derived columns: a rename (``{"image": "jet_image"}``) or a stack on a new last axis
            (``{"jet_p4": ["jet_pt", "jet_eta"]}``). May replace a column of the file, and be made of derived
            ones.
        missing: for a column of the files, what stands in it in place of NaN; only for padding, because a
            network cannot tell it from a measured value. NaN in other columns, and infinities, are problems.
        weight: column of the physical event weight, with its sign; None for 1.
        train_weight: column of the weight for training losses; None for the size of ``weight``. A training on
            signed weights can run away to minus infinity, and dropping events with negative weights
            unannounced biases the sample. Either is scaled so that its mean size over all events is 1: else
            the unit of the weight would scale the learning rate.
        event_number: column of unique whole numbers; with it the fold, see :func:`~tsunagu.data.fold_of`.
        folds: number of folds, and which are for test and validation.
        needed: the columns to read; None for all. All of them must be finite.

    Returns:
        The table; floats are float32, whole numbers int64.

    Raises:
        DataError: everything that is wrong, one line for each file and column: missing or unreadable files
            and columns, unlike shapes, unequal lengths, NaN and infinities, event numbers that are not
            unique, sums of weights that are not positive, splits without events.

    >>> from types import SimpleNamespace
    >>> from tsunagu.data import ArraySource
    >>> events = {"event_number": np.arange(50), "w": np.full(50, 0.5), "pt": np.ones(50), "eta": np.ones(50)}
    >>> folds = SimpleNamespace(k=3, test=0, validation=1)
    >>> source, p4 = ArraySource(events), {"p4": ["pt", "eta"]}
    >>> table = open_table(source, columns=p4, weight="w", folds=folds, needed=["p4"])
    >>> table.columns["p4"].shape, table.weight.sum().item(), table.train_weight.mean().item()
    (torch.Size([50, 2]), 25.0, 1.0)
    """
    sources = open_sources(files)
    roles = {"weight": weight, "training weight": train_weight, "event number": event_number}
    named = [name for name in roles.values() if name is not None]
    plan = plan_columns(sources, columns or {}, needed, named)
    loaded = load(sources, plan, exact=named, missing=missing)
    events, problems = _events(loaded, plan, roles)
    problems = [*plan.problems, *check_names(sources, missing or {}), *loaded.problems, *problems]
    if events is not None:
        problems += _check_events(events, folds)
    if problems or events is None:
        raise DataError("\n".join(problems))
    names = [n for n in plan.recipes if needed is None or n in needed]
    made = {name: as_column(build(plan.recipes[name], loaded.arrays)) for name in names}
    return _table(made, events, folds)


_Roles = Mapping[str, str | None]


@final
@dataclass(frozen=True, kw_only=True)
class _Events:
    loaded: Loaded
    roles: _Roles
    numbers: Array
    weight: Array
    train_weight: Array


def _events(loaded: Loaded, plan: Plan, roles: _Roles) -> tuple[_Events | None, list[str]]:
    named = {role: name for role, name in roles.items() if name is not None}
    if not loaded.arrays or not plan.recipes.keys() >= set(named.values()):
        return None, []
    found = {role: build(plan.recipes[name], loaded.arrays) for role, name in named.items()}
    checked = [check_role(loaded.files, named[role], role, array) for role, array in found.items()]
    problems = [line for lines in checked for line in lines]
    return (None if problems else _with_weights(loaded, roles, found)), problems


def _with_weights(loaded: Loaded, roles: _Roles, found: Mapping[str, Array]) -> _Events:
    numbers = found["event number"]
    weight = found.get("weight", np.ones(len(numbers))).astype(np.float64)
    train_weight = found.get("training weight", np.abs(weight)).astype(np.float64)
    return _Events(loaded=loaded, roles=roles, numbers=numbers, weight=weight, train_weight=train_weight)


def _check_events(events: _Events, folds: FoldChoice) -> list[str]:
    files, rows, roles = events.loaded.files, events.loaded.rows, events.roles
    named = {roles["weight"]: events.weight, roles["training weight"]: events.train_weight}
    weights = {name: weight for name, weight in named.items() if name is not None}
    problems = check_duplicates(files, rows, str(roles["event number"]), events.numbers)
    for name, weight in weights.items():
        problems += check_sum(files, name, weight, "all events")
    fold = torch.from_numpy(fold_of(events.numbers, folds.k))
    parts = {name: part.numpy() for name, part in split_rows(fold, folds).parts().items()}
    words = {name: f"fold {getattr(folds, name)} of {folds.k}" for name in ("validation", "test")}
    return problems + check_parts(files, weights, parts, words | {"train": f"the other folds of {folds.k}"})


def _table(columns: Mapping[str, Array], events: _Events, folds: FoldChoice) -> Table:
    train_weight = (events.train_weight / np.abs(events.train_weight).mean()).astype(np.float32)
    special = {"weight": events.weight, "train_weight": train_weight, "event_number": events.numbers}
    used = {f"column {name}": array for name, array in columns.items()}
    return Table(
        columns={name: _tensor(array) for name, array in columns.items()},
        weight=_tensor(events.weight),
        train_weight=_tensor(train_weight),
        event_number=_tensor(events.numbers),
        fold=_tensor(fold_of(events.numbers, folds.k)),
        fingerprint=fingerprint(used | special),
        files=events.loaded.files,
        file_rows=events.loaded.rows,
        notes=events.loaded.notes,
    )


def _tensor(array: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array))
