"""What a study consists of: variations x architectures x seeds, each one trial; and what its searches ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tsunagu.spec import (
    Study,
    architectures,
    canonical,
    digest,
    resolve,
    variations,
)
from tsunagu.studies.searching import Known, Role, nothing_known, search_steps
from tsunagu.tasks import stages
from tsunagu.train import stage_inputs
from tsunagu.trials import Trial

__all__ = ["Planned", "count_stages", "fold_label", "method_labels", "method_name", "plan", "seeds"]

FOLDS = ("data", "folds")


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One trial of a study.

    Args:
        method: the labels of its variation without those of folds, or ``chain`` where nothing else is varied.
        labels: label by axis.
        study: the study with that variation applied; its data section says which table.
        trial: what to run.
        role: ``trial`` for a line of ``results.csv``; ``search`` for the supernet of a search, and ``short`` for a
            candidate that a search trains for a part of the epochs.
        chosen: whether a search came to it; None without a search, where the validation events tell.
    """

    method: str
    labels: Mapping[str, str]
    study: Study
    trial: Trial
    role: Role = "trial"
    chosen: bool | None = None

    @property
    def fold(self) -> str:
        """The label of its folds, empty where folds are not varied; with the seed it says what is comparable."""
        return fold_label(self.labels)


def fold_label(labels: Mapping[str, str]) -> str:
    """The labels of the axes that vary folds: these repeat a method on other events and make no other method.

    >>> fold_label({"data.folds": "third", "train.intermediate": "chain"}), fold_label({"train.intermediate": "chain"})
    ('third', '')
    """
    return " ".join(label for path, label in labels.items() if _is_of_folds(path))


def method_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of the other axes, which make the method.

    >>> method_labels({"data.folds": "third", "train.intermediate": "chain"})
    {'train.intermediate': 'chain'}
    """
    return {path: label for path, label in labels.items() if not _is_of_folds(path)}


def method_name(labels: Mapping[str, str]) -> str:
    """What a variation is called in tables and figures.

    >>> method_name({"methods": "CE", "train.epochs": "long"}), method_name({})
    ('CE long', 'chain')
    """
    return " ".join(method_labels(labels).values()) or "chain"


def _is_of_folds(path: str) -> bool:
    return tuple(path.split(".")[:2]) == FOLDS


def seeds(study: Study) -> list[int]:
    """The seeds of a study: ``3`` means 1, 2, 3."""
    return list(range(1, study.seeds + 1)) if isinstance(study.seeds, int) else list(study.seeds)


def plan(study: Study, known: Known = nothing_known) -> Iterator[Planned]:
    """The trials of a study that are known to be needed, method by method.

    Without a search a choice that is left in the pipeline is taken in full: every architecture is a trial of its own, seeds
    innermost. With one, what is needed next depends on what came of the trials before: plan again when that is known,
    until nothing is new.

    Args:
        study: with variations and choices.
        known: what came of a trial; nothing is known by default.
    """
    for labels, varied in variations(study):
        method = method_name(labels)
        if varied.search is None:
            for trial in _every_trial(varied):
                yield Planned(method=method, labels=labels, study=varied, trial=trial)
            continue
        for seed in seeds(varied):
            for step in search_steps(varied, seed, known):
                yield Planned(method=method, labels=labels, study=varied, **vars(step))


def _every_trial(study: Study) -> Iterator[Trial]:
    for architecture in architectures(study.pipeline):
        pipeline = resolve(study.pipeline, architecture)
        for seed in seeds(study):
            yield Trial(pipeline=pipeline, folds=study.data.folds, seed=seed, architecture=architecture)


def count_stages(planned: Iterable[Planned]) -> tuple[int, int]:
    """How many stages trials have, and how many of them are trained: equal ones once.

    What is in a store already is not known here. Supernets share no stage, and are not counted.
    """
    count, different, named = 0, set[tuple[str, str, int]](), dict[str, list[str]]()
    for each in planned:
        if each.role != "search":
            pipeline, events = each.trial.pipeline, canonical(each.study.data)
            name = canonical(pipeline)
            if name not in named:
                named[name] = [
                    digest(stage_inputs(pipeline, number))
                    for number, stage in enumerate(stages(pipeline))
                    if stage.epochs
                ]
            different.update((events, stage, each.trial.seed) for stage in named[name])
            count += len(named[name])
    return count, len(different)
