"""The focal loss against its formula, torchvision's where it is installed, and the way back to probabilities."""

from __future__ import annotations

import pytest
import torch

from tsunagu.losses import HasProbability, find_loss, focal_logits, focal_probability

DRAW = torch.Generator().manual_seed(3)
Z = torch.randn(40, generator=DRAW, dtype=torch.float64) * 3
Y = (torch.randn(40, generator=DRAW) > 0).long()
PS = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)


@pytest.mark.parametrize(
    ("gamma", "values"), [(2.0, [1.865094, 0.173287, 0.001054]), (0.5, [2.184424, 0.490129, 0.033318])]
)
@pytest.mark.parametrize("key", ["focal", "binary_focal"])
def test_pinned(key, gamma, values):
    loss = find_loss(key)(gamma=gamma)
    assert loss(PS.logit(), torch.ones(3)).tolist() == pytest.approx(values, abs=1e-6)
    assert loss(-PS.logit(), torch.zeros(3)).tolist() == pytest.approx(values, abs=1e-6)


def test_gamma_zero_is_the_cross_entropy():
    torch.testing.assert_close(find_loss("binary_focal")(gamma=0.0)(Z, Y), find_loss("binary")()(Z, Y))
    logits, label = Z.view(10, 4), Y[:10] + 2 * Y[10:20]
    torch.testing.assert_close(
        find_loss("focal")(gamma=0.0)(logits, label), find_loss("cross_entropy")()(logits, label)
    )


@pytest.mark.parametrize("alpha", [None, 0.25])
def test_the_formula_of_torchvision(alpha):
    p = torch.sigmoid(Z)
    p_t = torch.where(Y == 1, p, 1 - p)
    alpha_t = 1.0 if alpha is None else torch.where(Y == 1, alpha, 1 - alpha)
    torch.testing.assert_close(
        find_loss("binary_focal")(alpha=alpha)(Z, Y), -alpha_t * (1 - p_t) ** 2 * p_t.log()
    )


def test_the_formula_of_the_softmax():
    logits, label = Z.view(10, 4), Y[:10] + 2 * Y[10:20]
    p = torch.softmax(logits, 1).gather(1, label[:, None])[:, 0]
    torch.testing.assert_close(find_loss("focal")(gamma=1.5)(logits, label), -((1 - p) ** 1.5) * p.log())


@pytest.mark.parametrize("factor", [0.5, 4.0])
def test_a_weight_stands_outside_the_modulator(factor):
    """Some public code puts it inside, which takes a wrong probability for the modulator."""
    one = find_loss("class_balanced_focal")(sizes=(1, 1), gamma=2.0)
    two = find_loss("class_balanced_focal")(sizes=(1, factor), gamma=2.0, one_minus_beta=0.0)
    ratio = torch.tensor(two.weights, dtype=torch.float64)[Y]
    torch.testing.assert_close(two(Z, Y), ratio * one(Z, Y))
    assert two.weights[0] / two.weights[1] == pytest.approx(factor)


@pytest.mark.parametrize(
    ("eta", "gamma", "q"),
    [(0.05, 1.0, 0.1616), (0.05, 2.0, 0.2502), (0.95, 1.0, 0.8384), (0.95, 2.0, 0.7497)],
)
def test_the_minimiser_is_no_probability_but_tells_it(eta, gamma, q):
    loss, u = find_loss("binary_focal")(gamma=gamma), torch.zeros((), dtype=torch.float64)

    def expected(u):
        both = loss(torch.stack([u, u]), torch.tensor([1, 0]))
        return eta * both[0] + (1 - eta) * both[1]

    for _ in range(60):
        u = u - torch.func.grad(expected)(u) / torch.func.grad(torch.func.grad(expected))(u).clamp(min=0.05)
    assert torch.sigmoid(u).item() == pytest.approx(q, abs=1e-4)
    assert loss.probability(u[None]).item() == pytest.approx(eta, abs=1e-6)


def test_alpha_is_undone():
    eta, alpha = 0.3, 0.25
    odds = alpha * eta / ((1 - alpha) * (1 - eta))
    z = torch.tensor([odds / (1 + odds)], dtype=torch.float64).logit()
    assert focal_probability(z, 0.0, alpha).item() == pytest.approx(eta)


def test_of_many_classes_each_is_told():
    eta = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    loss = find_loss("focal")(gamma=2.0)
    z = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([z], max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-15)

    def expected():
        search.zero_grad()
        value = (eta * loss(z.expand(3, 3), torch.arange(3))).sum()
        value.backward()
        return value

    for _ in range(5):
        search.step(expected)
    torch.testing.assert_close(loss.probability(z.detach())[0], eta, atol=1e-6, rtol=1e-6)
    assert (torch.softmax(z.detach(), 1)[0] - eta).abs().max() > 0.05


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_probabilities_of_any_score_are_finite_rise_and_stay(dtype):
    u = torch.tensor([-1e4, -100.0, -30.0, -1.0, 0.0, 1.0, 19.9, 20.1, 100.0, 1e4], dtype=dtype)
    for gamma in (0.5, 1.0, 2.0):
        p = focal_logits(u, gamma)
        assert torch.isfinite(p).all()
        assert (p.diff() > 0).all()
        torch.testing.assert_close(focal_probability(u, gamma), focal_probability(u[:, None], gamma))
        pair = torch.stack([torch.zeros_like(u), u], 1)
        torch.testing.assert_close(focal_probability(pair, gamma)[:, 1], focal_probability(u, gamma))
    torch.testing.assert_close(focal_logits(u, 0.0), u)


def test_settings():
    assert isinstance(find_loss("focal")(), HasProbability)
    with pytest.raises(ValueError, match="gamma must be 0 or more"):
        find_loss("focal")(gamma=-1.0)
    with pytest.raises(ValueError, match="alpha must be between 0 and 1"):
        find_loss("binary_focal")(alpha=1.0)
    with pytest.raises(ValueError, match=r"a logit \[E\] and labels \[E\] expected"):
        find_loss("binary_focal")()(torch.zeros(3, 2), torch.zeros(3))
