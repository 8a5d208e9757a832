from __future__ import annotations

import pytest
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


class Tied(nn.Module):
    """An encoder and a decoder that share a weight."""

    def __init__(self):
        super().__init__()
        self.there, self.back = nn.Linear(3, 3, bias=False), nn.Linear(3, 3)
        self.back.weight = self.there.weight

    def forward(self, x):
        return self.back(self.there(x).tanh())


def test_a_shared_weight_is_one_stretch_and_gathers_both_gradients():
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(2)
        net = Tied()
    x = torch.linspace(-1, 1, 6).reshape(2, 3)
    net(x).square().sum().backward()
    expected = net.there.weight.grad.clone()
    flat = FlatModel(net)
    assert flat.count == 12
    assert net.there.weight is net.back.weight
    net(x).square().sum().backward()
    assert torch.equal(flat.gradient[:9].view(3, 3), expected)
    flat.weights.data.fill_(0.5)
    assert (net.back.weight == 0.5).all()


def test_weights_that_no_loss_reaches_have_the_gradient_zero():
    net = _net()
    flat = FlatModel(net)
    net[2](torch.ones(1, 4)).sum().backward()
    assert flat.gradient[:16].count_nonzero() == 0
    before = flat.weights.detach().clone()
    torch.optim.Adam([flat.weights], lr=0.1).step()
    assert torch.equal(flat.weights[:16], before[:16])


def test_buffers_of_any_dtype_and_weights_of_double_precision():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).double()
    flat = FlatModel(net)
    assert flat.weights.dtype == torch.float64
    net(torch.rand(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))).sum().backward()
    assert net[1].num_batches_tracked == 1


def test_weights_in_another_order_of_memory_keep_their_values():
    net = nn.Conv2d(3, 4, 2).to(memory_format=torch.channels_last)
    image = torch.rand(1, 3, 5, 5, generator=torch.Generator().manual_seed(1))
    before = net(image)
    FlatModel(net)
    torch.testing.assert_close(net(image), before)


def test_weights_of_two_dtypes_are_refused():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).double())
    with pytest.raises(ValueError, match=r"several dtypes: torch.float32, torch.float64"):
        FlatModel(net)
