from __future__ import annotations

import math

import pytest
import torch

from tsunagu.errors import ResumeError, TsunaguError
from tsunagu.spec import Folds, node
from tsunagu.train import Position, Training


class Stop(Exception):
    pass


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


@pytest.mark.parametrize("after", [1, 4, 9, 17, 23, 31])
def test_a_training_that_stops_after_any_step_goes_on_to_the_same_bytes(noisy, table, after):
    whole = _training(noisy, table)
    whole.run()
    first = _training(noisy, table)
    steps = iter(range(1, 10_000))

    def stop(_):
        if next(steps) == after:
            raise Stop

    with pytest.raises(Stop):
        first.run(on_step=stop)
    tensors = {name: value.clone() for name, value in first.tensors().items()}
    second = _training(noisy, table)
    second.restore(Position.loads(first.position.dumps()), tensors)
    second.run()
    assert _same(_weights(whole), _weights(second))
    kept = [(row.stage, row.epoch, row.train_loss, row.valid_loss) for row in second.position.history]
    assert kept == [(row.stage, row.epoch, row.train_loss, row.valid_loss) for row in whole.position.history]


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
    from tsunagu.metrics import parse_metric
    from tsunagu.train import evaluate

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


@pytest.mark.parametrize("key", ["SGD", "RMSprop", "AdamW"])
def test_other_optimisers_resume_too(pipeline_of, table, key):
    chain = pipeline_of(optimizer=node(key, lr=1e-3), pretrain=False)
    whole = _training(chain, table)
    whole.run()
    first = _training(chain, table)

    def stop(now):
        if (now.position.epoch, now.position.step) == (1, 2):
            raise Stop

    with pytest.raises(Stop):
        first.run(on_step=stop)
    second = _training(chain, table)
    second.restore(Position.loads(first.position.dumps()), first.tensors())
    second.run()
    assert _same(_weights(whole), _weights(second))
