"""Small made-up chains in which candidates truly differ, and supernets of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional

from tsunagu.data import Split, Table
from tsunagu.layers import registry
from tsunagu.oneshot import OneShot
from tsunagu.oneshot.noise import Noise
from tsunagu.oneshot.objectives import Objectives
from tsunagu.spec import LossTerm, Pipeline, Task, Train, choice, node
from tsunagu.tasks import stages
from tsunagu.tasks.supernet import build_supergraph

TRAIN, VALID = 192, 128


class Constant(nn.Module):
    """The same number for each event; it counts its calls."""

    def __init__(self, value):
        super().__init__()
        self.value, self.calls = value, 0

    def forward(self, x):
        self.calls += 1
        return torch.full((len(x), 1), self.value, dtype=x.dtype)


class Careless(nn.Module):
    """It draws from a generator that no seed reaches."""

    def forward(self, x):
        return functional.dropout(x)


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setitem(registry._registered, "Careless", Careless)
    monkeypatch.setitem(registry._registered, "Constant", Constant)


def _columns(events):
    x = torch.randn(events, 3, generator=torch.Generator().manual_seed(7))
    h = torch.stack([torch.sin(2.0 * x[:, 0]), x[:, 1].abs(), x[:, 2]], 1)
    y = (h[:, :1] * h[:, 1:2] + h[:, 2:] ** 2 > 1.0).float()
    return {"x": x, "true_h": h, "y": y, "zero": torch.zeros(events, 1)}


def _table(dtype=torch.float32):
    events = TRAIN + VALID
    number = torch.arange(events)
    return Table(
        columns={name: column.to(dtype) for name, column in _columns(events).items()},
        weight=torch.ones(events, dtype=torch.float64),
        train_weight=0.5 + torch.rand(events, generator=torch.Generator().manual_seed(8)),
        event_number=number,
        fold=number % 5,
        fingerprint="made up",
    )


@pytest.fixture(scope="session")
def events():
    return _table()


@pytest.fixture(scope="session")
def split():
    rows = torch.arange(TRAIN + VALID)
    return Split(train=rows[:TRAIN], validation=rows[TRAIN:], test=rows[:0])


def mlp(width, outputs, activation="Tanh", *more):
    return [node("Linear", 3, width), node(activation), *more, node("Linear", width, outputs)]


FIRST = choice(tanh=mlp(12, 3), relu=mlp(8, 3, "ReLU"), line=node("Linear", 3, 3), name="first")
SECOND = choice(gelu=mlp(12, 1, "GELU"), tanh=mlp(3, 1), line=node("Linear", 3, 1), name="second")


def _train(**settings):
    defaults = {"epochs": 2, "batch_size": 64, "patience": None, "optimizer": node("Adam", lr=0.01)}
    return Train(**defaults | settings)


@pytest.fixture
def chain_of():
    """Two tasks of three candidates each: nothing shared, nothing normalised, nothing random."""

    def made(first=FIRST, second=SECOND, **train):
        tasks = {
            "calibrate": Task(
                inputs=["x"], output="h", model=first, loss=LossTerm(key="mse", target="true_h")
            ),
            "classify": Task(
                inputs=["h"], output="score", model=second, loss=LossTerm(key="mse", target="y")
            ),
        }
        return Pipeline(tasks=tasks, train=_train(**train), metric="mse(score, y)")

    return made


@pytest.fixture
def fit_of():
    """One task."""

    def made(model, target="y", **train):
        task = Task(inputs=["x"], output="score", model=model, loss=LossTerm(key="mse", target=target))
        return Pipeline(tasks={"fit": task}, train=_train(**train), metric=f"mse(score, {target})")

    return made


@pytest.fixture
def search_of(events, split):
    def made(pipeline, searcher, seed=3):
        return OneShot(pipeline, searcher, events, split, seed=seed)

    return made


@pytest.fixture
def trap_of(fit_of):
    """Candidates that give constants, and so learn nothing; the target is 0."""

    def made(*values, steps=300):
        options = {f"c{number}": node("Constant", value) for number, value in enumerate(values)}
        model = choice(**options, name="model")
        return fit_of(model, target="zero", epochs=steps, batch_size=TRAIN)

    return made


@pytest.fixture
def losses_of():
    """The losses of a pipeline's last stage, with weights of any precision, and batches to try them on."""

    def made(pipeline, dtype=torch.float32, **settings):
        table, graph = _table(dtype), build_supergraph(pipeline, seed=3).to(dtype)
        stage = stages(pipeline)[-1]
        objectives = Objectives(graph=graph, stage=stage, table=table, noise=Noise(graph), seed=1, **settings)
        return SimpleNamespace(
            objectives=objectives,
            graph=graph,
            table=table,
            train=torch.arange(64),
            valid=torch.arange(TRAIN, 256),
        )

    return made
