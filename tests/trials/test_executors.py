"""Every executor runs all trials to their end, whatever some of them do to their workers."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import time

import pytest

from tsunagu.errors import ResumeError, SpecError, TsunaguError
from tsunagu.spec import choice, node
from tsunagu.trials import Dask, InProcess, Processes
from tsunagu.trials.executors import Failure, check_executor, choose_executor, make_executor, split
from tsunagu.trials.executors.clusters import batch_cluster, connected

# What a worker imports must be a module that it can find.
JOBS = """
import os, signal
import torch
from pathlib import Path

def job(group):
    for number, (name, fate, folder) in enumerate(group):
        path = Path(folder, name)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\\n")
        first = len(path.read_text(encoding="utf-8").split()) == 1
        if fate == "killed" or (fate == "killed once" and first):
            os.kill(os.getpid(), signal.SIGKILL)
        if fate == "raises":
            raise MemoryError("its own mistake\\nand more")
        words = [os.environ[name] for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY")]
        yield number, " ".join([name, *words, str(torch.get_num_threads())])

class Poison:
    def __call__(self, group):
        return []
    def __reduce__(self):
        return os._exit, (3,)
"""
POPULATIONS = [
    [("a", "well"), ("b", "killed once"), ("c", "well"), ("d", "well")],
    [("e", "killed"), ("f", "well")],
    [("g", "raises"), ("h", "well"), ("i", "well")],
]
posix = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    (tmp_path / "jobs_of_executors.py").write_text(JOBS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import jobs_of_executors

    yield jobs_of_executors
    del sys.modules["jobs_of_executors"]


@posix
@pytest.mark.parametrize("executor", [Processes(workers=2), Dask(workers=2)], ids=["processes", "dask"])
def test_a_worker_that_is_killed_costs_nobody_else(executor, jobs, tmp_path):
    populations = [[(*member, str(tmp_path)) for member in members] for members in POPULATIONS]
    came = {}
    executor.run(jobs.job, populations, lambda member, answer: came.setdefault(member[0], []).append(answer))
    assert {name: len(answers) for name, answers in came.items()} == dict.fromkeys("abcdefghi", 1)
    ends = {name: answer for name, (answer,) in came.items()}
    assert all(ends[name] == f"{name} 1 PASSIVE 1" for name in "abcdfi")
    # What an error of the job itself means for those behind it in the group.
    assert ends["g"] == ends["h"] == Failure(category="MemoryError", reason="MemoryError: its own mistake")
    assert (ends["e"].category, ends["e"].again) == ("WorkerDied", False)
    runs = {name: (tmp_path / name).read_text(encoding="utf-8").split() for name in "abcdef"}
    if isinstance(executor, Processes):
        assert [len(runs[name]) for name in "abe"] == [2, 2, 3]
    else:
        # Dask may suspect a trial of a death that another one caused, and answers may be lost with a worker.
        assert len(runs["b"]) >= 2
        assert 2 <= len(runs["e"]) <= 4
    assert not _alive({int(pid) for pids in runs.values() for pid in pids})
    assert multiprocessing.active_children() == []


def _alive(pids):
    """Those that still are processes; a zombie is one too."""
    found = set()
    for pid in pids:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            continue
        found.add(pid)
    return found


def test_a_worker_that_cannot_begin_is_an_error_and_not_a_loop(jobs):
    with pytest.raises(TsunaguError, match=r"end before they begin, with code 3; .*__main__"):
        Processes(workers=1).run(jobs.Poison(), [["a"]], print)
    assert multiprocessing.active_children() == []


def test_an_error_in_this_process_ends_all_workers(jobs, tmp_path):
    def fail(member, answer):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Processes(workers=2).run(jobs.job, [[("a", "well", str(tmp_path))]], fail)
    assert multiprocessing.active_children() == []


def test_in_this_process_a_failure_costs_nobody_else(jobs, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    came = {}
    populations = [
        [(name, fate, str(tmp_path))] for name, fate in (("a", "well"), ("b", "raises"), ("c", "well"))
    ]
    InProcess().run(jobs.job, populations, lambda member, answer: came.update({member[0]: answer}))
    assert [type(came[name]) for name in "abc"] == [str, Failure, str]


@pytest.mark.parametrize(("members", "groups"), [(10, 3), (3, 10), (1, 1), (0, 2), (7, 7)])
def test_a_population_is_split_evenly_and_in_order(members, groups):
    parts = split(range(members), groups)
    assert [member for part in parts for member in part] == list(range(members))
    assert len(parts) == min(members, groups)
    assert max(map(len, parts), default=0) - min(map(len, parts), default=0) <= 1


def test_a_failure_is_an_error_of_its_category():
    assert isinstance(Failure.of(ResumeError("full")).error(), ResumeError)
    assert type(Failure.of(RuntimeError("oh")).error()) is TsunaguError
    assert str(Failure.of(RuntimeError("oh")).error()) == "RuntimeError: oh"


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    dask = pytest.importorskip("distributed")
    monkeypatch.setattr(dask, "Client", _refuse)
    with (
        pytest.raises(TsunaguError, match="tcp://host:1: no Dask scheduler answers there"),
        connected("tcp://host:1", 1, {}),
    ):
        pass


def _refuse(*args, **kwargs):
    raise OSError("timed out")


def test_without_a_batch_system_it_says_so(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TsunaguError, match="sbatch: there is no such command"), connected("slurm", 1, {}):
        pass


SLURM = {"queue": "short", "account": "atlas", "walltime": "02:00:00", "memory": "3GB"}
HTCONDOR = {"disk": "5GB", "job_extra_directives": {"+JobFlavour": '"workday"'}}


def _script(cluster, options):
    with batch_cluster(cluster, {"interface": "lo", "python": "python3", **options}) as made:
        return made.job_script()


def test_the_job_that_slurm_gets():
    text = _script("slurm", {**SLURM, "job_script_prologue": ["source setup.sh"]})
    lines = text.splitlines()
    for line in (
        "#SBATCH -p short",
        "#SBATCH -A atlas",
        "#SBATCH -n 1",
        "#SBATCH --cpus-per-task=1",
        "#SBATCH --mem=3G",
        "#SBATCH -t 02:00:00",
        "export OMP_NUM_THREADS=1",
        "export OMP_WAIT_POLICY=PASSIVE",
        "source setup.sh",
    ):
        assert line in lines
    assert lines.index("source setup.sh") < next(n for n, line in enumerate(lines) if "python3 -m" in line)
    assert "--nthreads 1" in lines[-1]
    assert "--nworkers" not in lines[-1]


def test_the_job_that_htcondor_gets():
    text = _script("htcondor", HTCONDOR)
    lines = text.splitlines()
    for line in (
        "MY.DaskWorkerCores = 1",
        "MY.DaskWorkerMemory = 4000000000",
        "MY.DaskWorkerDisk = 5000000000",
        '+JobFlavour = "workday"',
        "Queue",
    ):
        assert line in lines
    assert "export OMP_NUM_THREADS=1" in text
    assert "--nthreads 1" in text


@pytest.mark.parametrize(
    ("declared", "found"),
    [
        (None, InProcess()),
        (node("in_process"), InProcess()),
        (node("in_process", most=1), InProcess(most=1)),
        (node("processes", workers=2, most=8), Processes(workers=2, most=8)),
        (node("processes"), Processes()),
        (node("dask"), Dask()),
        (node("dask", cluster="tcp://host:8786"), Dask(cluster="tcp://host:8786")),
        (
            node("dask", cluster="slurm", workers=4, queue="short"),
            Dask(cluster="slurm", workers=4, options={"queue": "short"}),
        ),
        (node("dask", cluster="local", most=4), Dask(most=4)),
    ],
)
def test_a_line_of_the_study_is_an_executor(declared, found):
    assert make_executor(declared) == found


@pytest.mark.parametrize(
    ("declared", "mistake"),
    [
        (node("dusk"), r"executor.key: unknown executor 'dusk' \(did you mean 'dask'\?\)"),
        (
            node("processes", workers=0),
            r"executor.args.workers: expected a whole number of 1 or more, found 0",
        ),
        (node("processes", workers=True), r"executor.args.workers: expected .*, found True"),
        (node("in_process", workers=2), r"executor.args.workers: unknown argument"),
        (node("in_process", most=0), r"executor.args.most: expected a whole number of 1 or more, found 0"),
        (node("dask", cluster="slrum"), r"executor.args.cluster: .*'slrum' \(did you mean 'slurm'\?\)"),
        (node("dask", cluster=3), r"executor.args.cluster: expected a text, found 3"),
        (node("dask", cluster="slurm"), r"executor.args.workers: is missing: how many jobs slurm shall run"),
        (node("dask", cluster="slurm", workers=2, queu="q"), r"args.queu: .*\(did you mean 'queue'\?\)"),
        (node("dask", queue="short"), r"executor.args.queue: unknown argument"),
        (choice("processes", "dask"), r"executor: a study runs in one place"),
    ],
)
def test_what_an_executor_does_not_take_is_named(declared, mistake):
    with pytest.raises(SpecError, match=mistake):
        make_executor(declared)


def test_the_size_of_groups_stays_when_a_command_says_where_they_run():
    assert choose_executor(node("in_process", most=1), workers=2) == node("processes", most=1, workers=2)
    assert choose_executor(node("processes", workers=3, most=1), cluster="local") == node(
        "dask", most=1, cluster="local"
    )


@pytest.mark.parametrize(("most", "groups"), [(1, [1] * 5), (2, [2, 2, 1]), (32, [5])])
def test_a_group_has_no_more_trials_than_is_said(most, groups):
    seen = []

    def job(group):
        seen.append(len(group))
        return enumerate(group)

    InProcess(most=most).run(job, [range(5)], lambda member, answer: None)
    assert seen == groups


def test_packages_that_are_missing_are_named(monkeypatch):
    monkeypatch.setattr("tsunagu.trials.executors.choosing.find_spec", lambda name: None)
    for declared, extra in (
        (node("dask"), "dask"),
        (node("dask", cluster="tcp://host:1"), "dask"),
        (node("dask", cluster="htcondor", workers=1), "batch"),
    ):
        (mistake,) = check_executor(declared, ("executor",))
        assert f"pip install 'tsunagu[{extra}]'" in str(mistake)


def test_an_option_of_the_command_stands_in_the_place_of_what_the_study_says():
    slurm = node("dask", cluster="slurm", workers=4, queue="short")
    assert choose_executor(slurm) == slurm
    assert choose_executor(slurm, workers=8) == node("dask", cluster="slurm", workers=8, queue="short")
    assert choose_executor(node("processes"), workers=3) == node("processes", workers=3)
    assert choose_executor(node("processes", workers=3), cluster="local") == node("dask", cluster="local")
    assert choose_executor(None, cluster="local", workers=2) == node("dask", cluster="local", workers=2)


def test_a_scheduler_that_is_there_already_is_used_and_left(jobs, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    for name, value in (("OMP_NUM_THREADS", "1"), ("OMP_WAIT_POLICY", "PASSIVE")):
        monkeypatch.setenv(name, value)
    came = {}
    there = {"processes": False, "n_workers": 1, "threads_per_worker": 2, "dashboard_address": ":0"}
    with distributed.LocalCluster(**there, protocol="tcp", host="127.0.0.1") as cluster:
        members = [(name, "raises" if name == "b" else "well", str(tmp_path)) for name in "abc"]
        executor = Dask(cluster=cluster.scheduler_address)
        executor.run(
            jobs.job, [[m] for m in members], lambda member, answer: came.update({member[0]: answer})
        )
        assert cluster.status.name == "running"
    assert [type(came[name]) for name in "abc"] == [str, Failure, str]


SBATCH = """#!/bin/sh
script=$(cat "$1")
setsid bash -c "$script" > /dev/null 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill -s TERM -- "-$1"
"""


@pytest.mark.skipif(shutil.which("setsid") is None, reason="this system cannot stand in for Slurm")
def test_jobs_are_submitted_work_and_are_cancelled(jobs, tmp_path, monkeypatch):
    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    came = {}
    options = {"local_directory": str(tmp_path / "scratch"), "interface": "lo"}
    executor = Dask(cluster="slurm", workers=1, options=options)
    population = [("a", "well", str(tmp_path)), ("b", "killed once", str(tmp_path))]
    executor.run(jobs.job, [population], lambda member, answer: came.update({member[0]: answer}))
    assert came == {"a": "a 1 PASSIVE 1", "b": "b 1 PASSIVE 1"}
    pids = {int(pid) for pid in (tmp_path / "b").read_text(encoding="utf-8").split()}
    assert len(pids) == 2
    deadline = time.monotonic() + 60
    while _alive(pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(pids)
