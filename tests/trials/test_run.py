from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from tsunagu.errors import ResumeError
from tsunagu.spec import Folds, LossTerm, digest, node, to_data
from tsunagu.tasks import check_pipeline
from tsunagu.trials import Result, Store, Trial, run_trial
from tsunagu.trials.result import circumstances


class Stop(Exception):
    pass


@pytest.fixture
def trial(pipeline_of):
    return Trial(pipeline=pipeline_of(checkpoint_seconds=0.0), folds=Folds(), seed=1)


def _interrupt(trial, table, store, after):
    steps = iter(range(1, 10_000))

    def stop(_):
        if next(steps) == after:
            raise Stop

    with pytest.raises(Stop):
        run_trial(trial, table, store, on_step=stop)


def test_a_finished_trial_has_all_its_files_and_is_never_run_twice(trial, table, tmp_path):
    store, steps = Store(tmp_path), []
    first = run_trial(trial, table, store, on_step=steps.append)
    names = {path.name for path in first.path.iterdir()}
    wanted = "spec.yaml architecture.yaml result.json history.csv seen.json weights.safetensors predictions.npz environment.json"
    assert names == set(wanted.split())
    count = len(steps)
    assert run_trial(trial, table, store, on_step=steps.append) == first
    assert len(steps) == count > 0


def test_predictions_lie_beside_the_event_numbers_of_their_fold(trial, table, tmp_path):
    result = run_trial(trial, table, Store(tmp_path))
    stored = np.load(result.path / "predictions.npz")
    split = table.split(Folds())
    assert np.array_equal(stored["test_event_number"], table.event_number[split.test].numpy())
    assert stored["test_tau_p4"].shape == (len(split.test), 2, 3)
    assert not set(stored["test_event_number"]) & set(stored["validation_event_number"])
    assert "test_jet_image" not in stored


def test_the_stored_metric_is_that_of_the_stored_predictions(trial, table, tmp_path):
    from sklearn.metrics import roc_auc_score

    result = run_trial(trial, table, Store(tmp_path))
    stored = np.load(result.path / "predictions.npz")
    again = roc_auc_score(stored["test_is_higgs"], stored["test_score"], sample_weight=stored["test_weight"])
    assert result.metrics["test_auc"] == pytest.approx(again, abs=1e-9)


@pytest.mark.parametrize("after", [2, 11, 25])
def test_an_interrupted_trial_ends_in_the_same_bytes(trial, table, tmp_path, after):
    whole = run_trial(trial, table, Store(tmp_path / "whole"))
    store = Store(tmp_path / "parts")
    _interrupt(trial, table, store, after)
    assert store.find(trial.digest(table)) is None
    parts = run_trial(trial, table, store)
    for name in ("weights.safetensors", "predictions.npz", "spec.yaml"):
        assert (whole.path / name).read_bytes() == (parts.path / name).read_bytes()


def test_a_damaged_checkpoint_is_named_and_removing_it_begins_again(trial, table, tmp_path):
    store = Store(tmp_path)
    _interrupt(trial, table, store, 5)
    checkpoint = store.working(trial.digest(table)) / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-20])
    with pytest.raises(ResumeError, match=r"checkpoint.safetensors: damaged"):
        run_trial(trial, table, store)
    checkpoint.unlink()
    assert run_trial(trial, table, store).metrics


@pytest.mark.parametrize("content", [None, "", "{", "[]", '"text"', '{"epochs": []}', '{"epochs": {}}'])
def test_a_result_that_is_missing_or_garbage_is_named_and_nothing_is_trained(trial, table, tmp_path, content):
    result = run_trial(trial, table, Store(tmp_path))
    path = result.path / "result.json"
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")
    steps = []
    with pytest.raises(
        ResumeError, match=rf"{result.digest}: this trial's result cannot be read .*remove the"
    ):
        run_trial(trial, table, Store(tmp_path), on_step=steps.append)
    assert steps == []
    assert (result.path / "weights.safetensors").exists()


def test_the_digest_depends_on_every_input(trial, table, pipeline_of):
    changed = [
        dataclasses.replace(trial, seed=2),
        dataclasses.replace(trial, folds=Folds(test=2)),
        dataclasses.replace(trial, pipeline=pipeline_of(epochs=3)),
        dataclasses.replace(trial, pipeline=pipeline_of(first=node("TauMLP"))),
    ]
    digests = {trial.digest(table), *(other.digest(table) for other in changed)}
    digests.add(trial.digest(dataclasses.replace(table, fingerprint="other")))
    assert len(digests) == 6


