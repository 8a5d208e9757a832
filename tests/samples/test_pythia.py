"""Real events: acceptance ranges without pile-up, helicities, and files that are equal byte for byte."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("pythia8mc", reason="Pythia 8 is not installed: pip install 'tsunagu[samples]'")
pytest.importorskip("numba", reason="numba is not installed: pip install 'tsunagu[samples]'")

from tsunagu.errors import DataError
from tsunagu.files import write_bytes
from tsunagu.metrics import auc
from tsunagu.samples import HTauTau, TauJet, generate, is_generated, settings_hash
from tsunagu.samples.files import alone
from tsunagu.samples.generator import Generator
from tsunagu.samples.particles import read_record
from tsunagu.samples.pool import LIBRARY
from tsunagu.samples.shards import Shard, make_minimum_bias, make_shard

QUIET = HTauTau(events=1600, pileup=0.0, seed=3)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / LIBRARY
    write_bytes(path, make_minimum_bias(QUIET))
    return path


@pytest.fixture
def place(library):
    """Puts the library where a generation looks for it: it depends on the seed alone, and takes long to make."""

    def put(settings, path):
        folder = path.with_name(f"{path.name}.shards") / settings_hash(settings)
        write_bytes(folder / LIBRARY, library.read_bytes())
        return path

    return put


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


def test_the_same_settings_give_the_same_file_whatever_the_workers(tmp_path, place):
    settings, seen = HTauTau(events=12, pileup=0.0, seed=3), []
    one, two = (place(settings, tmp_path / name) for name in ("one.parquet", "two.parquet"))
    generate(settings, one, workers=1, progress=lambda *now: seen.append(now))
    assert seen[0] == (0, 24)
    assert seen[-1] == (24, 24)
    assert sorted(done for done, _ in seen) == [done for done, _ in seen]
    assert not one.with_name("one.parquet.shards").exists()
    generate(settings, two, workers=2)
    assert one.read_bytes() == two.read_bytes()
    assert is_generated(settings, one)
    assert not is_generated(HTauTau(events=12, pileup=0.0, seed=6), one)


# Small pieces, so that some are finished and others are not when it stops.
PROGRAM = """
import sys
from pathlib import Path
from tsunagu.samples import HTauTau, generate, shards

