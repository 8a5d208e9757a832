"""What a process and its threads are set to, so that many small steps are fast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from tsunagu.machine import keep_freed_memory

__all__ = ["DRAWS_GLOBALLY", "denormals_are_zero", "for_small_steps", "generator_states"]

DRAWS_GLOBALLY = (
    "a model draws from torch's global generator (functional.dropout, torch.rand), which no seed of a trial reaches; use a "
    "Dropout layer, or a generator of its own with a method reseed(seed)"
)


def for_small_steps() -> None:
    """Set this process, and torch in this thread, up for many small steps.

    One thread, since torch's others wait in spinning loops and cost far more than they gain on small models, and memory that
    is kept between steps. A program of one's own may want both; the commands and the workers do it.
    """
    torch.set_num_threads(1)
    keep_freed_memory()


@contextmanager
def denormals_are_zero() -> Iterator[None]:
    """Denormal numbers (below 1.2e-38 in single precision) are 0 in this thread, on processors that can do that.

    Adam's moments of weights that have no gradient any more, as behind a ReLU that is always off, decay towards 0 and
    stay denormal for hundreds of steps; processors treat such numbers one by one, and the optimiser takes four times as long.

    >>> with denormals_are_zero():
    ...     pass
    """
    before = _are_zero()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def generator_states(device: torch.device) -> list[Tensor]:
    """The states of torch's own generators, from which a step must not draw.

    >>> len(generator_states(torch.device("cpu")))
    1
    """
    own = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    return [torch.default_generator.get_state(), *own]


def _are_zero() -> bool:
    return not float(torch.full((), 1e-40) * 1.0)
