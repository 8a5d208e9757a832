"""What a study tells while it runs, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tsunagu.errors import TsunaguError
from tsunagu.studies.baselines import Baseline
from tsunagu.studies.plan import Planned
from tsunagu.studies.rows import Row
from tsunagu.trials import Result, Watched

__all__ = ["Outcome", "Watcher"]


def _ignore(*_: object) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """Functions that are told what happens while a study runs.

    Args:
        begin: the trials that will run, or be found in the store; with a search, once for each of its rounds.
        found: a trial is in the store already.
        trial: a trial begins; only where trials run in this process, as the next two.
        step: a training made an optimiser step; of a population each member that takes part.
        epoch: an epoch of a training ended; its history has a new line.
        end: a trial ended, well or not.
    """

    begin: Callable[[Sequence[Planned]], None] = _ignore
    found: Callable[[Planned, Result], None] = _ignore
    trial: Callable[[Planned], None] = _ignore
    step: Callable[[Watched], None] = _ignore
    epoch: Callable[[Watched], None] = _ignore
    end: Callable[[Planned, Result | TsunaguError], None] = _ignore


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a study came to.

    Args:
        rows: one for each finished trial, as in ``results.csv``.
        baselines: metrics of columns that are read off the table without training.
        failures: trials that could not be finished, with the reason; the others are kept.
        aside: what searches have trained beside these: supernets, and candidates for a part of the epochs.
    """

    rows: Sequence[Row]
    baselines: Sequence[Baseline]
    failures: Sequence[tuple[Planned, TsunaguError]]
    aside: Sequence[Row] = ()
