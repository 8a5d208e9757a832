"""The class numbers of the long-tailed examples, and a problem whose answer is known."""

from __future__ import annotations

import math

import pytest
import torch

from tsunagu.losses import weighted_mean

TAIL = (5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50)


@pytest.fixture
def tail():
    return TAIL


@pytest.fixture
def fit_gaussians():
    """Slope and bias of the linear logit that minimises a loss on x | y ~ N(+-1, 1), 10 % of class 1, events integrated."""

    def fit(loss):
        x = torch.linspace(-9.0, 9.0, 2001, dtype=torch.float64).repeat(2)
        y = (torch.arange(len(x)) >= len(x) // 2).long()
        share = torch.where(y == 1, 0.1, 0.9)
        weight = share * torch.exp(-0.5 * (x - (2.0 * y - 1.0)) ** 2)
        line = torch.zeros(2, dtype=torch.float64)

        def objective(values):
            return weighted_mean(loss(values[0] * x + values[1], y), weight)

        for _ in range(30):
            slope = torch.autograd.functional.jacobian(objective, line)
            step = torch.linalg.solve(torch.autograd.functional.hessian(objective, line), slope)
            line = line - step / max(1.0, float(step.norm()))
        return line.tolist()

    return fit


@pytest.fixture
def log_odds():
    return math.log(1.0 / 9.0)
