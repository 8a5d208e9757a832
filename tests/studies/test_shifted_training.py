"""A study that shifts the inputs of its training: what is read for it, and what can be wrong with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tsunagu as tn
from tsunagu.data import open_table
from tsunagu.spec import Analysis, Data, LabelledProcess, OtherWeights, Scale, Shifted, Study, Yields, node
from tsunagu.spec.shifts import variants
from tsunagu.studies import open_study_table, run_study
from tsunagu.studies.checks import check_spec

COLUMNS = {
    "p4": ["tau_pt", "tau_eta"],  # stacked, of a shifted and a fixed one
    "tau_pt": "1.1 * tau_pt",  # the name of the file, inside its own declaration
    "ht": "tau_pt + sqrt(`jet pt`)",  # a formula, with a name in quotes
    "high": "ht > 60",
    "plain": "jet pt",
}


@pytest.fixture
def folder(tmp_path):
    draw = np.random.default_rng(5)
    events = 600
    pt = draw.exponential(20.0, events) + 20.0
    pt[:20] = np.nan
    arrays = {"tau_pt": pt, "tau_eta": draw.normal(size=events), "jet pt": draw.exponential(30.0, events)}
    arrays |= {"label": draw.integers(0, 2, events), "event_number": np.arange(events)}
    np.savez(tmp_path / "a.npz", **arrays)
    (tmp_path / "tests_shift_taus.py").write_text(
        "def move(given, size):\n    return {'tau_pt': given['tau_pt'] + size}\n", encoding="utf-8"
    )
    return tmp_path


SCALE = Scale(key="scale", columns="tau_pt", up=1.2)
MOVE = Shifted(key="function", function="tests_shift_taus:move", columns="tau_pt", up=2.0, down=-1.0)


def study(inputs=("p4", "ht", "high", "plain"), args=None, systematics=None, **changes):
    model = node("MLP", hidden=[4], inputs=2, momenta=False, activation="Tanh")
    tasks = {
        "classify": tn.Task(
            inputs=["p4"], output="score", model=model, loss=tn.loss("binary", target="label")
        )
    }
    for name in inputs[1:]:
        own = node("MLP", hidden=[4], inputs=1, momenta=False)
        tasks[name] = tn.Task(
            inputs=[name], output=f"from_{name}", model=own, loss=tn.loss("binary", target="label")
        )
    augment = [node("systematic", **{"name": "tes"} | (args or {}))]
    data = Data(files="a.npz", columns=COLUMNS, missing={"tau_pt": 0.0}, select="tau_pt > 35 or tau_pt < 1")
    settings = {
        "data": data,
        "tasks": tasks,
        "metric": "auc(score, label)",
        "train": tn.Train(epochs=1, pretrain=False, augment=augment),
        "systematics": {"tes": SCALE, "moved": MOVE} if systematics is None else systematics,
    }
    return Study(**settings | changes)


def scaled(folder, factor=1.0, more=0.0):
    """The columns of a study whose files have other taus, of the events that the nominal selection keeps."""
    arrays = dict(np.load(folder / "a.npz"))
    kept = np.isnan(arrays["tau_pt"]) | (1.1 * arrays["tau_pt"] > 35)
    arrays["tau_pt"] = arrays["tau_pt"] * factor + more
    np.savez(folder / "b.npz", **{name: values[kept] for name, values in arrays.items()})
    table = open_table(
        folder / "b.npz",
        columns=COLUMNS,
        missing={"tau_pt": 0.0},
        folds=tn.Folds(),
        needed=["p4", "ht", "high"],
    )
    return table.columns


def test_the_ends_are_what_shifted_files_would_give_and_the_selection_stays(folder):
    table = open_study_table(study(), folder)
    expected = scaled(folder, 1.2)
    for name in ("p4", "ht", "high"):
        assert torch.equal(table.columns[f"{name}__tes__up"], expected[name])
        assert torch.equal(table.columns[name], scaled(folder)[name])
    assert "plain__tes__up" not in table.columns
    assert "p4__tes__down" not in table.columns  # mirrored
    assert len(table) < 600


def test_a_function_of_columns_has_both_ends(folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    table = open_study_table(study(args={"name": "moved"}), folder)
    for end, more in (("up", 2.0), ("down", -1.0)):
        assert torch.equal(table.columns[f"p4__moved__{end}"], scaled(folder, more=more)["p4"])


@pytest.mark.parametrize("memory", ["2GB", "24kB"])
def test_mapped_columns_are_the_same(folder, memory):
    whole = open_study_table(study(), folder)
    data = study().data.model_copy(update={"memory": Data(files="a", memory=memory).memory})
    table = open_study_table(study(data=data), folder)
    assert table.is_mapped == (memory == "24kB")
    assert (table.columns.keys(), table.fingerprint) == (whole.columns.keys(), whole.fingerprint)


def test_a_study_runs_and_a_method_may_shift_what_others_do_not(folder):
    methods = {
        "nominal": {"train.augment": []},
        "shifted": {"train.augment": [node("systematic", name="tes")]},
    }
    varied = study(
        inputs=("p4", "ht", "plain"),
        methods=methods,
        train=tn.Train(epochs=1, pretrain=False),
        systematics={"tes": SCALE},
        metric="mse(score, label)",
    )
    outcome = run_study(varied, folder / "out", base=folder)
    assert (len(outcome.rows), outcome.failures) == (2, [])
    assert len({str(row) for row in outcome.rows}) == 2


def test_without_a_shift_nothing_is_read_for_one(folder):
    table = open_study_table(study(train=tn.Train()), folder)
    assert not [name for name in table.columns if "__" in name]


WEIGHTS = OtherWeights(key="weights", up="label")
MISTAKES = {
    "there is no systematic 'tse' (did you mean 'tes'?)": {"args": {"name": "tse"}},
    "'tes' is of the kind weights, which changes no input": {"systematics": {"tes": WEIGHTS}},
    "'tes' concerns z only; say which events shift": {
        "systematics": {"tes": SCALE.model_copy(update={"processes": ["z"]})}
    },
    "there is no column of the files 'tua_pt' (did you mean 'tau_pt'?)": {
        "systematics": {"tes": SCALE.model_copy(update={"columns": "tua_pt"})}
    },
    "and no training that it shifts; declare `analysis:`": {
        "systematics": {"tes": SCALE, "xsec": Yields(key="norm", up=1.1)}
    },
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_told_with_what_would_be_right(words, folder):
    found = [str(mistake) for mistake in check_spec(study(systematics={"tes": SCALE}), folder)]
    assert found == []
    wrong = {"systematics": {"tes": SCALE}} | MISTAKES[words]
    found = [str(mistake) for mistake in check_spec(study(**wrong), folder)]
    assert len([line for line in found if words in line]) == 1, found


def test_a_measurement_may_have_the_same_systematics(folder):
    own = {
        "h": LabelledProcess(column="label", value=1, signal=True),
        "z": LabelledProcess(column="label", value=0),
    }
    whole = study(
        analysis=Analysis(score="score", processes=own),
        systematics={"tes": SCALE, "xsec": Yields(key="norm", up=1.1)},
    )
    assert check_spec(whole, folder) == []


def test_what_is_not_changed_keeps_its_name():
    declared = {"a": ["x", "b"], "b": "f + abs(x)", "x": "2 * x"}
    made, raw = variants(["a", "b", "x", "other"], declared, ["f"], "s", "up")
    assert made == {"a__s__up": ["x", "b__s__up"], "b__s__up": "f__s__up__in_file + abs(x)"}
    assert raw == {"f__s__up__in_file": "f"}
    made, raw = variants(["x"], {"x": ["x", "f"]}, ["f"], "s", "up")
    assert made == {"x__s__up": ["x__s__up__in_file", "f__s__up__in_file"]}
    assert raw == {"x__s__up__in_file": "x", "f__s__up__in_file": "f"}
