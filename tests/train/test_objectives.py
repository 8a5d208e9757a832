"""What an aggregator makes of a population's losses, against gradients by hand; and who follows it."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from tsunagu.losses import Mgda, Moment, min_norm, weighted_mean
from tsunagu.spec import Folds, LossTerm, Pipeline, Task, Train, node
from tsunagu.tasks import aggregator_of
from tsunagu.train import Population, Training
from tsunagu.train.stepper import Batch, Stepper

SMALL = {
    "first": node("TauMLP", features=[4], hidden=[4]),
    "second": node("MLP", hidden=[4]),
    "pretrain": False,
}
STEP = {"optimizer": node("SGD", lr=1e-3)}
FEATURES = ("mgda", {"features": True})


def _jets(*sizes):
    return [part for a, b in pairwise(sizes) for part in (node("Linear", a, b), node("Tanh"))]


def _mse(output, inputs, sizes, target, weight=1.0):
    loss = [] if target is None else LossTerm(key="mse", target=target, weight=weight)
    return Task(inputs=[inputs], output=output, model=_jets(*sizes), loss=loss)


def _pipeline(tasks, aggregate, **train):
    settings = {
        "epochs": 2,
        "batch_size": 32,
        "pretrain": False,
        "aggregate": node(aggregate[0], **aggregate[1]),
    }
    return Pipeline(tasks=tasks, train=Train(**settings | train), metric="auc(vis_mass, is_higgs)")


def _flat_jets(**tasks):
    """Tasks after one that flattens the jets' momenta."""
    first = Task(
        inputs=["jet_p4"], output="flat", model=[node("Flatten"), node("Linear", 8, 4), node("Tanh")], loss=[]
    )
    return {"first": first, **tasks}


def _two_heads(aggregate, **train):
    """A trunk that only its heads' losses train."""
    tasks = _flat_jets(
        one=_mse("one", "flat", (4, 3, 1), "vis_mass", 0.7),
        two=_mse("last", "flat", (4, 5, 1), "is_higgs", 2.0),
    )
    return _pipeline(tasks, aggregate, **train)


def _three_in_a_row(aggregate, **train):
    """The first task is reached by three losses, the second by two, the last by one."""
    tasks = {
        "a": Task(
            inputs=["jet_p4"],
            output="a",
            model=[node("Flatten"), node("Linear", 8, 1), node("Tanh")],
            loss=LossTerm(key="mse", target="is_higgs"),
        ),
        "b": _mse("b", "a", (1, 3, 1), "is_higgs"),
        "c": _mse("last", "b", (1, 2, 1), "vis_mass"),
    }
    return _pipeline(tasks, aggregate, **train)


def _training(pipeline, table, seed=3):
    return Training(pipeline, table, table.split(Folds()), seed=seed)


class _ByHand:
    """The gradients of each loss by each task's weights, and by each output, on some events."""

    def __init__(self, training, rows):
        graph, stage, table = training.graph.train(), training.stages[-1], training.table
        batch = table.take(list(table.columns), rows)
        outputs = graph(batch)
        weight = table.weights(rows)
        losses = [
            weighted_mean(t.weight * t.loss(outputs[t.output], batch[t.target]), weight) for t in stage.terms
        ]
        self.losses = torch.stack(losses).detach().double()
        self.by_task = {
            name: torch.stack([self._flat(loss, list(model.parameters())) for loss in losses])
            for name, model in graph.models.items()
        }
        self.by_output = {
            name: torch.stack([self._flat(loss, [outputs[graph.outputs[name]]]) for loss in losses])
            for name in graph.models
        }

    @staticmethod
    def _flat(loss: Tensor, inputs: list[Tensor]) -> Tensor:
        found = torch.autograd.grad(
            loss, inputs, retain_graph=True, materialize_grads=True, allow_unused=True
        )
        return torch.cat([one.flatten() for one in found]).double()


def _stepped(trainings, rows):
    members, stages = [t.member for t in trainings], [t.stage for t in trainings]
    stepper = Stepper(members, stages, trainings[0].table)
    moments = [Moment(5 + number, 0) for number in range(len(trainings))]
    losses = stepper.step(Batch(rows[None], (0,) * len(trainings), moments=moments))
    found = {}
    for task, groups in stepper._groups.items():
        for group in groups:
            for member, gradients in zip(group.members, group.rows.gradients, strict=True):
                found[member, task] = gradients.double()
    return losses, found


def _close(found, wanted):
    return torch.allclose(found, wanted, rtol=2e-4, atol=1e-6 * max(1.0, wanted.abs().max().item()))


@pytest.fixture
def rows(table):
    return table.split(Folds()).train[:50]


def test_on_a_chain_the_first_task_follows_the_aggregator_and_the_last_its_own_loss(pipeline_of, table, rows):
    training = _training(pipeline_of(**SMALL, **STEP, aggregate=node("mgda")), table)
    hand = _ByHand(training, rows)
    losses, found = _stepped([training], rows)
    jacobian = hand.by_task["calibrate"]
    weights = min_norm((jacobian @ jacobian.T)[None])[0]
    assert weights.min() > 0.0
    assert losses.item() == pytest.approx(hand.losses.sum().item(), rel=1e-5)
    assert _close(found[0, "calibrate"], weights @ jacobian)
    assert not hand.by_task["classify"][0].any()
    assert _close(found[0, "classify"], hand.by_task["classify"][1])


