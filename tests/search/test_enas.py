"""The recurrent controller."""

import math

import pytest
import torch

from tsunagu.search import Enas, Space
from tsunagu.search.controller import controller_start, decide
from tsunagu.spec import choice


def test_the_probabilities_of_all_architectures_add_up(nested):
    weights = controller_start(nested, 1, 5)

    def probability(architecture):
        made = decide(
            weights, nested, lambda label, _: nested.options[label].index(architecture[label]), 5.0, 2.5
        )
        assert made.architecture == architecture
        return made.log_probability.exp().item()

    assert sum(map(probability, nested.all())) == pytest.approx(1.0)


def test_it_learns_a_bandit(grid_of, run):
    costs = [0.9, 0.5, 0.1, 0.7]
    for seed in range(3):
        search = Enas(steps=150, rate=0.02)
        state = run(search, grid_of(4), lambda a: costs[int(a["c0"])], seed)
        assert dict(search.best(state)) == {"c0": "2"}
        assert search.distribution(state)["c0"]["2"] > 0.7


def test_it_learns_a_choice_that_depends_on_the_one_before(grid_of, run):
    """Equal options are best: no single probability of either choice can say that."""
    search = Enas(steps=300, rate=0.02, samples=8)
    state = run(search, grid_of(2, 2), lambda a: float(a["c0"] != a["c1"]))
    drawn = [a for step in range(50) for a in search.ask_training(state, step)]
    assert sum(a["c0"] == a["c1"] for a in drawn) / len(drawn) > 0.9


def test_the_gradient_is_reinforce(grid_of):
    """Without entropy, one step follows the mean of (l - b) d log p, b the baseline."""
    search = Enas(samples=2, entropy=0.0, hidden=3, memory=0.0)
    state = search.init(grid_of(3), 1)
    asked = search.ask(state)
    after = search.tell(state, asked, [2.0, 4.0])
    assert after.baseline == 3.0
    taken = [int(architecture["c0"]) for architecture in asked.architectures]
    assert taken[0] != taken[1]
    leaves = {name: value.clone().requires_grad_() for name, value in state.weights.items()}
    logs = [decide(leaves, state.space, lambda *_, t=t: t, 5.0, 2.5).log_probability for t in taken]
    (((2.0 - 3.0) * logs[0] + (4.0 - 3.0) * logs[1]) / 2).backward()
    # Adam's first mean is a tenth of the gradient.
    torch.testing.assert_close(after.moments["offset/c0"][0], 0.1 * leaves["offset/c0"].grad)


def test_entropy_keeps_it_trying(grid_of, run):
    def confident(weight):
        search = Enas(steps=100, rate=0.02, entropy=weight)
        state = run(search, grid_of(3), lambda a: 0.1 * int(a["c0"]))
        return search.distribution(state)["c0"]["0"]

    assert confident(0.0) > confident(1.0) + 0.1


def test_what_failed_teaches_nothing(grid_of):
    search = Enas()
    state = search.init(grid_of(2), 1)
    asked = search.ask(state)
    after = search.tell(state, asked, [math.nan] * 4)
    assert after.step == 1
    assert all(after.weights[name].equal(value) for name, value in state.weights.items())
    partly = search.tell(state, asked, [math.inf, 1.0, 2.0, math.nan])
    assert all(value.isfinite().all() for value in partly.weights.values())


def test_closed_choices_are_not_in_the_distribution():
    space = Space(choice(cnn=choice(3, 5, name="kernel"), mlp=0))
    search = Enas(hidden=3)
    state = search.init(space, 1)
    assert search.distribution(state).keys() == set(search.best(state))
