from __future__ import annotations

import pytest

from tsunagu.errors import SpecError
from tsunagu.spec import LossTerm, Pipeline, Task, Train, check_graph, choice, node, order, supervisors


def _pipeline(**tasks):
    made = {
        name: Task(inputs=inputs, output=output, model=node("ReLU"), loss=LossTerm(key="mse", target=target))
        for name, (inputs, output, target) in tasks.items()
    }
    return Pipeline(tasks=made, metric="mse(a, b)")


def test_tasks_come_after_those_whose_outputs_they_read():
    pipeline = _pipeline(last=(["b"], "c", "tc"), first=(["x"], "a", "ta"), middle=(["a", "x"], "b", "tb"))
    assert order(pipeline) == ["first", "middle", "last"]
    assert supervisors(pipeline) == {"c": "tc", "a": "ta", "b": "tb"}
    assert check_graph(pipeline, {"x", "ta", "tb", "tc"}) == []


def test_a_circle_is_spelled_out():
    pipeline = _pipeline(one=(["b"], "a", "t"), two=(["a"], "b", "t"))
    with pytest.raises(
        SpecError, match=r"tasks\.two\.inputs\.0: these tasks wait for each other: one -> two -> one"
    ):
        order(pipeline)
    assert len(check_graph(pipeline)) == 1
    assert len(check_graph(pipeline.model_copy(update={"train": Train(intermediate=False)}))) == 1


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (
            {"one": (["jet_p5"], "a", "t")},
            "'jet_p5' is neither a column nor an output (did you mean 'jet_p4'?)",
        ),
        ({"one": (["x", "t"], "a", "t")}, "the truth leaks: 't' supervises a task"),
        ({"one": (["x"], "a", "t"), "two": (["x"], "a", "t")}, "'a' is already the output of one"),
        ({"one": (["x"], "jet_p4", "t")}, "'jet_p4' is also a column"),
    ],
)
def test_wrong_names_are_found(tasks, message):
    (mistake,) = check_graph(_pipeline(**tasks), {"x", "jet_p4", "t"})
    assert message in mistake.message


def test_truth_leaks_through_another_tasks_target_too():
    pipeline = _pipeline(one=(["x"], "a", "truth"), two=(["a", "truth"], "b", "label"))
    (mistake,) = check_graph(pipeline)
    assert mistake.path == ("tasks", "two", "inputs", 1)


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (
            {"pretrain": False},
            "found train.pretrain false; set train.pretrain to true, or train.joint to true",
        ),
        ({"intermediate": False}, "found train.intermediate false; set train.intermediate to true, or"),
        ({"pretrain": choice(True, False)}, "found train.pretrain false"),
        (
            {"pretrain": False, "intermediate": False},
            "set train.pretrain and train.intermediate to true, or train.joint to true",
        ),
    ],
)
def test_tasks_that_are_not_trained_together_need_their_own_truth(train, message):
    tasks = _pipeline(one=(["x"], "a", "t"), two=(["a"], "b", "u"))
    (mistake,) = check_graph(tasks.model_copy(update={"train": Train(joint=False, **train)}))
    assert mistake.path == ("train", "joint")
    assert message in mistake.message


def test_one_task_is_trained_after_none():
    alone = _pipeline(one=(["x"], "a", "t")).model_copy(update={"train": Train(joint=False)})
    (mistake,) = check_graph(alone)
    assert "there is one task only; set train.joint to true" in mistake.message


def test_a_joint_stage_may_be_chosen_where_it_is_possible():
    tasks = _pipeline(one=(["x"], "a", "t"), two=(["a"], "b", "u"))
    for joint in (False, choice(True, False)):
        assert not check_graph(tasks.model_copy(update={"train": Train(joint=joint)}))
