"""Files are read for an exported chain as the study has read its own, whatever it has said of them."""

from __future__ import annotations

import csv

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot

from tsunagu.data import fold_of, open_source
from tsunagu.errors import DataError
from tsunagu.export import Manifest, apply_model
from tsunagu.spec import Data, Folds, LossTerm, Process, Study, Task, Train, node
from tsunagu.studies import export_study, run_study

EVENTS = 300
SETTINGS = {
    "units": {"*_energy": "MeV", "met_phi": "deg"},
    "missing_codes": {"tau_score": [-999.0]},
    "missing": {"tau_score": 0.5},
    "select": "met > 10 and met < 70",
    "columns": {
        "features": ["lead", "met_phi", "tau_score", "ratio"],
        "lead": "0.02 * lead_energy",
        "ratio": "log(met / lead_energy)",
        "met": "met_energy",
    },
}


def flat_events(draw):
    score = draw.uniform(0, 1, EVENTS)
    score[::7] = -999.0
    met = draw.uniform(0, 80_000, EVENTS)
    met[3] = np.nan  # does not pass the selection
    return {
        "lead_energy": draw.uniform(20_000, 90_000, EVENTS),
        "met_energy": met,
        "met_phi": draw.uniform(-180, 180, EVENTS),
        "tau_score": score,
        "run_number": np.arange(EVENTS) % 5,
        "evt": np.arange(EVENTS) + 1000,
        "is_signal": draw.integers(0, 2, EVENTS),
    }


def write_root(path, events):
    with uproot.recreate(path) as file:
        make = file.mkrntuple if path.stem.endswith("ntuple") else file.mktree
        make("Events", {n: v.dtype for n, v in events.items()}).extend(events)
        file.mktree("Runs", {"sumw": np.float64}).extend({"sumw": np.ones(2)})


def write_h5(path, events):
    table = np.zeros(EVENTS, dtype=[(n, v.dtype) for n, v in events.items()])
    for name, values in events.items():
        table[name] = values
    with h5py.File(path, "w") as file:
        file["Events"] = table
        file["Events"].attrs["made_by"] = "a test"


def write_groups(path, events):
    with h5py.File(path, "w") as file:
        for name, values in events.items():
            file[f"Events/{name}"] = values


def write_csv(path, events):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writerow(events)
        writer.writerows(zip(*(values.tolist() for values in events.values()), strict=True))


WRITE = {
    "events.root": write_root,
    "ntuple.root": write_root,
    "events.h5": write_h5,
    "events.hdf5": write_groups,
    "events.csv": write_csv,
    "events.tsv": write_csv,
    "events.parquet": lambda path, events: pq.write_table(pa.table(events), path),
    "events.npz": lambda path, events: np.savez(path, **events),
}


def study(data, inputs=4, **words):
    task = Task(
        inputs=["features"],
        output="score",
        model=node("MLP", inputs=inputs, hidden=[4], momenta=False),
        loss=LossTerm(key="binary", target="is_signal"),
    )
    return Study(
        data=data,
        tasks={"classify": task},
        metric="auc(score, is_signal)",
        train=Train(epochs=1, batch_size=64),
        **words,
    )


def trained(folder, data, **words):
    """The folder of an export, and the scores of its test events by event number."""
    run_study(study(data, **words), folder / "run", base=folder)
    export_study(folder / "run", folder / "export")
    (member,) = Manifest.load(folder / "export").members
    stored = np.load(folder / "run" / "trials" / member.trial / "predictions.npz")
    return folder / "export", dict(zip(stored["test_event_number"], stored["test_score"], strict=True))


@pytest.fixture(scope="module")
def events():
    return flat_events(np.random.default_rng(11))


