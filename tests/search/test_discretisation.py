"""The trap of the mixture: options that cancel each other look best together, and are bad alone.

The target is 0; the options' outputs are +1, -1 and 0.1. The best alone is the third.
"""

import pytest
import torch

from tsunagu.search import Asng, Darts, Enas, Evolution, Gdas, Grid, Spos, first_order, select_by_perturbation

OUTPUTS = torch.tensor([1.0, -1.0, 0.1], dtype=torch.float64)


@pytest.fixture
def space(grid_of):
    return grid_of(3)


def mixture_loss(weights):
    return (weights["c0"] @ OUTPUTS) ** 2


def alone(architecture):
    return (OUTPUTS[int(architecture["c0"])] ** 2).item()


def gradients(weights):
    return first_order(lambda _, w: mixture_loss(w), {}, weights)


def gradients_of_what_ran(weights):
    return {"c0": gradients(weights)["c0"] * weights["c0"]}


@pytest.fixture
def mixture():
    """Gradient descent on alpha from 0."""
    alpha = torch.zeros(3, dtype=torch.float64)
    for _ in range(4000):
        alpha = (
            alpha
            - first_order(lambda _, a: mixture_loss({"c0": a["c0"].softmax(0)}), {}, {"c0": alpha})["c0"]
        )
    return {"c0": alpha.softmax(0)}


def test_the_mixture_is_perfect_and_its_largest_weight_is_the_second(mixture):
    assert mixture_loss(mixture).item() < 1e-28
    torch.testing.assert_close(
        mixture["c0"], torch.tensor([0.318, 0.351, 0.332], dtype=torch.float64), atol=1e-3, rtol=0.0
    )
    assert alone({"c0": "1"}) == 1.0


def test_darts_falls_into_it(space, run):
    search = Darts(rate=0.01, decay=0.0, spread=0.0, steps=2000)
    state = run(search, space, gradients)
    assert mixture_loss(search.ask(state).weights).item() < 1e-8
    assert dict(search.best(state)) == {"c0": "1"}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("search", "answer"),
    [
        (Grid(), alone),
        (Spos(evolution=Evolution(population=3, iterations=2)), alone),
        (Asng(steps=100), alone),
        (Enas(steps=150, rate=0.02), alone),
        (Gdas(rate=0.01, steps=1500), gradients),
        (Gdas(rate=0.01, steps=1500), gradients_of_what_ran),
    ],
    ids=["Grid", "Spos", "Asng", "Enas", "Gdas", "Gdas that runs one option"],
)
def test_the_others_pick_the_best(space, run, search, answer, seed):
    assert dict(search.best(run(search, space, answer, seed))) == {"c0": "2"}


def test_so_does_what_is_best_alone(space, mixture):
    assert dict(select_by_perturbation(space, mixture, mixture_loss, by="alone")) == {"c0": "2"}


def test_removal_does_not_help_here(space, mixture):
    """Without retraining, what hurts most when removed is one of the two that cancel: DARTS-PT is no cure for this."""
    assert dict(select_by_perturbation(space, mixture, mixture_loss)) == {"c0": "1"}
