"""How the models of trials would be run together, told before anything is trained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tsunagu.data import Table
from tsunagu.spec import canonical
from tsunagu.train import Training, probe
from tsunagu.trials.result import Trial

__all__ = ["backends"]


def backends(trials: Sequence[Trial], table: Table) -> dict[str, list[tuple[Any, str]]]:
    """How each model of a population would be run.

    Two members of each model are enough to tell, so no more are built.

    Args:
        trials: that can go in step, see :func:`populations`.
        table: the events.

    Returns:
        By task, each model as it is declared, with ``alone``, ``loop``, ``batched`` or ``vmap``.

    Raises:
        TsunaguError: a model fails on a batch.
    """
    few = _few(trials)
    split = table.split(few[0].folds)
    found = probe([Training(trial.pipeline, table, split, seed=trial.seed) for trial in few])
    return {task: _each_model(few, task, ways) for task, ways in found.items()}


def _each_model(few: Sequence[Trial], task: str, ways: Sequence[str]) -> list[tuple[Any, str]]:
    models = [trial.pipeline.tasks[task].model for trial in few]
    return list({canonical(pair[0]): pair for pair in zip(models, ways, strict=True)}.values())


def _few(trials: Sequence[Trial]) -> list[Trial]:
    few, seen = [], Counter[str]()
    for trial in trials:
        models = [f"{name} {canonical(task.model)}" for name, task in trial.pipeline.tasks.items()]
        if any(seen[model] < 2 for model in models):
            few.append(trial)
            seen.update(models)
    return few
