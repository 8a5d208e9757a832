"""What an executor does with trials: the jobs, here and in a worker, and what travels between them.

To a worker go the trial, the study whose data section names its table, and two folders; back comes the digest or a
failure. The worker opens the table itself, once, and does nothing unless it finds what the study was checked with.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

import torch

from tsunagu.data import Table
from tsunagu.errors import DataError, ResumeError, TsunaguError
from tsunagu.files import write_bytes
from tsunagu.spec import Study, variations
from tsunagu.studies.locating import named_files
from tsunagu.studies.opening import Tables, open_study_table
from tsunagu.train import choose_device
from tsunagu.trials import Store, Trial, Watched, follow, run_group
from tsunagu.trials.executors import Answer, Failure

__all__ = ["Assigned", "RunHere", "RunThere", "follow_study", "leave_device"]


@final
@dataclass(frozen=True, kw_only=True)
class Assigned:
    """A trial that is to be run.

    Args:
        digest: its name.
        trial: its inputs.
        study: the one that its table is opened for.
        fingerprint: of that table.
    """

    digest: str
    trial: Trial
    study: Study
    fingerprint: str


@final
@dataclass(frozen=True, kw_only=True)
class RunHere:
    """Run a group in this process, with the tables that are open and somebody who watches."""

    tables: Tables
    store: Store
    begin: Callable[[Assigned], None]
    step: Callable[[Watched], None]
    epoch: Callable[[Watched], None]
    device: torch.device

    def __call__(self, group: Sequence[Assigned]) -> Iterator[tuple[int, Answer]]:
        self.begin(group[0])
        table = partial(_placed, self.tables.of(group[0].study.data), self.device)
        yield from _attempt(group, table, self.store, on_step=self.step, on_epoch=self.epoch)


@final
@dataclass(frozen=True, kw_only=True)
class RunThere:
    """Run a group in a worker.

    Args:
        base: the folder that the file names of the study are relative to; all folders are absolute.
        store: where results go.
        device: that is asked for; what it means is found there.
    """

    base: Path
    store: Path
    device: str

    def __call__(self, group: Sequence[Assigned]) -> Iterator[tuple[int, Answer]]:
        yield from _attempt(group, self._table(group), Store(self.store))

    def _table(self, group: Sequence[Assigned]) -> Callable[[], Table]:
        return lambda: _placed(_table(group, self.base), choose_device(self.device))


def follow_study(study: Study, base: Path, device: torch.device) -> None:
    """Train with the first of several processes whatever it trains of a study.

    Raises:
        DataError: this process reads other events.
    """
    follow(partial(_followed, study, base, device))


def leave_device() -> None:
    """Drop the table that was kept on a device."""
    _on_device.clear()


_opened: dict[str, Table] = {}
_on_device: dict[tuple[str, str], Table] = {}


def _placed(table: Table, device: torch.device) -> Table:
    """A table on its device; only the last one is kept there."""
    name = (table.fingerprint, str(device))
    if name not in _on_device:
        leave_device()
        _on_device[name] = table.to(device)
    return _on_device[name]


def _followed(study: Study, base: Path, device: torch.device, fingerprint: str) -> Table:
    if (fingerprint, str(device)) not in _on_device:
        tables = Tables.open([study, *(varied for _, varied in variations(study))], base)
        found = [table for table in tables.opened.values() if table.fingerprint == fingerprint]
        if not found:
            msg = f"{named_files(study.data)}: not all processes read the same events there; give all of them the same files"
            raise DataError(msg)
        return _placed(found[0], device)
    return _on_device[fingerprint, str(device)]


def _table(group: Sequence[Assigned], base: Path) -> Table:
    """The table of a group; the last one is kept, since trials come variation by variation."""
    assigned = group[0]
    if assigned.fingerprint not in _opened:
        _opened.clear()
        table = open_study_table(assigned.study, base)
        _opened[table.fingerprint] = table
    if assigned.fingerprint not in _opened:
        found = named_files(assigned.study.data)
        msg = f"{found}: a worker reads other events there than the study was checked with; give all workers the same files"
        raise DataError(msg)
    table = _opened[assigned.fingerprint]
    if any(each.trial.digest(table) != each.digest for each in group):
        msg = "a worker has another version of tsunagu, or of your own networks; give all workers the same"
        raise ResumeError(msg)
    return table


def _attempt(
    group: Sequence[Assigned],
    table: Callable[[], Table],
    store: Store,
    *,
    on_step: Callable[[Watched], None] | None = None,
    on_epoch: Callable[[Watched], None] | None = None,
) -> Iterator[tuple[int, Answer]]:
    trials = [assigned.trial for assigned in group]
    try:
        outcomes = run_group(trials, table(), store, on_step=on_step, on_epoch=on_epoch)
    except TsunaguError as error:  # the table cannot be opened
        outcomes = [error] * len(group)
    for number, (assigned, outcome) in enumerate(zip(group, outcomes, strict=True)):
        note = store.root / f"{assigned.digest}.failure.txt"
        if isinstance(outcome, Exception):
            yield number, _failure(outcome, note)
            continue
        with suppress(OSError):
            note.unlink(missing_ok=True)
        yield number, assigned.digest


def _failure(error: Exception, note: Path) -> Failure:
    """The failure that an error means; where it arose is in a file, for whoever wrote the network."""
    failure = Failure.of(error)
    # Of these the message says all, and the disk may be full or the trial somebody else's.
    if isinstance(error, ResumeError):
        return failure
    try:
        write_bytes(note, "".join(traceback.format_exception(error)).encode())
    except TsunaguError:
        return failure
    return Failure(category=failure.category, reason=f"{failure.reason} (details: {note})")
