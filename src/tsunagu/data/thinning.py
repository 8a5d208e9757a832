"""Fewer events of some classes, by a hash of the event number: a rare class from a balanced sample."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tsunagu.data.folds import FoldChoice, fold_of, mix
from tsunagu.data.listing import listed
from tsunagu.data.loading import Loaded
from tsunagu.data.recipes import Plan
from tsunagu.data.source import Array, Column
from tsunagu.data.stored import Stored, row_bytes
from tsunagu.errors import did_you_mean

__all__ = ["Fractions", "thin", "uniform_of"]

Fractions = Mapping[str, Mapping[str, float]]
"""For a column, the fraction of events to keep by class; a class that is not named is kept whole."""

Mask = NDArray[np.bool_]
_BYTES = 1 << 22
_SECOND = np.uint64(0xD1B54A32D192ED03)


def uniform_of(event_number: NDArray[np.int64]) -> NDArray[np.float64]:
    """A number from 0 to 1 for each event, independent of its fold: ``[E]`` float64.

    Twice the mix of the event number, with a constant between, so that it has nothing in common with
    :func:`~tsunagu.data.fold_of`.

    >>> uniform_of(np.arange(3)).round(3).tolist()
    [0.943, 0.139, 0.732]
    """
    again = mix((mix(event_number) ^ _SECOND).view(np.int64))
    return (again >> np.uint64(11)).astype(np.float64) * 2.0**-53


def thin(loaded: Loaded, plan: Plan, keep: Fractions, number: str, folds: FoldChoice | None) -> Loaded:
    """The same columns with fewer events.

    Whether an event stays depends on its number and its class alone, never on the order of rows; a smaller fraction keeps a part
    of what a larger one keeps.

    Args:
        loaded: with the columns of ``keep`` and the event number among those that are made, exact.
        plan: what the names are made of.
        keep: the fractions; those of several columns multiply.
        number: the column of event numbers.
        folds: where only training events are dropped; None for all.

    Returns:
        What is left, or nothing with the sentences about why it cannot be said.
    """
    names = [number, *keep]
    if not loaded.made or not plan.recipes.keys() >= set(names):
        return loaded
    columns = {name: loaded.made[plan.recipes[name], True].array for name in names}
    if columns[number].ndim != 1 or columns[number].dtype.kind != "i":
        return loaded  # which is found, too, where the events' numbers are looked at
    problems = [line for name in keep for line in _unfit(loaded.files, name, columns[name], keep[name])]
    if problems:
        return replace(loaded, made={}, problems=(*loaded.problems, *problems))
    numbers = np.asarray(columns[number])
    open_to = np.ones(len(numbers), dtype=bool) if folds is None else _training(numbers, folds)
    mask = ~open_to | (uniform_of(numbers) < _share(columns, keep, len(numbers)))
    kind = "" if folds is None else " training"
    notes = [
        f"{name} = {label}: {int(mask[own].sum()):,} of {int(own.sum()):,}{kind} events are kept"
        for name, fractions in keep.items()
        for label in fractions
        for own in [(columns[name] == float(label)) & open_to]
    ]
    return _selected(loaded, mask, _key(keep, number, folds), notes)


def _unfit(files: Sequence[str], name: str, column: Array, fractions: Mapping[str, float]) -> list[str]:
    where = f"{listed(files)}: column '{name}'"
    if column.ndim != 1:
        shape = ", ".join(["E", *map(str, column.shape[1:])])
        return [f"{where} is [{shape}]: data.keep needs one class number for each event"]
    classes = [f"{value:g}" for value in np.unique(column).tolist()]
    known = {float(value) for value in classes}
    return [
        f"{where}: no event of the class {label} of data.keep{did_you_mean(label, classes)}"
        for label in fractions
        if float(label) not in known
    ]


def _share(columns: Mapping[str, Array], keep: Fractions, events: int) -> NDArray[np.float64]:
    share = np.ones(events)
    for name, fractions in keep.items():
        for label, fraction in fractions.items():
            share[columns[name] == float(label)] *= fraction
    return share


def _training(numbers: NDArray[np.int64], folds: FoldChoice) -> Mask:
    fold = fold_of(numbers, folds.k)
    training: Mask = (fold != folds.test) & (fold != folds.validation)
    return training


def _selected(loaded: Loaded, mask: Mask, key: str, notes: Sequence[str]) -> Loaded:
    kept = int(mask.sum())
    made = {}
    for item, stored in loaded.made.items():
        column = Column(stored.array.dtype, stored.array.shape[1:])
        made[item] = loaded.keep(f"{key} of {stored.key}", kept, column, _pieces(stored, column, mask))
    ends = np.cumsum([0, *loaded.rows])
    rows = tuple(int(mask[a:b].sum()) for a, b in pairwise(ends))
    return replace(loaded, made=made, rows=rows, notes=(*loaded.notes, *notes))


def _pieces(stored: Stored, column: Column, mask: Mask) -> Iterator[Array]:
    most = max(1, _BYTES // max(1, row_bytes(column)))
    for start in range(0, len(mask), most):
        yield stored.array[start : start + most][mask[start : start + most]]


def _key(keep: Fractions, number: str, folds: FoldChoice | None) -> str:
    split = None if folds is None else [folds.k, folds.test, folds.validation]
    return f"kept {json.dumps([keep, number, split], sort_keys=True)}"
