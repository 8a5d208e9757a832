"""Every searcher fulfils the contract, on flat and on nested spaces."""

import importlib.util

import pytest

from tsunagu.search import Space, Spos, known_searchers, make_searcher
from tsunagu.spec import choice, node
from tsunagu.testing import check_searcher_contract

SMALL = {
    "Evolution": {"population": 4, "iterations": 3, "top": 2, "mutations": 2, "crossings": 1},
    "Enas": {"hidden": 4},
    "Random": {"evaluations": 5},
    "Halving": {"candidates": 9},
}
SPACES = {
    "one choice of two": Space({"a": choice(1, 2)}),
    "an option alone": Space({"a": choice(1), "b": choice(1, 2)}),
    "nested and tied": Space(
        {
            "model": choice(
                cnn=[choice(3, 5, 7, name="k"), choice(8, 16, name="w")], mlp=choice(8, 16, name="w"), no=0
            ),
            "lr": choice(0.1, 0.01, 0.001),
        }
    ),
}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
@pytest.mark.parametrize("key", [*known_searchers(), "fair"])
def test_it_holds(key, space):
    if key == "Optuna" and importlib.util.find_spec("optuna") is None:
        pytest.skip("needs optuna: pip install 'tsunagu[optuna]'")
    searcher = Spos(fair=True) if key == "fair" else make_searcher(node(key, **SMALL.get(key, {})))
    for seed in (1, 2):
        check_searcher_contract(searcher, space, seed=seed)
