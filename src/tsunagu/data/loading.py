"""Reading the planned columns of all files, with everything that is wrong with a single file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from tsunagu.data.checks import check_finite, check_lengths
from tsunagu.data.recipes import Plan, Recipe
from tsunagu.data.source import Array, Source
from tsunagu.errors import DataError

__all__ = ["Loaded", "as_column", "load"]


@final
@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The file columns of all files, put one after the other.

    Args:
        arrays: name to ``[E, ...]``; empty if a file could not be read, or columns have unequal lengths: then
            there is no telling which rows belong together.
        files: their names.
        rows: events of each file.
        problems: sentences.
        notes: sentences on what was replaced.
    """

    arrays: Mapping[str, Array]
    files: tuple[str, ...]
    rows: tuple[int, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def load(
    sources: Sequence[Source], plan: Plan, exact: Iterable[str], missing: Mapping[str, float] | None = None
) -> Loaded:
    """Read the columns of a plan, and check what a single file can tell.

    Args:
        sources: the files.
        plan: what to read.
        exact: names that keep float64: the columns with a role.
        missing: for a column of the files, what stands in it in place of NaN.

    >>> from tsunagu.data import ArraySource
    >>> loaded = load([ArraySource({"w": np.ones(2)})], Plan(recipes={"w": "w"}, raw=("w",)), exact=["w"])
    >>> loaded.arrays, loaded.rows
    ({'w': array([1., 1.])}, (2,))
    """
    keep = {plan.recipes[name] for name in exact if name in plan.recipes}
    parts = [_read(source, plan.raw, keep) for source in sources]
    problems = [line for _, lines in parts for line in lines]
    notes: list[str] = []
    for source, (read, _) in zip(sources, parts, strict=True):
        notes += _replace(source, read, missing or {})
        problems += _check(source, read)
    rows = tuple(len(next(iter(read.values()), ())) for read, _ in parts)
    whole = all(len(array) == n for (read, _), n in zip(parts, rows, strict=True) for array in read.values())
    complete = whole and all(len(read) == len(plan.raw) for read, _ in parts)
    arrays = {name: _join([read.pop(name) for read, _ in parts]) for name in plan.raw} if complete else {}
    files = tuple(source.name for source in sources)
    return Loaded(arrays=arrays, files=files, rows=rows, problems=tuple(problems), notes=tuple(notes))


def as_column(array: Array) -> Array:
    """Single precision for floats, everything else as it is; what is too large becomes infinite.

    >>> as_column(np.array([0.5])).dtype
    dtype('float32')
    """
    if array.dtype != np.float64:
        return array
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _read(source: Source, names: Sequence[str], keep: set[Recipe]) -> tuple[dict[str, Array], list[str]]:
    try:
        read = source.read(names)
    except DataError as error:
        return {}, [str(error)]
    return {name: array if name in keep else as_column(array) for name, array in read.items()}, []


def _replace(source: Source, read: Mapping[str, Array], missing: Mapping[str, float]) -> list[str]:
    notes: list[str] = []
    for name, value in missing.items():
        array = read.get(name)
        if array is None or array.dtype.kind != "f" or not (gaps := np.isnan(array)).any():
            continue
        array[gaps] = value
        events = int(gaps.reshape(len(gaps), -1).any(axis=1).sum())
        found = f"NaN in {events} of {len(gaps)} events replaced by {value:g}"
        notes.append(f"{source.name}: column '{name}': {found}")
    return notes


def _check(source: Source, read: Mapping[str, Array]) -> list[str]:
    problems = check_lengths(source.name, read)
    return problems + [
        line for name, array in read.items() for line in check_finite(source.name, name, array)
    ]


def _join(arrays: list[Array]) -> Array:
    # One column at a time, and its parts are dropped at once: the peak is the table and one column.
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
