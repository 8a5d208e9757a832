"""Run a study: every trial through the store, then the tables that everything else reads."""

from __future__ import annotations

from pathlib import Path

from tsunagu.files import write_bytes
from tsunagu.spec import Study, dump_yaml
from tsunagu.studies.baselines import store_baselines
from tsunagu.studies.checks import check_study
from tsunagu.studies.outcome import Outcome, Watcher
from tsunagu.studies.place import Place, placed
from tsunagu.studies.rounds import Rounds
from tsunagu.studies.work import follow_study, leave_device
from tsunagu.train import here
from tsunagu.trials import Executor, leading
from tsunagu.trials.executors import make_executor

__all__ = ["run_study"]

ATTEMPTS = 2
"""A trial that fails is tried again once, after all others."""


def run_study(
    study: Study,
    out: Path | str,
    *,
    base: Path | str = ".",
    watcher: Watcher | None = None,
    executor: Executor | None = None,
    device: str | None = None,
) -> Outcome:
    """Run all trials of a study that are not yet in the store, and write ``results.csv`` and ``summary.json``.

    Under ``torchrun`` all processes call it, and share each training; only the first one writes, calls the watcher, and
    returns an outcome with anything in it.

    Args:
        study: as declared.
        out: the folder of the results; again with the same folder continues, or returns at once.
        base: the folder that relative file names start from; the current one by default.
        watcher: told of every step.
        executor: where trials run; as the study says by default.
        device: ``cpu``, ``cuda``, ``cuda:1`` or ``auto``; as the study says by default.

    Raises:
        SpecError, DataError: found before any training, all mistakes at once.
        TsunaguError: the executor finds no workers.
    """
    with placed(executor or make_executor(study.executor), device or study.device) as place:
        if here().rank:
            follow_study(study, Path(base), place.device)
            return Outcome(rows=(), baselines=(), failures=())
        with leading():
            return _run(study, Path(out), Path(base), watcher or Watcher(), place)


def _run(study: Study, out: Path, base: Path, watch: Watcher, place: Place) -> Outcome:
    tables = check_study(study, base)
    write_bytes(out / "study.yaml", dump_yaml(study).encode())
    baselines = store_baselines(study, tables.of(study.data), out / "baselines.npz")
    run = Rounds(study, out, base, watch, tables, baselines, place)
    while run.next_round():
        run.find()
        for _ in range(ATTEMPTS):
            run.attempt()
    leave_device()
    return run.end()
