"""What a search needs trained, as far as it is known: a replay of its questions with the results that there are.

Searchers are pure functions of their state, so a replay is exact and costs nothing beside a training; and a search that
was interrupted needs no state of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, final

from tsunagu.random import derive_seed
from tsunagu.search import Darts, Gdas, Searcher, Space, TrainsPaths, make_searcher
from tsunagu.spec import Architecture, Pipeline, Search, Study, resolve
from tsunagu.trials import Result, Trial, metric_names

__all__ = ["Known", "Role", "Step", "mixes", "nothing_known", "search_steps", "shares_weights", "supernet"]

Role = Literal["trial", "search", "short"]
"""A full training, the training of a supernet, or one with a part of the epochs."""
Known = Callable[[Study, Trial], Result | Exception | None]
"""What came of a trial of a (varied) study; None where that is not known yet."""


@final
@dataclass(frozen=True, kw_only=True)
class Step:
    """A trial of a search.

    Args:
        trial: what to run.
        role: what it is for.
        chosen: whether it is the trial that the search comes to.
    """

    trial: Trial
    role: Role = "trial"
    chosen: bool = False


def nothing_known(_study: Study, _trial: Trial) -> None:
    """What is known before anything has run."""


def shares_weights(searcher: Searcher[Any, Any, Any]) -> bool:
    """Whether it trains one supernet, and not each candidate by itself."""
    return isinstance(searcher, TrainsPaths) or mixes(searcher)


def mixes(searcher: Searcher[Any, Any, Any]) -> bool:
    """Whether it adds the options of a supernet up, so that their shapes must be equal."""
    return isinstance(searcher, Darts | Gdas)


def search_steps(study: Study, seed: int, known: Known = nothing_known) -> list[Step]:
    """The trials that the search of a study needs at one seed, as far as that can be told.

    Args:
        study: with a search and without variations.
        seed: of the search and of all trainings in it.
        known: what came of the trials so far; a trial that failed counts as the worst.

    Raises:
        SpecError, ChoiceError: there is no such searcher, or it cannot search this space.
    """
    assert study.search is not None
    searcher = make_searcher(study.search.searcher)
    if shares_weights(searcher):
        return _one_shot(study, study.search, seed, known)
    return _candidates(study, searcher, seed, known)


def supernet(study: Study, search: Search) -> Pipeline:
    """The pipeline that a supernet is trained as: with its choices, and the epochs of the search."""
    train = study.train
    before = [search.pretrain_epochs, train.pretrain_epochs, train.epochs]
    epochs = {
        "epochs": train.epochs if search.epochs is None else search.epochs,
        "pretrain_epochs": next(number for number in before if number is not None),
    }
    return study.pipeline.model_copy(update={"train": train.model_copy(update=epochs)})


def _one_shot(study: Study, search: Search, seed: int, known: Known) -> list[Step]:
    """A supernet; and when it has chosen, the training of what it chose, which is an ordinary trial."""
    folds = study.data.folds
    shared = Trial(
        pipeline=supernet(study, search), folds=folds, seed=seed, search=search.searcher, at=search.at
    )
    steps = [Step(trial=shared, role="search")]
    found = known(study, shared)
    if isinstance(found, Result):
        again = _full(study, Architecture(found.architecture), seed)
        if search.start == "inherit":
            again = replace(again, pipeline=_without_pretraining(again.pipeline), begin=found.digest)
        steps.append(Step(trial=again, chosen=True))
    return steps


def _candidates(study: Study, searcher: Searcher[Any, Any, Any], seed: int, known: Known) -> list[Step]:
    """Every candidate that the searcher has asked for so far."""
    steps: dict[tuple[Architecture, float], Step] = {}
    state = searcher.init(Space(study.pipeline), derive_seed(seed, "search"))
    while not searcher.done(state):
        asked = searcher.ask(state)
        own = [(each, asked.budget) for each in asked.architectures]
        steps |= {key: _step(study, *key, seed) for key in own if key not in steps}
        costs = [_cost(study, known(study, steps[key].trial)) for key in own]
        answers = [cost for cost in costs if cost is not None]
        if len(answers) < len(own):
            return list(steps.values())
        state = searcher.tell(state, asked, answers)
    best = searcher.best(state), 1.0
    steps[best] = replace(steps.get(best) or _step(study, *best, seed), chosen=True)
    return list(steps.values())


def _step(study: Study, architecture: Architecture, budget: float, seed: int) -> Step:
    """A candidate with a share of its epochs; pretrainings stay whole, for what is equal is trained once."""
    full = _full(study, architecture, seed)
    if budget >= 1.0:
        return Step(trial=full)
    train = full.pipeline.train
    short = train.model_copy(
        update={
            "epochs": math.ceil(budget * train.epochs),
            "pretrain_epochs": train.epochs if train.pretrain_epochs is None else train.pretrain_epochs,
        }
    )
    return Step(trial=replace(full, pipeline=full.pipeline.model_copy(update={"train": short})), role="short")


def _full(study: Study, architecture: Architecture, seed: int) -> Trial:
    pipeline = resolve(study.pipeline, architecture)
    return Trial(pipeline=pipeline, folds=study.data.folds, seed=seed, architecture=architecture)


def _without_pretraining(pipeline: Pipeline) -> Pipeline:
    train = pipeline.train.model_copy(update={"pretrain": False})
    return pipeline.model_copy(update={"train": train})


def _cost(study: Study, found: Result | Exception | None) -> float | None:
    """What the searcher is told of a candidate, the smaller the better; None before it has ended."""
    if found is None:
        return None
    short, call = next(iter(metric_names(study.pipeline).items()))
    return call.cost(found.metrics[f"validation_{short}"]) if isinstance(found, Result) else math.nan
