"""What every sampler of whole pipelines does: the grid, random search and the list of what was judged."""

import math

import pytest

from tsunagu.errors import ChoiceError
from tsunagu.search import Grid, Random


def test_the_grid_asks_everything_once(nested, run):
    asked = Grid().ask(Grid().init(nested, 1)).architectures
    assert list(asked) == list(nested.all())
    state = run(Grid(), nested, len)
    assert len(Grid().best(state)) == min(len(a) for a in asked)
    assert Grid().ask(state).architectures == ()


def test_the_grid_refuses_what_is_too_large(grid_of):
    with pytest.raises(ChoiceError, match="27 architectures, and Grid's limit is 20"):
        Grid(limit=20).init(grid_of(3, 3, 3), 1)


def test_random_search_asks_nothing_twice_and_a_longer_one_begins_alike(nested):
    def asked(evaluations, seed=1):
        return Random(evaluations=evaluations).ask(Random().init(nested, seed)).architectures

    assert set(asked(100)) == set(nested.all())
    assert len(set(asked(12))) == 12
    assert asked(12)[:5] == asked(5)
    assert asked(12) != asked(12, seed=2)


def test_what_failed_is_never_the_best(grid_of, run):
    state = run(Grid(), grid_of(3), lambda a: {"0": math.nan, "1": 5.0, "2": math.inf}[a["c0"]])
    assert dict(Grid().best(state)) == {"c0": "1"}


def test_without_an_answer_there_is_no_best(grid_of):
    with pytest.raises(ValueError, match="nothing was judged yet"):
        Grid().best(Grid().init(grid_of(3), 1))


def test_an_answer_has_a_loss_for_each_architecture(grid_of):
    state = Grid().init(grid_of(3), 1)
    with pytest.raises(ValueError, match="3 architectures were asked, but 2 losses were told"):
        Grid().tell(state, Grid().ask(state), [1.0, 2.0])
