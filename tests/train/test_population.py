"""Trainings in step with each other end as they would alone."""

from __future__ import annotations

import math

import pytest
import torch

from tsunagu.errors import TsunaguError
from tsunagu.spec import Folds, architectures, choice, node, resolve
from tsunagu.train import Population, Position, Training, probe

FIRST = choice(
    mlp=node("TauMLP", features=[4], hidden=[4]), scale=node("ScaleFactor"), zero=node("Zero", output=[2, 3])
)
SECOND = choice(
    lstm=node("LSTM", hidden=[4, 2]),
    mlp=node("MLP", hidden=[8], dropout=0.1),
    mass=node("MassMLP", hidden=[4]),
)


@pytest.fixture(scope="module")
def split(table):
    return table.split(Folds())


def _train(pipelines, table, split, seeds, **watch):
    members = [Training(p, table, split, seed=s) for p, s in zip(pipelines, seeds, strict=True)]
    population = Population(members)
    population.run(**watch)
    return population


def _assert_alike(ours, theirs, tolerance):
    for row, other in zip(ours.position.history, theirs.position.history, strict=True):
        assert (row.stage, row.epoch, row.step) == (other.stage, other.epoch, other.step)
        assert row.train_loss == pytest.approx(other.train_loss, rel=tolerance, abs=tolerance)
        assert row.valid_loss == pytest.approx(other.valid_loss, rel=tolerance, abs=tolerance)
    expected = theirs.graph.state_dict()
    for name, value in ours.graph.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=tolerance, atol=tolerance)


def test_a_grid_with_two_seeds_ends_as_its_members_alone(pipeline_of, table, split):
    grid = pipeline_of(first=FIRST, second=SECOND, epochs=2, pretrain_epochs=1, batch_size=64, patience=1)
    pipelines = [resolve(grid, architecture) for architecture in architectures(grid)] * 2
    seeds = [1] * 9 + [2] * 9
    together = _train(pipelines, table, split, seeds).members
    alone = [Training(p, table, split, seed=s) for p, s in zip(pipelines, seeds, strict=True)]
    for training in alone:
        training.run()
    for ours, theirs in zip(together, alone, strict=True):
        _assert_alike(ours, theirs, 2e-4)
    for first in (0, 9):
        metrics = [
            [t.position.history[-1].valid_loss for t in group[first : first + 9]]
            for group in (together, alone)
        ]
        assert metrics[0].index(min(metrics[0])) == metrics[1].index(min(metrics[1]))


def test_members_may_read_other_columns_than_the_first(pipeline_of, table, split):
    pipelines = [
        pipeline_of(first=node(key), epochs=1, pretrain_epochs=1, batch_size=64)
        for key in ("ScaleFactor", "TauCNN")
    ]
    together = _train(pipelines, table, split, [1, 1]).members
    for ours, pipeline in zip(together, pipelines, strict=True):
        alone = Training(pipeline, table, split, seed=1)
        alone.run()
        _assert_alike(ours, alone, 2e-4)


def test_a_probe_tells_how_each_model_is_run(pipeline_of, table, split):
    pipelines = [pipeline_of(first=node(key), epochs=1) for key in ("ScaleFactor", "TauCNN")]
    members = [Training(p, table, split, seed=s) for p in pipelines for s in (1, 2)]
    assert probe(members) == {
        "calibrate": ("vmap", "vmap", "loop", "loop"),
        "classify": ("batched", "batched", "batched", "batched"),
    }
    assert probe(members[:1]) == {"calibrate": ("alone",), "classify": ("alone",)}


def test_a_probe_says_which_stage_fails(pipeline_of, table, split, monkeypatch):
    members = [Training(pipeline_of(pretrain=False), table, split, seed=s) for s in (1, 2)]

    def broken(*_):
        raise ValueError("no jets")

    monkeypatch.setattr(type(members[0].graph.models["classify"]), "forward", broken)
    with pytest.raises(TsunaguError, match="joint: a batch of 32 events fails: no jets"):
        probe(members)


