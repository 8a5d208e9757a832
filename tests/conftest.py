"""A small made-up sample with the columns of the real one, and a two-step study on it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import settings

from tsunagu.data import Table, open_table
from tsunagu.spec import Data, Folds, LossTerm, Pipeline, Study, Task, Train, node

torch.set_num_threads(1)
# The same examples in every run, so that a failure is that of the change; HYPOTHESIS=default looks for further ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS", "same"))

COLUMNS = {
    "jet_p4": ["jet_pt", "jet_eta", "jet_phi", "jet_mass"],
    "true_tau_p4": ["tau_full_pt", "tau_full_eta", "tau_full_phi"],
    "is_higgs": "label",
}


def made_up_events(events: int = 240, seed: int = 5) -> dict[str, np.ndarray]:
    """Two classes whose taus differ in pt; jets are taus that lost a share of it."""
    draw = np.random.default_rng(seed)
    label = draw.integers(0, 2, events)
    pt = draw.exponential(20.0, (events, 2)) + 25.0 + 12.0 * label[:, None]
    share = draw.uniform(0.5, 1.0, (events, 2))
    eta, phi = draw.normal(0.0, 1.0, (events, 2)), draw.uniform(-np.pi, np.pi, (events, 2))
    image = draw.exponential(1.0, (events, 2, 3, 16, 16)) * (draw.random((events, 2, 3, 16, 16)) < 0.05)
    arrays = {
        "jet_pt": pt * share,
        "jet_eta": eta,
        "jet_phi": phi,
        "jet_mass": draw.uniform(1.0, 8.0, (events, 2)),
        "jet_image": image,
        "tau_full_pt": pt,
        "tau_full_eta": eta,
        "tau_full_phi": phi,
        "vis_mass": (pt * share).sum(axis=1),
        "weight": draw.uniform(0.5, 1.5, events),
    }
    floats = {name: values.astype(np.float32) for name, values in arrays.items()}
    return floats | {
        "label": label.astype(np.int8),
        "event_number": np.arange(events, dtype=np.int64) + 10_000_000,
    }


@pytest.fixture(scope="session")
def sample_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "events.npz"
    np.savez(path, **made_up_events())
    return path


@pytest.fixture(scope="session")
def table(sample_file: Path) -> Table:
    return open_table([str(sample_file)], columns=COLUMNS, weight="weight", folds=Folds())


def make_pipeline(
    first: object = None, second: object = None, metrics: tuple[str, ...] = (), **train: object
) -> Pipeline:
    """The chain of the demo with small models and few epochs."""
    calibrate = Task(
        inputs=["jet_image", "jet_p4"],
        output="tau_p4",
        model=first or node("ScaleFactor"),
        loss=LossTerm(key="four_momentum", target="true_tau_p4", weight=0.5),
    )
    classify = Task(
        inputs=["tau_p4"],
        output="score",
        model=second or node("MassMLP"),
        loss=LossTerm(key="binary", target="is_higgs", weight=0.5),
    )
    settings = {"epochs": 2, "batch_size": 32} | train
    return Pipeline(
        tasks={"calibrate": calibrate, "classify": classify},
        train=Train(**settings),
        metric="auc(score, is_higgs)",
        metrics=list(metrics),
    )


def make_study(sample: Path, pipeline: Pipeline | None = None, **fields: object) -> Study:
    """The study around :func:`make_pipeline`."""
    chain = pipeline or make_pipeline()
    return Study(
        data=Data(files=str(sample), columns=COLUMNS, weight="weight"),
        tasks=chain.tasks,
        train=chain.train,
        metric=chain.metric,
        metrics=chain.metrics,
        **fields,
    )


@pytest.fixture(scope="session")
def pipeline_of() -> object:
    return make_pipeline


@pytest.fixture(scope="session")
def study_of(sample_file: Path) -> object:
    def make(pipeline: Pipeline | None = None, **fields: object) -> Study:
        return make_study(sample_file, pipeline, **fields)

    return make


@pytest.fixture(scope="session")
def made_up() -> object:
    return made_up_events


# A study of three processes with everything that a measurement varies, and pseudo-data.
SHIFTS = """
import numpy as np


def smear(columns, size):
    # Shifts that depend on the direction, as a resolution has them.
    return {"jet_pt": columns["jet_pt"] * (1.0 + 0.04 * size * np.cos(columns["jet_eta"]))}
