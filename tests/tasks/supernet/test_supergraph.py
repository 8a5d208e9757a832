"""Supernets of whole pipelines: wiring, paths as a tree, and what a mixture's options give one by one."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from torch import nn

from tsunagu.errors import SpecError
from tsunagu.spec import Architecture, architectures, choice, node, resolve
from tsunagu.tasks import (
    Graph,
    build_graph,
    build_supergraph,
    mixture,
    own_outputs,
    paths,
    single_path,
    take,
)

RUNS: Counter[float] = Counter()


class Step(nn.Module):
    """Adds its input up, times a number, and counts."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        RUNS[self.factor] += 1
        return self.factor * sum(inputs).sin()


def _steps(*factors, name=None):
    return choice(**{f"s{f:g}": node(f"{__name__}:Step", f) for f in factors}, name=name)


def _chain(first=(1.0, 2.0, 3.0), second=(4.0, 5.0, 6.0)):
    return {"a": (["x"], _steps(*first)), "b": (["A"], _steps(*second))}


# Each with how often every step of a task should run.
GRAPHS = {
    "3 x 3": (_chain(), {"a": 1, "b": 3}),
    "a fork": (_chain() | {"c": (["A"], _steps(7.0, 8.0))}, {"a": 1, "b": 3, "c": 3}),
    "a join": (
        {"a": (["x"], _steps(1.0, 2.0)), "b": (["x"], _steps(3.0, 4.0)), "c": (["A", "B"], _steps(5.0, 6.0))},
        {"a": 1, "b": 1, "c": 4},
    ),
    "a fork and a join": (
        {
            "a": (["x"], _steps(1.0, 2.0)),
            "b": (["A"], _steps(3.0, 4.0)),
            "c": (["A"], _steps(5.0, 6.0)),
            "d": (["B", "C"], _steps(7.0, 8.0)),
        },
        {"a": 1, "b": 2, "c": 2, "d": 8},
    ),
    "beside each other": (
        {"a": (["x"], _steps(1.0, 2.0)), "b": (["x"], _steps(3.0, 4.0)), "c": (["B"], _steps(5.0, 6.0))},
        {"a": 1, "b": 1, "c": 2},
    ),
    "one name in two tasks": (
        {"a": (["x"], _steps(1.0, 2.0, name="n")), "b": (["A"], _steps(1.0, 2.0, name="n"))},
        {"a": 1, "b": 1},
    ),
}


@pytest.fixture(params=GRAPHS.values(), ids=GRAPHS.keys())
def case(request, tasks_of):
    tasks, runs = request.param
    return tasks_of(**tasks), runs


@pytest.fixture
def batch():
    return {"x": torch.randn(6, 2, generator=torch.Generator().manual_seed(1))}


def test_the_tree_gives_what_each_path_gives(case, batch):
    pipeline, _ = case
    graph = build_supergraph(pipeline, seed=1)
    found = dict(paths(graph, batch))
    assert set(found) == set(architectures(pipeline))
    for architecture, predictions in found.items():
        alone = build_graph(resolve(pipeline, architecture), seed=1)(batch)
        assert predictions.keys() == alone.keys()
        assert all(torch.equal(predictions[name], alone[name]) for name in alone)


def test_a_task_runs_once_for_each_way_to_decide_what_it_depends_on(case, batch):
    pipeline, runs = case
    RUNS.clear()
    list(paths(build_supergraph(pipeline, seed=1), batch))
    counted = Counter()
    for name, times in runs.items():
        for option in pipeline.tasks[name].model.options.values():
            counted[option.args[0]] += times
    assert counted == RUNS


def test_only_the_wanted_paths_are_run(tasks_of, batch):
    pipeline = tasks_of(**_chain())
    wanted = [a for i, a in enumerate(architectures(pipeline)) if i in (8, 0, 2, 8)]
    RUNS.clear()
    found = [
        architecture for architecture, _ in paths(build_supergraph(pipeline, seed=1), batch, wanted=wanted)
    ]
    assert set(found) == set(wanted)
    assert len(found) == 3
    assert RUNS == {3.0: 1, 6.0: 2, 1.0: 1, 4.0: 1}


