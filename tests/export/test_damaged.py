"""Whatever is wrong with a file that is to be scored: an error of ours that names it, and nothing left behind."""

from __future__ import annotations

import re

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsunagu.data import open_source
from tsunagu.errors import DataError, ResumeError, TsunaguError
from tsunagu.export import apply_model

EVENTS = 40
NAMES = ("data.root", "ntuple.root", "data.parquet", "data.npz", "data.h5")
FUZZED = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def write(path, events):
    if path.suffix == ".root":
        with uproot.recreate(path) as file:
            make = file.mkrntuple if path.stem == "ntuple" else file.mktree
            kinds = {
                n: np.dtype((v.dtype, v.shape[1:])) if v.ndim > 1 else v.dtype for n, v in events.items()
            }
            make("Events", kinds).extend(events)
    elif path.suffix == ".parquet":
        pq.write_table(pa.table({n: v if v.ndim == 1 else list(v) for n, v in events.items()}), path)
    elif path.suffix == ".npz":
        np.savez(path, **events)
    else:
        with h5py.File(path, "w") as file:
            for name, values in events.items():
                file[name] = values


@pytest.fixture(scope="module")
def flat(flat_export, tmp_path_factory):
    """What the models of ``flat_export`` read, a few events of it."""
    draw = np.random.default_rng(2)
    events = {"x": draw.normal(size=EVENTS), "y": draw.normal(size=EVENTS), "event_number": np.arange(EVENTS)}
    folder = tmp_path_factory.mktemp("whole")
    for name in NAMES:
        write(folder / name, events)
    return events, {name: (folder / name).read_bytes() for name in NAMES}


@pytest.fixture
def place(tmp_path):
    """A folder with nothing in it but what a test puts there."""
    return tmp_path


def refused(export, path, place, kinds=(DataError, ResumeError)):
    """Score a file that cannot be scored; the message, after a look at what is left."""
    with pytest.raises(TsunaguError) as caught:
        apply_model(export, [path], place / "out")
    assert isinstance(caught.value, kinds)
    assert path.name in str(caught.value)
    assert [each.name for each in place.iterdir()] == [path.name]
    return str(caught.value)


def scored_or_refused(export, path):
    """Score a damaged file: a whole copy is all that is there, or an error names the file and nothing is."""
    error = None
    try:
        (done,) = apply_model(export, [path], path.parent / "out")
    except TsunaguError as found:
        error = str(found)
    if error is None:
        assert list((path.parent / "out").iterdir()) == [done.path]
        return done
    assert str(path.parent) in error
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    return None


@pytest.mark.parametrize("name", NAMES)
@given(share=st.floats(0.0, 0.999))
@FUZZED
def test_a_file_that_is_cut_short_anywhere(name, flat_export, flat, tmp_path_factory, share):
    place = tmp_path_factory.mktemp("cut")
    whole = flat[1][name]
    (place / name).write_bytes(whole[: int(share * len(whole))])
    done = scored_or_refused(flat_export, place / name)
    # What was cut off may not be needed, such as the end of an HDF5 file that no dataset uses.
    assert done is None or done.events == EVENTS


@pytest.mark.parametrize("name", NAMES)
@given(where=st.floats(0.0, 0.999), byte=st.integers(1, 255))
@FUZZED
def test_a_file_with_one_byte_changed(name, flat_export, flat, tmp_path_factory, where, byte):
    place = tmp_path_factory.mktemp("changed")
    content = bytearray(flat[1][name])
    content[int(where * len(content))] ^= byte
    (place / name).write_bytes(content)
    # Few formats have a sum to check numbers by.
    scored_or_refused(flat_export, place / name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.array(["a"] * EVENTS)}, r"'x' cannot be read: its type is"),
        ({"x": np.ones((EVENTS, 3))}, r"only columns of one shape can be stacked|column 'x'"),
        ({"event_number": np.arange(EVENTS) + 0.5}, r"an event number must be one whole number"),
        (
            {"x": np.where(np.arange(EVENTS) == 7, np.nan, 1.0)},
            r"column 'x': NaN in 1 of 40 events, .* row 7",
        ),
        ({"y": np.where(np.arange(EVENTS) == 9, np.inf, 1.0)}, r"column 'y': infinite .* in 1 of 40 events"),
        ({"y": np.where(np.arange(EVENTS) == 9, 1e200, 1.0)}, r"column 'y': infinite .*in 1 of 40 events"),
        ({"score": np.ones(EVENTS)}, r"there is a column 'score' already"),
    ],
    ids=["words", "shape", "fractions", "nan", "inf", "large", "taken"],
)
def test_a_column_that_does_not_fit(name, change, message, flat_export, flat, place):
    if name == "ntuple.root" and "x" in change and change["x"].ndim > 1:
        pytest.skip("uproot writes no arrays of a fixed size into an RNTuple")
    changed = flat[0] | change
    if changed["x"].dtype.kind == "U" and name.endswith((".h5", ".root")):
        changed["x"] = changed["x"].astype("S1") if name.endswith(".h5") else changed["x"]
        if name.endswith(".root"):
            pytest.skip("uproot writes no words from numpy arrays")
    write(place / name, changed)
    assert re.search(message, refused(flat_export, place / name, place))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_without_events_or_content(name, flat_export, flat, place):
    write(place / name, {n: v[:0] for n, v in flat[0].items()})
    assert "there is no event in it" in refused(flat_export, place / name, place)
    (place / name).write_bytes(b"")
    refused(flat_export, place / name, place)


@pytest.mark.parametrize("name", ["data.root", "data.parquet", "data.npz", "data.h5"])
@given(word=st.text("äßπ日本語𝜏 -é", min_size=1, max_size=8))
@FUZZED
def test_names_of_any_letters(name, flat_export, flat, tmp_path_factory, word):
    """A column beside those that are read, and the name of a new one."""
    place = tmp_path_factory.mktemp("unicode")
    write(place / name, flat[0] | {f"c{word}": np.ones(EVENTS)})
    (done,) = apply_model(flat_export, [place / name], place / "out", prefix=f"p{word}_")
    made = open_source(done.path)
    assert f"p{word}_score" in made.names()
    assert np.isfinite(made.read([f"p{word}_score"])[f"p{word}_score"]).all()


def test_one_bad_file_of_several_leaves_all_of_them_unscored(flat_export, flat, place):
    for number in range(3):
        write(place / f"{number}.npz", flat[0])
    (place / "1.npz").write_bytes(flat[1]["data.npz"][:200])
    with pytest.raises(DataError, match=r"1\.npz"):
        apply_model(flat_export, [place / "*.npz"], place / "out")
    assert not (place / "out").exists()
