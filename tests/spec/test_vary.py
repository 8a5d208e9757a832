from __future__ import annotations

import pytest

from tsunagu.errors import Mistake, SpecError
from tsunagu.spec import Data, LossTerm, Study, Task, Train, apply_variation, blame, node, variations


def _study(**vary):
    task = Task(inputs=["x"], output="y", model=node("MLP", hidden=[8]), loss=LossTerm(key="mse", target="t"))
    vary = {path.replace("__", "."): options for path, options in vary.items()}
    return Study(
        data=Data(files="a"), tasks={"fit": task}, train=Train(epochs=3), metric="mse(y, t)", vary=vary
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
    varied = apply_variation(
        _study(), {"tasks.fit.model.args.hidden": [4, 4], "tasks.fit.model.args.dropout": 0.1}
    )
    assert varied.tasks["fit"].model == node("MLP", hidden=[4, 4], dropout=0.1)


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
    found = [Mistake(("tasks", "fit", "model", "args", "hiden"), "x"), Mistake(("metric",), "y")]
    assert [m.path for m in blame(found, labels)] == [
        ("vary", "tasks.fit.model", "b", "args", "hiden"),
        ("metric",),
    ]
