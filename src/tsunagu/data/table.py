"""The table: named columns of events, in memory or mapped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import final

import torch
from torch import Tensor

from tsunagu.data.batches import BUFFER, CHUNK, batches, chunked_batches
from tsunagu.data.devices import fits, given, named
from tsunagu.data.folds import FoldChoice, Split, split_events
from tsunagu.data.mapped import Place, read_ahead
from tsunagu.errors import DataError, did_you_mean

__all__ = ["Table"]

CPU = torch.device("cpu")


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
        processes: the physics process of each file; empty without processes.
        notes: sentences on what is not as in the files: the replaced NaN of each file and column.
        files_of: where each column is, if the tensors are parts of files rather than of memory; they read the same.
        device: where :meth:`take` and :meth:`weights` give rows; see :meth:`to`.

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
    processes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files_of: Mapping[str, Place] = field(default_factory=dict)
    device: torch.device = CPU

    @property
    def is_mapped(self) -> bool:
        """Whether the tensors are parts of files."""
        return bool(self.files_of)

    @property
    def order(self) -> str:
        """How :meth:`batches` orders events, in words; a result depends on it, as on a seed."""
        return f"chunks of {CHUNK}, {BUFFER} at a time" if self.is_mapped else "shuffled"

    def __len__(self) -> int:
        return len(self.event_number)

    def take(self, names: Iterable[str], index: Tensor) -> dict[str, Tensor]:
        """Some rows of some columns.

        Args:
            names: of columns.
            index: ``[N]`` int64 rows, on any device.

        Returns:
            Copies ``[N, ...]`` on the table's device.

        Raises:
            DataError: a name that is not a column.

        >>> import torch
        >>> rest = dict.fromkeys(["weight", "train_weight", "event_number", "fold"], torch.tensor([]))
        >>> table = Table(columns={"pt": torch.tensor([10.0, 20.0, 30.0])}, fingerprint="", **rest)
        >>> table.take(["pt"], torch.tensor([2, 0]))
        {'pt': tensor([30., 10.])}
        """
        return {name: given(self._column(name), index, self.device) for name in names}

    def weights(self, index: Tensor) -> Tensor:
        """The training weights of some rows ``[N]``, on the table's device."""
        return given(self.train_weight, index, self.device)

    def to(self, device: torch.device | str, *, room: int | None = None) -> Table:
        """The same events for a training on a device.

        Columns and training weights are copied there if they take half of the free memory at most; the other half is
        for models and their gradients. Else they stay, and the rows of each batch are moved. Physics weights, event numbers and
        folds stay on the CPU, where metrics are computed.

        Args:
            device: such as ``cuda:0``.
            room: free bytes there; what the device says by default.

        >>> rest = dict.fromkeys(["weight", "train_weight", "event_number", "fold"], torch.zeros(2))
        >>> table = Table(columns={"pt": torch.zeros(2)}, fingerprint="", **rest)
        >>> [table.to("meta", room=room).columns["pt"].device.type for room in (32, 31)]
        ['meta', 'cpu']
        """
        place = named(device)
        if place == self.device:
            return self
        columns = dict(self.columns)
        if not fits([*columns.values(), self.train_weight], place, room):
            return replace(self, device=place)
        there = {name: column.to(place) for name, column in columns.items()}
        return replace(self, columns=there, train_weight=self.train_weight.to(place), device=place)

    @property
    def is_resident(self) -> bool:
        """Whether the columns live on the table's device, so that no batch has to be moved."""
        return self.train_weight.device == self.device

    def batches(
        self,
        indices: Tensor,
        batch_size: int,
        seed: int,
        epoch: int,
        *,
        start: int = 0,
        names: Iterable[str] | None = None,
    ) -> Iterator[Tensor]:
        """The rows of one epoch in a random order: :func:`~tsunagu.data.batches`, or its like for a mapped table.

        Args:
            indices: ``[N]`` int64 rows, sorted.
            batch_size: at least 1.
            seed: of the training.
            epoch: of the training, from 0.
            start: the batches to leave out, for a training that goes on in the middle of an epoch.
            names: the columns that will be taken, to be read ahead; None for all.

        Yields:
            int64 tensors of ``batch_size`` rows; every row of ``indices`` once.

        >>> import torch
        >>> rest = dict.fromkeys(["weight", "train_weight", "event_number", "fold"], torch.tensor([]))
        >>> table = Table(columns={}, fingerprint="", **rest)
        >>> [len(batch) for batch in table.batches(torch.arange(5), 2, seed=1, epoch=0)]
        [2, 2, 1]
        """
        if not self.is_mapped:
            device = self.device if self.is_resident else None
            return islice(batches(indices, batch_size, seed, epoch, device=device), start, None)
        files = [
            self.files_of[name]
            for name in (self.columns if names is None else names)
            if name in self.files_of and self.columns[name].device.type == "cpu"
        ]
        ahead = partial(read_ahead, files)
        return chunked_batches(indices, batch_size, seed, epoch, start=start, ahead=ahead)

    def split(self, folds: FoldChoice) -> Split:
        """The rows for training, validation and test, by the hash of the event number.

        Args:
            folds: their number ``k``, and which are for ``test`` and ``validation``; ``k`` need not be the
                one that the table was opened with.
        """
        return split_events(self.event_number.numpy(), folds)

    def _column(self, name: str) -> Tensor:
        if name not in self.columns:
            message = (
                f"{', '.join(self.files)}: no column '{name}' was read{did_you_mean(name, self.columns)}"
            )
            raise DataError(message)
        return self.columns[name]
