"""Settings of the process and its threads."""

from __future__ import annotations

import torch

from tsunagu.train import for_small_steps
from tsunagu.train.process import denormals_are_zero


def _doubled():
    return float(torch.full((4,), 1e-40).mul(2.0)[0])


def test_denormals_are_zero_in_the_block_alone():
    before = _doubled()
    with denormals_are_zero():
        assert _doubled() == 0.0
        with denormals_are_zero():
            pass
        assert _doubled() == 0.0
    assert _doubled() == before > 0.0


def test_small_steps_want_one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for_small_steps()
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)
