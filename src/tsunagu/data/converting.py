"""Columns larger than memory: made piece by piece of the files, once, and mapped from then on."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import final

import numpy as np

from tsunagu.data.cache import Cache, ColumnWriter
from tsunagu.data.checks import NotFinite, check_lengths
from tsunagu.data.listing import listed
from tsunagu.data.loading import Loaded, Wanted, as_column, exact_columns, fill, made_of, replaced
from tsunagu.data.recipes import Plan, computed, leaves, plain, title
from tsunagu.data.source import Array, Column, Source
from tsunagu.data.stored import Stored, row_bytes
from tsunagu.errors import DataError

__all__ = ["PER_EVENT", "convert", "total_bytes"]

PER_EVENT = 32
"""Bytes of an event that no mapping spares: its row number in a split, and what sorting event numbers takes."""

OPEN = 256
"""So many columns are written at once, each into a file of its own; systems allow a thousand or so."""

COPIES = 32
"""A piece is so many times smaller than the memory: it is decoded, cast, searched, stacked and written, and what
allocators do not give back at once grows with it."""


@final
@dataclass(frozen=True, kw_only=True)
class _Reader:
    """What the files need on their way into columns, and what was found on the way: by number of the file."""

    sources: Sequence[Source]
    kept: set[str]
    missing: Mapping[str, float]
    most: int
    unread: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    odd: dict[tuple[int, str], NotFinite] = field(default_factory=dict)
    filled: dict[tuple[int, str], int] = field(default_factory=dict)
    unfit: list[str] = field(default_factory=list)


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
    kept = exact_columns(wanted)
    reader = _Reader(sources=sources, kept=kept, missing=missing, most=_most(sources, plan, memory))
    made, absent = _kept(dict.fromkeys(wanted), reader, cache, sum(rows))
    for start in range(0, len(absent), OPEN):
        made |= _written(dict(list(absent.items())[start : start + OPEN]), reader, cache, sum(rows))
    problems = _problems(reader, plan)
    return Loaded(
        made={} if problems else made,
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


@final
@dataclass(frozen=True, kw_only=True)
class _Absent:
    """A column that has to be written: its key, its type, and the columns of the files it is made of."""

    key: str
    column: Column
    names: tuple[str, ...]


def _kept(
    items: Iterable[Wanted], reader: _Reader, cache: Cache, rows: int
) -> tuple[dict[Wanted, Stored], dict[Wanted, _Absent]]:
    made: dict[Wanted, Stored] = {}
    absent: dict[Wanted, _Absent] = {}
    for item in items:
        names = tuple(dict.fromkeys(leaves(item[0])))
        try:
            column = _column(item, reader.sources)
        except DataError as error:
            reader.unread[0] += [f"{listed([source.name for source in reader.sources])}: column {error}"]
            continue
        gaps = {name: reader.missing[name] for name in names if name in reader.missing}
        key = json.dumps([plain(item[0]), item[1], gaps, [name for name in names if name in reader.kept]])
        if found := cache.find(key, rows, column):
            made[item], about = found
            reader.filled.update({(int(file), name): n for file, name, n in about["filled"]})
        else:
            absent[item] = _Absent(key=key, column=column, names=names)
    return made, absent


def _written(
    absent: Mapping[Wanted, _Absent], reader: _Reader, cache: Cache, rows: int
) -> dict[Wanted, Stored]:
    """All at once, so that the files are gone through once, however many columns there are."""
    with ExitStack() as stack:
        writers = {
            item: stack.enter_context(cache.begin(each.key, rows, each.column))
            for item, each in absent.items()
        }
        faulty: set[Wanted] = set()
        for file in range(len(reader.sources)):
            faulty |= _from_file(file, absent, writers, reader)
        return {
            item: writer.finish({"filled": _filled(absent[item].names, reader)})
            for item, writer in writers.items()
            if item not in faulty
        }


def _from_file(
    file: int, absent: Mapping[Wanted, _Absent], writers: Mapping[Wanted, ColumnWriter], reader: _Reader
) -> set[Wanted]:
    """Write the events of one file; what cannot be kept comes back."""
    source = reader.sources[file]
    names = list(dict.fromkeys(name for each in absent.values() for name in each.names))
    odd = {name: NotFinite() for name in names}
    unfit = {item: NotFinite() for item in absent if computed(item[0])}
    counts = dict.fromkeys(names, 0)
    try:
        for piece in source.pieces(names, reader.most):
            prepared = {name: _prepared(name, piece.pop(name), reader, odd, counts) for name in names}
            for item, writer in writers.items():
                array = made_of(item, prepared)
                writer.add(array)
                if item in unfit:
                    unfit[item].add(array)
    except DataError as error:
        reader.unread[file] += str(error).splitlines()
        return set(absent)
    reader.odd.update({(file, name): found for name, found in odd.items()})
    reader.filled.update({(file, name): counts[name] for name in names if name in reader.missing})
    bad = {name for name, found in odd.items() if found.bad}
    for item, found in unfit.items():
        if not bad.intersection(absent[item].names):
            reader.unfit.extend(found.lines(source.name, title(item[0]), is_stored=False))
    return {item for item, each in absent.items() if bad.intersection(each.names)} | {
        item for item, found in unfit.items() if found.bad
    }


def _filled(names: Sequence[str], reader: _Reader) -> list[tuple[int, str, int]]:
    files = range(len(reader.sources))
    return [
        (file, name, reader.filled.get((file, name), 0))
        for file in files
        for name in names
        if name in reader.missing
    ]


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
    return lines + reader.unfit


def _notes(reader: _Reader, rows: Sequence[int]) -> list[str]:
    return [
        line
        for file, source in enumerate(reader.sources)
        for name, value in reader.missing.items()
        for line in replaced(source.name, name, reader.filled.get((file, name), 0), rows[file], value)
    ]
