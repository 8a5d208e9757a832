from __future__ import annotations

import pytest
import torch
from torch import nn

from tsunagu.train.stacked import Rows


def _net():
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(1)
        return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))


def test_a_row_and_the_parameters_are_the_same_memory():
    net = _net()
    before = [p.detach().clone() for p in net.parameters()]
    rows = Rows([net])
    assert torch.equal(rows.weights[0], torch.cat([p.flatten() for p in before]))
    rows.weights.add_(1.0)
    assert all(torch.equal(p, old + 1.0) for p, old in zip(net.parameters(), before, strict=True))


def test_backward_lands_in_the_flat_gradient_and_one_optimiser_call_moves_the_net():
    net, plain = _net(), _net()
    rows = Rows([net])
    x = torch.linspace(-1, 1, 15).reshape(5, 3)
    for _ in range(3):
        rows.gradients.zero_()
        net(x).square().mean().backward()
        torch.optim.SGD([rows.whole], lr=0.1).step()
        plain.zero_grad()
        plain(x).square().mean().backward()
        torch.optim.SGD(plain.parameters(), lr=0.1).step()
    assert all(
        torch.allclose(a, b, rtol=1e-6) for a, b in zip(net.parameters(), plain.parameters(), strict=True)
    )


def test_frozen_parameters_stay_where_they_are():
    net = _net()
    net[0].requires_grad_(False)
    assert Rows([net]).count == 5


def test_a_model_without_parameters_has_an_empty_vector():
    assert Rows([nn.ReLU()]).count == 0


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
    rows = Rows([net])
    assert rows.count == 12
    assert net.there.weight is net.back.weight
    net(x).square().sum().backward()
    assert torch.equal(rows.gradients[0, :9].view(3, 3), expected)
    rows.weights.fill_(0.5)
    assert (net.back.weight == 0.5).all()


def test_weights_that_no_loss_reaches_have_the_gradient_zero():
    net = _net()
    rows = Rows([net])
    net[2](torch.ones(1, 4)).sum().backward()
    assert rows.gradients[0, :16].count_nonzero() == 0
    before = rows.weights.detach().clone()
    torch.optim.Adam([rows.whole], lr=0.1).step()
    assert torch.equal(rows.weights[0, :16], before[0, :16])


def test_buffers_of_any_dtype_and_weights_of_double_precision():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).double()
    rows = Rows([net])
    assert rows.weights.dtype == torch.float64
    net(torch.rand(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))).sum().backward()
    assert net[1].num_batches_tracked == 1


def test_weights_in_another_order_of_memory_keep_their_values():
    net = nn.Conv2d(3, 4, 2).to(memory_format=torch.channels_last)
    image = torch.rand(1, 3, 5, 5, generator=torch.Generator().manual_seed(1))
    before = net(image)
    Rows([net])
    torch.testing.assert_close(net(image), before)


def test_weights_of_two_dtypes_are_refused():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).double())
    with pytest.raises(ValueError, match=r"several dtypes: torch.float32, torch.float64"):
        Rows([net])


def test_modules_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="different shapes"):
        Rows([nn.Linear(2, 3), nn.Linear(3, 2)])


def test_stacked_parameters_are_the_same_memory_as_the_modules():
    nets = [_net(), _net(), _net()]
    rows = Rows(nets)
    stacked = rows.stacked(nets[0][2].weight)
    assert stacked.shape == (3, 1, 4)
    stacked.data[1].fill_(7.0)
    assert (nets[1][2].weight == 7.0).all()
    assert not (nets[0][2].weight == 7.0).any()
    places = {id(leaf.parameter): leaf.gradient for leaf in rows.together}
    places[id(stacked)][2].fill_(5.0)
    assert (nets[2][2].weight.grad == 5.0).all()
