"""The selection of an analysis, on jets made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tsunagu.samples.candidates import LEAST_PT, LOOSER, candidate_columns, two_candidates
from tsunagu.samples.detector import Reconstructed


@pytest.fixture
def seen():
    """Two events of three jets: the second jet of the first is too broad, the second event has one soft candidate."""
    jets = np.full((2, 4, 5), np.nan)
    jets[0, :3] = [[90.0, 0.0, 0.0, 5.0, 1], [80.0, 0.5, 2.0, 5.0, 1], [70.0, -0.5, -2.0, 5.0, 3]]
    jets[1, :3] = [[90.0, 0.0, 0.0, 5.0, 1], [20.0, 0.5, 2.0, 5.0, 1], [70.0, -0.5, -2.0, 5.0, 7]]
    images = np.zeros((2, 4, 3, 16, 16), np.float32)
    images[:, :, 1, 7, 7] = 50.0
    images[0, 1, 2, 0, :] = 20.0
    return Reconstructed(jets=jets, images=images, missing=np.zeros((2, 4)))


def _taus(*axes):
    taus = np.full((2, 2, 11), np.nan)
    for place, (pt, eta, phi) in enumerate(axes):
        px, py, pz = pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)
        energy = np.sqrt(px**2 + py**2 + pz**2 + 1.78**2)
        taus[0, place] = [px, py, pz, energy, px, py, pz, energy, 1.0, 1.0, 0.0]
    return taus


@pytest.mark.parametrize("first", [0, 1])
def test_candidates_are_narrow_and_hard_and_know_their_taus(seen, first):
    axes = [(100.0, 0.0, 0.0), (75.0, -0.5, -2.0)]
    taus = _taus(axes[first], axes[1 - first])
    found = candidate_columns(seen, taus, np.array([2.0, 1.0]), taus_are_true=True)
    assert found["jet_pt"].tolist() == [[90.0, 70.0]]
    assert found["tau_full_pt"][0] == pytest.approx([100.0, 75.0], rel=1e-5)
    assert found["jet_is_tau"].tolist() == [[1, 1]]
    assert found["gen_weight"].tolist() == [2.0]
    assert found["jet_core"] == pytest.approx(np.ones((1, 2)))


def test_an_event_with_a_mistaken_jet_is_left_to_the_fakes(seen):
    one = _taus((100.0, 0.0, 0.0), (75.0, 1.5, 1.0))
    assert len(candidate_columns(seen, one, np.ones(2), taus_are_true=True)["jet_pt"]) == 0
    fakes = candidate_columns(seen, one, np.ones(2), taus_are_true=False)
    assert fakes["jet_is_tau"].tolist() == [[0, 0]]
    assert np.isnan(fakes["tau_full_pt"]).all()


def test_what_pile_up_could_lift_is_kept_before_it(seen):
    assert two_candidates(seen).tolist() == [0]
    soft = seen.jets.copy()
    soft[1, 1, 0] = 1.01 * LOOSER * LEAST_PT[1]
    lifted = Reconstructed(jets=soft, images=seen.images, missing=seen.missing)
    assert two_candidates(lifted).tolist() == [0, 1]
