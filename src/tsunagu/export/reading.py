"""Event files for an exported chain, opened as its study has opened its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from tsunagu.data import Source, open_source
from tsunagu.data.files import find_files, split_place
from tsunagu.data.processes import LABEL, NUMBER
from tsunagu.data.treating import treated
from tsunagu.errors import DataError, did_you_mean
from tsunagu.spec import Data

__all__ = ["EventFile", "Reading", "open_events", "places_of"]


@final
@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the files of a study become columns, as its section ``data`` says.

    Args:
        tree: of ROOT files, or the group of HDF5 files; None for the only one.
        n_objects: how many objects are kept of each kind.
        units: of columns in the files; models get GeV, radians and millimetres.
        missing_codes: values that mean that there is none.
        processes: for each the columns that are one number in all its events.
    """

    tree: str | None = None
    n_objects: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    missing_codes: Mapping[str, Sequence[float]] = field(default_factory=dict)
    processes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @staticmethod
    def of(data: Data) -> Reading:
        """What a study says.

        >>> from tsunagu.spec import Process
        >>> Reading.of(Data(processes={"qcd": Process(files="a.root")}, units={"pt": "MeV"})).processes
        {'qcd': {'process_number': 0}}
        """
        return Reading(
            tree=data.tree,
            n_objects=dict(data.n_objects),
            units=dict(data.units),
            missing_codes={name: list(codes) for name, codes in data.missing_codes.items()},
            processes={
                name: {NUMBER: number} | ({} if process.label is None else {LABEL: process.label})
                for number, (name, process) in enumerate(data.processes.items())
            },
        )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class EventFile:
    """A file, as it is and as models read it.

    Args:
        path: of it.
        place: the group in an HDF5 file, where one is named.
        file: its columns as they are.
        source: in our units, with NaN in place of codes.
    """

    path: Path
    place: str | None
    file: Source
    source: Source


def open_events(
    path: Path, reading: Reading, *, place: str | None = None, process: str | None = None
) -> EventFile:
    """Open a file; only its header is read.

    Args:
        path: of the file.
        reading: of the study.
        place: its tree or group, in place of that of the study.
        process: whose events they are; that makes the columns ``process_number`` and ``label`` that a study may use.

    Raises:
        DataError: no file that can be read, or no such process.
    """
    if process is not None and process not in reading.processes:
        msg = f"the models know no process '{process}'{did_you_mean(process, reading.processes)}"
        raise DataError(msg)
    file = open_source(path, place or reading.tree, reading.n_objects)
    known = file.names()
    constants = {} if process is None else reading.processes[process]
    constants = {name: value for name, value in constants.items() if name not in known}
    source = treated(file, reading.units, reading.missing_codes, constants)
    return EventFile(path=path, place=place or reading.tree, file=file, source=source)


def places_of(patterns: Sequence[str | Path]) -> list[tuple[Path, str | None]]:
    """The files that names and globs mean, each once, with the tree or group that is named behind them.

    Raises:
        DataError: none matches; all such names, one line each.

    >>> places_of(["no_such_folder/*.root:Events"])
    Traceback (most recent call last):
    tsunagu.errors.DataError: no file matches 'no_such_folder/*.root': there is no folder 'no_such_folder'
    """
    found: dict[tuple[Path, str | None], None] = {}
    problems = []
    for pattern in patterns:
        name, place = split_place(pattern)
        try:
            found |= dict.fromkeys((path, place) for path in find_files(name))
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n".join(problems))
    return list(found)
