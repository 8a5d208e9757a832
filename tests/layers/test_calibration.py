"""The candidates of the first task, one by one."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsunagu.layers import ScaleFactor, TauCNN, TauMLP


@pytest.mark.parametrize(
    ("channels", "kernel", "flat"), [(32, 3, 128), (16, 3, 64), (32, 5, 32), (8, 1, 72), (4, 4, 9)]
)
def test_the_last_map_follows_channels_and_kernel(channels, kernel, flat):
    net = TauCNN(channels=channels, kernel=kernel)
    dense = [layer for layer in net.embed if isinstance(layer, torch.nn.Linear)]
    assert dense[0].in_features == flat
    assert net(torch.rand(2, 2, 3, 16, 16), torch.rand(2, 2, 4)).shape == (2, 2, 3)


@pytest.mark.parametrize("kernel", [0, 7, 16])
def test_a_kernel_that_leaves_nothing_is_refused(kernel):
    with pytest.raises(ValueError, match=f"kernel must be from 1 to 6 on 16 pixels, found {kernel}"):
        TauCNN(kernel=kernel)


def test_the_largest_kernel_runs():
    assert TauCNN(kernel=6)(torch.rand(1, 2, 3, 16, 16), torch.rand(1, 2, 4)).shape == (1, 2, 3)


def test_too_few_channels_are_refused():
    with pytest.raises(ValueError, match="channels must be 4 or more"):
        TauCNN(channels=3)


@pytest.mark.parametrize("cls", [TauCNN, TauMLP])
def test_another_image_shape_and_another_number_of_jets(cls):
    net = cls(image=[2, 20, 12])
    assert net(torch.rand(3, 1, 2, 20, 12), torch.rand(3, 1, 4)).shape == (3, 1, 3)


def test_sizes_are_settings():
    net = TauMLP(features=[8], hidden=[])
    assert sum(w.numel() for w in net.parameters()) == (768 * 8 + 8) + (8 * 4 + 4) + (8 * 3 + 3)


@settings(deadline=None)
@given(
    pt=st.floats(1.0, 1000.0),
    eta=st.floats(-3.0, 3.0),
    phi=st.floats(-math.pi, math.pi),
    jets=st.integers(1, 3),
)
def test_a_fresh_scale_factor_is_the_identity(pt, eta, phi, jets):
    p4 = torch.tensor([pt, eta, phi, 3.0], dtype=torch.float64).expand(1, jets, 4)
    torch.testing.assert_close(ScaleFactor().double()(p4), p4[..., :3])


def test_scale_factor_pinned():
    net = ScaleFactor()
    net.scale.data = torch.tensor([1.0, 2.0, 1.0])
    net.shift.data = torch.tensor([math.log(2.0), 0.5, 2.0])
    result = net(torch.tensor([[[90.0, 0.5, 2.0, 1.0]]]))  # x = 0, so exp(x + log 2) - 0.1 = 1.9 in 100 GeV
    torch.testing.assert_close(result, torch.tensor([[[190.0, 1.5, 4.0 - 2.0 * math.pi]]]))


def test_scale_factor_takes_momenta_by_name_or_last():
    image, p4 = torch.rand(2, 2, 3, 16, 16), torch.rand(2, 2, 4)
    net = ScaleFactor()
    assert torch.equal(net(image, p4), net(jet_p4=p4))
    assert torch.equal(net(p4), net(image, jet_p4=p4))
