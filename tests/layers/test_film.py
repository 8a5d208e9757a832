"""A condition scales and shifts features, event by event, and begins as the identity."""

from __future__ import annotations

import pytest
import torch

from tsunagu.layers import FiLM


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
