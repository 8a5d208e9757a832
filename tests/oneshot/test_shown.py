"""Which events a supernet is trained on: those that the sampler says, as they are."""

from __future__ import annotations

import math

import pytest

from tsunagu.errors import SpecError
from tsunagu.oneshot import OneShot
from tsunagu.search import Spos
from tsunagu.spec import Folds, choice, node

SECOND = choice(a=node("MLP", hidden=[4]), b=node("MassMLP", hidden=[4]))


@pytest.fixture
def oneshot(pipeline_of, table):
    def make(**train):
        pipeline = pipeline_of(second=SECOND, epochs=1, pretrain_epochs=1, **train)
        return OneShot(pipeline, Spos(), table, table.split(Folds()), seed=1)

    return make


def test_a_supernet_sees_the_events_that_are_sampled(oneshot):
    training, steps = oneshot(sampling=node("undersample", by="is_higgs")), []
    training.run(lambda now: steps.append(now.position.step))
    assert max(steps) == training.steps_per_epoch == math.ceil(len(training.sampling) / 32)
    assert len(training.sampling) < len(training.split.train)


def test_a_supernet_is_not_trained_on_changed_events(oneshot):
    with pytest.raises(SpecError, match=r"train.augment: a supernet is trained on events as they are"):
        oneshot(augment=[node("flip_eta")])


def test_a_supernet_is_trained_on_the_sum_of_its_losses(oneshot):
    with pytest.raises(SpecError, match=r"train.aggregate: a supernet is trained on the sum of its losses"):
        oneshot(aggregate=node("mgda"))


def test_a_supernet_has_no_adversary(pipeline_of, table):
    chain = pipeline_of(second=SECOND, epochs=1)
    first, last = chain.tasks.values()
    model = [node("GradientReversal"), node("MLP", hidden=[4], inputs=1, momenta=False)]
    against = last.model_copy(update={"inputs": [last.output], "output": "told", "model": model})
    chain = chain.model_copy(update={"tasks": {"first": first, "last": last, "against": against}})
    with pytest.raises(SpecError, match=r"tasks.against.model: works against other tasks"):
        OneShot(chain, Spos(), table, table.split(Folds()), seed=1)
