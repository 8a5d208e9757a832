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


def test_a_damaged_column_is_named_and_does_not_hide_the_others(tmp_path):
    path = tmp_path / "a.npz"
    big = np.zeros(100_000, dtype=np.uint64) + np.uint64(2**63)
    np.savez(path, x=np.random.default_rng(1).random(100_000), n=big)
    whole = bytearray(path.read_bytes())
    whole[400_000] ^= 0xFF
    path.write_bytes(bytes(whole))
    with pytest.raises(DataError) as error:
        NpzSource(path).read(["x", "n"])
    first, second = str(error.value).splitlines()
    assert first == f"{path}: column 'x' cannot be read: Bad CRC-32 for file 'x.npy'"
    assert second.startswith(f"{path}: column 'n': 100000 of 100000 values are larger")


def test_a_file_that_is_gone_when_it_is_read(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.ones(2))
    source = NpzSource(path)
    path.unlink()
    with pytest.raises(DataError, match=r"a\.npz: cannot be read as an npz file"):
        source.read(["x"])
