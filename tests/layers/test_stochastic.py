"""Random numbers come from generators that a seed sets back, and from nowhere else."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tsunagu.layers import MLP, Dropout, Noise, Stochastic, adopt, reseed, stochastic
from tsunagu.random import derive_seed

ONES = torch.ones(64, 8)


@pytest.fixture(autouse=True)
def _global_generator_stays():
    before = torch.random.get_rng_state()
    yield
    assert torch.equal(before, torch.random.get_rng_state())


def built(cls, *args, **kwargs):
    with torch.random.fork_rng(devices=[]):
        return cls(*args, **kwargs)


def noisy():
    return nn.Sequential(Dropout(0.5), nn.ReLU(), Dropout(0.5))


@pytest.mark.parametrize("layer", [Dropout(), Noise(), Noise([2, 3])])
def test_the_same_seed_gives_the_same_draws(layer):
    def draws(seed):
        layer.reseed(seed)
        return torch.stack([layer(ONES), layer(ONES)])

    assert torch.equal(draws(1), draws(1))
    assert not torch.equal(draws(1), draws(2))
    assert not torch.equal(*draws(1))
    assert isinstance(layer, Stochastic)


def test_reseed_reaches_every_leaf_by_its_path():
    net = noisy()
    reseed(net, 3)
    alone = Dropout(0.5)
    alone.reseed(derive_seed(3, "2"))
    assert torch.equal(net[2](ONES), alone(ONES))
    assert not torch.equal(net[0](ONES), net[2](ONES))
    assert [path for path, _ in stochastic(net)] == ["0", "2"]


def test_a_layer_without_children_has_the_empty_path():
    one, other = Dropout(), Dropout()
    reseed(one, 4)
    other.reseed(derive_seed(4, ""))
    assert torch.equal(one(ONES), other(ONES))


@settings(deadline=None)
@given(p=st.floats(0.0, 1.0), seed=st.integers(0, 2**63 - 1))
def test_dropout_zeroes_or_scales(p, seed):
    layer = Dropout(p)
    layer.reseed(seed)
    result = layer(ONES)
    kept = result != 0.0
    assert abs(kept.float().mean().item() - (1 - p)) < 0.15
    torch.testing.assert_close(result[kept], (ONES / max(1 - p, 1e-9))[kept])


def test_dropout_keeps_the_mean():
    layer = Dropout(0.2)
    assert layer(torch.ones(200_000)).mean().item() == pytest.approx(1.0, abs=0.01)


def test_dropout_is_the_identity_in_evaluation():
    assert Dropout(0.9).eval()(ONES) is ONES


def test_dropout_gradient_passes_where_the_number_passed():
    x = ONES.clone().requires_grad_()
    layer = Dropout(0.5)
    result = layer(x)
    result.sum().backward()
    assert torch.equal(x.grad, result.detach())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dropout_keeps_the_dtype(dtype):
    assert Dropout()(ONES.to(dtype)).dtype == dtype


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan")])
def test_a_probability_is_from_0_to_1(p):
    with pytest.raises(ValueError, match="from 0 to 1"):
        Dropout(p)


def test_channel_dropout_drops_whole_channels():
    result = Dropout(0.5, dims=2)(torch.ones(8, 16, 3, 3))
    assert ((result == 0).all((2, 3)) | (result != 0).all((2, 3))).all()
    assert 0 < (result == 0).float().mean() < 1


def test_noise_is_normal_also_in_evaluation():
    draws = Noise([2, 3]).eval()(torch.zeros(20_000, 1))
    assert draws.mean().item() == pytest.approx(0.0, abs=0.02)
    assert draws.std().item() == pytest.approx(1.0, abs=0.02)


def test_copies_go_their_own_way():
    layer = Dropout()
    layer(ONES)
    twin = copy.deepcopy(layer)
    assert torch.equal(layer(ONES), twin(ONES))
    layer.reseed(9)
    assert not torch.equal(layer(ONES), twin(ONES))


def test_generators_are_no_state():
    net = built(MLP, dropout=0.5)
    assert all(key.endswith(("weight", "bias")) for key in net.state_dict())


class Users(nn.Module):
    """A user's network with dropout in many places."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Dropout(0.3)
        self.body = nn.Sequential(nn.Linear(2, 2), self.shared, nn.Sequential(nn.Dropout2d(0.1)))
        self.parts = nn.ModuleDict({"a": nn.Dropout(0.2).eval()})


def test_adopt_replaces_dropout_everywhere():
    net = adopt(built(Users))
    assert not any(type(m).__module__.endswith("nn.modules.dropout") for m in net.modules())
    assert net.shared is net.body[1]
    assert (net.shared.p, net.body[2][0].p, net.body[2][0].dims) == (0.3, 0.1, 2)
    assert net.shared.training
    assert not net.parts["a"].training


def test_adopt_a_layer_itself():
    assert type(adopt(nn.Dropout(0.4))) is Dropout
    ours = Dropout(0.4)
    assert adopt(ours) is ours


def test_adopt_a_transformer_layer_without_attention_dropout():
    layer = built(nn.TransformerEncoderLayer, 4, 2, 8, dropout=0.0)
    for child in layer.children():
        if isinstance(child, nn.Dropout):
            child.p = 0.5
    net = adopt(layer)
    assert {path for path, _ in stochastic(net)} == {"dropout", "dropout1", "dropout2"}
    reseed(net, 1)
    x = torch.ones(3, 5, 4)
    first = net(x)
    reseed(net, 1)
    assert torch.equal(first, net(x))


@pytest.mark.parametrize(
    ("module", "named"),
    [
        (nn.AlphaDropout(), "itself (AlphaDropout)"),
        (nn.Sequential(nn.ReLU(), nn.RReLU()), "1 (RReLU)"),
        (nn.LSTM(2, 2, 2, dropout=0.1), "itself (LSTM)"),
        (nn.MultiheadAttention(4, 2, dropout=0.1), "itself (MultiheadAttention)"),
    ],
)
def test_adopt_names_what_it_cannot_replace(module, named):
    with pytest.raises(ValueError, match="global generator") as error:
        adopt(module)
    assert named in str(error.value)
