"""What is wrong with a supernet is said before it is trained, with labels, shapes and remedies."""

from __future__ import annotations

import dataclasses
from itertools import pairwise, product

import pytest
import torch
from torch import nn

from tsunagu.errors import SpecError
from tsunagu.spec import Pipeline, architectures, choice, condition, node, resolve, uniform
from tsunagu.tasks import build, build_supergraph, build_supernet, check_supernet
from tsunagu.tasks.supernet import building
from tsunagu.tasks.supernet.shapes import walk_shapes

DRAWN: list[torch.Size] = []


class Seen(nn.Module):
    """The identity, which remembers the shapes that came in."""

    def __init__(self, number: int) -> None:
        super().__init__()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        DRAWN.append(x.shape)
        return x


def _messages(pipeline, table, **settings):
    return [str(mistake) for mistake in check_supernet(pipeline, table, **settings)]


@pytest.mark.parametrize("mixed", [False, True])
def test_a_good_pipeline_has_no_mistakes(pipeline_of, table, mixed):
    pipeline = pipeline_of(
        choice(scale=node("ScaleFactor"), zero=node("Zero", [2, 3])),
        choice(node("MassMLP"), node("MLP", [4])),
    )
    assert _messages(pipeline, table, mixed=mixed) == []


def test_choices_outside_the_models_are_turned_down_with_a_remedy(pipeline_of, table):
    pipeline = pipeline_of(
        choice(node("ScaleFactor"), node("Zero", [2, 3])), epochs=choice(1, 2, name="passes")
    )
    (found,) = _messages(pipeline, table)
    assert found.startswith("train.epochs: passes: a choice outside the models cannot be made in a supernet")
    assert "vary it in the study" in found


def test_every_candidate_that_cannot_be_built_is_named_at_once(pipeline_of, table):
    first = choice(cnn=node("TauCNN", channels=choice(2, 8), kernel=choice(3, 9)), scale=node("ScaleFactor"))
    found = _messages(pipeline_of(first, choice(node("MassMLP"), lstm=node("LSTM", []))), table)
    assert [line.partition(": TauCNN")[0].partition(": LSTM")[0] for line in found] == [
        f"tasks.calibrate.model.args: with tasks.calibrate.model = cnn, tasks.calibrate.model.cnn.channels = {c}, "
        f"tasks.calibrate.model.cnn.kernel = {k}"
        for c, k in ((2, 3), (2, 9), (8, 9))
    ] + ["tasks.classify.model.args: with tasks.classify.model = lstm"]


def test_options_of_unequal_shapes_cannot_be_mixed_but_can_be_taken(tasks_of, table):
    layers = [
        choice(one=node("Linear", 3, 4), two=node("Linear", 3, 6), name="first"),
        node("AdaptiveAvgPool1d", 3),
    ]
    pipeline = tasks_of(tau_p4=(["jet_p4"], [node("Linear", 4, 3), *layers]))
    assert _messages(pipeline, table) == []
    (found,) = _messages(pipeline, table, mixed=True)
    assert found == (
        "tasks.tau_p4.model: first: a mixture adds up its options, but on [4, 2, 3] one gives [4, 2, 4], two gives "
        "[4, 2, 6]; give the options equal output shapes, or search with single paths"
    )


def test_a_width_that_two_layers_share_fits_along_every_path_but_does_not_mix(tasks_of, table):
    width = choice(4, 8, name="width")
    model = [node("Linear", 4, width), node("Linear", width, width), node("Linear", width, 3)]
    pipeline = tasks_of(tau_p4=(["jet_p4"], model))
    assert _messages(pipeline, table) == []
    found = _messages(pipeline, table, mixed=True)
    assert len(found) == 1
    assert (
        "width: a mixture adds up its options, but on [4, 2, 4] 4 gives [4, 2, 4], 8 gives [4, 2, 8]"
        in found[0]
    )


def test_widths_that_are_not_shared_fail_on_the_paths_where_they_differ(tasks_of, table):
    model = [node("Linear", 4, choice(4, 8, name="w")), node("Linear", choice(4, 8, name="v"), 3)]
    found = _messages(tasks_of(tau_p4=(["jet_p4"], model)), table)
    assert [line.partition(" fails on")[0] for line in found] == [
        "tasks.tau_p4.model: with w = 4, v = 8: Linear",
        "tasks.tau_p4.model: with w = 8, v = 4: Linear",
    ]
    assert "[4, 2, 8]" in found[1]


