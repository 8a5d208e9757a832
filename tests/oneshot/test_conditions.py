"""A supernet whose paths are conditioned: what its paths learn, and which of them wins at which value."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tsunagu.data import Split, Table
from tsunagu.layers import FiLMSite, registry
from tsunagu.oneshot import OneShot
from tsunagu.search import Asng, Darts, Enas, Gdas, Spos
from tsunagu.spec import (
    LossTerm,
    Pipeline,
    Task,
    Train,
    architectures,
    choice,
    condition,
    node,
    resolve,
    simplex,
    uniform,
)
from tsunagu.tasks import conditions_of
from tsunagu.tasks.supernet import leaves_of, mixture, path_alone, single_path
from tsunagu.train import Training

SEARCHERS = {
    "Spos": Spos(),
    "FairNAS": Spos(fair=True),
    "Asng": Asng(),
    "Enas": Enas(samples=2, hidden=4),
    "Darts": Darts(rate=0.1, individual=0.5),
    "Darts of second order": Darts(order=2, rate=0.1),
    "Gdas": Gdas(rate=0.1),
}
WHOLE = choice(
    narrow=[node("MLPBlock", 3, 4), node("Linear", 4, 1)],
    wide=[
        node("Linear", 3, 8),
        node("FiLMSite", 8),
        node("Tanh"),
        node("Linear", 8, 1),
    ],
    name="model",
)
"""Candidates that share nothing."""
CHAIN = [
    node("Linear", 3, 8),
    choice(site=[node("Tanh"), node("FiLMSite", 8)], plain=node("ReLU"), name="act"),
    choice(block=node("MLPBlock", 8, 8), two=[node("FiLMSite", 8), node("MLPBlock", 8, 8)], name="block"),
    node("Linear", 8, 1),
]
"""Layers that candidates share, and sites in some of them."""
MODELS = {"whole": WHOLE, "chain": CHAIN}
each_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
each_searcher = pytest.mark.parametrize("searcher", SEARCHERS.values(), ids=SEARCHERS)


@pytest.fixture
def weighted(fit_of):
    """A pipeline with a loss weight from ``low`` to ``high``, or a fixed one."""

    def made(model, low=0.2, high=2.0, **train):
        pipeline = fit_of(model, **{"epochs": 3} | train)
        weight = low if high is None else condition("w", uniform(low, high))
        task = pipeline.tasks["fit"]
        loss = LossTerm(key="mse", target="y", weight=weight)
        return pipeline.model_copy(update={"tasks": {"fit": task.model_copy(update={"loss": loss})}})

    return made


def _weights(net):
    return {name: value.clone() for name, value in net.state_dict().items()}


def _plain(net, architecture):
    """The layers of a path without what is there for the condition, in order."""
    graph = path_alone(net, architecture)
    graph = graph.at(graph.conditions.default) if graph.conditions else graph
    return [v for n, v in graph.state_dict().items() if not n.endswith((".scale", ".shift"))]


@each_model
@each_searcher
def test_with_a_range_without_width_it_is_the_supernet_without_a_condition(
    model, searcher, weighted, search_of
):
    # Adam would make large steps of rounding errors, in biases that a normalisation takes away.
    momentum = node("SGD", lr=0.05, momentum=0.9)
    fixed, drawn = (
        search_of(weighted(model, 1.0, high, optimizer=momentum), searcher) for high in (None, 1.0)
    )
    chosen = []
    for search in (fixed, drawn):
        search.run()
        chosen.append(search.choose())
    assert chosen[0].architecture == chosen[1].architecture
    for architecture, value in chosen[0].values.items():
        assert chosen[1].values[architecture] == pytest.approx(value, rel=1e-5)
        # A row of weights that is longer is rounded otherwise at its end.
        torch.testing.assert_close(
            _plain(drawn.graph, architecture), _plain(fixed.graph, architecture), rtol=1e-5, atol=1e-6
        )


def test_paths_that_share_nothing_learn_what_they_learn_alone(weighted, search_of, events, split):
    """Bit for bit, each event with the value that it has there."""
    pipeline = weighted(WHOLE)
    search = search_of(pipeline, Spos(fair=True))
    search.run()
    for architecture in architectures(pipeline):
        alone, kept = Training(resolve(pipeline, architecture), events, split, seed=3), []
        alone.run(on_epoch=lambda now, kept=kept: kept.append(_weights(now.graph)))
        found = _weights(single_path(search.graph, architecture))
        assert found.keys() == kept[-1].keys()
        assert all(torch.equal(found[name], kept[-1][name]) for name in found)
        assert float(found["models.fit.gammas.0"].abs().sum()) > 0


@each_model
def test_a_path_by_itself_is_the_candidate_alone(model, weighted, search_of, events, split):
    pipeline = weighted(model)
    search = search_of(pipeline, Spos())
    for architecture in architectures(pipeline):
        own = path_alone(search.graph, architecture).state_dict()
        alone = Training(resolve(pipeline, architecture), events, split, seed=3).graph.state_dict()
        assert list(own) == list(alone)
        assert all(torch.equal(own[name], alone[name]) for name in own)
    search.run()
    conditions = search.graph.eval().conditions
    batch = {"x": events.columns["x"][:20]}
    batch |= conditions.inputs(torch.linspace(0.2, 2.0, 20, dtype=torch.float64)[:, None])
    for architecture in architectures(pipeline):
        made = [
            net(batch)["score"]
            for net in (path_alone(search.graph, architecture), single_path(search.graph, architecture))
        ]
        torch.testing.assert_close(*made)


def test_a_step_trains_the_heads_of_its_own_leaves_and_the_trunk(weighted, search_of):
    search = search_of(weighted(CHAIN, epochs=1, batch_size=192, optimizer=node("AdamW", lr=0.1)), Spos())
    before = _weights(search.graph)
    (drawn,) = Spos().ask_training(search._state, 0)
    search.run()
    path = single_path(search.graph, drawn)
    own = {id(part) for part in path.modules()}
    on_path = {name for name, leaf in leaves_of(search.graph).items() if id(leaf) in own}
    after = search.graph.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    # The trunk has no gradient while all heads are 0; AdamW lowers its weights.
    assert {name for name in leaves_of(search.graph) if any(n.startswith(name) for n in changed)} == {
        name for name in on_path if any(True for _ in search.graph.get_submodule(name).parameters())
    }
    assert any("heads" in name for name in changed)


@each_model
def test_a_score_does_not_depend_on_the_neighbours(model, weighted, search_of, events):
    search = search_of(weighted(model), Spos(fair=True))
    search.run()
    conditions = search.graph.eval().conditions
    values = torch.linspace(0.2, 2.0, 6, dtype=torch.float64)[:, None]
    for architecture in search.space.all():
        path, x = single_path(search.graph, architecture), events.columns["x"][:6]
        together = path({"x": x} | conditions.inputs(values))["score"]
        assert not torch.equal(together, path({"x": x} | conditions.inputs(values.flip(0)))["score"])
        for event in range(6):
            own = slice(event, event + 1)
            alone = path({"x": x[own]} | conditions.inputs(values[own]))["score"]
            torch.testing.assert_close(alone, together[own])


def test_a_mixture_of_one_path_is_that_path(weighted, search_of, events):
    search = search_of(weighted(CHAIN), Gdas(rate=0.1))
    search.run()
    conditions = search.graph.eval().conditions
    batch = {"x": events.columns["x"][:5]}
    batch |= conditions.inputs(torch.linspace(0.3, 1.0, 5, dtype=torch.float64)[:, None])
    for architecture in search.space.all():
        weights = {
            label: torch.tensor([float(option == architecture[label]) for option in options])
            for label, options in search.space.options.items()
        }
        made = mixture(search.graph, weights)(batch)["score"]
        torch.testing.assert_close(made, single_path(search.graph, architecture)(batch)["score"])


@each_model
@each_searcher
def test_from_every_step_it_goes_on_to_the_same_end(model, searcher, weighted, search_of):
    pipeline = weighted(model, epochs=2, optimizer=node("AdamW", lr=0.01, weight_decay=0.1))
    whole, states = search_of(pipeline, searcher), []

    def keep(now):
        states.append((now.note(), {name: value.clone() for name, value in now.tensors().items()}))

    whole.run(on_step=keep)
    for note, stored in states[::2]:
        again = search_of(pipeline, searcher)
        again.restore(note, stored)
        again.run()
        assert again.choose() == whole.choose()
        found, tensors = again.tensors(), whole.tensors()
        assert found.keys() == tensors.keys()
        assert all(torch.equal(found[name], tensors[name]) for name in tensors)


class Reads(nn.Module):
    """A line in one of two inputs."""

    def __init__(self, column):
        super().__init__()
        self.column = column
        self.layers = nn.Sequential(nn.Linear(1, 8), FiLMSite(8), nn.Linear(8, 1))

    def forward(self, first, second):
        return self.layers(first if self.column == "first" else second)


@pytest.fixture
def traded(monkeypatch):
    """``w (y - a)^2 + (1 - w) (y - b)^2`` with independent a and b of widths 1 and 2, of which each candidate sees one.

    The best of what sees a is ``w a``, with the loss ``(1 - w) (w + 4)``; of what sees b ``(1 - w) b``, with ``w (4 (1 - w) + 1)``.
    They are equal at w = 2 / (1 + 2).
    """
    monkeypatch.setitem(registry._registered, "Reads", Reads)
    draw = torch.Generator().manual_seed(5)
    a, b = (torch.randn(1500, 1, generator=draw) for _ in range(2))
    a, b = (part - part.mean() for part in (a, b))
    columns = {"first": a / a.std(), "second": 2.0 * b / b.std()}
    rows, ones = torch.arange(1500), torch.ones(1500)
    table = Table(
        columns=columns,
        weight=ones.double(),
        train_weight=ones,
        event_number=rows,
        fold=rows,
        fingerprint="",
    )
    trade = simplex("a", "b")
    loss = [
        LossTerm(key="mse", target=target, weight=condition("trade", trade, part=part))
        for part, target in (("a", "first"), ("b", "second"))
    ]
    model = choice(a=node("Reads", "first"), b=node("Reads", "second"), name="sees")
    task = Task(inputs=["first", "second"], output="y", model=model, loss=loss)
    train = Train(epochs=15, batch_size=50, optimizer=node("Adam", lr=0.01), schedule=node("cosine"))
    pipeline = Pipeline(tasks={"fit": task}, train=train, metric="mse(y, first)")
    return pipeline, table, Split(train=rows[:1000], validation=rows[1000:], test=rows[:0])


def _losses(search, values):
    """``[A, K]`` of both candidates."""
    return search.compare(list(search.space.all()), torch.stack([values, 1.0 - values], 1), [])[:, :, -1]


def test_which_candidate_wins_at_which_weight(traded):
    search = OneShot(traded[0], Spos(fair=True), *traded[1:], seed=1)
    search.run()
    weight = torch.linspace(0.0, 1.0, 41, dtype=torch.float64)
    found = torch.from_numpy(_losses(search, weight))
    wanted = torch.stack([(1.0 - weight) * (weight + 4.0), weight * (5.0 - 4.0 * weight)])
    torch.testing.assert_close(found, wanted, rtol=0.1, atol=0.15)
    wins = (found[0] < found[1]).long()
    assert int(wins.diff().abs().sum()) == 1
    assert float(weight[wins.argmax()]) == pytest.approx(2.0 / 3.0, abs=0.06)


@pytest.mark.parametrize(("share", "best"), [(0.9, "a"), (0.2, "b")])
@pytest.mark.parametrize(
    "searcher", [Asng(delta0=0.1, warmup=8), Darts(rate=0.1, warmup=8)], ids=["Asng", "Darts"]
)
def test_a_searcher_is_told_losses_at_the_point_of_comparison(searcher, share, best, traded):
    search = OneShot(traded[0], searcher, *traded[1:], seed=1, point=(share, 1.0 - share))
    search.run()
    chosen = search.choose()
    assert chosen.architecture["sees"] == best
    assert chosen.confidence > 0.7


def test_paths_are_judged_at_the_point_of_comparison(traded):
    pipeline, points = traded[0], ((0.9, 0.1), (0.2, 0.8))
    values = []
    for point in points:
        search = OneShot(pipeline, Spos(fair=True), *traded[1:], seed=1, point=point)
        search.run()
        values.append(search.choose().values)
        (metric,) = search._judge.compare(
            list(values[-1]),
            torch.tensor([point], dtype=torch.float64),
            [search._judge.metric],
            search.stages[-1].at(),
        )[:, :, 0].T
        assert list(values[-1].values()) == pytest.approx(metric.tolist(), rel=1e-5)
    assert values[0] != values[1]


def test_statistics_of_a_path_are_those_of_all_values(weighted, search_of):
    """What the point of comparison is changes no path: only what is read off it."""
    model = [
        node("Linear", 3, 8),
        node("FiLMSite", 8),
        node("BatchNorm1d", 8),
        choice(node("Tanh"), node("ReLU"), name="act"),
        node("Linear", 8, 1),
    ]
    search = search_of(weighted(model), Spos())
    search.run()
    values = torch.tensor([[0.2], [1.1], [2.0]], dtype=torch.float64)
    found = search.compare(list(search.space.all()), values, [])
    again = search.compare(list(search.space.all()), values.flip(0), [])
    torch.testing.assert_close(torch.from_numpy(found), torch.from_numpy(again).flip(1))
    assert conditions_of(search.pipeline).labels == ("w",)
