"""Conditions and schedules as data: written, read, compared, and refused where they cannot be meant."""

from __future__ import annotations

import pytest

import tsunagu as tn
from tsunagu.errors import SpecError
from tsunagu.spec import Condition, LossTerm, Schedule, canonical, dump_yaml, parse_value, resolve, to_data

BETA = tn.condition("one_minus_beta", tn.log_uniform(1e-6, 1.0))
EACH = {
    "range": BETA,
    "part": tn.condition("trade", tn.simplex("a", "b"), part="a"),
    "alpha": tn.condition("trade", tn.dirichlet("a", "b", alpha=1.2), part="b"),
    "column": tn.condition("mass", tn.uniform(100.0, 200.0), column="true_mass", where="is_signal"),
    "own": tn.condition("mine", tn.node("package.module:Prior", width=2.0)),
    "schedule": tn.schedule("linear", 0.0, 1.0),
    "named": tn.schedule("step", start=0.0, end=1.0, after=0.3),
}


@pytest.mark.parametrize("value", EACH.values(), ids=EACH)
def test_python_and_yaml_say_the_same(value):
    again, mistakes = parse_value(to_data(value))
    assert not mistakes
    assert (again, hash(again), canonical(again)) == (value, hash(value), canonical(value))
    term = tn.loss("huber", target="t", weight=value, delta=value)
    assert LossTerm(**to_data(term)) == term


def test_the_short_and_the_long_form_are_one():
    long = {"condition": "one_minus_beta", "key": "log_uniform", "args": [1e-6, 1.0]}
    assert parse_value(long) == (BETA, [])
    assert dump_yaml(BETA) == "condition: one_minus_beta\nlog_uniform: [1.0e-06, 1.0]\n"


def test_kinds_of_numbers_and_values_are_told_apart():
    assert tn.condition("a", tn.uniform(0, 1)) != tn.condition("a", tn.uniform(0.0, 1.0))
    assert Schedule("linear", [0.0, 1.0]) != Condition("linear", "linear", [0.0, 1.0])


def test_a_choice_may_stand_between_and_inside_them():
    value = tn.choice(
        fixed=1e-4, drawn=tn.condition("b", tn.log_uniform(tn.choice(1e-6, 1e-4, name="low"), 1.0))
    )
    assert resolve({"w": value}, {"w": "drawn", "low": "0.0001"})["w"] == tn.condition(
        "b", tn.log_uniform(1e-4, 1.0)
    )
    assert resolve({"w": value}, {"w": "fixed"}) == {"w": 1e-4}


def test_without_conditions_a_pipeline_is_said_as_before():
    task = tn.Task(inputs=["x"], output="y", model=tn.node("MLP"), loss=tn.loss("mse", target="t"))
    assert "conditions" not in to_data(tn.Pipeline(tasks={"fit": task}, metric="mse(y, t)"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"condition": "w"}, "found no distribution"),
        (
            {"condition": "w", "uniform": [0, 1], "colunm": "x"},
            "found 'colunm' beside 'uniform' .did you mean 'column'",
        ),
        ({"condition": "", "uniform": [0, 1]}, "expected a name, found ''"),
        ({"condition": "w", "uniform": 3}, "expected a list or a mapping of arguments, found 3"),
        ({"schedule": "linear", "from": 0}, "found 'from'"),
        ({"schedule": "linear", "args": 3}, "expected a list or a mapping of arguments, found 3"),
    ],
)
def test_what_cannot_be_meant_is_refused(data, words):
    with pytest.raises(SpecError, match=words):
        LossTerm(key="huber", target="t", weight=data)
    with pytest.raises(SpecError, match=words):
        LossTerm(key="huber", target="t", args={"delta": data})
