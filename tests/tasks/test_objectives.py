"""Which losses reach which tasks, and what can be wrong with an aggregator, found before a training."""

from __future__ import annotations

import sys

import pytest

from tsunagu.losses import Mgda
from tsunagu.spec import LossTerm, Pipeline, Task, Train, choice, node
from tsunagu.tasks import aggregator_of, check_conditioned_weights, check_pipeline, reach, stages

SINGLE = "train.aggregate: mgda combines several losses, but no stage has more than one; leave it out, or give an output another loss"


def _task(inputs, output, *targets):
    losses = [LossTerm(key="mse", target=target) for target in targets]
    return Task(inputs=inputs, output=output, model=node("Linear", 1, 1), loss=losses)


def _joint(tasks, **train):
    pipeline = Pipeline(tasks=tasks, train=Train(**train), metric="mse(x, x)")
    return pipeline, stages(pipeline)[-1]


@pytest.mark.parametrize(
    ("tasks", "shared", "own", "features"),
    [
        (
            {"a": _task(["x"], "a", "s"), "b": _task(["a"], "b", "t"), "c": _task(["b"], "c", "u")},
            ("a", "b"),
            ((), (), ("c",)),
            (("a",), ("b",), ("b",)),
        ),
        (
            {"trunk": _task(["x"], "z"), "one": _task(["z"], "y", "t"), "two": _task(["z", "x"], "w", "u")},
            ("trunk",),
            (("one",), ("two",)),
            (("z",), ("z",)),
        ),
        (
            {"a": _task(["x"], "a", "s"), "b": _task(["x"], "b", "t"), "c": _task(["a", "b"], "c", "u")},
            ("a", "b"),
            ((), (), ("c",)),
            (("a",), ("b",), ("a", "b")),
        ),
        ({"a": _task(["x"], "a", "s"), "b": _task(["x"], "b", "t")}, (), (("a",), ("b",)), ((), ())),
        ({"a": _task(["x"], "a", "s", "t")}, ("a",), ((), ()), (("a",), ("a",))),
    ],
    ids=["a row", "two heads", "two into one", "apart", "two losses of one output"],
)
def test_a_loss_reaches_what_its_output_is_made_of(tasks, shared, own, features):
    found = reach(*_joint(tasks))
    assert (found.shared, found.own, found.features) == (shared, own, features)


def test_where_a_column_stands_in_for_an_output_nothing_is_reached_behind_it():
    tasks = {"a": _task(["x"], "a", "s"), "b": _task(["a"], "b", "t", "u")}
    pipeline, _ = _joint(tasks)
    alone = stages(pipeline)[1]
    assert alone.substitutes == {"a": "s"}
    assert reach(pipeline, alone).shared == ("b",)


@pytest.mark.parametrize(
    ("train", "found"),
    [
        ({"aggregate": "mdga"}, "train.aggregate.key: unknown aggregator 'mdga' (did you mean 'mgda'?)"),
        (
            {"aggregate": node("mgda", normalization="l2")},
            "train.aggregate.args.normalization: unknown argument 'normalization' (did you mean 'normalisation'?)",
        ),
        (
            {"aggregate": node("mgda", normalisation="l1")},
            "train.aggregate.args: the normalisation is one of none, l2, loss, loss+; found 'l1'",
        ),
        (
            {"aggregate": node("sum", weights=[1.0, 2.0])},
            "train.aggregate.args.weights: unknown argument 'weights' (it takes none)",
        ),
        ({"aggregate": "mgda", "intermediate": False}, SINGLE),
        ({"aggregate": "mgda", "joint": False}, SINGLE),
        (
            {"aggregate": choice(one=node("sum"), two=node("mdga"))},
            "train.aggregate.choice.two.key: unknown aggregator 'mdga' (did you mean 'mgda'?)",
        ),
        ({"aggregate": choice(one=node("sum"), two=node("mgda", features=True))}, None),
        ({"aggregate": "mgda"}, None),
    ],
)
def test_mistakes_are_found_before_a_training(train, found, pipeline_of):
    mistakes = [str(each) for each in check_pipeline(pipeline_of(**train))]
    assert mistakes == ([] if found is None else [found])


@pytest.mark.parametrize(
    ("aggregate", "found"),
    [
        (node("UPGrad", norm=1.0), "train.aggregate.args.norm: unknown argument 'norm'"),
        (node("STCH"), "train.aggregate.args: missing argument 'mu'"),
        (node("STCH", mu=-1.0), "train.aggregate.args: "),
        (
            node("Constant", weights=[0.1, 0.2, 0.7]),
            "train.aggregate.args: does not fit the 2 losses of the stage 'joint': ",
        ),
        (
            node("Krum", n_byzantine=1),
            "train.aggregate.args: does not fit the 2 losses of the stage 'joint': ",
        ),
        (node("UPGrad", features=True), None),
        (node("UW", learning_rate=0.1), None),
    ],
)
def test_so_are_those_of_torchjd(aggregate, found, pipeline_of):
    pytest.importorskip("torchjd")
    mistakes = [str(each) for each in check_pipeline(pipeline_of(aggregate=aggregate))]
    assert len(mistakes) == (found is not None)
    assert all(each.startswith(found) for each in mistakes)


def test_without_the_extra_it_is_a_mistake_like_any_other(pipeline_of, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "torchjd"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchjd", None)
    (mistake,) = check_pipeline(pipeline_of(aggregate="UPGrad"))
    assert (
        str(mistake)
        == "train.aggregate.key: 'UPGrad' is TorchJD's, which is not installed; run pip install 'tsunagu[objectives]'"
    )


def test_losses_that_share_no_task_leave_nothing_to_trade_off():
    apart = {"a": _task(["x"], "a", "s"), "b": _task(["x"], "b", "t")}
    pipeline, joint = _joint(apart, aggregate="mgda")
    assert aggregator_of(pipeline, joint) is None
    (mistake,) = check_pipeline(pipeline)
    assert "no two losses reach one task" in str(mistake)


def test_a_weight_of_nothing_takes_its_loss_out_of_what_is_combined(pipeline_of):
    chain = pipeline_of(aggregate="mgda")
    tasks = dict(chain.tasks)
    loss = LossTerm(key="four_momentum", target="true_tau_p4", weight=0.0)
    tasks["calibrate"] = tasks["calibrate"].model_copy(update={"loss": loss})
    (mistake,) = check_pipeline(chain.model_copy(update={"tasks": tasks}))
    assert str(mistake) == SINGLE
    assert aggregator_of(chain, stages(chain)[-1]) == Mgda()


def test_a_weight_to_be_chosen_later_and_an_aggregator_that_sets_it_do_not_go_together(pipeline_of):
    place = ("tasks", "calibrate", "loss", "weight")
    (mistake,) = check_conditioned_weights(pipeline_of(aggregate="mgda"), [place])
    assert str(mistake) == (
        "tasks.calibrate.loss.weight: this weight is a condition, and train.aggregate: mgda sets the weights itself; take "
        "aggregate: sum, or give the weight as a number"
    )
    assert check_conditioned_weights(pipeline_of(), [place]) == []
