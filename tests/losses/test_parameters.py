"""A setting that is one number for each event: the same as many losses with one number each."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from tests.losses.test_losses import pair, ready
from tsunagu.losses import BatchLoss, Curve, find_curve, find_loss, given, known_curves, known_losses, wide

VALUES = {
    "one_minus_beta": (1e-3, 0.0, 1.0, 1e-6, 0.3),
    "gamma": (0.0, 0.5, 1.0, 2.0, 3.5),
    "alpha": (0.1, 0.25, 0.5, 0.75, 0.9),
    "tau": (0.0, 0.5, 1.0, 2.0, -1.0),
    "scale": (1.0, 10.0, 30.0, 3.0, 20.0),
}
PARAMETERS = [(key, name) for key in known_losses() for name in find_loss(key).parameters]
FIXED = {"deferred", "sizes", "shares"}


def values_of(name):
    return torch.tensor(VALUES.get(name, (0.1, 0.5, 1.0, 2.0, 0.75)), dtype=torch.float64)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("key", "name"), PARAMETERS)
def test_each_event_has_the_loss_of_its_own_number(key, name, dtype):
    loss, (prediction, target) = ready(key), pair(key, dtype=dtype)
    values = values_of(name)
    found = given(loss, {name: values})(prediction, target)
    assert found.dtype == dtype
    for event, value in enumerate(values.tolist()):
        one = slice(event, event + 1)
        alone = replace(loss, **{name: value})(prediction[one], target[one])
        torch.testing.assert_close(
            found[one], alone, rtol=2e-5 if dtype == torch.float32 else 1e-10, atol=1e-7
        )


@pytest.mark.parametrize(("key", "name"), PARAMETERS)
def test_the_gradient_is_that_of_the_value(key, name):
    loss, (prediction, target) = given(ready(key), {name: values_of(name)}), pair(key)
    assert torch.autograd.gradcheck(lambda p: loss(p, target), prediction.requires_grad_())


@pytest.mark.parametrize("key", [key for key in known_losses() if not issubclass(find_loss(key), BatchLoss)])
def test_every_number_of_a_loss_may_be_one_for_each_event(key):
    loss = find_loss(key)
    numbers = {
        field.name for field in fields(loss()) if "float" in str(field.type) or "Number" in str(field.type)
    }
    assert numbers - FIXED == set(loss.parameters)


def test_several_at_once_with_weights_over_their_mean():
    loss = replace(ready("class_balanced_focal"), reduction="weights")
    prediction, target = pair("class_balanced_focal")
    both = given(loss, {name: values_of(name) for name in ("one_minus_beta", "gamma")})(prediction, target)
    each = [
        replace(loss, one_minus_beta=b, gamma=g)(prediction[i : i + 1], target[i : i + 1])
        for i, (b, g) in enumerate(zip(VALUES["one_minus_beta"], VALUES["gamma"], strict=True))
    ]
    torch.testing.assert_close(both, torch.cat(each))


def test_what_was_computed_before_is_forgotten():
    loss = ready("class_balanced")
    before = loss.weights
    assert given(loss, {"one_minus_beta": torch.ones(2)}).weights.shape == (2, 4)
    assert loss.weights == before


def test_a_number_meets_the_shape_of_events():
    assert wide(torch.ones(2, dtype=torch.float64), torch.zeros(2, 3, 4)).shape == (2, 1, 1)


@pytest.mark.parametrize("key", known_curves())
def test_schedules_go_from_their_start_to_their_end(key):
    curve = find_curve(key)(2.0, 0.5)
    assert isinstance(curve, Curve)
    assert (curve.at(0.0), curve.at(1.0)) == (2.0, 0.5)
    middle = {"linear": 1.25, "cosine": 1.25, "exponential": 1.0, "step": 0.5}[key]
    assert curve.at(0.5) == pytest.approx(middle)


@pytest.mark.parametrize(
    ("find", "words"),
    [
        (lambda: find_curve("exponential")(0.0, 1.0), "between positive numbers, found 0.0"),
        (lambda: find_curve("liner"), "did you mean 'linear'"),
        (lambda: find_curve("nowhere:Curve"), "module 'nowhere' cannot be imported"),
        (lambda: find_curve("math:pi"), "there is no Curve of this name in the module 'math'"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(find, words):
    with pytest.raises((ValueError, LookupError), match=words):
        find()
