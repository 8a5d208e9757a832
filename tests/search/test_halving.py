"""Successive halving."""

import pytest

from tsunagu.errors import ChoiceError
from tsunagu.search import Halving


def loss(architecture):
    return 3 * int(architecture["c0"]) + int(architecture["c1"])


def test_rungs_shrink_and_budgets_grow(grid_of):
    search = Halving()
    state, rungs = search.init(grid_of(3, 3), 1), []
    while not search.done(state):
        asked = search.ask(state)
        rungs.append((len(asked.architectures), asked.budget))
        state = search.tell(state, asked, [loss(a) for a in asked.architectures])
    assert rungs == [(9, pytest.approx(1 / 9)), (3, pytest.approx(1 / 3)), (1, 1.0)]
    assert dict(search.best(state)) == {"c0": "0", "c1": "0"}
    assert search.ask(state).architectures == ()


def test_only_the_best_go_on(grid_of):
    search = Halving(factor=2, rungs=4)
    state = search.init(grid_of(3, 3), 1)
    while not search.done(state):
        asked = search.ask(state)
        kept = sorted(loss(a) for a in asked.architectures)
        assert kept == list(range(len(kept)))
        state = search.tell(state, asked, [loss(a) for a in asked.architectures])
    assert len(state.scored) == 2


def test_candidates_are_drawn_without_replacement(grid_of):
    alive = Halving(candidates=6).init(grid_of(3, 3), 1).alive
    assert len(set(alive)) == 6
    assert alive != Halving(candidates=6).init(grid_of(3, 3), 2).alive


def test_too_many_are_refused(grid_of):
    with pytest.raises(ChoiceError, match="give candidates"):
        Halving(limit=8).init(grid_of(3, 3), 1)
