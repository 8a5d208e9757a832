"""Physical units to network units and back."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsunagu.layers import LogMomentum, correct, from_log_pt, log_pt, wrap


@settings(deadline=None)
@given(pt=st.floats(0.0, 1e5), scale=st.sampled_from([1e-2, 1e-3]))
def test_log_pt_and_back(pt, scale):
    there = log_pt(torch.tensor(pt, dtype=torch.float64), scale)
    assert from_log_pt(there, scale).item() == pytest.approx(pt, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("pt", "x"), [(0.0, math.log(0.1)), (90.0, 0.0), (40.0, math.log(0.5)), (-1e6, math.log(1e-4))]
)
def test_log_pt_pinned(pt, x):
    assert log_pt(torch.tensor(pt)).item() == pytest.approx(x, abs=1e-6)


@settings(deadline=None)
@given(x=st.floats(-1e6, 1e6))
def test_pt_is_never_negative_nor_infinite(x):
    assert 0.0 <= from_log_pt(torch.tensor(x)).item() < 1.2e5


@settings(deadline=None)
@given(phi=st.floats(-100.0, 100.0))
def test_wrap_moves_by_whole_turns(phi):
    angle = wrap(torch.tensor(phi, dtype=torch.float64)).item()
    assert abs(angle) <= math.pi + 1e-12
    assert math.isclose(math.cos(angle - phi), 1.0, abs_tol=1e-9)


def test_wrap_has_the_derivative_one():
    phi = torch.linspace(-7.0, 7.0, 50, requires_grad=True)
    wrap(phi).sum().backward()
    assert torch.equal(phi.grad, torch.ones(50))


def test_log_momentum_with_a_mass():
    p4 = torch.tensor([[40.0, -1.5, 3.0, 4.0]])
    torch.testing.assert_close(LogMomentum()(p4), torch.tensor([[math.log(0.5), -1.5, 3.0, math.log(0.5)]]))
    assert LogMomentum()(p4[:, :3]).shape == (1, 3)


def test_log_momentum_names_another_shape():
    with pytest.raises(ValueError, match=r"on the last axis, found \[2, 5\]"):
        LogMomentum()(torch.zeros(2, 5))


def test_correct_ignores_what_follows_the_angles():
    jet = torch.tensor([[0.0, 4.0, 3.0, 7.0]])
    result = correct(jet, torch.tensor([[0.0, 3.0, 0.5]]))
    torch.testing.assert_close(result, torch.tensor([[90.0, 5.0, 3.5 - 2 * math.pi]]))


def test_correct_gradient():
    jet = torch.rand(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.autograd.gradcheck(correct, (jet, jet.clone().requires_grad_()))
