from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from tsunagu.errors import DataError, SpecError
from tsunagu.spec import Folds, LossTerm, Pipeline, Task, choice, node
from tsunagu.tasks import check_data


class Broken(nn.Module):
    def forward(self, jet_p4: torch.Tensor) -> torch.Tensor:
        return {}[len(jet_p4)]


class Pair(nn.Module):
    def forward(self, jet_p4: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return jet_p4, jet_p4


class Total(nn.Module):
    def forward(self, jet_p4: torch.Tensor) -> torch.Tensor:
        return jet_p4.sum()


class Unbuilt(nn.Module):
    def __init__(self) -> None:
        raise KeyError("scale")


def _key(cls):
    return node(f"{cls.__module__}:{cls.__qualname__}")


def _pipeline(model, metric="mse(y, true_tau_p4)", key="mse", target="true_tau_p4"):
    task = Task(inputs=["jet_p4"], output="y", model=model, loss=LossTerm(key=key, target=target))
    return Pipeline(tasks={"fit": task}, metric=metric)


def _mistakes(pipeline, table):
    with pytest.raises(SpecError) as caught:
        check_data(pipeline, table)
    return [str(mistake) for mistake in caught.value.mistakes]


def _with(table, **columns):
    return dataclasses.replace(table, columns=dict(table.columns) | columns)


def test_a_good_pipeline_passes(table, pipeline_of):
    check_data(pipeline_of(), table)


def test_without_a_joint_stage_every_output_is_there_for_the_metrics(table, pipeline_of):
    check_data(pipeline_of(joint=False, metrics=("bias(tau_p4, true_tau_p4)",)), table)
    (mistake,) = _mistakes(pipeline_of(joint=False, metrics=("bias(tau_p4, is_higgs)",)), table)
    assert mistake.startswith("metrics.0: ")


def test_shapes_that_do_not_fit_are_found_on_a_few_events(table):
    (found,) = _mistakes(_pipeline(node("Linear", 7, 3)), table)
    assert found.startswith("tasks.fit.model: the model fails on jet_p4 [4, 2, 4]: ")


def test_a_loss_that_does_not_fit_is_found_on_a_few_events(table):
    found = _mistakes(_pipeline(node("Linear", 4, 5)), table)
    assert found[0].startswith(
        "tasks.fit.loss: mse fails on prediction [4, 2, 5] and target 'true_tau_p4' [4, 2, 3]"
    )


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Broken, "tasks.fit.model: the model fails on jet_p4 [4, 2, 4]: KeyError: 4"),
        (Pair, "tasks.fit.model: expected a tensor [4, ...] for 4 events from the model, found a tuple"),
        (Total, "tasks.fit.model: expected a tensor [4, ...] for 4 events from the model, found []"),
        (Unbuilt, "tasks.fit.model.args: {key} cannot be built from {{}}: KeyError: 'scale'"),
    ],
)
def test_a_users_module_may_fail_in_any_way(table, model, message):
    made = _key(model)
    (found,) = _mistakes(_pipeline(made), table)
    assert found == message.format(key=made.key)


def test_a_label_outside_the_classes_is_counted(table, pipeline_of):
    labels = table.columns["is_higgs"].clone()
    labels[:3] = 7
    with pytest.raises(
        DataError, match=r"events.npz: column 'is_higgs': labels must be 0 or 1, found 7 in 3 of 240"
    ):
        check_data(pipeline_of(), _with(table, is_higgs=labels))


def test_labels_and_models_are_reported_together(table, pipeline_of):
    labels = torch.full_like(table.columns["is_higgs"], 7)
    found = _mistakes(pipeline_of(second=node("Linear", 7, 1)), _with(table, is_higgs=labels))
    assert [line.split(": ")[0] for line in found] == ["tasks.classify.model", "tasks.classify.loss.target"]


def test_a_metric_that_cannot_be_computed_is_found_before_training(table, pipeline_of):
    one_class = _with(table, is_higgs=torch.zeros_like(table.columns["is_higgs"]))
    (found,) = _mistakes(pipeline_of(), one_class)
    assert found.startswith("metric: auc(score, is_higgs): ")
    found = _mistakes(pipeline_of(metrics=("auc(tau_p4, is_higgs)", "mse(tau_p4, is_higgs)")), table)
    assert [line.split(": ")[0] for line in found] == ["metrics.0", "metrics.1"]


def test_a_mistake_names_the_options_that_lead_to_it(table):
    models = choice(good=node("ScaleFactor"), bad=[node("Linear", choice(4, 7), 3)])
    (found,) = _mistakes(_pipeline(models), table)
    assert found.startswith(
        "tasks.fit.model: with tasks.fit.model = bad, tasks.fit.model.bad.0.0 = 7: the model fails"
    )


def test_what_is_wrong_with_every_option_names_none(table):
    (found, *_) = _mistakes(_pipeline([node("Linear", 7, 3), choice(node("ReLU"), node("GELU"))]), table)
    assert found.startswith("tasks.fit.model: the model fails")


def _scored(outputs, **args):
    pipeline = _pipeline(
        node("MLP", inputs=8, outputs=outputs, momenta=False), "accuracy(y, is_higgs)", "class_balanced"
    )
    task = pipeline.tasks["fit"]
    loss = task.loss.model_copy(update={"target": "is_higgs", "args": args})
    return pipeline.model_copy(update={"tasks": {"fit": task.model_copy(update={"loss": loss})}})


def test_a_class_without_training_events_is_found_with_file_column_and_counts(table):
    split = table.split(Folds())
    check_data(_scored(2), table, split)
    only = dataclasses.replace(split, train=split.train[table.columns["is_higgs"][split.train] == 1])
    with pytest.raises(
        DataError,
        match=r"events.npz: column 'is_higgs': no training event of class 0 \(events by class: 0: 0, 1: ",
    ):
        check_data(_scored(2), table, only)
    with pytest.raises(DataError, match="no training event of class 2"):
        check_data(_scored(3, classes=3), table, split)
    check_data(_scored(2), table)


def test_another_number_of_logits_than_classes_is_found(table):
    (mistake,) = _mistakes(_scored(3), table)
    assert mistake.startswith(
        "tasks.fit.loss: class_balanced fails on prediction [4, 3] and target 'is_higgs' [4]"
    )
    assert "[E, 2] and [E] expected" in mistake


def test_a_metric_of_a_class_that_is_not_there_is_found(table):
    pipeline = _scored(2).model_copy(update={"metrics": ["efficiency(y, is_higgs, class=2)"]})
    with pytest.raises(
        SpecError, match=r"metrics.0: efficiency\(y, is_higgs, class=2\): class 2 of 2 classes"
    ):
        check_data(pipeline, table)
