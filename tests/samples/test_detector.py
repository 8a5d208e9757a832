"""The detector on particles made by hand: no Pythia needed."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba", reason="the fast detector needs numba: pip install 'tsunagu[samples]'")

from tsunagu.samples.detector import reconstruct
from tsunagu.samples.particles import EM, HADRON, MUON, Particles, visible_particles


def particles(*events):
    """Events of (pt, eta, phi, charge, kind)."""
    rows = [row for event in events for row in event]
    pt, eta, phi, charge, kind = (np.array([row[i] for row in rows], float) for i in range(5))
    return Particles(
        offsets=np.cumsum([0, *(len(event) for event in events)]),
        pt=pt,
        eta=eta,
        phi=phi,
        energy=pt * np.cosh(eta),
        charge=charge.astype(np.int8),
        kind=kind.astype(np.int8),
    )


NOBODY = particles([(1.0, 0.0, 0.0, 0, MUON)])


def look(sample, *, pileup=0.0, underlying=0, library=NOBODY, seed=1):
    return reconstruct(
        sample, library, underlying=underlying, pileup=pileup, draw=np.random.default_rng(seed)
    )


def test_a_photon_is_a_jet_in_the_electromagnetic_calorimeter_alone():
    seen = look(particles(*[[(50.0, 0.3, 1.0, 0, EM)]] * 200))
    image = seen.images[:, 0]
    assert seen.jets[:, 0, 0].mean() == pytest.approx(50.0, rel=0.03)
    assert image[:, 1].sum(axis=(1, 2)).mean() == pytest.approx(50.0, rel=0.03)
    assert image[:, 0].sum() == image[:, 2].sum() == 0.0
    assert np.isnan(seen.jets[:, 1]).all()


def test_the_image_of_a_hadron_sums_to_the_jet():
    seen = look(particles(*[[(60.0, -0.5, 2.0, 0, HADRON)]] * 200))
    sums = seen.images[:, 0, 1:].sum(axis=(1, 2, 3))
    assert (sums / seen.jets[:, 0, 0]).mean() == pytest.approx(1.0, abs=0.03)
    # 0.95 (1 - 0.25 exp(-E/6)) of the energy is seen
    assert seen.jets[:, 0, 0].mean() == pytest.approx(0.95 * 60.0, rel=0.04)


@pytest.mark.parametrize("charge", [-1, 1])
def test_a_charged_pion_bends_against_its_charge(charge):
    seen = look(particles(*[[(30.0, 0.0, 0.5, charge, HADRON)]] * 100))
    turn = (seen.jets[:, 0, 2] - 0.5).mean()
    expected = -charge * np.arcsin(0.15 * 2.0 * 1.15 / 30.0)
    assert turn == pytest.approx(expected, abs=0.01)
    tracks = seen.images[:, 0, 0].sum(axis=(1, 2))
    assert (tracks > 0).mean() == pytest.approx(0.95, abs=0.06)
    assert tracks[tracks > 0].mean() == pytest.approx(30.0, rel=0.02)


def test_soft_charged_particles_never_reach_the_calorimeter():
    assert not look(particles([(0.3, 0.0, 0.0, 1, HADRON)] * 200)).missing[:, 2].any()


def test_a_muon_leaves_a_track_and_balances_the_missing_momentum():
    seen = look(particles(*[[(40.0, 0.0, 0.0, 1, MUON)]] * 200))
    assert np.isnan(seen.jets).all()
    assert (seen.missing[:, 0] < -30.0).mean() == pytest.approx(0.98, abs=0.03)


def test_missing_momentum_is_minus_the_sum_of_what_is_seen():
    back_to_back = [(50.0, 0.0, 0.0, 0, EM), (20.0, 0.0, np.pi, 0, EM)]
    seen = look(particles(*[back_to_back] * 200))
    assert seen.missing[:, 0].mean() == pytest.approx(-30.0, abs=0.5)
    assert seen.missing[:, 2].mean() == pytest.approx(70.0, abs=1.0)


def test_forward_energy_counts_in_the_missing_momentum_but_makes_no_jet():
    seen = look(particles(*[[(50.0, 3.5, 0.0, 0, EM)]] * 200))
    assert np.isnan(seen.jets).all()
    assert seen.missing[:, 0].mean() == pytest.approx(-50.0, rel=0.05)


def test_jets_come_by_falling_pt():
    seen = look(particles([(30.0, 1.0, 1.0, 0, EM), (80.0, -1.0, -2.0, 0, EM), (50.0, 0.0, 2.5, 0, EM)]))
    assert np.diff(seen.jets[0, :3, 0]).max() < 0.0
    assert seen.jets[0, :3, 1] == pytest.approx([-1.0, 0.0, 1.0], abs=0.06)


def test_other_collisions_add_energy_and_few_tracks():
    noise = particles(
        *[[(1.0, eta, phi, 1, HADRON) for eta in np.linspace(-2, 2, 9) for phi in range(6)]] * 20
    )
    jet = particles(*[[(60.0, 0.0, 0.0, 0, EM)]] * 50)
    quiet, busy = look(jet, library=noise), look(jet, library=noise, pileup=30.0)
    assert busy.jets[:, 0, 0].mean() > quiet.jets[:, 0, 0].mean() + 5.0
    assert busy.missing[:, 3].mean() == pytest.approx(30.0, abs=3.0)
    under = look(jet, library=noise, underlying=1)
    assert under.images[:, :, 0].sum() > 0.0
    assert busy.images[:, 0, 0].sum() < 0.1 * busy.images[:, 0, 1:].sum()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    sample = particles(*[[(50.0, 0.3, 1.0, 1, HADRON)]] * 5)
    first, second, other = look(sample), look(sample), look(sample, seed=2)
    assert first.images.tobytes() == second.images.tobytes()
    assert first.images.tobytes() != other.images.tobytes()


def test_what_a_detector_cannot_see_is_dropped():
    ids = np.array([211, 12, 22, 13, 211, 211], np.int32)
    status = np.array([1, 1, 1, 1, -1, 1], np.int32)
    momentum = np.array(
        [[1, 5, 2, 3, 4, 0.01], [0, 0, 0, 0, 0, 0.0], [0, 0, 0, 0, 0, 0.0], [1, 5, 2, 3, 4, 0.01]], float
    )
    found = visible_particles(
        np.array([0, 3, 6]), ids, status, np.array([1, 0, 0, -1, 1, 1], np.int8), momentum
    )
    assert found.offsets.tolist() == [0, 2, 3]
    assert found.kind.tolist() == [HADRON, EM, MUON]
    assert found.pt.tolist() == [1.0, 2.0, 3.0]
