"""Losses for unbalanced classes in trainings: alone and in step, interrupted, with a class that is absent."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from tsunagu.data import Split
from tsunagu.errors import DataError
from tsunagu.losses import ClassLoss, CountedLoss, find_loss, known_losses
from tsunagu.spec import Folds, LossTerm, Pipeline, Task, Train, node
from tsunagu.tasks import fit_stages, stages
from tsunagu.train import Population, Position, Training

KEYS = [key for key in known_losses() if issubclass(find_loss(key), ClassLoss)]
SINGLE = {"binary", "binary_focal"}


@pytest.fixture(scope="module")
def split(table):
    """One of 3 to 1, for which five steps are an epoch."""
    rows = table.split(Folds())
    label = table.columns["is_higgs"][rows.train]
    few = torch.cat([rows.train[label == 0][:60], rows.train[label == 1][:20]]).sort().values
    return Split(train=few, validation=rows.validation, test=rows.test)


def chain(key, epochs=1, **args):
    head = {"affinity": "Affinity", "ldam": "Cosine"}.get(key, "Linear")
    model = [node("MLP", hidden=[8], inputs=8, outputs=6, momenta=False, activation="Tanh")]
    model.append(node(head, 6, 1 if key in SINGLE else 2))
    loss = LossTerm(key=key, target="is_higgs", args=args)
    task = Task(inputs=["jet_p4"], output="logits", model=model, loss=loss)
    train = Train(epochs=epochs, batch_size=16, patience=None, optimizer=node("Adam", lr=1e-2))
    return Pipeline(tasks={"classify": task}, train=train, metric="accuracy(logits, is_higgs)")


def weights(training):
    return training.graph.state_dict()


@pytest.mark.parametrize("key", KEYS)
def test_members_of_a_population_end_as_they_do_alone(key, table, split):
    members = [Training(chain(key), table, split, seed=seed) for seed in (1, 2, 3)]
    Population(members).run()
    for member in members:
        alone = Training(chain(key), table, split, seed=member.seed)
        alone.run()
        ours, theirs = member.position.history[-1], alone.position.history[-1]
        assert (ours.step, ours.train_loss) == (5, pytest.approx(theirs.train_loss, rel=1e-5))
        assert ours.valid_loss == pytest.approx(theirs.valid_loss, rel=1e-5)
        for name, value in weights(member).items():
            torch.testing.assert_close(value, weights(alone)[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("key", ["ldam", "affinity"])
def test_a_training_goes_on_from_any_step_and_ends_in_the_same_bytes(key, table, split):
    states = []
    whole = Training(chain(key, 5, **({"deferred": 0.4} if key == "ldam" else {})), table, split, seed=1)
    whole.run(lambda t: states.append((t.position.dumps(), {n: v.clone() for n, v in t.tensors().items()})))
    for place, tensors in states[3::7]:
        again = Training(whole.pipeline, table, split, seed=1)
        again.restore(Position.loads(place), tensors)
        again.run()
        assert all(torch.equal(value, weights(whole)[name]) for name, value in weights(again).items())
        lines = [[(line.train_loss, line.valid_loss) for line in t.position.history] for t in (again, whole)]
        assert lines[0] == lines[1]


def test_deferred_weights_change_the_steps_when_they_come_and_validation_has_one_measure(table, split):
    histories = []
    for deferred in (0.4, 1.0):
        training = Training(chain("ldam", 5, deferred=deferred), table, split, seed=1)
        training.run()
        histories.append(training.position.history)
    pairs = list(zip(*histories, strict=True))
    assert [one.train_loss == other.train_loss for one, other in pairs] == [True, True, False, False, False]
    judged = [stages(chain("ldam", 5))[0].at(epoch).terms[0].loss.reweighted for epoch in (0, 3, 4, None)]
    assert judged == [False, False, True, True]


def test_the_training_events_alone_are_counted_and_equal_losses_share(table, split):
    for counts, size in (
        ("events", 60.0),
        ("weights", float(table.train_weight[split.train][_zeros(table, split)].sum())),
    ):
        one, other = (
            fit_stages(stages(chain("class_balanced", counts=counts)), table, split)[0].terms[0].loss
            for _ in "ab"
        )
        assert one is other
        assert isinstance(one, CountedLoss)
        assert one.sizes[0] == pytest.approx(size)


def test_an_absent_class_is_an_error_before_the_training(table, split):
    rows = split.train[table.columns["is_higgs"][split.train] == 0]
    only = dataclasses.replace(split, train=rows)
    with pytest.raises(
        DataError, match=r"column 'is_higgs': no training event of class 1 \(events by class: 0: 60, 1: 0\)"
    ):
        Training(chain("inverse_frequency"), table, only, seed=1)
    Training(chain("cross_entropy"), table, only, seed=1)


def _zeros(table, split):
    return table.columns["is_higgs"][split.train] == 0
