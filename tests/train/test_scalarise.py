"""Weights of several losses as a condition, with scalarisations that are not linear."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import pytest
import torch

import tsunagu as tn
from tsunagu.data import Split, Table
from tsunagu.errors import SpecError
from tsunagu.losses import Loss, make_scalarisation, register_loss
from tsunagu.metrics import hypervolume
from tsunagu.spec import node
from tsunagu.tasks import VALUES
from tsunagu.train import Population, Training

SIZE, EVENTS, BATCH = 10, 64 * 50, 64


@register_loss("fonseca")
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
    model = [
        node("MLPBlock", n_input=1, n_output=64, activation="ReLU"),
        node("MLPBlock", n_input=64, n_output=64, activation="ReLU"),
        node("Linear", 64, SIZE),
    ]
    task = tn.Task(inputs=["x"], output="w", model=model, loss=loss)
    settings = {"epochs": 30, "batch_size": BATCH, "patience": None, "optimizer": node("Adam", lr=3e-3)}
    train = tn.Train(**settings | {"schedule": node("cosine"), "scalarise": scalarise} | train)
    return tn.Pipeline(tasks={"fit": task}, train=train, metric="mse(w, a)")


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
        (node("linear"), 0.1, 0.2),
        (node("stch", mu=0.05, events=1), 0.33, 0.3421),
        (node("cosmos", strength=2.0, events=1), 0.31, 0.3421),
        (node("pbi", theta=5.0, events=1), 0.31, 0.3421),
    ],
    ids=lambda value: getattr(value, "key", None),
)
def test_one_training_reaches_a_concave_front_but_for_the_sum(scalarise, least, most, nothing):
    """The exact volume from (1, 1) is 0.3420. Everywhere a large weight makes its loss small."""
    training = Training(fonseca(scalarise), *nothing, seed=1)
    training.run()
    points = front(training)
    print(scalarise.key, hypervolume(points.numpy(), [1.0, 1.0]), points[::10])
    assert least < hypervolume(points.numpy(), [1.0, 1.0]) < most
    assert points[0, 0] > points[50, 0] + 0.1 > points[100, 0] + 0.2
