"""Columns larger than memory: made piece by piece of the files, once, and mapped from then on."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np

from tsunagu.data.cache import Cache
from tsunagu.data.checks import NotFinite, check_lengths
from tsunagu.data.loading import Loaded, Wanted, as_column, fill, made_of, replaced
from tsunagu.data.recipes import Plan, Recipe, leaves
from tsunagu.data.source import Array, Column, Source
from tsunagu.data.stored import Stored, row_bytes
from tsunagu.errors import DataError

__all__ = ["PER_EVENT", "convert", "total_bytes"]

PER_EVENT = 32
"""Bytes of an event that no mapping spares: its row number in a split, and what sorting event numbers takes."""

COPIES = 32
"""A piece is so many times smaller than the memory: it is decoded, cast, searched, stacked and written, and what
allocators do not give back at once grows with it."""


@final
@dataclass(frozen=True, kw_only=True)
class _Reader:
    """What the files need on their way into columns, and what was found on the way: by number of the file."""

    sources: Sequence[Source]
    kept: set[Recipe]
    missing: Mapping[str, float]
    most: int
    unread: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    odd: dict[tuple[int, str], NotFinite] = field(default_factory=dict)
    filled: dict[tuple[int, str], int] = field(default_factory=dict)


def convert(
    sources: Sequence[Source],
    plan: Plan,
    wanted: Collection[Wanted],
    missing: Mapping[str, float],
    cache: Cache,
    memory: int,
) -> Loaded:
    """As :func:`~tsunagu.data.loading.load`, with columns that are files.

    Args:
        sources, plan, wanted, missing: as there.
        cache: where the columns are kept, and looked for first.
        memory: bytes that may be used meanwhile.

    Raises:
        DataError: a column cannot be written, or the memory is not even enough for the rows' numbers.
    """
    files = tuple(source.name for source in sources)
    lengths = [{name: source.rows(name) for name in plan.raw} for source in sources]
    rows = tuple(next(iter(found.values()), 0) for found in lengths)
    problems = [
        line for file, found in zip(files, lengths, strict=True) for line in check_lengths(file, found)
    ]
    if problems:
        return Loaded(made={}, files=files, rows=rows, problems=tuple(problems))
    _check_memory(memory, sum(rows))
    kept = {recipe for recipe, exact in wanted if exact}
    reader = _Reader(sources=sources, kept=kept, missing=missing, most=_most(sources, plan, memory))
    made = {item: _made(item, reader, cache, sum(rows)) for item in dict.fromkeys(wanted)}
    problems = _problems(reader, plan)
    whole = {item: stored for item, stored in made.items() if stored is not None}
    return Loaded(
        made={} if problems else whole,
        files=files,
        rows=rows,
        problems=tuple(problems),
        notes=tuple(_notes(reader, rows)),
        keep=cache.keep,
    )


def total_bytes(sources: Sequence[Source], wanted: Collection[Wanted]) -> int:
    """Bytes that columns take in memory."""
    sizes = {item: row_bytes(_column(item, sources)) for item in wanted}
    names = {item: next(leaves(item[0])) for item in wanted}
    return sum(source.rows(names[item]) * size for source in sources for item, size in sizes.items())


def _check_memory(memory: int, rows: int) -> None:
    if 2 * PER_EVENT * rows > memory:
        found = f"{memory:,} bytes are too few for {rows:,} events, whose row numbers have to be in memory"
        message = f"data.memory: {found}; at least {2 * PER_EVENT * rows:,} are needed"
        raise DataError(message)


def _most(sources: Sequence[Source], plan: Plan, memory: int) -> int:
    widest = sum(row_bytes(sources[0].names()[name]) for name in plan.raw)
    return max(1, min(1 << 16, memory // (COPIES * max(1, widest))))


def _made(item: Wanted, reader: _Reader, cache: Cache, rows: int) -> Stored | None:
    names, column = list(dict.fromkeys(leaves(item[0]))), _column(item, reader.sources)
    gaps = {name: reader.missing[name] for name in names if name in reader.missing}
    key = json.dumps([*item, gaps, [name for name in names if name in reader.kept]])
    if found := cache.find(key, rows, column):
        stored, about = found
        reader.filled.update({(int(file), name): n for file, name, n in about["filled"]})
        return stored
    filled: list[tuple[int, str, int]] = []
    try:
        return cache.write(key, rows, column, _pieces(item, names, reader, filled), {"filled": filled})
    except _Faulty:
        return None


class _Faulty(Exception):
    pass


def _pieces(
    item: Wanted, names: Sequence[str], reader: _Reader, filled: list[tuple[int, str, int]]
) -> Iterator[Array]:
    faulty = False
    for file, source in enumerate(reader.sources):
        odd, counts = {name: NotFinite() for name in names}, dict.fromkeys(names, 0)
        try:
            for piece in source.pieces(names, reader.most):
                yield made_of(item, {n: _prepared(n, piece.pop(n), reader, odd, counts) for n in names})
        except DataError as error:
            reader.unread[file] += str(error).splitlines()
            faulty = True
        reader.odd.update({(file, name): found for name, found in odd.items()})
        filled += [(file, name, counts[name]) for name in names if name in reader.missing]
        faulty = faulty or any(found.bad for found in odd.values())
    reader.filled.update({(file, name): n for file, name, n in filled})
    if faulty:
        raise _Faulty


def _prepared(
    name: str, array: Array, reader: _Reader, odd: Mapping[str, NotFinite], counts: dict[str, int]
) -> Array:
    array = array if name in reader.kept else as_column(array)
    if name in reader.missing:
        counts[name] += fill(array, reader.missing[name])
    odd[name].add(array)
    return array


def _column(item: Wanted, sources: Sequence[Source]) -> Column:
    made: list[Array] = []
    for source in sources:
        types = {name: source.names()[name] for name in leaves(item[0])}
        made.append(made_of(item, {n: np.empty((0, *c.shape), c.dtype) for n, c in types.items()}))
    return Column(np.result_type(*made), made[0].shape[1:])


def _problems(reader: _Reader, plan: Plan) -> list[str]:
    lines = [line for file in sorted(reader.unread) for line in dict.fromkeys(reader.unread[file])]
    for file, source in enumerate(reader.sources):
        for name in () if file in reader.unread else plan.raw:
            lines += reader.odd.get((file, name), NotFinite()).lines(source.name, name)
    return lines


def _notes(reader: _Reader, rows: Sequence[int]) -> list[str]:
    return [
        line
        for file, source in enumerate(reader.sources)
        for name, value in reader.missing.items()
        for line in replaced(source.name, name, reader.filled.get((file, name), 0), rows[file], value)
    ]
