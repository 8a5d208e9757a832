"""A trial that stops at any write, or finds the disk full there, goes on to the bytes of one that did not stop."""

from __future__ import annotations

import errno
import multiprocessing
import os
from pathlib import Path

import pytest

from tsunagu.errors import ResumeError
from tsunagu.spec import Folds, node
from tsunagu.trials import Store, Trial, run_trial

MOST = 60
FILES = ("weights.safetensors", "predictions.npz", "spec.yaml", "architecture.yaml")
ALL = {*FILES, "result.json", "history.csv", "environment.json", "seen.json"}


class Killed(BaseException):
    """Like a kill, nothing in the package catches it."""


class Countdown:
    """Stands before a function of the system and fails at its n-th call."""

    def __init__(self, monkeypatch, owner, name, error):
        self.left, self.error = 0, error
        original = getattr(owner, name)

        def guarded(*args, **kwargs):
            self.left -= 1
            if self.left == 0:
                raise self.error
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, guarded)


@pytest.fixture
def trial(pipeline_of):
    chain = pipeline_of(
        second=node("MLP", hidden=[4], dropout=0.2), batch_size=144, epochs=1, checkpoint_seconds=0.0
    )
    return Trial(pipeline=chain, folds=Folds(), seed=1)


@pytest.fixture
def whole(trial, table, tmp_path):
    return run_trial(trial, table, Store(tmp_path / "whole"))


def _same(first, second):
    return all((first.path / name).read_bytes() == (second.path / name).read_bytes() for name in FILES)


PLACES = [(os, "fsync"), (Path, "replace"), (Path, "rename"), (Path, "unlink")]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[1])
def test_killed_at_every_write_in_turn(place, trial, table, tmp_path, whole, monkeypatch):
    store, killed = Store(tmp_path / "parts"), 0
    countdown = Countdown(monkeypatch, *place, Killed())
    for turn in range(1, MOST):
        # Each run gets one write further than the one before: a little of each is done when it goes on.
        countdown.left = turn
        try:
            parts = run_trial(trial, table, store)
            break
        except Killed:
            killed += 1
            store.find(trial.digest(table))  # finished or not, and never half of it
    assert killed > 0
    assert _same(whole, parts)
    assert {path.name for path in parts.path.iterdir()} == ALL
    assert {path.name for path in store.root.iterdir()} <= {parts.digest, f"{parts.digest}.lock", "stages"}
    assert not list(store.root.rglob("*.part"))


def test_a_disk_that_is_full_at_any_write_is_a_clear_error_and_costs_nothing(
    trial, table, tmp_path, whole, monkeypatch
):
    countdown = Countdown(monkeypatch, os, "fsync", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    found = []
    for turn in range(1, MOST):
        store = Store(tmp_path / str(turn))
        countdown.left = turn
        try:
            run_trial(trial, table, store)
        except ResumeError as error:
            found.append(str(error))
        if countdown.left > 0:
            break
        countdown.left = 0
        assert _same(whole, run_trial(trial, table, store))
    assert all("cannot be written (No space left on device)" in message for message in found)
    assert all("make room" in message for message in found)
    assert len(found) >= 9  # a checkpoint for each of three steps, and more than six files at the end


def test_killed_after_the_result_was_written_it_is_not_trained_again(trial, table, tmp_path, monkeypatch):
    store = Store(tmp_path)
    with monkeypatch.context() as patched:
        Countdown(patched, Path, "rename", Killed()).left = 1
        with pytest.raises(Killed):
            run_trial(trial, table, store)
    steps = []
    assert run_trial(trial, table, store, on_step=steps.append).metrics
    assert steps == []


def test_a_part_of_a_file_that_was_being_written_does_not_stay(trial, table, tmp_path):
    store = Store(tmp_path)
    working = store.working(trial.digest(table))
    working.mkdir()
    (working / "checkpoint.safetensors.123.part").write_bytes(b"half of a check")
    assert {path.name for path in run_trial(trial, table, store).path.iterdir()} == ALL


def test_a_checkpoint_of_something_else_is_named(trial, table, tmp_path, pipeline_of):
    store = Store(tmp_path)
    other = Trial(pipeline=pipeline_of(checkpoint_seconds=0.0), folds=Folds(), seed=1)

    def stop(_):
        raise Killed

    with pytest.raises(Killed):
        run_trial(other, table, store, on_step=stop)
    store.working(other.digest(table)).rename(store.working(trial.digest(table)))
    with pytest.raises(ResumeError, match=r"checkpoint.safetensors: not a checkpoint of this trial .*remove"):
        run_trial(trial, table, store)


def test_a_folder_that_cannot_be_named_is_an_error(trial, table, tmp_path, monkeypatch):
    Countdown(monkeypatch, Path, "rename", OSError(errno.EACCES, "Permission denied")).left = 1
    with pytest.raises(ResumeError, match=r"\.part: cannot be renamed to \w+ \(Permission denied\)"):
        run_trial(trial, table, Store(tmp_path))


def _hold(root, digest, ready, done):
    with Store(root).hold(digest):
        ready.set()
        done.wait(60)


@pytest.mark.skipif(os.name == "nt", reason="no locks there")
def test_a_trial_that_another_process_works_on_is_left_to_it(trial, table, tmp_path):
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Event(), spawn.Event()
    digest = trial.digest(table)
    other = spawn.Process(target=_hold, args=(tmp_path, digest, ready, done))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(ResumeError, match=rf"{digest}: process {other.pid} is working on it"):
            run_trial(trial, table, Store(tmp_path))
        other.kill()
        other.join(60)
        assert run_trial(trial, table, Store(tmp_path)).metrics
    finally:
        other.kill()
        other.join(60)
