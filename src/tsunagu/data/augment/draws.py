"""Random numbers of single events: a hash in place of a generator, so that no draw depends on another one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

__all__ = ["EventDraws", "mixed"]

_GOLDEN, _FIRST, _SECOND = (
    n - (1 << 64) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
_BITS = 24
"""Of a number in single precision."""


@final
@dataclass(frozen=True, eq=False)
class EventDraws:
    """Random numbers for the events of a batch.

    The k-th number of an event is SplitMix64 of its event number, a key and k (see :func:`tsunagu.data.mix`). It is made of whole
    numbers, so it is the same on every device.

    Args:
        numbers: ``[N]`` int64 event numbers.
        keys: ``[N]`` int64, or one, of the seed, the epoch and the step.

    >>> draws = EventDraws(torch.tensor([7, 8]), torch.tensor(1))
    >>> again = EventDraws(torch.tensor([8]), torch.tensor(1))
    >>> torch.equal(draws.uniform((3,))[1:], again.uniform((3,)))
    True
    """

    numbers: Tensor
    keys: Tensor

    def of(self, place: int) -> EventDraws:
        """Those of one of several purposes, independent of the others."""
        return replace(self, keys=mixed(self.keys ^ mixed(torch.tensor(place, device=self.keys.device))))

    def uniform(self, shape: Sequence[int] = ()) -> Tensor:
        """Numbers from 0 to 1, 1 excluded: ``[N, *shape]`` float32."""
        return self._unit(self._bits(shape), 64 - _BITS).view(-1, *shape)

    def normal(self, shape: Sequence[int] = ()) -> Tensor:
        """Numbers of mean 0 and width 1: ``[N, *shape]`` float32 (Box & Muller, Ann. Math. Statist. 29 (1958) 610)."""
        bits = self._bits(shape)
        radius = (-2.0 * (self._unit(bits, 64 - _BITS) + 2.0**-_BITS).log()).sqrt()
        return (radius * (2.0 * math.pi * self._unit(bits, 0)).cos()).view(-1, *shape)

    def _bits(self, shape: Sequence[int]) -> Tensor:
        counter = torch.arange(math.prod(shape), device=self.numbers.device)
        begin = mixed(mixed(self.numbers) ^ self.keys).unsqueeze(1)
        return mixed(begin + counter * _GOLDEN)

    def _unit(self, bits: Tensor, down: int) -> Tensor:
        return ((bits >> down) & ((1 << _BITS) - 1)).float() * 2.0**-_BITS


def mixed(x: Tensor) -> Tensor:
    """SplitMix64 of int64 numbers of any shape; the bits of :func:`tsunagu.data.mix`.

    >>> hex(mixed(torch.tensor(0)).item() % (1 << 64))
    '0xe220a8397b1dcdaf'
    """
    z = x + _GOLDEN
    z = (z ^ _down(z, 30)) * _FIRST
    z = (z ^ _down(z, 27)) * _SECOND
    return z ^ _down(z, 31)


def _down(x: Tensor, bits: int) -> Tensor:
    # torch shifts the sign in from the left; unsigned numbers have zeros there.
    return (x >> bits) & ((1 << (64 - bits)) - 1)