@pytest.fixture(scope="module")
def chain(events, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chain")
    WRITE["events.root"](folder / "events.root", events)
    return trained(folder, Data(files="events.root", tree="Events", event_number="evt", **SETTINGS))


@pytest.mark.parametrize("name", WRITE)
def test_scores_are_those_of_the_training_for_every_kind_of_file(name, chain, events, tmp_path):
    """Units, codes, formulas, the selection: all are part of the export."""
    export, expected = chain
    WRITE[name](tmp_path / name, {n: v for n, v in events.items() if n != "is_signal"})
    tree = (
        None if name.startswith("events.") and name.split(".")[1] not in ("h5", "hdf5", "root") else "Events"
    )
    (done,) = apply_model(export, [tmp_path / name], tmp_path / "out", tree=tree)
    names = ["score", "score_test_fold"]
    if done.is_friend:
        assert name == "ntuple.root"
        written = open_source(done.path, "scores").read([*names, "event_number"])
        written |= {"evt": written.pop("event_number"), "lead_energy": events["lead_energy"]}
    else:
        written = open_source(done.path, tree).read([*names, "evt", "lead_energy"])
    passes = (events["met_energy"] > 10_000) & (events["met_energy"] < 70_000)
    assert (done.events, done.scored) == (EVENTS, passes.sum())
    np.testing.assert_array_equal(np.isnan(written["score"]), ~passes)
    np.testing.assert_array_equal(written["score_test_fold"], np.where(passes, 0, -2))
    np.testing.assert_allclose(written["lead_energy"], events["lead_energy"])
    own = np.isin(written["evt"], list(expected))
    assert own.sum() == len(expected) > 30
    np.testing.assert_allclose(
        written["score"][own], [expected[n] for n in written["evt"][own]], rtol=1e-6, atol=1e-6
    )


def test_what_the_models_take_is_told_in_their_units(chain):
    (features,) = Manifest.load(chain[0]).inputs
    assert list(features.columns) == ["lead_energy", "met_phi", "tau_score", "met_energy", "lead_energy"]
    assert list(features.units) == ["GeV", "rad", "", "GeV", "GeV"]


def test_every_scores_events_that_were_left_out_as_well(chain, events, tmp_path):
    whole = {name: values.copy() for name, values in events.items()}
    np.savez(tmp_path / "a.npz", **whole)
    with pytest.raises(
        DataError, match=r"a.npz: column 'met_energy': NaN in 1 of 300 events, the first in row 3"
    ):
        apply_model(chain[0], [tmp_path / "a.npz"], tmp_path / "out", every=True)
    whole["met_energy"][3] = 5000.0
    np.savez(tmp_path / "a.npz", **whole)
    (done,) = apply_model(chain[0], [tmp_path / "a.npz"], tmp_path / "out", every=True)
    assert done.scored == EVENTS
    assert np.isfinite(np.load(done.path)["score"]).all()


def test_a_formula_without_a_value_is_found(chain, events, tmp_path):
    odd = events | {"lead_energy": np.where(np.arange(EVENTS) == 7, -1.0, events["lead_energy"])}
    odd["met_energy"] = np.full(EVENTS, 30_000.0)
    np.savez(tmp_path / "a.npz", **odd)
    with pytest.raises(
        DataError, match=r"a.npz: column 'lead_energy \+ .*NaN in 1 of 300 events, the first in row 7"
    ):
        apply_model(chain[0], [tmp_path / "a.npz"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["events.root", "events.hdf5"])
def test_a_tree_may_stand_behind_the_name(name, chain, events, tmp_path):
    WRITE[name](tmp_path / name, events)
    (done,) = apply_model(chain[0], [f"{tmp_path / name}:Events"], tmp_path / "out")
    assert done.events == EVENTS
    with pytest.raises(DataError, match=r"'Evnts' .*did you mean.*Events"):
        apply_model(chain[0], [f"{tmp_path / name}:Evnts"], tmp_path / "out")


def test_fields_of_a_table_stay_one_table(chain, events, tmp_path):
    write_h5(tmp_path / "a.h5", events)
    (done,) = apply_model(chain[0], [tmp_path / "a.h5"], tmp_path / "out")
    with h5py.File(done.path) as file:
        assert list(file) == ["Events"]
        assert file["Events"].attrs["made_by"] == "a test"
        assert file["Events"].dtype.names == (*events, "score", "score_test_fold")


@pytest.fixture(scope="module")
def jagged_chain(tmp_path_factory):
    """Jets whose number differs, and two processes that share event numbers."""
    folder, draw = tmp_path_factory.mktemp("jagged"), np.random.default_rng(5)
    for name in ("higgs", "z"):
        counts = draw.integers(0, 4, EVENTS)
        pt = ak.unflatten(draw.exponential(30.0, counts.sum()), counts)
        phi = ak.unflatten(draw.uniform(-3, 3, counts.sum()), counts)
        with uproot.recreate(folder / f"{name}.root") as file:
            file.mktree(
                "Events", {"Jet": ak.zip({"pt": pt, "phi": phi}).type.content, "event": np.int64}
            ).extend({"Jet": ak.zip({"pt": pt, "phi": phi}), "event": np.arange(EVENTS)})
    data = Data(
        processes={n: Process(files=f"{n}.root", label=i) for i, n in enumerate(["z", "higgs"])},
        n_objects={"Jet": 2},
        columns={
            "features": ["pt1", "pt2", "n"],
            "pt1": "Jet_pt[0]",
            "pt2": "Jet_pt[1]",
            "n": "1.0 * Jet_count",
        }
        | {"is_signal": "label"},
        event_number="event + 1000 * process_number",
        folds=Folds(k=3, rotate=True),
    )
    run_study(study(data, inputs=3), folder / "run", base=folder)
    export_study(folder / "run", folder / "export")
    return folder


def test_padded_objects_and_numbers_of_processes_are_as_in_training(jagged_chain, tmp_path):
    export = jagged_chain / "export"
    with pytest.raises(DataError, match="say whose events they are with --process"):
        apply_model(export, [jagged_chain / "higgs.root"], tmp_path / "out")
    with pytest.raises(DataError, match=r"no process 'higs' \(did you mean 'higgs'\?\)"):
        apply_model(export, [jagged_chain / "higgs.root"], tmp_path / "out", process="higs")
    (done,) = apply_model(export, [jagged_chain / "higgs.root"], tmp_path / "out", process="higgs")
    tree = "scores" if done.is_friend else "Events"
    made = open_source(done.path, tree).read(["score", "score_test_fold"])
    numbers = np.arange(EVENTS) + 1000
    np.testing.assert_array_equal(made["score_test_fold"], fold_of(numbers, 3))
    whole = np.load(jagged_chain / "run" / "out_of_fold" / "chain_seed1.npz")
    order = np.searchsorted(whole["event_number"], numbers)
    np.testing.assert_allclose(made["score"], whole["score"][order], atol=1e-6)


def test_data_take_the_model_of_their_number_modulo_k_where_that_is_wanted(jagged_chain, tmp_path):
    words = {"process": "higgs", "mode": "modulo"}
    (done,) = apply_model(jagged_chain / "export", [jagged_chain / "higgs.root"], tmp_path / "out", **words)
    made = open_source(done.path, "scores" if done.is_friend else "Events").read(["score_test_fold"])
    np.testing.assert_array_equal(made["score_test_fold"], (np.arange(EVENTS) + 1000) % 3)
