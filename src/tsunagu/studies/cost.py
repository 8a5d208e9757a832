"""What a search will cost, told before it: an estimate in units of one training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from tsunagu.data import Table
from tsunagu.oneshot import MOST_JUDGED
from tsunagu.search import Darts, Gdas, Searcher, Space, Spos, make_searcher
from tsunagu.spec import Pipeline, Search, Study, architectures, choices, resolve
from tsunagu.studies.searching import shares_weights, supernet
from tsunagu.tasks import stages

__all__ = ["Estimate", "estimate"]

FORWARD = 1 / 3
"""Of the cost of a training step; the backward pass takes about twice as long as the forward pass."""


@final
@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What one search takes.

    Args:
        steps: optimiser steps of the supernet, or trainings of candidates.
        unit: which of the two.
        trainings: the cost in units of one full training without early stopping, the last training included.
    """

    steps: int
    unit: str
    trainings: float


def estimate(study: Study, table: Table) -> Estimate:
    """What the search of a study takes for each seed.

    A training step is counted as 1 and a forward pass as 1/3; a task alone as its share of all tasks; candidates as if all
    cost the same. ``tsunagu plan`` shows beside it what each of them really costs.

    Args:
        study: checked, with a search and without variations.
        table: its events.
    """
    assert study.search is not None
    searcher = make_searcher(study.search.searcher)
    if not shares_weights(searcher):
        return _of_candidates(study, searcher)
    return _of_supernet(study, study.search, searcher, table)


def _of_candidates(study: Study, searcher: Searcher[Any, Any, Any]) -> Estimate:
    """A replay with equal answers."""
    state, steps, trainings = searcher.init(Space(study.pipeline), 1), 0, 0.0
    while not searcher.done(state):
        asked = searcher.ask(state)
        steps, trainings = (
            steps + len(asked.architectures),
            trainings + asked.budget * len(asked.architectures),
        )
        state = searcher.tell(state, asked, [0.0] * len(asked.architectures))
    return Estimate(steps=steps, unit="trainings", trainings=trainings)


def _of_supernet(study: Study, search: Search, searcher: Searcher[Any, Any, Any], table: Table) -> Estimate:
    split, size = table.split(study.data.folds), int(study.train.batch_size)
    each = math.ceil(len(split.train) / size)
    space, net = Space({"tasks": study.tasks}), supernet(study, search)
    one = resolve(study.pipeline, next(architectures(study.pipeline)))
    *before, last = [stage.epochs * each for stage in stages(net)]
    widest = {name: _widest(task.model) for name, task in study.tasks.items()}
    alone = sum(stage.epochs * each * widest[stage.tasks[0]] / len(one.tasks) for stage in stages(net)[:-1])
    judged = min(space.count, _judged(searcher)) * len(split.validation) / size * FORWARD
    spent = alone + last * _step(searcher, space) + judged
    return Estimate(
        steps=sum(before) + last, unit="steps", trainings=spent / max(_training(one, each), 1.0) + 1.0
    )


def _training(pipeline: Pipeline, each: int) -> float:
    return sum(stage.epochs * each * len(stage.tasks) / len(pipeline.tasks) for stage in stages(pipeline))


def _widest(model: Any) -> int:
    return max((len(each.options) for each in choices(model).values()), default=1)


def _judged(searcher: Any) -> int:
    if isinstance(searcher, Spos):
        return max(MOST_JUDGED, searcher.evolution.population * searcher.evolution.iterations)
    return MOST_JUDGED


def _step(searcher: Any, space: Space) -> float:
    """A step of the last stage, questions included."""
    if isinstance(searcher, Darts):
        options: Mapping[str, Any] = space.options
        mean = sum(map(len, options.values())) / len(options)
        return mean * (4.0 if searcher.order == 2 else 2.0)
    if isinstance(searcher, Gdas):
        return 2.0
    state = searcher.init(space, 1)
    trained = len(searcher.ask_training(state, 0))
    return trained + (0.0 if isinstance(searcher, Spos) else FORWARD * len(searcher.ask(state).architectures))
