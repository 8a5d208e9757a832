from __future__ import annotations

import pytest

from tsunagu.errors import SpecError
from tsunagu.spec import LossTerm, Pipeline, Task, Train, check_graph, node, order, supervisors


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