shards.SHARD = 8
generate(HTauTau(events=120, pileup=0.0, seed=3), Path(sys.argv[1]), workers=2)
"""


@pytest.fixture
def stopped(tmp_path, place):
    """A generation in a process group of its own that got a signal after its first shards."""

    def run(signal):
        path = place(HTauTau(events=120, pileup=0.0, seed=3), tmp_path / "events.parquet")
        command = [sys.executable, "-c", PROGRAM, str(path)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
            while process.poll() is None and len(list(tmp_path.rglob("*-0*.npz"))) < 3:
                time.sleep(0.01)
            os.killpg(process.pid, signal)
            _, errors = process.communicate(timeout=60)
        assert not path.exists()
        return path, errors

    return run


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are those of POSIX")
def test_a_generation_that_was_killed_continues_and_gives_the_same_file(
    tmp_path, place, stopped, monkeypatch
):
    path, _ = stopped(signal.SIGKILL)
    settings, seen = HTauTau(events=120, pileup=0.0, seed=3), []
    monkeypatch.setattr("tsunagu.samples.shards.SHARD", 8)
    done = sorted(path.with_name("events.parquet.shards").rglob("*-0*.npz"))
    assert len(done) >= 3
    # One of them is cut off, as a crash of the machine may leave it.
    done[0].write_bytes(done[0].read_bytes()[:1000])
    generate(settings, path, workers=2, progress=lambda *now: seen.append(now))
    assert 8 <= seen[0][0] < 240
    assert not list(tmp_path.glob("*.shards"))
    fresh = place(settings, tmp_path / "fresh.parquet")
    assert generate(settings, fresh, workers=2).read_bytes() == path.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are those of POSIX")
def test_ctrl_c_ends_all_processes_quickly_and_quietly(stopped):
    path, errors = stopped(signal.SIGINT)
    # One traceback, that of this program, which does not catch the interrupt; the workers say nothing.
    assert errors.count("Traceback") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")
    with alone(path.with_name("events.parquet.shards"), path):
        pass


def test_tau_and_qcd_jets_come_in_equal_numbers(tmp_path, place):
    import pyarrow.parquet as pq

    settings = TauJet(jets=80, pileup=0.0, seed=3)
    path = generate(settings, place(settings, tmp_path / "jets.parquet"), workers=2)
    table = pq.read_table(path, columns=["label", "jet_ntrk", "event_number", "tau_vis_pt"])
    labels = table["label"].to_numpy()
    assert (labels == 1).sum() == 40
    assert 20 <= (labels == 0).sum() <= 40
    assert set(np.unique(table["jet_ntrk"])) <= {1, 2, 3, 4}
    assert len(np.unique(table["event_number"])) == len(labels)
    assert (np.isfinite(table["tau_vis_pt"].to_numpy()) == (labels == 1)).all()


def test_a_selection_that_nothing_passes_ends(library, monkeypatch):
    monkeypatch.setattr("tsunagu.samples.shards.HOPELESS", 100)
    settings = TauJet(jets=80, pileup=0.0, seed=3, tracks=(120, 127))
    with pytest.raises(DataError, match=r"none of .* events passes the selection"):
        make_shard(Shard(settings=settings, process="Z", number=0, rows=40), library)


def test_what_was_vetoed_counts_as_generated():
    generator = Generator("Z", seed=11, helicity="sampled", mpi="overlay", energy=13000.0)
    generator.batch(200)
    # Pythia's own count of hard events that were selected
    assert generator.generated == generator._pythia.infoPython().nSelected()
    assert 0.35 < 200 / generator.generated < 0.5


def test_biased_events_carry_their_weight():
    generator = Generator("QCD", seed=11, helicity="sampled", mpi="overlay", energy=13000.0)
    weights = read_record(generator, generator.batch(200)).weights
    assert len(np.unique(weights)) == 200
    assert weights.sum() == pytest.approx(generator._pythia.infoPython().weightSum())


@pytest.mark.parametrize(("mpi", "underlying"), [("overlay", 1), ("full", 0)])
def test_the_underlying_event_is_simulated_or_overlaid_but_never_both(library, monkeypatch, mpi, underlying):
    from tsunagu.samples import shards

    seen = []
    reconstruct = shards.reconstruct
    monkeypatch.setattr(shards, "reconstruct", lambda *a, **k: seen.append(k) or reconstruct(*a, **k))
    settings = HTauTau(events=4, pileup=0.0, seed=3, mpi=mpi)
    make_shard(Shard(settings=settings, process="ggH", number=0, rows=4), library)
    assert {now["underlying"] for now in seen} == {underlying}
    generator = Generator("ggH", seed=1, helicity="sampled", mpi=mpi, energy=13000.0)
    assert generator._pythia.settings.flag("PartonLevel:MPI") == (mpi == "full")


def _pair_mass(columns):
    pt, eta, phi = (columns[f"tau_full_{name}"].astype(float) for name in ("pt", "eta", "phi"))
    energy = (pt * np.cosh(eta)).sum(axis=1)
    momentum = [(pt * f).sum(axis=1) for f in (np.cos(phi), np.sin(phi), np.sinh(eta))]
    return np.sqrt(energy**2 - sum(p**2 for p in momentum))


def _energy_correlation(process):
    """Correlation of the visible energy shares of both taus, of one-prong decays without neutral pions."""
    generator = Generator(process, seed=11, helicity="sampled", mpi="overlay", energy=13000.0)
    taus = np.concatenate([read_record(generator, generator.batch(1000)).taus for _ in range(4)])
    pions = (taus[..., 9] == 1).all(axis=1) & (taus[..., 10] == 0).all(axis=1)
    shares = (taus[..., 7] / taus[..., 3])[pions]
    return np.corrcoef(shares.T)[0, 1]
