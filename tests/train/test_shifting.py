"""Inputs that are shifted by a systematic uncertainty: by how much, in training and validation, alone and in step."""

from __future__ import annotations

import pytest
import torch

import tsunagu as tn
from tsunagu.data import Split, Table
from tsunagu.data.augment import Systematic
from tsunagu.data.augment.systematic import between
from tsunagu.metrics import auc
from tsunagu.spec import node
from tsunagu.tasks import VALUES, check_pipeline
from tsunagu.tasks.showing import check_shown
from tsunagu.train import Population, Position, Training
from tsunagu.train.augmenting import Augmented
from tsunagu.train.conditioning import Turn

RISE, FALL = 0.3, -0.2


def made_up(events=3000, seed=2):
    """A momentum that differs between classes, a count made of it, and a variable that does not change with the scale."""
    draw = torch.Generator().manual_seed(seed)
    label = (torch.rand(events, generator=draw) < 0.5).long()
    pt = (3.0 + label + 0.3 * torch.randn(events, generator=draw)).clamp(min=0.1)
    other = 1.2 * label + torch.randn(events, generator=draw)

    def x(factor):
        return torch.stack([factor * pt, other], 1)

    columns = {"x": x(1.0), "label": label, "shifts": (torch.arange(events) % 4 != 0).long()}
    ends = {"x__tes__up": x(1.0 + RISE), "x__tes__down": x(1.0 + FALL)}
    rows, ones = torch.arange(events), torch.ones(events)
    table = Table(
        columns=columns | ends,
        weight=ones.double(),
        train_weight=ones,
        event_number=rows + 3,
        fold=rows,
        fingerprint="",
    )
    return table, Split(train=rows[:2000], validation=rows[2000:2300], test=rows[2300:])


@pytest.fixture(scope="module")
def sample():
    return made_up()


SIZE = tn.condition("tes", tn.uniform(-1.0, 1.0))


def pipeline(*augment, **train):
    model = node("MLP", hidden=[16, 16], inputs=2, momenta=False, activation="Tanh")
    task = tn.Task(inputs=["x"], output="score", model=model, loss=tn.loss("binary", target="label"))
    settings = {"epochs": 2, "batch_size": 100, "patience": None, "optimizer": node("Adam", lr=5e-3)}
    return tn.Pipeline(
        tasks={"classify": task},
        train=tn.Train(**settings | train, augment=list(augment)),
        metric="auc(score, label)",
    )


def batch(pipe, table, names=("x",), events=400):
    shown = Augmented(pipe, table).show(torch.arange(events)[None], [7], Turn((1,), 0))
    return Augmented(pipe, table).take(names, shown)


def test_shifts_go_through_both_ends_and_on_in_straight_lines():
    nominal, size = torch.full((5, 2), 10.0), torch.tensor([-3.0, -1.0, 0.0, 1.0, 2.0])
    moved = nominal + between(nominal, nominal * 1.2, nominal * 0.9, size)
    assert moved[:, 1].tolist() == pytest.approx([7.0, 9.0, 10.0, 12.0, 14.0])
    mirrored = nominal + between(nominal, nominal * 1.2, None, size)
    assert mirrored[:, 0].tolist() == pytest.approx([4.0, 8.0, 10.0, 12.0, 14.0])
    counts = torch.tensor([4, 4, 4, 4])
    steps = counts + between(counts, counts + 1, counts - 2, torch.tensor([-0.6, -0.4, 0.4, 0.6]))
    assert steps.tolist() == [2, 4, 4, 5]
    passed = torch.tensor([True, True])
    assert (passed ^ between(passed, ~passed, None, torch.tensor([0.2, 0.8]))).tolist() == [True, False]


def test_each_event_is_shifted_by_a_normal_size_of_its_own_and_only_where_it_shifts(sample):
    table, _ = sample
    made = batch(pipeline(node("systematic", name="tes", width=0.2, where="shifts")), table)
    assert list(made) == ["x"]
    x, moved = table.columns["x"][:400], made["x"]
    share = moved[:, 0] / x[:, 0] - 1.0
    assert torch.equal(moved[:, 1], x[:, 1])
    assert not share[table.columns["shifts"][:400] == 0].any()
    some = share[table.columns["shifts"][:400] == 1]
    # (RISE - FALL) / 2 z + (RISE + FALL) / 2 z^2 with z of width 0.2.
    assert some.std().item() == pytest.approx(0.2 * (RISE - FALL) / 2, rel=0.15)
    assert len(some.unique()) == len(some)


def test_an_event_is_shifted_by_the_size_that_is_shown(sample):
    table, _ = sample
    made = batch(pipeline(node("systematic", name="tes", size=SIZE)), table)
    z, x = made[VALUES][:, 0], table.columns["x"][:400]
    expected = 1.0 + (RISE - FALL) / 2 * z + (RISE + FALL) / 2 * z**2
    torch.testing.assert_close(made["x"][:, 0] / x[:, 0], expected.float())
    assert (z.min() < -0.9, z.max() > 0.9) == (True, True)


