"""The evolutionary search of single-path one-shot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import final

import numpy as np

from tsunagu.errors import ChoiceError
from tsunagu.search.registry import register_searcher
from tsunagu.search.scores import Scores, best_of, ranked
from tsunagu.search.searcher import Losses, Paths, Searcher, generator_of, require
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Constraint", "Evolution"]

Constraint = Callable[[Architecture], bool]
"""True for an architecture that may be judged, such as one with few enough parameters."""


@register_searcher
@final
@dataclass(frozen=True, kw_only=True)
class Evolution(Searcher[Scores, Paths, Losses]):
    """The evolutionary search of SPOS (Guo et al., arXiv:1904.00420), as in the authors' code.

    The first population is random. The next ones are mutations of the best that were ever seen, crossings of two of
    them, and random ones where too few new children were found. Nothing is judged twice. A space that has no more
    architectures than ``population * iterations`` is judged exhaustively instead. Where the constraint leaves nothing
    new, the question is empty, and so is the answer.

    Args:
        population: how many architectures are judged in one question.
        iterations: how many populations.
        top: of how many of the best the children are made.
        mutations: how many children are mutations of one parent.
        crossings: how many take each decision from one of two parents.
        probability: with which a mutation draws a decision again.
        tries: at most so many times as many children are made as are wanted.
        legal: what may be judged at all; all others are never asked. Cannot be said in a study file.

    >>> from tsunagu.spec import choice
    >>> space = Space({"lr": choice(0.1, 0.01), "depth": choice(2, 3)})
    >>> search = Evolution(legal=lambda architecture: architecture["depth"] == "2")
    >>> len(search.ask(search.init(space, seed=1)).architectures)
    2
    """

    population: int = 50
    iterations: int = 20
    top: int = 10
    mutations: int = 25
    crossings: int = 25
    probability: float = 0.1
    tries: int = 10
    legal: Constraint | None = None

    def __post_init__(self) -> None:
        for name in ("population", "iterations", "top", "tries"):
            require(getattr(self, name) >= 1, f"{name} must be 1 or more, found {getattr(self, name)}")
        for name in ("mutations", "crossings"):
            require(getattr(self, name) >= 0, f"{name} must be 0 or more, found {getattr(self, name)}")
        require(0.0 <= self.probability <= 1.0, f"probability must be from 0 to 1, found {self.probability}")

    def init(self, space: Space, seed: int) -> Scores:
        return Scores(space=space, seed=seed)

    def ask(self, state: Scores) -> Paths:
        if self.done(state):
            return Paths(())
        if self._exhaustive(state.space):
            return Paths(self._next_of_all(state))
        children = self._children(state, generator_of(state, "evolution"))
        if not children and not state.scored:
            msg = f"not one of {100 * self.tries * self.population} random architectures is legal; loosen the constraint"
            raise ChoiceError(msg)
        return Paths(children)

    def tell(self, state: Scores, asked: Paths, answer: Losses) -> Scores:
        return state.told(asked, answer)

    def best(self, state: Scores) -> Architecture:
        return best_of(state.scored)

    def done(self, state: Scores) -> bool:
        if self._exhaustive(state.space):
            return not self._next_of_all(state)
        return state.step >= self.iterations

    def _exhaustive(self, space: Space) -> bool:
        return space.count <= self.population * self.iterations

    def _next_of_all(self, state: Scores) -> tuple[Architecture, ...]:
        everything = (a for a in state.space.all() if self._is_legal(a))
        start = state.step * self.population
        return tuple(islice(everything, start, start + self.population))

    def _is_legal(self, architecture: Architecture) -> bool:
        return self.legal is None or self.legal(architecture)

    def _children(self, state: Scores, generator: np.random.Generator) -> tuple[Architecture, ...]:
        space, parents = state.space, ranked(state.scored)[: self.top]
        seen, new = set(state.seen()), list[Architecture]()

        def parent() -> Architecture:
            return parents[int(generator.integers(len(parents)))]

        def breed(wanted: int, tries: int, make: Callable[[], Architecture]) -> None:
            wanted = min(wanted, self.population - len(new))
            for _ in range(tries * wanted):
                child = make() if wanted > 0 else None
                if child is not None and child not in seen and self._is_legal(child):
                    seen.add(child)
                    new.append(child)
                    wanted -= 1

        if parents:
            breed(self.mutations, self.tries, lambda: space.mutate(parent(), self.probability, generator))
            breed(self.crossings, self.tries, lambda: space.cross(parent(), parent(), generator))
        breed(self.population, 100 * self.tries, lambda: space.draw(generator))
        return tuple(new)
