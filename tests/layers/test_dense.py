"""Stacks of dense layers, activations by name, first weights."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tsunagu.layers import Activation, activate, dense, initialise


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=5),
    dropout=st.sampled_from([0.0, 0.1]),
    last=st.booleans(),
)
def test_dense_counts(sizes, dropout, last):
    net = dense(sizes, "Tanh", dropout, last=last)
    kinds = [type(layer).__name__ for layer in net]
    activated = len(sizes) - (1 if last else 2)
    assert kinds.count("Linear") == len(sizes) - 1
    assert kinds.count("Tanh") == activated
    assert kinds.count("Dropout") == (activated if dropout else 0)
    assert net(torch.zeros(3, sizes[0])).shape == (3, sizes[-1])


@pytest.mark.parametrize("name", ["ReLU", "GELU", "Mish", "SiLU", "Identity", "LeakyReLU"])
def test_activations_by_name(name):
    assert type(activate(name)) is getattr(nn, name)


def test_an_activation_that_is_a_module_is_copied():
    given_module = nn.PReLU()
    made = activate(given_module)
    assert made is not given_module
    assert isinstance(made, nn.PReLU)


@pytest.mark.parametrize("name", ["Linear", "Threshold", "relu", ""])
def test_what_is_no_activation_is_refused(name):
    with pytest.raises(ValueError, match="unknown activation"):
        activate(name)


def test_activation_by_mapping():
    assert Activation("GELU")(torch.zeros(2)).tolist() == [0.0, 0.0]
    assert Activation(name="AdaptiveAvgPool2d", output_size=1)(torch.ones(1, 2, 4, 4)).shape == (1, 2, 1, 1)
    with pytest.raises(ValueError, match=r"torch.nn has no layer 'GELUU'"):
        Activation("GELUU")


@pytest.mark.parametrize("layer", [nn.Linear(30, 40), nn.Conv2d(3, 8, 3), nn.Conv1d(4, 8, 3, bias=False)])
def test_first_weights_are_xavier_uniform(layer):
    initialise(layer)
    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(layer.weight)
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    assert layer.weight.abs().max() <= bound
    assert layer.weight.abs().max() > 0.8 * bound
    assert layer.bias is None or not layer.bias.any()
