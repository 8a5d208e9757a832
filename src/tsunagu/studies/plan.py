"""What a study consists of: variations x architectures x seeds, each one trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files as files_of
from pathlib import Path

from tsunagu.data import Table, open_table
from tsunagu.errors import Mistake, SpecError
from tsunagu.metrics import parse_metric
from tsunagu.spec import Study, architectures, resolve, variations
from tsunagu.tasks import check_data, check_pipeline
from tsunagu.train import check_optimizer, check_schedule
from tsunagu.trials import Trial, metric_names

__all__ = ["Planned", "check_study", "needed_columns", "open_study_table", "plan", "seeds"]


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


def needed_columns(study: Study) -> list[str]:
    """The columns that a study reads, in the order in which it names them."""
    outputs = {task.output for task in study.tasks.values()}
    names: list[str] = []
    for task in study.tasks.values():
        names += task.inputs.values() if isinstance(task.inputs, Mapping) else task.inputs
        names += [loss.target for loss in task.losses]
    calls = [
        *metric_names(study.pipeline).values(),
        *(parse_metric(text) for text in study.baselines.values()),
    ]
    names += [name for call in calls for name in call.arguments]
    return [name for name in dict.fromkeys(names) if name not in outputs]


def open_study_table(study: Study, base: Path) -> Table:
    """Open the files of a study; relative names are relative to ``base``, the study file's folder.

    Raises:
        DataError: all that is wrong with files and columns.
    """
    data = study.data
    files = [data.files] if isinstance(data.files, str) else list(data.files)
    return open_table(
        [_locate(name, base) for name in files],
        columns=data.columns,
        weight=data.weight,
        train_weight=data.train_weight,
        event_number=data.event_number,
        folds=data.folds,
        needed=needed_columns(study),
    )


def _locate(name: str, base: Path) -> str:
    ready, colon, sample = name.partition(":")
    if colon and ready == "ready":
        return str(files_of("tsunagu").joinpath("samples", "ready", f"{sample}.parquet"))
    return str(base / name)


def check_study(study: Study, base: Path) -> Table:
    """Everything that can be found wrong before training, all mistakes at once; returns the opened table.

    Raises:
        SpecError: mistakes of the specification, with their paths.
        DataError: mistakes of the data.
    """
    mistakes: list[Mistake] = []
    for _, varied in variations(study):
        mistakes += check_pipeline(varied.pipeline)
        mistakes += check_optimizer(varied.train.optimizer, ("train", "optimizer"))
        mistakes += check_schedule(varied.train.schedule, ("train", "schedule"))
    mistakes += _check_baselines(study)
    if mistakes:
        raise SpecError(list(dict.fromkeys(mistakes)))
    table = open_study_table(study, base)
    for _, varied in variations(study):
        for architecture in architectures(varied.pipeline):
            check_data(resolve(varied.pipeline, architecture), table)
    return table


def _check_baselines(study: Study) -> list[Mistake]:
    mistakes: list[Mistake] = []
    for name, text in study.baselines.items():
        try:
            parse_metric(text)
        except SpecError as error:
            mistakes += [Mistake(("baselines", name), mistake.message) for mistake in error.mistakes]
    return mistakes
