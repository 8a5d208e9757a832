from __future__ import annotations

import pytest
import torch

from tsunagu.spec import LossTerm, Task, node
from tsunagu.tasks import stages


def test_each_task_alone_then_all_together(pipeline_of):
    parts = stages(pipeline_of(epochs=7, pretrain_epochs=3, patience=2))
    assert [part.name for part in parts] == ["pretrain calibrate", "pretrain classify", "joint"]
    assert [part.epochs for part in parts] == [3, 3, 7]
    assert parts[1].substitutes == {"tau_p4": "true_tau_p4"}
    assert [len(part.terms) for part in parts] == [1, 1, 2]


def test_without_pretraining_there_is_one_stage(pipeline_of):
    assert [part.name for part in stages(pipeline_of(pretrain=False))] == ["joint"]


def test_end_to_end_the_truth_of_an_intermediate_output_enters_nowhere(pipeline_of):
    (only,) = stages(pipeline_of(intermediate=False))
    assert only.name == "end to end"
    assert only.targets == ("is_higgs",)


def test_without_a_joint_stage_each_task_learns_after_those_it_reads(pipeline_of):
    chain = pipeline_of(joint=False, epochs=7, pretrain_epochs=3)
    loss = LossTerm(key="mse", target="vis_mass", weight=0.5)
    mass = Task(inputs=["jet_p4", "tau_p4", "score"], output="mass", model=node("MLP"), loss=loss)
    parts = stages(chain.model_copy(update={"tasks": {"mass": mass, **chain.tasks}}))[3:]
    assert [part.name for part in parts] == ["classify after calibrate", "mass after calibrate and classify"]
    assert [part.tasks for part in parts] == [("classify",), ("mass",)]
    assert [part.frozen for part in parts] == [("calibrate",), ("calibrate", "classify")]
    assert [(part.epochs, dict(part.substitutes)) for part in parts] == [(7, {})] * 2
    assert [[term.output for term in part.terms] for part in parts] == [["score"], ["mass"]]


def test_a_weight_of_zero_drops_the_term_from_the_sum_but_not_the_pretraining(pipeline_of):
    chain = pipeline_of()
    loss = chain.tasks["calibrate"].loss.model_copy(update={"weight": 0.0})
    tasks = dict(chain.tasks) | {"calibrate": chain.tasks["calibrate"].model_copy(update={"loss": loss})}
    parts = stages(chain.model_copy(update={"tasks": tasks}))
    assert [term.weight for term in parts[0].terms] == [1.0]
    assert [term.output for term in parts[2].terms] == ["score"]


def test_several_losses_of_one_task_add_up(pipeline_of):
    chain = pipeline_of()
    both = [
        LossTerm(key="four_momentum", target="true_tau_p4", weight=0.3),
        LossTerm(key="mse", target="true_tau_p4"),
    ]
    tasks = dict(chain.tasks) | {"calibrate": chain.tasks["calibrate"].model_copy(update={"loss": both})}
    first = stages(chain.model_copy(update={"tasks": tasks}))[0]
    assert [term.weight for term in first.terms] == [0.3, 1.0]


def test_the_objective_is_the_weighted_sum_of_weighted_means(pipeline_of):
    joint = stages(pipeline_of())[-1]
    draw = torch.Generator().manual_seed(1)
    momenta = torch.rand(6, 2, 3, generator=draw) * 50
    predictions = {"tau_p4": momenta + 1.0, "score": torch.randn(6, generator=draw)}
    targets = {"true_tau_p4": momenta, "is_higgs": torch.tensor([0, 1, 0, 1, 1, 0])}
    weight = torch.rand(6, generator=draw)
    by_hand = sum(
        0.5 * (term.loss(predictions[term.output], targets[term.target]) * weight).sum() / weight.sum()
        for term in joint.terms
    )
    assert joint.loss(predictions, targets, weight).item() == pytest.approx(by_hand.item(), rel=1e-6)
