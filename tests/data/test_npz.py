"""npz: headers only, no pickles, damaged files."""

import numpy as np
import pytest

from tsunagu.data import NpzSource
from tsunagu.errors import DataError


def test_objects_and_single_values_are_named_not_loaded(tmp_path):
    np.savez(
        tmp_path / "a.npz", x=np.ones(2), o=np.array([{}, {}], dtype=object), lumi=3.0, s=np.array(["a", "b"])
    )
    source = NpzSource(tmp_path / "a.npz")
    assert list(source.names()) == ["x"]
    assert source.unreadable == {
        "o": "its type is object",
        "lumi": "it is a single value",
        "s": "its type is <U1",
    }


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_fortran_order_is_made_contiguous(tmp_path, save):
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    save(tmp_path / "a.npz", x=array)
    read = NpzSource(tmp_path / "a.npz").read(["x"])["x"]
    assert read.flags.c_contiguous
    np.testing.assert_array_equal(read, array)


def test_what_is_no_npz_file(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"not an archive")
    with pytest.raises(DataError, match=r"a\.npz: cannot be read as an npz file"):
        NpzSource(tmp_path / "a.npz")
