"""The one reduction, the registry, and shapes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsunagu.losses import (
    Loss,
    MeanSquared,
    align,
    event_mean,
    find_loss,
    known_losses,
    register_loss,
    weighted_mean,
)
from tsunagu.registry import Registry

numbers = st.floats(-100.0, 100.0)


@given(
    rows=st.lists(st.tuples(numbers, st.floats(0.01, 10.0)), min_size=1, max_size=20),
    factor=st.floats(0.01, 100.0),
)
@settings(deadline=None)
def test_weighted_mean_is_a_mean(rows, factor):
    loss, weight = torch.tensor(rows, dtype=torch.float64).unbind(1)
    mean = weighted_mean(loss, weight)
    torch.testing.assert_close(mean, weighted_mean(loss, factor * weight))
    assert loss.min() - 1e-9 <= mean <= loss.max() + 1e-9
    torch.testing.assert_close(weighted_mean(loss, torch.ones_like(loss)), loss.mean())


def test_weighted_mean_pinned():
    loss = torch.tensor([1.0, 2.0, 10.0])
    assert weighted_mean(loss, torch.tensor([1.0, 3.0, 0.0])).item() == 1.75
    assert weighted_mean(loss, torch.tensor([2.0, -1.0, 0.0])).item() == 0.0
    assert weighted_mean(loss[:1], torch.tensor([7.0])).item() == 1.0


def test_signed_weights_whose_sum_is_zero_or_negative_are_divided_by_their_size():
    loss = torch.tensor([1.0, 3.0], requires_grad=True)
    for weight, gradient in (([1.0, -1.0], [0.5, -0.5]), ([1.0, -3.0], [0.25, -0.75])):
        loss.grad = None
        weighted_mean(loss, torch.tensor(weight)).backward()
        assert loss.grad.tolist() == gradient


def test_a_weight_of_two_is_an_event_twice():
    loss = torch.tensor([1.0, 5.0])
    assert weighted_mean(loss, torch.tensor([2, 1])) == weighted_mean(
        torch.tensor([1.0, 1.0, 5.0]), torch.ones(3)
    )


def test_weights_of_zero_give_zero_and_no_gradient():
    loss = torch.tensor([1.0, 2.0], requires_grad=True)
    mean = weighted_mean(loss, torch.zeros(2))
    mean.backward()
    assert mean.item() == 0.0
    assert loss.grad.tolist() == [0.0, 0.0]


def test_gradient_of_an_event_is_its_share_of_the_weight():
    loss = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    weighted_mean(loss, torch.tensor([1.0, 3.0, 0.0])).backward()
    assert loss.grad.tolist() == [0.25, 0.75, 0.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weighted_mean_has_the_dtype_of_the_loss(dtype):
    assert weighted_mean(torch.ones(2, dtype=dtype), torch.ones(2, dtype=torch.float64)).dtype == dtype


@pytest.mark.parametrize(("loss", "weight"), [((3, 1), (3,)), ((3,), (3, 1)), ((3,), (1,)), ((), ())])
def test_weighted_mean_never_broadcasts(loss, weight):
    with pytest.raises(ValueError, match="one loss and one weight per event"):
        weighted_mean(torch.ones(loss), torch.ones(weight))


@pytest.mark.parametrize(
    ("prediction", "target", "fits"),
    [
        ((4, 1), (4,), True),
        ((4,), (4, 1), True),
        ((4, 6), (4, 2, 3), True),
        ((4, 2, 3), (4, 2, 3), True),
        ((4,), (1,), False),
        ((4, 2), (4,), False),
        ((4, 2), (2, 4), False),
        ((), (1,), False),
    ],
)
def test_align(prediction, target, fits):
    if fits:
        assert align(torch.zeros(prediction), torch.zeros(target)).shape == target
        return
    with pytest.raises(ValueError, match="does not match the target"):
        align(torch.zeros(prediction), torch.zeros(target))


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 2, 3), (1, 5), (0, 3)])
def test_event_mean_leaves_the_events(shape):
    value = torch.rand(shape)
    expected = torch.stack([row.mean() for row in value]) if len(value) else torch.zeros(0)
    torch.testing.assert_close(event_mean(value), expected)


def test_unknown_losses_name_the_nearest():
    with pytest.raises(LookupError, match=r"unknown loss 'four_momentun' \(did you mean 'four_momentum'\?\)"):
        find_loss("four_momentun")
    with pytest.raises(LookupError, match=r"\(valid: affinity, balanced_softmax, binary, "):
        find_loss("xyzzy")


def test_known_losses():
    assert known_losses() == [
        "affinity",
        "balanced_softmax",
        "binary",
        "binary_focal",
        "class_balanced",
        "class_balanced_binary",
        "class_balanced_focal",
        "cross_entropy",
        "focal",
        "four_momentum",
        "four_momentum_ptetaphi",
        "huber",
        "inverse_frequency",
        "ldam",
        "logit_adjusted",
        "mse",
        "significance",
    ]


def test_a_users_loss_joins_and_a_taken_key_is_refused(monkeypatch):
    registry = Registry("loss")
    registry.keep("mse", MeanSquared)
    monkeypatch.setattr("tsunagu.losses.loss._losses", registry)

    class Absolute(Loss):
        def __call__(self, prediction, target):
            return event_mean((align(prediction, target) - target).abs())

        def check(self, target):
            return None

    register_loss("absolute")(Absolute)
    register_loss("absolute")(Absolute)
    assert find_loss("absolute")()(torch.ones(2), torch.zeros(2)).tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="the loss key 'mse' is taken by tsunagu"):
        register_loss("mse")(Absolute)


def test_the_base_is_abstract():
    with pytest.raises(TypeError):
        Loss()
