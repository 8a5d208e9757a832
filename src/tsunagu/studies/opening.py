"""The tables of a study: opened once, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, final

from tsunagu.data import Source, Table, check_splits, open_table
from tsunagu.data.headers import Headers, read_headers
from tsunagu.data.processes import SCALE, open_files
from tsunagu.data.recipes import Declared, leaves, recipe
from tsunagu.errors import DataError, Mistake
from tsunagu.metrics import parse_metric
from tsunagu.spec import Data, Folds, Study, canonical, made_with, options, raw_columns
from tsunagu.spec.shifts import shifting_events
from tsunagu.studies.changing import ends_of
from tsunagu.studies.leaks import SCORED_BY
from tsunagu.studies.locating import located_files, located_processes, opening_of
from tsunagu.trials import metric_names

__all__ = [
    "Tables",
    "event_key",
    "needed_columns",
    "open_observed",
    "open_study_table",
    "stored_columns",
    "study_headers",
]


def stored_columns(data: Data, base: Path) -> tuple[set[str] | None, list[Mistake]]:
    """The columns of the files, or None and the reason why the files cannot be opened."""
    try:
        opened = open_files(
            located_files(data, base), located_processes(data.processes, base), opening_of(data)
        )
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
    """The tables of a study, one for each data section that its variations have; folds of one number share it."""

    opened: Mapping[str, Table]

    @staticmethod
    def open(studies: Sequence[Study], base: Path) -> Tables:
        """Open each data section once.

        Raises:
            DataError: all that is wrong with the files and columns of the first section that has a problem.
        """
        found: dict[str, Table] = {}
        checked: set[str] = set()
        for study in studies:
            name, whole = event_key(study.data), canonical(study.data)
            if name not in found:
                found[name] = open_study_table(study, base)
            elif whole not in checked:
                check_splits(found[name], study.data.folds, study.data.weight, study.data.train_weight)
            checked.add(whole)
        return Tables(found)

    def of(self, data: Data) -> Table:
        """The table of a data section."""
        return self.opened[event_key(data)]


def needed_columns(study: Study) -> list[str]:
    """The columns that a study reads, in the order in which it names them."""
    outputs = {task.output for task in study.tasks.values()}
    names: list[str] = []
    for task in study.tasks.values():
        names += task.inputs.values() if isinstance(task.inputs, Mapping) else task.inputs
        names += [str(target) for loss in task.losses for _, target in options(loss.target)]
        names += [loss.where for loss in task.losses if loss.where is not None]
    names += shifting_events(study)
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
    # Events that are varied themselves are not trained on.
    ends = ends_of(study, needed_columns(study)) if data is None and change is None else None
    data = data or study.data
    needed = [*needed_columns(study), *_scored_by(study, base), *more, *(ends.columns if ends else ())]
    return open_table(
        located_files(data, base),
        processes=located_processes(data.simulated, base),
        **vars(opening_of(data)),
        select=data.select,
        columns={**data.columns, **(ends.columns if ends else {})},
        missing={**data.missing, **(ends.missing if ends else {})},
        weight=data.weight,
        train_weight=data.train_weight,
        negative_weights=data.negative_weights,
        classes=data.classes,
        event_number=data.event_number,
        folds=data.folds,
        keep=data.keep,
        keep_in=data.keep_in,
        needed=list(dict.fromkeys(needed)),
        memory=data.memory,
        cache=None if data.cache is None else base / data.cache,
        change=ends.change if ends else change,
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
    how = opening_of(data)
    return open_table(
        processes=located_processes(data.observed, base),
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


def _scored_by(study: Study, base: Path) -> list[str]:
    """The columns that say which model made the scores that a study reads, where the files have them."""
    stored, _ = stored_columns(study.data, base)
    declared, names = study.data.columns, dict.fromkeys(needed_columns(study))
    made = [leaf for name in names for leaf in _leaves(name, declared)]
    return [found for leaf in dict.fromkeys(made) if (found := f"{leaf}{SCORED_BY}") in (stored or ())]


def _leaves(name: str, declared: Declared) -> list[str]:
    with suppress(DataError):  # columns that are made of each other are reported elsewhere
        return list(leaves(recipe(name, declared)))
    return []


def event_key(data: Data) -> str:
    """A name for what is read: which of the folds is the test fold matters only where events are kept by it."""
    if data.keep and data.keep_in == "train":
        return canonical(data)
    return canonical(data.model_copy(update={"folds": Folds(k=data.folds.k)}))


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
        located_files(data, base),
        located_processes(data.simulated, base),
        opening_of(data),
        columns=data.columns,
        needed=needed_columns(study),
        roles=roles | kept,
        select=data.select,
        missing=data.missing,
    )
