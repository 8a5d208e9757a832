from __future__ import annotations

import pytest
import torch
from torch import nn

from tsunagu.layers import Dropout, reestimate


@pytest.fixture
def net():
    torch_net = nn.Sequential(nn.Linear(3, 3), Dropout(0.5), nn.BatchNorm1d(3))
    with torch.no_grad():
        torch_net[0].weight.copy_(torch.eye(3))
        torch_net[0].bias.zero_()
    return torch_net


@pytest.fixture
def batches():
    draw = torch.Generator().manual_seed(1)
    return [5.0 + 2.0 * torch.randn(50, 3, generator=draw) for _ in range(4)]


def test_statistics_are_the_averages_over_the_batches(net, batches):
    net(torch.full((2, 3), 1e3))  # what other paths have left behind
    reestimate(net, batches)
    means = torch.stack([batch.mean(0) for batch in batches]).mean(0)
    assert torch.allclose(net[2].running_mean, means)
    assert torch.allclose(net[2].running_var, torch.stack([batch.var(0) for batch in batches]).mean(0))


def test_weights_modes_and_noise_stay(net, batches):
    before = {name: p.clone() for name, p in net.named_parameters()}
    net[1].reseed(3)
    net[0].eval()
    reestimate(net, batches)
    assert all(torch.equal(p, before[name]) and p.grad is None for name, p in net.named_parameters())
    assert [part.training for part in net.modules()] == [True, False, True, True]
    assert net[2].momentum == 0.1
    other = Dropout(0.5)
    other.reseed(3)
    assert torch.equal(net[1](torch.ones(9)), other(torch.ones(9)))


def test_it_stays_so_when_a_batch_fails(net):
    with pytest.raises(RuntimeError):
        reestimate(net, [torch.ones(2, 7)])
    assert net[2].momentum == 0.1
    assert net[0].training


def test_without_normalisation_nothing_is_read():
    def unread():
        pytest.fail("read")
        yield

    reestimate(nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)), unread())
