"""Reading the planned columns of all files into memory, with everything that is wrong with a single file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import final

import numpy as np

from tsunagu.data.checks import NotFinite, check_lengths
from tsunagu.data.listing import listed
from tsunagu.data.recipes import Plan, Recipe, build, computed, leaves, title
from tsunagu.data.source import Array, Source
from tsunagu.data.stored import Keep, Stored, keep_in_memory
from tsunagu.errors import DataError

__all__ = ["Loaded", "Wanted", "as_column", "exact_columns", "fill", "load", "made_of", "replaced"]

Wanted = tuple[Recipe, bool]
"""A column to be made, and whether it keeps float64: the columns with a role do."""


@final
@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The columns of all files, put one after the other.

    Args:
        made: ``[E, ...]`` each; empty if a file could not be read, or columns have unequal lengths: then there is no
            telling which rows belong together.
        files: their names.
        rows: events of each file.
        problems: sentences.
        notes: sentences on what was replaced.
        keep: keeps a column that is made of these, where they are kept.
    """

    made: Mapping[Wanted, Stored]
    files: tuple[str, ...]
    rows: tuple[int, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()
    keep: Keep = keep_in_memory


def load(
    sources: Sequence[Source], plan: Plan, wanted: Collection[Wanted], missing: Mapping[str, float]
) -> Loaded:
    """Read the columns of a plan, and check what a single file can tell.

    Args:
        sources: the files.
        plan: what to read.
        wanted: what to make of it.
        missing: for a column of the files, what stands in it in place of NaN.

    >>> from tsunagu.data import ArraySource
    >>> plan = Plan(recipes={"w": "w"}, raw=("w",))
    >>> loaded = load([ArraySource({"w": np.ones(2)})], plan, [("w", True)], {})
    >>> loaded.made["w", True].array, loaded.rows
    (array([1., 1.]), (2,))
    """
    kept = exact_columns(wanted)
    parts = [_read(source, plan.raw, kept) for source in sources]
    problems = [line for _, lines in parts for line in lines]
    notes: list[str] = []
    for source, (read, _) in zip(sources, parts, strict=True):
        notes += _replace(source, read, missing)
        problems += _check(source, read)
    rows = tuple(len(next(iter(read.values()), ())) for read, _ in parts)
    whole = all(len(array) == n for (read, _), n in zip(parts, rows, strict=True) for array in read.values())
    complete = whole and all(len(read) == len(plan.raw) for read, _ in parts)
    arrays = {name: _join([read.pop(name) for read, _ in parts]) for name in plan.raw} if complete else {}
    made: dict[Wanted, Stored] = {}
    for item in wanted if arrays else ():
        array, lines = _made(item, arrays, sources, rows)
        made |= {} if array is None else {item: Stored(array=array)}
        problems += lines if not problems or array is None else []
    files = tuple(source.name for source in sources)
    return Loaded(made=made, files=files, rows=rows, problems=tuple(problems), notes=tuple(notes))


def exact_columns(wanted: Collection[Wanted]) -> set[str]:
    """The columns of the files that keep float64.

    >>> sorted(exact_columns([("w", True), ("pt", False)]))
    ['w']
    """
    return {leaf for recipe, exact in wanted if exact for leaf in leaves(recipe)}


def made_of(wanted: Wanted, arrays: Mapping[str, Array]) -> Array:
    """A column, made of columns of the files.

    >>> made_of((("pt", "eta"), False), {"pt": np.array([30.0]), "eta": np.array([0.5])})
    array([[30. ,  0.5]], dtype=float32)
    """
    recipe, exact = wanted
    made = build(recipe, arrays)
    return made if exact else as_column(made)


def as_column(array: Array) -> Array:
    """Single precision for floats, everything else as it is; what is too large becomes infinite.

    >>> as_column(np.array([0.5])).dtype
    dtype('float32')
    """
    if array.dtype != np.float64:
        return array
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def fill(array: Array, value: float) -> int:
    """Put a value in place of NaN, and tell in how many events; numbers without NaN stay as they are.

    >>> fill(np.array([[1.0, np.nan], [np.nan, np.nan], [0.0, 0.0]]), 0.0)
    2
    """
    if array.dtype.kind != "f" or not (gaps := np.isnan(array)).any():
        return 0
    array[gaps] = value
    return int(gaps.reshape(len(gaps), -1).any(axis=1).sum())


def replaced(file: str, name: str, events: int, rows: int, value: float) -> list[str]:
    """The sentence about values that were put in place of NaN; none if there were none.

    >>> replaced("a.npz", "met", 3, 10, 0.0)
    ["a.npz: column 'met': NaN in 3 of 10 events replaced by 0"]
    """
    if not events:
        return []
    return [f"{file}: column '{name}': NaN in {events} of {rows} events replaced by {value:g}"]


def _made(
    item: Wanted, arrays: Mapping[str, Array], sources: Sequence[Source], rows: Sequence[int]
) -> tuple[Array | None, list[str]]:
    try:
        made = made_of(item, arrays)
    except DataError as error:
        return None, [f"{listed([source.name for source in sources])}: column {error}"]
    lines: list[str] = []
    if computed(item[0]):
        for source, stop, count in zip(sources, accumulate(rows), rows, strict=True):
            found = NotFinite()
            found.add(made[stop - count : stop])
            lines += found.lines(source.name, title(item[0]), is_stored=False)
    return made, lines


def _read(source: Source, names: Sequence[str], kept: set[str]) -> tuple[dict[str, Array], list[str]]:
    try:
        read = source.read(names)
    except DataError as error:
        return {}, [str(error)]
    return {name: array if name in kept else as_column(array) for name, array in read.items()}, []


def _replace(source: Source, read: Mapping[str, Array], missing: Mapping[str, float]) -> list[str]:
    counts = {name: fill(read[name], value) for name, value in missing.items() if name in read}
    return [
        line
        for name, events in counts.items()
        for line in replaced(source.name, name, events, len(read[name]), missing[name])
    ]


def _check(source: Source, read: Mapping[str, Array]) -> list[str]:
    problems = check_lengths(source.name, {name: len(array) for name, array in read.items()})
    for name, array in read.items():
        found = NotFinite()
        found.add(array)
        problems += found.lines(source.name, name)
    return problems


def _join(arrays: list[Array]) -> Array:
    # One column at a time, and its parts are dropped at once: the peak is the table and one column.
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
