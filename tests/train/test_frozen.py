"""Tasks that are trained on the outputs of frozen ones."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tsunagu.data import Split
from tsunagu.layers import Dropout, registry
from tsunagu.spec import Folds, LossTerm, Task, node
from tsunagu.train import Population, Position, Training, probe
from tsunagu.train.frozen import freeze

AFTER = "classify after calibrate"


class Normalised(nn.Module):
    """A first task whose outputs and buffers would change if it were not in evaluation mode."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), Dropout(0.2), nn.Linear(8, 6))

    def forward(self, jet_p4):
        return self.layers(jet_p4.flatten(1)).view(-1, 2, 3)


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setitem(registry._registered, "Normalised", Normalised)


@pytest.fixture(scope="module")
def split(table):
    return table.split(Folds())


FIRSTS = [node("Normalised"), node("ScaleFactor"), node("Noise", output=[2, 3])]
SECOND = node("MLP", hidden=[8], dropout=0.1)


def _pipeline(pipeline_of, first=FIRSTS[0], second=SECOND, **changes):
    settings = {"joint": False, "epochs": 2, "pretrain_epochs": 1} | changes
    return pipeline_of(first=first, second=second, **settings)


def _training(pipeline, table, split, seed=1):
    return Training(pipeline, table, split, seed=seed)


def _weights(training, task):
    return {name: value.clone() for name, value in training.graph.models[task].state_dict().items()}


def _equal(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def _watched(training, look, **options):
    """Train, and look at every step of the stage after the frozen task."""

    def see(now):
        if now.stage.frozen:
            look(now)

    training.run(on_step=see, **options)


@pytest.mark.parametrize("first", FIRSTS, ids=lambda first: first.key)
def test_what_is_kept_is_what_the_frozen_task_makes(pipeline_of, table, split, first):
    training, found = _training(_pipeline(pipeline_of, first), table, split), []
    _watched(training, lambda now: found.append(now.member.frozen["tau_p4"].own.clone()))
    kept, fresh = found[0], training.predictions(split.validation)["tau_p4"]
    assert torch.equal(kept[split.validation], fresh)
    assert torch.equal(kept[split.train], training.predictions(split.train)["tau_p4"])
    # The test events are read once, at the end of a trial.
    assert kept[split.test].isnan().all()
    assert all(torch.equal(other.nan_to_num(), kept.nan_to_num()) for other in found)
    assert not training.member.frozen


@pytest.mark.parametrize("together", [False, True])
def test_a_frozen_task_stays_as_it_is_to_the_bit(pipeline_of, table, split, together):
    members = [
        _training(_pipeline(pipeline_of), table, split, seed) for seed in ((1, 2) if together else (1,))
    ]
    before, after = {}, {}

    def look():
        for number, member in enumerate(members):
            if not member.done and member.stage.frozen:
                before.setdefault(number, _weights(member, "calibrate"))
                after[number] = _weights(member, "classify")

    Population(members).run(on_step=look)
    for number, member in enumerate(members):
        assert _equal(before[number], _weights(member, "calibrate"))
        assert not _equal(after[number], _weights(_training(member.pipeline, table, split), "classify"))


def test_the_last_line_of_the_history_is_the_validation_of_the_whole_chain(pipeline_of, table, split):
    training = _training(_pipeline(pipeline_of, epochs=1), table, split)
    training.run()
    stages = [line.stage for line in training.position.history]
    assert stages == ["pretrain calibrate", "pretrain classify", AFTER]
    made = training.predictions(split.validation)
    weight = table.train_weight.index_select(0, split.validation).double()
    batch = table.take(["is_higgs"], split.validation)
    stage = training.stages[-1]
    loss = (weight * stage.event_loss(made, batch, weight)).sum() / weight.abs().sum()
    assert training.position.history[-1].valid_loss == pytest.approx(float(loss), rel=1e-12)


def test_together_they_end_as_alone_and_share_what_is_frozen(pipeline_of, table, split):
    seconds = (SECOND, node("LSTM", hidden=[4]))
    kinds = [(first, second, seed) for first in FIRSTS[:2] for second in seconds for seed in (1, 2)]
    pipelines = [_pipeline(pipeline_of, first, second, batch_size=32) for first, second, _ in kinds]
    members = [_training(p, table, split, kind[2]) for p, kind in zip(pipelines, kinds, strict=True)]
    stacks = {}

    def look():
        for member in members:
            stacks.update({id(output.stack): output.stack for output in member.member.frozen.values()})

    Population(members).run(on_step=look)
    (stack,) = stacks.values()
    assert stack.shape == (4, len(table), 2, 3)  # two candidates of two seeds, read by eight members
    for member, pipeline, (_, _, seed) in zip(members, pipelines, kinds, strict=True):
        alone = _training(pipeline, table, split, seed)
        alone.run()
        for ours, theirs in zip(member.position.history, alone.position.history, strict=True):
            assert (ours.stage, ours.epoch, ours.step) == (theirs.stage, theirs.epoch, theirs.step)
            assert ours.train_loss == pytest.approx(theirs.train_loss, rel=1e-5)
            assert ours.valid_loss == pytest.approx(theirs.valid_loss, rel=1e-5)


def test_five_steps_on_kept_outputs_are_those_on_fresh_ones(pipeline_of, table, split):
    """By hand: the frozen task runs on every batch, and its outputs are detached."""
    few = Split(train=split.train[:140], validation=split.validation, test=split.test)
    pipeline = _pipeline(
        pipeline_of, second=node("MLP", hidden=[8]), epochs=1, optimizer=node("SGD", lr=0.01), batch_size=32
    )
    training = _training(pipeline, table, few)
    rows, start = [], {}
    take = type(table).batches

    def batches(*args, **kwargs):
        for index in take(*args, **kwargs):
            if training.stage.frozen:
                start.setdefault("weights", _weights(training, "classify"))
                rows.append(index)
            yield index

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(table), "batches", batches)
        training.run()
    assert len(rows) == 5
    net = _training(pipeline, table, few).graph.models["classify"]
    net.load_state_dict(start["weights"])
    stage, frozen = training.stages[-1], training.graph.eval()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    for index in rows:
        batch = table.take(["jet_p4", "jet_image", "is_higgs"], index)
        momenta = frozen(batch, ["calibrate"])["tau_p4"].detach()
        loss = stage.loss({"score": net(momenta)}, batch, table.train_weight.index_select(0, index))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = training.graph.models["classify"].state_dict()
    for name, value in net.state_dict().items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-7)


