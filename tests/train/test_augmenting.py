"""Sampled and augmented trainings: the same alone, in a population and in parts; and evaluation never sees it."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from tsunagu.layers import Part
from tsunagu.spec import Folds, LossTerm, Pipeline, Task, Train, node
from tsunagu.train import Population, Training
from tsunagu.train.augmenting import Augmented

MIRROR = node("flip_eta", momenta=["jet_p4", "true_tau_p4"])
MIXUP = node("mixup", target="is_higgs", columns=["jet_p4"])
STILL = {"optimizer": node("SGD", lr=1e-30), "epochs": 2, "pretrain": False, "batch_size": 256}
SMALL = {"first": node("TauMLP", features=[4], hidden=[4]), "epochs": 2, "pretrain_epochs": 1}


@pytest.fixture(scope="module")
def split(table):
    return table.split(Folds())


def _trained(pipeline, table, split, seed=1):
    training = Training(pipeline, table, split, seed=seed)
    training.run()
    return training


def _classifier(loss="binary", outputs=1, **train):
    model = [node("Flatten"), node("Linear", 8, outputs)]
    task = Task(inputs=["jet_p4"], output="score", model=model, loss=LossTerm(key=loss, target="is_higgs"))
    settings = {"epochs": 2, "batch_size": 32, **train}
    return Pipeline(tasks={"classify": task}, train=Train(**settings), metric="mse(vis_mass, vis_mass)")


def test_evaluation_sees_events_as_they_are_and_every_epoch_others(pipeline_of, table, split):
    plain = _trained(pipeline_of(**SMALL | STILL), table, split).position.history
    changed = _trained(
        pipeline_of(**SMALL | STILL, augment=[node("smear_energy", constant=1.0)]), table, split
    )
    lines = changed.position.history
    assert [line.valid_loss for line in lines] == [line.valid_loss for line in plain]
    assert plain[0].train_loss == pytest.approx(plain[1].train_loss, rel=1e-6)
    losses = [plain[0].train_loss, *(line.train_loss for line in lines)]
    assert all(abs(a - b) > 1e-6 * a for a, b in pairwise(losses))


@pytest.mark.parametrize(
    "shown",
    [
        {"augment": [MIRROR, node("smear_energy")]},
        {"sampling": node("balanced", by="binary")},
        {
            "sampling": node("undersample", by="is_higgs"),
            "augment": [MIRROR, node("rotate"), node("drop_tracks")],
        },
    ],
    ids=["augmented", "sampled", "both"],
)
def test_a_population_ends_as_its_members_alone(pipeline_of, table, split, shown):
    pipeline = pipeline_of(**SMALL, **shown)
    members = [Training(pipeline, table, split, seed=seed) for seed in (1, 2)]
    Population(members).run()
    for seed, member in zip((1, 2), members, strict=True):
        alone = _trained(pipeline, table, split, seed)
        for ours, theirs in zip(member.position.history, alone.position.history, strict=True):
            assert (ours.stage, ours.step) == (theirs.stage, theirs.step)
            assert ours.train_loss == pytest.approx(theirs.train_loss, rel=1e-4)
        for name, value in alone.graph.state_dict().items():
            torch.testing.assert_close(member.graph.state_dict()[name], value, rtol=1e-3, atol=1e-4)
    first, second = (member.position.history[0].train_loss for member in members)
    assert first != second


@pytest.mark.parametrize("other", [{"sampling": node("balanced", by="is_higgs")}, {"augment": [MIRROR]}])
def test_members_that_see_other_events_are_no_population(pipeline_of, table, split, other):
    members = [Training(pipeline_of(**train), table, split, seed=1) for train in ({}, other)]
    with pytest.raises(ValueError, match="their training events are sampled or augmented otherwise"):
        Population(members)


def test_a_part_of_a_batch_is_a_part_of_the_whole_one(table):
    pipeline = _classifier(augment=[node("flip_eta", image=None, momenta="jet_p4"), node("shift"), MIXUP])
    events = Augmented(pipeline, table)
    shown = events.show(torch.arange(40).view(2, 20), [7, 8])
    part = shown.part(Part(5, 11, 20))
    assert torch.equal(events.weights(part), events.weights(shown)[:, 5:11])
    whole, own = (events.take(["jet_p4", "jet_image", "is_higgs"], each) for each in (shown, part))
    for name, value in whole.items():
        assert torch.equal(own[name], value.view(2, 20, *value.shape[1:])[:, 5:11].flatten(0, 1))
    first = events.show(torch.arange(20).view(1, 20), [7])
    assert torch.equal(events.take(["jet_p4"], first)["jet_p4"], whole["jet_p4"][:20])


def test_without_augmentations_or_keys_nothing_happens(table):
    index = torch.arange(6).view(1, 6)
    for events in (Augmented(_classifier(), table), Augmented(_classifier(augment=[MIXUP]), table)):
        keys = [1] if not events._on else []
        shown = events.show(index, keys)
        assert torch.equal(events.take(["jet_p4"], shown)["jet_p4"], table.columns["jet_p4"][:6])
        assert torch.equal(events.weights(shown)[0], table.train_weight[:6])


@pytest.mark.parametrize(
    ("loss", "outputs", "classes"), [("binary", 1, None), ("cross_entropy", 2, 2)], ids=["binary", "classes"]
)
def test_mixup_trains_on_probabilities(table, split, loss, outputs, classes):
    mixup = node("mixup", target="is_higgs", columns=["jet_p4"], alpha=1.0, classes=classes)
    mixed, plain = (_classifier(loss, outputs, augment=augment) for augment in ([mixup], []))
    ours, theirs = (_trained(pipeline, table, split).position.history[-1] for pipeline in (mixed, plain))
    assert math.isfinite(ours.train_loss)
    assert ours.train_loss != theirs.train_loss


def test_the_loss_of_a_mixture_is_the_mixture_of_losses(table):
    from tsunagu.losses import find_loss

    prediction, share = torch.tensor([[0.3, -1.0, 2.0]]), 0.3
    label, other = torch.tensor([0]), torch.tensor([2])
    loss = find_loss("cross_entropy")()
    target = torch.tensor([[share, 0.0, 1.0 - share]])
    expected = share * loss(prediction, label) + (1 - share) * loss(prediction, other)
    torch.testing.assert_close(loss(prediction, target), expected)


@pytest.mark.parametrize("kind", ["natural", "balanced", "square_root", "undersample", "oversample"])
def test_the_steps_of_an_epoch_are_those_of_its_events(pipeline_of, table, split, kind):
    training = Training(pipeline_of(sampling=node(kind)), table, split, seed=1)
    assert training.steps_per_epoch == math.ceil(len(training.sampling) / 32)
    steps = []
    training.run(lambda now: steps.append(now.position.step))
    assert max(steps) == training.steps_per_epoch
    assert training.position.history[0].step == training.steps_per_epoch
