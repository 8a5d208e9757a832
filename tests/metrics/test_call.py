"""Metrics by name."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagu.errors import DataError, SpecError
from tsunagu.metrics import auc, find_metric, known_metrics, parse_metric

COLUMN = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.]{0,8}", fullmatch=True)
SPACE = st.sampled_from(["", " ", "\t "])


@given(st.sampled_from(known_metrics()), COLUMN, COLUMN, SPACE)
def test_what_is_written_is_read(name, first, second, space):
    text = f"{space}{name}{space}({space}{first}{space},{space}{second}{space}){space}"
    call = parse_metric(text)
    assert (call.name, call.arguments, call.label) == (name, (first, second), name)
    assert parse_metric(str(call)) == call


@pytest.mark.parametrize(
    "text", ["auc(s, y, class=2)", "efficiency(s, y, class=1, at=0.5)", "purity(s, y, prior=1e-05)"]
)
def test_settings_are_read_as_they_are_written(text):
    assert str(parse_metric(text)) == text
    assert str(parse_metric(text.replace(" ", "").replace("=", " = "))) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("acu(score, y)", r"unknown metric 'acu' \(did you mean 'auc'\?\)"),
        (
            "xyz(score, y)",
            r"unknown metric 'xyz' \(valid: accuracy, ams, auc, average_precision, balanced_accuracy, ",
        ),
        ("auc", r"expected a metric such as 'auc\(score, is_higgs\)', found 'auc'"),
        ("auc(score, y", "expected a metric such as"),
        ("auc(score, y); exit()", "expected a metric such as"),
        ("auc(f(score), y)", "expected a metric such as"),
        ("1 - auc(score, y)", "expected a metric such as"),
        ("auc(score)", "auc takes two names, its prediction and its target, found 'score'"),
        ("auc(score, y, w)", "auc takes two names"),
        ("auc(, y)", "auc takes two names"),
        ("auc(1, y)", "auc takes two names"),
        ("auc(a b, y)", "auc takes two names"),
        ("", "expected a metric such as"),
        ("auc(class=1, score, y)", "auc takes two names"),
        ("auc(score, y, clas=1)", r"auc: unknown setting 'clas' \(did you mean 'class'\?\)"),
        ("bias(p, t, class=1)", "bias: unknown setting 'class'; it has none"),
        ("auc(score, y, class=1.5)", "auc: class must be a whole number from 0, found '1.5'"),
        ("auc(score, y, class=-1)", "auc: class must be a whole number from 0, found '-1'"),
        ("efficiency(s, y, at=half)", "efficiency: at must be a number, found 'half'"),
        ("efficiency(s, y, at=)", "efficiency: expected a setting such as class=1, found 'at='"),
        ("efficiency(s, y, at=.5, at=.6)", "a setting is given twice"),
        ("efficiency(s, y, point=1)", "unknown setting 'point'"),
    ],
)
def test_mistakes(text, message):
    with pytest.raises(SpecError, match=message) as error:
        parse_metric(text)
    assert [mistake.path for mistake in error.value.mistakes] == [("metric",)]


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(SpecError):
        assert parse_metric(text).name in known_metrics()


def test_columns_and_outputs_alike():
    values = {"vis_mass": np.array([80.0, 90.0, 120.0]), "is_higgs": np.array([False, True, True])}
    call = parse_metric("auc(vis_mass, is_higgs)")
    weight = np.array([1.0, 2.0, -0.5])
    assert call.evaluate(values, weight) == auc(values["vis_mass"], values["is_higgs"], weight)


def test_an_error_names_the_call():
    with pytest.raises(DataError, match=r"auc\(s, y\): auc: class 0: the weights of 0 events"):
        parse_metric("auc(s, y)").evaluate({"s": np.ones(2), "y": np.ones(2)}, None)


def test_all_unknown_arguments_are_found():
    mistakes = parse_metric("auc(scor, label)").check(["score", "is_higgs"])
    assert [mistake.message for mistake in mistakes] == [
        "unknown column or output 'scor' in auc(scor, label) (did you mean 'score'?)",
        "unknown column or output 'label' in auc(scor, label) (valid: is_higgs, score)",
    ]
    assert parse_metric("auc(score, is_higgs)").check(["score", "is_higgs"]) == []


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [
        ("auc", 0.9, 0.8),
        ("accuracy", 0.9, 0.8),
        ("mse", 1.0, 2.0),
        ("mae", 1.0, 2.0),
        ("resolution", 0.1, math.inf),
        ("bias", -0.01, 0.02),
        ("bias", 0.01, -1.0),
    ],
)
def test_the_better_value_costs_less_and_nan_most(name, better, worse):
    call = parse_metric(f"{name}(a, b)")
    assert call.cost(better) < call.cost(worse) <= call.cost(math.nan) == math.inf


def test_every_metric_is_documented_with_its_formula_and_errors():
    for name in known_metrics():
        text = find_metric(name).function.__doc__
        assert all(
            part in text for part in (":math:" if name != "auc" else ".. math::", "Args:", "Raises:", ">>>")
        )
