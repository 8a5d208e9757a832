"""The contract that every reader keeps."""

import numpy as np
import pytest

from tsunagu.data import ArraySource, open_source
from tsunagu.data.source import in_memory
from tsunagu.errors import DataError


@pytest.fixture(params=["file", "memory"])
def sample(request, write, events):
    return open_source(write("a", events)) if request.param == "file" else ArraySource(events, "a")


def test_names_tell_what_read_gives(sample, events):
    read = sample.read(list(events))
    assert {name: (array.dtype, array.shape[1:]) for name, array in read.items()} == sample.names()


def test_values_survive(sample, events):
    for name, array in sample.read(list(events)).items():
        np.testing.assert_array_equal(array, events[name])


@pytest.mark.parametrize("name", ["image", "met", "event_number"])
def test_arrays_are_contiguous_and_ours(sample, events, name):
    first, second = sample.read([name])[name], sample.read([name])[name]
    assert first.flags.c_contiguous
    assert first.flags.writeable
    first[...] = -1
    assert (second >= 0).all()
    assert (events[name] >= 0).all()


@pytest.mark.parametrize("most", [1, 7, 200, 1000])
def test_pieces_are_what_read_gives(sample, most):
    names = ["image", "event_number", "passed", "weight"]
    read, pieces = sample.read(names), list(sample.pieces(names, most))
    assert {sample.rows(name) for name in names} == {200}
    for name, array in read.items():
        parts = [piece[name] for piece in pieces]
        assert all(0 < len(part) <= most and part.flags.writeable for part in parts)
        assert {part.dtype for part in parts} == {array.dtype}
        np.testing.assert_array_equal(np.concatenate(parts), array)


def test_memory_dtypes(sample):
    dtypes = {name: str(column.dtype) for name, column in sample.names().items()}
    wanted = {
        "weight": "float64",
        "met": "float32",
        "image": "float32",
        "is_higgs": "int64",
        "passed": "bool",
    }
    assert wanted.items() <= dtypes.items()


def test_only_what_is_asked_for(sample):
    assert list(sample.read(["met"])) == ["met"]


def test_unsigned_numbers_beyond_int64_are_an_error(write):
    source = open_source(write("a", {"n": np.array([1, 2**63], dtype=np.uint64)}))
    with pytest.raises(DataError, match=r"column 'n': 1 of 2 values are larger than 9223372036854775807"):
        source.read(["n"])


def test_unsigned_numbers_within_int64_are_kept():
    assert in_memory(np.array([2**63 - 1], dtype=np.uint64), "a").tolist() == [2**63 - 1]


def test_big_endian_is_read():
    array = in_memory(np.array([1.5, 2.5], dtype=">f4"), "a")
    assert array.dtype == np.dtype("=f4")
    assert array.tolist() == [1.5, 2.5]


def test_strings_and_single_values_cannot_be_columns():
    source = ArraySource({"process": np.array(["ggH"]), "lumi": np.array(3.0)})
    assert source.unreadable == {"process": "its type is <U3", "lumi": "it is a single value"}
    assert source.names() == {}


@pytest.mark.parametrize("order", ["<f2", ">f2"])
def test_every_number_of_half_precision_is_exact(order):
    half = np.arange(2**16, dtype=np.uint16).view(np.float16).astype(order)
    half.flags.writeable = False
    for array in (half, half[::-2], half.reshape(256, 256).T):
        single = in_memory(array, "a")
        assert single.dtype == np.float32
        assert single.flags.c_contiguous
        np.testing.assert_array_equal(single, array.astype(np.float32))


def test_half_precision_without_events():
    assert in_memory(np.zeros((0, 3), np.float16), "a").shape == (0, 3)