def test_by_the_features_it_takes_the_gradients_by_what_the_tasks_share(pipeline_of, table, rows):
    training = _training(pipeline_of(**SMALL, **STEP, aggregate=node("mgda", features=True)), table)
    hand = _ByHand(training, rows)
    losses, found = _stepped([training], rows)
    slopes = hand.by_output["calibrate"]
    weights = min_norm((slopes @ slopes.T)[None])[0]
    assert losses.item() == pytest.approx(hand.losses.sum().item(), rel=1e-5)
    assert _close(found[0, "calibrate"], weights @ hand.by_task["calibrate"])
    assert _close(found[0, "classify"], hand.by_task["classify"][1])


@pytest.mark.parametrize(
    "aggregate", [("mgda", {}), FEATURES, ("UPGrad", {}), ("UPGrad", {"features": True})]
)
def test_two_heads_follow_their_own_losses_and_the_trunk_a_common_way_down(aggregate, table, rows):
    if aggregate[0] != "mgda":
        pytest.importorskip("torchjd")
    training = _training(_two_heads(aggregate, **STEP), table)
    hand = _ByHand(training, rows)
    _, found = _stepped([training], rows)
    assert _close(found[0, "one"], hand.by_task["one"][0])
    assert _close(found[0, "two"], hand.by_task["two"][1])
    jacobian = hand.by_task["first"]
    assert torch.linalg.lstsq(jacobian.T, found[0, "first"][:, None]).solution.min().item() >= -1e-6
    if not aggregate[1]:
        assert (jacobian @ found[0, "first"]).min().item() >= -1e-6 * jacobian.abs().max().item()


def test_what_two_of_three_losses_reach_is_shared_too(table, rows):
    """One direction for all weights that several losses reach, of which some a loss does not."""
    training = _training(_three_in_a_row(("mgda", {}), **STEP), table)
    hand = _ByHand(training, rows)
    _, found = _stepped([training], rows)
    jacobian = torch.cat([hand.by_task["a"], hand.by_task["b"]], 1)
    assert not hand.by_task["b"][0].any()
    weights = min_norm((jacobian @ jacobian.T)[None])[0]
    assert _close(torch.cat([found[0, "a"], found[0, "b"]]), weights @ jacobian)
    assert _close(found[0, "c"], hand.by_task["c"][2])
    assert (jacobian @ (weights @ jacobian)).min().item() > 0.0


def test_features_at_two_depths_are_differentiated_each_by_what_is_read_of_it(table, rows):
    training = _training(_three_in_a_row(FEATURES, **STEP), table)
    hand = _ByHand(training, rows)
    _, found = _stepped([training], rows)
    shared = torch.cat([hand.by_task["a"], hand.by_task["b"]], 1)
    weights = torch.linalg.lstsq(shared.T, torch.cat([found[0, "a"], found[0, "b"]])[:, None])
    assert weights.solution.sum().item() == pytest.approx(1.0, abs=1e-3)
    assert weights.residuals.numel() == 0 or weights.residuals.abs().max().item() < 1e-6
    assert _close(found[0, "c"], hand.by_task["c"][2])


@pytest.mark.parametrize("aggregate", [("UW", {}), ("FAMO", {}), ("Constant", {"weights": [0.2, 3.0]})])
def test_what_reads_losses_alone_weighs_them_for_all_weights(aggregate, table, rows):
    pytest.importorskip("torchjd")
    training = _training(_two_heads(aggregate, **STEP), table)
    hand = _ByHand(training, rows)
    _, found = _stepped([training], rows)
    famo = (1.0 / hand.losses) / (1.0 / hand.losses).sum()
    weights = {"UW": torch.tensor([0.5, 0.5]), "FAMO": famo, "Constant": torch.tensor([0.2, 3.0])}[
        aggregate[0]
    ]
    for task in ("first", "one", "two"):
        assert _close(found[0, task], weights.double() @ hand.by_task[task])


def test_gradnorm_weighs_the_heads_too(table, rows):
    pipeline = _two_heads(("gradnorm", {}), **STEP)
    training = _training(pipeline, table)
    state = {"weights": torch.tensor([0.5, 1.5], dtype=torch.float64)}
    hand = _ByHand(training, rows)
    stepper = Stepper([training.member], [training.stage], table)
    begun = aggregator_of(pipeline, training.stage).begin(2)
    stepper._combining._objectives.states = [{**begun, **state}]
    stepper.step(Batch(rows[None], (0,), moments=[Moment(1, 0)]))
    found = {task: groups[0].rows.gradients[0].double() for task, groups in stepper._groups.items()}
    for task in ("first", "one", "two"):
        assert _close(found[task], state["weights"] @ hand.by_task[task])


