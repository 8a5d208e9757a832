"""The table's own functions."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.data import ArraySource, fold_of, open_table
from tsunagu.errors import DataError

EVENTS = {"event_number": np.arange(60), "x": np.arange(120.0).reshape(60, 2), "n": np.arange(60) * 2}
TABLE = open_table(ArraySource(EVENTS, "a.npz"), folds=SimpleNamespace(k=5, test=0, validation=1))


@given(st.lists(st.integers(0, 59)))
def test_take_is_indexing(rows):
    index = torch.tensor(rows, dtype=torch.int64)
    taken = TABLE.take(["x", "n"], index)
    assert list(taken) == ["x", "n"]
    assert all(torch.equal(taken[name], TABLE.columns[name][index]) for name in taken)


def test_take_copies():
    TABLE.take(["x"], torch.arange(60))["x"].zero_()
    assert TABLE.columns["x"][1, 1] == 3.0


def test_take_names_the_nearest_column():
    with pytest.raises(DataError, match=r"a.npz: no column 'jet' was read \(valid: event_number, n, x\)"):
        TABLE.take(["jet"], torch.arange(3))


def test_split_with_other_folds_than_at_opening():
    split = TABLE.split(SimpleNamespace(k=3, test=2, validation=1))
    assert split.test.tolist() == np.flatnonzero(fold_of(EVENTS["event_number"], 3) == 2).tolist()


def test_a_table_does_not_change():
    with pytest.raises(AttributeError):
        TABLE.weight = torch.zeros(60)
