"""The evolutionary search."""

from itertools import pairwise

import numpy as np
import pytest

from tsunagu.errors import ChoiceError
from tsunagu.search import Evolution, Random

SMALL = Evolution(population=10, iterations=20, top=5, mutations=5, crossings=5)


def table_of(space, seed):
    """A loss for each architecture: additive, with interactions of neighbours and noise of its own."""
    draw = np.random.default_rng(seed)
    sizes = [len(options) for options in space.options.values()]
    single = [draw.normal(size=size) for size in sizes]
    double = [0.5 * draw.normal(size=pair) for pair in pairwise(sizes)]
    table = {}
    for architecture in space.all():
        digits = [int(option) for option in architecture.values()]
        pairs = zip(double, pairwise(digits), strict=True)
        table[architecture] = sum(a[d] for a, d in zip(single, digits, strict=True)) + sum(
            m[ij] for m, ij in pairs
        )
    return table


def test_it_finds_the_optimum_of_a_table_ahead_of_random_search(grid_of, run):
    space, found = grid_of(4, 4, 4, 4, 4, 4), {"evolution": 0, "random": 0}
    for seed in range(10):
        table = table_of(space, seed)
        for name, search in (("evolution", SMALL), ("random", Random(evaluations=200))):
            state = run(search, space, table.__getitem__, seed)
            assert len(state.scored) == 200
            found[name] += table[search.best(state)] == min(table.values())
    assert found["evolution"] >= 8
    assert found["random"] <= 3


def test_nothing_is_judged_twice_nor_against_the_constraint(grid_of, run):
    search = Evolution(
        population=10, iterations=8, top=5, mutations=5, crossings=5, legal=lambda a: a["c0"] != a["c1"]
    )
    state = run(search, grid_of(4, 4, 4, 4), lambda a: sum(map(int, a.values())))
    judged = state.seen()
    assert len(judged) == len(set(judged)) == 80
    assert all(a["c0"] != a["c1"] for a in judged)
    assert sum(map(int, search.best(state).values())) == 1


def test_children_are_made_of_the_best(grid_of):
    search = Evolution(population=10, iterations=50, top=1, mutations=10, crossings=0, probability=0.1)
    state = search.init(grid_of(*[4] * 10), 1)
    first = search.ask(state)
    state = search.tell(state, first, list(range(10)))
    changes = [
        sum(child[c] != first.architectures[0][c] for c in child) for child in search.ask(state).architectures
    ]
    assert min(changes) >= 1
    assert np.mean(changes) < 3
    # A random architecture differs in 7.5 of 10 places.
    others = [sum(a[c] != first.architectures[0][c] for c in a) for a in first.architectures[1:]]
    assert np.mean(others) > 6


def test_crossings_take_from_two_parents(grid_of):
    search = Evolution(population=4, iterations=500, top=2, mutations=0, crossings=4, tries=200)
    state = search.init(grid_of(*[4] * 10), 1)
    state = search.tell(state, search.ask(state), [0, 1, 2, 3])
    parents = state.seen()[:2]
    assert all(
        child[c] in {p[c] for p in parents} for child in search.ask(state).architectures for c in child
    )


@pytest.mark.parametrize("legal", [None, lambda a: a["lr"] == "1"])
def test_a_small_space_is_judged_exhaustively(nested, run, legal):
    state = run(Evolution(population=4, iterations=20, legal=legal), nested, len)
    assert state.seen() == [a for a in nested.all() if legal is None or legal(a)]


def test_a_constraint_that_leaves_nothing_is_refused(grid_of):
    search = Evolution(population=2, iterations=2, legal=lambda a: False)
    with pytest.raises(ChoiceError, match="not one of 2000 random architectures is legal"):
        search.ask(search.init(grid_of(3, 3), 1))


def test_a_constraint_that_leaves_too_little_ends_the_search_all_the_same(grid_of, run):
    search = Evolution(population=5, iterations=2, legal=lambda a: set(a.values()) == {"1"}, tries=1)
    state = run(search, grid_of(2, 2, 2, 2), len)
    assert [set(a.values()) for a in state.seen()] == [{"1"}]
    assert state.step == 2
