"""Finished stages in the store: begun with by other groups, workers and runs, and made anew where they are damaged."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tsunagu.errors import TsunaguError
from tsunagu.spec import Folds, node
from tsunagu.trials import Result, Store, Trial, run_group, run_trial, shared
from tsunagu.trials.executors import InProcess

SECONDS = (node("MLP", hidden=[8], dropout=0.1), node("LSTM", hidden=[4]), node("MassMLP"))


class Interrupted(BaseException):
    """Stands for a process that is killed."""


class Stages:
    """Counts which stages are trained, by their names and seeds."""

    def __init__(self):
        self.trained = Counter()

    def __call__(self, training):
        line = training.position.history[-1]
        self.trained[line.stage] += line.epoch == 1


def _trials(pipeline_of, seconds=SECONDS, seeds=(1, 2), **changes):
    settings = {"pretrain_epochs": 2, "epochs": 1, "batch_size": 64, "checkpoint_seconds": 0.0} | changes
    pipelines = [pipeline_of(node("TauMLP", hidden=[4]), second, **settings) for second in seconds]
    return [Trial(pipeline=p, folds=Folds(), seed=seed) for p in pipelines for seed in seeds]


def _run(trials, table, root, **options):
    stages = Stages()
    results = run_group(trials, table, Store(root), on_epoch=stages, **options)
    return results, dict(stages.trained)


def _files(root):
    """What must be the same to the byte; a stored stage also says how long it took."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.name in ("weights.safetensors", "predictions.npz")
    }


def _stages(root):
    return {path.name for path in (root / "stages").iterdir()}


def test_a_candidate_that_is_added_begins_with_what_is_stored(pipeline_of, table, tmp_path):
    _, first = _run(_trials(pipeline_of, SECONDS[:2]), table, tmp_path / "store")
    assert first == {"pretrain calibrate": 2, "pretrain classify": 4, "joint": 4}
    added, later = _run(_trials(pipeline_of), table, tmp_path / "store")
    assert later == {"pretrain classify": 2, "joint": 2}
    whole, _ = _run(_trials(pipeline_of), table, tmp_path / "whole")
    for ours, theirs in zip(added, whole, strict=True):
        assert (ours.digest, ours.epochs) == (theirs.digest, theirs.epochs)
        with np.load(ours.path / "predictions.npz") as one, np.load(theirs.path / "predictions.npz") as other:
            np.testing.assert_allclose(one["test_score"], other["test_score"], rtol=1e-5, atol=1e-6)
        lines = [(r.path / "history.csv").read_text(encoding="utf-8").splitlines() for r in (ours, theirs)]
        assert [line.split(",")[:3] for line in lines[0]] == [line.split(",")[:3] for line in lines[1]]
        assert len(lines[0]) == 1 + 2 + 2 + 1


def test_one_trial_gives_to_another_and_to_another_method(pipeline_of, table, tmp_path):
    stages, store = Stages(), Store(tmp_path)
    kinds = [{"seconds": SECONDS[:1]}, {"seconds": SECONDS[1:2]}, {"seconds": SECONDS[:1], "joint": False}]
    for kind in kinds:
        (trial,) = _trials(pipeline_of, seeds=(1,), **kind)
        run_trial(trial, table, store, on_epoch=stages)
    assert stages.trained == {
        "pretrain calibrate": 1,
        "pretrain classify": 2,
        "joint": 2,
        "classify after calibrate": 1,
    }


def test_other_events_share_nothing(pipeline_of, table, tmp_path):
    trials = _trials(pipeline_of, SECONDS[:1], seeds=(1,))
    others = [Trial(pipeline=t.pipeline, folds=Folds(validation=2), seed=t.seed) for t in trials]
    assert _run(trials, table, tmp_path)[1] == _run(others, table, tmp_path)[1]


DAMAGES = {"cut": lambda content: content[:100], "empty": lambda _: b"", "changed": lambda c: c[:-1] + b"x"}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_stage_is_made_anew(pipeline_of, table, tmp_path, damage, caplog):
    _run(_trials(pipeline_of, SECONDS[:1]), table, tmp_path)
    whole = {path.name: path.read_bytes() for path in (tmp_path / "stages").iterdir()}
    assert len(whole) == 4
    for name, content in whole.items():
        (tmp_path / "stages" / name).write_bytes(damage(content))
    results, trained = _run(_trials(pipeline_of, SECONDS[1:2]), table, tmp_path)
    assert trained == {"pretrain calibrate": 2, "pretrain classify": 2, "joint": 2}
    assert all(isinstance(result, Result) for result in results)
    assert "pretrain calibrate is trained again, since: " in caplog.text
    assert _run(_trials(pipeline_of, SECONDS[2:]), table, tmp_path)[1]["joint"] == 2
    mended = [name for name in whole if (tmp_path / "stages" / name).read_bytes() != damage(whole[name])]
    assert len(mended) == 2