def test_a_pretrained_task_reads_its_substitute(tasks_of, batch):
    pipeline = tasks_of(**_chain())
    truth = batch | {"true_a": batch["x"] + 1.0}
    found = list(paths(build_supergraph(pipeline, seed=1), truth, tasks=["b"], substitutes={"A": "true_a"}))
    assert [dict(a) for a, _ in found] == [{"tasks.b.model": option} for option in ("s4", "s5", "s6")]
    assert torch.equal(found[0][1]["B"], 4.0 * truth["true_a"].sin())


@pytest.fixture
def real(pipeline_of, table):
    """Candidates that read different inputs, nested choices among them, on the events of the sample."""
    first = choice(
        cnn=node("TauCNN", channels=choice(4, 8), features=[4]),
        scale=node("ScaleFactor"),
        zero=node("Zero", [2, 3]),
    )
    second = choice(mass=node("MassMLP"), mlp=[node("Flatten"), node("Linear", 6, 1), node("Flatten", 0)])
    pipeline = pipeline_of(first, second)
    return pipeline, build_supergraph(pipeline, seed=3), table.take(["jet_image", "jet_p4"], torch.arange(8))


def test_each_candidate_reads_what_its_forward_names(real):
    pipeline, graph, batch = real
    assert set(graph.columns()) == {"jet_image", "jet_p4"}
    for architecture in architectures(pipeline):
        alone, path = build_graph(resolve(pipeline, architecture), seed=3), single_path(graph, architecture)
        assert isinstance(path, Graph)
        assert path.wiring == alone.wiring
        assert list(path.state_dict()) == list(alone.state_dict())
        assert path.columns() == alone.columns()
        take(graph, architecture)
        expected = alone(batch)
        for made in (path(batch), graph(batch)):
            assert all(torch.equal(made[name], expected[name]) for name in expected)


def test_a_path_is_kept_for_the_next_step_and_goes_with_its_supergraph(real):
    pipeline, graph, _ = real
    architecture = next(architectures(pipeline))
    assert single_path(graph, dict(architecture)) is single_path(graph, architecture)
    assert single_path(build_supergraph(pipeline, seed=3), architecture) is not single_path(
        graph, architecture
    )


def test_a_mixture_shows_what_each_option_of_a_task_gives(real):
    _, graph, batch = real
    weights = {
        "tasks.calibrate.model": torch.tensor([0.0, 1.0, 0.0]),
        "tasks.calibrate.model.cnn.channels": torch.tensor([0.5, 0.5]),
        "tasks.classify.model": torch.tensor([0.25, 0.75], requires_grad=True),
    }
    mixed = mixture(graph, weights, keep=True)
    made, own = mixed(batch), own_outputs(mixed)
    assert set(own) == {"calibrate", "classify"}
    (only,) = own["calibrate"]
    assert only == Architecture({"tasks.calibrate.model": "scale"})
    first, second = (own["classify"][Architecture({"tasks.classify.model": o})] for o in ("mass", "mlp"))
    assert torch.allclose(made["score"], 0.25 * first + 0.75 * second)
    assert own_outputs(mixture(graph, weights)) == {"calibrate": {}, "classify": {}}


def test_inputs_that_an_option_cannot_take_name_the_option(tasks_of):
    models = choice(good=node("ReLU"), bad=node("Bilinear", 2, 2, 2))
    with pytest.raises(
        SpecError, match=r"tasks.a.inputs: with tasks.a.model = bad: forward\(input1, input2\)"
    ):
        build_supergraph(tasks_of(a=(["x"], models)), seed=1)


def test_lists_of_layers_read_a_column_of_the_name_of_their_first_argument(tasks_of):
    """``input`` is what torch's layers call it."""
    act = choice(node("ReLU"), node("Tanh"), name="act")
    models = {
        "list of switches": [act, node("Linear", 3, 1)],
        "options that are lists": choice(a=[node("Linear", 3, 1), act], b=node("Linear", 3, 1)),
    }
    for model in models.values():
        pipeline = tasks_of(fit=(["input"], model))
        graph, batch = build_supergraph(pipeline, seed=1), {"input": torch.ones(2, 3)}
        found = dict(paths(graph, batch))
        for architecture in architectures(pipeline):
            alone = build_graph(resolve(pipeline, architecture), seed=1)
            assert torch.equal(alone(batch)["FIT"], found[architecture]["FIT"])
