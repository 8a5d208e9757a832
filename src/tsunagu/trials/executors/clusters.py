"""Where Dask gets its workers from: this machine, a scheduler that is there already, or the jobs of a batch system."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tsunagu.errors import TsunaguError
from tsunagu.machine import ONE_THREAD, environment, without_interrupts
from tsunagu.trials.executors.executor import DEATHS

__all__ = ["BATCH", "OPTIONS", "batch_cluster", "connected"]

BATCH = {"slurm": "SLURMCluster", "htcondor": "HTCondorCluster"}
_COMMON: dict[str, tuple[type, ...]] = {
    "cores": (int,),
    "memory": (str,),
    "interface": (str,),
    "job_extra_directives": (list, dict),
    "job_script_prologue": (list,),
    "local_directory": (str,),
    "log_directory": (str,),
    "python": (str,),
    "scheduler_options": (dict,),
    "worker_extra_args": (list,),
}
OPTIONS: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "slurm": {**_COMMON, "queue": (str,), "account": (str,), "walltime": (str,)},
    "htcondor": {**_COMMON, "disk": (str,)},
}
"""The options of dask-jobqueue that a study may set, with the types of their values."""
_DEFAULTS: Mapping[str, dict[str, Any]] = {
    "slurm": {"cores": 1, "memory": "4GB"},
    "htcondor": {"cores": 1, "memory": "4GB", "disk": "2GB"},
}
_SUBMIT = {"slurm": "sbatch", "htcondor": "condor_submit"}
_SETTINGS = {
    # Only what runs counts as a suspect when a worker dies, so a worker is never given more than it can run.
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.work-stealing": False,
    # One more than counts, since a trial is also suspected that was on its way to a worker when that one died.
    "distributed.scheduler.allowed-failures": DEATHS,
    "distributed.nanny.pre-spawn-environ": dict(ONE_THREAD),
    # A report of every restart would run over the bars; what fails in the end is reported by the study.
    "distributed.logging": {"distributed": "critical"},
}


@contextmanager
def connected(cluster: str, workers: int, options: Mapping[str, Any]) -> Iterator[Any]:
    """A client of a cluster, which ends with the block unless it was there before.

    Args:
        cluster: ``local``, ``slurm``, ``htcondor``, or the address of a scheduler.
        workers: how many to start; not for a scheduler that is there already.
        options: of the batch system, see :data:`OPTIONS`.

    Raises:
        TsunaguError: there is no such scheduler, or no batch system here.
    """
    import dask
    from distributed import Client

    with dask.config.set(_SETTINGS):
        if "://" in cluster:
            with _reached(cluster) as client:
                yield client
            return
        # Their threads and processes begin here, and Ctrl-C is for this one.
        with without_interrupts(), environment(ONE_THREAD):
            made = _local(workers) if cluster == "local" else _submitted(cluster, workers, options)
            client = Client(made)
        try:
            yield client
        finally:
            client.close(timeout=5)
            made.close(timeout=5)


@contextmanager
def _reached(address: str) -> Iterator[Any]:
    from distributed import Client

    try:
        client = Client(address, timeout="20s")
    except (OSError, ValueError) as error:
        msg = f"{address}: no Dask scheduler answers there ({error}); start one with `dask scheduler`"
        raise TsunaguError(msg) from error
    try:
        yield client
    finally:
        client.close(timeout=5)


def _local(workers: int) -> Any:
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=":0",
        memory_limit=0,
        silence_logs=logging.CRITICAL,
    )


def _submitted(cluster: str, workers: int, options: Mapping[str, Any]) -> Any:
    if shutil.which(_SUBMIT[cluster]) is None:
        msg = f"{_SUBMIT[cluster]}: there is no such command; run the study on a machine that can submit jobs"
        raise TsunaguError(msg)
    made = batch_cluster(cluster, options)
    # As many as are wanted at all times: a job that ends at its time limit is replaced.
    made.adapt(minimum=workers, maximum=workers)
    return made


def batch_cluster(cluster: str, options: Mapping[str, Any]) -> Any:
    """The dask-jobqueue cluster of a batch system, with no job submitted yet; ``job_script()`` shows what jobs are.

    Args:
        cluster: ``slurm`` or ``htcondor``.
        options: see :data:`OPTIONS`.
    """
    import dask_jobqueue

    prologue = [f"export {name}={value}" for name, value in ONE_THREAD.items()]
    mine = [*prologue, *options.get("job_script_prologue", [])]
    scheduler = {"dashboard_address": ":0", **options.get("scheduler_options", {})}
    settings = {"python": sys.executable, **_DEFAULTS[cluster], **options}
    settings |= {"job_script_prologue": mine, "scheduler_options": scheduler}
    # One process and one thread whatever the cores of the job: a trial uses one.
    return getattr(dask_jobqueue, BATCH[cluster])(processes=1, **settings)
