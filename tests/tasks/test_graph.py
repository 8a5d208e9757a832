from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tsunagu.errors import SpecError
from tsunagu.spec import LossTerm, Pipeline, Task, node
from tsunagu.tasks import build_graph, wire
from tsunagu.tasks.graph import call


def _task(inputs):
    return Task(inputs=inputs, output="y", model=node("ReLU"), loss=LossTerm(key="mse", target="t"))


class ByName(nn.Module):
    def forward(self, b: Tensor, a: Tensor) -> Tensor:
        return a - b


class Optional(nn.Module):
    def forward(self, a: Tensor, met: Tensor | None = None) -> Tensor:
        return a if met is None else a + met


def test_inputs_reach_forward_by_name_whatever_their_order():
    assert wire(ByName(), _task(["a", "b"]), "t") == ((), (("b", "b"), ("a", "a")))


def test_a_module_receives_only_the_inputs_that_it_names():
    assert wire(Optional(), _task(["a", "image"]), "t") == ((), (("a", "a"),))


def test_an_optional_input_is_given_where_the_task_has_it():
    assert wire(Optional(), _task(["a", "met"]), "t") == ((), (("a", "a"), ("met", "met")))


def test_other_names_fall_back_to_positions():
    assert wire(nn.Linear(2, 1), _task(["whatever"]), "t") == (("whatever",), ())


@pytest.mark.parametrize("inputs", [["a"], {"a": "x"}], ids=["list", "mapping"])
def test_a_sequence_is_given_by_position_what_its_first_module_names(inputs):
    """It could not pass a name on."""
    (column,) = inputs.values() if isinstance(inputs, dict) else inputs
    wiring = wire(nn.Sequential(Optional(), nn.ReLU()), _task(inputs), "t")
    assert wiring == ((column,), ())
    assert call(nn.Sequential(Optional()), *wiring, {column: torch.ones(2)}).tolist() == [1.0, 1.0]


def test_a_mapping_names_the_arguments():
    assert wire(ByName(), _task({"a": "x", "b": "z"}), "t") == ((), (("b", "z"), ("a", "x")))


def test_inputs_that_do_not_fit_are_listed_beside_forward():
    with pytest.raises(SpecError, match=r"tasks.t.inputs: forward\(b, a\) cannot take the inputs x, y, z"):
        wire(ByName(), _task(["x", "y", "z"]), "t")


def test_an_edge_carries_the_upstream_output_and_its_gradient(pipeline_of, table):
    graph = build_graph(pipeline_of(), seed=1)
    batch = table.take(graph.columns(), torch.arange(8))
    outputs = graph(batch)
    assert outputs["tau_p4"].shape == (8, 2, 3)
    assert outputs["score"].shape == (8,)
    outputs["score"].sum().backward()
    assert all(p.grad is not None for p in graph.models["calibrate"].parameters())


def test_a_substitute_is_read_in_place_of_the_output(pipeline_of, table):
    graph = build_graph(pipeline_of(), seed=1)
    substitutes = {"tau_p4": "true_tau_p4"}
    assert graph.columns(["classify"], substitutes) == ["true_tau_p4"]
    batch = table.take(["true_tau_p4"], torch.arange(8))
    alone = graph(batch, ["classify"], substitutes)["score"]
    assert torch.equal(alone, graph.models["classify"](batch["true_tau_p4"]))


def test_the_graph_reads_only_columns(pipeline_of):
    assert set(build_graph(pipeline_of(), seed=1).columns()) <= {"jet_image", "jet_p4"}


def test_what_a_candidate_does_not_read_need_not_be_in_the_batch():
    # A scale factor among candidates that are told a tag: it stands on the momenta alone.
    calibrate = Task(
        inputs=["jet_p4", "tag"],
        output="tau_p4",
        model=node("ScaleFactor"),
        loss=LossTerm(key="four_momentum", target="true_tau_p4"),
    )
    graph = build_graph(Pipeline(tasks={"calibrate": calibrate}, metric="bias(tau_p4, true_tau_p4)"), seed=1)
    substitutes = {"tag": "decay"}
    columns = graph.columns(["calibrate"], substitutes)
    batch = {name: torch.rand(3, 2, 4) for name in columns}
    assert graph(batch, ["calibrate"], substitutes)["tau_p4"].shape == (3, 2, 3)
