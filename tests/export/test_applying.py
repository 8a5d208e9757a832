"""Scores in event files: the right model for every event, nothing else changed, and never a part of a file."""

from __future__ import annotations

import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot

from tsunagu.data import fold_of, open_source
from tsunagu.errors import DataError, ResumeError
from tsunagu.export import Model, apply_model
from tsunagu.export.units import mean_of

K = 3
P4 = ("jet_pt", "jet_eta", "jet_phi", "jet_mass")


@pytest.fixture(scope="module")
def events(sample_file):
    """What data have: no truth."""
    stored = np.load(sample_file)
    return {name: stored[name] for name in (*P4, "jet_image", "event_number")}


@pytest.fixture(scope="module")
def scores(exported, events):
    model = Model.load(exported)
    p4 = np.stack([events[name] for name in P4], axis=-1)
    made, _ = model.score({"jet_image": events["jet_image"], "jet_p4": p4}, events["event_number"])
    return made


def write_parquet(path, events):
    columns = {}
    for name, values in events.items():
        flat = pa.array(values.reshape(-1))
        size = values[0].size
        columns[name] = flat if values.ndim == 1 else pa.FixedSizeListArray.from_arrays(flat, size)
    shapes = {n: {"shape": str(list(v.shape[1:]))} if v.ndim > 1 else None for n, v in events.items()}
    fields = [pa.field(n, c.type, metadata=shapes[n]) for n, c in columns.items()]
    schema = pa.schema(fields, metadata={"made_by": "a test"})
    pq.write_table(pa.table(list(columns.values()), schema=schema), path, row_group_size=100)


def write_root(path, events):
    with uproot.recreate(path) as file:
        file.mktree("Events", {n: np.dtype((v.dtype, v.shape[1:])) for n, v in events.items()})
        file["Events"].extend(events)


WRITE = {
    "data.npz": lambda path, events: np.savez_compressed(path, **events),
    "data.parquet": write_parquet,
    "data.root": write_root,
}


@pytest.mark.parametrize("name", WRITE)
def test_a_copy_has_the_scores_of_each_events_own_model_and_all_that_was_there(
    name, exported, events, scores, tmp_path
):
    WRITE[name](tmp_path / name, events)
    before = (tmp_path / name).read_bytes()
    (done,) = apply_model(exported, [tmp_path / name], tmp_path / "scored")
    assert not done.is_friend
    assert (done.events, done.columns, done.seen) == (240, ["score", "score_test_fold"], 0)
    written = open_source(done.path).read([*events, "score", "score_test_fold"])
    np.testing.assert_allclose(written["score"], scores["score"], atol=1e-6)
    np.testing.assert_array_equal(written["score_test_fold"], fold_of(events["event_number"], K))
    for column, values in events.items():
        np.testing.assert_array_equal(written[column], values)
    assert (tmp_path / name).read_bytes() == before
    assert [path.name for path in (tmp_path / "scored").iterdir()] == [name]


def test_columns_of_momenta_keep_their_shape_and_metadata_stay(exported, events, scores, tmp_path):
    write_parquet(tmp_path / "data.parquet", events)
    words = {"outputs": ["tau_p4"], "prefix": "my_"}
    (done,) = apply_model(exported, [tmp_path / "data.parquet"], tmp_path / "out.parquet", **words)
    source = open_source(done.path)
    assert source.names()["my_tau_p4"].shape == (2, 3)
    np.testing.assert_allclose(
        source.read(["my_tau_p4"])["my_tau_p4"], scores["tau_p4"], rtol=1e-5, atol=1e-5
    )
    with pq.ParquetFile(done.path) as file:
        assert file.schema_arrow.metadata[b"made_by"] == b"a test"
        assert file.num_row_groups == 3


def test_a_tree_that_takes_no_branches_gets_a_friend(exported, events, scores, tmp_path, monkeypatch):
    monkeypatch.setattr("tsunagu.export.columns.add_branches", lambda *_: False)
    write_root(tmp_path / "data.root", events)
    (done,) = apply_model(exported, [tmp_path / "data.root"], tmp_path / "scored")
    assert done.is_friend
    assert [path.name for path in (tmp_path / "scored").iterdir()] == ["data.friend.root"]
    with uproot.open(done.path) as file:
        friend = file["scores"].arrays(library="np")
    np.testing.assert_array_equal(friend["event_number"], events["event_number"])
    np.testing.assert_allclose(friend["score"], scores["score"], atol=1e-6)


def test_data_without_event_numbers_get_the_mean_of_all_models(exported, events, scores, tmp_path):
    data = {name: values for name, values in events.items() if name != "event_number"}
    np.savez(tmp_path / "data.npz", **data)
    with pytest.raises(DataError, match=r"data.npz: no column 'event_number'"):
        apply_model(exported, [tmp_path / "data.npz"], tmp_path / "out.npz")
    (done,) = apply_model(exported, [tmp_path / "data.npz"], tmp_path / "out.npz", mode="mean")
    written = np.load(done.path)
    p4 = np.stack([events[name] for name in P4], axis=-1)
    each = [
        s.run({"jet_image": events["jet_image"], "jet_p4": p4})["score"]
        for s in Model.load(exported).sessions.values()
    ]
    assert len(each) == K
    np.testing.assert_allclose(written["score"], np.mean(each, axis=0), atol=1e-6)
    assert set(written["score_test_fold"]) == {-1}


