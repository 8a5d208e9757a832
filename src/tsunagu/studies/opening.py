"""The tables of a study: opened once, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as files_of
from pathlib import Path
from typing import final

from tsunagu.data import Source, Table, open_sources, open_table
from tsunagu.errors import DataError, Mistake, did_you_mean
from tsunagu.metrics import parse_metric
from tsunagu.spec import Data, Study, canonical, options
from tsunagu.trials import metric_names

__all__ = ["Tables", "needed_columns", "open_study_table", "stored_columns"]

READY = "ready"


def stored_columns(data: Data, base: Path) -> tuple[set[str] | None, list[Mistake]]:
    """The columns of the files, or None and the reason why the files cannot be opened."""
    try:
        sources = open_sources(_located(data, base))
    except DataError as error:
        return None, [Mistake(("data", "files"), line) for line in str(error).splitlines()]
    return {name for source in sources for name in (*source.names(), *source.unreadable)}, []


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
    files: str | list[str] | None = None,
    change: Callable[[Source], Source] | None = None,
) -> Table:
    """Open the files of a study; relative names are relative to ``base``, the study file's folder.

    Args:
        study: says which files and columns.
        base: the study file's folder.
        more: columns to read beside those that the study reads.
        files: others than those of the study.
        change: what to make of each file, for a systematic variation.

    Raises:
        DataError: all that is wrong with files and columns.
    """
    data = study.data if files is None else study.data.model_copy(update={"files": files})
    located = _located(data, base)
    return open_table(
        located if change is None else [change(source) for source in open_sources(located)],
        columns=data.columns,
        missing=data.missing,
        weight=data.weight,
        train_weight=data.train_weight,
        event_number=data.event_number,
        folds=data.folds,
        keep=data.keep,
        keep_in=data.keep_in,
        needed=list(dict.fromkeys([*needed_columns(study), *more])),
        memory=data.memory,
        cache=None if data.cache is None else base / data.cache,
    )


def _located(data: Data, base: Path) -> list[str]:
    files = [data.files] if isinstance(data.files, str) else list(data.files)
    return [_locate(name, base) for name in files]


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
