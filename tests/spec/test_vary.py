from __future__ import annotations

import pytest

from tsunagu.errors import Mistake, SpecError
from tsunagu.spec import (
    Data,
    LossTerm,
    Study,
    Task,
    Train,
    blame,
    load_study,
    loss,
    node,
    variations,
    weight_scan,
)


def _study(methods=None, **vary):
    task = Task(inputs=["x"], output="y", model=node("MLP", hidden=[8]), loss=LossTerm(key="mse", target="t"))
    vary = {path.replace("__", "."): options for path, options in vary.items()}
    return Study(
        data=Data(files="a"),
        tasks={"fit": task},
        train=Train(epochs=3),
        metric="mse(y, t)",
        methods=methods or {},
        vary=vary,
    )


def test_nothing_varied_is_one_variation():
    assert variations(_study()) == [({}, _study())]


def test_several_axes_give_all_combinations():
    found = variations(
        _study(
            train__epochs={"short": 1, "long": 9}, tasks__fit__model={"a": {"key": "ReLU"}, "b": node("GELU")}
        )
    )
    assert [labels for labels, _ in found] == [
        {"train.epochs": e, "tasks.fit.model": m} for e in ("short", "long") for m in ("a", "b")
    ]
    assert found[3][1].train.epochs == 9
    assert found[3][1].tasks["fit"].model == node("GELU")
    assert not any(study.vary for _, study in found)


def test_an_argument_may_be_varied():
    changes = {
        "tasks__fit__model__args__hidden": {"a": [4, 4]},
        "tasks__fit__model__args__dropout": {"b": 0.1},
    }
    ((_, varied),) = variations(_study(**changes))
    assert varied.tasks["fit"].model == node("MLP", hidden=[4, 4], dropout=0.1)


@pytest.mark.parametrize("axis", ["methods", "vary"])
@pytest.mark.parametrize(
    ("written", "made"),
    [
        ({"key": "huber", "target": "u"}, loss("huber", target="u")),
        (
            {"key": "huber", "target": "u", "weight": 0.5, "args": {"delta": 2.0}},
            loss("huber", target="u", weight=0.5, delta=2.0),
        ),
        (
            [{"key": "mse", "target": "t"}, {"key": "mae", "target": "u"}],
            [loss("mse", target="t"), loss("mae", target="u")],
        ),
    ],
)
def test_a_whole_loss_may_be_set_and_says_the_same_in_yaml_and_python(axis, written, made):
    plain, python = (
        _study({"a": {"tasks.fit.loss": value}})
        if axis == "methods"
        else _study(tasks__fit__loss={"a": value})
        for value in (written, made)
    )
    assert plain == python
    ((_, varied),) = variations(plain)
    assert varied.tasks["fit"].loss == made


WRONG_LOSSES = [
    ("{ key: huber, args: { delta: 1.0 } }", ".target: is missing"),
    ("{ key: huber, target: t, arg: {} }", ".arg: there is no such setting (did you mean 'args'?)"),
    ("{ key: huber, target: t, weight: -1 }", ".weight: must be at least 0, found -1"),
    ("huber", ": expected a mapping, found 'huber'"),
]


@pytest.mark.parametrize(("written", "message"), WRONG_LOSSES)
@pytest.mark.parametrize(
    "axis", ["methods: { a: { tasks.fit.loss: %s } }", "vary: { tasks.fit.loss: { a: %s } }"]
)
def test_a_wrong_loss_has_its_place_in_the_file(tmp_path, axis, written, message):
    path = tmp_path / "study.yaml"
    path.write_text(
        "data: { files: a }\n"
        "tasks: { fit: { inputs: [x], output: y, model: { key: MLP }, loss: { key: mse, target: t } } }\n"
        f"metric: mse(y, t)\n{axis % written}\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError) as caught:
        load_study(path, further=lambda study, _: [m for labels, _ in variations(study) for m in labels])
    (mistake,) = caught.value.mistakes
    assert mistake.where.startswith(f"{path}:4:")
    above = "methods.a.tasks.fit.loss" if axis.startswith("methods") else "vary.tasks.fit.loss.a"
    assert str(mistake).endswith(f"{above}{message}")


METHODS = {
    "small": {"tasks.fit.model": {"key": "ReLU"}, "train.epochs": 1},
    "large": {"tasks.fit.model": node("GELU")},
}


def test_a_method_sets_several_paths_and_joins_the_axes():
    found = variations(_study(METHODS, train__batch_size={"few": 8, "many": 64}))
    assert [labels for labels, _ in found] == [
        {"methods": m, "train.batch_size": b} for m in ("small", "large") for b in ("few", "many")
    ]
    varied = found[1][1]
    assert (varied.tasks["fit"].model, varied.train.epochs, varied.train.batch_size) == (node("ReLU"), 1, 64)
    assert not varied.methods
    assert found[2][1].train.epochs == 3


def test_mistakes_of_a_method_name_its_label_and_its_path():
    with pytest.raises(SpecError) as caught:
        variations(
            _study({"fine": {"train.epochs": 1}, "bad": {"train.epochz": 1}, "worse": {"train.epochs": -1}})
        )
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        "methods.bad.train.epochz: there is no 'epochz' in it (did you mean 'epochs'?)",
        "methods.worse.train.epochs: must be at least 0, found -1",
    ]
    found = [Mistake(("tasks", "fit", "model", "key"), "x")]
    assert blame(found, _study(METHODS), {"methods": "large"})[0].path == (
        "methods",
        "large",
        "tasks.fit.model",
        "key",
    )


def test_mistakes_name_the_axis_and_the_label():
    with pytest.raises(SpecError) as caught:
        variations(_study(train__epochz={"a": 1}))
    assert str(caught.value) == "vary.train.epochz: there is no 'epochz' in it (did you mean 'epochs'?)"
    with pytest.raises(SpecError) as caught:
        variations(_study(train__epochs={"fine": 1, "bad": "five", "worse": -1}))
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        "vary.train.epochs.bad: expected a whole number, found 'five'",
        "vary.train.epochs.worse: must be at least 0, found -1",
    ]


def test_mistakes_of_a_variation_stand_where_its_value_does():
    labels = {"tasks.fit.model": "b", "train.epochs": "long"}
    study = _study(tasks__fit__model={"b": {"key": "ReLU"}}, train__epochs={"long": 9})
    found = [Mistake(("tasks", "fit", "model", "args", "hiden"), "x"), Mistake(("metric",), "y")]
    assert [m.path for m in blame(found, study, labels)] == [
        ("vary", "tasks.fit.model", "b", "args", "hiden"),
        ("metric",),
    ]


def test_a_scan_of_weights_sets_both_and_ends_at_nothing():
    scan = weight_scan("tasks.fit.loss.weight", "train.clip", steps=4)
    assert list(scan) == ["0.00", "0.33", "0.67", "1.00"]
    assert all(sum(values.values()) == pytest.approx(1.0) for values in scan.values())
    assert scan["0.00"] == {"tasks.fit.loss.weight": 0.0, "train.clip": 1.0}
    with pytest.raises(ValueError, match="two steps or more; found 1"):
        weight_scan("a", "b", steps=1)


def test_a_scan_of_weights_is_the_methods_of_a_study():
    scan = weight_scan("tasks.fit.loss.weight", "tasks.fit.loss.weight", steps=3)
    found = [study.tasks["fit"].losses[0].weight for _, study in variations(_study(methods=scan))]
    assert found == [1.0, 0.5, 0.0]
