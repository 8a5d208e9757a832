"""A stage that is the same training for several members is trained once, and all have what it came to."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from tsunagu.spec import Folds, architectures, choice, node, resolve
from tsunagu.train import Finished, Population, Position, Stages, Training, stage_key

FIRST = choice(mlp=node("TauMLP", features=[4], hidden=[4]), scale=node("ScaleFactor"), cnn=node("TauCNN"))
SECOND = choice(
    lstm=node("LSTM", hidden=[4, 2]),
    mlp=node("MLP", hidden=[8], dropout=0.1),
    mass=node("MassMLP", hidden=[4]),
)


@pytest.fixture(scope="module")
def split(table):
    return table.split(Folds())


def _grid(pipeline_of, **changes):
    settings = {"epochs": 1, "pretrain_epochs": 3, "batch_size": 64, "patience": 1} | changes
    grid = pipeline_of(first=FIRST, second=SECOND, **settings)
    return [resolve(grid, architecture) for architecture in architectures(grid)]


def _members(pipelines, table, split, seeds=(1,)):
    return [Training(pipeline, table, split, seed=seed) for seed in seeds for pipeline in pipelines]


def _run(members, **options):
    """The epochs that were trained, by stage and member."""
    epochs = Counter()

    def look(member):
        epochs[member.position.history[-1].stage, members.index(member)] += 1

    population = Population(members)
    population.run(on_epoch=look, **options)
    return population, Counter(stage for stage, _ in epochs)


def _lines(training):
    return [(line.stage, line.epoch, line.step) for line in training.position.history]


def _losses(training):
    return [loss for line in training.position.history for loss in (line.train_loss, line.valid_loss)]


class Kept(Stages):
    """Finished stages in memory."""

    def __init__(self):
        self.stages = {}

    def find(self, training):
        return self.stages.get(training.stage_key)

    def keep(self, trainings):
        self.stages |= {
            training.stage_key: Finished(
                weights={name: value.clone() for name, value in training.finished().weights.items()},
                history=training.finished().history,
            )
            for training in trainings
        }


def test_a_grid_pretrains_each_candidate_once_a_seed_and_ends_as_alone(pipeline_of, table, split):
    pipelines = _grid(pipeline_of)
    members = _members(pipelines, table, split, seeds=(1, 2))
    _, trained = _run(members)
    assert trained == {"pretrain calibrate": 6, "pretrain classify": 6, "joint": 18}
    alone = _members(pipelines, table, split, seeds=(1, 2))
    for ours, theirs in zip(members, alone, strict=True):
        theirs.run()
        assert _lines(ours) == _lines(theirs)
        assert _losses(ours) == pytest.approx(_losses(theirs), rel=1e-5)
    for first in (0, 9):
        finals = [
            [t.position.history[-1].valid_loss for t in group[first : first + 9]]
            for group in (members, alone)
        ]
        assert finals[0].index(min(finals[0])) == finals[1].index(min(finals[1]))


def test_those_who_share_have_the_same_weights_to_the_bit(pipeline_of, table, split):
    members = _members(_grid(pipeline_of, epochs=0), table, split)
    _run(members)
    for first, other in ((0, 1), (0, 2), (3, 5)):  # of one candidate for the first task
        ours, theirs = (members[n].graph.models["calibrate"].state_dict() for n in (first, other))
        assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"epochs": 9}, [True, True, False]),
        ({"pretrain_epochs": 9}, [False, False, False]),
        ({"patience": 9}, [False, False, False]),
        ({"optimizer": node("Adam", lr=0.5)}, [False, False, False]),
        ({"schedule": node("cosine")}, [False, False, False]),
        ({"clip": 1.0}, [False, False, False]),
        ({"batch_size": 16}, [False, False, False]),
        ({"checkpoint_seconds": 1.0}, [True, True, True]),
        ({"second": node("LSTM")}, [True, False, False]),
        ({"first": node("TauCNN")}, [False, True, False]),
        ({"joint": False}, [True, True, False]),
        ({"scalarise": node("linear")}, [True, True, True]),
        ({"scalarise": node("stch")}, [False, False, False]),
    ],
)
def test_a_stage_is_named_by_all_that_it_depends_on(pipeline_of, change, same):
    one, other = pipeline_of(pretrain_epochs=1), pipeline_of(**{"pretrain_epochs": 1} | change)
    assert [stage_key(one, 1, n) == stage_key(other, 1, n) for n in range(3)] == same
    assert not any(stage_key(one, 1, n) == stage_key(one, 2, n) for n in range(3))


def test_an_aggregator_is_part_of_the_stages_that_it_acts_in(pipeline_of):
    one, other = pipeline_of(), pipeline_of(aggregate=node("mgda"))
    same = [stage_key(one, 1, number) == stage_key(other, 1, number) for number in range(3)]
    assert same == [True, True, False]


def test_the_history_is_of_one_metric(pipeline_of):
    one = pipeline_of()
    other = one.model_copy(update={"metric": "accuracy(score, is_higgs)"})
    assert not any(stage_key(one, 1, n) == stage_key(other, 1, n) for n in range(3))


def test_a_loss_counts_with_its_weight_where_it_is_trained_on(pipeline_of):
    one = pipeline_of()
    heavy = one.tasks["calibrate"].loss.model_copy(update={"weight": 2.0})
    tasks = one.tasks | {"calibrate": one.tasks["calibrate"].model_copy(update={"loss": heavy})}
    other = one.model_copy(update={"tasks": tasks})
    assert [stage_key(one, 1, n) == stage_key(other, 1, n) for n in range(3)] == [False, True, False]


def test_it_goes_on_from_any_step_of_a_shared_stage_and_ends_in_the_same_bytes(pipeline_of, table, split):
    pipelines, states = _grid(pipeline_of, batch_size=48)[:4], []
    members = _members(pipelines, table, split)

    def keep():
        states.append([(m.position.dumps(), {n: v.clone() for n, v in m.tensors().items()}) for m in members])

    _run(members, on_step=keep)
    for state in states:
        again = _members(pipelines, table, split)
        for member, (place, tensors) in zip(again, state, strict=True):
            member.restore(Position.loads(place), tensors)
        Population(again).run()
        for member, expected in zip(again, members, strict=True):
            assert _losses(member) == _losses(expected)
            end = expected.graph.state_dict()
            assert all(torch.equal(value, end[name]) for name, value in member.graph.state_dict().items())


def test_who_waits_for_one_that_fails_fails_with_it(pipeline_of, table, split):
    rates, seconds = (1e30, 1e30, 1e-4), (node("MassMLP"), node("LSTM"), node("LSTM"))
    pipelines = [
        pipeline_of(node("TauMLP"), second, optimizer=node("SGD", lr=rate))
        for rate, second in zip(rates, seconds, strict=True)
    ]
    population, _ = _run(_members(pipelines, table, split))
    assert list(population.failures) == [0, 1]
    assert population.failures[0] is population.failures[1]
    assert "pretrain calibrate, epoch 1: the loss is not a number" in str(population.failures[1])
    assert population.members[2].done


def test_what_was_kept_is_not_trained_again_and_what_does_not_fit_is(pipeline_of, table, split):
    kept, pipelines = Kept(), _grid(pipeline_of)
    _run(_members(pipelines[:2], table, split), stages=kept)
    members = _members(pipelines[:3], table, split)
    _, trained = _run(members, stages=kept)
    assert trained == {"pretrain classify": 1, "joint": 1}
    together = _members(pipelines[:3], table, split)
    _run(together)
    for ours, theirs in zip(members, together, strict=True):
        assert _lines(ours) == _lines(theirs)
        assert _losses(ours) == pytest.approx(_losses(theirs), rel=1e-5)
    kept.stages = {name: Finished(weights={}, history=stage.history) for name, stage in kept.stages.items()}
    _, trained = _run(_members(pipelines[:3], table, split), stages=kept)
    assert trained == {"pretrain calibrate": 1, "pretrain classify": 3, "joint": 3}
