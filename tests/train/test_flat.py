from __future__ import annotations

import torch
from torch import nn

from tsunagu.train import FlatModel


def _net():
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(1)
        return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


def test_the_vector_and_the_parameters_are_the_same_memory():
    net = _net()
    before = [p.detach().clone() for p in net.parameters()]
    flat = FlatModel(net)
    assert torch.equal(flat.weights.data, torch.cat([p.flatten() for p in before]))
    flat.weights.data.add_(1.0)
    assert all(torch.equal(p, old + 1.0) for p, old in zip(net.parameters(), before, strict=True))


def test_backward_lands_in_the_flat_gradient_and_one_optimiser_call_moves_the_net():
    net, plain = _net(), _net()
    flat = FlatModel(net)
    x = torch.linspace(-1, 1, 15).reshape(5, 3)
    for _ in range(3):
        flat.gradient.zero_()
        net(x).square().mean().backward()
        torch.optim.SGD([flat.weights], lr=0.1).step()
        plain.zero_grad()
        plain(x).square().mean().backward()
        torch.optim.SGD(plain.parameters(), lr=0.1).step()
    assert all(
        torch.allclose(a, b, rtol=1e-6) for a, b in zip(net.parameters(), plain.parameters(), strict=True)
    )


def test_frozen_parameters_stay_where_they_are():
    net = _net()
    net[0].requires_grad_(False)
    assert FlatModel(net).count == 5


def test_a_model_without_parameters_has_an_empty_vector():
    assert FlatModel(nn.ReLU()).count == 0
