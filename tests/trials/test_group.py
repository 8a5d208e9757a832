"""Trials that are trained as one population: each with its own result, and resumable together."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from tsunagu.errors import ResumeError, TsunaguError
from tsunagu.layers import registry
from tsunagu.spec import Folds, node
from tsunagu.trials import Result, Store, Trial, run_trial
from tsunagu.trials.group import populations, run_group


class Interrupted(BaseException):
    """Stands for a process that is killed."""


class Raises(nn.Module):
    """Fails on every batch."""

    def forward(self, x):
        raise RuntimeError("it is broken")


def _trials(pipeline_of, seeds=(1, 2, 3), **changes):
    settings = {"checkpoint_seconds": 0.0, "pretrain_epochs": 1} | changes
    first, second = node("ScaleFactor"), node("MLP", hidden=[8], dropout=0.1)
    pipelines = [
        pipeline_of(first, second, **settings),
        pipeline_of(second=node("LSTM", hidden=[4]), **settings),
    ]
    return [Trial(pipeline=p, folds=Folds(), seed=seed) for p in pipelines for seed in seeds]


def _bytes(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.name in ("weights.safetensors", "predictions.npz")
    }


def _stop_at(call):
    """Of a watcher that is called for each of the members after every step."""
    seen = []

    def stop(_):
        seen.append(1)
        if len(seen) == call:
            raise Interrupted

    return stop


def test_each_has_its_own_result_near_the_one_alone(pipeline_of, table, tmp_path, caplog):
    trials = _trials(pipeline_of)
    results = run_group(trials, table, Store(tmp_path / "together"))
    for trial, result in zip(trials, results, strict=True):
        alone = run_trial(trial, table, Store(tmp_path / "alone"))
        assert isinstance(result, Result)
        assert result.digest == alone.digest == trial.digest(table)
        assert result.epochs == alone.epochs
        assert result.metrics["test_auc"] == pytest.approx(alone.metrics["test_auc"], abs=2e-3)
        with (
            np.load(result.path / "predictions.npz") as ours,
            np.load(alone.path / "predictions.npz") as theirs,
        ):
            np.testing.assert_allclose(ours["test_score"], theirs["test_score"], rtol=1e-3, atol=1e-4)
    assert not list((tmp_path / "together").glob("*.population"))
    assert not list((tmp_path / "together").glob("*.part"))
    assert "one by one" not in caplog.text


@pytest.mark.parametrize("calls", [(6,), (42, 17), (72, 1, 54)])
def test_interrupted_it_ends_in_the_same_bytes(pipeline_of, table, tmp_path, calls):
    trials = _trials(pipeline_of, patience=1, epochs=3)
    run_group(trials, table, Store(tmp_path / "whole"))
    for call in calls:
        with pytest.raises(Interrupted):
            run_group(trials, table, Store(tmp_path / "parts"), on_step=_stop_at(call))
        assert list((tmp_path / "parts").glob("*.population"))
    run_group(trials, table, Store(tmp_path / "parts"))
    assert len(_bytes(tmp_path / "whole")) == 12
    assert _bytes(tmp_path / "parts") == _bytes(tmp_path / "whole")


def test_whoever_watches_is_told_of_each_member_that_made_a_step(pipeline_of, table, tmp_path):
    trials = _trials(pipeline_of, patience=1, epochs=12, pretrain=False, optimizer=node("Adam", lr=0.05))
    seen, steps = Counter(), math.ceil(len(table.split(Folds()).train) / 32)
    results = run_group(trials, table, Store(tmp_path), on_step=lambda training: seen.update([id(training)]))
    epochs = [sum(ran for ran, _ in result.epochs.values()) for result in results]
    assert len(set(epochs)) > 1
    assert sorted(seen.values()) == sorted(steps * ran for ran in epochs)


def test_what_is_finished_is_not_trained_again(pipeline_of, table, tmp_path):
    trials, store = _trials(pipeline_of), Store(tmp_path)
    first = run_trial(trials[0], table, store)
    before = (first.path / "weights.safetensors").stat().st_mtime_ns
    results = run_group(trials, table, store)
    assert results[0] == first
    assert (first.path / "weights.safetensors").stat().st_mtime_ns == before
    steps = []
    assert run_group(trials, table, store, on_step=steps.append) == results
    assert not steps


def test_one_that_diverges_leaves_the_others(pipeline_of, table, tmp_path):
    trials = [
        Trial(pipeline=pipeline_of(optimizer=node("SGD", lr=rate)), folds=Folds(), seed=1)
        for rate in (1e-4, 1e30)
    ]
    fine, failed = run_group(trials, table, Store(tmp_path))
    assert isinstance(fine, Result)
    assert isinstance(failed, TsunaguError)
    assert "not a number" in str(failed)


def test_one_that_stops_everything_fails_alone(pipeline_of, table, tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(registry._registered, "Raises", Raises)
    monkeypatch.setattr("tsunagu.trials.result._sources", lambda pipeline: {})
    trials = [
        Trial(pipeline=pipeline_of(second=second, pretrain=False), folds=Folds(), seed=1)
        for second in (node("MassMLP"), node("Raises"))
    ]
    fine, failed = run_group(trials, table, Store(tmp_path))
    assert isinstance(fine, Result)
    assert "it is broken" in str(failed)
    assert "2 trials are trained one by one, since together: " in caplog.text
    assert not list(tmp_path.glob("*.population"))


def test_a_damaged_checkpoint_is_named_and_nothing_finished_is_lost(pipeline_of, table, tmp_path):
    trials, store = _trials(pipeline_of), Store(tmp_path)
    run_trial(trials[0], table, store)
    with pytest.raises(Interrupted):
        run_group(trials, table, store, on_step=_stop_at(5))
    (checkpoint,) = tmp_path.glob("*.population/*")
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    results = run_group(trials, table, store)
    assert isinstance(results[0], Result)
    assert all(isinstance(result, ResumeError) for result in results[1:])
    assert f"{checkpoint.name}: damaged" in str(results[1])
    checkpoint.unlink()
    assert all(isinstance(result, Result) for result in run_group(trials, table, store))


def test_a_trial_that_another_holds_is_left_to_it(pipeline_of, table, tmp_path):
    trials, store = _trials(pipeline_of, seeds=(1, 2)), Store(tmp_path)
    with store.hold(trials[1].digest(table)):
        results = run_group(trials, table, store)
    assert [isinstance(result, Result) for result in results] == [True, False, True, True]
    assert "is working on it" in str(results[1])


def test_only_what_can_go_in_step_is_put_together(pipeline_of):
    pipelines = [
        pipeline_of(),
        pipeline_of(batch_size=16),
        pipeline_of(optimizer=node("SGD", lr=0.1), patience=1, clip=1.0),
        pipeline_of(pretrain=False),
        pipeline_of(second=node("LSTM")),
        pipeline_of(sampling="balanced"),
        pipeline_of(augment=[node("flip_eta")]),
    ]
    trials = [Trial(pipeline=pipeline, folds=Folds(), seed=1) for pipeline in pipelines]
    assert populations(trials) == [[0, 2, 4], [1], [3], [5], [6]]


def test_trials_of_one_seed_which_may_share_stages_are_neighbours(pipeline_of):
    trials = _trials(pipeline_of, seeds=(1, 2, 3))
    assert [trials[number].seed for number in populations(trials)[0]] == [1, 1, 2, 2, 3, 3]


def test_threads_are_not_touched(pipeline_of, table, tmp_path):
    before = torch.get_num_threads()
    run_group(_trials(pipeline_of, seeds=(1, 2)), table, Store(tmp_path))
    assert torch.get_num_threads() == before
