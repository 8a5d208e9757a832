"""The order of events: a pure function."""

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.data import batches, chunked_batches
from tsunagu.data.batches import BUFFER, CHUNK

ROWS = torch.tensor([3, 5, 8, 13, 21, 34, 55])
PINNED = [[21, 55, 13], [34, 8, 5], [3]]


@given(st.integers(0, 20), st.integers(1, 25), st.integers(0, 2**63 - 1), st.integers(0, 1000))
def test_every_row_once_in_full_batches_but_the_last(count, size, seed, epoch):
    got = list(batches(torch.arange(count) * 2, size, seed, epoch))
    assert sorted(torch.cat([torch.tensor([], dtype=torch.int64), *got]).tolist()) == list(
        range(0, 2 * count, 2)
    )
    assert all(len(batch) == size for batch in got[:-1])
    assert all(0 < len(batch) <= size for batch in got)


def test_pinned_order():
    # The order is part of what a stored result means.
    assert [batch.tolist() for batch in batches(ROWS, 3, seed=1, epoch=0)] == [[34, 55, 8], [21, 5, 13], [3]]


def test_equal_arguments_give_equal_orders_whatever_was_drawn_before():
    first = torch.cat(list(batches(ROWS, 2, 1, 4)))
    torch.rand(3, generator=torch.default_generator)
    assert torch.equal(torch.cat(list(batches(ROWS, 3, 1, 4))), first)


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    list(batches(ROWS, 2, 1, 0))
    assert torch.equal(torch.get_rng_state(), before)


def test_seeds_and_epochs_differ():
    rows = torch.arange(50)
    orders = {tuple(torch.cat(list(batches(rows, 7, s, e))).tolist()) for s in range(3) for e in range(3)}
    assert len(orders) == 9


sizes = st.integers(1, 25)
numbers = st.integers(0, 1000)


def _origins(batch, indices, chunk):
    """The numbers of the chunks that rows come from."""
    count = math.ceil(len(indices) / chunk)
    ends = torch.tensor([(n + 1) * len(indices) // count for n in range(count)])
    return set(torch.searchsorted(ends, torch.searchsorted(indices, batch), right=True).tolist())


@given(st.integers(0, 200), sizes, st.integers(0, 2**63 - 1), numbers, st.integers(1, 12), st.integers(2, 9))
def test_chunks_every_row_once_in_full_batches_from_few_chunks(count, size, seed, epoch, chunk, buffer):
    indices = torch.arange(count) * 3
    got = list(chunked_batches(indices, size, seed, epoch, chunk=chunk, buffer=buffer))
    assert sorted(torch.cat([indices[:0], *got]).tolist()) == indices.tolist()
    assert all(len(batch) == size for batch in got[:-1])
    assert all(0 < len(batch) <= size for batch in got)
    if count and size <= count // math.ceil(count / chunk) * (buffer // 2):
        assert all(len(_origins(batch, indices, chunk)) <= buffer for batch in got)


@given(st.integers(0, 200), sizes, numbers, st.integers(1, 12), st.integers(2, 9), st.integers(0, 50))
def test_chunks_from_the_middle_of_an_epoch(count, size, epoch, chunk, buffer, start):
    indices = torch.arange(count)
    every = list(chunked_batches(indices, size, 1, epoch, chunk=chunk, buffer=buffer))
    rest = list(chunked_batches(indices, size, 1, epoch, chunk=chunk, buffer=buffer, start=start))
    assert [batch.tolist() for batch in rest] == [batch.tolist() for batch in every[start:]]


@given(st.integers(1, 200), sizes, st.integers(1, 12), st.integers(2, 9), st.integers(0, 20))
def test_chunks_are_announced_once_and_before_they_are_needed(count, size, chunk, buffer, start):
    indices, announced, used = torch.arange(count), [], []
    order = chunked_batches(
        indices,
        size,
        1,
        0,
        chunk=chunk,
        buffer=buffer,
        start=start,
        ahead=announced.append,
    )
    for batch in order:
        used += batch.tolist()
        rows = torch.cat(announced).tolist()
        assert set(batch.tolist()) <= set(rows) or start
        assert len(rows) == len(set(rows))
        assert len(rows) - len(used) <= chunk * (buffer + 1) + size or start
    if not start:
        assert sorted(torch.cat(announced).tolist()) == indices.tolist()


def test_pinned_order_of_chunks():
    got = list(chunked_batches(ROWS, 3, seed=1, epoch=0, chunk=2, buffer=4))
    assert [batch.tolist() for batch in got] == PINNED


def test_a_batch_of_chunks_is_mixed():
    """Neighbours are rare, every part of the table is seen early, and few batches lean to one side."""
    indices = torch.arange(100_000)
    got = list(chunked_batches(indices, 100, seed=3, epoch=0))
    first = got[0].sort().values
    assert len(_origins(first, indices, CHUNK)) >= 30
    assert (first.diff() == 1).sum() <= 3
    assert first.min() < 20_000
    assert first.max() > 80_000
    means = torch.stack([batch.double().mean() for batch in got[:100]]) / 100_000
    assert means.std() < 2 / math.sqrt(12 * 100)
    assert abs(means.mean() - 0.5) < 3 / math.sqrt(12 * BUFFER / 2)


def test_chunks_of_seeds_and_epochs_differ():
    rows = torch.arange(50)
    orders = {
        tuple(torch.cat(list(chunked_batches(rows, 7, s, e, chunk=3, buffer=4))).tolist())
        for s in range(3)
        for e in range(3)
    }
    assert len(orders) == 9


def test_chunks_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    list(chunked_batches(ROWS, 2, 1, 0))
    assert torch.equal(torch.get_rng_state(), before)
