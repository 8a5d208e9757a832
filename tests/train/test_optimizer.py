from __future__ import annotations

import pytest
import torch
from torch import nn

from tsunagu.spec import node
from tsunagu.train import check_optimizer, check_schedule, learning_rate, optimizer


@pytest.mark.parametrize("key", ["Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "NAdam"])
def test_every_optimiser_lowers_a_parabola(key):
    weights = nn.Parameter(torch.full((3,), 2.0))
    made = optimizer(node(key, lr=0.05), [weights])
    for _ in range(20):
        weights.grad = 2 * weights.data
        made.step()
    assert weights.abs().max() < 2.0


@pytest.mark.parametrize(
    ("schedule", "step", "factor"),
    [
        (None, 30, 1.0),
        (node("constant"), 30, 1.0),
        (node("cosine"), 25, 0.8535533905932737),
        (node("cosine", final=0.1), 100, 0.1),
        (node("exponential", final=0.01), 50, 0.1),
        (node("steps", at=[0.5, 0.75]), 50, 0.1),
        (node("steps", at=[0.5, 0.75], factor=0.5), 80, 0.25),
        (node("warmup", share=0.1), 5, 0.5),
    ],
)
def test_schedules_are_functions_of_the_step(schedule, step, factor):
    assert learning_rate(schedule, step, 100) == pytest.approx(factor)


def test_mistakes_name_the_nearest_valid_word():
    (mistake,) = check_optimizer(node("Adamm"), ("train", "optimizer"))
    assert "did you mean 'Adam" in mistake.message
    (mistake,) = check_optimizer(node("Adam", learning_rate=1), ("train", "optimizer"))
    assert mistake.path == ("train", "optimizer", "args")
    (mistake,) = check_schedule(node("cosin"), ("train", "schedule"))
    assert "did you mean 'cosine'" in mistake.message
    (mistake,) = check_schedule(node("cosine", end=1), ("train", "schedule"))
    assert "end" in mistake.message
    assert check_optimizer(node("Adam", lr=1), ()) == check_schedule(None, ()) == []
