"""Which events an epoch shows: all once, or some classes more often than they are.

Legend: ``N`` training events, ``C`` classes, ``M`` events of an epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.errors import DataError, did_you_mean
from tsunagu.random import derive_seed

__all__ = ["SAMPLERS", "Sampling", "sampling"]

MOST_CLASSES = 1000
"""A column with more values is no class."""

Shares = Callable[[Tensor], Tensor]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Sampling:
    """The events of each epoch, a pure function of (seed, epoch).

    Args:
        kind: one of :data:`SAMPLERS`.
        rows: ``[N]`` int64, the rows of the training events, class by class.
        sizes: ``[C]`` int64, how many each class has.

    >>> labels = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1])
    >>> [len(sampling(kind, torch.arange(8), labels)) for kind in ("natural", "balanced", "undersample", "oversample")]
    [8, 8, 4, 12]
    """

    kind: str
    rows: Tensor
    sizes: Tensor

    def __len__(self) -> int:
        if self.kind in _EXACT:
            return int(_EXACT[self.kind](self.sizes)) * len(self.sizes)
        return len(self.rows)

    def epoch(self, seed: int, epoch: int) -> Tensor:
        """The rows of one epoch, sorted: ``[M]`` int64; a row may stand in it several times.

        They are given to ``table.batches``, which puts them into an order.
        """
        if self.kind == "natural":
            return self.rows
        generator = torch.Generator().manual_seed(derive_seed(seed, "sampling", epoch))
        if self.kind in _EXACT:
            found = self._exact(int(_EXACT[self.kind](self.sizes)), generator)
        else:
            found = self._drawn(_DRAWN[self.kind](self.sizes.double()), generator)
        return self.rows[found].sort().values

    def _drawn(self, shares: Tensor, generator: torch.Generator) -> Tensor:
        """With replacement: first the class, then one of its events."""
        classes = torch.multinomial(shares, len(self.rows), replacement=True, generator=generator)
        within = torch.rand(len(self.rows), generator=generator, dtype=torch.float64)
        sizes = self.sizes[classes]
        place = (within * sizes).long().minimum(sizes - 1)
        return self._starts()[classes] + place

    def _exact(self, each: int, generator: torch.Generator) -> Tensor:
        """So many events of each class: as many times the whole class as go, and a random part without replacement."""
        found = []
        for start, size in zip(self._starts().tolist(), self.sizes.tolist(), strict=True):
            whole, rest = divmod(each, size)
            order = torch.randperm(size, generator=generator)
            found += [start + torch.arange(size).repeat(whole), start + order[:rest]]
        return torch.cat(found)

    def _starts(self) -> Tensor:
        return self.sizes.cumsum(0) - self.sizes


def sampling(
    kind: str, rows: Tensor, labels: Tensor | None, name: str = "", files: Sequence[str] = ()
) -> Sampling:
    """How the epochs of a training are made up.

    Args:
        kind: one of :data:`SAMPLERS`.
        rows: ``[N]`` int64, the training events, sorted.
        labels: ``[N]``, their classes as whole numbers of any dtype; not looked at by ``natural``.
        name: of the column, for messages.
        files: where it comes from, for messages.

    Raises:
        LookupError: no such kind.
        DataError: the column is no class, or there is one class only.
    """
    if kind not in SAMPLERS:
        msg = f"unknown sampling '{kind}'{did_you_mean(kind, SAMPLERS)}"
        raise LookupError(msg)
    if kind == "natural" or labels is None:
        return Sampling(kind="natural", rows=rows, sizes=torch.tensor([len(rows)]))
    if problem := _unfit(labels):
        msg = f"{', '.join(files)}: column '{name}': train.sampling: {kind} needs classes, {problem}"
        raise DataError(msg)
    _, classes, sizes = torch.unique(labels, return_inverse=True, return_counts=True)
    return Sampling(kind=kind, rows=rows[classes.argsort(stable=True)], sizes=sizes)


def _unfit(labels: Tensor) -> str:
    if labels.ndim != 1:
        return f"one whole number for each event, but it is {['E', *labels.shape[1:]]}".replace("'", "")
    if labels.is_floating_point() and not bool((labels == labels.round()).all()):
        return "whole numbers, but some of its values are none"
    if (count := len(torch.unique(labels))) > MOST_CLASSES or count < 2:
        return f"from 2 to {MOST_CLASSES}, found {count} in the training events"
    return ""


_DRAWN: dict[str, Shares] = {"balanced": torch.ones_like, "square_root": torch.sqrt}
_EXACT: dict[str, Shares] = {"undersample": torch.min, "oversample": torch.max}
SAMPLERS = ("natural", *_DRAWN, *_EXACT)
"""``natural``: every event once. ``balanced``, ``square_root``: as many draws with replacement as there are events, of a
class with a probability that is equal for all, or goes as the root of its size. ``undersample``: of each class as many as the
rarest has, others in each epoch. ``oversample``: of each as many as the largest has, every event about equally often."""
