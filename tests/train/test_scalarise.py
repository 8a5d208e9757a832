"""Weights of several losses as a condition, with scalarisations that are not linear."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import final

import pytest
import torch

import tsunagu as tn
from tsunagu.data import Split, Table
from tsunagu.errors import SpecError
from tsunagu.losses import Loss, find_loss, make_scalarisation
from tsunagu.metrics import hypervolume
from tsunagu.spec import node, to_data, variations
from tsunagu.tasks import VALUES
from tsunagu.tasks.check import check_pipeline
from tsunagu.train import Population, Training
from tsunagu.train.distributed import World

SIZE, EVENTS, BATCH = 10, 64 * 50, 64


@final
@dataclass(frozen=True, kw_only=True)
class Fonseca(Loss):
    """``1 - exp(-||x - sign / sqrt(n)||^2)``; two of them have a concave front."""

    sign: float = 1.0

    def __call__(self, prediction, target):
        shift = self.sign / math.sqrt(prediction.shape[1])
        return 1.0 - torch.exp(-(prediction - shift).square().sum(1))

    def check(self, target):
        return None


def fonseca(scalarise, **train):
    trade = tn.simplex("near", "far")
    loss = [
        tn.loss("fonseca", target="a", sign=sign, weight=tn.condition("trade", trade, part=part))
        for part, sign in (("near", 1.0), ("far", -1.0))
    ]
    # One site before all else, so that the outputs may jump where the minimum of a sum does.
    hidden = [node("ReLU"), node("Linear", 64, 64), node("ReLU"), node("Linear", 64, SIZE)]
    model = [node("Linear", 1, 64), node("FiLMSite", 64), *hidden]
    task = tn.Task(inputs=["x"], output="w", model=model, loss=loss)
    settings = {"epochs": 30, "batch_size": BATCH, "patience": None, "optimizer": node("Adam", lr=3e-3)}
    train = tn.Train(**settings | {"scalarise": scalarise} | train)
    return tn.Pipeline(tasks={"fit": task}, train=train, metric="mse(w, a)")


@pytest.fixture
def registered(monkeypatch):
    """Known by a key in this test only."""
    monkeypatch.setattr(
        find_loss.__globals__["_losses"], "_kept", {"fonseca": Fonseca, "mse": find_loss("mse")}
    )


@pytest.fixture(scope="module")
def nothing():
    """Events that say nothing, so that the weights are all that there is to see."""
    rows, ones = torch.arange(EVENTS + 90), torch.ones(EVENTS + 90)
    columns = {"x": torch.zeros(EVENTS + 90, 1), "a": torch.zeros(EVENTS + 90, SIZE)}
    table = Table(
        columns=columns, weight=ones.double(), train_weight=ones, event_number=rows, fold=rows, fingerprint=""
    )
    return table, Split(train=rows[:EVENTS], validation=rows[EVENTS:], test=rows[:0])


def front(training, points=101):
    share = torch.linspace(0.0, 1.0, points, dtype=torch.float64)
    graph = training.graph.eval()
    values = torch.stack([share, 1.0 - share], 1)
    with torch.no_grad():
        found = graph({"x": torch.zeros(points, 1)} | graph.conditions.inputs(values))["w"]
    return torch.stack([Fonseca(sign=sign)(found, found) for sign in (1.0, -1.0)], 1)


@pytest.mark.parametrize(
    ("scalarise", "least", "most"),
    [
        (node("linear"), 0.0, 0.2),
        (node("stch", mu=0.05, events=1), 0.33, 0.3421),
        (node("cosmos", strength=2.0, events=1), 0.31, 0.3421),
        (node("pbi", theta=5.0, events=1), 0.31, 0.3421),
    ],
    ids=lambda value: getattr(value, "key", None),
)
def test_one_training_reaches_a_concave_front_but_for_the_sum(scalarise, least, most, nothing, registered):
    """The exact volume from (1, 1) is 0.3420. Everywhere a large weight makes its loss small."""
    training = Training(fonseca(scalarise), *nothing, seed=1)
    training.run()
    points = front(training)
    assert least < hypervolume(points.numpy(), [1.0, 1.0]) < most
    assert points[0, 0] > 0.9
    assert points[100, 0] < 0.2


def two_lines(scalarise, *, weights=None, **train):
    """A line that shall meet two noisy targets."""
    trade = tn.simplex("a", "b")
    given = weights or [tn.condition("trade", trade, part=part) for part in "ab"]
    loss = [tn.loss("mse", target=t, weight=w) for t, w in zip("ab", given, strict=True)]
    model = node("MLP", hidden=[8], inputs=1, momenta=False)
    task = tn.Task(inputs=["x"], output="w", model=model, loss=loss)
    settings = {"epochs": 2, "batch_size": 32, "patience": None, "scalarise": scalarise} | train
    return tn.Pipeline(tasks={"fit": task}, train=tn.Train(**settings), metric="mse(w, a)")


@pytest.fixture(scope="module")
def lines():
    draw = torch.Generator().manual_seed(3)
    x, rows, weight = torch.randn(200, 1, generator=draw), torch.arange(200), torch.rand(200, generator=draw)
    columns = {"x": x, "a": x[:, 0] + torch.randn(200, generator=draw), "b": 2.0 - x[:, 0]}
    table = Table(
        columns=columns,
        weight=weight.double(),
        train_weight=weight,
        event_number=rows,
        fold=rows,
        fingerprint="",
    )
    return table, Split(train=rows[:150], validation=rows[150:], test=rows[:0])


STCH = node("stch", mu=0.3, events=8)


def test_losses_are_averaged_over_events_of_equal_weights_first():
    draw = torch.Generator().manual_seed(1)
    losses, sizes = torch.rand(2, 12, 3, generator=draw), torch.rand(2, 12, generator=draw) - 0.2
    own = torch.softmax(torch.randn(2, 3, 3, generator=draw), -1)
    group = torch.randint(0, 3, (2, 12), generator=draw)
    weights = torch.stack([each[of] for each, of in zip(own, group, strict=True)])
    stch = make_scalarisation("stch", {"mu": 0.3})
    found = stch.reduce(losses, weights.double(), sizes)
    for member in range(2):
        wanted = 0.0
        for number in range(3):
            chosen = group[member] == number
            size, each = sizes[member, chosen], losses[member, chosen]
            mean = (size[:, None] * each).sum(0) / size.abs().sum()
            wanted += float(stch(mean, own[member, number]) * size.abs().sum() / sizes[member].abs().sum())
        assert float(found[member]) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("key", ["stch", "pbi", "cosmos"])
def test_fixed_weights_scalarise_the_mean_of_the_batch(key, lines):
    stage = Training(two_lines(node(key), weights=[0.3, 0.7]), *lines, seed=1).stages[0]
    predictions, batch = {"w": torch.zeros(4)}, {"a": torch.ones(4), "b": torch.tensor([1.0, 2.0, 3.0, 4.0])}
    found = stage.loss(predictions, batch, torch.ones(4))
    wanted = make_scalarisation(key, {})(torch.tensor([1.0, 7.5]), torch.tensor([0.3, 0.7]))
    torch.testing.assert_close(found, wanted)


def test_events_in_a_row_share_their_weights_and_nothing_else(lines):
    table, split = lines
    chain = two_lines(STCH)
    chain = chain.model_copy(update={"conditions": [tn.condition("x", tn.uniform(-9.0, 9.0), column="x1")]})
    table = replace(table, columns={**table.columns, "x1": torch.full((200,), math.nan)})
    training = Training(chain, table, split, seed=1)
    seen = []
    real = type(training.stages[0]).loss

    def watch(stage, predictions, batch, *rest):
        seen.append(batch[VALUES])
        return real(stage, predictions, batch, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(training.stages[0]), "loss", watch)
        training.run()
    assert [len(values) for values in seen] == [32, 32, 32, 32, 22] * 2
    firsts = torch.cat([values[::8] for values in seen])
    assert len(firsts[:, 0].unique()) == len(firsts) == 38
    for values in seen:
        assert torch.equal(values[:, 0], values[::8, 0].repeat_interleave(8)[: len(values)])
        assert len(values[:, 2].unique()) == len(values)


def test_a_member_of_a_population_is_what_it_is_alone(lines):
    alone = [Training(two_lines(STCH), *lines, seed=seed) for seed in (1, 2)]
    members = [Training(two_lines(STCH), *lines, seed=seed) for seed in (1, 2)]
    for training in alone:
        training.run()
    Population(members).run()
    for one, member in zip(alone, members, strict=True):
        own, theirs = ([line.valid_loss for line in each.position.history] for each in (one, member))
        assert theirs == pytest.approx(own, rel=1e-4)


def test_trainings_with_other_draws_are_no_population(lines):
    chains = [two_lines(each) for each in (STCH, node("stch", mu=0.3, events=16), node("linear"))]
    wide = [tn.condition("trade", tn.dirichlet("a", "b", alpha=4.0), part=part) for part in "ab"]
    first, *others = (Training(chain, *lines, seed=1) for chain in (*chains, two_lines(STCH, weights=wide)))
    for other in others:
        with pytest.raises(ValueError, match="conditions are drawn otherwise"):
            Population([first, other])


def test_the_validation_loss_is_that_of_the_means_at_each_point_of_the_grid(lines):
    table, split = lines
    training = Training(two_lines(STCH), table, split, seed=1)
    training.run()
    values = training.graph.conditions.dealt(table.event_number[split.validation])
    batch = table.take(["x", "a", "b"], split.validation) | training.graph.conditions.inputs(values)
    training.graph.eval()
    with torch.no_grad():
        guess = training.graph(batch)["w"].flatten()
    each = torch.stack([(guess - batch[name]).square() for name in "ab"], 1)
    size, wanted = table.train_weight[split.validation], 0.0
    for own in values.unique(dim=0):
        chosen = (values == own).all(1)
        mean = (size[chosen, None] * each[chosen]).sum(0) / size[chosen].sum()
        wanted += float(make_scalarisation("stch", {"mu": 0.3})(mean, own) * size[chosen].sum() / size.sum())
    assert training.position.history[-1].valid_loss == pytest.approx(wanted, rel=1e-4)


WRONG = {
    "an aggregator beside it": ({"scalarise": STCH, "aggregate": node("mgda"), "weights": [0.3, 0.7]}, "train.scalarise: stch and train.aggregate: mgda both say what several losses become"),
    "an unknown one": ({"scalarise": node("tchebycheff")}, "unknown scalarisation 'tchebycheff'"),
    "an unknown setting": ({"scalarise": node("stch", theta=1.0)}, "'theta' is not a setting of stch"),
    "a setting out of range": ({"scalarise": node("stch", mu=0.0)}, "mu is above 0; found 0.0"),
    "no number": ({"scalarise": node("pbi", theta="5")}, "theta is a number, found '5'"),
    "no events": ({"scalarise": node("pbi", events=0)}, "events is how many of them share one draw, 1 or more; found 0"),
    "arguments without names": ({"scalarise": node("stch", 0.1)}, "expected the arguments of stch by name, found [0.1]"),
    "groups that do not fill a batch": ({"scalarise": node("stch"), "batch_size": 100}, "batches of 100 are not made of groups of 32 events that share their weights; set events to a divisor"),
    "weights of a column": ({"scalarise": STCH, "weights": [tn.condition("w", tn.uniform(0.0, 1.0), column="x"), 1.0]}, "the weight 'w' is each event's own, from the column x, but stch is of mean losses"),
    "the aggregator of this name": ({"scalarise": node("linear"), "aggregate": node("STCH")}, "STCH sets the weights itself; take train.scalarise: stch in its place"),
}  # fmt: skip


@pytest.mark.parametrize(("train", "words"), WRONG.values(), ids=WRONG)
def test_bad_use_is_refused_before_a_training(train, words):
    if train.get("aggregate") == node("STCH"):
        pytest.importorskip("torchjd")
    with pytest.raises((SpecError, ValueError), match=re.escape(words)):
        raise SpecError(check_pipeline(two_lines(**train), {"x", "a", "b"}))


def test_one_loss_is_refused():
    chain = two_lines(STCH)
    task = chain.tasks["fit"]
    alone = chain.model_copy(
        update={"tasks": {"fit": task.model_copy(update={"loss": tn.loss("mse", target="a")})}}
    )
    with pytest.raises(SpecError, match="stch makes one number of several losses, but no stage has more"):
        raise SpecError(check_pipeline(alone, {"x", "a", "b"}))


def test_a_loss_of_whole_batches_is_refused():
    chain = two_lines(STCH)
    losses = [tn.loss("mse", target="a"), tn.loss("disco", target="b", probability=False)]
    task = chain.tasks["fit"].model_copy(update={"loss": losses})
    with pytest.raises(SpecError, match="stch is of losses of events, and disco is one of whole batches"):
        raise SpecError(check_pipeline(chain.model_copy(update={"tasks": {"fit": task}}), {"x", "a", "b"}))


def test_several_processes_are_refused(lines, monkeypatch):
    monkeypatch.setattr("tsunagu.train.training.here", lambda: World(0, 2))
    with pytest.raises(SpecError, match="stch needs the mean losses of events that several processes would"):
        Training(two_lines(STCH), *lines, seed=1)


def test_a_study_varies_it_though_it_is_not_said_by_default():
    chain = two_lines(None)
    study = tn.Study(
        data={"files": "events.parquet"},
        **{name: getattr(chain, name) for name in ("tasks", "train", "metric")},
        vary={"train.scalarise": {"sum": None, "largest": STCH}},
    )
    assert "scalarise" not in to_data(study.train)
    assert [varied.train.scalarise for _, varied in variations(study)] == [None, STCH]
