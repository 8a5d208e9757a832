"""The candidates of the second task, one by one."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsunagu.layers import LSTM, MLP, MassMLP, pair_mass


@pytest.mark.parametrize(
    ("shape", "args"),
    [
        ((5, 7), {"inputs": 7}),
        ((5,), {"inputs": 1}),
        ((5, 2, 2, 3), {"inputs": 12}),
        ((5, 2, 3), {"inputs": 6}),
    ],
)
def test_an_mlp_of_anything(shape, args):
    assert MLP(**args, outputs=2, momenta=False)(torch.rand(shape)).shape == (5, 2)


def test_momenta_with_a_mass():
    assert MLP(inputs=8)(torch.rand(5, 2, 4)).shape == (5,)
    assert LSTM(inputs=4)(torch.rand(5, 2, 4)).shape == (5,)


def test_the_logarithm_is_taken_of_momenta_only():
    x = torch.rand(5, 2, 3) * 100
    plain, momenta = MLP(hidden=[], momenta=False), MLP(hidden=[])
    plain.load_state_dict(momenta.state_dict())
    assert not torch.allclose(plain(x), momenta(x))
    entered = torch.cat([(x[..., :1] * 0.01 + 0.1).log(), x[..., 1:]], dim=-1)
    torch.testing.assert_close(plain(entered), momenta(x))


@pytest.mark.parametrize("net", [MLP(), LSTM(), MassMLP()])
@pytest.mark.parametrize("shape", [(5, 3), (5, 2, 5), (5, 2, 1, 3)])
def test_other_shapes_than_momenta_are_named(net, shape):
    with pytest.raises(ValueError, match=r"momenta \[E, N, 3\] = \(pt, eta, phi\) expected, found \[5, "):
        net(torch.rand(shape))


def test_another_number_of_inputs_is_named():
    with pytest.raises(ValueError, match=r"MLP\(inputs=6\) found 9 numbers per event in \[5, 3, 3\]"):
        MLP()(torch.rand(5, 3, 3))


def test_no_lstm_at_all_is_refused():
    with pytest.raises(ValueError, match="hidden must hold"):
        LSTM(hidden=[])


@pytest.mark.parametrize("sizes", [[0], [8, -1]])
def test_sizes_are_positive(sizes):
    with pytest.raises(ValueError, match="layer sizes must be positive"):
        MLP(hidden=sizes)


def test_lstm_takes_steps_in_order():
    x = torch.rand(5, 2, 3) * 100
    assert not torch.allclose(LSTM()(x), LSTM()(x.flip(1)))


def test_lstm_recurrent_weights_are_orthogonal_and_biases_zero():
    for layer in LSTM().layers:
        gram = layer.weight_hh_l0.T @ layer.weight_hh_l0
        torch.testing.assert_close(gram, torch.eye(len(gram)), atol=1e-5, rtol=0.0)
        assert not layer.bias_ih_l0.any()
        assert not layer.bias_hh_l0.any()


def test_pair_mass_pinned():
    # Two taus at rest: m^2 = (2 sqrt(m_tau^2 + 0.1))^2 and 0.1 under the outer root.
    rest = torch.zeros(1, 2, 3, dtype=torch.float64)
    assert pair_mass(rest).item() == pytest.approx(math.sqrt(4 * (1.777**2 + 0.1) + 0.1))
    # Back to back with 62.5 GeV each: E = sqrt(62.5^2 + 1.777^2 + 0.1) and no momentum.
    pair = torch.tensor([[[62.5, 0.0, 0.0], [62.5, 0.0, math.pi]]], dtype=torch.float64)
    assert pair_mass(pair).item() == pytest.approx(math.sqrt(4 * (62.5**2 + 1.777**2 + 0.1) + 0.1))


momenta = st.tuples(st.floats(1.0, 300.0), st.floats(-2.5, 2.5), st.floats(-math.pi, math.pi))


@settings(deadline=None)
@given(first=momenta, second=momenta, turn=st.floats(-3.0, 3.0), boost=st.floats(-2.0, 2.0))
def test_pair_mass_is_that_of_light_taus_and_does_not_turn(first, second, turn, boost):
    pair = torch.tensor([[first, second]], dtype=torch.float64)
    mass = pair_mass(pair)
    light = 2 * first[0] * second[0] * (math.cosh(first[1] - second[1]) - math.cos(first[2] - second[2]))
    assert mass.item() >= math.sqrt(max(light, 0.0)) - 1e-6
    torch.testing.assert_close(mass, pair_mass(pair + torch.tensor([0.0, 0.0, turn], dtype=torch.float64)))
    torch.testing.assert_close(mass, pair_mass(pair.flip(1)))


@pytest.mark.parametrize("value", [0.0, 1e3])
def test_pair_mass_of_equal_taus_has_a_finite_gradient(value):
    pair = torch.full((3, 2, 3), value, requires_grad=True)
    mass = pair_mass(pair)
    mass.sum().backward()
    assert torch.isfinite(mass).all()
    assert torch.isfinite(pair.grad).all()


def test_pair_mass_gradient():
    pair = torch.rand(4, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 0.5
    assert torch.autograd.gradcheck(pair_mass, pair.requires_grad_())
