"""Planning, resuming and merging, with a stand-in for the simulation."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pytest

from tsunagu.data import open_table
from tsunagu.errors import DataError
from tsunagu.files import write_bytes
from tsunagu.metrics import auc
from tsunagu.samples import HTauTau, TauJet, is_generated, ready_sample, settings_hash
from tsunagu.samples.generate import READY
from tsunagu.samples.merge import merge
from tsunagu.samples.processes import LUMINOSITY, PROCESSES
from tsunagu.samples.schema import UNITS, write_parquet
from tsunagu.samples.shards import PT_BINS, Shard, plan_shards
from tsunagu.spec import Folds


@pytest.mark.parametrize("settings", [HTauTau(events=1234), TauJet(jets=3000)])
def test_the_plan_makes_every_row_once(settings):
    shards = plan_shards(settings)
    assert len({shard.name for shard in shards}) == len({shard.seed for shard in shards}) == len(shards)
    rows = {
        process: sum(s.rows for s in shards if s.process == process) for process in ("ggH", "VBF", "Z", "QCD")
    }
    if isinstance(settings, HTauTau):
        assert rows == {"ggH": 1135, "VBF": 99, "Z": 1234, "QCD": 0}
    else:
        assert rows == {"ggH": 0, "VBF": 0, "Z": 1500, "QCD": 4500}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"events": 1}, "events: expected a number from 2 to 2000000, found 1"),
        ({"pileup": -1.0}, "pileup: expected a number from 0 to 200, found -1.0"),
        ({"pileup": float("nan")}, "pileup: expected a number from 0 to 200, found nan"),
        ({"energy": 7.0}, "energy: expected a number from 900 to 100000, found 7.0"),
        ({"helicity": "exakt"}, "did you mean 'exact'"),
        ({"mpi": "ful"}, "did you mean 'full'"),
        ({"seed": 1000}, "seed: expected a number from 0 to 999"),
    ],
)
def test_settings_are_checked(change, message):
    with pytest.raises(DataError, match=message):
        HTauTau(**change)


def test_every_setting_changes_the_hash():
    base = HTauTau()
    changed = [
        {"events": 7},
        {"pileup": 0.0},
        {"helicity": "exact"},
        {"mpi": "full"},
        {"seed": 2},
        {"energy": 13600.0},
    ]
    hashes = {settings_hash(dataclasses.replace(base, **change)) for change in changed}
    assert len(hashes | {settings_hash(base), settings_hash(TauJet())}) == 8


def test_a_merged_sample_is_a_table_with_weights_numbers_and_units(tmp_path, made_up_shard):
    settings = HTauTau(events=600, seed=4)
    shards = plan_shards(settings)
    for shard in shards:
        write_bytes(tmp_path / shard.name, made_up_shard(shard, np.random.default_rng(shard.seed)))
    columns, notes = merge(settings, shards, tmp_path)
    path = tmp_path / "sample.parquet"
    write_parquet(path, columns, notes)
    table = open_table([str(path)], weight="weight", train_weight="train_weight", folds=Folds())
    assert len(table) == 1200
    assert table.columns["jet_image"].shape == (1200, 2, 3, 16, 16)
    label = columns["label"]
    assert columns["train_weight"][label == 1].sum() == pytest.approx(
        columns["train_weight"][label == 0].sum(), rel=1e-5
    )
    assert columns["train_weight"].mean() == pytest.approx(1.0, rel=1e-5)
    assert np.array_equal(columns["event_number"], np.arange(1200) + 1004 * 10**7)
    about = notes["processes"]["Z"]
    assert (about["n_generated"], about["sum_gen_weight"], about["rows"]) == (1200, 900.0, 600)
    # sigma L / sum of generator weights, for each event times its own
    rows = columns["sample_id"] == PROCESSES["Z"].sample_id
    expected = columns["gen_weight"][rows] * PROCESSES["Z"].cross_section * LUMINOSITY / 900.0
    assert columns["weight"][rows] == pytest.approx(expected, rel=1e-5)
    assert about["filter_efficiency"] == pytest.approx(columns["gen_weight"][rows].sum() / 900.0, rel=1e-5)
    assert set(columns) <= set(UNITS)
    again = tmp_path / "again.parquet"
    write_parquet(again, columns, notes)
    assert path.read_bytes() == again.read_bytes()


def _jet_shard(process, tau, pt, draw):
    columns = {
        "jet_pt": pt.astype(np.float32),
        "jet_is_tau": np.full(len(pt), tau, np.int8),
        # as biased generation has it: hard jets are many and weigh little
        "gen_weight": ((20.0 / pt) ** 2 if process == "QCD" else np.ones_like(pt)).astype(np.float32),
    }
    counts = {"n_generated": np.array(2 * len(pt)), "sum_gen_weight": np.array(2.0 * len(pt))}
    content = io.BytesIO()
    np.savez(content, **columns, **counts)
    return content.getvalue()


@pytest.fixture
def jets(tmp_path):
    """A merged sample of jets, and the QCD jets that were offered."""
    draw = np.random.default_rng(3)
    settings = TauJet(jets=1000, seed=4)
    spectra = {"Z": draw.exponential(12.0, 500) + 20.0, "QCD": draw.exponential(30.0, 8000) + 20.0}
    shards = [Shard(settings=settings, process=name, number=0, rows=len(pt)) for name, pt in spectra.items()]
    for shard in shards:
        pt = spectra[shard.process]
        write_bytes(tmp_path / shard.name, _jet_shard(shard.process, shard.process == "Z", pt, draw))
    columns, notes = merge(settings, shards, tmp_path)
    return columns, notes, spectra["QCD"]


def test_the_training_weight_keeps_the_matched_spectrum(jets):
    columns, notes, _ = jets
    assert (columns["train_weight"] == 1.0).all()
    assert 0.47 < auc(columns["jet_pt"], columns["label"], columns["train_weight"]) < 0.53
    assert notes["processes"]["QCD"]["selected"] == 8000
    assert notes["processes"]["QCD"]["rows"] == (columns["label"] == 0).sum() == 500


def test_the_physics_weight_of_chosen_jets_stands_for_all_of_them(jets):
    columns, notes, offered = jets
    chosen = columns["label"] == 0
    per_jet = PROCESSES["QCD"].cross_section * LUMINOSITY / notes["processes"]["QCD"]["sum_gen_weight"]
    found = np.histogram(columns["jet_pt"][chosen], PT_BINS, weights=columns["weight"][chosen])[0]
    expected = np.histogram(offered, PT_BINS, weights=per_jet * (20.0 / offered) ** 2)[0]
    filled = found > 0
    assert filled[:8].all()
    assert found[filled] == pytest.approx(expected[filled], rel=1e-4)


@pytest.mark.parametrize(
    ("name", "rows", "shape"), [("htautau", 4000, (2, 3, 16, 16)), ("taujet", 4000, (3, 16, 16))]
)
def test_the_ready_samples_are_real_tables(name, rows, shape):
    table = open_table(
        [str(ready_sample(name))], weight="weight", folds=Folds(), needed=["jet_image", "label", "jet_pt"]
    )
    assert len(table) == rows
    assert tuple(table.columns["jet_image"].shape[1:]) == shape
    assert float(table.columns["label"].double().mean()) == pytest.approx(0.5, abs=0.01)
    assert float(table.columns["jet_pt"].min()) >= 20.0


@pytest.mark.parametrize(("name", "kind"), [("htautau", HTauTau), ("taujet", TauJet)])
def test_the_ready_samples_are_those_of_the_present_code(name, kind):
    import pyarrow.parquet as pq

    schema = pq.read_schema(ready_sample(name))
    settings = json.loads(schema.metadata[b"tsunagu"])["settings"]
    made_with = kind(**settings | ({"tracks": tuple(settings["tracks"])} if "tracks" in settings else {}))
    assert is_generated(made_with, ready_sample(name))
    assert set(schema.names) == set(UNITS) - ({"vis_mass"} if name == "taujet" else set())
    assert ready_sample(name).stat().st_size < 3_000_000


def test_the_ready_jets_have_the_same_spectrum_in_both_classes():
    found = _columns("taujet", "jet_pt", "label", "train_weight")
    assert 0.48 < auc(found["jet_pt"], found["label"], found["train_weight"]) < 0.52


def test_event_numbers_are_unique_over_both_ready_samples():
    numbers = [_columns(name, "event_number")["event_number"] for name in READY]
    assert len(np.unique(np.concatenate(numbers))) == sum(len(n) for n in numbers)


def _columns(name, *names):
    import pyarrow.parquet as pq

    table = pq.read_table(ready_sample(name), columns=list(names))
    return {column: table[column].to_numpy() for column in names}


def test_units_are_in_the_file():
    import pyarrow.parquet as pq

    schema = pq.read_schema(ready_sample("htautau"))
    assert schema.field("jet_pt").metadata[b"unit"] == b"GeV"
    notes = json.loads(schema.metadata[b"tsunagu"])
    assert notes["settings"]["pileup"] == 30.0
    assert notes["generator"].startswith("Pythia 8")


def test_an_unknown_ready_sample_is_an_error():
    with pytest.raises(DataError, match="did you mean 'htautau'"):
        ready_sample("htautao")
