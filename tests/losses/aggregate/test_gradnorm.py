"""GradNorm against what its authors say of it."""

from __future__ import annotations

import pytest
import torch

from tsunagu.losses import (
    GradNorm,
    Mgda,
    Moment,
    Seen,
    Sum,
    known_aggregators,
    make_aggregator,
    register_aggregator,
)
from tsunagu.testing import check_aggregator_contract


def _run(aggregator, norms, losses, steps):
    states = [aggregator.begin(len(norms))]
    gramian = torch.diag(torch.tensor(norms, dtype=torch.float64).square())[None]
    for step in range(steps):
        seen = Seen(
            losses=torch.tensor([losses(step)], dtype=torch.float64),
            states=states,
            moments=[Moment(1, 0)],
            gramian=gramian,
        )
        combined = aggregator.combine(seen)
        states = combined.states
    return combined


def test_without_alpha_the_norms_become_equal():
    norms = (0.5, 1.0, 4.0)
    combined = _run(GradNorm(alpha=0.0, learning_rate=0.005), norms, lambda _: (1.0, 1.0, 1.0), 2000)
    weighted = combined.weights[0] * torch.tensor(norms)
    assert weighted.tolist() == pytest.approx([weighted.mean().item()] * 3, rel=0.05)
    assert combined.weights.sum().item() == pytest.approx(3.0)
    assert combined.own is combined.weights


def test_the_loss_that_learns_slower_is_pulled_harder():
    combined = _run(GradNorm(alpha=1.5), (1.0, 1.0), lambda step: (0.99**step, 1.0), 60)
    fast, slow = combined.weights[0].tolist()
    assert slow > 1.1
    assert fast < 0.9


def test_the_toy_of_the_paper_favours_the_small_loss():
    """y_i = sigma_i tanh((B + eps_i) x), sigma = 1 and 100: with equal weights the second loss is all that is seen."""
    generator = torch.Generator().manual_seed(2)
    basis, own = (
        10.0**0.5 * torch.randn(10, 20, generator=generator),
        3.5**0.5 * torch.randn(2, 10, 20, generator=generator),
    )
    sigma, x = torch.tensor([1.0, 100.0]), torch.randn(64, 20, generator=generator)
    target = sigma[:, None, None] * torch.tanh(torch.einsum("tik,nk->tni", basis + own, x))
    trunk = torch.nn.Linear(20, 30)
    with torch.no_grad():
        trunk.weight.copy_(0.2 * torch.randn(30, 20, generator=generator))
    heads = 0.2 * torch.randn(2, 10, 30, generator=generator)
    aggregator = GradNorm(alpha=0.12)
    states = [aggregator.begin(2)]
    for _ in range(40):
        shared = torch.relu(trunk(x))
        losses = (torch.einsum("tik,nk->tni", heads, shared) - target).square().mean((1, 2))
        rows = [torch.autograd.grad(loss, trunk.weight, retain_graph=True)[0].flatten() for loss in losses]
        jacobian = torch.stack(rows).double()
        seen = Seen(
            losses=losses.detach().double()[None],
            states=states,
            moments=[Moment(1, 0)],
            gramian=(jacobian @ jacobian.T)[None],
        )
        combined = aggregator.combine(seen)
        states = combined.states
    small, large = combined.weights[0].tolist()
    assert small > 1.5
    assert large < 0.5


@pytest.mark.parametrize(
    "aggregator", [GradNorm(), GradNorm(alpha=0.0), Mgda(), Mgda(normalisation="loss+"), Sum()]
)
@pytest.mark.parametrize("objectives", [2, 4])
def test_our_own_keep_the_contract(aggregator, objectives):
    check_aggregator_contract(aggregator, objectives)


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="alpha is 0 or more"):
        GradNorm(alpha=-1.0)


def test_an_aggregator_of_an_analysis_is_known_by_its_key(monkeypatch):
    from tsunagu.losses.aggregate import registry

    monkeypatch.setattr(registry._aggregators, "_kept", dict(registry._aggregators._kept))
    register_aggregator("mine")(Sum)
    assert "mine" in known_aggregators()
    assert make_aggregator("mine", {}) == Sum()
    with pytest.raises(ValueError, match="the aggregator key 'mgda' is taken"):
        register_aggregator("mgda")(Sum)
