"""The table: named columns of events, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from tsunagu.data.folds import FoldChoice, Split, fold_of, split_rows
from tsunagu.errors import DataError, did_you_mean

__all__ = ["Table"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Columns, weights, event numbers and folds of events; made by :func:`tsunagu.data.open_table`.

    Args:
        columns: name to contiguous tensor ``[E, ...]``: float32, int64 or bool.
        weight: ``[E]`` float64, the physical weight with its sign: metrics and plots use it.
        train_weight: ``[E]`` float32, the weight in a training loss; the mean of its size is 1.
        event_number: ``[E]`` int64, unique.
        fold: ``[E]`` int64, ``hash(event_number) mod k``.
        fingerprint: SHA-256 of the columns, weights and event numbers.
        files: where the events come from, for messages.
        file_rows: number of events of each file; the rows of the table are in the order of the files.
        notes: sentences on what is not as in the files: the replaced NaN of each file and column.

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from tsunagu.data import ArraySource, open_table
    >>> source = ArraySource({"event_number": np.arange(100), "jet_pt": np.ones((100, 2))})
    >>> table = open_table(source, folds=SimpleNamespace(k=5, test=0, validation=1), needed=["jet_pt"])
    >>> len(table), table.columns["jet_pt"].shape, table.columns["jet_pt"].dtype
    (100, torch.Size([100, 2]), torch.float32)
    """

    columns: Mapping[str, Tensor]
    weight: Tensor
    train_weight: Tensor
    event_number: Tensor
    fold: Tensor
    fingerprint: str
    files: tuple[str, ...] = ()
    file_rows: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.event_number)

    def take(self, names: Iterable[str], index: Tensor) -> dict[str, Tensor]:
        """Some rows of some columns.

        Args:
            names: of columns.
            index: ``[N]`` int64 rows.

        Returns:
            Copies ``[N, ...]``.

        Raises:
            DataError: a name that is not a column.

        >>> rest = dict.fromkeys(["weight", "train_weight", "event_number", "fold"], torch.tensor([]))
        >>> table = Table(columns={"pt": torch.tensor([10.0, 20.0, 30.0])}, fingerprint="", **rest)
        >>> table.take(["pt"], torch.tensor([2, 0]))
        {'pt': tensor([30., 10.])}
        """
        return {name: self._column(name).index_select(0, index) for name in names}

    def split(self, folds: FoldChoice) -> Split:
        """The rows for training, validation and test, by the hash of the event number.

        Args:
            folds: their number ``k``, and which are for ``test`` and ``validation``; ``k`` need not be the
                one that the table was opened with.
        """
        return split_rows(torch.from_numpy(fold_of(self.event_number.numpy(), folds.k)), folds)

    def _column(self, name: str) -> Tensor:
        if name not in self.columns:
            message = (
                f"{', '.join(self.files)}: no column '{name}' was read{did_you_mean(name, self.columns)}"
            )
            raise DataError(message)
        return self.columns[name]
