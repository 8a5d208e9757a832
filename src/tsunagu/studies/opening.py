"""The tables of a study: opened once, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files as files_of
from pathlib import Path
from typing import Any, final

from tsunagu.data import Source, Table, open_table
from tsunagu.data.headers import Headers, read_headers
from tsunagu.data.processes import SCALE, Opening, open_files
from tsunagu.errors import DataError, Mistake, did_you_mean
from tsunagu.metrics import parse_metric
from tsunagu.spec import Data, Process, Study, canonical, made_with, options, raw_columns
from tsunagu.trials import metric_names

__all__ = [
    "Tables",
    "named_files",
    "needed_columns",
    "open_observed",
    "open_study_table",
    "stored_columns",
    "study_headers",
]

READY = "ready"


def stored_columns(data: Data, base: Path) -> tuple[set[str] | None, list[Mistake]]:
    """The columns of the files, or None and the reason why the files cannot be opened."""
    try:
        opened = open_files(_files(data, base), _located_processes(data.processes, base), _opening(data))
    except DataError as error:
        return None, [_placed(line, data) for line in str(error).splitlines()]
    names = {name for source in opened.sources for name in (*source.names(), *source.unreadable)}
    return names | ({SCALE} if any(p.is_scaled for p in data.processes.values()) else set()), []


def _placed(line: str, data: Data) -> Mistake:
    """A sentence about files, at the setting that it is about."""
    setting, colon, rest = line.partition(": ")
    if colon and setting.startswith("data."):
        return Mistake(tuple(setting.split(".")), rest)
    return Mistake(("data", "processes" if data.processes else "files"), line)


@final
@dataclass(frozen=True)
class Tables:
    """The tables of a study, one for each data section that its variations have."""

    opened: Mapping[str, Table]

    @staticmethod
    def open(studies: Sequence[Study], base: Path) -> Tables:
        """Open each data section once.

        Raises:
            DataError: all that is wrong with the files and columns of the first section that has a problem.
        """
        found: dict[str, Table] = {}
        for study in studies:
            name = canonical(study.data)
            if name not in found:
                found[name] = open_study_table(study, base)
        return Tables(found)

    def of(self, data: Data) -> Table:
        """The table of a data section."""
        return self.opened[canonical(data)]


def needed_columns(study: Study) -> list[str]:
    """The columns that a study reads, in the order in which it names them."""
    outputs = {task.output for task in study.tasks.values()}
    names: list[str] = []
    for task in study.tasks.values():
        names += task.inputs.values() if isinstance(task.inputs, Mapping) else task.inputs
        names += [str(target) for loss in task.losses for _, target in options(loss.target)]
    names += [
        by
        for _, node in options(study.train.sampling)
        if (by := node.args.get("by")) and by not in _losses(study)
    ]
    calls = [
        *metric_names(study.pipeline).values(),
        *(parse_metric(text) for text in study.baselines.values()),
    ]
    names += [name for call in calls for name in call.arguments]
    return [name for name in dict.fromkeys(names) if name not in outputs]


def _losses(study: Study) -> set[str]:
    terms = [loss for task in study.tasks.values() for loss in task.losses]
    return {str(key) for term in terms for _, key in options(term.key)}


def open_study_table(
    study: Study,
    base: Path,
    *,
    more: Sequence[str] = (),
    data: Data | None = None,
    change: Callable[[Source], Source] | None = None,
) -> Table:
    """Open the files of a study; relative names are relative to ``base``, the study file's folder.

    Args:
        study: says which files and columns.
        base: the study file's folder.
        more: columns to read beside those that the study reads.
        data: another section, such as one with other files.
        change: what to make of each file, for a systematic variation.

    Raises:
        DataError: all that is wrong with files and columns.
    """
    data = data or study.data
    return open_table(
        _files(data, base),
        processes=_processes(data, base),
        **vars(_opening(data)),
        select=data.select,
        columns=data.columns,
        missing=data.missing,
        weight=data.weight,
        train_weight=data.train_weight,
        negative_weights=data.negative_weights,
        classes=data.classes,
        event_number=data.event_number,
        folds=data.folds,
        keep=data.keep,
        keep_in=data.keep_in,
        needed=list(dict.fromkeys([*needed_columns(study), *more])),
        memory=data.memory,
        cache=None if data.cache is None else base / data.cache,
        change=change,
    )


def open_observed(study: Study, base: Path, columns: Sequence[str]) -> Table:
    """Open the data of a study, with the same units, selection and derived columns as the simulation; each event weighs 1.

    Args:
        study: has processes that are observed.
        base: the study file's folder.
        columns: to read.

    Raises:
        DataError: all that is wrong with files and columns.
    """
    data = study.data
    named = [*columns, *([data.select] if data.select else [])]
    made, read = made_with(named, data.columns), raw_columns(named, data.columns)
    how = _opening(data)
    return open_table(
        processes=_located_processes(data.observed, base),
        **vars(how) | {part: _of_columns(getattr(how, part), read) for part in ("units", "missing_codes")},
        select=data.select,
        columns={name: data.columns[name] for name in made},
        missing={name: value for name, value in data.missing.items() if name in read},
        event_number=data.event_number,
        folds=data.folds,
        needed=columns,
        memory=data.memory,
        cache=None if data.cache is None else base / data.cache,
    )


def _of_columns(patterns: Mapping[str, Any], columns: Collection[str]) -> dict[str, Any]:
    """Those that fit a column: what is said of the truth fits nothing in data."""
    return {
        pattern: value for pattern, value in patterns.items() if any(fnmatchcase(c, pattern) for c in columns)
    }


def study_headers(study: Study, base: Path) -> Headers:
    """What the headers of a study's files tell; no event is read.

    Raises:
        DataError: all that is wrong with files and columns, as far as headers tell.
    """
    data = study.data
    kept = {f"class to keep {name}": name for name in data.keep}
    roles = {"weight": data.weight, "training weight": data.train_weight, "event number": data.event_number}
    return read_headers(
        _files(data, base),
        _processes(data, base),
        _opening(data),
        columns=data.columns,
        needed=needed_columns(study),
        roles=roles | kept,
        select=data.select,
        missing=data.missing,
    )


def named_files(data: Data) -> str:
    """The files of a data section as they are written, for a message.

    >>> named_files(Data(files="a.npz"))
    'a.npz'
    """
    named = [data.files] if data.files is not None else [p.files for p in data.processes.values()]
    return ", ".join(name for names in named for name in ([names] if isinstance(names, str) else names))


def _opening(data: Data) -> Opening:
    return Opening(
        tree=data.tree,
        n_objects=data.n_objects,
        units=data.units,
        missing_codes=data.missing_codes,
        luminosity=data.luminosity,
    )


def _files(data: Data, base: Path) -> list[str] | None:
    return None if data.files is None else _located(data.files, base)


def _processes(data: Data, base: Path) -> dict[str, Process]:
    return _located_processes(data.simulated, base)


def _located_processes(processes: Mapping[str, Process], base: Path) -> dict[str, Process]:
    return {
        name: process.model_copy(update={"files": _located(process.files, base)})
        for name, process in processes.items()
    }


def _located(files: str | list[str], base: Path) -> list[str]:
    return [_locate(name, base) for name in ([files] if isinstance(files, str) else files)]


def _locate(name: str, base: Path) -> str:
    kind, colon, sample = name.partition(":")
    if not (colon and kind == READY):
        return str(base / name)
    # The folder is read, not the package: the generator is an optional extra that nothing imports.
    shipped = {
        Path(str(file)).stem: file for file in files_of("tsunagu").joinpath("samples", READY).iterdir()
    }
    if sample not in shipped:
        msg = f"{name}: there is no ready-made sample '{sample}'{did_you_mean(sample, shipped)}"
        raise DataError(msg)
    return str(shipped[sample])
