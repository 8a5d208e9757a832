"""What a training costs: members of a group bear what they take part in, and their sum is what the group costs."""

from __future__ import annotations

import time

import pytest

from tsunagu.spec import Folds, node
from tsunagu.train import Meter, Population, Position, Training


def _spend(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_only_a_share_is_borne_and_a_stopped_meter_stands():
    whole, half, none = Meter(), Meter(), Meter(5.0, 4.0)
    for meter, share in ((whole, 1.0), (half, 0.5), (none, 0.0)):
        meter.bear(share)
    _spend(0.05)
    for meter in (whole, half, none):
        meter.bear(0.0)
    assert whole.cpu_seconds >= 0.05
    assert half.cpu_seconds == pytest.approx(whole.cpu_seconds / 2, rel=0.2)
    assert (none.seconds, none.cpu_seconds) == (5.0, 4.0)
    stopped = whole.seconds
    _spend(0.01)
    assert whole.seconds == stopped


def test_what_was_spent_before_counts():
    meter = Meter(5.0, 4.0)
    meter.bear(1.0)
    _spend(0.01)
    assert meter.cpu_seconds >= 4.01
    assert meter.seconds >= 5.01


@pytest.mark.parametrize("number", [1, 4])
def test_the_members_of_a_group_cost_together_what_the_group_costs(number, pipeline_of, table):
    split = table.split(Folds())
    pipeline = pipeline_of(second=node("MLP", hidden=[16]), epochs=8, patience=None)
    members = [Training(pipeline, table, split, seed=seed) for seed in range(1, number + 1)]
    begun = time.process_time()
    Population(members).run()
    spent = time.process_time() - begun
    assert sum(member.meter.cpu_seconds for member in members) == pytest.approx(spent, rel=0.1)
    now = members[0].meter.cpu_seconds
    _spend(0.01)
    assert members[0].meter.cpu_seconds == now


def test_one_that_has_stopped_early_bears_no_more(pipeline_of, table):
    split = table.split(Folds())
    lazy = pipeline_of(pretrain=False, epochs=30, patience=1, optimizer=node("SGD", lr=0.0))
    keen = pipeline_of(pretrain=False, epochs=30, patience=None)
    members = [Training(pipeline, table, split, seed=1) for pipeline in (lazy, keen)]
    Population(members).run()
    assert members[0].meter.cpu_seconds < members[1].meter.cpu_seconds / 4


def test_the_cost_goes_with_the_checkpoint(pipeline_of, table):
    split = table.split(Folds())
    training = Training(pipeline_of(), table, split, seed=1)
    training.run()
    kept = Position.loads(training.position_now.dumps())
    assert kept.cpu_seconds == training.meter.cpu_seconds > 0
    again = Training(pipeline_of(), table, split, seed=1)
    again.restore(kept, training.tensors())
    assert (again.seconds, again.meter.cpu_seconds) == (training.seconds, training.meter.cpu_seconds)