def test_how_often_the_state_is_stored_is_no_part_of_the_digest(trial, table, pipeline_of):
    rarely = dataclasses.replace(trial, pipeline=pipeline_of(checkpoint_seconds=600.0))
    assert rarely.digest(table) == trial.digest(table)


@pytest.mark.parametrize("other", [{"aggregate": node("mgda")}, {"scalarise": node("stch")}])
def test_the_plain_sum_of_the_losses_is_no_part_of_the_digest_and_another_is(
    other, trial, table, pipeline_of
):
    """Trials of before there were others keep their names."""
    combined = dataclasses.replace(trial, pipeline=pipeline_of(**other))
    assert combined.digest(table) != trial.digest(table)
    data = to_data(trial.pipeline)
    data["train"] |= {"checkpoint_seconds": 0.0}
    del data["train"]["aggregate"]
    before = {"pipeline": digest(data), "seed": trial.seed}
    assert digest(before | circumstances(trial.pipeline, trial.folds, table)) == trial.digest(table)


def test_two_metrics_of_one_function_are_both_stored(table, tmp_path, pipeline_of):
    more = ("mse(tau_p4, true_tau_p4)", "mse(jet_p4, jet_p4)", "auc(score,is_higgs)")
    pipeline = pipeline_of(metrics=more, epochs=0)
    metrics = run_trial(Trial(pipeline=pipeline, folds=Folds(), seed=1), table, Store(tmp_path)).metrics
    assert {name.removeprefix("test_") for name in metrics if name.startswith("test_")} == {
        "auc",
        "mse_tau_p4",
        "mse_jet_p4",
    }


def test_the_digest_follows_the_users_own_source_file(trial, table, pipeline_of, tmp_path, monkeypatch):
    source = tmp_path / "my_networks.py"
    source.write_text("from torch.nn import Linear as Mine\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    own = dataclasses.replace(trial, pipeline=pipeline_of(second=node("my_networks:Mine", 3, 1)))
    before = own.digest(table)
    assert own.digest(table) == before
    source.write_text("from torch.nn import Linear as Mine  # other\n", encoding="utf-8")
    assert own.digest(table) != before


def test_the_environment_is_noted(trial, table, tmp_path):
    result = run_trial(trial, table, Store(tmp_path))
    noted = json.loads((result.path / "environment.json").read_text(encoding="utf-8"))
    assert noted["packages"]["torch"].startswith("2.")


def test_the_result_of_an_earlier_version_has_no_processor_time(trial, table, tmp_path):
    result = run_trial(trial, table, Store(tmp_path))
    old = json.loads(result.dumps())
    del old["cpu_seconds"]
    found = Result.loads(json.dumps(old), result.path)
    assert math.isnan(found.cpu_seconds)
    assert found.metrics == result.metrics


OWN_LOSS = """
from dataclasses import dataclass

from tsunagu.losses import Loss, align, event_mean


@dataclass(frozen=True)
class LogCosh(Loss):
    def __call__(self, prediction, target):
        return event_mean((align(prediction, target) - target).cosh().log())

    def check(self, target):
        return None
"""


def test_a_loss_of_ones_own_trains_and_names_the_trial_by_its_source(
    table, pipeline_of, tmp_path, monkeypatch
):
    source = tmp_path / "my_losses.py"
    source.write_text(OWN_LOSS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    pipeline = pipeline_of()
    loss = LossTerm(key="my_losses:LogCosh", target="true_tau_p4")
    calibrate = pipeline.tasks["calibrate"].model_copy(update={"loss": loss})
    pipeline = pipeline.model_copy(update={"tasks": {**pipeline.tasks, "calibrate": calibrate}})
    assert check_pipeline(pipeline) == []
    own = Trial(pipeline=pipeline, folds=Folds(), seed=1)
    before = own.digest(table)
    run_trial(own, table, Store(tmp_path / "store"))
    stages = tmp_path / "store" / "stages"
    trained = len(list(stages.iterdir()))
    source.write_text(OWN_LOSS + "# other\n", encoding="utf-8")
    assert own.digest(table) != before
    run_trial(own, table, Store(tmp_path / "store"))
    assert (
        len(list(stages.iterdir())) == trained + 1 == 3
    )  # the classifier, pretrained on the truth, knows nothing of it
