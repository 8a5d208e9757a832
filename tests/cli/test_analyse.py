"""``tsunagu analyse`` and ``tsunagu compare``, and the page that shows what they drew."""

from __future__ import annotations

import csv
import json

import pytest
from typer.testing import CliRunner

from tsunagu.cli import app

FIGURES = {
    "templates",
    "ranking",
    "cuts",
    "overtraining",
    "importance",
    "inputs",
    "correlations",
    "systematic_tes",
}


def run(*words):
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    return done.exit_code, done.output


@pytest.mark.usefixtures("_shifts")
def test_from_a_run_to_the_page(measured_file):
    out = measured_file.parent / "run"
    code, told = run("analyse", measured_file, "--out", out)
    assert code == 0
    assert "correlated as they are (pyhf): the reference" in " ".join(told.split())
    assert {path.stem for path in (out / "analysis").glob("*.png")} >= FIGURES
    for name in FIGURES:
        assert (out / "analysis" / f"{name}.pdf").stat().st_size > 1000
        with (out / "analysis" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert list(csv.DictReader(file))
    summary = json.loads((out / "analysis" / "summary.json").read_text(encoding="utf-8"))
    assert 0 < summary["expected"]["significance"] < summary["in_quadrature"]["known"]

    code, told = run("compare", measured_file, "--out", out)
    assert code == 0
    assert "reweighted" in told
    found = json.loads((out / "comparison" / "summary.json").read_text(encoding="utf-8"))
    assert found["before"]["variables"]["eta"]["chi2_p"] < 1e-3 < found["after"]["variables"]["eta"]["chi2_p"]

    assert run("report", out)[0] == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert '<section id="analysis">' in page
    assert 'href="comparison/data_eta.pdf"' in page
    assert "over-training only where the validation loss rises" in page
    assert "up to date" in run("report", out)[1]


def test_without_a_run_it_says_what_to_do(measured_file, tmp_path):
    from tsunagu.errors import ResumeError

    with pytest.raises(ResumeError, match="run the study first"):
        CliRunner().invoke(
            app, ["analyse", str(measured_file), "--out", str(tmp_path)], catch_exceptions=False
        )