"""
MEASURED = {
    "name": "Three processes",
    "data": {
        "processes": {
            "higgs": {"files": "higgs.npz", "label": 1, "cross_section": "0.02 pb", "generated": "sum(gen)"},
            "z": {"files": "z.npz", "label": 0, "cross_section": "2 pb", "generated": "sum(gen)"},
            "qcd": {"files": "qcd.npz", "label": 0, "norm": 500.0, "generated": "entries"},
            "observed": {"files": "observed.npz", "observed": True},
        },
        "luminosity": "1 /fb",
        "units": {"jet_pt": "MeV"},
        "select": "ht > 70",
        "columns": {"ht": "jet_pt[0] + jet_pt[1]", "lead": "max(jet_pt[0], jet_pt[1])", "eta": "jet_eta[0]",
                    "features": ["lead / 60 - 1", "ht / 100 - 1", "eta"]},
        "weight": "gen",
        "negative_weights": "absolute_preserving",
    },
    "tasks": {
        "classify": {
            "inputs": ["features"],
            "output": "score",
            "model": [
                {"key": "MLP", "args": {"inputs": 3, "hidden": [8], "momenta": False}}
            ],
            "loss": {"key": "binary", "target": "label"},
        }
    },
    "train": {"epochs": 4, "batch_size": 64, "optimizer": {"key": "Adam", "args": {"lr": 1e-2}}},
    "metric": "auc(score, label)",
    "vary": {"data.folds": {str(t): {"k": 3, "test": t, "validation": (t + 1) % 3} for t in range(3)}},
    "analysis": {"score": "score", "variables": ["lead", "ht", "eta"], "binning": {"bins": 4, "fine": 40}, "luminosity": 0.02},
    "systematics": {
        "tes": {"key": "scale", "columns": "jet_pt", "up": 1.05, "down": 0.95},
        "smear": {"key": "function", "function": "measured_shifts:smear", "columns": "jet_pt", "reads": ["jet_eta"]},
        "pileup": {"key": "weights", "up": "pileup", "factor": True},
        "scale": {"key": "weights", "up": "gen_up", "down": "gen_down"},
        "generator": {"key": "files", "up": {"z": "other_z.npz"}, "processes": ["z"]},
        "shape": {"key": "files", "up": {"qcd": "other_qcd.npz"}, "processes": ["qcd"], "keep_yields": True},
        "z_xsec": {"key": "norm", "up": 1.04, "processes": ["z"]},
    },
}  # fmt: skip


def two_jets(
    events: int, seed: int, mean: float, above: float = 25.0, eta: float = 0.0
) -> dict[str, np.ndarray]:
    """Events with two jets, pt in MeV; a tenth of the weights is negative."""
    draw = np.random.default_rng(seed)
    pt = draw.exponential(mean, (events, 2)) + above
    gen = np.where(draw.random(events) < 0.1, -0.5, 1.0)
    return {
        "jet_pt": (1e3 * pt).astype(np.float32),
        "jet_eta": draw.normal(eta, 1.0, (events, 2)).astype(np.float32),
        "gen": gen,
        "gen_up": gen * 1.1,
        "gen_down": gen * 0.9,
        "pileup": (1.0 + 0.002 * (pt[:, 0] - 45.0)).astype(np.float32),
        "event_number": np.arange(events) + 100_000 * seed,
    }


def write_study(folder: Path, events: int = 1500) -> Path:
    """The study file, with the files of its events beside it."""
    files = {
        "higgs": two_jets(events, 1, 20.0, 45.0),
        "z": two_jets(events, 2, 22.0),
        "qcd": two_jets(events, 3, 16.0),
        "other_z": two_jets(events, 4, 23.0),
        "other_qcd": two_jets(events // 2, 5, 17.0),
    }
    data = [
        two_jets(n, 10 + i, *s)
        for i, (n, s) in enumerate(((20, (20.0, 45.0)), (1600, (23.0, 25.0, 0.4)), (400, (16.0,))))
    ]
    names = ("jet_pt", "jet_eta", "event_number")
    files["observed"] = {name: np.concatenate([part[name] for part in data]) for name in names}
    for name, columns in files.items():
        np.savez(folder / f"{name}.npz", **columns)
    (folder / "measured_shifts.py").write_text(SHIFTS, encoding="utf-8")
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(MEASURED, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def measured_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of processes with systematics and pseudo-data, whose results are in ``run`` beside it."""
    from tsunagu.spec import load_study
    from tsunagu.studies import run_study

    path = write_study(tmp_path_factory.mktemp("measured"))
    study = load_study(path).study
    assert study is not None
    assert not run_study(study, path.parent / "run", base=path.parent).failures
    return path


@pytest.fixture
def _shifts(measured_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the study is where its own functions are found."""
    monkeypatch.syspath_prepend(str(measured_file.parent))
