from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import nn

from tsunagu.errors import ResumeError, SpecError, TsunaguError
from tsunagu.layers import registry
from tsunagu.metrics import parse_metric
from tsunagu.spec import Folds, node
from tsunagu.train import Training, evaluate


def _training(pipeline, table, seed=1):
    return Training(pipeline, table, table.split(Folds()), seed=seed)


def _weights(training):
    return {name: value.clone() for name, value in training.graph.state_dict().items()}


def _same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def noisy(pipeline_of):
    """A chain with every source of randomness: order, dropout, a noise candidate's neighbour, a schedule."""
    second = node("MLP", hidden=[8], dropout=0.3)
    return pipeline_of(
        second=second, schedule=node("cosine"), epochs=3, optimizer=node("Adam", lr=1e-2), clip=1.0
    )


def test_the_loss_falls_and_every_epoch_is_in_the_history(pipeline_of, table):
    training = _training(pipeline_of(epochs=6, optimizer=node("Adam", lr=1e-2)), table)
    training.run()
    rows = training.position.history
    assert [row.stage for row in rows] == ["pretrain calibrate"] * 6 + ["pretrain classify"] * 6 + [
        "joint"
    ] * 6
    assert rows[5].valid_loss < rows[0].valid_loss
    assert math.isnan(rows[0].metric)
    assert 0.0 <= rows[-1].metric <= 1.0
    assert training.done


def test_the_same_seed_gives_the_same_weights_and_another_does_not(noisy, table):
    runs = [_training(noisy, table, seed) for seed in (1, 1, 2)]
    for training in runs:
        training.run()
    assert _same(_weights(runs[0]), _weights(runs[1]))
    assert not _same(_weights(runs[0]), _weights(runs[2]))


def test_the_global_generator_is_not_touched(noisy, table):
    before = torch.random.default_generator.get_state()
    _training(noisy, table).run()
    assert torch.equal(before, torch.random.default_generator.get_state())


def test_the_best_weights_are_restored_when_patience_ends(pipeline_of, table):
    training = _training(
        pipeline_of(pretrain=False, epochs=40, patience=2, optimizer=node("Adam", lr=0.5)), table
    )
    training.run()
    rows = training.position.history
    best = min(rows, key=lambda row: row.valid_loss)
    assert len(rows) == best.epoch + 2 < 40
    metric = parse_metric(training.pipeline.metric)
    now = evaluate(training.graph, training.stages[0], metric, table, training.split.validation)
    assert now.loss == best.valid_loss


def test_pretraining_one_task_leaves_the_others_alone(pipeline_of, table):
    training = _training(pipeline_of(epochs=0, pretrain_epochs=2), table)
    start = _weights(training)
    seen = []

    def look(now):
        if now.stage.name == "pretrain calibrate":
            seen.append(all(torch.equal(v, start[k]) for k, v in _weights(now).items() if "classify" in k))

    training.run(on_epoch=look)
    assert seen == [True, True]


def test_a_control_without_parameters_has_nothing_to_learn(pipeline_of, table):
    training = _training(pipeline_of(first=node("Zero", output=[2, 3])), table)
    training.run()
    assert {row.stage for row in training.position.history} == {"pretrain classify", "joint"}
    assert training.parameters["calibrate"] == 0


def test_a_noise_control_predicts_the_same_twice(pipeline_of, table):
    training = _training(pipeline_of(second=node("Noise", output=[])), table)
    rows = training.split.test
    assert torch.equal(training.predictions(rows)["score"], training.predictions(rows)["score"])


def test_predictions_keep_the_order_of_the_rows(pipeline_of, table):
    training = _training(pipeline_of(), table)
    rows = training.split.test
    backwards = training.predictions(rows.flip(0))["score"]
    assert torch.allclose(training.predictions(rows)["score"], backwards.flip(0), atol=1e-6)


def test_a_loss_that_is_not_a_number_stops_with_the_place_and_a_remedy(pipeline_of, table):
    training = _training(pipeline_of(optimizer=node("SGD", lr=1e30), epochs=5), table)
    with pytest.raises(TsunaguError, match=r"pretrain \w+, epoch \d: the loss is not a number"):
        training.run()


def test_the_state_of_another_pipeline_is_refused(pipeline_of, table):
    other = _training(pipeline_of(second=node("MLP", hidden=[3])), table)
    with pytest.raises(ResumeError, match="not those of this pipeline"):
        _training(pipeline_of(), table).restore(other.position, other.tensors())


