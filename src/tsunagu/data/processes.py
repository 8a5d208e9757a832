"""The physics processes of a table: their files, their labels, and how their weights are scaled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np

from tsunagu.data.files import FileLike, open_sources
from tsunagu.data.jagged import Objects
from tsunagu.data.root import total
from tsunagu.data.source import Source
from tsunagu.data.treating import Codes, TreatedSource, Units, treated, unmatched
from tsunagu.errors import DataError, did_you_mean
from tsunagu.spec.data import Process, parse_generated
from tsunagu.spec.processes import NUMBER
from tsunagu.spec.quantities import parse_cross_section, parse_luminosity

__all__ = ["LABEL", "NUMBER", "SCALE", "Opened", "Opening", "open_files", "scaled"]

LABEL, SCALE = "label", "process_scale"
"""The columns that processes make, beside their number."""

_ROWS = 1 << 16


@final
@dataclass(frozen=True, kw_only=True)
class Opening:
    """How files are opened: what is said once for all of them.

    Args:
        tree: of ROOT files, or group of HDF5 files; None for the only one.
        n_objects: how many objects are kept of each kind.
        units: of columns in the files.
        missing_codes: values that mean that there is none.
        luminosity: of all processes, with its unit.
    """

    tree: str | None = None
    n_objects: Objects = field(default_factory=dict)
    units: Units = field(default_factory=dict)
    missing_codes: Codes = field(default_factory=dict)
    luminosity: str | None = None


@final
@dataclass(frozen=True, kw_only=True)
class Opened:
    """The files, and the process that each belongs to; empty names without processes."""

    sources: tuple[Source, ...]
    processes: tuple[str, ...]


def open_files(
    files: FileLike | Sequence[FileLike] | None, processes: Mapping[str, Process], how: Opening
) -> Opened:
    """Open the files of a table; only their headers are read.

    Raises:
        DataError: everything that is wrong with the files, one line each.
    """
    wanted = {"": (files or [], how.tree, None)} if not processes else {
        name: (process.files, process.tree or how.tree, process.label) for name, process in processes.items()
    }  # fmt: skip
    found: list[tuple[str, Source]] = []
    problems: list[str] = []
    for number, (name, (paths, tree, label)) in enumerate(wanted.items()):
        constants = {NUMBER: number} | ({} if label is None else {LABEL: label})
        try:
            opened = open_sources(paths, tree, how.n_objects)
            found += [
                (name, treated(source, how.units, how.missing_codes, constants if name else {}))
                for source in opened
            ]
        except DataError as error:
            problems += [f"{f'process {name}: ' if name else ''}{line}" for line in str(error).splitlines()]
    sources = [source for _, source in found]
    if not problems:
        problems = _twice(found)
        problems += unmatched(how.units, sources, "data.units")
        problems += unmatched(how.missing_codes, sources, "data.missing_codes")
    if problems:
        raise DataError("\n".join(problems))
    return Opened(sources=tuple(sources), processes=tuple(name for name, _ in found))


def scaled(opened: Opened, processes: Mapping[str, Process], luminosity: str | None) -> Opened:
    """With the column ``process_scale`` that weights are to be multiplied by, where any process is scaled.

    Raises:
        DataError: a sum of generated weights that cannot be taken, or is not positive.
    """
    if not any(process.is_scaled for process in processes.values()):
        return opened
    factors, problems = {}, []
    for name, process in processes.items():
        own = [source for source, owner in zip(*_pair(opened), strict=True) if owner == name]
        try:
            factors[name] = _factor(name, process, own, luminosity)
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n".join(problems))
    sources = tuple(
        TreatedSource(source, constants={SCALE: factors[owner]})
        for source, owner in zip(*_pair(opened), strict=True)
    )
    return Opened(sources=sources, processes=opened.processes)


def _pair(opened: Opened) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    return opened.sources, opened.processes


def _factor(name: str, process: Process, sources: Sequence[Source], luminosity: str | None) -> float:
    if not process.is_scaled:
        return 1.0
    expected = process.norm or 0.0
    if process.cross_section is not None:
        collected = process.luminosity or luminosity
        assert collected is not None
        expected = parse_cross_section(process.cross_section) * parse_luminosity(collected)
    generated = _generated(name, process.generated, sources)
    if not 0.0 < generated < np.inf:
        where = f"process {name}: generated: {process.generated}"
        message = (
            f"{where}: the weights of all generated events sum to {generated:g}; the sum must be positive"
        )
        raise DataError(message)
    return expected / generated


def _generated(name: str, generated: float | str | None, sources: Sequence[Source]) -> float:
    if not isinstance(generated, str):
        return float(generated or 0.0)
    what = parse_generated(generated)
    if what is None:
        return float(sum(source.rows(next(iter(source.names()))) for source in sources))
    tree, column = what
    if tree is not None:
        return sum(_elsewhere(name, source, tree, column) for source in sources)
    return sum(_here(name, source, column) for source in sources)


def _elsewhere(name: str, source: Source, tree: str, column: str) -> float:
    if source.path is None or source.path.suffix != ".root":
        message = f"{source.name}: process {name}: only ROOT files have a tree '{tree}' beside the events"
        raise DataError(message)
    return total(source.path, tree, column)


def _here(name: str, source: Source, column: str) -> float:
    names = source.names()
    if column not in names or names[column].shape:
        found = f"no column '{column}' of one number{did_you_mean(column, names)}"
        message = f"{source.name}: process {name}: generated: {found}"
        raise DataError(message)
    return float(sum(piece[column].sum(dtype=np.float64) for piece in source.pieces([column], _ROWS)))


def _twice(found: Sequence[tuple[str, Source]]) -> list[str]:
    owners: dict[str, str] = {}
    lines: list[str] = []
    for name, source in found:
        if (first := owners.setdefault(source.name, name)) != name:
            lines.append(f"{source.name}: the file is of process {first} and of process {name}")
    return lines
