"""The job script of the page on batch systems: several of it on one folder do a study once, and the last one writes it up."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tsunagu.spec import dump_yaml

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "run-on-slurm-htcondor.md").read_text(
    encoding="utf-8"
)
BLOCKS = {kind: re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL) for kind in ("sh", "ini", "yaml")}
SEEDS = 4


@pytest.fixture
def place(tmp_path, study_of, pipeline_of):
    """A folder with the job script, a study, and a command ``tsunagu``."""
    study = study_of(pipeline_of(epochs=1), seeds=SEEDS)
    words = dump_yaml(study).replace("executor: null\n", "") + BLOCKS["yaml"][0]
    assert yaml.safe_load(words)["executor"]["args"] == {"most": 1}
    (tmp_path / "study.yaml").write_text(words, encoding="utf-8")
    (tmp_path / "job.sh").write_text(BLOCKS["sh"][0], encoding="utf-8")
    command = tmp_path / "bin" / "tsunagu"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tsunagu "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    (tmp_path / "setup.sh").write_text(f'export PATH="{command.parent}:$PATH"\n', encoding="utf-8")
    return tmp_path


def job(place):
    command = ["bash", "job.sh", *arguments()]
    return subprocess.Popen(
        command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    )


def arguments():
    """As HTCondor gives them."""
    return re.search(r"^arguments = (.*)$", BLOCKS["ini"][0], re.MULTILINE)[1].split()


def test_jobs_share_a_study_by_its_folder(place):
    jobs = [job(place), job(place)]
    said = [each.communicate(timeout=900)[0] for each in jobs]
    assert {each.returncode for each in jobs} <= {0, 1}, said
    last = job(place)
    text, _ = last.communicate(timeout=900)
    assert last.returncode == 0, text
    with (place / "out" / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["seed"]) for row in rows] == list(range(1, SEEDS + 1))
    # Each trial was done once: its folder is there under its own name, and nothing is left half done.
    finished = {path.parent.name for path in (place / "out" / "trials").glob("*/result.json")}
    assert finished == {row["digest"] for row in rows}
    assert not list((place / "out" / "trials").glob("*.part"))


@pytest.mark.parametrize("script", BLOCKS["sh"])
def test_scripts_are_scripts(script):
    subprocess.run(["bash", "-n"], input=script, check=True, encoding="utf-8")
