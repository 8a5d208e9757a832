"""Arrays in files: written whole or not at all, mapped without being changed."""

import errno
import hashlib
import os
import re

import numpy as np
import pytest
import torch

from tsunagu.data.mapped import as_tensor, map_npy, place_of, read_ahead, write_npy
from tsunagu.data.source import Column
from tsunagu.errors import DataError

WHOLE = np.arange(60.0, dtype=np.float32).reshape(10, 2, 3)
COLUMN = Column(WHOLE.dtype, (2, 3))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "new folder" / "x.npy"
    write_npy(path, 10, COLUMN, [WHOLE[:3], WHOLE[3:3], WHOLE[3:]])
    return path


def test_pieces_become_one_array_that_numpy_reads(path):
    np.testing.assert_array_equal(np.load(path), WHOLE)
    assert [found.name for found in path.parent.iterdir()] == ["x.npy"]


def test_the_digest_is_that_of_the_bytes_as_they_are_written(tmp_path):
    digest = write_npy(tmp_path / "x.npy", 10, COLUMN, [WHOLE.astype(np.float64)])
    assert digest == hashlib.sha256(WHOLE.tobytes()).hexdigest()


def test_what_is_mapped_is_what_was_written(path):
    tensor = as_tensor(map_npy(path, 10, COLUMN))
    assert torch.equal(tensor, torch.from_numpy(WHOLE))


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("shape", [(), (0,), (3,)])
def test_small_and_empty_arrays(tmp_path, rows, shape):
    column = Column(np.dtype(np.int64), shape)
    write_npy(tmp_path / "x.npy", rows, column, [np.ones((rows, *shape))])
    assert map_npy(tmp_path / "x.npy", rows, column).shape == (rows, *shape)


def test_another_dtype_or_shape_is_not_found(path):
    assert map_npy(path, 11, COLUMN) is None
    assert map_npy(path, 10, Column(np.dtype(np.int32), (2, 3))) is None
    assert map_npy(path, 10, Column(WHOLE.dtype, (6,))) is None
    assert map_npy(path.with_name("y.npy"), 10, COLUMN) is None


@pytest.mark.parametrize("size", [0, 5, 100, 200])
def test_a_file_that_was_cut_is_not_found(path, size):
    os.truncate(path, size)
    assert map_npy(path, 10, COLUMN) is None


def test_writing_into_the_tensor_does_not_reach_the_file(path):
    before = path.read_bytes()
    as_tensor(map_npy(path, 10, COLUMN)).zero_()
    assert path.read_bytes() == before


def test_a_file_larger_than_what_the_system_promises_is_mapped_for_reading_only(path, monkeypatch):
    memmap = np.memmap

    def refusing(*arguments, mode, **named):
        if mode == "c":
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        return memmap(*arguments, mode=mode, **named)

    monkeypatch.setattr(np, "memmap", refusing)
    array = map_npy(path, 10, COLUMN)
    assert not array.flags.writeable
    assert torch.equal(as_tensor(array), torch.from_numpy(WHOLE))  # a warning would be an error


def test_pieces_that_fail_leave_nothing(tmp_path):
    def pieces():
        yield WHOLE[:5]
        raise DataError("a.npz: damaged")

    with pytest.raises(DataError, match="damaged"):
        write_npy(tmp_path / "x.npy", 10, COLUMN, pieces())
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_a_clear_error_and_leaves_nothing(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    words = f"{tmp_path / 'x.npy'}: cannot be written (No space left on device); "
    with pytest.raises(DataError, match=re.escape(words) + r".*data\.cache"):
        write_npy(tmp_path / "x.npy", 10, COLUMN, [WHOLE])
    assert not list(tmp_path.iterdir())


def test_reading_ahead_changes_nothing(path):
    array = map_npy(path, 10, COLUMN)
    place = place_of(array)
    assert (place.path, place.row) == (path, 24)
    read_ahead([place], torch.tensor([2, 5]))
    read_ahead([place], torch.tensor([], dtype=torch.int64))
    np.testing.assert_array_equal(array, WHOLE)
    path.unlink()
    read_ahead([place], torch.tensor([2, 5]))
