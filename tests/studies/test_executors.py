"""Whole studies in workers: the same bytes, whatever happens to workers, clusters and the one who waits for them."""

from __future__ import annotations

import contextlib
import csv
import os
import signal
import subprocess
import sys
import time

import pytest

from tsunagu.errors import TsunaguError
from tsunagu.spec import choice, dump_yaml, node
from tsunagu.studies import Watcher, run_study
from tsunagu.trials import Dask, InProcess, Processes

# Notes every step, and kills its own worker once, in the middle of a training.
NETWORK = """
import multiprocessing, os, signal
from torch import nn

STEP = 20

class Net(nn.Module):
    def __init__(self, hidden=4):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(6, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        self.steps = 0

    def forward(self, tau_p4):
        if self.training:
            self.note()
        return self.layers(tau_p4)

    def note(self):
        self.steps += 1
        with open(os.environ["NETWORK_NOTES"], "a", encoding="utf-8") as file:
            file.write("step\\n")
        if self.steps == STEP and multiprocessing.parent_process() is not None:
            try:
                open(os.environ["NETWORK_NOTES"] + ".killed", "x").close()
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)

class Sick(nn.Module):
    def forward(self, tau_p4):
        if self.training and not os.path.exists(os.path.join(os.path.dirname(__file__), "well")):
            raise MemoryError("no room for this\\nat all")
        return tau_p4.flatten(1).sum(1, keepdim=True)
"""
PATIENCE = 120
posix = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")


@pytest.fixture
def network(tmp_path, monkeypatch):
    (tmp_path / "network_of_executors.py").write_text(NETWORK, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("NETWORK_NOTES", str(tmp_path / "notes"))
    yield "network_of_executors"
    sys.modules.pop("network_of_executors", None)


def _steps(tmp_path):
    notes = tmp_path / "notes"
    count = len(notes.read_text(encoding="utf-8").splitlines())
    notes.unlink()
    return count


def _bytes(out):
    wanted = ("weights.safetensors", "predictions.npz", "spec.yaml", "architecture.yaml")
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.name in wanted}


def _rows(out):
    with (out / "results.csv").open(encoding="utf-8", newline="") as file:
        return [
            {k: v for k, v in row.items() if k not in ("seconds", "cpu_seconds")}
            for row in csv.DictReader(file)
        ]


def _is_clean(out):
    left = [path.name for path in (out / "trials").iterdir() if len(path.name) != 64]
    return set(left) <= {"stages"} and not list(out.rglob("*.part"))


@posix
@pytest.mark.parametrize("executor", [Processes(workers=2), Dask(workers=2)], ids=["processes", "dask"])
def test_a_killed_worker_costs_only_its_unfinished_steps(executor, network, study_of, pipeline_of, tmp_path):
    own = node(f"{network}:Net")
    chain = pipeline_of(second=own, epochs=6, patience=None, checkpoint_seconds=0.0)
    # Two batch sizes cannot go in step, so each trial is a group of its own, here and there.
    sizes = {"train.batch_size": {"some": 32, "more": 33}}
    study = study_of(chain, vary=sizes, baselines={"mass": "auc(vis_mass, is_higgs)"})
    run_study(study, tmp_path / "here", base=tmp_path)
    steps = _steps(tmp_path)
    told = []
    watcher = Watcher(end=lambda planned, result: told.append(planned.method))
    outcome = run_study(study, tmp_path / "there", base=tmp_path, watcher=watcher, executor=executor)
    assert (tmp_path / "notes.killed").exists()
    # From its beginning it would have made 19 steps again.
    assert steps < _steps(tmp_path) < steps + 10
    assert not outcome.failures
    assert sorted(told) == ["more", "some"]
    assert [row.planned.method for row in outcome.rows] == ["some", "more"]
    assert len(_bytes(tmp_path / "here")) == 8
    assert _bytes(tmp_path / "there") == _bytes(tmp_path / "here")
    assert _rows(tmp_path / "there") == _rows(tmp_path / "here")
    assert _is_clean(tmp_path / "there")


def test_an_error_of_a_network_fails_its_trial_and_no_other(network, study_of, pipeline_of, tmp_path):
    sick = node(f"{network}:Sick")
    models = choice(mass=node("MassMLP"), sick=sick, mlp=node("MLP", hidden=[4]))
    study = study_of(pipeline_of(second=models, epochs=1))
    (planned, error), outcome = _fails(study, tmp_path)
    assert planned.trial.architecture == {"tasks.classify.model": "sick"}
    assert "no room for this" in str(error)
    (note,) = (tmp_path / "out" / "trials").glob("*.failure.txt")
    assert "MemoryError: no room for this" in note.read_text(encoding="utf-8")
    assert [row["choice:tasks.classify.model"] for row in _rows(tmp_path / "out")] == ["mass", "mlp"]
    assert len(outcome.rows) == 2
    # The same command tries it again.
    (tmp_path / "well").touch()
    outcome = run_study(study, tmp_path / "out", base=tmp_path)
    assert [row.planned.trial.architecture["tasks.classify.model"] for row in outcome.rows] == [
        *models.options
    ]
    assert _is_clean(tmp_path / "out")


