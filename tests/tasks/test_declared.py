"""Mistakes of conditions that are found before a training."""

from __future__ import annotations

import pytest
import torch

import tsunagu as tn
from tsunagu.errors import SpecError
from tsunagu.layers import Conditioned, film_sites
from tsunagu.spec import node
from tsunagu.tasks import build_graph, check_pipeline

COLUMNS = {"x", "t", "mass"}
BETA = tn.condition("one_minus_beta", tn.log_uniform(1e-6, 1.0))


def chain(loss=None, model=None, conditions=(), **train):
    loss = loss or tn.loss("class_balanced", target="t", one_minus_beta=BETA)
    task = tn.Task(
        inputs=["x"], output="y", model=model or node("MLP", hidden=[8], inputs=2, momenta=False), loss=loss
    )
    return tn.Pipeline(
        tasks={"fit": task}, train=tn.Train(**train), metric="auc(y, t)", conditions=list(conditions)
    )


def balanced(low, high):
    return tn.loss("class_balanced", target="t", one_minus_beta=tn.condition("b", tn.log_uniform(low, high)))


def column(**places):
    return tn.condition("mass", tn.uniform(1.0, 2.0), **places)


WRONG = {
    "a range that the loss refuses": (chain(balanced(0.01, 10.0)), "tasks.fit.loss.args.one_minus_beta: its range reaches 1.77828, which class_balanced refuses"),
    "a number that cannot be": (chain(tn.loss("focal", target="t", classes=BETA)), "'classes' of focal is one number for all events and cannot be a condition; focal takes one for gamma"),
    "a negative weight": (chain(tn.loss("mse", target="t", weight=tn.condition("w", tn.uniform(-1.0, 1.0)))), "a weight is 0 or more, but its range reaches -1"),
    "a weight that an aggregator sets": (chain([tn.loss("mse", target=t, weight=tn.condition("w", tn.uniform(0.0, 1.0))) for t in "tx"], aggregate=node("mgda")), "tasks.fit.loss.0.weight: this weight is a condition, and train.aggregate: mgda sets the weights itself"),
    "two definitions": (chain([tn.loss("mse", target="t", weight=BETA), tn.loss("mse", target="t", weight=tn.condition("one_minus_beta", tn.uniform(0.0, 1.0)))]), "tasks.fit.loss.1.weight: 'one_minus_beta' is defined otherwise at tasks.fit.loss.0.weight"),
    "in a model": (chain(model=node("MLP", dropout=BETA)), "nobody reads a condition here"),
    "in the optimiser": (chain(optimizer=node("Adam", lr=tn.schedule("linear", 1.0, 0.0))), "nobody reads a schedule here"),
    "declared and not read": (chain(conditions=[tn.condition("mass", tn.uniform(0.0, 1.0))]), "conditions.0: nobody reads 'mass'"),
    "an unknown column": (chain(conditions=[column(column="mas")]), "unknown column 'mas' .did you mean 'mass'"),
    "no column": (chain(conditions=[column(where="t", column=None)]), "there is no column"),
    "an unknown distribution": (chain(tn.loss("mse", target="t", weight=tn.condition("w", node("unifrom", 0.0, 1.0)))), "unknown distribution 'unifrom' .did you mean 'uniform'"),
    "an unfit range": (chain(tn.loss("mse", target="t", weight=tn.condition("w", tn.uniform(2.0, 1.0)))), "uniform: a range has low <= high, found low 2.0"),
    "no part": (chain(tn.loss("mse", target="t", weight=tn.condition("w", tn.simplex("a", "b")))), "has the parts a, b, found None; say part: a"),
    "a part of one number": (chain(tn.loss("mse", target="t", weight=tn.condition("w", tn.uniform(0.0, 1.0), part="a"))), "is one number and has no parts"),
    "an unknown schedule": (chain(tn.loss("mse", target="t", weight=tn.schedule("liner", 0.0, 1.0))), "unknown schedule 'liner'"),
    "frozen tasks": (chain(joint=False), "train.joint: false trains each task on the outputs"),
    "a site without a condition": (chain(tn.loss("mse", target="t"), model=[node("FiLMed_MLPBlock", 2, 8), node("Linear", 8, 1)]), "FiLMed_MLPBlock is a place for a condition, but there is none"),
}  # fmt: skip


