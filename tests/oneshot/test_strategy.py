"""A searcher is used by what it can do, so one of a user's own needs no entry."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tsunagu.oneshot import strategy
from tsunagu.search import Asng, Darts, Enas, Gdas, Scores, Searcher, Spos
from tsunagu.search.searcher import Paths


@dataclass(frozen=True, kw_only=True)
class First(Searcher[Scores, Paths, list[float]]):
    """Trains and takes the first architecture."""

    def init(self, space, seed):
        return Scores(space=space, seed=seed)

    def ask_training(self, state, step):
        return [next(state.space.all())]

    def ask(self, state):
        return Paths((next(state.space.all()),))

    def tell(self, state, asked, answer):
        return state.told(asked, answer)

    def best(self, state):
        return state.scored[0][0]

    def done(self, state):
        return state.step > 0


@pytest.mark.parametrize(
    ("searcher", "learns", "sparse", "warmup"),
    [
        (Spos(), False, False, 0),
        (Asng(), True, False, 0),
        (Enas(), True, False, 0),
        (Darts(warmup=2), True, False, 2),
        (Gdas(warmup=1), True, True, 1),
        (First(), False, False, 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_searcher_does(searcher, learns, sparse, warmup):
    made = strategy(searcher, 7)
    assert (made.learns, made.sparse, made.warmup) == (learns, sparse, warmup)
    assert getattr(made.searcher, "steps", 7) == 7


def test_one_of_ones_own_is_trained_and_asked(chain_of, search_of):
    search = search_of(chain_of(), First())
    search.run()
    chosen = search.choose()
    assert dict(chosen.architecture) == {"first": "tanh", "second": "gelu"}
    assert chosen.value == chosen.values[chosen.architecture]
