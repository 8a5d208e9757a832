"""Real events: acceptance ranges without pile-up, helicities, and files that are equal byte for byte."""

from __future__ import annotations

import io

import numpy as np
import pytest

pytest.importorskip("pythia8mc", reason="Pythia 8 is not installed: pip install 'tsunagu[samples]'")
pytest.importorskip("numba", reason="numba is not installed: pip install 'tsunagu[samples]'")

from tsunagu.metrics import auc
from tsunagu.samples import HTauTau, TauJet, generate, is_generated
from tsunagu.samples.generator import Generator
from tsunagu.samples.particles import read_record
from tsunagu.samples.shards import Shard, make_minimum_bias, make_shard, write_whole

QUIET = HTauTau(events=1600, pileup=0.0, seed=3)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "min-bias.npz"
    write_whole(path, make_minimum_bias(QUIET))
    return path


@pytest.fixture(scope="module")
def events(library):
    found = {}
    for process in ("ggH", "Z"):
        content = make_shard(Shard(settings=QUIET, process=process, number=0, rows=1600), library)
        found[process] = dict(np.load(io.BytesIO(content)))
    return found


def test_visible_masses_are_where_they_should_be(events):
    assert 82.0 <= np.median(events["ggH"]["vis_mass"]) <= 90.0
    assert 64.0 <= np.median(events["Z"]["vis_mass"]) <= 70.0


def test_the_visible_mass_separates_as_it_should(events):
    mass = np.concatenate([events["ggH"]["vis_mass"], events["Z"]["vis_mass"]])
    label = np.repeat([1, 0], 1600)
    assert 0.77 <= auc(mass, label, np.ones(3200)) <= 0.84


def test_jets_respond_to_visible_taus(events):
    for columns in events.values():
        assert 0.94 <= np.median(columns["jet_pt"] / columns["tau_vis_pt"]) <= 1.0


def test_one_prong_taus_have_one_track(events):
    for columns in events.values():
        assert (columns["jet_ntrk"][columns["tau_prong"] == 1] == 1).mean() > 0.85


def test_the_truth_is_the_truth(events):
    for process, mass in (("ggH", 125.0), ("Z", 91.2)):
        columns = events[process]
        assert np.median(_pair_mass(columns)) == pytest.approx(mass, abs=1.5)
        assert columns["tau_full_mass"] == pytest.approx(1.777, abs=0.05)
        assert (columns["tau_vis_pt"] <= columns["tau_full_pt"] * 1.001).mean() > 0.95
        assert (columns["tau_charge"].sum(axis=1) == 0).all()
        assert set(np.unique(columns["tau_prong"])) <= {1, 3, 5}
        assert 0.65 <= (columns["tau_prong"] == 1).mean() <= 0.82


def test_images_sum_to_the_jet(events):
    sums = events["Z"]["jet_image"].astype(float)[:, :, 1:].sum(axis=(2, 3, 4))
    assert np.median(sums / events["Z"]["jet_pt"]) == pytest.approx(1.0, abs=0.02)


def test_sampled_helicities_correlate_the_taus_as_a_scalar_and_a_vector_do():
    found = {process: _energy_correlation(process) for process in ("ggH", "Z")}
    assert found["ggH"] < -0.1
    assert found["Z"] > 0.1


def test_the_same_settings_give_the_same_file_whatever_the_workers_and_interruptions(tmp_path):
    settings, seen = HTauTau(events=12, pileup=0.0, seed=5), []
    one = generate(settings, tmp_path / "one.parquet", workers=1, progress=lambda *now: seen.append(now))
    assert seen[0] == (0, 24)
    assert seen[-1] == (24, 24)
    assert not list(tmp_path.glob("*.shards"))
    two = generate(settings, tmp_path / "two.parquet", workers=2)
    assert one.read_bytes() == two.read_bytes()
    assert is_generated(settings, one)
    assert not is_generated(HTauTau(events=12, pileup=0.0, seed=6), one)


def test_tau_and_qcd_jets_come_in_equal_numbers(tmp_path):
    import pyarrow.parquet as pq

    path = generate(TauJet(jets=80, pileup=0.0, seed=5), tmp_path / "jets.parquet", workers=2)
    table = pq.read_table(path, columns=["label", "jet_ntrk", "event_number"])
    labels = table["label"].to_numpy()
    assert (labels == 1).sum() == 40
    assert 20 <= (labels == 0).sum() <= 40
    assert set(np.unique(table["jet_ntrk"])) <= {1, 2, 3, 4}
    assert len(np.unique(table["event_number"])) == len(labels)


def _pair_mass(columns):
    pt, eta, phi = (columns[f"tau_full_{name}"].astype(float) for name in ("pt", "eta", "phi"))
    energy = (pt * np.cosh(eta)).sum(axis=1)
    momentum = [(pt * f).sum(axis=1) for f in (np.cos(phi), np.sin(phi), np.sinh(eta))]
    return np.sqrt(energy**2 - sum(p**2 for p in momentum))


def _energy_correlation(process):
    """Correlation of the visible energy shares of both taus, of one-prong decays without neutral pions."""
    generator = Generator(process, seed=11, helicity="sampled", mpi="overlay", energy=13000.0)
    taus = np.concatenate([read_record(generator, generator.batch(1000)).taus for _ in range(6)])
    pions = (taus[..., 9] == 1).all(axis=1) & (taus[..., 10] == 0).all(axis=1)
    shares = (taus[..., 7] / taus[..., 3])[pions]
    return np.corrcoef(shares.T)[0, 1]
