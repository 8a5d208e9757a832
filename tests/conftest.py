"""A small made-up sample with the columns of the real one, and a two-step study on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tsunagu.data import Table, open_table
from tsunagu.spec import Data, Folds, LossTerm, Pipeline, Study, Task, Train, node

torch.set_num_threads(1)

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
