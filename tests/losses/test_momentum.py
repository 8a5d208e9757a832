"""The losses of the calibration: hand-computed values, units, periodicity."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tsunagu.losses import find_loss

KEYS = ["four_momentum", "four_momentum_ptetaphi"]
TAU = st.tuples(st.floats(0.0, 500.0), st.floats(-4.0, 4.0), st.floats(-math.pi, math.pi))


def momenta(*taus):
    return torch.tensor([taus], dtype=torch.float64)


def test_cartesian_pinned():
    # In 100 GeV: (1, 0, sinh 1) against (0, 2, 0), and (0.5, 0, 0) against itself.
    prediction = momenta((100.0, 1.0, 0.0), (50.0, 0.0, 0.0))
    truth = momenta((200.0, 0.0, math.pi / 2), (50.0, 0.0, 0.0))
    expected = (1.0 + 4.0 + math.sinh(1.0) ** 2) / 6.0
    assert find_loss("four_momentum")()(prediction, truth).item() == pytest.approx(expected)
    assert find_loss("four_momentum")(pt_scale=1.0)(prediction, truth).item() == pytest.approx(expected * 1e4)


def test_cartesian_eta_counts_within_five():
    far, edge, truth = momenta((10.0, 9.0, 0.0)), momenta((10.0, 5.0, 0.0)), momenta((10.0, 0.0, 0.0))
    loss = find_loss("four_momentum")()
    assert loss(far, truth).item() == loss(edge, truth).item()
    assert math.isfinite(loss(momenta((10.0, 1e6, 0.0)), truth).item())


def test_logarithmic_pinned():
    # x = log 1 = 0 against log 0.5; eta differs by 1, phi by 2 pi - 6 across the cut.
    prediction, truth = momenta((90.0, 1.0, 3.0)), momenta((40.0, 0.0, -3.0))
    expected = (math.log(2.0) ** 2 + 1.0 + (2 * math.pi - 6.0) ** 2) / 3.0
    assert find_loss("four_momentum_ptetaphi")()(prediction, truth).item() == pytest.approx(expected)


@pytest.mark.parametrize("key", KEYS)
@given(tau=TAU, other=TAU, turns=st.integers(-3, 3))
@settings(deadline=None)
def test_a_whole_turn_changes_nothing(key, tau, other, turns):
    moved = (tau[0], tau[1], tau[2] + 2 * math.pi * turns)
    loss = find_loss(key)()
    expected = loss(momenta(tau), momenta(other)).item()
    # Half a turn apart the wrapped difference jumps between -pi and pi, whose squares agree.
    assert loss(momenta(moved), momenta(other)).item() == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("key", KEYS)
def test_the_gradient_across_the_cut_points_the_short_way(key):
    prediction = momenta((50.0, 0.0, 3.1)).requires_grad_()
    find_loss(key)()(prediction, momenta((50.0, 0.0, -3.1))).backward()
    assert prediction.grad[0, 0, 2] < 0  # a larger phi is nearer


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("pt", [0.0, -5.0, -1e6])
def test_a_pt_that_cannot_be_stays_finite(key, pt):
    prediction = momenta((pt, 0.0, 0.0)).requires_grad_()
    loss = find_loss(key)()(prediction, momenta((50.0, 0.0, 0.0)))
    loss.backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(prediction.grad).all()


@pytest.mark.parametrize("key", KEYS)
def test_a_flat_prediction_meets_the_target(key):
    prediction, truth = torch.rand(4, 2, 3), torch.rand(4, 2, 3)
    loss = find_loss(key)()
    assert torch.equal(loss(prediction.flatten(1), truth), loss(prediction, truth))


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("target", "message"),
    [
        (torch.zeros(4, 2), r"momenta [E, N, 3] = (pt, eta, phi) expected, found [4, 2]"),
        (torch.tensor([[[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]]), "1 of 2 transverse momenta are negative"),
        (
            torch.tensor([[[4e4, 0.0, 0.0]]]),
            "the median pt is 40000 GeV, which looks like MeV; GeV are expected",
        ),
        (torch.tensor([[[40.0, 0.0, 90.0]]]), "phi reaches 90, which looks like degrees"),
    ],
)
def test_columns_that_are_no_momenta(key, target, message):
    assert find_loss(key)().check(target).startswith(message)


@pytest.mark.parametrize("key", KEYS)
def test_targets_of_another_width_are_refused(key):
    with pytest.raises(ValueError, match="expected, found"):
        find_loss(key)()(torch.zeros(4, 2, 4), torch.zeros(4, 2, 4))
