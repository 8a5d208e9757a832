"""The controls take anything and learn nothing."""

import pytest
import torch

from tsunagu.layers import Noise, Zero


@pytest.mark.parametrize("cls", [Zero, Noise])
@pytest.mark.parametrize("output", [[], [2, 3], (4,)])
def test_any_inputs_give_the_output_shape(cls, output):
    net = cls(output=output)
    x = torch.rand(5, 7)
    assert net(x).shape == (5, *output)
    assert net(x, x[:, 0]).shape == (5, *output)
    assert net(jet=x, image=x).shape == (5, *output)
    assert not list(net.parameters())


@pytest.mark.parametrize("cls", [Zero, Noise])
def test_dtype_follows_the_first_input(cls):
    assert cls()(torch.zeros(2, dtype=torch.float64)).dtype == torch.float64
    assert cls()(torch.zeros(2, dtype=torch.int64)).dtype == torch.float32


def test_zero_is_zero():
    assert not Zero([2])(torch.rand(3, 1)).any()