@pytest.mark.parametrize("stored", [False, True], ids=["nothing stored", "some stages stored"])
@pytest.mark.parametrize("steps", [(1,), (2, 3), (7, 1, 4), (6, 6), (12, 2)], ids=str)
def test_killed_it_ends_in_the_same_bytes_with_those_that_wait(pipeline_of, table, tmp_path, steps, stored):
    """Some wait for one that leads, and where stages are stored some are a stage ahead."""
    trials = _trials(pipeline_of, patience=1)
    for root in (tmp_path / "whole", tmp_path / "parts"):
        if stored:
            _run(_trials(pipeline_of, SECONDS[:1], seeds=(1,), patience=1, epochs=2), table, root)
    _run(trials, table, tmp_path / "whole")
    for step in steps:
        left = iter(range(step - 1, -1, -1))

        def stop(_, left=left):
            if next(left) == 0:
                raise Interrupted

        with pytest.raises(Interrupted):
            run_group(trials, table, Store(tmp_path / "parts"), on_step=stop)
    run_group(trials, table, Store(tmp_path / "parts"))
    assert len(_files(tmp_path / "whole")) == 12 + 2 * stored
    assert _files(tmp_path / "parts") == _files(tmp_path / "whole")
    assert len(_stages(tmp_path / "whole")) == 8
    assert _stages(tmp_path / "parts") == _stages(tmp_path / "whole")
    assert not list((tmp_path / "parts").rglob("*.part"))


@pytest.mark.parametrize("file", [1, 2, 3])
@pytest.mark.parametrize("every", [0.0, 1e9])
def test_killed_between_two_stored_stages_it_ends_in_the_same_bytes(
    pipeline_of, table, tmp_path, monkeypatch, file, every
):
    trials = _trials(pipeline_of, checkpoint_seconds=every)
    _run(trials, table, tmp_path / "whole")
    write, count = shared.write_tensors, Counter()

    def killed(*args):
        count["files"] += 1
        if count["files"] == file:
            raise Interrupted
        write(*args)

    with monkeypatch.context() as patch:
        patch.setattr(shared, "write_tensors", killed)
        with pytest.raises(Interrupted):
            run_group(trials, table, Store(tmp_path / "parts"))
    run_group(trials, table, Store(tmp_path / "parts"))
    assert _files(tmp_path / "parts") == _files(tmp_path / "whole")
    assert _stages(tmp_path / "parts") == _stages(tmp_path / "whole")


def test_one_that_has_failed_stays_so_after_a_kill(pipeline_of, table, tmp_path, caplog):
    first, rates = node("TauMLP"), (1e-4, 1e30, 1e-3)
    pipelines = [
        pipeline_of(first, optimizer=node("SGD", lr=rate), checkpoint_seconds=0.0, batch_size=64)
        for rate in rates
    ]
    trials = [Trial(pipeline=pipeline, folds=Folds(), seed=1) for pipeline in pipelines]
    whole, _ = _run(trials, table, tmp_path / "whole")
    seen = []

    def stop(_):
        seen.append(1)
        if len(seen) == 5:
            raise Interrupted

    with pytest.raises(Interrupted):
        run_group(trials, table, Store(tmp_path / "parts"), on_step=stop)
    parts, _ = _run(trials, table, tmp_path / "parts")
    for outcomes in (whole, parts):
        assert [isinstance(outcome, Result) for outcome in outcomes] == [True, False, True]
    assert isinstance(parts[1], TsunaguError)
    assert str(parts[1]) == str(whole[1])
    assert _files(tmp_path / "parts") == _files(tmp_path / "whole")
    assert len(_files(tmp_path / "parts")) == 4
    assert "one by one" not in caplog.text


def test_groups_take_from_each_other(pipeline_of, table, tmp_path):
    """Two workers' groups of one population, one after the other."""
    trials, stages = _trials(pipeline_of, seeds=(1,)), Stages()

    def job(group):
        results = run_group([trials[n] for n in group], table, Store(tmp_path), on_epoch=stages)
        return [(place, result.digest) for place, result in enumerate(results)]

    InProcess().run(job, [[0, 1], [2]], lambda _, answer: None)
    assert stages.trained == {"pretrain calibrate": 1, "pretrain classify": 3, "joint": 3}
