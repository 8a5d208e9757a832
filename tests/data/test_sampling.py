"""Samplers: which events an epoch shows is a pure function of seed and epoch, and the classes have their shares."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.data import SAMPLERS, chunked_batches, sampling
from tsunagu.errors import DataError

ROWS = torch.arange(10_000) * 3
LABELS = (torch.arange(10_000) % 10 == 0).long() + 2 * (torch.arange(10_000) % 100 == 5).long()
SIZES = torch.tensor([8900, 1000, 100])
ROOT = SIZES.sqrt() / SIZES.sqrt().sum()
PINNED = {
    "natural": [0, 1, 2, 3, 4, 5],
    "balanced": [2, 2, 3, 4, 5, 5],
    "square_root": [2, 2, 3, 4, 4, 5],
    "undersample": [2, 5],
    "oversample": [0, 1, 2, 3, 4, 5, 5, 5, 5, 5],
}


def _epoch(kind, seed=1, epoch=0):
    return sampling(kind, ROWS, LABELS).epoch(seed, epoch)


def _counts(rows):
    return LABELS[rows // 3].bincount(minlength=3)


def test_natural_is_every_event_once_and_looks_at_no_class():
    assert torch.equal(_epoch("natural"), ROWS)
    assert torch.equal(sampling("natural", ROWS, None).epoch(1, 5), ROWS)


@pytest.mark.parametrize(
    ("kind", "shares"),
    [("balanced", torch.full((3,), 1 / 3)), ("square_root", ROOT)],
    ids=["balanced", "root"],
)
def test_draws_have_the_shares_of_their_classes_and_are_as_many_as_before(kind, shares):
    counts = _counts(_epoch(kind))
    assert int(counts.sum()) == len(sampling(kind, ROWS, LABELS)) == 10_000
    assert ((counts / 10_000 - shares).abs() < 0.02).all()


def test_within_a_class_all_events_are_drawn_equally_often():
    sampler = sampling("balanced", ROWS, LABELS)
    drawn = torch.cat([sampler.epoch(1, epoch) for epoch in range(20)])
    rare = drawn[LABELS[drawn // 3] == 2].bincount(minlength=30_000)[ROWS[LABELS == 2]]
    expected = 20 * 10_000 / 3 / 100
    assert float(((rare - expected) ** 2 / expected).sum()) < 100 + 5 * math.sqrt(200)


def test_undersampling_is_a_new_part_of_each_class_in_each_epoch():
    first, second = _epoch("undersample"), _epoch("undersample", epoch=1)
    assert _counts(first).tolist() == [100, 100, 100]
    assert len(first.unique()) == 300
    assert not torch.equal(first, second)


def test_oversampling_shows_every_event_about_equally_often():
    rows = _epoch("oversample")
    times = rows.bincount(minlength=30_000)[ROWS]
    assert _counts(rows).tolist() == [8900] * 3
    assert [sorted(set(times[c == LABELS].tolist())) for c in range(3)] == [[1], [8, 9], [89]]


@given(st.sampled_from(SAMPLERS), st.integers(0, 2**63 - 1), st.integers(0, 1000))
def test_an_epoch_is_a_pure_function_and_sorted(kind, seed, epoch):
    labels = torch.tensor([0, 1, 1, 1, 4, 1, 0, 1])
    rows = torch.arange(8) + 5
    sampler = sampling(kind, rows, labels)
    got = sampler.epoch(seed, epoch)
    assert torch.equal(got, sampling(kind, rows, labels).epoch(seed, epoch))
    assert torch.equal(got, got.sort().values)
    assert len(got) == len(sampler)
    assert set(got.tolist()) <= set(rows.tolist())


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    for kind in SAMPLERS:
        _epoch(kind)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_sampled_epoch_is_pinned():
    # It is part of what a stored result means.
    labels = torch.tensor([0, 0, 0, 0, 0, 1])
    got = {kind: sampling(kind, torch.arange(6), labels).epoch(1, 0).tolist() for kind in SAMPLERS}
    assert got == PINNED


def test_a_mapped_table_orders_what_was_sampled():
    rows = _epoch("oversample")
    shown = torch.cat(list(chunked_batches(rows, 64, 1, 0)))
    assert torch.equal(shown.sort().values, rows)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.zeros(4, 2), r"one whole number for each event, but it is \[E, 2\]"),
        (torch.tensor([0.5, 1.0, 0.0, 1.0]), "whole numbers, but some of its values are none"),
        (torch.zeros(4), "from 2 to 1000, found 1 in the training events"),
    ],
)
def test_what_is_no_class_is_named(labels, message):
    with pytest.raises(
        DataError, match=f"a.npz: column 'x': train.sampling: balanced needs classes, {message}"
    ):
        sampling("balanced", torch.arange(4), labels, "x", ["a.npz"])


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(LookupError, match=r"unknown sampling 'ballanced' .did you mean 'balanced'"):
        sampling("ballanced", ROWS, LABELS)
