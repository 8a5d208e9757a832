"""States that are written and read."""

import json
import math

import pytest

from tsunagu.errors import ResumeError
from tsunagu.search import Asng, Darts, Enas, Grid, from_data, to_data


def test_a_state_is_json_and_tensors(grid_of):
    plain, tensors = to_data(Darts().init(grid_of(2, 3), 1))
    assert {name: list(value.shape) for name, value in tensors.items()} == {
        "alpha/c0": [2],
        "alpha/c1": [3],
        "moments/c0": [2, 2],
        "moments/c1": [2, 3],
    }
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_infinite_losses_survive(grid_of, run):
    space = grid_of(3)
    state = run(Grid(), space, lambda a: {"0": math.nan, "1": -math.inf, "2": 1.0}[a["c0"]])
    plain, tensors = to_data(state)
    assert from_data(Grid(), space, json.loads(json.dumps(plain, allow_nan=False)), tensors) == state
    assert [loss for _, loss in state.scored] == [math.inf, -math.inf, 1.0]


def test_a_baseline_that_is_not_there_yet_survives(grid_of):
    state = Enas(hidden=2).init(grid_of(3), 1)
    assert from_data(Enas(hidden=2), grid_of(3), *to_data(state)).baseline is None


def test_the_state_of_another_space_is_refused(grid_of):
    with pytest.raises(ResumeError, match=r"begun with other choices: .*\['0', '1'\]"):
        from_data(Asng(), grid_of(3), *to_data(Asng().init(grid_of(2), 1)))


def test_the_state_of_another_searcher_is_refused(grid_of):
    with pytest.raises(ResumeError, match=r"another searcher: it has .*scored.* AsngState has .*theta"):
        from_data(Asng(), grid_of(3), *to_data(Grid().init(grid_of(3), 1)))
