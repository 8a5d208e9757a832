"""The full analysis at a tiny size: from ROOT files to a significance and a fit to pseudo-data, as its pages say."""

from __future__ import annotations

import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.examples.datasets import make_folder
from tsunagu.analysis import fit
from tsunagu.report import report
from tsunagu.spec import load_study
from tsunagu.studies import check_spec, measure_study, run_study

pytest.importorskip("uproot")
pytest.importorskip("pyhf")
EXAMPLE = Path(__file__).parents[2] / "examples" / "analysis"
QUICK = [
    "seeds=1",
    "train.epochs=1",
    "train.pretrain_epochs=1",
    "analysis.binning.bins=3",
    "analysis.binning.min_background=2",
    "analysis.binning.max_error=1.0",
]
MEASURED = ("chain, fixed", "boosting")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The example with events beside it, its module importable, and the trees' scores in the files."""
    folder = tmp_path_factory.mktemp("analysis")
    shutil.copytree(
        EXAMPLE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("events", "__pycache__")
    )
    make_folder(folder, events=480)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.delitem(sys.modules, "analysis_parts", raising=False)
        runpy.run_path(str(folder / "boosting.py"))["train"](folder)
        yield folder
    sys.modules.pop("analysis_parts", None)


@pytest.fixture(scope="module")
def study(folder):
    return load_study(folder / "analysis.yaml", QUICK).study


@pytest.fixture(scope="module")
def trained(folder, study):
    few = study.model_copy(update={"methods": {name: study.methods[name] for name in MEASURED}})
    assert not run_study(few, folder / "run", base=folder).failures
    return few


def test_every_method_of_it_fits_the_files(folder, study):
    assert not check_spec(study, folder)


def test_its_report_has_no_learning_curve_of_what_learns_nothing(folder, trained, tmp_path):
    drawn = {path.stem for path in report(folder / "run", tmp_path)}
    assert "learning_chain_fixed" in drawn
    assert "learning_boosting" not in drawn
    assert "scores_score_boosting" in drawn


@pytest.mark.parametrize("method", MEASURED)
def test_a_significance_comes_out_of_it(folder, trained, method):
    measured = measure_study(trained, folder / "run", folder, method, seed=1)
    templates = measured.templates
    assert 0.0 < measured.expected.significance <= measured.expected.without_systematics
    assert set(templates.shifts) == set(trained.systematics)
    assert templates.processes == ("ggH", "VBF", "Z", "fakes")
    # An energy scale moves scores and events across the cuts, of the trees as of the networks; that of fakes stays.
    ratio = templates.shifts["tau_energy_scale"].up.sums / templates.nominal.sums
    assert np.abs(ratio[:3] - 1.0).max(axis=1).min() > 1e-3
    assert ratio[3] == pytest.approx(np.ones(templates.bins), rel=0.02)
    assert measured.observed.sum() == pytest.approx(templates.nominal.sums.sum(), rel=0.2)
    assert fit(measured.workspace, measured.observed, impacts=[])["mu"].error > 0.0
