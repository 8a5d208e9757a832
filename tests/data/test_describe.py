"""The numbers about a sample."""

from types import SimpleNamespace

import numpy as np
import pytest

from tsunagu.data import ArraySource, describe, describe_files, open_table
from tsunagu.errors import DataError

FOLDS = SimpleNamespace(k=3, test=0, validation=1)


@pytest.fixture
def table():
    number = np.arange(40)
    label = np.repeat([0, 2], [30, 10])
    sample = {"event_number": number, "w": np.where(number % 4 == 3, -1.0, 2.0), "label": label}
    parts = [{name: array[part] for name, array in sample.items()} for part in (slice(0, 8), slice(8, 40))]
    return open_table([ArraySource(p, f"{i}.npz") for i, p in enumerate(parts)], weight="w", folds=FOLDS)


def test_pinned_numbers(table):
    rows = describe(table, "label")
    assert [row.name for row in rows] == ["label = 0", "label = 2", "all"]
    everything = rows[-1]
    assert everything.events == 40
    assert everything.sum_weight == 50.0
    assert everything.sum_abs_weight == 70.0
    assert everything.negative_share == 0.25
    assert everything.effective_events == pytest.approx(50.0**2 / 130.0)


def test_classes_add_up(table):
    *classes, everything = describe(table, "label")
    for number in ("events", "sum_weight", "sum_abs_weight"):
        assert sum(getattr(row, number) for row in classes) == getattr(everything, number)


def test_files_add_up(table):
    rows = describe_files(table)
    assert [(row.name, row.events) for row in rows] == [("0.npz", 8), ("1.npz", 32)]
    assert sum(row.sum_weight for row in rows) == 50.0


def test_without_a_label(table):
    assert [row.name for row in describe(table, None)] == ["all"]


def test_equal_weights_are_all_effective():
    table = open_table(ArraySource({"event_number": np.arange(40)}), folds=FOLDS)
    assert describe(table, None)[0].effective_events == 40.0


def test_an_unknown_label(table):
    with pytest.raises(DataError, match=r"no column 'lable' was read \(did you mean 'label'\?\)"):
        describe(table, "lable")
