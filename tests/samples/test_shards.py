"""Planning, resuming and merging, with a stand-in for the simulation."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pytest

from tsunagu.data import open_table
from tsunagu.errors import DataError
from tsunagu.samples import HTauTau, TauJet, ready_sample, settings_hash
from tsunagu.samples.merge import merge
from tsunagu.samples.schema import UNITS, write_parquet
from tsunagu.samples.shards import plan_shards, write_whole
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
        ({"events": 1}, "events: expected at least 2, found 1"),
        ({"pileup": -1.0}, "pileup: expected a mean"),
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


def _fake_shard(shard, draw):
    rows = shard.rows
    pair = {f"jet_{n}": draw.random((rows, 2)).astype(np.float32) for n in ("pt", "eta", "phi", "mass")}
    single = {n: draw.random(rows).astype(np.float32) for n in ("gen_weight", "met_x", "vis_mass")}
    image = {"jet_image": draw.random((rows, 2, 3, 16, 16)).astype(np.float16)}
    counts = {"n_generated": np.array(2.0 * rows), "sum_gen_weight": np.array(1.5 * rows)}
    content = io.BytesIO()
    np.savez(content, **pair, **single, **image, **counts)
    return content.getvalue()


def test_a_merged_sample_is_a_table_with_weights_numbers_and_units(tmp_path):
    settings = HTauTau(events=600, seed=4)
    shards = plan_shards(settings)
    for shard in shards:
        write_whole(tmp_path / shard.name, _fake_shard(shard, np.random.default_rng(shard.seed)))
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
    assert notes["processes"]["Z"]["n_generated"] == 1200.0
    assert set(columns) <= set(UNITS)
    again = tmp_path / "again.parquet"
    write_parquet(again, columns, notes)
    assert path.read_bytes() == again.read_bytes()


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
