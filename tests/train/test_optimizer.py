from __future__ import annotations

import pytest
import torch
from torch import nn

from tsunagu.spec import choice, node
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


@pytest.mark.parametrize("key", ["Muon", "Adafactor", "LBFGS", "SparseAdam"])
def test_an_optimiser_that_needs_more_than_a_vector_says_so(key):
    (mistake,) = check_optimizer(node(key), ("train", "optimizer"))
    assert mistake.path == ("train", "optimizer", "key")
    assert f"'{key}'" in mistake.message
    assert "take Adam" in mistake.message


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (node("Adam", 1e-3), "arguments need their names"),
        (node("Adam", lr=-1.0), "Invalid learning rate"),
        (node("SGD", lr=0.1, nesterov=True), "momentum"),
    ],
)
def test_values_that_an_optimiser_does_not_take_are_found_before_the_training(spec, message):
    (mistake,) = check_optimizer(spec, ("train", "optimizer"))
    assert mistake.path == ("train", "optimizer", "args")
    assert message in mistake.message


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (node("cosine", 0.1), "arguments need their names"),
        (node("exponential", final=-1.0), "final must be 0 or more"),
        (node("steps", at=0.5), "not iterable"),
        (node("steps", at=[0.5], factor=-1), "found the factor -1 at 50 %"),
    ],
)
def test_values_that_make_no_schedule_are_found_before_the_training(spec, message):
    (mistake,) = check_schedule(spec, ("train", "schedule"))
    assert message in mistake.message


def test_values_that_are_still_to_be_chosen_are_not_tried():
    assert check_optimizer(node("Adam", lr=choice(1e-3, 1e-2)), ()) == []


def test_foreach_excludes_fused():
    made = optimizer(node("Adam", foreach=True), [nn.Parameter(torch.zeros(1))])
    assert not made.defaults["fused"]


def test_a_text_is_no_learning_rate():
    (mistake,) = check_optimizer(node("Adam", lr="fast"), ("train", "optimizer"))
    assert mistake.path == ("train", "optimizer", "args", "lr")
    assert mistake.message == "expected a number, found 'fast'"
