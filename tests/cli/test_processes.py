"""Devices and torchrun, as a user types them."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
import torch.distributed as dist
from typer.testing import CliRunner

from tsunagu.cli import app
from tsunagu.cli import main as run_main
from tsunagu.spec import dump_yaml, node

PLACE = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.fixture
def study_file(study_of, pipeline_of, tmp_path):
    second = node("MLP", hidden=[8], dropout=0.1)
    path = tmp_path / "study.yaml"
    path.write_text(dump_yaml(study_of(pipeline_of(second=second), seeds=2)), encoding="utf-8")
    return path


def _main(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["tsunagu", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        run_main()
    return stop.value.code, capsys.readouterr()


def _rows(out):
    with (out / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    times = {"seconds"}
    return [{name: value for name, value in row.items() if name not in times} for row in rows]


@pytest.mark.skipif(not dist.is_available(), reason="this torch knows no other processes")
def test_torchrun_gives_the_results_of_one_process(study_file, tmp_path):
    words = ["run", str(study_file), "--out"]
    CliRunner().invoke(app, [*words, str(tmp_path / "one")], catch_exceptions=False)
    two = tmp_path / "two"
    # One stage of one trial is there already: the first process finds it, and all of them begin with it.
    stages = two / "trials" / "stages"
    stages.mkdir(parents=True)
    shutil.copy(min((tmp_path / "one" / "trials" / "stages").iterdir()), stages)
    command = [*TORCHRUN, "-m", "tsunagu", *words, str(two)]
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        timeout=120,
        encoding="utf-8",
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("one row a trial") == 1
    for ours, theirs in zip(_rows(two), _rows(tmp_path / "one"), strict=True):
        assert ours["digest"] == theirs["digest"]
        for name in ("validation_auc", "test_auc"):
            assert float(ours[name]) == pytest.approx(float(theirs[name]), abs=1e-3)
    notes = [json.loads(path.read_text(encoding="utf-8")) for path in two.glob("trials/*/environment.json")]
    assert [(note["processes"], note["device"]) for note in notes] == [(2, "cpu")] * 2


def test_workers_and_torchrun_together_are_a_mistake(study_file, tmp_path, monkeypatch, capsys):
    for name, value in PLACE.items():
        monkeypatch.setenv(name, value)
    words = ["run", study_file, "--out", tmp_path / "out", "--workers", "2"]
    code, printed = _main(monkeypatch, capsys, *words)
    assert code == 2
    assert "executor: torchrun has started several processes" in printed.err
    monkeypatch.setenv("RANK", "1")
    code, printed = _main(monkeypatch, capsys, *words)
    assert (code, printed.err) == (2, "")


@pytest.mark.parametrize(
    ("device", "problem"),
    [
        ("cuda", "device: cuda was asked for, but torch"),
        ("tpu", "expected auto, cpu, cuda or cuda:<number>, found 'tpu'"),
    ],
)
def test_a_device_that_is_not_there_is_a_mistake(study_file, tmp_path, monkeypatch, capsys, device, problem):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    code, printed = _main(
        monkeypatch, capsys, "run", study_file, "--out", tmp_path / "out", "--device", device
    )
    assert code == 2
    assert problem in printed.err
    assert not (tmp_path / "out").exists()
