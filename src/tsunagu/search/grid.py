"""All architectures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from tsunagu.errors import ChoiceError
from tsunagu.search.registry import register_searcher
from tsunagu.search.scores import Scores, best_of
from tsunagu.search.searcher import Losses, Paths, Searcher, require
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Grid"]


@register_searcher
@final
@dataclass(frozen=True, kw_only=True)
class Grid(Searcher[Scores, Paths, Losses]):
    """Judge every architecture, all in one question: the reference that every other searcher is measured by.

    Args:
        limit: refuse a space of more architectures than this.

    >>> from tsunagu.spec import choice
    >>> grid = Grid()
    >>> state = grid.init(Space({"lr": choice(0.1, 0.01)}), seed=1)
    >>> state = grid.tell(state, grid.ask(state), [0.7, 0.6])
    >>> grid.best(state), grid.done(state)
    (Architecture({'lr': '0.01'}), True)
    """

    limit: int = 10_000

    def __post_init__(self) -> None:
        require(self.limit >= 1, f"limit must be 1 or more, found {self.limit}")

    def init(self, space: Space, seed: int) -> Scores:
        if space.count > self.limit:
            msg = f"{space.count} architectures, and Grid's limit is {self.limit}; raise it, or search with Evolution"
            raise ChoiceError(msg)
        return Scores(space=space, seed=seed)

    def ask(self, state: Scores) -> Paths:
        return Paths(() if self.done(state) else tuple(state.space.all()))

    def tell(self, state: Scores, asked: Paths, answer: Losses) -> Scores:
        return state.told(asked, answer)

    def best(self, state: Scores) -> Architecture:
        return best_of(state.scored)

    def done(self, state: Scores) -> bool:
        return state.step > 0