def test_all_that_is_wrong_with_files_is_found_before_any_is_written(exported, events, tmp_path):
    (tmp_path / "in").mkdir()
    np.savez(tmp_path / "in" / "a.npz", **events)
    np.savez(tmp_path / "in" / "b.npz", **{n: v for n, v in events.items() if n != "jet_eta"})
    one_jet = {name: values[:, :1] for name, values in events.items() if name in P4}
    np.savez(tmp_path / "in" / "c.npz", **events | one_jet)
    with pytest.raises(DataError) as caught:
        apply_model(exported, [tmp_path / "in" / "*.npz"], tmp_path / "out")
    assert "b.npz: no column 'jet_eta'" in str(caught.value)
    assert "c.npz: column 'jet_p4': an event is float32 [1, 4], and the models read float32 [2, 4]" in str(
        caught.value
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"jet_pt": np.nan}, r"data.npz: column 'jet_pt': NaN in 1 of 240 events, the first in row 239"),
        ({"score": 0.0}, r"data.npz: there is a column 'score' already"),
    ],
)
def test_a_bad_event_at_the_end_leaves_no_part_of_a_file(exported, events, tmp_path, change, message):
    changed = {name: values.copy() for name, values in events.items()} | {"score": np.ones(240)}
    if "score" not in change:
        del changed["score"]
    for name, value in change.items():
        changed[name][-1] = value
    np.savez(tmp_path / "data.npz", **changed)
    with pytest.raises(DataError, match=message):
        apply_model(exported, [tmp_path / "data.npz"], tmp_path / "out.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["data.npz"]


@pytest.mark.parametrize("name", ["data.npz", "data.parquet", "data.root"])
@pytest.mark.parametrize("length", [0, 10, 2000])
def test_a_truncated_file_is_an_error_of_ours_that_names_it(name, length, exported, events, tmp_path):
    WRITE[name](tmp_path / name, events)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:length])
    with pytest.raises(DataError, match=name):
        apply_model(exported, [tmp_path / name], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_is_never_written_over_by_chance(exported, events, tmp_path):
    np.savez(tmp_path / "data.npz", **events)
    with pytest.raises(DataError, match=r"data.npz: would be replaced by its copy"):
        apply_model(exported, [tmp_path / "data.npz"], tmp_path, overwrite=True)
    np.savez(tmp_path / "old.npz", score=np.ones(3))
    with pytest.raises(DataError, match=r"old.npz: is there already; --replace replaces it"):
        apply_model(exported, [tmp_path / "data.npz"], tmp_path / "old.npz")
    apply_model(exported, [tmp_path / "data.npz"], tmp_path / "old.npz", overwrite=True)
    assert len(np.load(tmp_path / "old.npz")["score"]) == 240
    with pytest.raises(DataError, match=r"out.parquet: the copy of .*data.npz has the same ending, '.npz'"):
        apply_model(exported, [tmp_path / "data.npz"], tmp_path / "out.parquet")


def test_a_disk_that_fails_leaves_nothing(exported, events, tmp_path, monkeypatch):
    np.savez(tmp_path / "data.npz", **events)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(ResumeError, match=r"out.npz: cannot be written .*No space left"):
        apply_model(exported, [tmp_path / "data.npz"], tmp_path / "out.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["data.npz"]


def test_a_mean_of_angles_is_one_of_directions(exported, events):
    model = Model.load(exported)
    assert {each.name: list(each.angles) for each in model.manifest.outputs} == {"tau_p4": [2], "score": []}
    p4 = np.stack([events[name] for name in P4], axis=-1)
    columns = {"jet_image": events["jet_image"], "jet_p4": p4}
    each = np.stack([session.run(columns)["tau_p4"] for session in model.sessions.values()])
    made, fold = model.score(columns, None, "mean")
    np.testing.assert_allclose(made["tau_p4"][..., :2], each.mean(axis=0)[..., :2], rtol=1e-6)
    apart = np.abs(np.exp(1j * made["tau_p4"][..., 2]) - np.exp(1j * each[0, ..., 2]))
    assert apart.max() < 0.1  # the models hardly change a direction
    assert set(fold) == {-1}


def test_angles_on_both_sides_of_pi_do_not_meet_at_0():
    made = mean_of(np.array([[3.1, 0.1], [-3.1, 0.3]]), [0])
    np.testing.assert_allclose(np.abs(made), [np.pi, 0.2], rtol=1e-6)
    np.testing.assert_allclose(mean_of(np.array([[3.1], [-3.1]]), []), [0.0])
