"""Devices without a GPU: what is chosen, and that a training on another device than the CPU makes nothing on the CPU.

The other device is ``meta``: its tensors have shapes and no numbers, so steps can be made and results cannot be read.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tsunagu.data import Table
from tsunagu.errors import SpecError
from tsunagu.spec import Folds, architectures, choice, node, resolve
from tsunagu.train import (
    Evaluation,
    Population,
    Position,
    Training,
    choose_device,
    evaluation,
    stacked,
    training,
)

MOVES = {"_to_copy", "copy_", "_copy_from"}


class _OneDevice(TorchDispatchMode):
    """Fails where an operation meets tensors of two devices; ``moves`` counts what is copied from one to the other."""

    def __init__(self):
        super().__init__()
        self.moves = 0

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name = operation.overloadpacket.__name__
        found = {
            value.device.type for value in tree_leaves((args, kwargs)) if isinstance(value, torch.Tensor)
        }
        if name in MOVES:
            self.moves += len(found) > 1 or (found == {"cpu"} and str((kwargs or {}).get("device")) == "meta")
        else:
            assert len(found) <= 1, f"{name} of {found}"
        return operation(*args, **kwargs or {})


@pytest.fixture
def gpus(monkeypatch):
    def have(count):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return have


@pytest.mark.parametrize(
    ("asked", "count", "place", "chosen"),
    [
        ("auto", 0, None, "cpu"),
        ("auto", 2, None, "cuda:0"),
        ("cpu", 2, None, "cpu"),
        ("cuda", 1, None, "cuda:0"),
        ("cuda:1", 2, None, "cuda:1"),
        ("auto", 0, 1, "cpu"),
        ("auto", 2, 1, "cuda:1"),
        ("cuda", 2, 0, "cuda:0"),
    ],
)
def test_a_word_means_a_device(gpus, asked, count, place, chosen):
    gpus(count)
    assert choose_device(asked, place=place) == torch.device(chosen)


@pytest.mark.parametrize(
    ("asked", "count", "place", "problem"),
    [
        ("cuda", 0, None, r"device: cuda was asked for, but torch .* expected cpu or auto"),
        ("cuda:2", 2, None, "cuda:2 was asked for, but torch finds 2 GPUs; expected a number from 0 to 1"),
        ("auto", 1, 1, "process 1 of this machine has no GPU: torch finds 1 GPU; start no more"),
        (
            "cuda:0",
            2,
            1,
            "each process of torchrun takes a GPU of its own; expected cuda or auto, found cuda:0",
        ),
    ],
)
def test_a_gpu_that_is_not_there_is_a_mistake(gpus, asked, count, place, problem):
    gpus(count)
    with pytest.raises(SpecError, match=problem):
        choose_device(asked, place=place)


@pytest.fixture
def blind(monkeypatch):
    """What needs numbers is left out: the evaluation after an epoch, and the probe of stacked modules."""
    monkeypatch.setattr(training, "evaluate", lambda *_: Evaluation(loss=1.0, metric=math.nan))
    monkeypatch.setattr(stacked.backends, "_alike", lambda *_: True)
    monkeypatch.setattr(Training, "_check_finite", lambda *_: None)
    monkeypatch.setattr(torch.Tensor, "__float__", lambda _: 1.0)
    monkeypatch.setattr(torch, "equal", lambda *_: True)


FIRST = choice(mlp=node("TauMLP", features=[4], hidden=[4], dropout=0.1), noise=node("Noise", output=[2, 3]))
SECOND = choice(
    lstm=node("LSTM", hidden=[4, 2], dropout=0.1),
    norm=[
        node("Flatten"),
        node("Linear", 6, 4),
        node("BatchNorm1d", 4),
        node("Linear", 4, 1),
        node("Flatten", 0),
    ],
    zero=node("Zero"),
)
# No fused kernel knows the device without numbers.
PLAIN = node("Adam", lr=1e-3, fused=False)


@pytest.mark.parametrize("seeds", [(1,), (1, 2)])
@pytest.mark.parametrize("room", [None, 0], ids=["resident", "moved batch by batch"])
def test_the_steps_stay_on_the_device(blind, table: Table, pipeline_of, seeds, room):
    settings = {"epochs": 1, "batch_size": 64, "clip": 1.0, "optimizer": PLAIN}
    grid = pipeline_of(first=FIRST, second=SECOND, **settings)
    pipelines = [resolve(grid, architecture) for architecture in architectures(grid)]
    there, split = table.to("meta", room=room), table.split(Folds())
    assert there.is_resident == (room is None)
    groups = [pipelines] if len(seeds) > 1 else [[pipeline] for pipeline in pipelines]
    for group in groups:
        members = [Training(pipeline, there, split, seed=seed) for pipeline in group for seed in seeds]
        with _OneDevice():
            Population(members).run()
        # An optimiser that is not fused counts its steps on the CPU.
        tensors = [t for m in members for name, t in m.tensors().items() if not name.endswith(".step")]
        assert {value.device.type for value in tensors if value.numel()} == {"meta"}
        assert all(p.device.type == "meta" for m in members for p in m.graph.parameters())


def test_a_resident_table_is_moved_once_an_epoch(blind, table, pipeline_of):
    pipeline = pipeline_of(pretrain=False, epochs=1, batch_size=16, optimizer=PLAIN)
    counts = {}
    for room in (None, 0):
        member = Training(pipeline, table.to("meta", room=room), table.split(Folds()), seed=1)
        with _OneDevice() as mode:
            Population([member]).run()
        counts[room] = mode.moves
    assert counts[None] == 1
    assert counts[0] >= member.steps_per_epoch * 4


def test_the_rule_of_devices_finds(table):
    rows = torch.tensor([1, 2])
    with _OneDevice(), pytest.raises(AssertionError, match="index_select"):
        table.to("meta").columns["jet_p4"].index_select(0, rows)


def test_order_and_masks_are_those_of_the_cpu(table):
    there, rows = table.to("meta"), table.split(Folds()).train
    assert there.fingerprint == table.fingerprint
    assert there.to("meta") is there
    streamed = table.to("meta", room=0)
    pairs = [t.batches(rows, 32, 1, 0) for t in (table, streamed)]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(*pairs, strict=True))
    assert all(batch.device.type == "meta" for batch in there.batches(rows, 32, 1, 0))
    assert there.weight.device.type == there.event_number.device.type == "cpu"


def test_an_evaluation_stays_on_the_device(blind, table, pipeline_of, monkeypatch):
    monkeypatch.setattr(evaluation, "_on_cpu", lambda tensors: tensors)
    monkeypatch.setattr(evaluation, "measure", lambda *_: [math.nan])
    rows = table.split(Folds()).validation
    for room in (None, 0):
        member = Training(pipeline_of(), table.to("meta", room=room), table.split(Folds()), seed=1)
        with _OneDevice():
            found = evaluation.evaluate(member.graph, member.stages[-1], member._metric, member.table, rows)
            made = evaluation.predict(member.graph, member.table, rows)
        assert found.loss == 1.0
        assert made["score"].device.type == "meta"


@pytest.mark.parametrize("key", ["Adam", "SGD", "RMSprop"])
def test_a_training_goes_on_on_another_device(blind, table, pipeline_of, key):
    fused = {"fused": False} if key in ("Adam", "SGD") else {}
    slow = {"momentum": 0.9} if key in ("SGD", "RMSprop") else {}
    pipeline = pipeline_of(pretrain=False, epochs=1, optimizer=node(key, lr=1e-3, **fused, **slow))
    here, there = (Training(pipeline, t, table.split(Folds()), seed=1) for t in (table, table.to("meta")))
    states = []

    def keep():
        states.append((here.position.dumps(), {n: v.clone() for n, v in here.tensors().items()}))

    Population([here]).run(keep)
    place, tensors = states[1]
    assert any(name.startswith("optimizer.") for name in tensors)
    there.restore(Position.loads(place), tensors)
    with _OneDevice():
        Population([there]).run()
    assert there.done
