"""``kill -9`` at random moments, or no room, then the same command: the bytes are those of a run nobody disturbed."""

from __future__ import annotations

import contextlib
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
    "train": {"epochs": 4, "batch_size": 32, "patience": None, "checkpoint_seconds": 0.0},
    "metric": "auc(score, is_higgs)",
    "seeds": 2,
}
# Each run writes a checkpoint after every step, about 300 in all. One is killed when so many have been seen (a random
# number between two), or while it writes one.
KILLS = ((1, 3), "writing", (2, 40), "writing", (2, 40))
PATIENCE = 300


def _command(folder, out):
    return [sys.executable, "-m", "tsunagu", "run", str(folder / "study.yaml"), "--out", str(out)]


def _bytes(out):
    wanted = ("weights.safetensors", "predictions.npz")
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.name in wanted
    }


def _run_and_kill(folder, out, moment, draw):
    """The exit code; the moments follow what the process does and not the clock, so a slow machine changes nothing."""
    process = subprocess.Popen(_command(folder, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wanted = 1 if moment == "writing" else draw.randint(*moment)
    seen, deadline = set(_checkpoints(out)), time.monotonic() + PATIENCE
    known = len(seen)
    while process.poll() is None and time.monotonic() < deadline:
        seen |= _checkpoints(out)
        if len(seen) - known >= wanted and (moment != "writing" or list(out.rglob("*.safetensors.*.part"))):
            break
        time.sleep(0.001)
    time.sleep(0.0 if moment == "writing" else draw.uniform(0.0, 0.02))
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    return process.returncode, errors.decode()


def _checkpoints(out):
    """Each version of each checkpoint that was seen: a file is replaced by another one and never written again."""
    found = set()
    for path in out.rglob("checkpoint.safetensors"):
        with contextlib.suppress(FileNotFoundError):
            found.add((path.parent.name, path.stat().st_mtime_ns))
    return found


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_at_random_moments_it_ends_in_the_same_bytes(tmp_path, made_up):
    np.savez(tmp_path / "events.npz", **made_up(600))
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False), encoding="utf-8")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    subprocess.run(_command(tmp_path, whole), check=True, capture_output=True, timeout=PATIENCE)
    seed = random.SystemRandom().randrange(2**32)
    print(f"the moments follow from random.Random({seed})")
    draw = random.Random(seed)
    ends = [_run_and_kill(tmp_path, parts, moment, draw) for moment in KILLS]
    codes = [code for code, _ in ends]
    assert set(codes) <= {0, -signal.SIGKILL}, ends
    assert codes.count(-signal.SIGKILL) >= 3, "most runs ended before they could be killed"
    subprocess.run(_command(tmp_path, parts), check=True, capture_output=True, timeout=PATIENCE)
    assert len(_bytes(whole)) == 4
    assert _bytes(parts) == _bytes(whole)
    assert not list((parts / "trials").rglob("*.part"))
    assert not list(parts.rglob("checkpoint*"))


SMALL_DISK = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (15_000, 15_000))
runpy.run_module("tsunagu", run_name="__main__")
"""


@pytest.mark.skipif(os.name == "nt", reason="this system has no limit on the size of files")
def test_a_disk_that_takes_no_predictions_stops_with_a_message_and_the_next_run_goes_on(tmp_path, made_up):
    """A real limit of the system: the checkpoints fit under it, the predictions do not."""
    np.savez(tmp_path / "events.npz", **made_up(600))
    study = STUDY | {"train": STUDY["train"] | {"epochs": 1}, "seeds": 1}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    subprocess.run(_command(tmp_path, whole), check=True, capture_output=True, timeout=PATIENCE)
    limited = [sys.executable, "-c", SMALL_DISK, *_command(tmp_path, parts)[3:]]
    # The measurement of coverage writes larger files than the limit allows.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(limited, capture_output=True, text=True, timeout=PATIENCE, check=False, env=plain)
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode not in (0, -signal.SIGXFSZ)
    assert "cannot be written (File too large)" in said
    assert "make room and run the same command again" in said
    assert "Traceback" not in said
    assert list(parts.rglob("checkpoint.safetensors"))
    subprocess.run(_command(tmp_path, parts), check=True, capture_output=True, timeout=PATIENCE)
    assert _bytes(parts) == _bytes(whole)
