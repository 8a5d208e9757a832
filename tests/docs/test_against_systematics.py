"""The studies of the guide against systematic uncertainties run as they are printed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tsunagu.cli import app
from tsunagu.report import report
from tsunagu.spec import load_study
from tsunagu.studies import run_study

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "against-systematics.md"
BLOCKS = [part.split("```")[0] for part in GUIDE.read_text(encoding="utf-8").split("```yaml\n")[1:]]
STUDIES = {yaml.safe_load(block)["name"]: block for block in BLOCKS}


def test_there_is_one_study_for_each_option():
    assert list(STUDIES) == ["DisCo", "Pivot", "DANN", "Shifted at random", "Told the size"]


@pytest.mark.parametrize("name", STUDIES)
def test_it_runs(name, tmp_path):
    written = yaml.safe_load(STUDIES[name])
    written["train"] |= {"epochs": 1, "pretrain_epochs": 1}
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(written), encoding="utf-8")
    assert CliRunner().invoke(app, ["plan", str(file)], catch_exceptions=False).exit_code == 0
    outcome = run_study(load_study(file).study, tmp_path / "out", base=tmp_path)
    assert (len(outcome.rows), outcome.failures) == (1, [])
    report(tmp_path / "out")
    assert (tmp_path / "out" / "figures" / "roc_score.csv").exists()
