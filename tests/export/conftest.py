"""A small study whose folds rotate, and its export."""

from __future__ import annotations

import shutil

import pytest

from tsunagu.spec import Folds, node
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