def _fails(study, tmp_path):
    outcome = run_study(study, tmp_path / "out", base=tmp_path)
    (failure,) = outcome.failures
    assert isinstance(failure[1], TsunaguError)
    return failure, outcome


def test_a_failure_is_tried_again_once_after_all_others(study_of, tmp_path, monkeypatch):
    from tsunagu.trials import group

    original, order = group.run_trial, []

    def flaky(trial, table, store, **watch):
        order.append(trial.pipeline.train.batch_size)
        if order == [8]:
            raise MemoryError
        return original(trial, table, store, **watch)

    monkeypatch.setattr(group, "run_trial", flaky)
    study = study_of(vary={"train.batch_size": {"few": 8, "some": 16, "many": 32}})
    outcome = run_study(study, tmp_path, base=tmp_path)
    assert order == [8, 16, 32, 8]
    assert not outcome.failures
    assert [row["method"] for row in _rows(tmp_path)] == ["few", "some", "many"]
    assert _is_clean(tmp_path)


def test_other_events_at_the_worker_are_a_failure(study_of, made_up, tmp_path, monkeypatch):
    import numpy as np

    from tsunagu.studies import run, work

    np.savez(tmp_path / "events.npz", **made_up(240))
    study = study_of()
    data = study.data.model_copy(update={"files": "events.npz"})
    study = study.model_copy(update={"data": data})

    def changed(self, job, populations, on_end):
        np.savez(tmp_path / "events.npz", **made_up(240, seed=6))
        monkeypatch.setattr(work, "_opened", {})
        InProcess().run(job, populations, on_end)

    monkeypatch.setattr(Processes, "run", changed)
    outcome = run.run_study(study, tmp_path / "out", base=tmp_path, executor=Processes())
    ((_, error),) = outcome.failures
    assert "events.npz: a worker reads other events there" in str(error)


def _command(*words):
    return [sys.executable, "-m", "tsunagu", "run", *map(str, words)]


def _children(pid):
    psutil = pytest.importorskip("psutil")
    return psutil.Process(pid).children(recursive=True)


def _interrupted(command, out, how):
    """The exit status of a run that is stopped when its first checkpoint is there, and its processes that are left."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and not list(out.rglob("checkpoint.safetensors")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    children = _children(process.pid)
    assert children
    began = time.monotonic()
    # Ctrl-C reaches all processes of a terminal, kill only one.
    (os.killpg if how == signal.SIGINT else os.kill)(process.pid, how)
    _, errors = process.communicate(timeout=PATIENCE)
    while any(_runs(child) for child in children) and time.monotonic() < began + PATIENCE:
        time.sleep(0.05)
    left = [child for child in children if _runs(child)]
    return process.returncode, errors.decode(), left, time.monotonic() - began


def _runs(child):
    with contextlib.suppress(Exception):
        return child.is_running() and child.status() != "zombie"
    return False


@posix
@pytest.mark.parametrize(
    ("words", "how", "again"),
    [
        (("--workers", "1"), signal.SIGINT, None),
        (("--workers", "1"), signal.SIGKILL, InProcess()),
        (("--dask", "local", "--workers", "2"), signal.SIGINT, Dask(workers=2)),
    ],
    ids=["processes, Ctrl-C", "processes, killed", "dask, Ctrl-C"],
)
def test_a_study_that_is_stopped_goes_on_with_new_workers(words, how, again, study_of, pipeline_of, tmp_path):
    chain = pipeline_of(second=node("MLP", hidden=[4]), epochs=10, patience=None, checkpoint_seconds=0.0)
    study = study_of(chain, seeds=3)
    (tmp_path / "study.yaml").write_text(dump_yaml(study), encoding="utf-8")
    command = _command(tmp_path / "study.yaml", "--out", tmp_path / "there", *words)
    status, errors, left, seconds = _interrupted(command, tmp_path / "there", how)
    assert not left
    assert seconds < 20
    if how == signal.SIGINT:
        assert status == 130
        assert errors.endswith("stopped; run the same command again to continue\n")
        assert "Traceback" not in errors
    if again is None:
        return
    run_study(study, tmp_path / "there", base=tmp_path, executor=again)
    # As many groups as before: a population of another size may round differently.
    run_study(study, tmp_path / "here", base=tmp_path, executor=again)
    assert _bytes(tmp_path / "there") == _bytes(tmp_path / "here")
    assert _rows(tmp_path / "there") == _rows(tmp_path / "here")
    assert _is_clean(tmp_path / "there")
