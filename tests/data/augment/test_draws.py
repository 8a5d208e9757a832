"""Random numbers of events: a hash, the same whatever else is in the batch."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.data import mix
from tsunagu.data.augment import EventDraws
from tsunagu.data.augment.draws import mixed

NUMBERS = torch.arange(20_000) + 10_000_000
PINNED = [[0.9674291014671326, 0.8664140701293945], [0.6647143959999084, 0.6955854296684265]]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_the_bits_are_those_of_numpy(numbers):
    ours = mixed(torch.tensor(numbers, dtype=torch.int64)).numpy()
    assert np.array_equal(ours.view(np.uint64), mix(np.array(numbers, dtype=np.int64)))


def _draws(key, numbers=NUMBERS):
    return EventDraws(numbers, torch.tensor(key))


def test_an_event_has_its_numbers_in_any_batch_and_slice():
    for draw in (EventDraws.uniform, EventDraws.normal):
        whole = draw(_draws(5), (3, 4))
        order = torch.tensor([17, 3, 3, 90])
        assert torch.equal(draw(_draws(5, NUMBERS[order]), (3, 4)), whole[order])


def test_keys_of_several_orders_do_not_touch_each_other():
    both = EventDraws(NUMBERS[:4].repeat(2), torch.tensor([5, 6]).repeat_interleave(4)).uniform()
    assert torch.equal(both, torch.cat([_draws(key, NUMBERS[:4]).uniform() for key in (5, 6)]))
    assert not torch.equal(both[:4], both[4:])


def test_numbers_are_uniform_normal_and_independent():
    uniform, normal = _draws(1).uniform((2,)), _draws(1).of(1).normal((2,))
    assert float(uniform.min()) >= 0.0
    assert float(uniform.max()) < 1.0
    counts = torch.histc(uniform[:, 0], 20, 0, 1)
    assert float(((counts - 1000) ** 2 / 1000).sum()) < 50
    assert abs(float(normal.mean())) < 0.02
    assert abs(float(normal.std()) - 1.0) < 0.02
    assert abs(float((normal**4).mean()) - 3.0) < 0.2
    others = [
        uniform[:, 0],
        uniform[:, 1],
        normal[:, 0],
        normal[:, 1],
        _draws(2).uniform(),
        _draws(1).of(2).uniform(),
    ]
    assert float((torch.corrcoef(torch.stack(others)) - torch.eye(6)).abs().max()) < 0.03


def test_numbers_are_pinned():
    # They are part of what a stored result means.
    assert _draws(7, torch.tensor([1, 2])).uniform((2,)).tolist() == PINNED
