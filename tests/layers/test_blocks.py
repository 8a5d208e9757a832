"""The blocks of the talk's networks, and the two networks as they are printed: their numbers of weights, their equations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from tsunagu.errors import SpecError
from tsunagu.layers import ConvResBlock, Dropout, FiLMSite, MLPBlock, ResBlock, film_sites
from tsunagu.spec import node, ref
from tsunagu.tasks import build, check_model

ARCHITECTURES = Path(__file__).parents[2] / "examples" / "architectures"
PINNED = {"resnet.yaml#cnn1": 5_583_360, "resnet.yaml#mlp1": 197_120, "mlp.yaml#mlp": 658_434}
TWO = {"n_input": 4, "n_output": 4, "activation": "GELU", "dropout_rate": 0.5}


def _random(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _section(name):
    return ref(name, base=ARCHITECTURES)


@pytest.mark.parametrize(("section", "parameters"), PINNED.items())
def test_the_networks_of_the_talk_have_the_weights_that_it_says(section, parameters):
    net = build(_section(section), seed=1)
    assert sum(p.numel() for p in net.parameters()) == parameters


def test_the_resnet_runs_from_images_to_two_logits():
    sections = [
        _section("resnet.yaml#cnn1"),
        node("Flatten"),
        _section("resnet.yaml#mlp1"),
        node("Linear", 256, 2),
    ]
    net = build(sections, seed=1)
    made = net(_random(2, 3, 16, 16))
    made.sum().backward()
    assert made.shape == (2, 2)
    assert all(p.grad is not None for p in net.parameters())


def test_a_misspelt_block_is_named_with_its_nearest_neighbour():
    model = _section("mlp.yaml#mlp")
    (mistake,) = check_model([*model[:-1], node("FiLMed_MLPBlok1", n_input=256, n_output=256)], ("mlp",))
    assert str(mistake) == "mlp.4.key: unknown layer 'FiLMed_MLPBlok1' (did you mean 'FiLMed_MLPBlock'?)"


def test_a_misspelt_node_deep_in_the_arguments_is_found_at_its_place():
    block = node("ResBlock", {"n_input": 4, "n_output": 4, "activation": node("GELO")})
    (mistake,) = check_model(block, ())
    assert mistake.path == ("args", 0, "activation", "key")


def test_a_dense_block_is_linear_normalisation_activation_dropout():
    block = MLPBlock(3, 5, "GELU", 0.5)
    assert [type(part) for part in block.layers] == [nn.Linear, nn.BatchNorm1d, nn.GELU, Dropout]
    x, linear = _random(8, 3), block.layers[0]
    block.layers[3].p = 0.0
    by_hand = functional.gelu(functional.batch_norm(linear(x), None, None, training=True))
    torch.testing.assert_close(block(x), by_hand)


@pytest.mark.parametrize("key", ["ResBlock2", "FiLMed_ResBlock2"])
def test_a_list_of_arguments_is_one_residual_around_that_many_blocks(key):
    block = build(node(key, TWO, TWO, TWO), seed=1).eval()
    x = _random(6, 4)
    assert len(block.blocks) == 3
    torch.testing.assert_close(block(x), x + block.blocks[2](block.blocks[1](block.blocks[0](x))))


def test_a_residual_of_convolutions_has_a_projection_also_between_equal_planes():
    block, x = ConvResBlock(4, 4, "GELU").eval(), _random(2, 4, 8, 8)
    first, bn1, act, second, bn2 = block.layers
    by_hand = functional.gelu(bn2(second(act(bn1(first(x))))) + functional.conv2d(x, block.shortcut.weight))
    assert block.shortcut.weight.shape == (4, 4, 1, 1)
    torch.testing.assert_close(block(x), by_hand)


def test_strides_reach_the_shortcut():
    block = ConvResBlock(3, 8, conv_args=[{"kernel_size": 3, "padding": 1, "stride": 2}] * 2)
    assert block(_random(2, 3, 16, 16)).shape == (2, 8, 4, 4)


@pytest.mark.parametrize(
    ("key", "args", "site"),
    [
        ("MLPBlock", {"n_input": 4, "n_output": 6}, (6, "layers.3")),
        ("ConvResBlock", {"in_plane": 3, "out_plane": 6}, (6, "layers.5")),
    ],
)
def test_a_site_does_nothing_and_costs_nothing_without_a_condition(key, args, site):
    plain, filmed = build(node(key, **args), seed=1), build(node(f"FiLMed_{key}1", **args), seed=1)
    features, path = site
    found = film_sites(filmed)
    assert {name: part.features for name, part in found.items()} == {path: features}
    assert [p.shape for p in filmed.parameters()] == [p.shape for p in plain.parameters()]
    filmed.load_state_dict(plain.state_dict())
    x = _random(5, 4) if key == "MLPBlock" else _random(5, 3, 8, 8)
    assert torch.equal(filmed(x), plain(x))
    assert FiLMSite(3)(x) is x


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([], "one block at least"),
        ([{"n_input": 3, "n_outputs": 3}], "block 0: unknown argument 'n_outputs' .did you mean 'n_output'"),
        ([TWO, 7], "block 1: expected the arguments of a block by name, found 7"),
        ([TWO, {"n_input": 5, "n_output": 4}], "found 4 -> 4, 5 -> 4"),
    ],
)
def test_a_residual_that_cannot_be_is_refused(blocks, message):
    with pytest.raises(ValueError, match=message):
        ResBlock(*blocks)


def test_one_convolution_is_no_residual():
    with pytest.raises(SpecError, match="arguments of two convolutions, found 1"):
        build(node("ConvResBlock", in_plane=3, out_plane=4, conv_args=[{"kernel_size": 3}]), seed=1)
