"""ROOT files: TTrees and RNTuples, flat and with objects of varying number."""

import os
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from tsunagu.data import RootSource, open_table
from tsunagu.errors import DataError

NANOAOD = Path(
    os.environ.get(
        "TSUNAGU_NANOAOD", Path(__file__).parents[2].parent / "shared" / "data" / "nanoaod_ttbar.root"
    )
)
EVENTS = 1000
RNG = np.random.default_rng(3)
COUNTS = np.tile([2, 4, 0, 1, 5], EVENTS // 5)
JET_PT = ak.unflatten(RNG.exponential(40.0, COUNTS.sum()).astype(np.float32), COUNTS)
FLAT = {
    "event_number": np.arange(EVENTS),
    "met": RNG.exponential(40.0, EVENTS).astype(np.float32),
    "weight": RNG.normal(1.0, 0.1, EVENTS),
    "is_higgs": (np.arange(EVENTS) % 2).astype(np.int8),
    "passed": np.arange(EVENTS) % 3 == 0,
    "cov": RNG.normal(0.0, 1.0, (EVENTS, 3)).astype(np.float32),
}


def write_tree(path):
    with uproot.recreate(path) as file:
        types = {n: np.dtype((a.dtype, a.shape[1:])) if a.ndim > 1 else a.dtype for n, a in FLAT.items()}
        jets = ak.zip({"pt": JET_PT, "eta": JET_PT - 40.0})
        tree = file.mktree("Events", types | {"Jet": jets.type.content}, field_name=lambda o, i: f"{o}_{i}")
        for half in (slice(0, 300), slice(300, None)):
            tree.extend({n: a[half] for n, a in FLAT.items()} | {"Jet": jets[half]})
    return path


def write_ntuple(path):
    with uproot.recreate(path) as file:
        jets = {"Jet_pt": JET_PT, "Jet_eta": JET_PT - 40.0}
        file.mkrntuple("Events", ak.Array(FLAT | jets | {"process": ["ggH"] * EVENTS}))
    return path


@pytest.fixture(params=[write_tree, write_ntuple], ids=["TTree", "RNTuple"])
def path(request, tmp_path):
    return request.param(tmp_path / "a.root")


def padded(most):
    return ak.to_numpy(ak.fill_none(ak.pad_none(JET_PT, most, clip=True), 0.0))


@pytest.mark.parametrize("most", [1, 64, 317, 5000])
def test_pieces_put_together_are_the_file(path, most):
    source = RootSource(path, objects={"Jet": 3})
    names = [*FLAT, "Jet_pt", "Jet_mask", "Jet_count"]
    pieces = list(source.pieces(names, most))
    read = source.read(names)
    assert max(len(piece["met"]) for piece in pieces) <= most
    for name, array in read.items():
        np.testing.assert_array_equal(np.concatenate([piece[name] for piece in pieces]), array)
        assert (array.dtype, array.shape[1:]) == source.names()[name]
        assert array.flags.c_contiguous
        assert array.flags.writeable
    for name, array in FLAT.items():
        np.testing.assert_array_equal(read[name], array)


@pytest.mark.parametrize("most", [1, 3, 8])
def test_objects_are_padded_and_counted(path, most):
    read = RootSource(path, objects={"Jet": most}).read(["Jet_pt", "Jet_mask", "Jet_count"])
    np.testing.assert_array_equal(read["Jet_pt"], padded(most))
    np.testing.assert_array_equal(read["Jet_count"], COUNTS)
    np.testing.assert_array_equal(read["Jet_mask"].sum(axis=1), np.minimum(COUNTS, most))


def test_without_a_number_of_objects_the_reason_says_what_to_write(path, folds):
    with pytest.raises(DataError, match=r"Jet_pt.*its length differs.*data\.n_objects: \{Jet: 4\}"):
        open_table(path, folds=folds, needed=["Jet_pt"])


def test_one_column_may_have_a_number_of_its_own(path):
    source = RootSource(path, objects={"Jet": 3, "Jet_eta": 1})
    assert [source.names()[name].shape for name in ("Jet_pt", "Jet_eta", "Jet_mask")] == [(3,), (1,), (3,)]


def test_unlike_counts_in_one_kind_of_object(tmp_path):
    with uproot.recreate(tmp_path / "a.root") as file:
        other = ak.unflatten(np.ones(COUNTS.sum()), COUNTS[::-1])
        file.mktree("t", {"Jet_pt": "var * float32", "Jet_x": "var * float64"})
        file["t"].extend({"Jet_pt": JET_PT, "Jet_x": other})
    found = "column 'Jet_x': another number of objects than 'Jet_pt' in 800 of 1000 events"
    with pytest.raises(DataError, match=found):
        RootSource(tmp_path / "a.root", objects={"Jet": 2}).read(["Jet_pt", "Jet_x"])


class TestTrees:
    @pytest.fixture
    def two(self, tmp_path):
        with uproot.recreate(tmp_path / "a.root") as file:
            for name in ("first", "sub/second"):
                file.mktree(name, {"event_number": "int64"})
                file[name].extend({"event_number": np.arange(100)})
        return tmp_path / "a.root"

    def test_several_trees_must_be_told_apart(self, two):
        with pytest.raises(DataError, match=r"holds the trees first, sub/second; write a\.root:first"):
            RootSource(two)

    def test_an_unknown_tree(self, two):
        with pytest.raises(DataError, match=r"no tree 'sub/secnd' \(did you mean 'sub/second'\?\)"):
            RootSource(two, "sub/secnd")

    def test_the_name_behind_the_file(self, two, folds):
        assert len(open_table(f"{two}:sub/second", folds=folds)) == 100
        assert len(open_table(two, tree="first", folds=folds)) == 100

    def test_a_file_without_trees(self, tmp_path):
        with uproot.recreate(tmp_path / "a.root") as file:
            file["h"] = np.histogram(np.ones(3))
        with pytest.raises(DataError, match="holds no TTree and no RNTuple"):
            RootSource(tmp_path / "a.root")


@pytest.mark.skipif(
    not NANOAOD.is_file(), reason="the open-data file is not here; TSUNAGU_NANOAOD tells where it is"
)
class TestOpenData:
    def test_a_table(self, folds):
        columns = {"jet": ["Jet_pt", "Jet_eta", "Jet_phi", "Jet_mass"], "event_number": "event"}
        table = open_table(
            NANOAOD, columns=columns, weight="genWeight", n_objects={"Jet": 4}, folds=folds,
            needed=["jet", "Jet_mask", "nJet", "Jet_count", "MET_pt"],
        )  # fmt: skip
        assert len(table) == 200
        assert table.columns["jet"].shape == (200, 4, 4)
        assert (table.columns["nJet"] == table.columns["Jet_count"]).all()
        assert ((table.columns["jet"][..., 0] > 0) == table.columns["Jet_mask"]).all()

    def test_every_branch_can_be_read(self):
        source = RootSource(NANOAOD)
        source = RootSource(
            NANOAOD, objects={name.rpartition("_")[0] or name: 2 for name in source.unreadable}
        )
        assert len(source.names()) > 940
        assert {len(array) for array in source.read(list(source.names())).values()} == {200}