def test_two_shifts_add_up_in_any_order(sample):
    table, _ = sample
    more = {"x__jes__up": table.columns["x"] + 1.0}
    table = Table(**vars(table) | {"columns": table.columns | more})
    one, other = (
        node("systematic", name="tes", size=SIZE),
        node("systematic", name="jes", size=tn.condition("jes", tn.uniform(-1.0, 1.0))),
    )
    both = batch(pipeline(one, other), table)
    alone = batch(pipeline(one), table)["x"]
    x, z = table.columns["x"][:400], both[VALUES].float()
    share = 1.0 + (RISE - FALL) / 2 * z[:, :1] + (RISE + FALL) / 2 * z[:, :1] ** 2
    expected = torch.cat([x[:, :1] * share, x[:, 1:]], 1) + z[:, 1:]
    torch.testing.assert_close(both["x"], expected)
    assert alone.shape == both["x"].shape


AUGMENTED = {
    "at random": pipeline(node("systematic", name="tes"), node("mixup", target="label", columns=["x"])),
    "by a condition": pipeline(node("systematic", name="tes", size=SIZE)),
}
each_way = pytest.mark.parametrize("pipe", AUGMENTED.values(), ids=AUGMENTED)


@each_way
def test_members_of_a_population_end_as_they_do_alone(pipe, sample):
    members = [Training(pipe, *sample, seed=seed) for seed in (1, 2, 3)]
    Population(members).run()
    for member in members:
        alone = Training(pipe, *sample, seed=member.seed)
        alone.run()
        for name, value in member.graph.state_dict().items():
            torch.testing.assert_close(value, alone.graph.state_dict()[name], rtol=1e-5, atol=1e-5)


@each_way
def test_a_training_goes_on_from_any_step_and_ends_in_the_same_bytes(pipe, sample):
    states = []

    def store(training):
        copied = {name: value.clone() for name, value in training.tensors().items()}
        states.append((Position(**vars(training.position)), copied))

    whole = Training(pipe, *sample, seed=1)
    whole.run(on_step=store)
    resumed = Training(pipe, *sample, seed=1)
    resumed.restore(*states[23])
    resumed.run()
    for name, value in resumed.graph.state_dict().items():
        assert torch.equal(value, whole.graph.state_dict()[name])


def scores(training, sample, end="", size=None):
    """Of the test events as they are at one end, at a value of the condition where there is one."""
    table, split = sample
    graph = training.graph.eval()
    x = table.columns[f"x__tes__{end}" if end else "x"][split.test]
    values = torch.full((len(x), 1), size or 0.0, dtype=torch.float64)
    shown = graph.conditions.inputs(values) if graph.conditions else {}
    with torch.no_grad():
        return graph({"x": x} | shown)["score"].reshape(-1)


def test_a_score_that_has_seen_shifts_moves_less_with_them(sample):
    moved = {}
    for name, augment in {"plain": [], "shifted": [node("systematic", name="tes")]}.items():
        training = Training(pipeline(*augment, epochs=15), *sample, seed=1)
        training.run()
        ends = [torch.sigmoid(scores(training, sample, end)) for end in ("up", "", "down")]
        moved[name] = (ends[0] - ends[2]).abs().mean().item()
        label = sample[0].columns["label"][sample[1].test]
        assert auc(ends[1].numpy(), label.numpy(), None) > 0.8
    assert moved["shifted"] < 0.6 * moved["plain"]


def test_a_network_that_is_told_the_size_is_right_at_each_of_them(sample):
    """At the ends a cut that is right for the nominal events is not; told the size it is as good as it is without a shift."""
    table, split = sample
    label = table.columns["label"][split.test] == 1
    augment = node("systematic", name="tes", size=SIZE)
    training = Training(pipeline(augment, epochs=30), *sample, seed=1)
    training.run()
    told = {
        end: ((scores(training, sample, end, size) > 0) == label).float().mean().item()
        for end, size in (("up", 1.0), ("", 0.0), ("down", -1.0))
    }
    untold = [
        ((scores(training, sample, end, 0.0) > 0) == label).float().mean().item() for end in ("up", "down")
    ]
    assert min(told.values()) > 0.92
    assert max(untold) < 0.9 * min(told.values())
    # The validation loss is that of shifted events, too: of unshifted ones it would be far above the training loss.
    last = training.position.history[-1]
    assert last.valid_loss < 1.5 * last.train_loss


@pytest.mark.parametrize(
    ("augment", "words"),
    [
        ([node("flip_phi"), node("systematic", name="tes")], "stands before all other augmentations"),
        (
            [node("systematic", name="tes", size=tn.condition("tes", tn.uniform(0.0, 1.0)))],
            "the middle of its range is 0.5",
        ),
        ([node("systematic", name="tes", where="shift")], "unknown column 'shift' (did you mean 'shifts'?)"),
        (
            [node("systematic", name="tes", size=0.5)],
            "size is a condition, such as {condition: tes, uniform: [-2, 2]}",
        ),
        ([node("systematic", name="tes", width=0.0)], "width must be positive"),
        ([node("shift", pixels=SIZE)], "nobody reads a condition here"),
    ],
)
def test_mistakes_are_found_before_an_event_is_read(augment, words):
    found = check_pipeline(pipeline(*augment), {"x", "label", "shifts", "jet_image", "jet_p4"})
    assert any(words in str(mistake) for mistake in found), found


def test_a_shift_of_nothing_that_is_read_is_a_mistake(sample):
    (mistake,) = check_shown(pipeline(node("systematic", name="jes")), sample[0])
    assert "no column that is read changes with 'jes'" in str(mistake)
    assert check_shown(pipeline(node("systematic", name="tes")), sample[0]) == []
    assert Systematic("tes").columns_of(["label"], sample[0].columns) == {}
