"""The shortened steps are the optimiser's own, bit for bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tsunagu.train import fused
from tsunagu.train.fused import Steps

SETTINGS = {
    "Adam": lambda weights: torch.optim.Adam(weights, lr=0.1, weight_decay=0.01, fused=True),
    "AdamW": lambda weights: torch.optim.AdamW(weights, lr=0.1, betas=(0.8, 0.9), eps=1e-6, fused=True),
    "maximize": lambda weights: torch.optim.Adam(weights, lr=0.1, maximize=True, fused=True),
    "amsgrad": lambda weights: torch.optim.Adam(weights, lr=0.1, amsgrad=True, fused=True),
    "SGD": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9, fused=True),
    "not fused": lambda weights: torch.optim.Adam(weights, lr=0.1, foreach=True),
}


def _weights():
    draw = torch.Generator().manual_seed(1)
    weights = [nn.Parameter(torch.randn(shape, generator=draw)) for shape in ((3, 4), (5,))]
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
    return weights


def _gradients(weights, step):
    draw = torch.Generator().manual_seed(step)
    for weight in weights:
        weight.grad.copy_(torch.randn(weight.shape, generator=draw))


def _train(weights, step, optimizer, number=6):
    for count in range(number):
        _gradients(weights, count)
        for group in optimizer.param_groups:
            group["lr"] = 0.1 / (1 + count)
        step()
    return weights


@pytest.mark.parametrize("name", SETTINGS)
def test_steps_are_those_of_the_optimiser(name):
    weights, other = _weights(), _weights()
    plain, ours = SETTINGS[name](weights), SETTINGS[name](other)
    _train(weights, plain.step, plain)
    _train(other, Steps(ours).step, ours)
    for expected, found in zip(weights, other, strict=True):
        assert torch.equal(expected, found)
        for key, value in plain.state[expected].items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(ours.state[found][key]))


def test_a_replaced_state_is_used():
    weights, other = _weights(), _weights()
    steps, fresh = Steps(SETTINGS["Adam"](weights)), Steps(SETTINGS["Adam"](other))
    _train(weights, steps.step, steps.optimizer, 3)
    _train(other, fresh.step, fresh.optimizer, 2)
    for weight, copy in zip(weights, other, strict=True):
        copy.data.copy_(weight.data)
        state = {name: value.clone() for name, value in steps.optimizer.state[weight].items()}
        fresh.replace(copy, state)
        assert fresh.has(copy)
        assert not fresh.has(weight)
    _train(weights, steps.step, steps.optimizer, 2)
    _train(other, fresh.step, fresh.optimizer, 2)
    assert all(map(torch.equal, weights, other))


CHOSEN = [[0], [0, 1], [1], [1, 0], [0], [0, 1], [1]]


@pytest.mark.parametrize("name", SETTINGS)
def test_chosen_weights_step_as_if_the_others_had_no_gradient(name):
    """Each weight has an optimiser of its own to compare with; the first to step comes before another has a state."""
    weights, other = _weights(), _weights()
    plain, steps = [SETTINGS[name]([weight]) for weight in weights], Steps(SETTINGS[name](other))
    for count, chosen in enumerate(CHOSEN):
        _gradients(weights, count)
        _gradients(other, count)
        before = [weight.grad for weight in other]
        steps.step([other[number] for number in chosen])
        for number in chosen:
            plain[number].step()
        assert all(weight.grad is gradient for weight, gradient in zip(other, before, strict=True))
        for number, (expected, found) in enumerate(zip(weights, other, strict=True)):
            assert torch.equal(expected, found)
            state = steps.optimizer.state.get(found, {})
            for key, value in plain[number].state[expected].items():
                assert torch.equal(torch.as_tensor(value), torch.as_tensor(state[key]))


def test_more_choices_than_are_kept_step_alike(monkeypatch):
    monkeypatch.setattr(fused, "_MOST_KEPT", 1)
    test_chosen_weights_step_as_if_the_others_had_no_gradient("Adam")
