"""After a training: a module at one working point, predictions at many, and the choice among them."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch
from torch import nn

import tsunagu as tn
from tsunagu.errors import DataError, ResumeError, SpecError
from tsunagu.spec import Folds, node
from tsunagu.train import scan
from tsunagu.trials import Store, Trial, load_graph, run_trial

LOSS = {"key": "class_balanced", "target": "is_higgs"}
RANGE = tn.log_uniform(1e-6, 1.0)


@pytest.fixture(scope="module")
def trial(pipeline_of):
    chain = pipeline_of(
        first=node("TauMLP", features=[4]),
        second=[node("Flatten"), node("Linear", 6, 4), node("MLPBlock", 4, 4), node("Linear", 4, 2)],
        epochs=1,
        pretrain=False,
    )
    loss = tn.loss("class_balanced", target="is_higgs", one_minus_beta=tn.condition("one_minus_beta", RANGE))
    classify = chain.tasks["classify"].model_copy(update={"loss": loss})
    tasks = {**chain.tasks, "classify": classify}
    return Trial(pipeline=chain.model_copy(update={"tasks": tasks}), folds=Folds(), seed=1)


@pytest.fixture(scope="module")
def result(trial, table, tmp_path_factory):
    return run_trial(trial, table, Store(tmp_path_factory.mktemp("store")))


def rows_of(table, split="test"):
    return getattr(table.split(Folds()), split)


def test_the_stored_scan_spans_the_range_and_its_middle_is_the_result(result, table):
    found = result.scan()
    assert len(found) == 21
    assert found.conditions["one_minus_beta"][[0, -1]].tolist() == [1e-6, 1.0]
    assert found.predictions["score"].shape == (21, len(rows_of(table)), 2)
    np.testing.assert_array_equal(found.columns["is_higgs"], table.columns["is_higgs"][rows_of(table)])
    assert found.metrics[10]["auc"] == pytest.approx(result.metrics["test_auc"], abs=1e-6)
    with (result.path / "scan.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["split"] for line in lines] == ["validation"] * 21 + ["test"] * 21


def test_a_module_at_a_working_point_is_plain_and_gives_what_the_scan_gives(result, table):
    rows, values = rows_of(table), [1e-5, 1e-2]
    found = result.scan(table, one_minus_beta=values)
    for place, value in enumerate(values):
        module = result.module(one_minus_beta=value)
        assert isinstance(module, nn.Module)
        assert not any("gammas" in name for name in module.state_dict())
        made = module(table.take(["jet_image", "jet_p4"], rows))
        for name, wanted in made.items():
            np.testing.assert_allclose(
                found.predictions[name][place], wanted.detach().numpy(), rtol=1e-4, atol=1e-4
            )


def test_one_pass_gives_what_single_points_give(result, table):
    graph, rows = load_graph(result.path), rows_of(table)
    values = torch.tensor([[1e-6], [1e-3], [0.5]], dtype=torch.float64)
    together = scan(graph, table, rows, values)
    for place in range(3):
        one = scan(graph, table, rows, values[place : place + 1])
        for name, made in one.items():
            torch.testing.assert_close(together[name][place], made[0], rtol=1e-4, atol=1e-4)


def test_a_scan_is_stored_and_needs_its_events_once(result, table):
    values = [2e-4, 3e-4, 4e-4]
    with pytest.raises(ResumeError, match=r"these 3 values are not stored yet; hand over the events"):
        result.scan(one_minus_beta=values)
    first = result.scan(table, one_minus_beta=values)
    again = result.scan(one_minus_beta=values)
    np.testing.assert_array_equal(first.predictions["score"], again.predictions["score"])
    assert first.metrics == again.metrics


def test_the_best_value_on_validation_events_is_told_on_test_events(result):
    best = result.choose("efficiency(score, is_higgs, class=1)")
    valid, test = (result.scan(split=split) for split in ("validation", "test"))
    place = int(np.argmax(best.values))
    assert best.conditions == valid.point(place)
    assert best.validation == max(best.values)
    kept = test.predictions["score"][place].argmax(1) == 1
    signal = test.columns["is_higgs"] == 1
    assert best.test == pytest.approx(np.average(kept[signal], weights=test.weight[signal]))


def test_a_function_of_ones_own_is_maximised(result):
    wanted = result.scan(split="validation").conditions["one_minus_beta"][4]
    seen = result.scan(split="validation").predictions["score"][4]
    best = result.choose(
        lambda arrays: (
            -float(np.abs(arrays["score"] - seen).sum()) if len(seen) == len(arrays["score"]) else 0.5
        )
    )
    assert best.conditions == {"one_minus_beta": wanted}
    assert best.test in (0.5, 0.0) or best.test < 0.0


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda r: r.module(one_minus_bta=0.1), "did you mean 'one_minus_beta'"),
        (lambda r: r.module(one_minus_beta=[0.1, 0.2]), "a module has one working point, found 2"),
        (lambda r: r.choose("efficiency(scor, is_higgs)"), "did you mean 'score'"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(ask, words, result):
    with pytest.raises(SpecError, match=words):
        ask(result)


def test_other_events_are_refused(result, table):
    fewer = table.__class__(**vars(table) | {"event_number": table.event_number + 10_000})
    with pytest.raises(DataError, match="not the validation events"):
        result.scan(fewer, one_minus_beta=[7e-4])


def test_a_value_outside_of_the_range_gives_a_warning(result):
    with pytest.warns(
        UserWarning, match=r"one_minus_beta = 1e-09 is outside of what was trained, 1e-06 to 1"
    ):
        result.module(one_minus_beta=1e-9)


def test_a_trial_without_conditions_has_a_module_and_no_scan(pipeline_of, table, tmp_path):
    plain = run_trial(Trial(pipeline=pipeline_of(epochs=1), folds=Folds(), seed=1), table, Store(tmp_path))
    assert not (plain.path / "scan.npz").exists()
    assert set(plain.module()(table.take(["jet_image", "jet_p4"], rows_of(table)))) == {"tau_p4", "score"}
    with pytest.raises(SpecError, match="no condition that could be scanned"):
        plain.scan()
