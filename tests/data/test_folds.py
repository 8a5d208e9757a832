"""Folds: a hash of the event number and of nothing else."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tsunagu.data import fold_of, mix
from tsunagu.data.folds import split_events, split_rows

NUMBERS = hnp.arrays(np.int64, st.integers(1, 50), unique=True)


@pytest.mark.parametrize(
    ("number", "mixed"),
    [
        # The published test vector of the reference implementation, seed 1234567, and its seed 0.
        (1234567, 6457827717110365317),
        (0, 0xE220A8397B1DCDAF),
        # The first step brings this one to zero (modulo 2^64), which the others leave there.
        (2**64 - 0x9E3779B97F4A7C15, 0),
    ],
)
def test_pinned_mix(number, mixed):
    assert int(mix(np.array([number]))[0]) == mixed


def test_pinned_folds():
    # Changing these moves events between the splits of every study that was ever run.
    assert fold_of(np.array([0, 1, 2, -1, 10**7, 2**62]), 5).tolist() == [0, 0, 0, 1, 3, 0]


@given(NUMBERS)
def test_mix_is_a_bijection(numbers):
    assert len(np.unique(mix(numbers))) == len(numbers)


@given(NUMBERS, st.integers(1, 10), st.randoms(use_true_random=False))
def test_the_fold_follows_the_event_not_the_row(numbers, k, random):
    order = list(range(len(numbers)))
    random.shuffle(order)
    np.testing.assert_array_equal(fold_of(numbers[order], k), fold_of(numbers, k)[order])


@pytest.mark.parametrize("numbers", [np.arange(10_000), np.arange(10_000) * 5, np.arange(10_000) * 2**40])
def test_regular_event_numbers_fill_the_folds_evenly(numbers):
    counts = np.bincount(fold_of(numbers, 5), minlength=5)
    # Binomial: 2000 +- 40, and five standard deviations of room.
    assert np.abs(counts - 2000).max() < 200


@given(NUMBERS, st.integers(3, 8))
def test_splits_are_sorted_and_hold_every_row_once(numbers, k):
    fold = torch.from_numpy(fold_of(numbers, k))
    parts = split_rows(fold, SimpleNamespace(k=k, test=2, validation=0)).parts()
    assert sorted(torch.cat(list(parts.values())).tolist()) == list(range(len(numbers)))
    for rows in parts.values():
        assert rows.tolist() == sorted(rows.tolist())
    assert (fold[parts["test"]] == 2).all()
    assert (fold[parts["validation"]] == 0).all()
    assert not torch.isin(fold[parts["train"]], torch.tensor([0, 2])).any()


@pytest.mark.parametrize("k", [3, 128, 129, 300, 40_000])
def test_splits_of_event_numbers_are_those_of_their_folds(k):
    number, folds = np.arange(70_000), SimpleNamespace(k=k, test=0, validation=k - 1)
    made, wanted = split_events(number, folds), split_rows(torch.from_numpy(fold_of(number, k)), folds)
    assert all(torch.equal(part, wanted.parts()[name]) for name, part in made.parts().items())
