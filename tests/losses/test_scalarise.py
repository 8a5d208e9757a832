"""Several losses as one number: closed forms, and the front that each can reach."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from tsunagu.losses import (
    SCALARISATIONS,
    boundary_intersection,
    cosine_penalised,
    linear,
    smooth_tchebycheff,
)
from tsunagu.metrics import hypervolume

LOSSES = torch.tensor([[0.2, 0.9, 0.4], [1.5, 0.1, 0.3]], dtype=torch.float64)
WEIGHTS = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], dtype=torch.float64)
THEIRS = {
    "stch": ("STCH", {"mu": 0.1}, {"mu": 0.1}),
    "pbi": ("PBI", {"theta": 5.0}, {"theta": 5.0}),
    "cosmos": ("COSMOS", {"strength": 2.0}, {"lambda_": 2.0}),
}


@pytest.mark.parametrize("key", THEIRS)
def test_each_event_is_what_torchjd_makes_of_it_alone(key):
    module = pytest.importorskip("torchjd.scalarization")
    name, ours, theirs = THEIRS[key]
    found = SCALARISATIONS[key](LOSSES, WEIGHTS, **ours)
    cls = getattr(module, name)
    each = [cls(weights=own, **theirs)(losses) for losses, own in zip(LOSSES, WEIGHTS, strict=True)]
    assert torch.allclose(found, torch.stack(each))


def test_closed_forms():
    assert linear(LOSSES, WEIGHTS).tolist() == pytest.approx([0.45, 0.4])
    largest = (WEIGHTS * (LOSSES + 1.0)).amax(-1)
    assert torch.allclose(smooth_tchebycheff(LOSSES, WEIGHTS, mu=1e-4, ideal=-1.0), largest, atol=1e-3)
    along = 2.0 * WEIGHTS + 1.0
    unit = WEIGHTS.norm(dim=-1)
    # On the way of the weights there is a distance and nothing beside it.
    assert torch.allclose(boundary_intersection(along, WEIGHTS, ideal=1.0), 2.0 * unit, atol=1e-4)
    assert torch.allclose(cosine_penalised(WEIGHTS, WEIGHTS, strength=3.0), unit.square() - 3.0)


@pytest.mark.parametrize("key", SCALARISATIONS)
def test_any_leading_shape_has_weights_of_its_own(key):
    scalarise = SCALARISATIONS[key]
    whole = scalarise(LOSSES.expand(4, 2, 3), WEIGHTS)
    assert whole.shape == (4, 2)
    assert torch.allclose(whole[2, 1], scalarise(LOSSES[1], WEIGHTS[1]))
    assert scalarise(LOSSES[:0], WEIGHTS[:0]).shape == (0,)


@pytest.mark.parametrize("key", SCALARISATIONS)
def test_the_gradient_is_that_of_the_value_and_finite_everywhere(key):
    scalarise = SCALARISATIONS[key]
    assert torch.autograd.gradcheck(lambda x: scalarise(x, WEIGHTS), LOSSES.clone().requires_grad_())
    for corner in (torch.zeros(3), WEIGHTS[0], torch.tensor([1.0, 0.0, 0.0]), torch.full((3,), 1e6)):
        losses = corner.double().requires_grad_()
        (slope,) = torch.autograd.grad(scalarise(losses, WEIGHTS[0]), losses)
        assert slope.isfinite().all()


@pytest.mark.parametrize(
    ("scalarise", "settings"),
    [
        (smooth_tchebycheff, {"mu": 0.0}),
        (boundary_intersection, {"theta": -1.0}),
        (cosine_penalised, {"strength": -1.0}),
    ],
)
def test_settings_out_of_range_are_refused(scalarise, settings):
    with pytest.raises(ValueError, match=r"found (0|-1)\.0"):
        scalarise(LOSSES, WEIGHTS, **settings)


def _fonseca(x):
    """Two costs with a concave front: x = t (1, ..., 1), and 1 - exp(-1) for both in the middle."""
    shift = 1.0 / math.sqrt(x.shape[-1])
    return torch.stack([1.0 - torch.exp(-(x + sign * shift).square().sum(-1)) for sign in (-1.0, 1.0)], -1)


def _front(key, settings, seed, steps=1500, size=10):
    """What a network that is given the weights comes to, ``[N, 2]``."""
    generator = torch.Generator().manual_seed(seed)
    net = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, size))
    with torch.no_grad():
        for weight in net.parameters():
            bound = 1.0 / math.sqrt(weight.shape[-1])
            weight.copy_(bound * (2.0 * torch.rand(weight.shape, generator=generator) - 1.0))
    adam = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(steps):
        first = torch.rand(64, 1, generator=generator)
        weights = torch.cat([first, 1.0 - first], 1)
        adam.zero_grad()
        torch.autograd.backward(SCALARISATIONS[key](_fonseca(net(weights)), weights, **settings).mean())
        adam.step()
    grid = torch.linspace(0.0, 1.0, 101)[:, None]
    with torch.no_grad():
        return _fonseca(net(torch.cat([grid, 1.0 - grid], 1))).numpy()


@pytest.mark.parametrize(
    ("key", "settings", "least", "most"),
    [
        ("linear", {}, 0.1, 0.2),
        ("stch", {"mu": 0.05}, 0.33, 0.3421),
        ("cosmos", {"strength": 2.0}, 0.31, 0.3421),
        ("pbi", {"theta": 5.0}, 0.31, 0.3421),
    ],
)
def test_all_but_the_sum_reach_a_concave_front(key, settings, least, most):
    """The exact volume from (1, 1) is 0.3420; a weighted sum finds the ends of a concave front only."""
    assert least < hypervolume(_front(key, settings, seed=1), [1.0, 1.0]) < most
