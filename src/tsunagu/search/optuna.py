"""Optuna's samplers as a searcher; needs ``pip install 'tsunagu[optuna]'``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, final

from tsunagu.errors import ChoiceError, did_you_mean
from tsunagu.random import derive_seed
from tsunagu.search.registry import register_searcher
from tsunagu.search.scores import Scores, best_of
from tsunagu.search.searcher import Losses, Paths, Searcher, require
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Optuna"]


@register_searcher
@final
@dataclass(frozen=True, kw_only=True)
class Optuna(Searcher[Scores, Paths, Losses]):
    """A sampler of Optuna (Akiba et al., arXiv:1907.10902) over whole pipelines, by default its Parzen estimator.

    The state is the list of what was judged. Each question tells it to a new study, whose sampler is seeded by (seed,
    step); so a stored search goes on exactly, and no database is needed.

    Args:
        evaluations: how many architectures in all; Optuna may ask for one again.
        batch: how many in one question.
        sampler: a class of ``optuna.samplers`` that takes a ``seed``.
    """

    evaluations: int = 30
    batch: int = 1
    sampler: str = "TPESampler"

    def __post_init__(self) -> None:
        require(self.evaluations >= 1, f"evaluations must be 1 or more, found {self.evaluations}")
        require(self.batch >= 1, f"batch must be 1 or more, found {self.batch}")

    def init(self, space: Space, seed: int) -> Scores:
        samplers = _optuna().samplers
        if not hasattr(samplers, self.sampler):
            known = [name for name in dir(samplers) if name.endswith("Sampler")]
            msg = f"Optuna has no sampler '{self.sampler}'{did_you_mean(self.sampler, known)}"
            raise ChoiceError(msg)
        return Scores(space=space, seed=seed)

    def ask(self, state: Scores) -> Paths:
        number = min(self.batch, self.evaluations - len(state.scored))
        if number <= 0:
            return Paths(())
        study = self._study(state)
        return Paths(tuple(_suggested(study.ask(), state.space) for _ in range(number)))

    def tell(self, state: Scores, asked: Paths, answer: Losses) -> Scores:
        return state.told(asked, answer)

    def best(self, state: Scores) -> Architecture:
        return best_of(state.scored)

    def done(self, state: Scores) -> bool:
        return len(state.scored) >= self.evaluations

    def _study(self, state: Scores) -> Any:
        optuna = _optuna()
        seed = derive_seed(state.seed, "optuna", state.step) % 2**32
        with _quiet(optuna):
            study = optuna.create_study(sampler=getattr(optuna.samplers, self.sampler)(seed=seed))
        study.add_trials([_trial(optuna, state.space, *pair) for pair in state.scored])
        return study


def _suggested(trial: Any, space: Space) -> Architecture:
    return space.walk(lambda label, options: str(trial.suggest_categorical(label, options)))


def _trial(optuna: Any, space: Space, architecture: Architecture, loss: float) -> Any:
    """What was judged, as Optuna keeps it; an architecture that failed is a failed trial."""
    states = optuna.trial.TrialState
    finite = math.isfinite(loss)
    kinds = optuna.distributions.CategoricalDistribution
    return optuna.trial.create_trial(
        state=states.COMPLETE if finite else states.FAIL,
        value=loss if finite else None,
        params=dict(architecture),
        distributions={label: kinds(space.options[label]) for label in architecture},
    )


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """A new study is no news."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _optuna() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        msg = "the searcher Optuna needs the package optuna: pip install 'tsunagu[optuna]'"
        raise ModuleNotFoundError(msg, name="optuna") from error
    return optuna
