"""What every event has besides its columns: number, fold and weights; and the table that is made of all of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from tsunagu.data.checks import check_duplicates, check_parts, check_role, check_sum
from tsunagu.data.fingerprint import fingerprint
from tsunagu.data.folds import FoldChoice, Split, fold_of, split_events
from tsunagu.data.listing import listed
from tsunagu.data.loading import Loaded, Wanted
from tsunagu.data.mapped import as_tensor, place_of
from tsunagu.data.recipes import Plan
from tsunagu.data.source import Array, Column
from tsunagu.data.stored import Stored, in_pieces, size_sum
from tsunagu.data.table import Table
from tsunagu.data.weights import Policy, count_negative, policy_note, preserved, weigh
from tsunagu.errors import DataError

__all__ = ["Events", "Roles", "check_events", "check_splits", "events_of", "table_of"]

Roles = Mapping[str, str | None]
"""The columns for ``weight``, ``training weight``, ``event number`` and, where it is needed, ``class``."""


@final
@dataclass(frozen=True, kw_only=True)
class Events:
    """The events of a table.

    Args:
        loaded: the columns.
        roles: which columns the others come from.
        numbers: ``[E]`` int64.
        weight: ``[E]`` float64.
        train_weight: ``[E]``, not yet scaled.
        notes: sentences on what became of negative weights.
    """

    loaded: Loaded
    roles: Roles
    numbers: Stored
    weight: Stored
    train_weight: Stored
    notes: tuple[str, ...] = ()


def events_of(loaded: Loaded, plan: Plan, roles: Roles, policy: Policy) -> tuple[Events | None, list[str]]:
    """Numbers and weights, or the sentences about why there are none."""
    named = {role: name for role, name in roles.items() if name is not None}
    if not loaded.made or not plan.recipes.keys() >= set(named.values()):
        return None, []
    found = {role: loaded.made[plan.recipes[name], True] for role, name in named.items()}
    checked = [check_role(loaded.files, named[role], role, stored.array) for role, stored in found.items()]
    problems = [line for lines in checked for line in lines]
    return (None, problems) if problems else _with_weights(loaded, roles, found, policy)


def check_events(events: Events, folds: FoldChoice, processes: int = 0) -> list[str]:
    """Repeated numbers, splits without events, and weights without a positive sum."""
    files, rows, roles = events.loaded.files, events.loaded.rows, events.roles
    named = {roles["weight"]: events.weight, roles["training weight"]: events.train_weight}
    weights = {name: stored.array for name, stored in named.items() if name is not None}
    number = str(roles["event number"])
    problems = check_duplicates(files, rows, number, events.numbers.array, processes=processes)
    for name, weight in weights.items():
        problems += check_sum(files, name, weight, "all events")
    return problems + _check_splits(files, weights, split_events(events.numbers.array, folds), folds)


def check_splits(table: Table, folds: FoldChoice, weight: str | None, train_weight: str | None) -> None:
    """Check an opened table for other folds than it was opened with.

    Args:
        table: the events.
        folds: to be split by.
        weight: name of the column of the weight, for the message; None for weights of 1.
        train_weight: name of the column of the training weight, if there is one.

    Raises:
        DataError: splits without events, or whose weights have no positive sum.

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from tsunagu.data import ArraySource, open_table
    >>> folds = SimpleNamespace(k=5, test=0, validation=3)
    >>> table = open_table(ArraySource({"event_number": np.arange(12)}, "a"), folds=folds, needed=[])
    >>> check_splits(table, SimpleNamespace(k=5, test=4, validation=0), None, None)
    Traceback (most recent call last):
    tsunagu.errors.DataError: a: the test split (fold 4 of 5) has no event
    """
    named = {weight: table.weight, train_weight: table.train_weight}
    weights = {name: values.numpy() for name, values in named.items() if name is not None}
    if problems := _check_splits(table.files, weights, table.split(folds), folds):
        raise DataError("\n".join(problems))


def _check_splits(
    files: Sequence[str], weights: Mapping[str, Array], split: Split, folds: FoldChoice
) -> list[str]:
    parts = {name: part.numpy() for name, part in split.parts().items()}
    words = {name: f"fold {getattr(folds, name)} of {folds.k}" for name in ("validation", "test")}
    return check_parts(files, weights, parts, words | {"train": f"the other folds of {folds.k}"})


def table_of(
    columns: Mapping[str, Wanted], events: Events, folds: FoldChoice, processes: tuple[str, ...] = ()
) -> Table:
    """The table of some columns of checked events."""
    loaded = events.loaded
    mean = size_sum(events.train_weight.array) / max(1, len(events.train_weight.array))
    scaled = _derived(loaded, events.train_weight, "train weight", np.float32, lambda w: w / mean)
    fold = _derived(loaded, events.numbers, f"fold {folds.k}", np.int64, lambda n: fold_of(n, folds.k))
    made = {name: loaded.made[wanted] for name, wanted in columns.items()}
    special = {"weight": events.weight, "train_weight": scaled, "event_number": events.numbers}
    used = {f"column {name}": stored for name, stored in made.items()} | special
    return Table(
        columns={name: as_tensor(stored.array) for name, stored in made.items()},
        weight=as_tensor(events.weight.array),
        train_weight=as_tensor(scaled.array),
        event_number=as_tensor(events.numbers.array),
        fold=as_tensor(fold.array),
        fingerprint=fingerprint((name, stored.array, stored.digest) for name, stored in used.items()),
        files=loaded.files,
        file_rows=loaded.rows,
        processes=processes,
        notes=(*loaded.notes, *events.notes),
        files_of={name: place for name, stored in made.items() if (place := place_of(stored.array))},
    )


def _with_weights(
    loaded: Loaded, roles: Roles, found: Mapping[str, Stored], policy: Policy
) -> tuple[Events | None, list[str]]:
    numbers = found["event number"]
    if "weight" in found:
        weight = _double(loaded, found["weight"])
    else:
        weight = _derived(loaded, numbers, "ones", np.float64, lambda n: np.ones(len(n)))
    signed = _double(loaded, found["training weight"]) if "training weight" in found else weight
    train_weight, problems = _by_policy(loaded, signed, policy, found.get("class"))
    negative = count_negative(signed.array)
    notes = (policy_note(policy, negative, len(signed.array)),) if negative else ()
    if train_weight is None:
        return None, problems
    events = Events(
        loaded=loaded, roles=roles, numbers=numbers, weight=weight, train_weight=train_weight, notes=notes
    )
    return events, []


def _by_policy(
    loaded: Loaded, signed: Stored, policy: Policy, classes: Stored | None
) -> tuple[Stored | None, list[str]]:
    if policy.kind == "keep":
        return signed, []
    if policy.kind == "drop":
        return _derived(loaded, signed, "positive", np.float64, lambda w: np.maximum(w, 0.0)), []
    if policy.kind == "absolute":
        return _derived(loaded, signed, "size", np.float64, np.abs), []
    assert classes is not None
    sums = preserved(signed.array, classes.array)
    where = f"{listed(loaded.files)}: negative_weights: absolute_preserving"
    if wrong := {label: total for label, (total, _) in sums.items() if not total > 0}:
        found = [
            f"{where}: the weights of class {n:g} sum to {total:g}; the sum must be positive"
            for n, total in wrong.items()
        ]
        return None, found
    pieces = weigh(signed.array, classes.array, sums)
    key, column = f"preserving {sums} {signed.key} {classes.key}", Column(np.dtype(np.float64), ())
    return loaded.keep(key, len(signed.array), column, pieces), []


def _double(loaded: Loaded, stored: Stored) -> Stored:
    if stored.array.dtype == np.float64:
        return stored
    return _derived(loaded, stored, "float64", np.float64, lambda array: array)


def _derived(
    loaded: Loaded, origin: Stored, what: str, dtype: type[np.generic], make: Callable[[Array], Array]
) -> Stored:
    pieces = (make(piece) for piece in in_pieces(origin.array))
    return loaded.keep(f"{what} {origin.key}", len(origin.array), Column(np.dtype(dtype), ()), pieces)