@pytest.mark.parametrize("key", ["GradDrop", "TrimmedMean", "ConFIG"])
def test_a_direction_that_is_no_average_reaches_all_shared_tasks(key, table, rows):
    """Constant weights as a check of the places: the trimmed mean of nothing trimmed is the mean."""
    pytest.importorskip("torchjd")
    settings = {"trim_number": 0} if key == "TrimmedMean" else {}
    training = _training(_three_in_a_row((key, settings), **STEP), table)
    hand = _ByHand(training, rows)
    _, found = _stepped([training], rows)
    jacobian = torch.cat([hand.by_task["a"], hand.by_task["b"]], 1)
    way = torch.cat([found[0, "a"], found[0, "b"]])
    if key == "TrimmedMean":
        assert _close(way, jacobian.mean(0))
    elif key == "ConFIG":
        units = jacobian / jacobian.norm(dim=1, keepdim=True)
        angles = units @ way / way.norm()
        assert torch.allclose(angles, angles.mean().expand(3), atol=1e-4)
    else:
        below, above = jacobian.clamp(max=0.0).sum(0), jacobian.clamp(min=0.0).sum(0)
        assert bool((torch.isclose(way, below, rtol=1e-3) | torch.isclose(way, above, rtol=1e-3)).all())
    assert _close(found[0, "c"], hand.by_task["c"][2])


AGGREGATES = [
    ("mgda", {}),
    ("mgda", {"features": True, "normalisation": "loss+"}),
    ("gradnorm", {}),
    ("PCGrad", {}),
    ("GradDrop", {}),
    ("FAMO", {}),
    ("DWA", {}),
]


@pytest.mark.parametrize("aggregate", AGGREGATES, ids=lambda a: f"{a[0]}{'-features' * bool(a[1])}")
def test_a_member_of_a_population_learns_what_it_learns_alone(aggregate, pipeline_of, table):
    """Also among others of another model and size, and with other weights of its losses."""
    if aggregate[0] not in ("mgda", "gradnorm"):
        pytest.importorskip("torchjd")
    kinds = [SMALL, SMALL, SMALL | {"first": node("ScaleFactor")}]
    split, made = table.split(Folds()), node(aggregate[0], **aggregate[1])
    pipelines = [pipeline_of(**kind, aggregate=made, epochs=3) for kind in kinds]

    def members():
        return [Training(chain, table, split, seed=seed) for seed, chain in enumerate(pipelines)]

    together = members()
    Population(together).run()
    for one, among in zip(members(), together, strict=True):
        one.run()
        for name, value in one.graph.named_parameters():
            assert torch.allclose(dict(among.graph.named_parameters())[name], value, rtol=1e-3, atol=1e-5)
        for own, other in zip(one.position.history, among.position.history, strict=True):
            assert other.valid_loss == pytest.approx(own.valid_loss, rel=1e-4)


def test_weights_of_one_are_the_sum(pipeline_of, table):
    pytest.importorskip("torchjd")
    runs = []
    for how in (node("sum"), node("Constant", weights=[1.0, 1.0])):
        training = _training(pipeline_of(**SMALL, aggregate=how, epochs=3), table)
        training.run()
        runs.append(
            [loss for line in training.position.history for loss in (line.train_loss, line.valid_loss)]
        )
    assert runs[1] == pytest.approx(runs[0], rel=1e-4)


@pytest.mark.parametrize("aggregate", [("mgda", {}), FEATURES, ("mgda", {"normalisation": "l2"})])
def test_no_loss_grows_in_a_training(aggregate, table):
    training = _training(_two_heads(aggregate, epochs=4, optimizer=node("SGD", lr=1e-3)), table)
    before = _ByHand(training, training.split.train).losses
    training.run()
    assert (_ByHand(training, training.split.train).losses < before).all()


def test_looking_back_leaves_running_numbers_and_noise_as_one_pass_does(pipeline_of, table):
    pytest.importorskip("torchjd")
    second = [node("Flatten"), node("BatchNorm1d", 6), node("Dropout", 0.2), node("Linear", 6, 1)]
    training = _training(
        pipeline_of(first=SMALL["first"], second=second, pretrain=False, epochs=1, aggregate=node("FAMO")),
        table,
    )
    training.run()
    assert training.graph.models["classify"][1].num_batches_tracked.item() == training.steps_per_epoch


def test_members_that_combine_their_losses_otherwise_are_no_population(pipeline_of, table):
    split = table.split(Folds())
    members = [Training(pipeline_of(aggregate=node(key)), table, split, seed=1) for key in ("sum", "mgda")]
    with pytest.raises(ValueError, match="their losses are combined otherwise"):
        Population(members)


def test_constant_models_at_the_shared_task_are_no_obstacle(pipeline_of, table):
    for features in (False, True):
        chain = pipeline_of(
            first=node("Zero", output=[2, 3]), aggregate=node("mgda", features=features), epochs=1
        )
        training = _training(chain, table)
        training.run()
        assert training.done


def test_a_stage_of_one_loss_knows_no_aggregator(pipeline_of, table):
    training = _training(pipeline_of(aggregate=node("mgda")), table)
    found = [aggregator_of(training.pipeline, stage) for stage in training.stages]
    assert found == [None, None, Mgda()]
