"""Successive halving: many short trainings, then fewer longer ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from tsunagu.errors import ChoiceError
from tsunagu.search.registry import register_searcher
from tsunagu.search.scores import Scored, best_of, judged, ranked
from tsunagu.search.searcher import Losses, Paths, Searcher, generator_of, require
from tsunagu.search.space import Space
from tsunagu.spec import Architecture

__all__ = ["Halving", "Rung"]


@final
@dataclass(frozen=True, kw_only=True)
class Rung:
    """The state of successive halving.

    Args:
        space: what is searched.
        seed: of all draws.
        step: the rung that is asked next.
        alive: the architectures that are asked next.
        scored: those of the last rung that was judged, with their losses at its budget.
    """

    space: Space
    seed: int
    step: int = 0
    alive: tuple[Architecture, ...]
    scored: tuple[Scored, ...] = ()


@register_searcher
@final
@dataclass(frozen=True, kw_only=True)
class Halving(Searcher[Rung, Paths, Losses]):
    """Train all for a short time, keep the best ``1 / factor`` of them for ``factor`` times as long, and so on.

    Successive halving (Jamieson & Talwalkar, arXiv:1502.07943) over whole pipelines. With few architectures it is the
    default of choice: every rung is a set of independent trainings, and the last one is a full training.

    Args:
        candidates: how many architectures start; None for all of the space.
        factor: of which one is kept, 2 or more.
        rungs: how many; the budget of rung r of n is ``factor ** (r - n)`` of a full training, r = 1 .. n.
        limit: refuse to start more architectures than this.

    >>> from tsunagu.spec import choice
    >>> search = Halving(rungs=2)
    >>> state = search.init(Space({"lr": choice(0.1, 0.01, 0.001)}), seed=1)
    >>> first = search.ask(state)
    >>> state = search.tell(state, first, [0.7, 0.6, 0.8])
    >>> round(first.budget, 3), search.ask(state)
    (0.333, Paths(architectures=(Architecture({'lr': '0.01'}),), budget=1.0))
    """

    candidates: int | None = None
    factor: int = 3
    rungs: int = 3
    limit: int = 10_000

    def __post_init__(self) -> None:
        require(self.factor >= 2, f"factor must be 2 or more, found {self.factor}")
        require(self.rungs >= 1, f"rungs must be 1 or more, found {self.rungs}")
        require((self.candidates or 1) >= 1, f"candidates must be 1 or more, found {self.candidates}")

    def init(self, space: Space, seed: int) -> Rung:
        number = min(self.candidates or space.count, space.count)
        if number > self.limit:
            msg = f"{number} architectures would start, and the limit is {self.limit}; give candidates, or raise it"
            raise ChoiceError(msg)
        start = Rung(space=space, seed=seed, alive=())
        everything = number == space.count
        drawn = space.all() if everything else space.draw_new(number, generator_of(start, "halving"), ())
        return Rung(space=space, seed=seed, alive=tuple(drawn))

    def ask(self, state: Rung) -> Paths:
        budget = float(self.factor) ** min(state.step + 1 - self.rungs, 0)
        return Paths(() if self.done(state) else state.alive, budget)

    def tell(self, state: Rung, asked: Paths, answer: Losses) -> Rung:
        scored = judged(asked.architectures, answer)
        kept = math.ceil(len(scored) / self.factor)
        return Rung(
            space=state.space,
            seed=state.seed,
            step=state.step + 1,
            alive=tuple(ranked(scored)[:kept]),
            scored=scored,
        )

    def best(self, state: Rung) -> Architecture:
        return best_of(state.scored)

    def done(self, state: Rung) -> bool:
        return state.step >= self.rungs
