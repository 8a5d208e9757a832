"""Random architectures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from tsunagu.search.registry import register_searcher
from tsunagu.search.scores import Scores, best_of
from tsunagu.search.searcher import Losses, Paths, Searcher, generator_of, require
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Random"]


@register_searcher
@final
@dataclass(frozen=True, kw_only=True)
class Random(Searcher[Scores, Paths, Losses]):
    """Random search without replacement (Bergstra & Bengio, JMLR 13 (2012) 281): a uniform option at each open choice.

    All architectures are asked at once, since none depends on an answer. The first ones of a longer search are those
    of a shorter one.

    Args:
        evaluations: how many architectures; the whole space where it has no more.

    >>> from tsunagu.spec import choice
    >>> search = Random(evaluations=2)
    >>> state = search.init(Space({"lr": choice(0.1, 0.01, 0.001)}), seed=1)
    >>> len(set(search.ask(state).architectures))
    2
    """

    evaluations: int = 30

    def __post_init__(self) -> None:
        require(self.evaluations >= 1, f"evaluations must be 1 or more, found {self.evaluations}")

    def init(self, space: Space, seed: int) -> Scores:
        return Scores(space=space, seed=seed)

    def ask(self, state: Scores) -> Paths:
        if self.done(state):
            return Paths(())
        return Paths(state.space.draw_new(self.evaluations, generator_of(state, "random search"), ()))

    def tell(self, state: Scores, asked: Paths, answer: Losses) -> Scores:
        return state.told(asked, answer)

    def best(self, state: Scores) -> Architecture:
        return best_of(state.scored)

    def done(self, state: Scores) -> bool:
        return state.step > 0
