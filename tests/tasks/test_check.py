from __future__ import annotations

import dataclasses

import pytest

from tsunagu.errors import DataError, SpecError
from tsunagu.spec import LossTerm, Pipeline, Task, choice, node
from tsunagu.tasks import check_data, check_pipeline


def _pipeline(model=None, inputs=("jet_p4",), key="mse", target="true_tau_p4", metric="mse(y, true_tau_p4)"):
    task = Task(
        inputs=list(inputs),
        output="y",
        model=model or node("ScaleFactor"),
        loss=LossTerm(key=key, target=target),
    )
    return Pipeline(tasks={"fit": task}, metric=metric)


def test_a_good_pipeline_has_no_mistakes(pipeline_of, table):
    assert check_pipeline(pipeline_of(), set(table.columns)) == []
    check_data(pipeline_of(), table)


def test_every_kind_of_mistake_is_found_in_one_go(table):
    pipeline = _pipeline(node("ScaleFaktor"), ["jet_p44"], "msee", "true_tau", "aucc(y, true_tau_p4)")
    text = "\n".join(str(mistake) for mistake in check_pipeline(pipeline, set(table.columns)))
    for hint in ("'ScaleFactor'", "'jet_p4'", "'mse'", "'true_tau_p4'", "'auc'"):
        assert f"did you mean {hint}" in text


def test_options_of_a_choice_are_checked_too():
    found = check_pipeline(_pipeline(choice(a=node("ScaleFactor"), b=node("Nope"))))
    assert [mistake.path for mistake in found] == [("tasks", "fit", "model", "choice", "b", "key")]


def test_a_metric_of_an_unknown_column_is_a_mistake(table):
    (mistake,) = check_pipeline(_pipeline(metric="mse(y, true_tau)"), set(table.columns))
    assert mistake.path == ("metric",)


def test_shapes_that_do_not_fit_are_found_on_a_few_events(table):
    with pytest.raises(SpecError, match=r"tasks.fit.model: the model fails on jet_p4 \[4, 2, 4\]"):
        check_data(_pipeline(node("Linear", 7, 3)), table)


def test_a_loss_that_does_not_fit_is_found_on_a_few_events(table):
    with pytest.raises(SpecError, match=r"tasks.fit.loss: "):
        check_data(_pipeline(node("Linear", 4, 5)), table)


def test_a_label_outside_the_classes_is_counted(table, pipeline_of):
    labels = table.columns["is_higgs"].clone()
    labels[:3] = 7
    wrong = dataclasses.replace(table, columns=dict(table.columns) | {"is_higgs": labels})
    with pytest.raises(DataError, match=r"events.npz.*'is_higgs'.*3"):
        check_data(pipeline_of(), wrong)
