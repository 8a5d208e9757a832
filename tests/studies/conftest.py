"""A small classifier on two variables, run once with three folds, and everything that varies its events."""

from __future__ import annotations

import numpy as np
import pytest

from tsunagu.spec import (
    Analysis,
    Bins,
    Data,
    Folds,
    LabelledProcess,
    LossTerm,
    OtherFiles,
    OtherWeights,
    Scale,
    Shifted,
    Study,
    Task,
    Train,
    Yields,
    node,
)
from tsunagu.studies import run_study


def two_variables(events=3000, seed=7, shift=0.0):
    """Two jets' pt: the sum tells signal from background."""
    draw = np.random.default_rng(seed)
    label = draw.integers(0, 2, events)
    pt = draw.exponential(20.0, (events, 2)) + 25.0 + (18.0 + shift) * label[:, None]
    return {
        "jet_pt": pt.astype(np.float32),
        "label": label.astype(np.int8),
        "weight": np.where(label, 0.02, 1.0) * np.where(draw.random(events) < 0.1, -0.5, 1.0),
        "train_weight": np.ones(events),
        "pileup_up": (1.0 + 0.002 * (pt[:, 0] - 45.0)).astype(np.float32),
        "event_number": np.arange(events) + 1000 * seed,
    }


def softer(given, size):
    return {"jet_pt": given["jet_pt"] * (1.0 + 0.05 * size)}


SYSTEMATICS = {
    "tes": Scale(key="scale", columns="jet_pt", up=1.05, down=0.95),
    "same": Shifted(key="function", function="tests_softer:softer", columns="jet_pt"),
    "pileup": OtherWeights(key="weights", up="pileup_up", factor=True),
    "generator": OtherFiles(key="files", up="other.npz", processes=["higgs"]),
    "xsec": Yields(key="norm", up=1.1, processes=["z"]),
}


def analysed(folder, **changes):
    folds = {str(test): Folds(k=3, test=test, validation=(test + 1) % 3).model_dump() for test in range(3)}
    task = Task(
        inputs=["momenta"],
        output="score",
        model=node("MLP", inputs=2, hidden=[8], momenta=False),
        loss=LossTerm(key="binary", target="label"),
    )
    settings = {
        "data": Data(
            files="events.npz",
            columns={"momenta": "jet_pt"},
            weight="weight",
            train_weight="train_weight",
            folds=Folds(k=3),
        ),
        "tasks": {"classify": task},
        "train": Train(epochs=5, batch_size=64, optimizer=node("Adam", lr=1e-2)),
        "metric": "auc(score, label)",
        "vary": {"data.folds": folds},
        "seeds": 1,
        "analysis": Analysis(
            score="score",
            processes={
                "higgs": LabelledProcess(column="label", value=1, signal=True),
                "z": LabelledProcess(column="label", value=0, scale=2.0),
            },
            binning=Bins(bins=4, fine=40),
            luminosity=0.02,
            variables=["jet_pt"],
        ),
        "systematics": SYSTEMATICS,
    }
    return Study(**settings | changes)


@pytest.fixture(scope="session")
def analysed_folder(tmp_path_factory):
    """The study's folder with its files and its results in ``run``."""
    folder = tmp_path_factory.mktemp("analysed")
    np.savez(folder / "events.npz", **two_variables())
    np.savez(
        folder / "other.npz",
        **{k: v for k, v in two_variables(seed=9, shift=5.0).items() if k != "pileup_up"},
    )
    assert not run_study(analysed(folder), folder / "run", base=folder).failures
    return folder


@pytest.fixture
def analysed_study(analysed_folder, monkeypatch):
    import sys
    import types

    module = types.ModuleType("tests_softer")
    module.softer = softer
    monkeypatch.setitem(sys.modules, "tests_softer", module)
    return lambda **changes: analysed(analysed_folder, **changes)
