"""The soft-binned significance: the histogram's where bins are sharp, and a gradient that separates."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tsunagu.losses import soft_significance
from tsunagu.metrics import asimov_significance


def events(number=400):
    draw = torch.Generator().manual_seed(2)
    target = torch.randint(0, 2, (number,), generator=draw)
    return (
        torch.randn(number, generator=draw).double() + target,
        target,
        torch.rand(number, generator=draw).double() + 0.5,
    )


def test_sharp_bins_are_the_histogram():
    logits, target, weight = events()
    edges = (0.3, 0.6)
    place = np.searchsorted(edges, torch.sigmoid(logits).numpy())
    s, b = (np.bincount(place, np.where(target == k, weight, 0.0), 3) for k in (1, 0))
    s, b = 10 * s / s.sum(), 300 * b / b.sum()
    told = soft_significance(
        logits, target, weight, edges=edges, width=1e-6, uncertainty=0.1, signal=10.0, background=300.0
    )
    assert -told.item() == pytest.approx(np.sqrt((asimov_significance(s, b, 0.1 * b) ** 2).sum()), rel=1e-4)


def test_its_gradient_is_that_of_differences():
    logits, target, weight = events(20)
    assert torch.autograd.gradcheck(lambda x: soft_significance(x, target, weight), logits.requires_grad_())


def test_a_descent_separates():
    _, target, weight = events()
    logits = torch.zeros(len(target), dtype=torch.float64) + 0.1 * target
    logits.requires_grad_()
    before = soft_significance(logits, target, weight).item()
    for _ in range(100):
        (gradient,) = torch.autograd.grad(soft_significance(logits, target, weight), logits)
        logits = (logits - 200.0 * gradient).detach().requires_grad_()
    assert soft_significance(logits, target, weight).item() < 1.2 * before


@pytest.mark.parametrize("score", [-50.0, 50.0])
def test_empty_bins_have_finite_gradients(score):
    _, target, weight = events()
    logits = torch.full((len(target),), score, dtype=torch.float64, requires_grad=True)
    soft_significance(logits, target, weight).backward()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize(
    ("settings", "message"), [({"edges": (0.6, 0.3)}, "rising edges"), ({"width": 0.0}, "positive width")]
)
def test_mistakes(settings, message):
    with pytest.raises(ValueError, match=message):
        soft_significance(*events(), **settings)
    with pytest.raises(ValueError, match="expected, found"):
        soft_significance(torch.zeros(3, 2), torch.zeros(3), torch.ones(3))
