"""Small samples in every format."""

import json
from types import SimpleNamespace

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot

from tsunagu.data import ArraySource


@pytest.fixture
def folds():
    return SimpleNamespace(k=5, test=0, validation=1)


@pytest.fixture
def events():
    rng = np.random.default_rng(7)
    number = np.arange(1000, 1200)
    return {
        "event_number": number,
        "weight": np.where(number % 5 == 0, -0.5, 1.0),
        "is_higgs": (number % 2).astype(np.int8),
        "passed": number % 3 == 0,
        "met": rng.exponential(30.0, 200).astype(np.float32),
        "jet_pt": rng.exponential(30.0, (200, 2)).astype(np.float32),
        "jet_eta": rng.normal(0.0, 1.0, (200, 2)).astype(np.float32),
        "image": rng.random((200, 2, 3, 4)).astype(np.float16),
    }


def write_parquet(path, arrays):
    """Lists of fixed length, with the shape in the metadata where there is more than one axis."""
    fields, columns = [], []
    for name, array in arrays.items():
        flat = pa.array(array.reshape(-1))
        size = int(np.prod(array.shape[1:]))
        column = pa.FixedSizeListArray.from_arrays(flat, size) if array.ndim > 1 else flat
        metadata = {"shape": json.dumps(array.shape[1:])} if array.ndim > 2 else None
        fields.append(pa.field(name, column.type, metadata=metadata))
        columns.append(column)
    pq.write_table(pa.table(columns, schema=pa.schema(fields)), path)
    return path


def write_npz(path, arrays):
    np.savez(path, **arrays)
    return path


def write_root(path, arrays):
    with uproot.recreate(path) as file:
        file.mktree(
            "t", {n: np.dtype((a.dtype, a.shape[1:])) if a.ndim > 1 else a.dtype for n, a in arrays.items()}
        )
        file["t"].extend(arrays)
    return path


def write_hdf5(path, arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


def write_csv(path, arrays):
    flat = {n: a if a.ndim == 1 else a[:, 0] for n, a in arrays.items()}
    rows = [",".join(flat), *(",".join(map(str, row)) for row in zip(*flat.values(), strict=True))]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def writers():
    """For each ending, a function that writes columns into a file and gives its path."""
    return {
        ".root": write_root,
        ".parquet": write_parquet,
        ".h5": write_hdf5,
        ".csv": write_csv,
        ".npz": write_npz,
    }


@pytest.fixture(params=["parquet", "npz"])
def write(request, tmp_path):
    """Write a sample and give the path: ``write("a", arrays)``."""
    writer = {"parquet": write_parquet, "npz": write_npz}[request.param]
    return lambda name, arrays: writer(tmp_path / f"{name}.{request.param}", arrays)


@pytest.fixture
def parquet(tmp_path):
    return lambda name, arrays: write_parquet(tmp_path / f"{name}.parquet", arrays)


@pytest.fixture
def source():
    """The same sample without a file: ``source(arrays, name)``."""
    return ArraySource
