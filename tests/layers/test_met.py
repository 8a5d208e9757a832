"""What the missing momentum means to each candidate of the second task, and what symmetries the new ones have."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsunagu.layers import (
    LSTM,
    MLP,
    Attention,
    LeadingFrame,
    TauAttention,
    find,
    pair_logs,
    transverse_masses,
)
from tsunagu.layers.classification import pair_mass
from tsunagu.tasks import build

ALL = ["LSTM", "MLP", "MassMLP", "RotatedMLP", "ResidualMLP", "DeepSets", "TauAttention", "LeadingFrame"]
FRAMED = ["RotatedMLP", "ResidualMLP", "DeepSets", "TauAttention", "LeadingFrame"]
TURN = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)


def _made(key, **args):
    from tsunagu.spec import node

    return build(node(key, **args), seed=3).double().eval()


def _events(count=6, taus=2, seed=1):
    draw = torch.Generator().manual_seed(seed)
    p4 = torch.rand(count, taus, 3, generator=draw, dtype=torch.float64)
    met = torch.randn(count, 2, generator=draw, dtype=torch.float64) * 20
    low, high = torch.tensor([20.0, -2.5, -math.pi]), torch.tensor([120.0, 2.5, math.pi])
    return low + (high - low) * p4, met


def _turned(met, angle):
    cosine, sine = math.cos(angle), math.sin(angle)
    return met @ torch.tensor([[cosine, sine], [-sine, cosine]], dtype=met.dtype)


@pytest.mark.parametrize("key", ALL)
def test_the_missing_momentum_is_read_left_or_refused(key):
    taus, met = _events()
    reads, leaves, refuses = (_made(key, met=setting) for setting in (True, False, None))
    assert not torch.allclose(reads(taus, met), reads(taus, -met))
    torch.testing.assert_close(leaves(taus, met), leaves(taus))
    with pytest.raises(ValueError, match="say with the argument met, true or false, whether it is read"):
        refuses(taus, met)
    with pytest.raises(ValueError, match=r"\[E, 2\] = \(x, y\) in GeV is read, found none"):
        reads(taus)
    with pytest.raises(ValueError, match=r"is read, found \[6, 3\]"):
        reads(taus, taus[:, 0])


@pytest.mark.parametrize("cls", [MLP, LSTM])
def test_beside_other_inputs_than_momenta_it_means_nothing(cls):
    with pytest.raises(ValueError, match="met: true needs momenta: true"):
        cls(momenta=False, met=True)


@pytest.mark.parametrize("key", ALL)
@pytest.mark.parametrize("met", [(0.0, 0.0), (1e-4, 0.0), (-30.0, 0.0), (5e3, -5e3)])
def test_gradients_are_finite_for_any_missing_momentum(key, met):
    taus = _events()[0].requires_grad_()
    missing = torch.tensor(met, dtype=torch.float64).repeat(len(taus), 1).requires_grad_()
    made = _made(key, met=True)(taus, missing)
    made.square().sum().backward()
    assert all(torch.isfinite(x).all() for x in (made, taus.grad, missing.grad))


@settings(deadline=None, max_examples=20)
@given(angle=st.floats(-7.0, 7.0), seed=st.integers(0, 100))
@pytest.mark.parametrize("met", [True, None])
@pytest.mark.parametrize("key", FRAMED)
def test_a_turn_about_the_beam_changes_nothing(key, met, angle, seed):
    taus, missing = _events(seed=seed)
    net = _made(key, met=met)
    before, after = (missing, _turned(missing, angle)) if met else (None, None)
    torch.testing.assert_close(net(taus + angle * TURN, after), net(taus, before))


@pytest.mark.parametrize("key", FRAMED)
def test_mirrors_and_the_order_of_the_taus_change_nothing(key):
    taus, met = _events()
    net = _made(key, met=True)
    up, side = torch.tensor([1.0, -1.0, 1.0]), torch.tensor([1.0, 1.0, -1.0])
    expected = net(taus, met)
    torch.testing.assert_close(net(taus * up, met), expected)
    torch.testing.assert_close(net(taus * side, met * torch.tensor([1.0, -1.0])), expected)
    torch.testing.assert_close(net(taus.flip(1), met), expected)
    kept = _made(key, met=True, reflect=False)
    assert not torch.allclose(kept(taus * up, met), kept(taus, met))


@pytest.mark.parametrize("key", ["DeepSets", "TauAttention"])
def test_sets_take_any_number_of_taus_in_any_order(key):
    taus, met = _events(taus=5)
    net = _made(key, met=True)
    torch.testing.assert_close(net(taus[:, [3, 0, 4, 1, 2]], met), net(taus, met))


@pytest.mark.parametrize("key", ["MLP", "LSTM"])
def test_the_candidates_of_the_talk_know_no_such_symmetry(key):
    taus, met = _events()
    net = _made(key, met=True)
    assert not torch.allclose(net(taus + TURN, _turned(met, 1.0)), net(taus, met))


def test_the_frame_pinned():
    # The second tau leads: it goes to phi = 0 and eta > 0; the other one is 1 radian away, then on the positive side.
    taus = torch.tensor([[[40.0, 1.0, 0.5, 1.7], [90.0, -0.5, 1.5, 1.7]]], dtype=torch.float64)
    met = 30.0 * torch.tensor([[math.cos(1.5 + 0.3), math.sin(1.5 + 0.3)]], dtype=torch.float64)
    size = math.hypot(30.0, 1.0)
    leading, other = [0.0, 0.5, 1.0, 0.0], [math.log(0.5), -1.0, math.cos(1.0), math.sin(1.0)]
    missing = [math.log(0.01 * size + 0.1), 30.0 / size * math.cos(0.3), -30.0 / size * math.sin(0.3)]
    found = LeadingFrame(met=True).double()(taus, met)
    torch.testing.assert_close(found, torch.tensor([[*leading, *other, *missing]], dtype=torch.float64))


def test_pair_logs_are_the_masses():
    taus, met = _events()
    logs = pair_logs(taus, met)
    torch.testing.assert_close(logs, logs.mT)
    masses = 100.0 * logs.exp()
    # pair_mass counts the taus' own masses, too: a few GeV^2 among thousands.
    torch.testing.assert_close(masses[:, 0, 1], pair_mass(taus), rtol=0.02, atol=0.3)
    torch.testing.assert_close(masses[:, :2, 2], transverse_masses(taus, met), rtol=0.02, atol=0.3)
    torch.testing.assert_close(masses.diagonal(dim1=1, dim2=2), torch.ones(6, 3, dtype=torch.float64))


def test_transverse_mass_pinned():
    taus = torch.tensor([[[40.0, 1.0, 0.0], [40.0, -1.0, math.pi]]], dtype=torch.float64)
    met = torch.tensor([[30.0, 0.0]], dtype=torch.float64)
    size = math.hypot(30.0, 1.0)
    wanted = [math.sqrt(80.0 * (size - 30.0) + 0.1), math.sqrt(80.0 * (size + 30.0) + 0.1)]
    assert transverse_masses(taus, met)[0].tolist() == pytest.approx(wanted)


def test_attention_is_that_of_torch_where_pairs_do_not_count():
    ours = Attention(8, 2).double()
    theirs = torch.nn.MultiheadAttention(8, 2, batch_first=True).double()
    theirs.in_proj_weight.data = ours.ask.weight.data
    theirs.out_proj.load_state_dict(ours.give.state_dict())
    x = torch.randn(5, 3, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    normal = ours.norm(x)
    pairs = torch.full((5, 3, 3), 7.0, dtype=torch.float64)  # the same for all: a softmax does not see it
    torch.testing.assert_close(ours(x, pairs), x + theirs(normal, normal, normal)[0])
    with pytest.raises(ValueError, match="width must be a multiple of heads, found 8 and 3"):
        TauAttention(width=8, heads=3)


def test_a_heavier_pair_is_looked_at_more():
    net = Attention(4, 1)
    torch.nn.init.ones_(net.pair.weight)
    torch.nn.init.zeros_(net.ask.weight[:8])
    pairs = torch.tensor([[[0.0, 50.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])
    x = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(1))
    seen = net.give(net.ask(net.norm(x)).chunk(3, dim=-1)[2])
    torch.testing.assert_close(net(x, pairs)[0, 0], (x + seen[:, 1:2])[0, 0])


def test_a_choice_may_decide_whether_it_is_read():
    taus, met = _events()
    assert {find("DeepSets")(met=setting).double()(taus, met).shape for setting in (True, False)} == {(6,)}
