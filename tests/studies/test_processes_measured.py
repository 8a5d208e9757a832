"""A measurement of processes with cross-sections: what a variation changes is made anew, cuts included."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tsunagu.analysis import fit
from tsunagu.errors import SpecError
from tsunagu.report import write_measurement
from tsunagu.report.templates import draw_observed
from tsunagu.spec import OtherFiles, load_study, sample_processes
from tsunagu.studies import check_spec, compare_study, measure_study
from tsunagu.studies.observing import closed_bins


@pytest.fixture(scope="module")
def study(measured_file):
    return load_study(measured_file).study


@pytest.fixture
def measured(study, measured_file, _shifts):
    return measure_study(study, measured_file.parent / "run", measured_file.parent)


def passing(columns, factor=1.0):
    """What ht > 70 GeV leaves, of columns in MeV."""
    return (factor * columns["jet_pt"].astype(np.float64) / 1e3).sum(1) > 70.0


def test_yields_are_cross_section_times_luminosity_and_cuts_follow_the_scale(study, measured_file, measured):
    read = {
        name: dict(np.load(measured_file.parent / f"{name}.npz")) for name in ("higgs", "z", "qcd", "other_z")
    }
    expected = {
        "higgs": 20.0 / read["higgs"]["gen"].sum(),
        "z": 2000.0 / read["z"]["gen"].sum(),
        "qcd": 500.0 / 1500,
    }
    assert list(sample_processes(study)) == list(measured.templates.processes) == ["higgs", "z", "qcd"]
    assert measured.templates.signals == ("higgs",)

    def yields(factor=1.0, weight="gen"):
        return [
            expected[name] * read[name][weight][passing(read[name], factor)].sum()
            for name in ("higgs", "z", "qcd")
        ]

    shifts, nominal = measured.templates.shifts, measured.templates.nominal.sums
    assert nominal.sum(1) == pytest.approx(yields(), rel=1e-5)
    assert shifts["tes"].up.sums.sum(1) == pytest.approx(yields(1.05), rel=1e-3)
    assert shifts["tes"].down.sums.sum(1) == pytest.approx(yields(0.95), rel=1e-3)
    assert shifts["scale"].up.sums == pytest.approx(1.1 * nominal, rel=1e-5)
    assert shifts["scale"].down.sums == pytest.approx(0.9 * nominal, rel=1e-5)

    # Other files have their own sum of generated weights; the other processes stay.
    other = read["other_z"]
    passed = other["gen"][passing(other)].sum()
    assert shifts["generator"].up.sums.sum(1)[1] == pytest.approx(
        2000.0 * passed / other["gen"].sum(), rel=1e-5
    )
    assert np.array_equal(shifts["generator"].up.sums[[0, 2]], nominal[[0, 2]])
    assert shifts["shape"].up.sums.sum(1) == pytest.approx(nominal.sum(1))
    assert not np.allclose(shifts["shape"].up.sums[2], nominal[2], rtol=1e-3)


def test_a_shift_moves_scores_and_events_over_the_cut(measured):
    nominal, up = measured.events, measured.varied["tes"]["up"]
    assert len(up.score) > len(nominal.score)
    moved = {
        each.process: each for each in measured.effects if (each.systematic, each.direction) == ("tes", "up")
    }
    assert moved["z"].yield_change > 0.01
    assert moved["z"].score_shift != 0.0
    weights = {each.process: each for each in measured.effects if each.systematic == "scale"}
    assert weights["z"].score_shift == pytest.approx(0.0, abs=1e-12)


def test_data_are_counted_once_and_blind_bins_stay_closed(study, measured_file, measured):
    read = dict(np.load(measured_file.parent / "observed.npz"))
    assert measured.observed.sum() == passing(read).sum()
    s, b = (measured.templates.total(signal=kind).sums for kind in (True, False))
    limit = float(np.sort(s / b)[-2:].mean())
    analysis = measured.analysis.model_copy(update={"blind": limit})
    blind = replace(measured, closed=closed_bins(analysis, measured.templates))
    drawn = np.isfinite(np.asarray(draw_observed(blind).numbers["data"]))
    assert np.array_equal(drawn, s <= limit * b)
    assert drawn.sum() == len(s) - 1


def test_data_are_fitted_once_all_bins_are_open(study, measured_file, measured, tmp_path):
    assert (measured.fit_to_data is None) == measured.closed.any()
    opened = study.model_copy(update={"analysis": study.analysis.model_copy(update={"blind": None})})
    found = measure_study(opened, measured_file.parent / "run", measured_file.parent)
    again = fit(found.workspace, found.observed, impacts=[])
    assert found.fit_to_data["mu"].value == pytest.approx(again["mu"].value)
    names = {path.name for path in write_measurement(found, tmp_path)}
    assert {"pulls.png", "pulls.pdf", "pulls.csv"} <= names
    told = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["fit_to_data"]
    assert told[0]["name"] == "mu"


def test_simulation_is_told_from_data_and_the_reweighting_mends_it(study, measured_file):
    found = compare_study(study, measured_file.parent)
    assert list(found.data.variables) == ["lead", "ht", "eta"]
    assert found.simulation.weight.sum() == pytest.approx(found.expected)
    assert (found.simulation.weight * found.reweighting.factor).sum() == pytest.approx(found.expected)
    before, after = found.closure.variables_before["eta"], found.closure.variables_after["eta"]
    assert before[0].p_value < 1e-3 < after[0].p_value
    assert found.closure.before.p_value < 0.05
    assert abs(found.closure.after.auc - 0.5) < abs(found.closure.before.auc - 0.5)


def test_data_are_needed_for_a_comparison(study, measured_file):
    section = study.data.model_copy(update={"processes": study.data.simulated})
    with pytest.raises(
        SpecError, match=r"data.processes: none of them is data; mark one with `observed: true`"
    ):
        compare_study(study.model_copy(update={"data": section}), measured_file.parent)


@pytest.mark.parametrize(
    ("up", "message"),
    [
        ("other_z.npz", "systematics.x.up: expected by process, such as {z: other/*.root}"),
        ({"zz": "other_z.npz"}, "systematics.x.up.zz: there is no process 'zz' (did you mean 'z'?)"),
        ({"observed": "other_z.npz"}, "systematics.x.up.observed: there is no process 'observed'"),
    ],
)
def test_other_files_are_of_a_process(study, up, message):
    wrong = study.model_copy(update={"systematics": {"x": OtherFiles(key="files", up=up)}})
    (mistake,) = check_spec(wrong)
    assert str(mistake).startswith(message)


def test_signals_may_be_named(study):
    named = study.analysis.model_copy(update={"signals": ["z"]})
    found = sample_processes(study.model_copy(update={"analysis": named}))
    assert [name for name, process in found.items() if process.signal] == ["z"]
    wrong = study.model_copy(update={"analysis": study.analysis.model_copy(update={"signals": ["Higgs"]})})
    (mistake,) = check_spec(wrong)
    assert str(mistake).startswith("analysis.signals.0: there is no process 'Higgs' (did you mean 'higgs'?)")