@pytest.mark.parametrize(("pipeline", "words"), WRONG.values(), ids=WRONG)
def test_is_found_before_a_training(pipeline, words):
    with pytest.raises(SpecError, match=words):
        raise SpecError(check_pipeline(pipeline, COLUMNS))


@pytest.mark.parametrize(
    "model", [node("Linear", 2, 1), node("MLP", hidden=[8], inputs=2, momenta=False, film=False)]
)
def test_a_network_without_a_place_for_it_is_refused(model):
    with pytest.raises(
        SpecError, match="one_minus_beta: no model has a place where a condition could enter; take layers"
    ):
        build_graph(chain(model=model), seed=0)


def test_what_is_right_is_let_through():
    assert check_pipeline(chain(conditions=[column(column="mass", where="t")]), COLUMNS) == []


MODELS = {
    "MLP": ([node("MLP", hidden=[8, 8], inputs=2, momenta=False)], 1),
    "blocks": ([node("MLPBlock", 2, 8), node("ResBlock", {"n_input": 8, "n_output": 8}, {"n_input": 8, "n_output": 8}), node("Linear", 8, 1)], 3),
    "opted out": ([node("MLPBlock", n_input=2, n_output=8, film=False), node("MLPBlock", 8, 8), node("Linear", 8, 1)], 1),
    "named": ([node("FiLMed_MLPBlock", 2, 8), node("Linear", 8, 1)], 1),
    "by hand": ([node("Linear", 2, 8), node("FiLMSite", 8), node("Linear", 8, 1)], 1),
}  # fmt: skip


@pytest.mark.parametrize(("model", "sites"), MODELS.values(), ids=MODELS)
def test_sites_appear_with_a_condition_and_only_then(model, sites):
    drawn, plain = (
        build_graph(chain(loss, model), seed=1).eval() for loss in (None, tn.loss("mse", target="t"))
    )
    assert isinstance(drawn.models["fit"], Conditioned)
    assert len(film_sites(drawn)) == sites
    assert not any(isinstance(part, Conditioned) for part in plain.modules())
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    inputs = drawn.conditions.inputs(torch.full((5, 1), 1e-5, dtype=torch.float64))
    assert torch.equal(drawn({"x": x} | inputs)["y"], plain({"x": x})["y"])


@pytest.mark.parametrize(("model", "sites"), MODELS.values(), ids=MODELS)
def test_a_graph_at_one_value_is_plain_and_gives_the_same(model, sites):
    graph = build_graph(chain(None, model), seed=1).eval()
    generator = torch.Generator().manual_seed(2)
    for weight in (*graph.models["fit"].gammas, *graph.models["fit"].betas):
        weight.data = 0.3 * torch.randn(weight.shape, generator=generator)
    x, value = torch.randn(5, 2, generator=generator), torch.tensor([1e-5], dtype=torch.float64)
    plain = graph.at(value)
    wanted = graph({"x": x} | graph.conditions.inputs(value.expand(5, 1)))["y"]
    torch.testing.assert_close(plain({"x": x})["y"], wanted)
    assert plain.columns() == ["x"]
    assert len(film_sites(plain)) == sites


def test_a_network_with_per_event_conditions_exports_with_any_batch_size():
    net = build_graph(chain(), seed=1).eval().models["fit"]
    for weight in (*net.gammas, *net.betas):
        weight.data.fill_(0.1)
    x, condition = torch.randn(4, 2), torch.rand(4, 1)
    events = torch.export.Dim("events", min=2)
    sizes = {"inputs": ({0: events},), "condition": {0: events}}
    made = torch.export.export(
        net, (x,), {"condition": condition}, dynamic_shapes=sizes, strict=False
    ).module()
    more, others = torch.randn(7, 2), torch.rand(7, 1)
    torch.testing.assert_close(made(more, condition=others), net(more, condition=others))
