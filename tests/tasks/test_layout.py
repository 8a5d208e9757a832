"""The layers of a model with shapes and sizes, and where they do not fit each other."""

from __future__ import annotations

import pytest

from tsunagu.errors import SpecError
from tsunagu.spec import node
from tsunagu.tasks import input_shape, layout


def test_layers_are_listed_with_their_shapes_and_sizes():
    layers = layout([node("Conv2dFirst", 3, 4, 3), [node("Flatten"), node("Linear", 144, 2)]], (3, 8, 8))
    assert [(layer.key, layer.shape, layer.parameters) for layer in layers] == [
        ("Conv2dFirst", (4, 6, 6), 112),
        ("Flatten", (144,), 0),
        ("Linear", (2,), 290),
    ]


def test_a_layer_that_does_not_fit_the_one_before_is_named():
    with pytest.raises(SpecError, match=r"model.1: fails on events of shape \[3\]"):
        layout([node("Linear", 2, 3), node("Linear", 4, 1)], (2,), ("model",))


def test_what_is_no_tensor_is_named():
    with pytest.raises(SpecError, match="expected a tensor, found a tuple"):
        layout(node("torch.nn:LSTM", 2, 3), (5, 2))


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (node("ConvResBlock1", in_plane=3, out_plane=8), (3, 16, 16)),
        ([[node("Conv2d", in_channels=5, out_channels=8, kernel_size=3)]], (5, 16, 16)),
        ([node("FiLMed_MLPBlock1", n_input=7, n_output=8)], (7,)),
        (node("ResBlock", {"n_input": 6, "n_output": 6}), (6,)),
        (node("LinearLast", 4, 2), (4,)),
        (node("ReLU"), None),
        ([], None),
    ],
)
def test_the_first_layer_tells_the_shape_of_an_event(model, shape):
    assert input_shape(model) == shape
