"""The folder of an analysis, written from made-up shards; no Pythia needed."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from tests.examples.datasets import GENERATED, make_folder
from tsunagu.errors import DataError
from tsunagu.samples import Analysis, generate
from tsunagu.samples.datasets import FAKES, NONE, energy_scaled, identified, multiplicity
from tsunagu.samples.processes import PROCESSES
from tsunagu.samples.shards import plan_shards

uproot = pytest.importorskip("uproot")
FILES = ("ggH", "VBF", "Zjet", "dijet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("datasets"), events=160)


def _read(path, tree="events"):
    with uproot.open(path) as file:
        return file[tree].arrays(library="np")


def test_pseudo_data_come_from_shards_of_their_own():
    shards = plan_shards(Analysis(events=1000))
    assert len({shard.seed for shard in shards}) == len({shard.name for shard in shards}) == len(shards)
    rows = {
        data: {p: sum(s.rows for s in shards if (s.process, s.data) == (p, data)) for p in FILES}
        for data in (False, True)
    }
    assert rows[False] == {"ggH": 920, "VBF": 80, "Zjet": 1000, "dijet": 333}
    assert rows[True] == {"ggH": 57, "VBF": 5, "Zjet": 1000, "dijet": 333}


def test_every_event_has_a_number_of_its_own(folder):
    numbers = np.concatenate([_read(path)["event_number"] for path in folder.glob("*.root")])
    assert len(np.unique(numbers)) == len(numbers)


@pytest.mark.parametrize("name", FILES[:3])
def test_weights_and_generated_sums_give_what_is_expected(folder, name):
    events, runs = _read(folder / f"{name}.root"), _read(folder / f"{name}.root", "runs")
    notes = json.loads((folder / "sample.json").read_text(encoding="utf-8"))["processes"][name]
    assert runs["sum_gen_weight"].tolist() == [GENERATED[name] * len(events["weight"])]
    assert events["weight"] == pytest.approx(events["gen_weight"] * events["id_weight"])
    scale = 1000.0 * PROCESSES[name].cross_section / runs["sum_gen_weight"][0]
    assert notes["expected_per_fb"] == pytest.approx(events["weight"].sum() * scale, rel=1e-5)


def test_fakes_are_as_many_as_is_said_and_have_no_tau(folder):
    events = _read(folder / "dijet.root")
    notes = json.loads((folder / "sample.json").read_text(encoding="utf-8"))["processes"]["dijet"]
    assert notes["expected_per_fb"] == pytest.approx(FAKES)
    assert (events["tau_full_pt"] == NONE).all()


def test_data_know_nothing_of_the_truth(folder):
    data, simulation = _read(folder / "data.root"), _read(folder / "ggH.root")
    assert set(data) < set(simulation)
    assert not [name for name in data if "tau" in name or "weight" in name or name in ("label", "sample_id")]
    drawn = json.loads((folder / "sample.json").read_text(encoding="utf-8"))["data"]
    assert len(data["jet_pt"]) == sum(each["drawn"] for each in drawn.values())


def test_the_energy_scale_moves_taus_and_what_balances_them():
    columns = {
        "jet_pt": np.array([[100.0, 50.0]]),
        "jet_mass": np.array([[10.0, 5.0]]),
        "jet_phi": np.array([[0.0, np.pi / 2]]),
        "jet_is_tau": np.array([[1, 0]]),
        "jet_image": np.ones((1, 2, 3, 16, 16), np.float16),
        "met_x": np.array([7.0]),
        "met_y": np.array([3.0]),
    }
    found = energy_scaled(columns, 1.1)
    assert found["jet_pt"] == pytest.approx(np.array([[110.0, 50.0]]))
    assert found["jet_mass"] == pytest.approx(np.array([[11.0, 5.0]]))
    assert (found["met_x"][0], found["met_y"][0]) == pytest.approx((-3.0, 3.0))
    assert found["jet_image"][0, :, :, 0, 0] == pytest.approx(np.array([[1.0, 1.1, 1.1], [1.0, 1.0, 1.0]]))


def test_an_identification_up_and_down_is_symmetric_for_each_tau():
    found = identified(np.array([[60.0, 60.0], [60.0, 60.0]]), np.array([[1, 1], [1, 0]]))
    assert found["id_up"] == pytest.approx([1.03**2, 1.03])
    assert found["id_down"] == pytest.approx([0.97**2, 0.97])
    assert found["fake_up"] == pytest.approx([1.0, 1.0])
    assert identified(np.array([[240.0, 60.0]]), np.zeros((1, 2)))["fake_up"] == pytest.approx([4**0.25])


def test_pseudo_data_have_the_expected_mean_and_poisson_fluctuations():
    draw, expected = np.random.default_rng(3), np.full(400, 0.25)
    # The number of events in the pool is itself a Poisson number in a real generation.
    sums = [multiplicity(expected[: draw.poisson(200)], draw).sum() for _ in range(2000)]
    assert np.mean(sums) == pytest.approx(50.0, abs=4 * np.sqrt(50.0 / 2000))
    assert np.var(sums) == pytest.approx(50.0, rel=0.15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"events": 15}, "events: expected a number from 16 to 1000000, found 15"),
        ({"luminosity": 0.0}, "luminosity: expected a number above 0, up to 10000, found 0"),
        ({"tau_energy_scale": 3.0}, "tau_energy_scale: expected a number above 0, up to 2, found 3"),
    ],
)
def test_settings_are_checked(change, message):
    with pytest.raises(DataError, match=message):
        Analysis(**change)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "events").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match="events: is a file; give the name of a folder"):
        generate(Analysis(), tmp_path / "events")


def test_a_missing_writer_is_told_before_anything_is_simulated(tmp_path, monkeypatch):
    monkeypatch.setattr("tsunagu.samples.generator.import_pythia", lambda: None)
    monkeypatch.setattr(sys.modules["tsunagu.samples.generate"], "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"ROOT files need uproot: pip install 'tsunagu\[samples,root\]'"):
        generate(Analysis(), tmp_path / "events")
    assert not list(tmp_path.iterdir())
