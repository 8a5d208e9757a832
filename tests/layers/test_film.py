"""A condition scales and shifts features, event by event, and begins as the identity."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from tsunagu.layers import Conditioned, FiLM
from tsunagu.layers.dense import dense
from tsunagu.layers.sites import Shifting


def _random(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _film():
    layer = FiLM(6, conditions=2, hidden=4)
    for number, weight in enumerate(layer.parameters()):
        weight.data = _random(*weight.shape, seed=number)
    return layer


@pytest.mark.parametrize("shape", [(6,), (6, 3), (6, 4, 4)])
def test_begins_as_the_identity_and_treats_events_one_by_one(shape):
    x, condition = _random(5, *shape), _random(5, 2)
    assert torch.equal(FiLM(6, 2)(x, condition), x)
    layer = _film()
    together = layer(x, condition)
    assert together.shape == x.shape
    for event in range(5):
        one = slice(event, event + 1)
        torch.testing.assert_close(layer(x[one], condition[one]), together[one])


def test_scales_and_shifts_as_the_generator_says():
    layer, x, condition = _film(), _random(5, 6, 3), _random(5, 2)
    gamma, beta = layer.generator(condition).chunk(2, dim=1)
    torch.testing.assert_close(layer(x, condition), (1 + gamma[..., None]) * x + beta[..., None])


def test_other_features_are_refused():
    with pytest.raises(ValueError, match=r"modulates \[E, 6, ...\], found \[5, 3\]"):
        _film()(torch.zeros(5, 3), torch.zeros(5, 2))


@pytest.fixture
def conditioned():
    made = Conditioned(dense([3, 8, 6, 2], film=True), 2, hidden=5)
    for number, weight in enumerate([*made.gammas, *made.betas]):
        weight.data = _random(*weight.shape, seed=number)
    return made


def _by_hand(network, x, condition):
    """Scale and shift as they stand in the paper, each a tensor of its own."""
    trunk = network.trunk(condition).relu() - network.trunk.bias.relu()
    gamma, beta = trunk @ network.gammas[0], trunk @ network.betas[0]
    before, last = network.model[:4](x), network.model[5]
    return functional.linear((1.0 + gamma) * before + beta, last.weight, last.bias)


def test_a_shift_behind_the_next_layer_is_the_shift_before_it(conditioned):
    assert isinstance(conditioned.model[5], Shifting)
    x, condition = _random(7, 3), _random(7, 2, seed=2)
    found, wanted = conditioned(x, condition=condition), _by_hand(conditioned, x, condition)
    torch.testing.assert_close(found, wanted)
    slopes = [
        torch.autograd.grad(made.square().sum(), list(conditioned.parameters())) for made in (found, wanted)
    ]
    torch.testing.assert_close(*slopes, rtol=1e-4, atol=1e-5)


def test_a_copy_at_one_condition_shifts_before_the_next_layer(conditioned):
    x, condition = _random(7, 3), _random(2, seed=2)
    wanted = conditioned(x, condition=condition.expand(7, 2))
    torch.testing.assert_close(conditioned.at(condition)(x), wanted)
