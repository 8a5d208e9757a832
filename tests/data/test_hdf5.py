"""HDF5 files: one dataset a column, or one dataset with fields."""

import h5py
import numpy as np
import pytest

from tsunagu.data import Hdf5Source, open_table
from tsunagu.errors import DataError


@pytest.fixture
def path(tmp_path, events):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, array in events.items():
            file[name] = array
    return tmp_path / "a.h5"


def test_the_table_is_that_of_other_formats(path, events, write, folds):
    other = open_table(write("b", events), weight="weight", folds=folds)
    assert open_table(path, weight="weight", folds=folds).fingerprint == other.fingerprint


def test_pieces(path, events):
    pieces = list(Hdf5Source(path).pieces(["image", "met"], 30))
    assert [len(piece["met"]) for piece in pieces] == [30] * 6 + [20]
    np.testing.assert_array_equal(np.concatenate([piece["image"] for piece in pieces]), events["image"])


@pytest.mark.parametrize("inside", ["jets", "group/jets"])
def test_fields_of_a_dataset_are_columns(tmp_path, inside):
    jets = np.zeros((50, 4), dtype=[("pt", "f4"), ("valid", "?")])
    jets["pt"] = np.arange(200).reshape(50, 4)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file[inside] = jets
    source = Hdf5Source(tmp_path / "a.h5")
    assert {n: c.shape for n, c in source.names().items()} == {"pt": (4,), "valid": (4,)}
    np.testing.assert_array_equal(source.read(["pt"])["pt"], jets["pt"])
    assert Hdf5Source(tmp_path / "a.h5", inside).names() == source.names()


def test_a_group_and_the_columns_in_it(tmp_path, events, folds):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["mc/met"], file["mc/event_number"], file["other/x"] = (
            events["met"],
            events["event_number"],
            [1.0],
        )
    assert set(open_table(f"{tmp_path}/a.h5:mc", folds=folds).columns) == {"met", "event_number"}
    with pytest.raises(DataError, match="column 'other/x' has 1 events, the others 200"):
        Hdf5Source(tmp_path / "a.h5")
    with pytest.raises(DataError, match=r"no group or dataset 'mcc' \(did you mean 'mc'\?\)"):
        Hdf5Source(tmp_path / "a.h5", "mcc")


def test_lists_of_varying_length(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("Jet_pt", 3, dtype=h5py.vlen_dtype(np.float32))
        for row, values in enumerate(([1.0, 2.0, 3.0], [], [4.0])):
            data[row] = values
        file["name"] = ["a", "b", "c"]
    read = Hdf5Source(tmp_path / "a.h5", objects={"Jet": 2}).read(["Jet_pt", "Jet_count"])
    assert read["Jet_pt"].tolist() == [[1.0, 2.0], [0.0, 0.0], [4.0, 0.0]]
    assert read["Jet_count"].tolist() == [3, 0, 1]
    assert set(Hdf5Source(tmp_path / "a.h5").unreadable) == {"Jet_pt", "name"}
