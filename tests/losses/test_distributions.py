"""What conditions are drawn from."""

from __future__ import annotations

import math

import pytest
import torch

from tsunagu.losses import Dirichlet, Simplex, find_distribution, known_distributions, make

ARGS = {
    "uniform": [-2.0, 6.0],
    "log_uniform": [1e-6, 1.0],
    "one_minus_log_uniform": [0.9, 0.99999],
    "simplex": ["a", "b", "c"],
    "dirichlet": {"parts": ["a", "b"], "alpha": 1.2},
}


@pytest.fixture(params=known_distributions())
def distribution(request):
    return make(find_distribution(request.param), ARGS[request.param])


def uniform(events, width, seed=1):
    draw = torch.Generator().manual_seed(seed)
    return torch.rand(events, width, generator=draw, dtype=torch.float64).clamp(2**-25, 1 - 2**-25)


def test_draws_and_grid_are_in_the_range_and_are_seen_from_minus_1_to_1(distribution):
    width = len(distribution.names) or 1
    for values in (distribution.sample(uniform(1000, width)), distribution.grid(21), distribution.grid(1)):
        assert values.dtype == torch.float64
        assert all(distribution.contains(row) for row in values.tolist())
        seen = distribution.normalise(values)
        assert seen.shape == values.shape
        assert (seen.abs() <= 1.0 + 1e-12).all()


def test_a_draw_depends_on_its_own_numbers_only(distribution):
    numbers = uniform(5, len(distribution.names) or 1)
    together = distribution.sample(numbers)
    assert torch.equal(torch.cat([distribution.sample(numbers[i : i + 1]) for i in range(5)]), together)


@pytest.mark.parametrize("key", ["uniform", "log_uniform", "one_minus_log_uniform"])
def test_what_the_network_sees_is_uniform(key):
    distribution = make(find_distribution(key), ARGS[key])
    seen = distribution.normalise(distribution.sample(uniform(20_000, 1)))
    assert torch.histc(seen.float(), 10, -1, 1) == pytest.approx(torch.full((10,), 2000.0), rel=0.1)
    grid = distribution.grid(21)
    assert (grid[0].item(), grid[-1].item()) == tuple(ARGS[key])
    assert float(distribution.normalise(distribution.grid(1))) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 1.2, 7.0, 200.0])
@pytest.mark.parametrize("parts", ["ab", "abc"])
def test_the_moments_of_a_dirichlet(alpha, parts):
    weights = Dirichlet(tuple(parts), alpha).sample(uniform(100_000, len(parts)))
    n = len(parts)
    torch.testing.assert_close(weights.sum(1), torch.ones(100_000, dtype=torch.float64))
    assert weights.mean(0).tolist() == pytest.approx([1 / n] * n, rel=0.02)
    assert weights.var(0).tolist() == pytest.approx([(n - 1) / n**2 / (n * alpha + 1)] * n, rel=0.03)


def test_a_simplex_is_a_dirichlet_of_1_and_its_grid_has_the_corners():
    numbers = uniform(7, 3)
    assert torch.equal(Simplex("a", "b", "c").sample(numbers), Dirichlet(("a", "b", "c")).sample(numbers))
    grid = Simplex("a", "b", "c").grid(10).tolist()
    assert len(grid) == 10
    assert all(row in grid for row in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]))


def test_a_range_without_a_width_is_its_only_value():
    distribution = make(find_distribution("log_uniform"), [0.3, 0.3])
    values = distribution.sample(uniform(5, 1))
    assert values.flatten().tolist() == [0.3] * 5
    assert not distribution.normalise(values).any()


@pytest.mark.parametrize(
    ("key", "args", "words"),
    [
        ("uniform", [2.0, 1.0], "low <= high, found low 2.0"),
        ("uniform", [0.0, math.inf], "found low 0.0 and high inf"),
        ("log_uniform", [0.0, 1.0], "0 < low <= high"),
        ("one_minus_log_uniform", [0.9, 1.0], "low <= high < 1"),
        ("simplex", ["a"], "two different names or more, found a"),
        ("simplex", ["a", "a"], "two different names"),
        ("dirichlet", {"parts": ["a", "b"], "alpha": 0.0}, "alpha must be positive"),
        ("unifrom", [0.0, 1.0], "did you mean 'uniform'"),
    ],
)
def test_what_cannot_be_is_refused(key, args, words):
    with pytest.raises((ValueError, LookupError), match=words):
        make(find_distribution(key), args)
