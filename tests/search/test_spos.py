"""Single-path one-shot: which paths are trained, and the search after it."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from tsunagu.search import Evolution, Space, Spos, fair_paths
from tsunagu.spec import choice


def _counts(space, paths):
    return {
        label: Counter(path[label] for path in paths if label in path) | Counter(dict.fromkeys(options, 0))
        for label, options in space.options.items()
    }


def test_single_paths_are_uniform_over_architectures(grid_of):
    space = grid_of(3, 3)
    state = Spos().init(space, 7)
    drawn = Counter(path for step in range(4500) for path in Spos().ask_training(state, step))
    assert chisquare([drawn[a] for a in space.all()]).pvalue > 1e-3


def test_strict_fairness_is_exact_after_every_step(grid_of):
    space, paths = grid_of(3, 3, 3), []
    search = Spos(fair=True)
    state = search.init(space, 7)
    for step in range(20):
        paths += search.ask_training(state, step)
        assert all(set(c.values()) == {step + 1} for c in _counts(space, paths).values())
    orders = {tuple(path["c0"] for path in paths[3 * step : 3 * step + 3]) for step in range(20)}
    assert len(orders) > 3
    assert len({(path["c0"], path["c1"]) for path in paths}) == 9


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 30), st.integers(0, 1000))
@settings(deadline=None, max_examples=40)
def test_no_option_is_ever_ahead_by_more_than_one(sizes, steps, seed):
    space = Space([choice(*range(size)) for size in sizes])
    paths = [path for step in range(steps) for path in fair_paths(space, seed, step)]
    for counts in _counts(space, paths).values():
        assert max(counts.values()) - min(counts.values()) <= 1


def test_a_choice_inside_an_option_is_fair_too():
    space = Space(choice(cnn=choice(3, 5, 7, name="kernel"), mlp=0))
    paths = [path for step in range(60) for path in fair_paths(space, 1, step)]
    counts = _counts(space, paths)
    assert counts["choice"] == {"cnn": 90, "mlp": 90}
    assert counts["kernel"] == {"3": 30, "5": 30, "7": 30}


@pytest.mark.parametrize("fair", [False, True])
def test_the_trained_supernet_is_searched_by_evolution(grid_of, run, fair):
    evolution = Evolution(population=4, iterations=3)
    state = run(Spos(fair=fair, evolution=evolution), grid_of(3, 3), lambda a: int(a["c0"]) + int(a["c1"]))
    assert state == run(evolution, grid_of(3, 3), lambda a: int(a["c0"]) + int(a["c1"]))
    assert set(Spos(evolution=evolution).best(state).values()) == {"0"}
