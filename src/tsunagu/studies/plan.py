"""What a study consists of: variations x architectures x seeds, each one trial."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tsunagu.spec import (
    Study,
    architectures,
    canonical,
    digest,
    resolve,
    variations,
)
from tsunagu.tasks import stages
from tsunagu.train import stage_inputs
from tsunagu.trials import Trial

__all__ = ["Planned", "count_stages", "fold_label", "method_labels", "plan", "seeds"]

FOLDS = ("data", "folds")


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One trial of a study.

    Args:
        method: the labels of its variation without those of folds, or ``chain`` where nothing else is varied.
        labels: label by axis.
        study: the study with that variation applied; its data section says which table.
        trial: what to run.
    """

    method: str
    labels: Mapping[str, str]
    study: Study
    trial: Trial

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


def _is_of_folds(path: str) -> bool:
    return tuple(path.split(".")[:2]) == FOLDS


def seeds(study: Study) -> list[int]:
    """The seeds of a study: ``3`` means 1, 2, 3."""
    return list(range(1, study.seeds + 1)) if isinstance(study.seeds, int) else list(study.seeds)


def plan(study: Study) -> Iterator[Planned]:
    """All trials of a study, method by method, seeds innermost.

    A choice that is left in the pipeline is taken in full: every architecture is a trial of its own.
    """
    for labels, varied in variations(study):
        method = " ".join(method_labels(labels).values()) or "chain"
        for architecture in architectures(varied.pipeline):
            pipeline = resolve(varied.pipeline, architecture)
            for seed in seeds(varied):
                trial = Trial(
                    pipeline=pipeline, folds=varied.data.folds, seed=seed, architecture=architecture
                )
                yield Planned(method=method, labels=labels, study=varied, trial=trial)


def count_stages(study: Study) -> tuple[int, int]:
    """How many stages all trials have, and how many of them are trained: equal ones once.

    What is in a store already is not known here.
    """
    count, different = 0, set[tuple[str, str, int]]()
    for _, varied in variations(study):
        events = canonical(varied.data)
        for architecture in architectures(varied.pipeline):
            pipeline = resolve(varied.pipeline, architecture)
            for number, stage in enumerate(stages(pipeline)):
                if stage.epochs:
                    name = digest(stage_inputs(pipeline, number))
                    different.update((events, name, seed) for seed in seeds(varied))
                    count += len(seeds(varied))
    return count, len(different)
