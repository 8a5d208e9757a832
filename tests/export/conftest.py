"""A small study whose folds rotate, and its export."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from tsunagu.spec import Data, Folds, LossTerm, Study, Task, Train, node
from tsunagu.studies import export_study, run_study

K = 3


@pytest.fixture(scope="session")
def rotated(study_of, pipeline_of, tmp_path_factory):
    """The folder of a run: 3 folds, 2 seeds."""
    out = tmp_path_factory.mktemp("rotated")
    study = study_of(pipeline_of(second=node("MLP", hidden=[8]), epochs=1), seeds=2, name="Higgs → ττ")
    data = study.data.model_copy(update={"folds": Folds(k=K, rotate=True)})
    run_study(study.model_copy(update={"data": data}), out, base=out)
    return out


@pytest.fixture(scope="session")
def exported(rotated):
    """The folder of its export, which no test changes."""
    export_study(rotated)
    return rotated / "export"


@pytest.fixture
def own_export(exported, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(exported, tmp_path / "export")


@pytest.fixture(scope="session")
def flat_export(tmp_path_factory):
    """The export of a study of two plain columns, with a model for each of three folds."""
    folder, draw = tmp_path_factory.mktemp("flat"), np.random.default_rng(1)
    x, y = draw.normal(size=(2, 150))
    np.savez(folder / "a.npz", x=x, y=y, label=(x + y > 0).astype(int), event_number=np.arange(150))
    task = Task(
        inputs=["xy"],
        output="score",
        model=node("MLP", inputs=2, hidden=[4], momenta=False),
        loss=LossTerm(key="binary", target="label"),
    )
    study = Study(
        data=Data(files="a.npz", columns={"xy": ["x", "y"]}, folds=Folds(k=K, rotate=True)),
        tasks={"classify": task},
        metric="auc(score, label)",
        train=Train(epochs=1),
    )
    run_study(study, folder / "run", base=folder)
    export_study(folder / "run", folder / "export")
    return folder / "export"
