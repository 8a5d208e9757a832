"""``kill -9`` at random moments, then the same command: the bytes are those of a run that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import yaml

STUDY = {
    "data": {
        "files": "events.npz",
        "columns": {
            "jet_p4": ["jet_pt", "jet_eta", "jet_phi", "jet_mass"],
            "true_tau_p4": ["tau_full_pt", "tau_full_eta", "tau_full_phi"],
            "is_higgs": "label",
        },
    },
    "tasks": {
        "calibrate": {
            "inputs": ["jet_p4"],
            "output": "tau_p4",
            "model": {"key": "ScaleFactor"},
            "loss": {"key": "four_momentum", "target": "true_tau_p4"},
        },
        "classify": {
            "inputs": ["tau_p4"],
            "output": "score",
            "model": {"key": "MLP", "args": {"hidden": [16], "dropout": 0.1}},
            "loss": {"key": "binary", "target": "is_higgs"},
        },
    },
    "train": {"epochs": 12, "batch_size": 32, "patience": None, "checkpoint_seconds": 0.02},
    "metric": "auc(score, is_higgs)",
    "seeds": 2,
}
KILLS = 4


def _command(folder, out):
    return [sys.executable, "-m", "tsunagu", "run", str(folder / "study.yaml"), "--out", str(out)]


def _bytes(out):
    wanted = ("weights.safetensors", "predictions.npz")
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.name in wanted
    }


def _kill_at_a_random_moment(folder, out, draw):
    process = subprocess.Popen(_command(folder, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    before = _marks(out)
    deadline = time.monotonic() + 60
    while process.poll() is None and _marks(out) == before and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(draw.uniform(0.0, 0.4))
    process.send_signal(signal.SIGKILL)
    return process.wait()


def _marks(out):
    return {path: path.stat().st_mtime_ns for path in out.rglob("*.safetensors*") if path.exists()}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_at_random_moments_it_ends_in_the_same_bytes(tmp_path, made_up):
    np.savez(tmp_path / "events.npz", **made_up(600))
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False), encoding="utf-8")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    subprocess.run(_command(tmp_path, whole), check=True, capture_output=True, timeout=120)
    draw = random.Random(os.getpid())
    codes = [_kill_at_a_random_moment(tmp_path, parts, draw) for _ in range(KILLS)]
    assert -signal.SIGKILL in codes, "every run ended before it could be killed"
    subprocess.run(_command(tmp_path, parts), check=True, capture_output=True, timeout=120)
    assert len(_bytes(whole)) == 4
    assert _bytes(parts) == _bytes(whole)
    assert not list((parts / "trials").glob("*.part"))
