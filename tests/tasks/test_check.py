from __future__ import annotations

import pytest

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


@pytest.mark.parametrize(
    ("loss", "path", "message"),
    [
        (LossTerm(key=choice("mse", "msee"), target="t"), ("key", "choice", "msee"), "unknown loss 'msee'"),
        (LossTerm(key="mse", target=choice("t", "tt")), ("target", "choice", "tt"), "unknown column 'tt'"),
        (LossTerm(key="huber", target="t", args={"dleta": 1}), ("args", "dleta"), "unknown argument 'dleta'"),
        (LossTerm(key="huber", target="t", args={"delta": choice(1.0, -1.0)}), ("args",), ""),
    ],
)
def test_every_option_of_a_loss_is_checked(loss, path, message):
    task = Task(inputs=["x"], output="y", model=node("ReLU"), loss=loss)
    (mistake,) = check_pipeline(Pipeline(tasks={"fit": task}, metric="mse(y, t)"), {"x", "t"})
    assert mistake.path == ("tasks", "fit", "loss", *path)
    assert mistake.message.startswith(message)


def test_one_name_with_two_definitions_is_a_mistake_of_the_pipeline():
    model = [node("Linear", 4, choice(3, 5, name="w")), node("Linear", choice(3, 7, name="w"), 3)]
    (mistake,) = check_pipeline(_pipeline(model))
    assert mistake.path == ("tasks", "fit", "model", 1, "args", 0)
