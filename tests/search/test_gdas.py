"""One sampled option forward, a soft mixture backward."""

from itertools import pairwise

import pytest
import torch

from tsunagu.search import Gdas
from tsunagu.search.gdas import gumbel, soft_weights

ALPHA = torch.tensor([0.5, -0.3, 1.1, 0.0], dtype=torch.float64)


def test_the_largest_is_a_sample_of_the_softmax():
    number = 100_000
    taken = soft_weights(ALPHA, gumbel(4 * number, 1).reshape(number, 4), 3.0).argmax(1)
    expected = ALPHA.softmax(0)
    z = (taken.bincount(minlength=4) - number * expected) / (number * expected * (1.0 - expected)).sqrt()
    assert z.abs().max() < 4.0


def test_the_noise_is_finite_and_has_the_mean_of_gumbel():
    noise = gumbel(100_000, 2)
    assert noise.isfinite().all()
    assert noise.mean().item() == pytest.approx(0.5772, abs=0.02)


def test_what_is_asked_is_exactly_one_hot(grid_of):
    search, state = Gdas(), Gdas().init(grid_of(3, 4), 1)
    for _ in range(30):
        asked = search.ask(state)
        for label, weights in asked.weights.items():
            assert sorted(weights.tolist()) == [0.0] * (len(state.space.options[label]) - 1) + [1.0]
        state = search.tell(state, asked, {"c0": torch.ones(3)})


def test_choices_are_sampled_independently(grid_of):
    search, state, equal = Gdas(), Gdas().init(grid_of(3, 3), 1), 0
    for _ in range(300):
        weights = search.ask(state).weights
        equal += weights["c0"].equal(weights["c1"])
        state = search.tell(state, search.ask(state), {})
    assert equal / 300 == pytest.approx(1 / 3, abs=0.1)


def test_the_gradient_is_that_of_the_soft_mixture_at_the_same_noise(grid_of, monkeypatch):
    search = Gdas()
    state = search.init(grid_of(4), 1)
    slope = torch.tensor([0.3, -1.0, 2.0, 0.7], dtype=torch.float64)
    told = {}
    monkeypatch.setattr(
        "tsunagu.search.gdas.descended", lambda _state, gradients, _adam: told.update(gradients)
    )
    noise = torch.randn(4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    monkeypatch.setattr("tsunagu.search.gdas.gumbel", lambda _number, _seed: noise)
    asked = search.ask(state)
    search.tell(state, asked, {"c0": slope})
    alpha = state.alpha["c0"].clone().requires_grad_()
    (soft_weights(alpha, noise, search.tau(state)) @ slope).backward()
    torch.testing.assert_close(told["c0"], alpha.grad)
    assert asked.weights["c0"].argmax() == (alpha.detach() + noise).argmax()


def test_cold_it_agrees_with_reinforce_in_the_mean():
    """On a linear problem with three arms; the exact gradient is p_i (c_i - sum_j p_j c_j)."""
    cost, tau, number = torch.tensor([1.0, -0.5, 0.2], dtype=torch.float64), 0.1, 400_000
    alpha = ALPHA[:3].clone().requires_grad_()
    p = alpha.detach().softmax(0)
    noise = gumbel(3 * number, 3).reshape(number, 3)
    (soft_weights(alpha, noise, tau) @ cost).mean().backward()
    torch.testing.assert_close(alpha.grad, p * (cost - p @ cost), rtol=0.0, atol=0.02)


def test_it_cools_in_a_line(grid_of):
    search = Gdas(steps=100)
    state, taus = search.init(grid_of(2), 1), []
    while not search.done(state):
        taus.append(search.tau(state))
        state = search.tell(state, search.ask(state), {})
    assert (taus[0], taus[-1]) == (10.0, pytest.approx(0.1))
    steps = {round(a - b, 9) for a, b in pairwise(taus)}
    assert steps == {0.1}
