from __future__ import annotations

import numpy as np
import pytest

from tsunagu.errors import DataError
from tsunagu.samples.detector import Reconstructed
from tsunagu.samples.merge import match_spectrum
from tsunagu.samples.selection import match_taus, pair_columns, pair_mass, single_columns, wrap_angle


def taus(*directions):
    """One event with two taus of 40 GeV at (eta, phi), all of it visible."""
    rows = []
    for eta, phi in directions:
        p = [40 * np.cos(phi), 40 * np.sin(phi), 40 * np.sinh(eta), 40 * np.cosh(eta)]
        rows.append([*p, *p, 1.0, 1.0, 0.0])
    return np.array([rows])


def jets(*rows):
    """One event with jets (pt, eta, phi, mass, tracks)."""
    found = np.full((1, 12, 5), np.nan)
    found[0, : len(rows)] = rows
    return found


def seen(found):
    images = np.zeros((1, 12, 3, 16, 16), np.float32)
    images[0, :, 0, 0, 0] = np.arange(12)
    return Reconstructed(jets=found, images=images, missing=np.array([[1.0, 2.0, 3.0, 30.0]]))


def test_each_tau_takes_the_nearest_jet_across_the_seam_of_phi():
    found = jets((50, 0.0, 3.1, 5, 1), (40, 1.0, 0.0, 5, 1), (30, 0.0, -3.1, 5, 1))
    assert match_taus(found, taus((1.05, 0.05), (0.0, -3.14))).tolist() == [[1, 2]]


@pytest.mark.parametrize("direction", [(0.0, 0.3), (2.0, 2.0)])
def test_a_jet_that_is_too_far_does_not_match(direction):
    assert match_taus(jets((50, 0.0, 0.0, 5, 1)), taus((0.0, 0.0), direction))[0, 1] == -1


def test_two_taus_never_share_a_jet():
    assert match_taus(jets((50, 0.0, 0.0, 5, 1)), taus((0.0, 0.05), (0.05, 0.0))).tolist() == [[-1, -1]]


def test_events_without_taus_match_nothing():
    assert match_taus(jets((50, 0.0, 0.0, 5, 1)), np.full((1, 2, 11), np.nan)).tolist() == [[-1, -1]]


def test_jets_taus_and_images_are_ordered_by_the_jets_pt():
    found = jets((70, -1.0, 2.0, 5, 3), (50, 0.0, 0.0, 5, 1), (40, 1.0, 1.0, 6, 2))
    columns = pair_columns(seen(found), taus((1.0, 1.0), (0.0, 0.0)), np.ones(1))
    assert columns["jet_pt"].tolist() == [[50.0, 40.0]]
    assert columns["tau_vis_eta"][0] == pytest.approx([0.0, 1.0], abs=1e-6)
    assert columns["jet_image"][0, :, 0, 0, 0].tolist() == [1.0, 2.0]
    assert columns["jet_ntrk"].tolist() == [[1, 2]]
    assert columns["n_pileup"].tolist() == [30]
    assert columns["n_jet"].tolist() == [3]


def test_events_without_two_matched_jets_are_dropped():
    assert (
        len(
            pair_columns(seen(jets((50, 0.0, 0.0, 5, 1))), taus((0.0, 0.0), (1.0, 1.0)), np.ones(1))["jet_pt"]
        )
        == 0
    )


def test_the_mass_of_a_pair_is_that_of_special_relativity():
    back_to_back = np.array([[[50.0, 0.0, 0.0, 0.0], [50.0, 0.0, np.pi, 0.0]]])
    assert pair_mass(back_to_back) == pytest.approx([100.0])


def test_a_qcd_jet_has_no_truth_even_where_the_event_holds_two_taus():
    columns = single_columns(
        seen(jets((50, 0.0, 0.0, 5, 1))), taus((1.0, 0.0), (-1.0, 1.0)), np.ones(1), (1, 4), tau=False
    )
    assert np.isnan(columns["tau_vis_pt"]).all()
    assert columns["tau_prong"].tolist() == columns["jet_is_tau"].tolist() == [0]


@pytest.mark.parametrize(("tracks", "rows"), [((1, 4), 1), ((2, 4), 0)])
def test_single_jets_are_selected_by_their_tracks(tracks, rows):
    columns = single_columns(
        seen(jets((50, 0.0, 0.0, 5, 1))), taus((0.0, 0.0), (1.0, 1.0)), np.ones(1), tracks, tau=True
    )
    assert len(columns["jet_pt"]) == rows


def test_jets_are_chosen_to_have_the_spectrum_of_the_taus():
    draw = np.random.default_rng(1)
    wanted, offered = draw.exponential(15.0, 4000) + 20.0, draw.exponential(40.0, 30_000) + 20.0
    chosen = match_spectrum(wanted, offered, np.random.default_rng(2))
    assert len(chosen) == pytest.approx(4000, abs=5)
    for quantile in (0.1, 0.5, 0.9):
        assert np.quantile(offered[chosen], quantile) == pytest.approx(
            np.quantile(wanted, quantile), rel=0.05
        )


def test_a_spectrum_that_cannot_be_matched_is_an_error():
    with pytest.raises(DataError, match="no jet to match"):
        match_spectrum(np.full(100, 21.0), np.full(100, 90.0), np.random.default_rng(1))


def test_angles_are_in_their_range():
    assert wrap_angle(np.array([4.0, -4.0, np.pi])) == pytest.approx(
        [4.0 - 2 * np.pi, 2 * np.pi - 4.0, np.pi]
    )
