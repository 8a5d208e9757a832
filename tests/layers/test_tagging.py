"""What an earlier task says about each jet: how it is made, and how it reaches later models."""

from __future__ import annotations

import pytest
import torch

from tsunagu.layers import JetTagger
from tsunagu.spec import node
from tsunagu.tasks import build

CALIBRATIONS = ["TauMLP", "TauCNN"]
FRAMED = {"RotatedMLP": {"taus": 3}, "ResidualMLP": {"taus": 3}, "DeepSets": {}, "TauAttention": {}}


def _made(key, **args):
    return build(node(key, **args), seed=3).eval()


def _random(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def _jets(count=5):
    return 5.0 * _random(count, 2, 3, 16, 16) ** 8, 50.0 * _random(count, 2, 4, seed=2)


@pytest.mark.parametrize(("outputs", "shape"), [(1, (5, 2)), (2, (5, 2, 2)), (4, (5, 2, 4))])
def test_a_tagger_says_so_much_about_each_jet_and_jets_share_the_weights(outputs, shape):
    image, p4 = _jets()
    net = JetTagger(outputs)
    made = net(image, p4)
    assert made.shape == shape
    torch.testing.assert_close(net(image.flip(1), p4.flip(1)), made.flip(1))


def test_a_tagger_looks_at_image_and_momentum():
    image, p4 = _jets()
    net = JetTagger()
    assert sum(weight.numel() for weight in net.parameters()) == 768 * 32 + 32 + 36 * 32 + 32 + 32 * 2 + 2
    assert not torch.allclose(net(image, p4), net(0 * image, p4))
    assert not torch.allclose(net(image, p4), net(image, 2 * p4))


@pytest.mark.parametrize("key", CALIBRATIONS)
def test_a_calibration_is_told_about_its_own_jet(key):
    image, p4 = _jets()
    tag = torch.tensor([[1, 0], [3, 1]]).repeat(5, 1, 1)
    net = _made(key, tags=2)
    made, other = net(image, p4, tag), net(image, p4, tag * torch.tensor([[1], [0]]))
    torch.testing.assert_close(made, net(image, p4, tag.float()))
    assert torch.equal(made[:, 0], other[:, 0])
    assert not torch.allclose(made[:, 1], other[:, 1])


@pytest.mark.parametrize("key", FRAMED)
def test_each_tau_keeps_its_tags_in_any_order(key):
    taus, tag = 100.0 * _random(5, 3, 3), _random(5, 3, 2, seed=2)
    net, order = _made(key, tags=2, **FRAMED[key]), [2, 0, 1]
    made = net(taus, tag=tag)
    torch.testing.assert_close(net(taus[:, order], tag=tag[:, order]), made)
    assert not torch.allclose(net(taus, tag=tag[:, order]), made)


@pytest.mark.parametrize("key", FRAMED)
def test_tags_that_nobody_expects_do_not_fit(key):
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        _made(key)(_random(5, 2, 3), tag=_random(5, 2, 2))
