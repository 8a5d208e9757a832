"""Everything that can be found wrong with a study before anything is trained."""

from __future__ import annotations

from pathlib import Path

from tsunagu.errors import Mistake, SpecError
from tsunagu.metrics import parse_metric
from tsunagu.spec import Study, blame, check_columns, check_leaks, options, variations
from tsunagu.studies.opening import Tables, stored_columns
from tsunagu.tasks import check_data, check_pipeline
from tsunagu.train import check_optimizer, check_schedule
from tsunagu.trials.executors import check_executor

__all__ = ["check_spec", "check_study"]


def check_spec(study: Study, base: Path | None = None) -> list[Mistake]:
    """The mistakes that can be seen without reading an event, where they stand in the study.

    Args:
        study: with variations and choices.
        base: the folder that file names are relative to; None leaves the names of columns unchecked.
    """
    stored, mistakes = (None, []) if base is None else stored_columns(study.data, base)
    mistakes += _check_baselines(study, None if stored is None else stored | study.data.columns.keys())
    for labels, each in variations(study):
        stored, unopened = (None, []) if base is None else stored_columns(each.data, base)
        mistakes += blame([*unopened, *_check_varied(each, stored)], study, labels)
    mistakes += check_executor(study.executor, ("executor",))
    return list(dict.fromkeys(mistakes))


def check_study(study: Study, base: Path) -> Tables:
    """Everything that can be found wrong before training, all mistakes at once; returns the opened tables.

    Raises:
        SpecError: mistakes of the specification, with their paths; names that are no columns are among them.
        DataError: mistakes of the data, where the specification has none.
    """
    if mistakes := check_spec(study, base):
        raise SpecError(mistakes)
    varied = variations(study)
    tables = Tables.open([study, *(each for _, each in varied)], base)
    for labels, each in varied:
        try:
            table = tables.of(each.data)
            check_data(each.pipeline, table, table.split(each.data.folds))
        except SpecError as error:
            mistakes += blame(error.mistakes, study, labels)
    if mistakes:
        raise SpecError(list(dict.fromkeys(mistakes)))
    return tables


def _check_varied(study: Study, stored: set[str] | None) -> list[Mistake]:
    names = None if stored is None else stored | study.data.columns.keys()
    mistakes = check_columns(study.data, stored) + check_leaks(study.data, study.pipeline)
    mistakes += check_pipeline(study.pipeline, names)
    for path, optimizer in options(study.train.optimizer, ("train", "optimizer")):
        mistakes += check_optimizer(optimizer, path)
    for path, schedule in options(study.train.schedule, ("train", "schedule")):
        mistakes += check_schedule(schedule, path)
    return mistakes


def _check_baselines(study: Study, columns: set[str] | None) -> list[Mistake]:
    mistakes: list[Mistake] = []
    for name, text in study.baselines.items():
        try:
            call = parse_metric(text)
            found = call.check(columns) if columns is not None else []
        except SpecError as error:
            found = list(error.mistakes)
        mistakes += [Mistake(("baselines", name), mistake.message) for mistake in found]
    return mistakes
