"""What an export holds, and that it is what was trained."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
import torch

from tsunagu.errors import ChoiceError, DataError, ResumeError, TsunaguError
from tsunagu.export import LIMIT, Manifest, Model
from tsunagu.export.onnx import Session
from tsunagu.studies import export_study
from tsunagu.trials import load_graph

K = 3


def test_there_is_a_model_for_every_fold_chosen_on_its_validation_events(rotated, exported):
    manifest = Manifest.load(exported)
    assert manifest.rotates
    assert [(each.folder, each.test, each.validation) for each in manifest.members] == [
        ("fold0", 0, 1),
        ("fold1", 1, 2),
        ("fold2", 2, 0),
    ]
    for member in manifest.members:
        aucs = {}
        for path in (rotated / "trials").glob("*/seen.json"):
            result = json.loads((path.parent / "result.json").read_text(encoding="utf-8"))
            if str(member.test) in json.loads(path.read_text(encoding="utf-8"))["test"]:
                aucs[result["digest"]] = result["metrics"]["validation_auc"]
        assert len(aucs) == 2
        assert aucs[member.trial] == max(aucs.values())
        assert set(member.difference) == {"tau_p4", "score"}
        assert max(member.difference.values()) <= LIMIT


def test_the_stored_scores_come_back_from_onnx_at_another_batch_size(exported, sample_file):
    manifest, model = Manifest.load(exported), Model.load(exported)
    events = np.load(sample_file)
    p4 = np.stack([events[name] for name in ("jet_pt", "jet_eta", "jet_phi", "jet_mass")], axis=-1)
    columns = {"jet_image": events["jet_image"], "jet_p4": p4}
    columns = {name: columns[name] for name in (each.name for each in manifest.inputs)}
    made, fold = model.score(columns, events["event_number"])
    for member in manifest.members:
        stored = np.load(exported.parent / "trials" / member.trial / "predictions.npz")
        own = np.isin(events["event_number"], stored["test_event_number"])
        assert set(fold[own]) == {member.test}
        np.testing.assert_allclose(made["score"][own], stored["test_score"], atol=1e-6)
        np.testing.assert_allclose(made["tau_p4"][own], stored["test_tau_p4"], rtol=1e-6, atol=1e-6)


def test_an_onnx_file_says_what_it_is(exported):
    session = Session(exported / "fold1" / "model.onnx")
    notes = session.notes
    assert session.outputs == ["tau_p4", "score"]
    assert (notes["test_fold"], notes["validation_fold"], notes["k"], notes["name"]) == (
        "1",
        "2",
        "3",
        "Higgs → ττ",
    )
    (p4,) = (each for each in json.loads(notes["inputs"]) if each["name"] == "jet_p4")
    assert (p4["columns"], p4["shape"]) == (["jet_pt", "jet_eta", "jet_phi", "jet_mass"], [2, 4])
    assert len(notes["trial"]) == 64
    proto = onnx.load(exported / "fold1" / "model.onnx")
    onnx.checker.check_model(proto)
    (first, *_) = {value.type.tensor_type.shape.dim[0].dim_param for value in proto.graph.input}
    assert first == "events"


def test_a_folder_of_it_is_a_plain_module_and_a_program(exported):
    check = np.load(exported / "check.npz")
    columns = {
        n.removeprefix("input_"): torch.from_numpy(check[n]) for n in check.files if n.startswith("input_")
    }
    with torch.no_grad():
        made = load_graph(exported / "fold2")(columns)
    np.testing.assert_array_equal(made["score"].numpy(), check["fold2_score"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"method": "chian"}, r"no method 'chian' \(did you mean 'chain'\?\)"),
        ({"seed": 7}, r"was not trained with seed 7 \(valid: 1, 2\)"),
        ({"trial": "zz"}, "no trial 'zz'"),
    ],
)
def test_what_there_is_not_is_named(rotated, tmp_path, words, message):
    with pytest.raises(ChoiceError, match=message):
        export_study(rotated, tmp_path / "e", **words)
    assert not list(tmp_path.iterdir())


def test_an_export_is_not_replaced_by_chance(rotated, exported, tmp_path):
    with pytest.raises(ResumeError, match="is there already; --replace"):
        export_study(rotated)
    with pytest.raises(ResumeError, match="not the folder of a study"):
        export_study(tmp_path)


def test_events_that_lack_a_column_leave_nothing_behind(rotated, tmp_path):
    np.savez(tmp_path / "data.npz", event_number=np.arange(30), jet_pt=np.ones((30, 2)))
    with pytest.raises(DataError, match=r"data.npz: no column 'jet_eta'"):
        export_study(rotated, tmp_path / "e", files=[str(tmp_path / "data.npz")])
    assert [path.name for path in tmp_path.iterdir()] == ["data.npz"]


def test_a_model_that_differs_is_not_written(rotated, tmp_path, monkeypatch):
    monkeypatch.setattr("tsunagu.export.writing.difference", lambda *_: 2e-6)
    monkeypatch.setattr("tsunagu.export.writing.rounding", lambda *_: {"tau_p4": 0.0, "score": 2e-6})
    with pytest.raises(
        TsunaguError, match=r"fold \d: tau_p4 differs from torch by 2.0e-06; 1.0e-06 is the limit"
    ):
        export_study(rotated, tmp_path / "e", seed=1)
    assert not list(tmp_path.iterdir())