def _fails(model, architecture):
    try:
        build(resolve(model, architecture), seed=1)(torch.zeros(4, 4))
    except RuntimeError:
        return True
    return False


def test_all_paths_are_judged_as_if_each_were_tried(tasks_of, table):
    """Three layers in all ways to give their widths by a number or by one of two names."""
    widths = [4, choice(4, 8, name="a"), choice(4, 8, name="b")]
    for out1, in2, out2, in3 in product(widths, repeat=4):
        model = [node("Linear", 4, out1), node("Linear", in2, out2), node("Linear", in3, 3)]
        one_by_one = any(_fails(model, architecture) for architecture in architectures(model))
        assert bool(check_supernet(tasks_of(tau_p4=(["jet_p4"], model)), table)) == one_by_one


def test_an_output_that_a_loss_or_a_metric_does_not_fit_names_its_option(tasks_of, table):
    models = choice(three=node("Linear", 4, 3), five=node("Linear", 4, 5))
    pipeline = tasks_of(tau_p4=(["jet_p4"], models)).model_copy(
        update={"metrics": ["auc(vis_mass, is_higgs)"]}
    )
    taken = "with tasks.tau_p4.model = five"
    loss, metric = _messages(pipeline, table)
    assert loss.startswith(
        f"tasks.tau_p4.loss: {taken}: mse fails on prediction [4, 2, 5] and target 'true_tau_p4' [4, 2, 3]"
    )
    assert metric.startswith(f"metric: {taken}: mse(TAU_P4, true_tau_p4): mse: prediction [E, 2, 5]")


def test_a_metric_of_columns_is_tried_too(tasks_of, table):
    pipeline = tasks_of(tau_p4=(["jet_p4"], choice(a=node("Linear", 4, 3), b=[node("Linear", 4, 3)])))
    wrong = pipeline.model_copy(update={"metrics": ["mse(jet_p4, true_tau_p4)"]})
    (found,) = _messages(wrong, table)
    assert found.startswith("metrics.0: mse(jet_p4, true_tau_p4): mse: prediction [E, 2, 4]")


def test_labels_that_do_not_fit_are_said_once(pipeline_of, table):
    labels = torch.full_like(table.columns["is_higgs"], 7)
    wrong = dataclasses.replace(table, columns=dict(table.columns) | {"is_higgs": labels})
    (found,) = _messages(pipeline_of(second=choice(node("MassMLP"), node("MLP"))), wrong)
    assert "tasks.classify.loss.target" in found
    assert "column 'is_higgs': labels must be 0 or 1" in found


def test_a_model_that_gives_no_tensor_of_events_names_its_option(tasks_of, table):
    models = choice(line=node("Linear", 4, 3), lstm=node("torch.nn:LSTM", 4, 3))
    (found,) = _messages(tasks_of(tau_p4=(["jet_p4"], models)), table)
    assert "with tasks.tau_p4.model = lstm: expected a tensor [4, ...] for 4 events" in found
    assert found.endswith("found a tuple")


def test_tries_grow_with_the_options_and_not_with_their_product(tasks_of, table):
    """Five options at each of 20 places are 10^14 paths."""
    places = [
        choice(**{str(n): node(f"{__name__}:Seen", n) for n in range(5)}, name=f"place {i}")
        for i in range(20)
    ]
    DRAWN.clear()
    pipeline = tasks_of(tau_p4=(["jet_p4"], [node("Linear", 4, 3), *places]))
    assert _messages(pipeline, table) == []
    assert len(DRAWN) == 100


def test_outputs_that_are_read_no_more_are_forgotten(tasks_of, table):
    """Two shapes of each of 12 outputs are 4096 pipelines, of which no task sees more than two."""
    tasks = {"a0": (["jet_p4"], choice(four=node("Linear", 4, 4), eight=node("Linear", 4, 8)))}
    for i in range(1, 12):
        pooled = [node("AdaptiveAvgPool1d", 3), node(f"{__name__}:Seen", i)]
        models = choice(four=[*pooled, node("Linear", 3, 4)], eight=[*pooled, node("Linear", 3, 8)])
        tasks[f"a{i}"] = ([f"A{i - 1}"], models)
    DRAWN.clear()
    graph = build_supergraph(tasks_of(**tasks), seed=1)
    found = []
    batch = table.take(["jet_p4"], torch.arange(4))
    shapes = [
        state.made[graph.outputs[name]].shape
        for name, state in walk_shapes(graph, batch, list(tasks), mixed=False, found=found)
    ]
    assert found == []
    assert shapes == [torch.Size([4, 2, size]) for _ in tasks for size in (4, 8)]
    assert len(DRAWN) == 11 * 2 * 2


