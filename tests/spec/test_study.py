"""Whole studies: Python and YAML say the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tsunagu.errors import ChoiceError, SpecError
from tsunagu.spec import (
    Choice,
    Data,
    LossTerm,
    Pipeline,
    Study,
    Task,
    architectures,
    choice,
    choices,
    count,
    digest,
    dump_yaml,
    load_study,
    node,
    resolve,
    schema,
    to_data,
    validate_study,
    walk,
)

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(data=st.data())
def test_python_to_yaml_and_back(studies, data, tmp_path_factory):
    study = data.draw(studies)
    path = tmp_path_factory.getbasetemp() / "drawn.yaml"
    path.write_bytes(dump_yaml(study).encode())
    again = load_study(path).study
    assert again == study
    assert digest(again) == digest(study)
    assert dump_yaml(again) == dump_yaml(study)


@SLOW
@given(data=st.data())
def test_data_and_back_whatever_the_order_of_its_keys(studies, data):
    study = data.draw(studies)
    again, mistakes = validate_study(_reversed(to_data(study)))
    assert mistakes == []
    assert digest(again) == digest(study)
    assert again == study


@SLOW
@given(data=st.data())
def test_a_study_fits_its_schema(studies, data):
    study = data.draw(studies)
    assert not [error.message for error in Draft202012Validator(schema()).iter_errors(to_data(study))]


@SLOW
@given(data=st.data())
def test_every_architecture_of_a_pipeline_is_one_without_choices(studies, data):
    pipeline = data.draw(studies).pipeline
    try:
        number = count(pipeline)
    except ChoiceError:
        with pytest.raises(ChoiceError):  # one name, two definitions: for all alike
            choices(pipeline)
        return
    assume(number <= 60)
    found = list(architectures(pipeline))
    assert len(set(found)) == len(found) == number
    for architecture in found:
        resolved = resolve(pipeline, architecture)
        assert isinstance(resolved, Pipeline)
        assert not any(isinstance(part, Choice) for _, part in walk(resolved))


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ({"label": {"one": 0.1}}, "a class is a whole number, found 'one'"),
        ({"label": {1: 1.5}}, "data.keep.label.1: .*1.5"),
        ({"label": {}}, "data.keep.label: must not be empty"),
        ({"label": 0.1}, "data.keep.label: .*0.1"),
    ],
)
def test_what_is_no_fraction_of_a_class_has_its_place(keep, message):
    _, mistakes = validate_study({"data": {"files": "a", "keep": keep}, "tasks": {}, "metric": "m"})
    assert any(re.search(message, str(mistake)) for mistake in mistakes), [str(m) for m in mistakes]


def test_the_digest_of_a_pipeline_is_pinned():
    # Trials are stored under a hash of this form: if it changes, stored results are not found again, and the number
    # `NUMERICS` is not what tells it. Change the value here only together with a line in the change log.
    task = Task(
        inputs=["x"],
        output="y",
        model=choice(lin=node("Linear", 4, choice(8, 16, name="w")), mlp=node("MLP", hidden=[32], rate=1e-3)),
        loss=LossTerm(key="mse", target="t", weight=0.5),
    )
    pipeline = Pipeline(tasks={"fit": task}, metric="mse(y, t)")
    assert digest(task) == "a3524f146ffde7f1d362e0aa95b29a82a5a8560c9f57000f1b5a1433efe882c4"
    assert digest(pipeline) == "7fbcb074c3c0d41171c53881678466c6298255cb78c8961bbcc44984231ede36"


def test_python_reports_all_mistakes_at_once_too():
    with pytest.raises(SpecError) as caught:
        Study(data=Data(files="a"), tasks={}, metric=3, seeds=0, metrcs=[])
    assert [str(mistake).split(":")[0] for mistake in caught.value.mistakes] == [
        "tasks",
        "metric",
        "seeds",
        "metrcs",
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "0", None, True])
def test_what_stands_in_for_missing_values_is_a_finite_number(value):
    with pytest.raises(SpecError, match=r"missing\.pt: expected a (finite )?number"):
        Data(files="a", missing={"pt": value})


def _reversed(data):
    if isinstance(data, dict):
        return {name: _reversed(part) for name, part in reversed(data.items())}
    return [_reversed(part) for part in data] if isinstance(data, list) else data
