"""``tsunagu export``, ``apply`` and ``verify``: what they hand over, say, and end with."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tsunagu.cli import app
from tsunagu.errors import SpecError
from tsunagu.export import Applied, Input, Manifest, Member, Verified


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def calls(monkeypatch):
    """The functions of the library, which only note what they are given."""
    found = {}

    def replaced(name, result):
        def call(*args, **keywords):
            found[name] = args, keywords
            return result

        return call

    member = Member(
        folder="fold2",
        test=2,
        validation=3,
        seed=7,
        trial="a" * 64,
        architecture={},
        sha256={},
        difference={"score": 2e-7},
        rounding={},
    )
    manifest = Manifest(
        name="n",
        method="chain",
        k=5,
        event_number="e",
        inputs=[Input(name="jet_p4", dtype="float32", shape=[2, 4])],
        outputs=[],
        columns={},
        missing={},
        members=[member],
        origin={},
    )
    applied = Applied(
        source="a.npz", path=Path("out/a.npz"), events=9, scored=7, columns=["score"], is_friend=False, seen=4
    )
    verified = Verified(
        problems=("fold0: differs",), differences={("fold0", "model.onnx", "score"): 0.1}, events=9
    )
    monkeypatch.setattr("tsunagu.studies.export_study", replaced("export", manifest))
    monkeypatch.setattr("tsunagu.export.apply_model", replaced("apply", [applied]))
    monkeypatch.setattr("tsunagu.export.verify_export", replaced("verify", verified))
    return found


def test_export_says_how_exact_it_is_and_that_one_model_is_no_rotation(calls):
    text = run("export", "run", "--seed", 7, "--to", "models").stdout
    assert calls["export"][0] == (Path("run"), Path("models"))
    assert calls["export"][1]["seed"] == 7
    assert "fold2: seed 7, trial aaaaaaaaaaaa; onnxruntime against torch: score 2.0e-07" in text
    assert "one model: events of folds other than 2 of 5 were trained or chosen on" in text


def test_apply_hands_over_its_options_and_warns_of_events_that_were_seen(calls):
    text = run(
        "apply", "models", "a.npz", "b.npz", "--out", "out", "--folds", "mean", "--output", "tau_p4"
    ).stdout
    args, keywords = calls["apply"]
    assert args == (Path("models"), ["a.npz", "b.npz"], Path("out"))
    assert (keywords["mode"], keywords["outputs"]) == ("mean", ["tau_p4"])
    assert "2 of them do not pass the study's selection" in text
    assert "4 of them are in folds that this single model was trained or chosen on" in text


def test_verify_ends_with_1_if_anything_differs(calls, monkeypatch):
    found = run("verify", "models")
    assert found.exit_code == 1
    assert "fold0: differs" in found.stdout
    good = Verified(problems=(), differences={("fold0", "model.onnx", "score"): 1e-7}, events=9)
    monkeypatch.setattr("tsunagu.export.verify_export", lambda *_: good)
    found = run("verify", "models", "--limit", 1e-3)
    assert found.exit_code == 0
    assert "models: as it was exported; 9 events, 1 comparisons" in found.stdout


def test_values_of_conditions_are_numbers_by_name(calls):
    run("export", "run", "--at", "one_minus_beta=1e-4", "--at", "trade=[0.3, 0.7]")
    assert calls["export"][1]["at"] == {"one_minus_beta": 1e-4, "trade": [0.3, 0.7]}
    run("apply", "models", "a.npz", "--out", "out", "--at", "mass=500", "--every", "--process", "higgs")
    assert calls["apply"][1]["at"] == {"mass": 500}
    assert (calls["apply"][1]["every"], calls["apply"][1]["process"]) == (True, "higgs")
    with pytest.raises(SpecError, match="expected NAME=VALUE such as one_minus_beta=1e-4, found 'mass'"):
        run("apply", "models", "a.npz", "--out", "out", "--at", "mass")
