"""Folds and splits: which events train, which choose, which are kept for the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["FoldChoice", "Split", "fold_of", "mix", "split_events", "split_rows"]


class FoldChoice(Protocol):
    """Any object with these three numbers, such as ``tsunagu.spec.Folds``."""

    @property
    def k(self) -> Any:
        """Number of folds."""

    @property
    def test(self) -> Any:
        """The fold that is read once, at the end."""

    @property
    def validation(self) -> Any:
        """The fold that choices are made on."""


_ROWS = 1 << 16


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """Row indices of the three parts of a table, int64, each sorted; together every row exactly once."""

    train: Tensor
    validation: Tensor
    test: Tensor

    def parts(self) -> dict[str, Tensor]:
        """The parts by their names.

        >>> empty = torch.tensor([], dtype=torch.int64)
        >>> list(Split(train=torch.tensor([0, 2]), validation=torch.tensor([1]), test=empty).parts())
        ['train', 'validation', 'test']
        """
        return {"train": self.train, "validation": self.validation, "test": self.test}


def mix(event_number: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A well-mixed 64-bit number for each event number: one output of SplitMix64 seeded with it.

    Event numbers are rarely random (a generator counts, a skim keeps every tenth, two processes use even and
    odd numbers), so ``event_number % k`` may put a process into one fold. The mix depends on nothing but the
    number itself: it is the same on every machine, in every file order and for every selection.

    Args:
        event_number: ``[E]`` int64, any values.

    Returns:
        ``[E]`` uint64. The map is a bijection.

    Source: Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.

    >>> hex(mix(np.array([0]))[0])
    '0xe220a8397b1dcdaf'
    """
    z = np.asarray(event_number, dtype=np.int64).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = z ^ (z >> np.uint64(31))
    return mixed


def fold_of(event_number: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """The fold of each event, ``mix(event_number) % k``: ``[E]`` int64 in ``0 .. k-1``.

    >>> fold_of(np.arange(10), 5).tolist()
    [0, 0, 0, 3, 3, 3, 2, 2, 2, 3]
    """
    return (mix(event_number) % np.uint64(k)).astype(np.int64)


def split_rows(fold: Tensor, folds: FoldChoice) -> Split:
    """The test fold, the validation fold, and the rest for training.

    Args:
        fold: ``[E]`` int64, from :func:`fold_of` with the same ``k``.
        folds: the numbers of the test and the validation fold.

    >>> from types import SimpleNamespace
    >>> split = split_rows(torch.tensor([0, 2, 1, 2]), SimpleNamespace(k=3, test=0, validation=1))
    >>> split.train, split.validation, split.test
    (tensor([1, 3]), tensor([2]), tensor([0]))
    """
    test = fold == folds.test
    validation = (fold == folds.validation) & ~test
    train = ~(test | validation)
    return Split(train=_rows(train), validation=_rows(validation), test=_rows(test))


def split_events(event_number: NDArray[np.int64], folds: FoldChoice) -> Split:
    """:func:`split_rows` of event numbers ``[E]``, in memory or not: it takes 10 bytes an event.

    >>> from types import SimpleNamespace
    >>> split_events(np.arange(6), SimpleNamespace(k=5, test=0, validation=1)).test
    tensor([0, 1, 2])
    """
    fold = np.empty(len(event_number), dtype=np.min_scalar_type(-folds.k))
    for start in range(0, len(fold), _ROWS):
        rows = slice(start, start + _ROWS)
        fold[rows] = fold_of(event_number[rows], folds.k)
    return split_rows(torch.from_numpy(fold), folds)


def _rows(selected: Tensor) -> Tensor:
    return torch.nonzero(selected).squeeze(1)
