"""Run a study: every trial through the store, then the tables that everything else reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tsunagu.errors import TsunaguError
from tsunagu.files import write_bytes
from tsunagu.spec import Study, dump_yaml
from tsunagu.studies.baselines import Baseline, store_baselines
from tsunagu.studies.opening import Tables
from tsunagu.studies.plan import Planned, check_study, plan
from tsunagu.studies.tables import Row, write_results, write_summary
from tsunagu.train import Training
from tsunagu.trials import Result, Store, run_trial

__all__ = ["Outcome", "Watcher", "run_study"]


def _ignore(*_: object) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Watcher:
    """Functions that are told what happens while a study runs.

    Args:
        begin: the trials that will run, or be found in the store.
        trial: a trial begins.
        step: an optimiser step was made.
        epoch: an epoch ended; the history has a new line.
        end: a trial ended, well or not.
    """

    begin: Callable[[Sequence[Planned]], None] = _ignore
    trial: Callable[[Planned], None] = _ignore
    step: Callable[[Training], None] = _ignore
    epoch: Callable[[Training], None] = _ignore
    end: Callable[[Planned, Result | TsunaguError], None] = _ignore


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a study came to.

    Args:
        rows: one for each finished trial.
        baselines: metrics of columns that are read off the table without training.
        failures: trials that could not be finished, with the reason; the others are kept.
    """

    rows: Sequence[Row]
    baselines: Sequence[Baseline]
    failures: Sequence[tuple[Planned, TsunaguError]]


def run_study(
    study: Study, out: Path | str, *, base: Path | str = ".", watcher: Watcher | None = None
) -> Outcome:
    """Run all trials of a study that are not yet in the store, and write ``results.csv`` and ``summary.json``.

    Args:
        study: as declared.
        out: the folder of the results; again with the same folder continues, or returns at once.
        base: the folder that relative file names start from; the current one by default.
        watcher: told of every step.

    Raises:
        SpecError, DataError: found before any training, all mistakes at once.
    """
    watch, out = watcher or Watcher(), Path(out)
    tables = check_study(study, Path(base))
    trials = list(plan(study))
    watch.begin(trials)
    write_bytes(out / "study.yaml", dump_yaml(study).encode())
    baselines = store_baselines(study, tables.of(study.data), out / "baselines.npz")
    rows: list[Row] = []
    failures: list[tuple[Planned, TsunaguError]] = []
    for planned in trials:
        watch.trial(planned)
        try:
            result = run_trial(
                planned.trial,
                tables.of(planned.study.data),
                Store(out / "trials"),
                on_step=watch.step,
                on_epoch=watch.epoch,
            )
        except TsunaguError as error:
            failures.append((planned, error))
            watch.end(planned, error)
            continue
        rows.append(Row(planned=planned, result=result))
        watch.end(planned, result)
        # After every trial, so that an interrupted study leaves a table of what is finished.
        _write(study, out, rows, baselines, tables)
    _write(study, out, rows, baselines, tables)
    return Outcome(rows=rows, baselines=baselines, failures=failures)


def _write(
    study: Study, out: Path, rows: Sequence[Row], baselines: Sequence[Baseline], tables: Tables
) -> None:
    write_results(out / "results.csv", rows, baselines)
    write_summary(out / "summary.json", study, rows, baselines, tables.of(study.data))
