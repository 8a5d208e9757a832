from __future__ import annotations

import pytest

from tsunagu.spec import Data, LossTerm, Pipeline, Task, check_columns, check_leaks, choice, node

STORED = ["event_number", "weight", "label", "jet_pt", "jet_eta", "tau_pt"]


def _data(**columns):
    return Data(files="a.npz", columns=columns)


def _leaks(target, *inputs, **columns):
    loss = LossTerm(key="mse", target=target)
    task = Task(inputs=list(inputs), output="y", model=node("ReLU"), loss=loss)
    return [str(m) for m in check_leaks(_data(**columns), Pipeline(tasks={"fit": task}, metric="mse(y, t)"))]


def test_every_name_that_is_no_column_has_its_place():
    data = Data(
        files="a",
        columns={"p4": ["jet_pt", "jet_etta"], "q": "p4", "r": "p5"},
        weight="wieght",
        train_weight="q",
        event_number="evt",
        missing={"jet_pt": 0, "p4": 0},
        keep={"p4": {1: 0.1}, "labl": {1: 0.1}},
    )
    assert [str(m).split(" (")[0] for m in check_columns(data, STORED)] == [
        "data.columns.p4.1: there is no column 'jet_etta'",
        "data.columns.r: there is no column 'p5'",
        "data.weight: there is no column 'wieght'",
        "data.event_number: there is no column 'evt'",
        "data.missing.p4: there is no column 'p4'",
        "data.keep.labl: there is no column 'labl'",
    ]


def test_inside_its_own_declaration_a_name_is_the_column_of_the_file():
    assert check_columns(_data(jet_pt=["jet_pt", "jet_eta"]), STORED) == []
    assert len(check_columns(_data(jet_mass=["jet_mass", "jet_eta"]), STORED)) == 1


def test_columns_that_are_made_of_each_other_need_no_file():
    (mistake,) = check_columns(_data(a="b", b=["c", "jet_pt"], c="a", d="a"), None)
    assert mistake.path[:2] == ("data", "columns")
    assert mistake.message.startswith("made of each other: ")


@pytest.mark.parametrize(
    ("target", "inputs", "columns"),
    [
        ("is_higgs", ["label"], {"is_higgs": "label"}),
        ("label", ["is_higgs"], {"is_higgs": "label"}),
        ("truth", ["tau_pt"], {"truth": ["tau_pt", "label"]}),
        ("truth", ["all"], {"truth": "tau_pt", "all": ["tau_pt", "jet_pt"]}),
        ("truth", ["deep"], {"truth": ["tau_pt", "label"], "deep": "middle", "middle": "tau_pt"}),
        (choice("label", "jet_pt"), ["copy"], {"copy": "label"}),
    ],
)
def test_the_truth_under_another_name_is_found(target, inputs, columns):
    (found,) = _leaks(target, *inputs, **columns)
    assert found.startswith("tasks.fit.inputs.0: the truth leaks: ")


def test_a_target_may_share_measured_columns_with_an_input():
    assert _leaks("truth", "jet", truth=["tau_pt", "jet_eta"], jet=["jet_pt", "jet_eta"]) == []
    assert _leaks("is_higgs", "jet_pt", is_higgs="label") == []


def test_a_target_itself_is_left_to_the_graph():
    assert _leaks("label", "label") == []
