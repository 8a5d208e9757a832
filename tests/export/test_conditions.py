"""Conditions in an export: an input that is chosen event by event, or constants of one working point."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from tsunagu.errors import DataError, SpecError
from tsunagu.export import Manifest, Model, apply_model, verify_export
from tsunagu.export.onnx import Session
from tsunagu.spec import choice, condition, log_uniform, node, simplex
from tsunagu.studies import export_study, run_study
from tsunagu.trials import Store, load_graph

CASES = {
    "strength": (lambda _: condition("strength", log_uniform(1e-3, 1.0)), 0.01, [1.0]),
    "trade": (
        lambda part: condition("trade", simplex("calibrate", "classify"), part=part),
        [0.9, 0.1],
        [0.2, 0.8],
    ),
}


@pytest.fixture(scope="module", params=CASES)
def case(request, study_of, pipeline_of, tmp_path_factory):
    """A run with a condition: its folder, its export, the condition's name, and two values of it."""
    weight, *values = CASES[request.param]
    pipeline = pipeline_of(second=node("MLP", hidden=[8]), epochs=2)
    tasks = {
        name: task.model_copy(
            update={"loss": [term.model_copy(update={"weight": weight(name)}) for term in task.losses]}
        )
        for name, task in pipeline.tasks.items()
    }
    study = study_of(pipeline.model_copy(update={"tasks": tasks}))
    out = tmp_path_factory.mktemp("conditions")
    run_study(study, out, base=out)
    export_study(out)
    return out, out / "export", request.param, values


def columns_of(export, events):
    check = np.load(export / "check.npz")
    names = [each.name for each in Model.load(export).columns]
    return {name: check[f"input_{name}"][:events] for name in names}


@pytest.mark.parametrize("events", [1, 7, 200])
def test_a_condition_is_an_input_under_its_name_in_its_own_numbers(case, events):
    out, export, name, values = case
    session, columns = Session(export / "fold0" / "model.onnx"), columns_of(export, events)
    given = np.tile(np.asarray(values[0], dtype=np.float64), (events, 1) if name == "trade" else events)
    made = session.run(columns | {name: given})["score"]
    (member,) = Manifest.load(export).members
    plain = Store(out / "trials").find(member.trial).module(**{name: values[0]})
    with torch.no_grad():
        expected = plain({n: torch.from_numpy(c) for n, c in columns.items()})["score"].numpy()
    np.testing.assert_allclose(made, expected, rtol=0, atol=1e-6)
    other = np.tile(np.asarray(values[1], dtype=np.float64), (events, 1) if name == "trade" else events)
    assert not np.allclose(session.run(columns | {name: other})["score"], made, atol=1e-6)


def test_the_manifest_says_its_range_and_a_stored_batch_has_all_of_it(case):
    _, export, name, _ = case
    (told,) = Model.load(export).conditions
    assert (told.name, told.dtype, told.is_condition) == (name, "float64", True)
    assert json.loads(Session(export / "fold0" / "model.onnx").notes["inputs"])[-1]["default"] == list(
        told.default
    )
    stored = np.load(export / "check.npz")[f"input_{name}"]
    np.testing.assert_allclose(stored.min(axis=0), told.low[0] if name == "strength" else told.low)
    assert verify_export(export).problems == ()


def test_baked_in_it_is_an_input_no_more(case, tmp_path):
    out, export, name, (value, _) = case
    manifest = export_study(out, tmp_path / "e", at={name: value})
    assert [each.name for each in manifest.inputs] == ["jet_p4"]
    assert Manifest.load(tmp_path / "e").at == {name: value}
    columns = columns_of(export, 50)
    made = Session(tmp_path / "e" / "fold0" / "model.onnx").run(columns)["score"]
    model = Model.load(export)
    open_ = model.score(
        columns | {name: np.atleast_1d(value) if name == "strength" else np.array([value])}, None
    )
    np.testing.assert_allclose(made, open_[0]["score"], rtol=0, atol=1e-6)
    assert verify_export(tmp_path / "e").problems == ()


def test_files_are_scored_at_the_value_that_is_given_or_in_the_middle(case, tmp_path, sample_file):
    _, export, name, values = case
    made = {}
    for label, at in {"middle": {}, "first": {name: values[0]}, "second": {name: values[1]}}.items():
        (done,) = apply_model(export, [sample_file], tmp_path / label, at=at)
        made[label] = np.load(done.path)["score"]
    assert not np.allclose(made["first"], made["second"], atol=1e-6)
    (told,) = Model.load(export).conditions
    (done,) = apply_model(export, [sample_file], tmp_path / "told", at={name: list(told.default)})
    np.testing.assert_array_equal(np.load(done.path)["score"], made["middle"])
    np.testing.assert_allclose(np.load(done.path)["score_test_fold"], 0)


def test_other_names_and_numbers_are_refused(case, tmp_path, sample_file):
    out, export, name, _ = case
    with pytest.raises(DataError, match="there is no condition 'mass'"):
        apply_model(export, [sample_file], tmp_path / "o", at={"mass": 1.0})
    with pytest.raises(DataError, match=f"{name}: expected a number.*found 'x'"):
        apply_model(export, [sample_file], tmp_path / "o", at={name: "x"})
    with pytest.raises(SpecError, match="there is no condition 'mass'"):
        export_study(out, tmp_path / "e", at={"mass": 1.0})
    assert not list(tmp_path.iterdir())


def test_a_value_outside_of_what_was_trained_gives_a_warning(case, tmp_path, sample_file):
    _, export, name, _ = case
    outside = 9.0 if name == "strength" else [1.5, -0.5]
    with pytest.warns(UserWarning, match=f"{name} = .* is outside of what was trained"):
        apply_model(export, [sample_file], tmp_path / "o", at={name: outside})


def test_a_chosen_architecture_is_what_is_exported(study_of, pipeline_of, tmp_path):
    first = choice(scale=node("ScaleFactor"), mlp=node("TauMLP", hidden=[8]))
    study = study_of(pipeline_of(first=first, second=node("MLP", hidden=[8]), epochs=1), search="Grid")
    run_study(study, tmp_path / "run", base=tmp_path)
    (member,) = export_study(tmp_path / "run").members
    assert set(member.architecture.values()) <= {"scale", "mlp"}
    assert json.loads(
        Session(tmp_path / "run" / "export" / "fold0" / "model.onnx").notes["architecture"]
    ) == dict(member.architecture)
    chosen = (tmp_path / "run" / "chosen.csv").read_text(encoding="utf-8")
    assert member.trial in chosen
    assert load_graph(tmp_path / "run" / "export" / "fold0").models["calibrate"] is not None
