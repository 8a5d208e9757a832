"""The soft-binned significance: the histogram's where bins are sharp, and a gradient that separates."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tsunagu.losses import SoftSignificance, weighted_mean
from tsunagu.metrics import asimov_significance
from tsunagu.testing import check_loss_contract

LOSS = SoftSignificance(signal=10.0, background=300.0)


def events(number=400, seed=2):
    draw = torch.Generator().manual_seed(seed)
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
    sharp = SoftSignificance(signal=10.0, background=300.0, edges=edges, width=1e-6)
    told = weighted_mean(sharp.shared(logits, target, weight), weight).item()
    assert -told == pytest.approx(np.sqrt((asimov_significance(s, b, 0.1 * b) ** 2).sum()), rel=1e-4)


def test_the_contract():
    logits, target, _ = events(20)
    check_loss_contract(LOSS, logits, target)
    check_loss_contract(LOSS, torch.stack([-logits, logits], 1), target)


def test_signed_weights_give_the_loss_of_the_batch():
    logits, target, weight = events()
    weight = torch.where(torch.arange(len(weight)) % 7 == 0, -weight, weight)
    each = LOSS.shared(logits, target, weight)
    whole = LOSS.of_batch(logits[None], target[None], weight[None])
    assert weighted_mean(each, weight).item() == pytest.approx(whole.item())


def test_a_descent_separates():
    _, target, weight = events()
    logits = torch.zeros(len(target), dtype=torch.float64) + 0.1 * target
    before = LOSS.shared(logits, target, weight)[0].item()
    for _ in range(100):
        logits.requires_grad_()
        (gradient,) = torch.autograd.grad(weighted_mean(LOSS.shared(logits, target, weight), weight), logits)
        logits = (logits - 200.0 * gradient).detach()
    assert LOSS.shared(logits, target, weight)[0].item() < 1.2 * before


@pytest.mark.parametrize("score", [-50.0, 50.0])
@pytest.mark.parametrize("missing", [None, 0, 1])
def test_empty_bins_and_classes_have_finite_gradients(score, missing):
    _, target, weight = events()
    target = target if missing is None else torch.full_like(target, 1 - missing)
    logits = torch.full((len(target),), score, dtype=torch.float64, requires_grad=True)
    LOSS.shared(logits, target, weight).sum().backward()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"edges": (0.6, 0.3)}, "rising numbers, found"),
        ({"width": 0.0}, "width must be above 0"),
        ({"signal": -1.0}, "signal must be above 0, found -1.0"),
    ],
)
def test_mistakes(settings, message):
    with pytest.raises(ValueError, match=message):
        SoftSignificance(**settings)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"of a target \[E\] expected, found \[3, 3\] for a target \[3\]"):
        LOSS(torch.zeros(3, 3), torch.zeros(3))