class TwoDtypes(nn.Module):
    """A user's network with one layer in double precision."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 2), nn.Linear(2, 1).double()

    def forward(self, x):
        return self.second(self.first(x.flatten(1)).double()).squeeze(-1)


def test_weights_that_cannot_be_trained_are_found_before_the_training(pipeline_of, table, monkeypatch):
    monkeypatch.setitem(registry._registered, "TwoDtypes", TwoDtypes)
    with pytest.raises(SpecError, match=r"tasks.classify.model: weights of float32 and float64 cannot be"):
        _training(pipeline_of(second=node("TwoDtypes")), table)
    lazy = [node("Flatten"), node("LazyLinear", 1)]
    with pytest.raises(SpecError, match=r"tasks.classify.model: 1.weight, 1.bias: no shape until"):
        _training(pipeline_of(second=lazy), table)


class Draws(nn.Module):
    """A user's network with a functional dropout, whose masks no seed reaches."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 1)

    def forward(self, x):
        return nn.functional.dropout(self.layer(x.flatten(1)), 0.5, self.training).squeeze(-1)


class Caches(nn.Module):
    """A user's network that keeps what it made in its first forward pass, an evaluation perhaps."""

    def __init__(self):
        super().__init__()
        self.layer, self.scale = nn.Linear(6, 1), None

    def forward(self, x):
        if not self.training and self.scale is None:
            self.scale = torch.full((6,), 0.5) * 1.0
        scale = 1.0 if self.scale is None else self.scale
        return self.layer(x.flatten(1) * scale).squeeze(-1)


def test_a_model_that_draws_from_the_global_generator_is_refused(pipeline_of, table, monkeypatch):
    monkeypatch.setitem(registry._registered, "Draws", Draws)
    training = _training(pipeline_of(second=node("Draws")), table)
    before = torch.random.default_generator.get_state()
    with pytest.raises(TsunaguError, match="pretrain classify, epoch 1: a model draws from torch's global"):
        training.run()
    torch.random.default_generator.set_state(before)


def test_a_model_that_fails_on_the_short_batch_at_the_end_says_where(pipeline_of, table):
    normal = [node("Flatten"), node("BatchNorm1d", 6), node("Linear", 6, 1)]
    rest = len(table.split(Folds()).train) - 1
    training = _training(pipeline_of(second=normal, batch_size=rest), table)
    said = (
        r"pretrain classify, epoch 1: a batch of 1 events \(the rest at the end of an epoch\) fails: Expected"
    )
    with pytest.raises(TsunaguError, match=said):
        training.run()


def test_what_a_model_keeps_of_an_evaluation_is_of_use_in_training(pipeline_of, table, monkeypatch):
    monkeypatch.setitem(registry._registered, "Caches", Caches)
    training = _training(pipeline_of(second=node("Caches"), epochs=3), table)
    training.run()
    assert training.done


def test_the_validation_loss_is_the_weighted_mean_whatever_the_chunks(pipeline_of, table, monkeypatch):
    training = _training(pipeline_of(), table)
    stage, rows = training.stages[-1], training.split.validation
    metric = parse_metric("auc(score, is_higgs)")
    whole = evaluate(training.graph, stage, metric, table, rows)
    made = training.predictions(rows)
    batch = table.take(stage.targets, rows)
    by_hand = stage.loss(made, batch, table.train_weight[rows])
    assert whole.loss == pytest.approx(by_hand.item(), rel=1e-6)
    monkeypatch.setattr("tsunagu.train.evaluation.CHUNK", 7)
    parts = evaluate(training.graph, stage, metric, table, rows)
    assert parts.loss == pytest.approx(whole.loss, rel=1e-6)
    assert parts.metric == pytest.approx(whole.metric, abs=1e-6)


def test_signed_training_weights_neither_blow_up_nor_turn_round(pipeline_of, table):
    """One event of each batch outweighs the others negatively: the plain sum of weights is about 0 or below."""
    weight = torch.ones(len(table))
    weight[::2] = -1.0
    signed = dataclasses.replace(table, train_weight=weight)
    training = _training(pipeline_of(epochs=2, pretrain=False, optimizer=node("SGD", lr=1e-3)), signed)
    before = torch.cat([p.detach().flatten().clone() for p in training.graph.parameters()])
    training.run()
    after = torch.cat([p.detach().flatten() for p in training.graph.parameters()])
    assert (after - before).norm() < 0.1