def test_names_that_neighbours_share_are_followed_no_further_than_they_go(tasks_of, table):
    sizes = [choice(4, 8, name=f"width {i}") for i in range(12)]
    inner = [node("Linear", a, b) for a, b in pairwise(sizes)]
    model = [node("Linear", 4, sizes[0]), *inner, node("Linear", sizes[-1], 3)]
    assert _messages(tasks_of(tau_p4=(["jet_p4"], model)), table) == []


def test_a_supernet_that_does_not_fit_into_memory_is_refused(pipeline_of, table):
    models = choice(small=node("MassMLP"), large=node("MassMLP", [512, 512]))
    (found,) = _messages(pipeline_of(second=models), table, memory=1e6)
    assert found.startswith("tasks.classify.model: the supernet does not fit into memory")
    assert "0.001 GB are available" in found


def test_memory_counts_four_copies_of_each_weight():
    two = choice(bias=node("Linear", 9, 10), none=node("Linear", 9, 10, False))
    build_supernet(two, seed=1, memory=4 * 4 * 190)
    with pytest.raises(SpecError, match="does not fit into memory"):
        build_supernet(two, seed=1, memory=4 * 4 * 190 - 1)


def test_too_many_candidates_of_one_node_are_counted_and_not_built(monkeypatch):
    monkeypatch.setattr(building, "MOST", 8)
    layer = node("MLP", hidden=[choice(2, 3, 4, name="a"), choice(2, 3, 4, name="b")])
    with pytest.raises(
        SpecError, match="MLP would be built 9 times, once for each way to decide a, b; at most 8"
    ):
        build_supernet(layer, seed=1)


def test_what_is_no_model_is_a_mistake():
    with pytest.raises(SpecError, match=r"with m = b: expected a node {key, args}, found 3"):
        build_supernet(choice(a=node("ReLU"), b=3, name="m"), seed=1)


def test_weights_without_a_shape_are_refused(tasks_of):
    pipeline: Pipeline = tasks_of(a=(["x"], choice(node("Linear", 2, 2), node("LazyLinear", 2))))
    with pytest.raises(SpecError, match="no shape until the first event comes"):
        build_supergraph(pipeline, seed=1)


def _with_condition(pipeline):
    weight = condition("w", uniform(0.5, 2.0))
    tasks = {
        name: task.model_copy(update={"loss": task.losses[0].model_copy(update={"weight": weight})})
        for name, task in pipeline.tasks.items()
    }
    return pipeline.model_copy(update={"tasks": tasks})


def test_a_path_that_no_condition_enters_is_turned_down(pipeline_of, table):
    first = choice(scale=node("ScaleFactor"), tau=node("TauMLP", hidden=[4]), name="first")
    second = choice(mass=node("MassMLP", hidden=[4], film=False), mlp=node("MLP", hidden=[4]), name="second")
    (found,) = _messages(_with_condition(pipeline_of(first, second)), table)
    assert found.startswith("tasks: w: with first = scale, second = mass, no model has a place where")
    assert _messages(_with_condition(pipeline_of(node("TauMLP", hidden=[4]), second)), table) == []


@pytest.mark.parametrize("mixed", [False, True])
def test_a_condition_is_tried_with_the_rest(mixed, pipeline_of, table):
    layers = [node("Flatten"), node("Linear", 6, 8), choice(node("ReLU"), node("FiLMSite", 8), name="act")]
    good = [*layers, node("FiLMSite", 8), node("Linear", 8, 1), node("Flatten", 0)]
    assert _messages(_with_condition(pipeline_of(second=good)), table, mixed=mixed) == []
    wrong = [*layers, choice(right=node("FiLMSite", 8), wrong=node("FiLMSite", 7)), *good[4:]]
    (found, *_) = _messages(_with_condition(pipeline_of(second=wrong)), table, mixed=mixed)
    assert "= wrong: FiLMSite fails on [4, 8]" in found
