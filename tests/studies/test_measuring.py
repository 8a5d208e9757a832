"""A finished study as a measurement: every event once, by a chain that has not seen it, and all kinds of variations."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from tsunagu.analysis import expected
from tsunagu.errors import DataError, SpecError
from tsunagu.report import write_measurement
from tsunagu.spec import Yields
from tsunagu.studies import measure_study


@pytest.fixture(scope="module")
def events(analysed_folder):
    with np.load(analysed_folder / "events.npz") as arrays:
        return dict(arrays)


def test_templates_are_all_events_and_their_variations(analysed_study, analysed_folder, events, tmp_path):
    found = measure_study(analysed_study(), analysed_folder / "run", analysed_folder)
    templates = found.templates
    yields = [events["weight"][events["label"] == 1].sum(), 2 * events["weight"][events["label"] == 0].sum()]
    assert templates.nominal.sums.sum(1) == pytest.approx(yields)
    assert len(found.events.score) == len(events["label"])

    shifts = templates.shifts
    assert shifts["xsec"].up.sums.sum(1) == pytest.approx([yields[0], 1.1 * yields[1]])
    # The function does what the scale does.
    assert np.allclose(shifts["same"].up.sums, shifts["tes"].up.sums)
    assert not np.allclose(shifts["tes"].up.sums[1], templates.nominal.sums[1])
    signal = events["label"] == 1
    pileup = (events["weight"] * events["pileup_up"])[signal].sum()
    assert shifts["pileup"].up.sums[0].sum() == pytest.approx(pileup, rel=1e-5)
    mirrored = (shifts["pileup"].up.sums + shifts["pileup"].down.sums) / 2
    assert mirrored == pytest.approx(templates.nominal.sums)
    assert np.array_equal(shifts["generator"].up.sums[1], templates.nominal.sums[1])

    assert found.expected.significance < found.quadrature.all_errors <= found.quadrature.statistics
    assert found.expected.without_systematics == pytest.approx(found.quadrature.known, rel=1e-3)
    assert {each.name for each in found.ranking} == {*analysed_study().systematics, "lumi"}
    assert {each.input for each in found.importance} == {"momenta"}

    written = write_measurement(found, tmp_path)
    assert {path.suffix for path in written} == {".json", ".png", ".pdf", ".csv"}
    workspace = json.loads((tmp_path / "workspace.json").read_text(encoding="utf-8"))
    assert expected(workspace).significance == pytest.approx(found.expected.significance, rel=1e-3)
    with (tmp_path / "templates.csv").open(encoding="utf-8", newline="") as file:
        assert sum(float(row["events"]) for row in csv.DictReader(file)) == pytest.approx(sum(yields))


def test_what_cannot_be_measured_is_told(analysed_study, analysed_folder):
    run = analysed_folder / "run"
    with pytest.raises(SpecError, match="analysis: is missing"):
        measure_study(analysed_study(analysis=None, systematics={}), run, analysed_folder)
    wrong = {"xsec": Yields(key="norm", up=1.1, processes=["zz"])}
    with pytest.raises(SpecError, match=r"systematics.xsec.processes.0: there is no process 'zz'"):
        measure_study(analysed_study(systematics=wrong), run, analysed_folder)
    with pytest.raises(DataError, match=r"there is no method 'chian' \(did you mean 'chain'"):
        measure_study(analysed_study(systematics={}), run, analysed_folder, "chian")


def test_a_seed_is_taken_where_it_is_named(analysed_folder, analysed_study):
    measured = measure_study(analysed_study(systematics={}), analysed_folder / "run", analysed_folder, seed=1)
    assert {each.trial.seed for each in measured.nominal.trained} == {1}
    with pytest.raises(DataError, match=r"has no seed 7 \(there are 1\)"):
        measure_study(analysed_study(systematics={}), analysed_folder / "run", analysed_folder, seed=7)
