"""The trials of a study on their way: planned round by round, run, and written down as they end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

from tsunagu.errors import ResumeError
from tsunagu.spec import Study
from tsunagu.studies.baselines import Baseline
from tsunagu.studies.opening import Tables, event_key
from tsunagu.studies.out_of_fold import write_out_of_fold
from tsunagu.studies.outcome import Outcome, Watcher
from tsunagu.studies.place import Place
from tsunagu.studies.plan import Planned, plan
from tsunagu.studies.rows import Row
from tsunagu.studies.scans import write_scan
from tsunagu.studies.supernets import Agreement, Judged, agreements, judged, write_agreements
from tsunagu.studies.tables import write_results, write_summary
from tsunagu.studies.work import Assigned, RunHere, RunThere
from tsunagu.trials import Result, Store, Trial, populations
from tsunagu.trials.executors import Answer, Failure

__all__ = ["Rounds"]

LATE = 20.0
"""Seconds after which a network folder should show what another machine wrote."""


@final
@dataclass
class Rounds:
    """A study on its way: trials in their planned order, and what has come of them under their digests.

    It goes in rounds. What a search asks for next is planned when all trials of a round have ended, so who is trained with
    whom is the same whenever the study is interrupted.
    """

    study: Study
    out: Path
    base: Path
    watch: Watcher
    tables: Tables
    baselines: Sequence[Baseline]
    place: Place
    planned: Sequence[Planned] = ()
    digests: Sequence[str] = ()
    named: dict[str, list[Planned]] = field(default_factory=dict)
    round: Sequence[str] = ()
    settled: set[str] = field(default_factory=set)
    announced: set[tuple[str, str]] = field(default_factory=set)
    agreements: dict[tuple[str, str], Sequence[Judged]] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)

    def next_round(self) -> bool:
        """Plan what is known to be needed now; whether there is anything new to run."""
        if self.round and all(each.study.search is None for each in self.planned):
            return False
        self.settled |= set(self.round)
        self.planned = list(plan(self.study, self._known))
        self.digests = [self._digest(each.study, each.trial) for each in self.planned]
        # Variations may come to the same trial; it is run once.
        self.named = {digest: [] for digest in self.digests}
        for digest, each in zip(self.digests, self.planned, strict=True):
            self.named[digest].append(each)
        self.round = [digest for digest in self.named if digest not in self.settled]
        self._announce()
        return bool(self.round)

    def _announce(self) -> None:
        """Tell of what is planned for the first time, and of what another method has trained already."""
        pairs = list(zip(self.planned, self.digests, strict=True))
        new = [pair for pair in pairs if (pair[0].method, pair[1]) not in self.announced]
        self.announced |= {(planned.method, digest) for planned, digest in new}
        if new:
            self.watch.begin([planned for planned, _ in new])
        for planned, digest in new:
            if digest in self.settled and digest in self.results:
                self.watch.found(planned, self.results[digest])

    def _digest(self, study: Study, trial: Trial) -> str:
        return trial.digest(self.tables.of(study.data))

    def _known(self, study: Study, trial: Trial) -> Result | Exception | None:
        digest = self._digest(study, trial)
        if digest not in self.settled:
            return None
        return self.results.get(digest) or self.failures[digest].error()

    @property
    def store(self) -> Store:
        return Store(self.out / "trials")

    def find(self) -> None:
        """Take from the store what is there."""
        for digest in self.round:
            # A result that cannot be read is a failure of its trial, reported with the others.
            with suppress(ResumeError):
                if found := self.store.find(digest):
                    self.results[digest] = found
                    for planned in self.named[digest]:
                        self.watch.found(planned, found)
        self.write()

    def attempt(self) -> None:
        """Run what has no result, and may still come to one."""
        openers: dict[str, Study] = {}
        for study in (self.study, *(planned.study for planned in self.planned)):
            openers.setdefault(event_key(study.data), study)
        planned = [self._assigned(digest, openers) for digest in self.round]
        # Whole, with what is finished in them: the checkpoint of a population is that of all its members.
        todo = [group for group in _populations(planned) if any(self._is_open(each.digest) for each in group)]
        if todo:
            executor = self.place.executor
            executor.run(self._there() if executor.remote else self._here(), todo, self.ended)

    def ended(self, assigned: Assigned, answer: Answer) -> None:
        """Note what came of a trial."""
        digest = assigned.digest
        if digest in self.results:
            return
        found = answer if isinstance(answer, Failure) else _read(self.store, digest)
        if isinstance(found, Failure):
            self.failures[digest] = found
            return
        self.failures.pop(digest, None)
        self.results[digest] = found
        # After every trial, so that an interrupted study leaves a table of what is finished.
        self.write()
        for planned in self.named[digest]:
            self.watch.end(planned, found)

    def write(self) -> None:
        """The tables of what is finished, whatever the order in which it was."""
        rows = self._rows()
        write_results(self.out / "results.csv", rows, self.baselines)
        write_scan(self.out / "scan.csv", rows)
        table, agreements = self.tables.of(self.study.data), self._agreements(rows)
        write_agreements(self.out / "supernet.csv", agreements)
        write_summary(self.out / "summary.json", self.study, rows, self.baselines, table, agreements)

    def end(self) -> Outcome:
        """Put the scores of all folds together, and report what failed in the end."""
        self.write()
        write_out_of_fold(self.out, self.study, self._rows())
        pairs = zip(self.planned, self.digests, strict=True)
        errors = [(each, self.failures[digest].error()) for each, digest in pairs if digest in self.failures]
        for planned, error in errors:
            self.watch.end(planned, error)
        found = self._rows()
        rows, aside = ([row for row in found if (row.role == "trial") is full] for full in (True, False))
        return Outcome(rows=rows, baselines=self.baselines, failures=errors, aside=aside)

    def _rows(self) -> list[Row]:
        pairs = zip(self.planned, self.digests, strict=True)
        found = [
            Row(planned=each, result=self.results[digest]) for each, digest in pairs if digest in self.results
        ]
        searches = {(row.planned.method, row.place): row.result for row in found if row.role == "search"}
        return [replace(row, search=searches.get((row.planned.method, row.place))) for row in found]

    def _agreements(self, rows: Sequence[Row]) -> list[Agreement]:
        for row in rows:
            name = (row.planned.method, row.result.digest)
            if row.role == "search" and name not in self.agreements:
                self.agreements[name] = judged(row, self.tables.of(row.planned.study.data))
        known = {row.result.digest: row.result for row in rows if row.role == "trial"}
        return [
            found
            for row in rows
            if row.role == "search"
            for found in agreements(row, self.agreements[row.planned.method, row.result.digest], known)
        ]

    def _is_open(self, digest: str) -> bool:
        failure = self.failures.get(digest)
        return digest not in self.results and (failure is None or failure.again)

    def _assigned(self, digest: str, openers: dict[str, Study]) -> Assigned:
        planned = self.named[digest][0]
        data = planned.study.data
        return Assigned(
            digest=digest,
            trial=planned.trial,
            study=openers[event_key(data)],
            fingerprint=self.tables.of(data).fingerprint,
        )

    def _here(self) -> RunHere:
        return RunHere(
            tables=self.tables,
            store=self.store,
            begin=lambda assigned: self.watch.trial(self.named[assigned.digest][0]),
            step=self.watch.step,
            epoch=self.watch.epoch,
            device=self.place.device,
        )

    def _there(self) -> RunThere:
        store = (self.out / "trials").resolve()
        return RunThere(base=self.base.resolve(), store=store, device=self.place.asked)


def _populations(planned: Sequence[Assigned]) -> list[list[Assigned]]:
    """Trials that may be trained together, on one table each."""
    tables: dict[str, list[Assigned]] = {}
    for assigned in planned:
        tables.setdefault(assigned.fingerprint, []).append(assigned)
    return [
        [own[number] for number in numbers]
        for own in tables.values()
        for numbers in populations([assigned.trial for assigned in own])
    ]


def _read(store: Store, digest: str) -> Result | Failure:
    """The result that a worker has written."""
    deadline = time.monotonic() + LATE
    while True:
        with suppress(ResumeError):
            if found := store.find(digest):
                return found
        if time.monotonic() > deadline:
            reason = f"{store.root / digest}: a worker has finished it, but it is not here; all must share this folder"
            return Failure(category="ResumeError", reason=reason)
        time.sleep(0.2)