def test_from_any_step_it_ends_in_the_same_bytes(pipeline_of, table, split):
    pipeline, states = _pipeline(pipeline_of, batch_size=64), []
    whole = _training(pipeline, table, split)
    _watched(
        whole,
        lambda now: states.append((now.position.dumps(), {n: v.clone() for n, v in now.tensors().items()})),
    )
    assert len(states) == 6
    for place, tensors in states:
        again = _training(pipeline, table, split)
        again.restore(Position.loads(place), tensors)
        again.run()
        assert _equal(again.graph.state_dict(), whole.graph.state_dict())


def test_each_task_is_trained_after_all_before_it(pipeline_of, table, split):
    chain = _pipeline(pipeline_of, FIRSTS[1])
    last = Task(
        inputs={"x": "score"},
        output="refined",
        model=node("tests.train.test_frozen:Refined"),
        loss=LossTerm(key="binary", target="is_higgs"),
    )
    training = _training(chain.model_copy(update={"tasks": chain.tasks | {"refine": last}}), table, split)
    training.run()
    assert [stage.name for stage in training.stages[3:]] == [AFTER, "refine after classify"]
    assert training.stages[-1].frozen == ("calibrate", "classify")
    # The metric reads an output of a frozen task, which is as the stage before left it.
    best = min(
        (line for line in training.position.history if line.stage == AFTER), key=lambda l: l.valid_loss
    )
    metrics = {line.metric for line in training.position.history if line.stage == "refine after classify"}
    assert metrics == {best.metric}


class Refined(nn.Module):
    """One number from another."""

    def __init__(self):
        super().__init__()
        self.line = nn.Linear(1, 1)

    def forward(self, x):
        return self.line(x.float().unsqueeze(-1)).squeeze(-1)


def test_a_probe_needs_no_training(pipeline_of, table, split):
    members = [_training(_pipeline(pipeline_of, FIRSTS[1]), table, split, seed) for seed in (1, 2)]
    assert probe(members)["classify"] == ("batched", "batched")


def test_a_stage_without_frozen_tasks_keeps_nothing(pipeline_of, table, split):
    training = _training(_pipeline(pipeline_of), table, split)
    freeze([training], 0, [split.train])
    assert not training.member.frozen