def test_members_have_their_own_rates_losses_and_clipping(pipeline_of, table, split):
    pipelines = [
        pipeline_of(optimizer=node("Adam", lr=1e-3)),
        pipeline_of(optimizer=node("Adam", lr=1e-2), clip=0.01),
        pipeline_of(optimizer=node("SGD", lr=1e-3, momentum=0.9), schedule=node("cosine")),
        pipeline_of(optimizer=node("AdamW", lr=1e-3, weight_decay=0.1)),
    ]
    heavy = pipelines[0].tasks["calibrate"].loss.model_copy(update={"weight": 2.0})
    tasks = {**pipelines[0].tasks}
    tasks["calibrate"] = tasks["calibrate"].model_copy(update={"loss": heavy})
    pipelines.append(pipelines[0].model_copy(update={"tasks": tasks}))
    together = _train(pipelines, table, split, [1] * 5).members
    for pipeline, ours in zip(pipelines, together, strict=True):
        theirs = Training(pipeline, table, split, seed=1)
        theirs.run()
        _assert_alike(ours, theirs, 1e-4)


def test_members_stop_early_by_themselves(pipeline_of, table, split):
    calm = pipeline_of(optimizer=node("Adam", lr=1e-3), epochs=6, patience=1, pretrain=False)
    wild = pipeline_of(optimizer=node("Adam", lr=0.05), epochs=6, patience=1, pretrain=False)
    together = _train([calm, wild, calm], table, split, [1, 1, 2]).members
    lengths = [len(member.position.history) for member in together]
    for pipeline, seed, ours in zip([calm, wild, calm], [1, 1, 2], together, strict=True):
        theirs = Training(pipeline, table, split, seed=seed)
        theirs.run()
        _assert_alike(ours, theirs, 1e-3)
    assert len(set(lengths)) > 1


def test_one_that_diverges_leaves_the_others(pipeline_of, table, split):
    calm, wild = (pipeline_of(optimizer=node("SGD", lr=rate)) for rate in (1e-4, 1e30))
    population = _train([calm, wild, calm], table, split, [1, 1, 2])
    assert list(population.failures) == [1]
    assert "not a number" in str(population.failures[1])
    assert [member.done for member in population.members] == [True, False, True]
    with pytest.raises(TsunaguError, match="not a number"):
        Training(wild, table, split, seed=1).run()


def test_a_population_goes_on_from_any_epoch_and_ends_in_the_same_bytes(pipeline_of, table, split):
    grid = pipeline_of(first=FIRST, second=SECOND, epochs=2, pretrain_epochs=1, batch_size=64)
    pipelines = [resolve(grid, architecture) for architecture in architectures(grid)]
    members = [Training(pipeline, table, split, seed=1) for pipeline in pipelines]
    states = []

    def keep():
        if len(states) % 2 == 0 or members[0].position.step == 2:
            states.append(
                [(m.position.dumps(), {n: v.clone() for n, v in m.tensors().items()}) for m in members]
            )
        else:
            states.append(None)

    Population(members).run(on_step=keep)
    end = [{n: v.clone() for n, v in m.graph.state_dict().items()} for m in members]
    for state in [each for each in states if each is not None][::4]:
        again = [Training(pipeline, table, split, seed=1) for pipeline in pipelines]
        for member, (place, tensors) in zip(again, state, strict=True):
            member.restore(Position.loads(place), tensors)
        Population(again).run()
        for member, expected in zip(again, end, strict=True):
            assert all(
                torch.equal(value, expected[name]) for name, value in member.graph.state_dict().items()
            )


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"batch_size": 16}, "different batch sizes"),
        ({"epochs": 7}, "different numbers of epochs"),
        ({"pretrain": False}, "different tasks or losses"),
    ],
)
def test_what_cannot_go_in_step_is_refused(pipeline_of, table, split, change, problem):
    members = [Training(p, table, split, seed=1) for p in (pipeline_of(), pipeline_of(**change))]
    with pytest.raises(ValueError, match=problem):
        Population(members)


def test_members_at_different_places_are_refused(pipeline_of, table, split):
    members = [Training(pipeline_of(), table, split, seed=seed) for seed in (1, 2)]
    members[0].position.epoch = 1
    with pytest.raises(ValueError, match="different places"):
        Population(members)


def test_the_steps_are_told_once_and_the_epochs_by_member(pipeline_of, table, split):
    steps, epochs = [], []
    population = _train(
        [pipeline_of(epochs=2, pretrain=False)] * 2,
        table,
        split,
        [1, 2],
        on_step=lambda: steps.append(1),
        on_epoch=lambda member: epochs.append(member.seed),
    )
    assert len(steps) == 2 * math.ceil(len(split.train) / 32)
    assert epochs == [1, 2, 1, 2]
    assert all(member.done for member in population.members)
