"""What a study consists of: variations x architectures x seeds, each one trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tsunagu.errors import Mistake, SpecError
from tsunagu.metrics import parse_metric
from tsunagu.spec import (
    Study,
    architectures,
    blame,
    check_columns,
    check_leaks,
    options,
    resolve,
    variations,
)
from tsunagu.studies.opening import Tables, stored_columns
from tsunagu.tasks import check_data, check_pipeline
from tsunagu.train import check_optimizer, check_schedule
from tsunagu.trials import Trial

__all__ = ["Planned", "check_spec", "check_study", "plan", "seeds"]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One trial of a study.

    Args:
        method: the labels of its variation, or ``chain`` where nothing is varied.
        labels: label by axis.
        study: the study with that variation applied; its data section says which table.
        trial: what to run.
    """

    method: str
    labels: Mapping[str, str]
    study: Study
    trial: Trial


def seeds(study: Study) -> list[int]:
    """The seeds of a study: ``3`` means 1, 2, 3."""
    return list(range(1, study.seeds + 1)) if isinstance(study.seeds, int) else list(study.seeds)


def plan(study: Study) -> Iterator[Planned]:
    """All trials of a study, method by method, seeds innermost.

    A choice that is left in the pipeline is taken in full: every architecture is a trial of its own.
    """
    for labels, varied in variations(study):
        method = " ".join(labels.values()) or "chain"
        for architecture in architectures(varied.pipeline):
            pipeline = resolve(varied.pipeline, architecture)
            for seed in seeds(varied):
                trial = Trial(
                    pipeline=pipeline, folds=varied.data.folds, seed=seed, architecture=architecture
                )
                yield Planned(method=method, labels=labels, study=varied, trial=trial)


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
        mistakes += blame([*unopened, *_check_varied(each, stored)], labels)
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
            check_data(each.pipeline, tables.of(each.data))
        except SpecError as error:
            mistakes += blame(error.mistakes, labels)
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
