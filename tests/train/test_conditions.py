"""A loss parameter that is drawn for each event: what is learnt is what a training with that value would learn."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch.nn import functional

import tsunagu as tn
from tsunagu.data import Split, Table
from tsunagu.losses import find_loss, weighted_mean
from tsunagu.spec import node
from tsunagu.tasks import VALUES, build_graph
from tsunagu.train import Population, Position, Training, probe
from tsunagu.train.scanning import scan


def events(columns, train):
    """A table with all of ``columns``, of which the first ``train`` events are trained on."""
    count = len(next(iter(columns.values())))
    rows, ones = torch.arange(count), torch.ones(count)
    table = Table(
        columns=columns,
        weight=ones.double(),
        train_weight=ones,
        event_number=rows + 7,
        fold=rows,
        fingerprint="",
    )
    return table, Split(train=rows[:train], validation=rows[train:], test=rows[:0])


def pipeline(loss, inputs=("x",), model=None, metric="mse(w, a)", conditions=(), **train):
    task = tn.Task(
        inputs=list(inputs),
        output="w",
        model=model or node("MLP", hidden=[8], inputs=1, momenta=False),
        loss=loss,
    )
    settings = {"epochs": 2, "batch_size": 32, "patience": None} | train
    return tn.Pipeline(
        tasks={"fit": task}, train=tn.Train(**settings), metric=metric, conditions=list(conditions)
    )


def outputs_at(training, values, x):
    """What a graph makes of ``x [E, 1]`` at values of the conditions ``[E, L]``."""
    graph = training.graph.eval()
    with torch.no_grad():
        return graph({"x": x} | graph.conditions.inputs(values))["w"]


@pytest.fixture
def delta():
    return tn.condition("delta", tn.log_uniform(0.05, 5.0))


@pytest.fixture
def noisy_line():
    draw = torch.Generator().manual_seed(3)
    x = torch.randn(200, 1, generator=draw)
    return events({"x": x, "a": 2.0 * x[:, 0] + torch.randn(200, generator=draw)}, 160)


def robust(delta):
    return tn.loss("huber", target="a", delta=delta)


def state(training):
    return {name: value.clone() for name, value in training.graph.state_dict().items()}


def alike(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_network_learns_the_minimum_of_every_weighted_sum():
    """``l (w - 1)^2 + (1 - l) (w + 2)^2`` has its minimum at ``l - 2 (1 - l)``."""
    count = 128 * 50
    columns = {
        "x": torch.zeros(count + 100, 1),
        "a": torch.ones(count + 100),
        "b": torch.full((count + 100,), -2.0),
    }
    trade = tn.simplex("a", "b")
    loss = [tn.loss("mse", target=t, weight=tn.condition("trade", trade, part=t)) for t in "ab"]
    steps = {"epochs": 30, "batch_size": 128, "optimizer": node("Adam", lr=1e-2), "schedule": node("cosine")}
    training = Training(pipeline(loss, **steps), *events(columns, count), seed=1)
    training.run()
    share = torch.linspace(0.01, 0.99, 99, dtype=torch.float64)
    found = outputs_at(training, torch.stack([share, 1.0 - share], dim=1), torch.zeros(99, 1))
    assert (found - (share - 2.0 * (1.0 - share))).abs().max() < 0.02


def test_biases_of_the_class_balanced_loss_are_those_of_a_fit_at_each_value():
    """Two normal distributions at +-1 with 90 % and 10 %: the loss moves the bias of the logit 2 x + b."""
    draw = torch.Generator().manual_seed(1)
    label = (torch.arange(10_000) < 1000).long()
    x = torch.randn(10_000, 1, generator=draw) + (2.0 * label - 1.0)[:, None]
    order = torch.randperm(10_000, generator=draw)
    table, _ = events({"x": x[order], "a": label[order]}, 10_000)
    rows = torch.arange(10_000)
    split = Split(train=rows, validation=rows, test=rows[:0])
    model = [node("Linear", 1, 8), node("FiLMSite", 8), node("Linear", 8, 2)]
    omb = tn.condition("one_minus_beta", tn.log_uniform(1e-6, 1.0))
    loss = tn.loss("class_balanced", target="a", one_minus_beta=omb)
    steps = {"epochs": 51, "batch_size": 128, "optimizer": node("Adam", lr=1e-2), "schedule": node("cosine")}
    training = Training(pipeline(loss, model=model, metric="accuracy(w, a)", **steps), table, split, seed=2)
    training.run()
    values = torch.logspace(-0.5, -5.5, 21, dtype=torch.float64)
    logits = outputs_at(training, values[:, None], torch.zeros(21, 1))
    found = (logits[:, 1] - logits[:, 0]).tolist()
    wanted = [_fitted_bias(x[:, 0].double(), label, float(value)) for value in values]
    assert found == pytest.approx(wanted, abs=0.15)
    # Down to 1e-2 all weights are 1 and the fits are equal to 1e-4, so nothing rises there.
    rises = list(zip(pairwise(wanted), pairwise(found), strict=True))
    flat = [fit[1] - fit[0] < 5e-3 for fit, _ in rises]
    assert flat == [True] * 7 + [False] * 13
    assert all(low < high for is_flat, (_, (low, high)) in zip(flat, rises, strict=True) if not is_flat)
    assert max(found[:8]) - min(found[:8]) < 0.1


def _fitted_bias(x, label, one_minus_beta):
    loss = find_loss("class_balanced")(sizes=(9000, 1000), one_minus_beta=one_minus_beta)
    line = torch.tensor([2.0, 0.0], dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([line], max_iter=100, line_search_fn="strong_wolfe")

    def value():
        search.zero_grad()
        total = weighted_mean(loss(line[0] * x + line[1], label), torch.ones_like(x))
        total.backward()
        return total

    search.step(value)
    return line[1].item()


def test_a_condition_without_a_range_is_ordinary_training(noisy_line):
    fixed = Training(pipeline(robust(0.3), epochs=4), *noisy_line, seed=5)
    drawn = Training(
        pipeline(robust(tn.condition("delta", tn.log_uniform(0.3, 0.3))), epochs=4), *noisy_line, seed=5
    )
    for training in (fixed, drawn):
        training.run()
    plain = drawn.graph.at(drawn.graph.conditions.default).state_dict()
    layers = [value for name, value in plain.items() if name.endswith(("weight", "bias"))]
    for found, wanted in zip(layers, fixed.graph.state_dict().values(), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


def test_a_network_begins_as_it_would_without_conditions(delta):
    x = torch.randn(6, 1, generator=torch.Generator().manual_seed(1))
    plain, drawn = (build_graph(pipeline(robust(each)), seed=3) for each in (1.0, delta))
    inputs = drawn.conditions.inputs(torch.full((6, 1), 0.07, dtype=torch.float64))
    assert torch.equal(plain({"x": x})["w"], drawn({"x": x} | inputs)["w"])


def test_an_event_does_not_see_the_conditions_of_its_neighbours(delta, noisy_line):
    training = Training(pipeline(robust(delta)), *noisy_line, seed=1)
    training.run()
    x, values = torch.randn(5, 1), torch.linspace(0.1, 4.0, 5, dtype=torch.float64)[:, None]
    together = outputs_at(training, values, x)
    for event in range(5):
        one = slice(event, event + 1)
        torch.testing.assert_close(outputs_at(training, values[one], x[one]), together[one])


def test_a_member_of_a_population_is_what_it_is_alone(delta, noisy_line):
    seeds, chain = (1, 2, 3), pipeline(robust(delta))
    alone = [Training(chain, *noisy_line, seed=seed) for seed in seeds]
    for training in alone:
        training.run()
    members = [Training(chain, *noisy_line, seed=seed) for seed in seeds]
    Population(members).run()
    for one, member in zip(alone, members, strict=True):
        assert [line.valid_loss for line in member.position.history] == pytest.approx(
            [line.valid_loss for line in one.position.history], rel=1e-4
        )
        for name, value in state(one).items():
            torch.testing.assert_close(state(member)[name], value, rtol=1e-3, atol=1e-5)
    assert not torch.allclose(
        state(members[0])["models.fit.gammas.0"], state(members[1])["models.fit.gammas.0"]
    )


IMAGES = [
    node("ConvResBlock", 1, 4),
    node("AdaptiveAvgPool2d", 1),
    node("Flatten"),
    node("Linear", 4, 1),
    node("Flatten", 0),
]
DENSE = [node("Linear", 16, 8), node("FiLMSite", 8), node("Linear", 8, 1), node("Flatten", 0)]
STACKED = {"vmap": [node("Flatten"), *DENSE], "loop": IMAGES}


@pytest.mark.parametrize(("backend", "model"), STACKED.items(), ids=STACKED)
def test_stacked_members_are_members_one_by_one(backend, model, delta):
    draw = torch.Generator().manual_seed(4)
    columns = {"x": torch.randn(96, 1, 4, 4, generator=draw), "a": torch.randn(96, generator=draw)}
    made = events(columns, 64)
    seeds, chain = (1, 2), pipeline(robust(delta), model=model, epochs=1)
    alone, members, probed = ([Training(chain, *made, seed=seed) for seed in seeds] for _ in range(3))
    assert set(probe(probed)["fit"]) == {backend}
    for training in alone:
        training.run()
    Population(members).run()
    for one, member in zip(alone, members, strict=True):
        assert state(member)["models.fit.betas.0"].abs().max() > 0.0
        for name, value in state(one).items():
            torch.testing.assert_close(state(member)[name], value, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("stop", [1, 7, 11])
def test_a_resumed_training_is_the_uninterrupted_one(stop, delta, noisy_line):
    whole = Training(pipeline(robust(delta), epochs=3), *noisy_line, seed=1)
    whole.run()
    cut = Training(pipeline(robust(delta), epochs=3), *noisy_line, seed=1)
    kept, steps = {}, []

    def watch(training):
        steps.append(1)
        if len(steps) == stop:
            kept["place"] = training.position_now.dumps()
            kept["tensors"] = {name: value.clone() for name, value in training.tensors().items()}

    cut.run(watch)
    again = Training(pipeline(robust(delta), epochs=3), *noisy_line, seed=1)
    again.restore(Position.loads(kept["place"]), kept["tensors"])
    again.run()
    assert alike(state(whole), state(again))


def test_a_physics_parameter_comes_from_its_column_where_events_have_one(noisy_line, monkeypatch):
    table, split = noisy_line
    columns = dict(table.columns) | {
        "mass": torch.linspace(100.0, 200.0, 200),
        "has_mass": (torch.arange(200) % 2).long(),
    }
    table, split = events(columns, 160)
    mass = tn.condition("mass", tn.uniform(100.0, 200.0), column="mass", where="has_mass")
    training = Training(pipeline(tn.loss("mse", target="a"), conditions=[mass]), table, split, seed=1)
    seen = []
    real = type(training.stages[0]).loss

    def watch(stage, predictions, batch, *rest):
        seen.append((batch["x"][:, 0], batch[VALUES][:, 0]))
        return real(stage, predictions, batch, *rest)

    monkeypatch.setattr(type(training.stages[0]), "loss", watch)
    training.run()
    of_event = {float(x): row for row, x in enumerate(columns["x"][:, 0])}
    rows = torch.tensor([of_event[float(x)] for x in torch.cat([x for x, _ in seen])])
    values = torch.cat([v for _, v in seen])
    own = columns["has_mass"][rows] == 1
    torch.testing.assert_close(values[own].float(), columns["mass"][rows][own])
    assert (values[~own].float() != columns["mass"][rows][~own]).all()
    assert ((values >= 100.0) & (values <= 200.0)).all()


def test_a_schedule_is_the_loss_of_its_epoch(noisy_line):
    weight = tn.schedule("linear", 1.0, 0.0)
    loss = [tn.loss("mse", target="a", weight=weight), tn.loss("mse", target="x", weight=1.0)]
    stage = Training(pipeline(loss, epochs=3), *noisy_line, seed=1).stages[0]
    predictions, batch = {"w": torch.ones(1)}, {"a": torch.zeros(1), "x": torch.full((1, 1), 3.0)}
    found = [float(stage.at(epoch).loss(predictions, batch, torch.ones(1))) for epoch in (0, 1, 2)]
    assert found == [5.0, 4.5, 4.0]
    assert float(stage.at().loss(predictions, batch, torch.ones(1))) == 4.0


def test_validation_has_a_fixed_grid(delta, noisy_line):
    first, second = (Training(pipeline(robust(delta), epochs=0), *noisy_line, seed=seed) for seed in (1, 2))
    numbers = noisy_line[0].event_number
    dealt = [training.graph.conditions.dealt(numbers) for training in (first, second)]
    assert torch.equal(*dealt)
    grid = first.graph.conditions.each[0].distribution.grid(9)
    counts = [int((dealt[0] == value).sum()) for value in grid]
    assert sum(counts) == 200
    assert min(counts) > 8


def test_the_loss_of_an_event_has_its_own_number(delta, noisy_line):
    training = Training(pipeline(robust(delta)), *noisy_line, seed=1)
    values = torch.tensor([[0.1], [2.0]], dtype=torch.float64)
    found = training.stages[0].event_loss(
        {"w": torch.tensor([3.0, 3.0])}, {"a": torch.zeros(2), VALUES: values}, torch.ones(2)
    )
    wanted = [functional.huber_loss(torch.tensor(3.0), torch.tensor(0.0), delta=d) for d in (0.1, 2.0)]
    torch.testing.assert_close(found, torch.stack(wanted))


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_scan_draws_nothing_and_is_each_point_by_itself(dropout, delta, noisy_line):
    model = node("MLP", hidden=[8], inputs=1, momenta=False, dropout=dropout)
    training = Training(pipeline(robust(delta), model=model), *noisy_line, seed=1)
    training.run()
    values, rows = torch.tensor([[0.1], [0.5], [4.0]], dtype=torch.float64), torch.arange(20)
    training.graph.train()
    found = scan(training.graph, noisy_line[0], rows, values)["w"]
    x = noisy_line[0].columns["x"][rows]
    wanted = torch.stack([outputs_at(training, value.expand(20, 1), x) for value in values])
    torch.testing.assert_close(found, wanted)
    assert not torch.allclose(found[0], found[2])
