"""Keys find classes, and arguments that do not fit are named."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tsunagu import layers
from tsunagu.layers import check_args, find, known, register

OURS = [
    "TauCNN", "TauMLP", "ScaleFactor", "Zero", "Noise", "LSTM", "MLP", "MassMLP", "Dropout", "LogMomentum",
]  # fmt: skip


class Shrug(nn.Module):
    """A user's own module."""

    def forward(self, x):
        return x


@pytest.fixture
def registered(monkeypatch):
    registry = dict(layers.registry._registered)
    monkeypatch.setattr(layers.registry, "_registered", registry)
    return registry


@pytest.mark.parametrize("key", OURS)
def test_ours_are_found_by_class_name(key):
    assert find(key) is getattr(layers, key)


@pytest.mark.parametrize(
    ("key", "cls"),
    [
        ("Linear", nn.Linear),
        ("LinearLast", nn.Linear),
        ("Linear1", nn.Linear),
        ("Linear_1", nn.Linear),
        ("Conv2d3", nn.Conv2d),
        ("Dropout2d", nn.Dropout2d),
        ("LSTMCell", nn.LSTMCell),
        ("ReLU6", nn.ReLU6),
        ("ReLU", nn.ReLU),
        ("MLPHead", layers.MLP),
        ("MassMLP2", layers.MassMLP),
        ("activation", layers.Activation),
        ("torch.nn:GELU", nn.GELU),
    ],
)
def test_longest_name_that_starts_the_key(key, cls):
    assert find(key).__name__ == cls.__name__


@settings(deadline=None)
@given(name=st.sampled_from(known()), rest=st.from_regex(r"([A-Z0-9_][A-Za-z0-9]*)?", fullmatch=True))
def test_a_key_is_found_by_the_longest_known_start(name, rest):
    starts = [word for word in known() if (name + rest).startswith(word)]
    assert find(name + rest).__name__.lower() == max(starts, key=len).replace("_", "").lower() or rest


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("Linaer", "unknown layer 'Linaer' (did you mean 'Linear'?)"),
        ("Lineare", "unknown layer 'Lineare' (did you mean 'Linear'?)"),
        ("TauCNM", "unknown layer 'TauCNM' (did you mean 'TauCNN'?)"),
        ("no_such_module_here:Net", "the module 'no_such_module_here' cannot be imported"),
        ("torch.nn:Linera", "there is no 'Linera' in the module 'torch.nn' (did you mean 'Linear'?)"),
        ("torch.nn:functional", "'functional' is no torch.nn.Module"),
        (":Net", "cannot be imported"),
        ("", "unknown layer ''"),
    ],
)
def test_an_unknown_key_names_the_nearest(key, message):
    with pytest.raises(LookupError) as error:
        find(key)
    assert message in str(error.value)
    assert not isinstance(error.value, KeyError)  # whose text would be in quotes


@pytest.mark.parametrize("key", ["ModuleList", "MSELoss", "Module"])
def test_what_is_no_layer_is_not_known(key):
    assert key not in known()
    with pytest.raises(LookupError):
        find(key)


def test_register_makes_a_class_known(registered):
    register(Shrug)
    register(Shrug)  # a notebook's cell that is run twice
    register(Shrug, "LinearShrug")
    assert find("Shrug3") is Shrug
    assert find("LinearShrug") is Shrug
    assert "Shrug" in known()


def test_a_registered_name_goes_before_torch(registered):
    registered["GELU"] = Shrug
    assert find("GELU") is Shrug


def test_a_taken_key_is_refused(registered):
    with pytest.raises(ValueError, match="the key 'TauCNN' is taken by tsunagu"):
        register(Shrug, "TauCNN")


@pytest.mark.parametrize(
    ("cls", "args"),
    [
        (layers.TauCNN, {}),
        (layers.TauCNN, {"channels": 16, "kernel": 5}),
        (nn.Linear, {"in_features": 1, "out_features": 2}),
        (nn.Linear, [1, 2]),
        (nn.Linear, [1, 2, False]),
        (nn.Sequential, [nn.ReLU(), nn.ReLU()]),
        (layers.Activation, {"name": "AdaptiveAvgPool2d", "output_size": 1}),
        (torch.optim.Adam, {"params": [], "lr": 0.1}),
        (nn.ReLU, {}),
        (nn.ReLU, []),
    ],
)
def test_arguments_that_fit(cls, args):
    assert check_args(cls, args) is None


@pytest.mark.parametrize(
    ("cls", "args", "message"),
    [
        (layers.TauCNN, {"chanels": 16}, "unknown argument 'chanels' (did you mean 'channels'?)"),
        (layers.MLP, {"hiden": [1], "output": 2}, "unknown argument 'hiden' (did you mean 'hidden'?); unknown argument 'output' (did you mean 'outputs'?)"),
        (nn.Linear, {"in_features": 1}, "missing argument 'out_features'"),
        (nn.Linear, {}, "missing argument 'in_features'; missing argument 'out_features'"),
        (nn.Linear, [], "missing argument 'in_features'; missing argument 'out_features'"),
        (nn.Identity, {"a": 1}, None),
        (nn.Tanh, {"a": 1}, "unknown argument 'a' (it takes none)"),
        (nn.Tanh, [1], "1 positional arguments, but only 0 are taken (none)"),
        (layers.Activation, {}, "missing argument 'name'"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit(cls, args, message):
    assert check_args(cls, args) == message
