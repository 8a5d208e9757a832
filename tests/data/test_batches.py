"""The order of events: a pure function."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.data import batches

ROWS = torch.tensor([3, 5, 8, 13, 21, 34, 55])


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
