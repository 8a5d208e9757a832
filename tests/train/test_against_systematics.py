"""Tasks and losses that make a score independent of a nuisance: what is learnt, and that all members learn it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tsunagu as tn
from tsunagu.data import Split, Table
from tsunagu.errors import SpecError
from tsunagu.layers import Part, reversals, sharing
from tsunagu.losses import find_loss, weighted_mean
from tsunagu.metrics import auc
from tsunagu.spec import node
from tsunagu.tasks import build_graph, check_pipeline, stages
from tsunagu.tasks.batchwise import batchwise
from tsunagu.train import Population, Position, Training


def made_up(shift, events=3000, seed=1):
    """Two features tell signal from background; the better one moves with a nuisance, as a momentum with its scale, and by ``shift``
    in data."""
    draw = torch.Generator().manual_seed(seed)
    label = (torch.rand(events, generator=draw) < 0.5).long()
    nuisance = torch.randn(events, generator=draw)
    noise = torch.randn(events, 2, generator=draw)
    plain, moved = 1.2 * label + noise[:, 0], 2.0 * label + nuisance + 0.5 * noise[:, 1]
    data = (torch.arange(events) % 3 == 0).float()
    return {
        "x": torch.stack([plain, moved + shift * data], 1),
        "label": label,
        "nuisance": nuisance,
        "is_data": data.long(),
        "is_simulated": 1 - data.long(),
        "is_background": 1 - label,
    }


def table_of(columns, train):
    events = len(columns["x"])
    rows = torch.arange(events)
    weight = 0.5 + torch.rand(events, generator=torch.Generator().manual_seed(9))
    made = Table(
        columns=columns,
        weight=weight.double(),
        train_weight=weight,
        event_number=rows + 5,
        fold=rows,
        fingerprint="",
    )
    return made, Split(train=rows[:train], validation=rows[train : train + 300], test=rows[train + 300 :])


@pytest.fixture(scope="module")
def sample():
    return table_of(made_up(shift=0.0), 2000)


@pytest.fixture(scope="module")
def domains():
    return table_of(made_up(shift=1.5), 2000)


def dense(inputs, outputs, *before):
    return [*before, node("Linear", inputs, 16), node("Tanh"), node("Linear", 16, outputs)]


def pipeline(*losses, against=None, trunk=False, **train):
    """A classifier, and a task that works against it or against the features that it reads."""
    read, inputs = ("features", 4) if trunk else ("x", 2)
    tasks = {"classify": tn.Task(inputs=[read], output="score", model=dense(inputs, 1), loss=list(losses))}
    if trunk:
        tasks["trunk"] = tn.Task(inputs=["x"], output="features", model=dense(2, 4), loss=[])
    if against is not None:
        tasks["adversary"] = against
    settings = {"pretrain": False, "epochs": 15, "batch_size": 100, "optimizer": node("Adam", lr=5e-3)}
    return tn.Pipeline(tasks=tasks, train=tn.Train(**settings | train), metric="auc(score, label)")


def adversary(loss, read="score", inputs=1, strength=1.0):
    model = dense(inputs, 1, node("GradientReversal", strength=strength))
    return tn.Task(inputs=[read], output="told", model=model, loss=loss)


def binary(target="label", **settings):
    return tn.loss("binary", target=target, **settings)


def dann(strength):
    """Of which class an event is nobody knows in data."""
    against = adversary(binary("is_data"), "features", 4, strength)
    return pipeline(binary(where="is_simulated"), against=against, trunk=True, epochs=40)


NUISANCE = {"target": "nuisance", "where": "is_background"}
PIVOT = pipeline(binary(), against=adversary(tn.loss("mse", **NUISANCE), strength=3.0), epochs=40)
RAISED = tn.schedule("linear", 0.0, 3.0)
DISCO = pipeline(
    binary(),
    tn.loss("disco", weight=RAISED, **NUISANCE),
    epochs=40,
    batch_size=250,
    patience=None,
    optimizer=node("Adam", lr=1e-2),
)


def trained(pipe, sample, seed=1):
    training = Training(pipe, *sample, seed=seed)
    training.run()
    return training


def judged(training, sample):
    """Of the test events, the AUC and the correlation of score and nuisance in the background, with their weights."""
    table, split = sample
    score = torch.sigmoid(training.predictions(split.test)["score"].reshape(-1)).numpy()
    columns = table.take(["label", "nuisance"], split.test)
    label, weight = columns["label"].numpy(), table.weight[split.test].numpy()
    back = label == 0
    both = np.stack([score[back], columns["nuisance"].numpy()[back]])
    covariance = np.cov(both, aweights=weight[back])
    correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    return auc(score, label, weight), abs(correlation)


@pytest.mark.parametrize("pipe", [PIVOT, DISCO], ids=["pivot", "disco"])
def test_a_score_tells_less_of_the_nuisance_and_little_less_of_the_class(pipe, sample):
    before = judged(trained(pipeline(binary()), sample), sample)
    area, correlation = judged(trained(pipe, sample), sample)
    assert before[1] > 0.6
    assert correlation < 0.3 * before[1]
    assert before[0] > 0.92
    assert area > 0.77  # of the feature that does not move alone 0.80


def test_an_adversary_finds_less_difference_between_data_and_simulation(domains):
    table, split = domains
    weight, is_data = table.weight[split.test].numpy(), table.columns["is_data"][split.test].numpy()
    simulated, label = is_data == 0, table.columns["label"][split.test].numpy()
    found = []
    for strength in (0.0, 2.0):
        made = trained(dann(strength), domains).predictions(split.test)
        score, told = (made[name].reshape(-1).numpy() for name in ("score", "told"))
        inside = [each[simulated] for each in (score, label, weight)]
        found.append((auc(told, is_data, weight), auc(score, is_data, weight), auc(*inside)))
    (told, tells, _), (told_less, tells_less, area) = found
    assert (told > 0.75, tells > 0.7) == (True, True)
    assert (told_less < 0.65, tells_less < 0.63) == (True, True)
    assert area > 0.82


def slopes(pipe, sample, batch, *, of):
    """Gradients of some losses of the joint stage, by the name of the weight."""
    graph, (stage,) = build_graph(pipe, seed=1), stages(pipe)
    columns = sample[0].take(["x", *stage.targets], batch)
    made, weight = graph(columns), sample[0].weights(batch)
    terms = [term for term in stage.terms if term.output in of]
    losses = [t.weight * weighted_mean(t.of(made[t.output], columns, weight), weight) for t in terms]
    sum(losses).backward()
    return {
        name: parameter.grad for name, parameter in graph.named_parameters() if parameter.grad is not None
    }


@pytest.mark.parametrize("trunk", [False, True])
def test_what_is_before_a_reversal_gets_the_gradient_turned_around_and_what_is_behind_it_its_own(
    trunk, sample
):
    def against(strength):
        read = ("features", 4) if trunk else ("score", 1)
        return pipeline(binary(), against=adversary(binary("is_data"), *read, strength), trunk=trunk)

    batch = torch.arange(64)
    both = slopes(against(0.7), sample, batch, of=("score", "told"))
    own = slopes(against(0.7), sample, batch, of=("score",))
    unturned = against(0.0).tasks["adversary"].model[1:]
    plain = against(0.0).tasks["adversary"].model_copy(update={"model": [node("Identity"), *unturned]})
    straight = slopes(
        pipeline(binary(), against=plain, trunk=trunk), sample, batch, of=("told",)
    )  # first weights derive from the place, so they are those of the others
    for name, slope in both.items():
        expected = (
            straight[name] if "adversary" in name else -0.7 * straight.get(name, 0.0) + own.get(name, 0.0)
        )
        torch.testing.assert_close(slope, expected + torch.zeros_like(slope))


def signed(sample):
    """The same events, of which some have a negative training weight."""
    table, split = sample
    columns = dict(table.columns)
    made, _ = table_of(columns, 2000)
    made.train_weight[::7] *= -0.5
    return made, split


SHORT = {"epochs": 2}
POPULATIONS = {
    "pivot": pipeline(binary(), against=adversary(tn.loss("mse", **NUISANCE), strength=RAISED), **SHORT),
    "dann": pipeline(
        binary(where="is_simulated"),
        against=adversary(binary("is_data"), "features", 4, RAISED),
        trunk=True,
        **SHORT,
    ),
    "disco": pipeline(binary(), tn.loss("disco", weight=RAISED, **NUISANCE), **SHORT),
    "mgda": pipeline(binary(), tn.loss("disco", **NUISANCE), aggregate=node("mgda"), **SHORT),
}
each_population = pytest.mark.parametrize("pipe", POPULATIONS.values(), ids=POPULATIONS)


@each_population
def test_members_of_a_population_end_as_they_do_alone(pipe, sample):
    events = signed(sample)
    members = [Training(pipe, *events, seed=seed) for seed in (1, 2, 3)]
    Population(members).run()
    for member in members:
        alone = trained(pipe, events, member.seed).graph.state_dict()
        for name, value in member.graph.state_dict().items():
            torch.testing.assert_close(value, alone[name], rtol=1e-5, atol=1e-5)


@each_population
def test_a_training_goes_on_from_any_step_and_ends_in_the_same_bytes(pipe, sample):
    states = []

    def store(training):
        copied = {name: value.clone() for name, value in training.tensors().items()}
        states.append((Position(**vars(training.position)), copied))

    whole = Training(pipe, *sample, seed=1)
    whole.run(on_step=store)
    for place in (3, len(states) // 2 + 2):
        resumed = Training(pipe, *sample, seed=1)
        resumed.restore(*states[place])
        resumed.run()
        for name, value in resumed.graph.state_dict().items():
            assert torch.equal(value, whole.graph.state_dict()[name])


def test_the_strength_follows_its_schedule_and_all_epochs_are_trained_to_the_last(sample):
    seen = []
    training = Training(POPULATIONS["pivot"], *sample, seed=1)
    training.run(on_epoch=lambda t: seen.append([layer._now[0] for layer in reversals(t.graph)]))
    assert seen == [[0.0], [3.0]]
    assert (training.stages[0].saddle, len(training.position.history)) == (True, 2)
    patient = Training(
        pipeline(binary(), against=adversary(binary("is_data")), epochs=8, patience=1), *sample, seed=1
    )
    patient.run()
    assert len(patient.position.history) == 8


def test_an_adversary_is_not_pretrained_and_the_score_that_it_reads_is_the_end_of_a_chain():
    def named(**train):
        pipe = pipeline(binary(), against=adversary(binary("is_data")), **train)
        return [(stage.name, stage.tasks, len(stage.terms)) for stage in stages(pipe)]

    both = ("classify", "adversary")
    assert named(pretrain=True) == [("pretrain classify", ("classify",), 1), ("joint", both, 2)]
    assert named(intermediate=False) == [("end to end", both, 2)]


def test_what_an_event_without_a_loss_is_said_to_be_does_not_matter(domains):
    table, _ = domains
    ends = []
    for value in (0.0, torch.nan):
        truth = torch.where(table.columns["is_simulated"] == 1, table.columns["nuisance"], value)
        events = table_of(dict(table.columns) | {"nuisance": truth}, 2000)
        loss = tn.loss("mse", target="nuisance", where="is_simulated")
        ends.append(trained(pipeline(loss, **SHORT), events).graph.state_dict())
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


def test_only_the_events_that_have_a_class_are_counted(domains):
    table, split = domains
    label = torch.where(table.columns["is_simulated"] == 1, table.columns["label"], -1)
    events = table_of(dict(table.columns) | {"label": label}, 2000)
    counted = tn.loss("class_balanced_binary", target="label", where="is_simulated", one_minus_beta=1e-3)
    rows = split.train[table.columns["is_simulated"][split.train] == 1]
    training = Training(pipeline(counted, **SHORT), *events, seed=1)
    assert training.stages[0].terms[0].loss.sizes == tuple(torch.bincount(label[rows]).double().tolist())


def test_events_of_a_weight_that_is_chosen_later_are_compared_with_their_like(sample):
    """Two networks in one: at 0 the weight of the loss does nothing, at its end the score tells little."""
    weight = tn.condition("disco", tn.uniform(0.0, 3.0))
    model = node("MLP", hidden=[16, 16], inputs=2, momenta=False, activation="Tanh")
    pipe = pipeline(
        binary(),
        tn.loss("disco", weight=weight, **NUISANCE),
        epochs=40,
        batch_size=500,
        optimizer=node("Adam", lr=1e-2),
        patience=None,
    )
    task = pipe.tasks["classify"].model_copy(update={"model": model})
    training = trained(pipe.model_copy(update={"tasks": {"classify": task}}), sample)
    found = []
    for value in (0.0, 3.0):
        graph, training.graph = training.graph, training.graph.at(torch.tensor([value], dtype=torch.float64))
        found.append(judged(training, sample))
        training.graph = graph
    (free, correlated), (bound, little) = found
    assert correlated > 0.3
    assert little < 0.45 * correlated
    assert free > bound > 0.8


BROKEN = {
    "its range reaches -1": adversary(binary("is_data"), strength=tn.schedule("linear", -1.0, 1.0)),
    "a condition may stand as the weight": adversary(
        binary("is_data"), strength=tn.condition("lambda", tn.uniform(0.0, 1.0))
    ),
    "unknown schedule 'linaer'": adversary(binary("is_data"), strength=tn.schedule("linaer", 0.0, 1.0)),
    "unknown column 'is_dat'": adversary(binary("label", where="is_dat")),
}


@pytest.mark.parametrize("words", BROKEN)
def test_mistakes_are_found_before_an_event_is_read(words):
    columns = {"x", "label", "is_data"}
    (mistake,) = check_pipeline(pipeline(binary(), against=BROKEN[words]), columns)
    assert words in str(mistake)


def test_frozen_tasks_have_no_adversary():
    pipe = pipeline(binary(), against=adversary(binary("is_data")), pretrain=True, joint=False)
    (mistake,) = check_pipeline(pipe)
    assert str(mistake).startswith("train.joint: false leaves the tasks before adversary as they are")


def test_a_negative_strength_is_refused():
    with pytest.raises(SpecError, match="strength must be 0 or more, found -1"):
        build_graph(pipeline(binary(), against=adversary(binary("is_data"), strength=-1.0)), seed=1)


def test_what_a_score_shall_not_tell_may_be_an_input():
    pipe = pipeline(binary(), tn.loss("disco", target="x"))
    assert check_pipeline(pipe, {"x", "label"}) == []


def test_a_part_of_a_batch_is_not_compared():
    with sharing(Part(0, 2, 4)), pytest.raises(ValueError, match="is of all events of a batch"):
        batchwise(find_loss("disco")(), torch.zeros(2), torch.zeros(2), torch.ones(2))
