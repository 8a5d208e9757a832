"""A training that stops after any step and goes on from its stored state ends in the bytes of one that did not stop."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tsunagu.layers import Dropout, registry
from tsunagu.spec import Folds, node
from tsunagu.train import Position, Training


class Normalised(nn.Module):
    """Everything that is no weight: BatchNorm's buffers, one that no state dict holds, a frozen weight that moves."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), Dropout(0.2), nn.Linear(8, 1))
        self.register_buffer("seen", torch.zeros((), dtype=torch.float64), persistent=False)
        self.slow = nn.Parameter(torch.ones(1), requires_grad=False)

    def forward(self, x):
        if self.training:
            self.seen += len(x)
            self.slow.data.mul_(0.9).add_(0.1 * x.detach().mean() / 50.0)
        return self.layers(x.flatten(1)).squeeze(-1) * self.slow + self.seen.to(x.dtype) * 1e-6


SMALL = {"batch_size": 64, "epochs": 2, "second": node("MLP", hidden=[4])}
BORROWED = ("DWA", "ExcessMTL", "FAMO", "GradVac", "IMTLL", "PCD", "PCGrad", "Random", "UW")
CASES = {
    "adam": {},
    "dropout and schedule": {
        "second": node("MLP", hidden=[8], dropout=0.3),
        "schedule": node("warmup", share=0.2),
    },
    "buffers": {"second": node("Normalised")},
    "noise control": {"first": node("Noise", output=[2, 3])},
    "zero control": {"second": node("Zero")},
    "momentum and clip": {
        "optimizer": node("SGD", lr=1e-3, momentum=0.9, nesterov=True),
        "clip": 0.5,
    },
    "weight decay": {"optimizer": node("AdamW", lr=1e-2, weight_decay=0.1, amsgrad=True)},
    "root mean square": {
        "optimizer": node("RMSprop", lr=1e-3, momentum=0.5, centered=True),
        "schedule": node("cosine"),
    },
    "patience": {"optimizer": node("Adam", lr=0.5), "patience": 1, "epochs": 4},
    "sampled and augmented": {
        "first": node("TauMLP", features=[4], hidden=[4]),
        "sampling": node("oversample", by="binary"),
        "augment": [node("shift"), node("drop_tracks")],
    },
    "end to end": {"intermediate": False},
    **{f"combined by {key}": {"aggregate": node(key)} for key in ("mgda", "gradnorm")},
    "combined by the features": {"aggregate": node("mgda", features=True), "second": node("Normalised")},
    **{f"combined by {key}": {"aggregate": node(key), "epochs": 3, "pretrain": False} for key in BORROWED},
    "combined by FAMO, with running numbers and dropout": {
        "aggregate": node("FAMO"),
        "second": node("Normalised"),
    },
}


def _training(pipeline, table):
    return Training(pipeline, table, table.split(Folds()), seed=3)


def _outcome(training):
    rows = [(r.stage, r.epoch, r.step, r.train_loss, r.valid_loss) for r in training.position.history]
    tensors = [*training.graph.named_parameters(), *training.graph.named_buffers()]
    return rows, {name: value.detach().clone() for name, value in tensors}


def _states_of_a_whole_run(training):
    states = []

    def keep(now):
        tensors = {name: value.clone() for name, value in now.tensors().items()}
        states.append((now.position.dumps(), tensors))

    keep(training)
    training.run(on_step=keep, on_epoch=keep)
    keep(training)
    return states


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setitem(registry._registered, "Normalised", Normalised)


@pytest.mark.parametrize("case", CASES)
def test_from_every_step_and_every_epoch(case, pipeline_of, table):
    if case.removeprefix("combined by ").startswith(BORROWED):
        pytest.importorskip("torchjd")
    chain = pipeline_of(**SMALL | CASES[case])
    whole = _training(chain, table)
    states = _states_of_a_whole_run(whole)
    rows, tensors = _outcome(whole)
    assert len(states) >= 10
    for place, stored in states:
        again = _training(chain, table)
        again.restore(Position.loads(place), stored)
        again.run()
        found_rows, found = _outcome(again)
        assert found_rows == rows
        assert all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_the_best_epoch_comes_back_with_its_buffers(pipeline_of, table):
    chain = pipeline_of(
        second=node("Normalised"),
        pretrain=False,
        epochs=30,
        patience=2,
        optimizer=node("Adam", lr=0.3),
    )
    training = _training(chain, table)
    kept = []
    training.run(on_epoch=lambda now: kept.append({k: v.clone() for k, v in now.graph.state_dict().items()}))
    best = min(training.position.history, key=lambda row: row.valid_loss).epoch
    assert best < len(kept)
    now = training.graph.state_dict()
    assert now["models.classify.layers.1.num_batches_tracked"].dtype == torch.int64
    assert all(torch.equal(now[name], kept[best - 1][name]) for name in now)
    net = training.graph.models["classify"]
    assert net.seen == best * len(training.split.train)


def test_a_restored_training_leaves_the_stored_tensors_alone(pipeline_of, table):
    training = _training(pipeline_of(**SMALL), table)
    states = _states_of_a_whole_run(training)
    place, stored = states[5]
    before = {name: value.clone() for name, value in stored.items()}
    again = _training(pipeline_of(**SMALL), table)
    again.restore(Position.loads(place), stored)
    again.run()
    assert all(torch.equal(before[name], stored[name]) for name in stored)
